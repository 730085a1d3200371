//! Durations: `1h30m0s`.

const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3600 * SECOND),
];
pub(crate) const SECOND: u64 = 1_000_000_000;
/// The size of the smallest duration, one more than that of the largest.
const MOST: u64 = 1 << 63;

/// Why a text is no duration, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DurationError {
    #[error("time: invalid duration {0}")]
    Invalid(String),
    #[error("time: missing unit in duration {0}")]
    NoUnit(String),
    #[error("time: unknown unit {unit} in duration {text}")]
    Unit { unit: String, text: String },
}

/// Nanoseconds of a text like `-1.5h`.
pub(crate) fn parse(text: &[u8]) -> Result<i64, DurationError> {
    let quoted = || super::parse::quote(text);
    let invalid = || DurationError::Invalid(quoted());
    let (negative, mut rest) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (whole, after) = split_digits(rest);
        let (fraction, after) = match after.split_first() {
            Some((b'.', after)) => split_digits(after),
            _ => (&[][..], after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let value = whole.iter().try_fold(0_u64, |value, digit| {
            value
                .checked_mul(10)?
                .checked_add(u64::from(digit - b'0'))
                .filter(|value| *value <= MOST)
        });
        let value = value.ok_or_else(invalid)?;
        let length = after
            .iter()
            .take_while(|byte| **byte != b'.' && !byte.is_ascii_digit())
            .count();
        let (unit, after) = after.split_at(length);
        if unit.is_empty() {
            return Err(DurationError::NoUnit(quoted()));
        }
        let Some((_, size)) = UNITS.iter().find(|(name, _)| name.as_bytes() == unit) else {
            return Err(DurationError::Unit {
                unit: super::parse::quote(unit),
                text: quoted(),
            });
        };
        let value = value.checked_mul(*size).filter(|value| *value <= MOST);
        // Digits beyond what 63 bits hold do not count.
        let (mut numerator, mut scale) = (0_u64, 1.0_f64);
        for digit in fraction {
            if numerator > (MOST - 1) / 10 {
                break;
            }
            numerator = numerator * 10 + u64::from(digit - b'0');
            scale *= 10.0;
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "Go computes the fraction in floating point"
        )]
        let part = (numerator as f64 * (*size as f64 / scale)) as u64;
        total = value
            .and_then(|value| value.checked_add(part))
            .and_then(|value| value.checked_add(total))
            .filter(|total| *total <= MOST)
            .ok_or_else(invalid)?;
        rest = after;
    }
    if negative {
        return Ok((total as i64).wrapping_neg());
    }
    i64::try_from(total).map_err(|_| invalid())
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// As Go prints it.
pub(crate) fn print(nanos: i64) -> String {
    let size = nanos.unsigned_abs();
    let sign = if nanos < 0 { "-" } else { "" };
    let (seconds, rest) = (size / SECOND, size % SECOND);
    match size {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{size}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", with_fraction(size / 1_000, size % 1_000, 3)),
        1_000_000..SECOND => format!(
            "{sign}{}ms",
            with_fraction(size / 1_000_000, size % 1_000_000, 6)
        ),
        _ => {
            let last = with_fraction(seconds % 60, rest, 9);
            match (seconds / 3600, seconds / 60 % 60) {
                (0, 0) => format!("{sign}{last}s"),
                (0, minutes) => format!("{sign}{minutes}m{last}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{last}s"),
            }
        }
    }
}

fn with_fraction(whole: u64, fraction: u64, digits: usize) -> String {
    if fraction == 0 {
        return whole.to_string();
    }
    let fraction = format!("{fraction:0digits$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

/// To the nearest multiple, halves away from zero.
pub(crate) fn round(nanos: i64, multiple: i64) -> i64 {
    if multiple <= 0 {
        return nanos;
    }
    let rest = nanos % multiple;
    let down = nanos - rest;
    let step = if nanos < 0 { -multiple } else { multiple };
    if rest.unsigned_abs() < multiple.unsigned_abs() - rest.unsigned_abs() {
        return down;
    }
    down.checked_add(step)
        .unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

/// Towards zero to a multiple.
pub(crate) fn truncate(nanos: i64, multiple: i64) -> i64 {
    if multiple <= 0 {
        nanos
    } else {
        nanos - nanos % multiple
    }
}

/// sprig's rough form: the largest unit of which there is more than one.
pub(crate) fn rough(nanos: i64) -> String {
    let size = nanos.unsigned_abs();
    let hour = 3600 * SECOND;
    let units = [
        (hour * 24 * 365, "y"),
        (hour * 24 * 30, "mo"),
        (hour * 24, "d"),
        (hour, "h"),
        (60 * SECOND, "m"),
        (SECOND, "s"),
    ];
    let found = units.into_iter().find(|(unit, _)| size > *unit);
    found.map_or_else(
        || "0s".to_owned(),
        |(unit, name)| format!("{}{name}", size / unit),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints() {
        for (text, expected) in [
            ("1h1m1s", "1h1m1s"),
            ("-1.5h", "-1h30m0s"),
            ("100us", "100µs"),
            ("1.5ms", "1.5ms"),
            ("1h0.5s", "1h0m0.5s"),
            ("0", "0s"),
            ("60s", "1m0s"),
            (".5s", "500ms"),
            ("9223372036854775807ns", "2562047h47m16.854775807s"),
            ("-9223372036854775808ns", "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(print(parse(text.as_bytes()).unwrap()), expected, "{text}");
        }
        for (text, expected) in [
            ("x", "time: invalid duration \"x\""),
            ("5", "time: missing unit in duration \"5\""),
            ("5d", "time: unknown unit \"d\" in duration \"5d\""),
            (
                "9223372036854775808ns",
                "time: invalid duration \"9223372036854775808ns\"",
            ),
            (
                "99999999999999999999d",
                "time: invalid duration \"99999999999999999999d\"",
            ),
            ("", "time: invalid duration \"\""),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn rough_forms() {
        for (text, expected) in [
            ("2h10m5s", "2h"),
            ("2400h", "3mo"),
            ("1m", "60s"),
            ("9000h", "1y"),
            ("-3h", "3h"),
            ("800h", "1mo"),
        ] {
            assert_eq!(rough(parse(text.as_bytes()).unwrap()), expected);
        }
    }

    #[test]
    fn rounds_halves_away_from_zero() {
        assert_eq!(
            (
                round(15, 10),
                round(-15, 10),
                round(14, 10),
                truncate(-19, 10)
            ),
            (20, -20, 10, -10)
        );
        assert_eq!(round(i64::MAX, 10), i64::MAX);
    }
}
