//! Durations as Go writes them: `1h30m`, `1.5s`, `250ms`.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The text of a duration as the author wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct GoDuration(#[schemars(regex(pattern = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"))] pub String);

/// The text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a duration; write a number with a unit (ms, s, m, h), for example 10m or 1h30m"
)]
pub struct DurationError(String);

impl GoDuration {
    pub fn parse(&self) -> Result<Duration, DurationError> {
        parse(&self.0)
    }
}

/// Reads Go's syntax, without signs.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let bad = || DurationError(text.chars().take(100).collect());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0f64;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(bad)?;
        let number: f64 = rest[..digits].parse().map_err(|_| bad())?;
        rest = &rest[digits..];
        let letters = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        let unit = match &rest[..letters] {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(bad()),
        };
        seconds += number * unit;
        rest = &rest[letters..];
    }
    if text.is_empty() {
        return Err(bad());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| bad())
}

/// Writes a duration as Go's `Duration.String` does, cut to milliseconds below a minute.
pub fn show(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    let mut seconds = format!("{}.{:03}", rest / 1000, rest % 1000);
    let kept = seconds.trim_end_matches('0').trim_end_matches('.').len();
    seconds.truncate(kept);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_reads() {
        for (text, millis) in [
            ("10m", 600_000),
            ("1h30m", 5_400_000),
            ("1.5s", 1500),
            ("250ms", 250),
            ("0", 0),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "10", "m", "1x", "-5m", "1.2.3s", "5 m", "1e400h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn writes_as_go_writes() {
        for (millis, text) in [
            (5, "5ms"),
            (1000, "1s"),
            (1020, "1.02s"),
            (60_000, "1m0s"),
            (3_600_000, "1h0m0s"),
            (570_000, "9m30s"),
        ] {
            assert_eq!(show(Duration::from_millis(millis)), text);
        }
    }
}
