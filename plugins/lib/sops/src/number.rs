//! Numbers and booleans as Go's `strconv` reads and writes them.

/// `FormatFloat(value, 'f', -1, 64)`: no exponent.
pub(crate) fn fixed(value: f64) -> String {
    special(value).unwrap_or_else(|| value.to_string())
}

/// `FormatFloat(value, 'g', -1, 64)`.
pub(crate) fn general(value: f64) -> String {
    special(value).unwrap_or_else(|| with_exponent(value, 'e'))
}

/// As dotenv and INI files get it: `1.0`, `1E+100`.
pub(crate) fn capital(value: f64) -> String {
    if let Some(text) = special(value) {
        return text;
    }
    let text = with_exponent(value, 'E');
    if text.contains(['.', 'E']) {
        text
    } else {
        format!("{text}.0")
    }
}

/// `ParseFloat`: what is too large is an error.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let value: f64 = text.parse().ok()?;
    let spelled = text.trim_start_matches(['+', '-']);
    let named = spelled.starts_with(['i', 'I']);
    (value.is_finite() || value.is_nan() || named).then_some(value)
}

/// `ParseBool`.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

fn special(value: f64) -> Option<String> {
    if value.is_nan() {
        Some("NaN".to_owned())
    } else if value.is_infinite() {
        Some(if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned())
    } else {
        None
    }
}

/// Shortest digits, with an exponent below -4 and from 6 on.
fn with_exponent(value: f64, letter: char) -> String {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}{letter}{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_go_writes_them() {
        for (value, fixed_text, general_text, capital_text) in [
            (1.0, "1", "1", "1.0"),
            (3.25, "3.25", "3.25", "3.25"),
            (1e-7, "0.0000001", "1e-07", "1E-07"),
            (1e5, "100000", "100000", "100000.0"),
            (1e6, "1000000", "1e+06", "1E+06"),
            (
                123_456_789.5,
                "123456789.5",
                "1.234567895e+08",
                "1.234567895E+08",
            ),
            (-0.0001, "-0.0001", "-0.0001", "-0.0001"),
            (f64::INFINITY, "+Inf", "+Inf", "+Inf"),
            (f64::NAN, "NaN", "NaN", "NaN"),
        ] {
            assert_eq!(fixed(value), fixed_text);
            assert_eq!(general(value), general_text);
            assert_eq!(capital(value), capital_text);
        }
        assert_eq!(general(1e100), "1e+100");
        assert_eq!(fixed(1e22), "10000000000000000000000");
    }

    #[test]
    fn texts_are_read_as_go_reads_them() {
        assert_eq!(parse_float("1e400"), None);
        assert_eq!(parse_float("+Inf"), Some(f64::INFINITY));
        assert_eq!(parse_float("x"), None);
        assert_eq!(parse_float("0.5"), Some(0.5));
        assert_eq!(parse_bool("True"), Some(true));
        assert_eq!(parse_bool("yes"), None);
    }
}
