//! Numbers as Go's `strconv` reads them for go-yaml.

use super::Scalar;

/// An integer of any base, or a float. Underscores are allowed anywhere but at the front.
pub(super) fn parse(text: &str) -> Option<Scalar> {
    if text.contains('_') {
        return parse_plain(&text.replace('_', ""));
    }
    parse_plain(text)
}

/// A float that starts with a dot. Here Go's own parser looks at the text, which wants underscores between digits.
pub(super) fn dotted_float(text: &str) -> Option<Scalar> {
    if !text.contains('_') {
        return float(text);
    }
    let digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let between = |(at, _): (usize, &str)| at > 0 && digit(at - 1) && digit(at + 1);
    if text.match_indices('_').all(between) {
        float(&text.replace('_', ""))
    } else {
        None
    }
}

fn parse_plain(text: &str) -> Option<Scalar> {
    integer(text).or_else(|| float(text))
}

fn integer(text: &str) -> Option<Scalar> {
    let (negative, signed, digits) = match text.as_bytes().first()? {
        b'-' => (true, true, &text[1..]),
        b'+' => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let (digits, radix) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&digits[2..], 16),
        [b'0', b'o' | b'O', ..] => (&digits[2..], 8),
        [b'0', b'b' | b'B', ..] => (&digits[2..], 2),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    if !digits.as_bytes().first()?.is_ascii_alphanumeric() {
        return None;
    }
    let value = u64::from_str_radix(digits, radix).ok()?;
    if negative {
        return 0i64.checked_sub_unsigned(value).map(Scalar::Int);
    }
    match i64::try_from(value) {
        Ok(value) => Some(Scalar::Int(value)),
        // Go's unsigned parser takes no sign, so `+18446744073709551615` ends as a float.
        Err(_) if signed => None,
        Err(_) => Some(Scalar::Uint(value)),
    }
}

fn float(text: &str) -> Option<Scalar> {
    if !has_float_form(text) {
        return None;
    }
    // Rust gives infinity where Go reports a range error, after which go-yaml takes the text for a string.
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some(Scalar::Float(value))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn has_float_form(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, rest) = split_digits(rest);
    let rest = match rest.strip_prefix('.') {
        Some(rest) => {
            let (fraction, rest) = split_digits(rest);
            if whole.is_empty() && fraction.is_empty() {
                return false;
            }
            rest
        }
        None if whole.is_empty() => return false,
        None => rest,
    };
    let Some(rest) = rest.strip_prefix(['e', 'E']) else {
        return rest.is_empty();
    };
    let (exponent, rest) = split_digits(rest.strip_prefix(['-', '+']).unwrap_or(rest));
    !exponent.is_empty() && rest.is_empty()
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .bytes()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}
