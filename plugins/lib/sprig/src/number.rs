//! Numbers: sprig's conversions to them, and its decimal arithmetic.

pub(crate) mod decimal;

use weir_gotemplate::Value;

use crate::time::object::Named;

/// To an integer; what cannot be one is 0.
pub(crate) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Bool(value) => i64::from(*value),
        Value::Int(value) | Value::Int64(value) => *value,
        Value::Int32(value) => i64::from(*value),
        Value::Uint8(value) => i64::from(*value),
        Value::Uint32(value) => i64::from(*value),
        Value::Uint64(value) => value.cast_signed(),
        Value::Float(value) => float_to_int(*value),
        Value::Str(text) => parse_int(without_zero_decimals(text.as_bytes()), 0).unwrap_or(0),
        Value::Object(_) => value
            .downcast::<Named>()
            .and_then(|named| named.number())
            .unwrap_or(0),
        Value::Invalid | Value::Nil | Value::Complex(..) | Value::Bytes(_) => 0,
        Value::List(_) | Value::Map(_) => 0,
    }
}

/// To a float; what cannot be one is 0.
#[expect(clippy::cast_precision_loss, reason = "so is Go's conversion")]
pub(crate) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Float(value) => *value,
        Value::Uint64(value) => *value as f64,
        Value::Str(text) => parse_float(text.as_bytes()).unwrap_or(0.0),
        other => to_int(other) as f64,
    }
}

/// As a conversion in Go on amd64: what is out of range becomes the smallest number.
pub(crate) fn float_to_int(value: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
        value as i64
    } else {
        i64::MIN
    }
}

/// `1.00` without `.00`.
fn without_zero_decimals(text: &[u8]) -> &[u8] {
    let mut zero = false;
    for at in (0..text.len()).rev() {
        match text[at] {
            b'.' if zero => return &text[..at],
            b'.' => {}
            b'0' => zero = true,
            _ => break,
        }
    }
    text
}

/// Go's `strconv.ParseInt` for 64 bits. Base 0 reads prefixes and underscores. What is no number or too large is none.
pub(crate) fn parse_int(text: &[u8], base: u32) -> Option<i64> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let (base, digits, prefixed) = match (base, digits) {
        (0, [b'0', b'x' | b'X', rest @ ..]) => (16, rest, true),
        (0, [b'0', b'o' | b'O', rest @ ..]) => (8, rest, true),
        (0, [b'0', b'b' | b'B', rest @ ..]) => (2, rest, true),
        (0, [b'0', rest @ ..]) if !rest.is_empty() => (8, rest, true),
        (0, _) => (10, digits, false),
        (base, _) => return accumulate(digits, base, negative),
    };
    // An underscore stands between digits, or after the prefix.
    let mut last_digit = prefixed;
    let mut plain = Vec::with_capacity(digits.len());
    for byte in digits {
        match byte {
            b'_' if last_digit => last_digit = false,
            b'_' => return None,
            digit => {
                last_digit = true;
                plain.push(*digit);
            }
        }
    }
    if !last_digit {
        return None;
    }
    accumulate(&plain, base, negative)
}

fn accumulate(digits: &[u8], base: u32, negative: bool) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    let size = digits.iter().try_fold(0_u64, |value, digit| {
        let digit = char::from(*digit).to_digit(base)?;
        value
            .checked_mul(u64::from(base))?
            .checked_add(u64::from(digit))
    })?;
    if negative {
        return (size <= 1 << 63).then(|| (size as i64).wrapping_neg());
    }
    i64::try_from(size).ok()
}

/// Go's `strconv.ParseFloat`. What is no number or too large is none.
pub(crate) fn parse_float(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?;
    let (negative, plain) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let sign = if negative { -1.0 } else { 1.0 };
    let unscored = without_underscores(plain)?;
    let plain = unscored.as_str();
    match plain.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => return Some(sign * f64::INFINITY),
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    if let Some(hex) = plain
        .strip_prefix("0x")
        .or_else(|| plain.strip_prefix("0X"))
    {
        return hex_float(hex).map(|value| sign * value);
    }
    let decimal =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-');
    if !plain.starts_with(|c: char| c == '.' || c.is_ascii_digit()) || !plain.bytes().all(decimal) {
        return None;
    }
    let value: f64 = plain.parse().ok()?;
    value.is_finite().then_some(sign * value)
}

/// Removes underscores; none if one does not stand between digits.
fn without_underscores(text: &str) -> Option<String> {
    if !text.contains('_') {
        return Some(text.to_owned());
    }
    let hex = text.starts_with("0x") || text.starts_with("0X");
    let digit = |byte: Option<&u8>| {
        byte.is_some_and(|byte| {
            byte.is_ascii_digit()
                || (hex && (byte.is_ascii_hexdigit() || matches!(byte, b'x' | b'X')))
        })
    };
    let bytes = text.as_bytes();
    let stands = |at: usize| at > 0 && digit(bytes.get(at - 1)) && digit(bytes.get(at + 1));
    let fits = (0..bytes.len()).all(|at| bytes[at] != b'_' || stands(at));
    fits.then(|| text.replace('_', ""))
}

/// Hexadecimal digits with a binary exponent, which must be there.
fn hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    let value = i64::from_str_radix(&digits, 16).ok()?;
    let shift = exponent.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    #[expect(clippy::cast_precision_loss, reason = "the result is a float")]
    let value = value as f64 * f64::powi(2.0, shift.clamp(-1100, 1100));
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_to_integers_as_recorded() {
        for (text, expected) in [
            ("10", 10),
            ("010", 8),
            ("0x10", 16),
            ("1.9", 0),
            ("1.0", 1),
            ("abc", 0),
            ("", 0),
            (" 1", 0),
            ("1_0", 10),
            ("08", 0),
            ("1e3", 0),
            ("-5", -5),
            ("9223372036854775807", i64::MAX),
            ("9223372036854775808", 0),
            ("-9223372036854775808", i64::MIN),
            ("0_1", 1),
            ("1__0", 0),
            ("_1", 0),
            ("1_", 0),
            ("10.", 0),
            ("0b11", 3),
            ("0o17", 15),
            ("+7", 7),
            ("0", 0),
            ("1.00", 1),
        ] {
            assert_eq!(to_int(&text.into()), expected, "{text}");
        }
    }

    #[test]
    fn texts_to_floats_as_recorded() {
        for (text, expected) in [
            ("1.5", 1.5),
            ("abc", 0.0),
            ("1e3", 1000.0),
            ("0x10", 0.0),
            ("0x1p4", 16.0),
            ("1e400", 0.0),
            ("inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            (" 1", 0.0),
            ("1_0", 10.0),
            ("1__0", 0.0),
            ("_1", 0.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("", 0.0),
            ("-", 0.0),
            ("1e-400", 0.0),
        ] {
            assert_eq!(to_float(&text.into()), expected, "{text}");
        }
    }

    #[test]
    fn floats_out_of_range() {
        assert_eq!(float_to_int(1e30), i64::MIN);
        assert_eq!(float_to_int(f64::NAN), i64::MIN);
        assert_eq!(float_to_int(-1.9), -1);
    }
}
