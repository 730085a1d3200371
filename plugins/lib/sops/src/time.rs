//! Times as Go's `time.RFC3339` reads and writes them.

use weir_k8s_yaml::Timestamp;

/// The text as Go prints it with nanoseconds as needed, or `None` if it is not RFC 3339.
pub(crate) fn parse(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| {
        bytes
            .get(range)
            .is_some_and(|part| part.iter().all(u8::is_ascii_digit))
    };
    let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    let fixed = digits(0..4)
        && is(4, b'-')
        && digits(5..7)
        && is(7, b'-')
        && digits(8..10)
        && is(10, b'T')
        && digits(11..13)
        && is(13, b':')
        && digits(14..16)
        && is(16, b':')
        && digits(17..19);
    if !fixed {
        return None;
    }
    Timestamp::parse(text).map(|time| time.to_string())
}

/// A text that [`parse`] made, without its fraction of a second.
pub(crate) fn without_fraction(text: &str) -> String {
    let Some((seconds, rest)) = text.split_once('.') else {
        return text.to_owned();
    };
    let zone = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{seconds}{zone}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_as_go_does() {
        for (text, expected) in [
            ("2024-01-02T03:04:05Z", Some("2024-01-02T03:04:05Z")),
            ("2024-01-02T03:04:05.120Z", Some("2024-01-02T03:04:05.12Z")),
            ("2024-01-02T03:04:05+00:00", Some("2024-01-02T03:04:05Z")),
            (
                "2024-01-02T03:04:05-05:30",
                Some("2024-01-02T03:04:05-05:30"),
            ),
            ("2024-1-2T03:04:05Z", None),
            ("2024-01-02 03:04:05", None),
            ("2024-01-02t03:04:05Z", None),
            ("2024-01-02", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(parse(text).as_deref(), expected, "{text}");
        }
        assert_eq!(
            without_fraction("2024-01-02T03:04:05.12-05:30"),
            "2024-01-02T03:04:05-05:30"
        );
        assert_eq!(
            without_fraction("2024-01-02T03:04:05Z"),
            "2024-01-02T03:04:05Z"
        );
    }
}
