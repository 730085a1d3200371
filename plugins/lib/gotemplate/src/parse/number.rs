//! Number tokens: all the values that one can have.

use crate::quote;

/// A number literal. Which of its values counts depends on the parameter it is given to.
#[derive(Debug, Clone)]
pub(crate) struct Number {
    /// As it was written.
    pub(crate) text: String,
    pub(crate) character: bool,
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    pub(crate) complex: Option<(f64, f64)>,
}

impl Number {
    /// A character constant: its code point.
    pub(super) fn character(text: &str) -> Result<Self, String> {
        let inner = text
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''));
        let syntax = || "invalid syntax".to_owned();
        let (code, rest) =
            super::string::unquote_char(inner.ok_or_else(syntax)?, '\'').ok_or_else(syntax)?;
        if !rest.is_empty() {
            return Err(format!("malformed character constant: {text}"));
        }
        Ok(Self {
            text: text.to_owned(),
            character: true,
            int: Some(i64::from(code)),
            uint: Some(u64::from(code)),
            float: Some(f64::from(code)),
            complex: None,
        })
    }

    /// `1+2i`.
    pub(super) fn complex(text: &str) -> Result<Self, String> {
        let body = text.strip_suffix('i').unwrap_or(text);
        let bytes = body.as_bytes();
        // The sign between the parts: the last one that belongs to no exponent.
        let split = (1..bytes.len()).rev().find(|at| {
            matches!(bytes[*at], b'+' | b'-')
                && !matches!(bytes[*at - 1], b'e' | b'E' | b'p' | b'P')
        });
        let parts =
            split.and_then(|at| Some((parse_float(&body[..at])?, parse_float(&body[at..])?)));
        match parts {
            Some((re, im)) => Ok(Self::of_complex(text, re, im)),
            None => Err("syntax error scanning complex number".to_owned()),
        }
    }

    fn of_complex(text: &str, re: f64, im: f64) -> Self {
        let float = (im == 0.0).then_some(re);
        Self {
            text: text.to_owned(),
            character: false,
            int: float.and_then(whole),
            uint: float.and_then(whole_unsigned),
            float,
            complex: Some((re, im)),
        }
    }

    /// Anything else.
    pub(super) fn plain(text: &str) -> Result<Self, String> {
        if let Some(int) = small(text) {
            #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
            return Ok(Self {
                text: text.to_owned(),
                character: false,
                int: Some(int),
                uint: Some(int.cast_unsigned()),
                float: Some(int as f64),
                complex: None,
            });
        }
        if let Some(im) = text.strip_suffix('i').and_then(parse_float) {
            return Ok(Self::of_complex(text, 0.0, im));
        }
        let mut number = Self {
            text: text.to_owned(),
            character: false,
            int: None,
            uint: parse_unsigned(text),
            float: None,
            complex: None,
        };
        number.int = parse_signed(text);
        if number.int == Some(0) {
            number.uint = Some(0);
        }
        #[expect(clippy::cast_precision_loss, reason = "Go converts the same way")]
        if let Some(int) = number.int {
            number.float = Some(int as f64);
        } else if let Some(uint) = number.uint {
            number.float = Some(uint as f64);
        } else if let Some(float) = parse_float(text) {
            if !text.contains(['.', 'e', 'E', 'p', 'P']) {
                return Err(format!("integer overflow: {}", quote(text)));
            }
            number.float = Some(float);
            number.int = whole(float);
            number.uint = whole_unsigned(float);
        }
        if number.float.is_none() {
            return Err(format!("illegal number syntax: {}", quote(text)));
        }
        Ok(number)
    }

    /// A number by the text of one that was read before.
    pub(crate) fn again(text: &str) -> Option<Self> {
        if text.starts_with('\'') {
            return Self::character(text).ok();
        }
        Self::plain(text).or_else(|_| Self::complex(text)).ok()
    }

    /// True if the text says that this is a floating-point number.
    pub(crate) fn reads_as_float(&self) -> bool {
        let hexadecimal = self.text.len() > 2
            && self.text.starts_with('0')
            && self.text[1..].starts_with(['x', 'X']);
        !self.character
            && self.text.contains(['.', 'e', 'E', 'p', 'P'])
            && (!hexadecimal || self.text.contains(['p', 'P']))
    }
}

/// A decimal number of few digits, as most are.
fn small(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let plain = match bytes {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.len() < 15 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    let value = |value: i64, digit: &u8| value * 10 + i64::from(digit - b'0');
    plain.then(|| bytes.iter().fold(0, value))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "compared afterwards"
)]
fn whole(float: f64) -> Option<i64> {
    let int = float as i64;
    (int as f64 == float && int != i64::MAX).then_some(int)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "compared afterwards"
)]
fn whole_unsigned(float: f64) -> Option<u64> {
    let int = float as u64;
    (int as f64 == float && int != u64::MAX).then_some(int)
}

/// Go's ParseUint with base 0: prefixes, leading zero for octal, underscores between digits.
fn parse_unsigned(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (base, digits) = if let Some(digits) = lower.strip_prefix("0x") {
        (16, digits)
    } else if let Some(digits) = lower.strip_prefix("0b") {
        (2, digits)
    } else if let Some(digits) = lower.strip_prefix("0o") {
        (8, digits)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, &*lower)
    };
    if digits.contains('_') && !underscores_fit(&lower) {
        return None;
    }
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    if digits.is_empty() || digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(&digits, base).ok()
}

fn parse_signed(text: &str) -> Option<i64> {
    let (negative, body) = match text.strip_prefix(['+', '-']) {
        Some(body) => (text.starts_with('-'), body),
        None => (false, text),
    };
    let magnitude = parse_unsigned(body)?;
    if negative {
        0_i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    }
}

/// Underscores stand between digits, or between a base prefix and a digit.
fn underscores_fit(lower: &str) -> bool {
    let body = lower.strip_prefix(['+', '-']).unwrap_or(lower);
    let (hexadecimal, mut before, rest) = match body.as_bytes() {
        [b'0', b'x', ..] => (true, '0', &body[2..]),
        [b'0', b'b' | b'o', ..] => (false, '0', &body[2..]),
        _ => (false, '^', body),
    };
    for c in rest.chars() {
        let digit = c.is_ascii_digit() || hexadecimal && c.is_ascii_hexdigit();
        match (before, c) {
            (_, _) if digit => before = '0',
            ('0', '_') => before = '_',
            (_, '_') | ('_', _) => return false,
            _ => before = '!',
        }
    }
    before != '_'
}

/// Go's ParseFloat without the special names, which the lexer cannot give: decimal, or hexadecimal with an exponent of two.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    let body = lower.strip_prefix(['+', '-']).unwrap_or(&lower);
    let hexadecimal = body.starts_with("0x");
    if lower.contains('_') && !underscores_fit(&lower) {
        return None;
    }
    let clean: String = body.chars().filter(|c| *c != '_').collect();
    let sign = if lower.starts_with('-') { -1.0 } else { 1.0 };
    let value = if hexadecimal {
        parse_hexadecimal(&clean[2..])?
    } else {
        let plain = clean
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'+' | b'-'));
        if !plain
            || clean.starts_with(['+', '-'])
            || !clean.bytes().any(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        clean.parse().ok()?
    };
    f64::is_finite(value).then_some(sign * value)
}

fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (mut bits, mut shift, mut sticky) = (0_u64, 0_i32, false);
    for c in whole.chars().chain(fraction.chars()) {
        let digit = u64::from(c.to_digit(16)?);
        if bits >> 59 == 0 {
            bits = bits << 4 | digit;
        } else {
            shift += 4;
            sticky |= digit != 0;
        }
    }
    let bits = bits | u64::from(sticky);
    let shift = shift - 4 * i32::try_from(fraction.len()).ok()?;
    let exponent = exponent.checked_add(shift)?;
    #[expect(clippy::cast_precision_loss, reason = "rounds to even as Go does")]
    let value = bits as f64;
    // In two steps, as powers beyond the range of one float may still give a number.
    let half = exponent / 2;
    Some(value * 2_f64.powi(half) * 2_f64.powi(exponent - half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, int: Option<i64>, float: Option<f64>) {
        let number = Number::plain(text).unwrap();
        assert_eq!((number.int, number.float), (int, float), "{text}");
    }

    #[test]
    fn integers() {
        for (text, value) in [
            ("017", 15),
            ("0x1F", 31),
            ("0o17", 15),
            ("0b11", 3),
            ("1_000", 1000),
            ("-3", -3),
            ("0_1", 1),
            ("-0", 0),
        ] {
            check(text, Some(value), Some(value as f64));
        }
        check(
            "-9223372036854775808",
            Some(i64::MIN),
            Some(-9_223_372_036_854_775_808.0),
        );
    }

    #[test]
    fn floats() {
        check("1e3", Some(1000), Some(1000.0));
        check("3.0", Some(3), Some(3.0));
        check("1.5", None, Some(1.5));
        check("0x1p-2", None, Some(0.25));
        check(".5", None, Some(0.5));
    }

    #[test]
    fn complex_numbers() {
        assert_eq!(Number::complex("1+2i").unwrap().complex, Some((1.0, 2.0)));
        assert_eq!(
            Number::complex("1e+2-2i").unwrap().complex,
            Some((100.0, -2.0))
        );
        assert_eq!(Number::plain("3i").unwrap().complex, Some((0.0, 3.0)));
    }

    #[test]
    fn mistakes() {
        for text in ["1_", "08", "0x", ".", "1__0"] {
            assert!(Number::plain(text).is_err(), "{text}");
        }
        assert_eq!(
            Number::plain("99999999999999999999").unwrap_err(),
            "integer overflow: \"99999999999999999999\""
        );
    }
}
