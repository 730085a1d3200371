//! Numbers and dates.

use std::borrow::Cow;

use weir_gotemplate::Value;

use super::{LOCAL_DATE, LOCAL_DATE_TIME, LOCAL_TIME};
use crate::number::{parse_float, parse_int};
use crate::time::{Offset, parse};

/// What the beginning of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Integer,
    Float,
    Date,
}

/// Finds out how far a number or date reaches that begins with a digit, or with a sign. The error is a message.
pub(super) fn scan(text: &str) -> Result<(Token, usize), String> {
    let bytes = text.as_bytes();
    let signed = matches!(bytes.first(), Some(b'+' | b'-'));
    let start = usize::from(signed);
    let word = |word: &str| text[start..].starts_with(word);
    if signed {
        let found = text[1..].chars().next();
        match found {
            Some('i') if word("inf") => return Ok((Token::Float, 4)),
            Some('n') if word("nan") => return Ok((Token::Float, 4)),
            Some(c @ ('i' | 'n')) => return Err(format!("invalid float: '{}{c}'", &text[..1])),
            Some('0') if matches!(bytes.get(2), Some(b'b' | b'o' | b'x')) => {
                return Err(format!(
                    "cannot use sign with non-decimal numbers: '{}'",
                    &text[..3]
                ));
            }
            Some('.') => return Err("floats must start with a digit, not '.'".to_owned()),
            Some('0'..='9') => {}
            other => {
                let shown = shown_rune(other);
                return Err(format!("expected a digit but got {shown}"));
            }
        }
    }
    if !signed && bytes.first() == Some(&b'0') {
        let radix = match bytes.get(1) {
            Some(b'b') => Some((2, "a binary")),
            Some(b'o') => Some((8, "an octal")),
            Some(b'x') => Some((16, "a hexadecimal")),
            _ => None,
        };
        if let Some((radix, name)) = radix {
            let next = text[2..].chars().next();
            if !next.is_some_and(|c| c.is_digit(radix)) {
                return Err(format!(
                    "not {name} number: '{}{}'",
                    &text[..2],
                    next.unwrap_or('\0')
                ));
            }
            let length = text[2..]
                .find(|c: char| c != '_' && !c.is_digit(radix))
                .unwrap_or(text.len() - 2);
            return Ok((Token::Integer, 2 + length));
        }
    }
    let run = |from: usize, belongs: &dyn Fn(u8) -> bool| {
        bytes[from..]
            .iter()
            .position(|byte| !belongs(*byte))
            .map_or(bytes.len(), |length| from + length)
    };
    let digits = run(start, &|byte| byte.is_ascii_digit());
    if !signed && matches!(bytes.get(digits), Some(b'-' | b':')) {
        let end = run(digits, &|byte| {
            byte.is_ascii_digit() || b"-:Tt .Zz+".contains(&byte)
        });
        let trimmed = text[..end].trim_end_matches(' ').len();
        return Ok((Token::Date, trimmed));
    }
    let whole = run(digits, &|byte| byte.is_ascii_digit() || byte == b'_');
    if !matches!(bytes.get(whole), Some(b'.' | b'e' | b'E')) {
        return Ok((Token::Integer, whole));
    }
    Ok((
        Token::Float,
        run(whole, &|byte| {
            byte.is_ascii_digit() || b"_.-+eE".contains(&byte)
        }),
    ))
}

/// A character as Go quotes it; none is NUL.
pub(super) fn shown_rune(c: Option<char>) -> String {
    match c {
        None => r"'\x00'".to_owned(),
        Some('\n') => r"'\n'".to_owned(),
        Some('\r') => r"'\r'".to_owned(),
        Some('\t') => r"'\t'".to_owned(),
        Some('\'') => r"'\''".to_owned(),
        Some('\\') => r"'\\'".to_owned(),
        Some(c) => format!("'{c}'"),
    }
}

pub(super) fn value(token: Token, text: &str) -> Result<Value, String> {
    match token {
        Token::Integer => integer(text),
        Token::Float => float(text),
        Token::Date => date(text),
    }
}

fn integer(text: &str) -> Result<Value, String> {
    if !underscores_fit(text) {
        return Err(format!(
            "Invalid integer {text:?}: underscores must be surrounded by digits"
        ));
    }
    if leading_zero(text) {
        return Err(format!(
            "Invalid integer {text:?}: cannot have leading zeroes"
        ));
    }
    let number = parse_int(text.as_bytes(), 0);
    number
        .map(Value::Int64)
        .ok_or_else(|| format!("{text} is out of range for int64"))
}

fn float(text: &str) -> Result<Value, String> {
    let parts: Vec<&str> = text
        .split(['.', 'e', 'E'])
        .filter(|part| !part.is_empty())
        .collect();
    if !is_word(text) {
        if !parts.iter().all(|part| underscores_fit(part)) {
            return Err(format!(
                "Invalid float {text:?}: underscores must be surrounded by digits"
            ));
        }
        if parts.first().is_some_and(|part| leading_zero(part)) {
            return Err(format!(
                "Invalid float {text:?}: cannot have leading zeroes"
            ));
        }
        let mut period = false;
        for c in text.chars().chain(['x']) {
            if period && !c.is_ascii_digit() {
                return Err(format!(
                    "Invalid float {text:?}: '.' must be followed by one or more digits"
                ));
            }
            period = c == '.';
        }
    }
    let plain = text.replace('_', "");
    match parse_float(plain.as_bytes()) {
        Some(number) if number.is_nan() && plain.starts_with('-') => Ok(Value::Float(-f64::NAN)),
        Some(number) => Ok(Value::Float(number)),
        None if plain.parse::<f64>().is_ok() => Err(format!("{text} is out of range for float64")),
        None => Err(format!("Invalid float value: {text:?}")),
    }
}

fn is_word(text: &str) -> bool {
    matches!(text.trim_start_matches(['+', '-']), "nan" | "inf")
}

/// Underscores stand between digits, and a digit stands last.
fn underscores_fit(text: &str) -> bool {
    let mut digit = false;
    for c in text.chars() {
        if c == '_' && !digit {
            return false;
        }
        digit = c.is_ascii_hexdigit();
    }
    digit
}

fn leading_zero(text: &str) -> bool {
    match text.as_bytes() {
        [b'0', next, ..] => !matches!(next, b'b' | b'o' | b'x'),
        [b'+' | b'-', b'0', _, ..] => true,
        _ => false,
    }
}

fn date(text: &str) -> Result<Value, String> {
    const FORMS: [(&str, Option<&str>); 7] = [
        ("2006-01-02T15:04:05.999999999Z07:00", None),
        ("2006-01-02T15:04:05.999999999", Some(LOCAL_DATE_TIME)),
        ("2006-01-02", Some(LOCAL_DATE)),
        ("15:04:05.999999999", Some(LOCAL_TIME)),
        ("2006-01-02T15:04Z07:00", None),
        ("2006-01-02T15:04", Some(LOCAL_DATE_TIME)),
        ("15:04", Some(LOCAL_TIME)),
    ];
    let text = text.replace('z', "Z").replace(['t', ' '], "T");
    let invalid = || format!("invalid datetime: {text:?}");
    for (layout, zone) in FORMS {
        let Ok(moment) = parse(layout, text.as_bytes()) else {
            continue;
        };
        // Go reads one digit where the layout has two; TOML does not.
        let same = layout
            .bytes()
            .take_while(|byte| !matches!(byte, b'.' | b'Z'))
            .enumerate();
        let mut same = same.filter(|(_, byte)| !byte.is_ascii_digit());
        if same.any(|(at, byte)| text.as_bytes().get(at) != Some(&byte)) {
            return Err(invalid());
        }
        return Ok(match zone {
            Some(zone) => moment.in_zone(Offset {
                seconds: 0,
                name: Cow::Borrowed(zone),
            }),
            None => moment,
        }
        .into_value());
    }
    Err(invalid())
}
