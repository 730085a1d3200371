//! JSON as Go's `encoding/json` writes it, and as others do.
//!
//! Hashes are taken over such texts (kustomize's name suffix, Helm's checksums), so every byte counts.

use std::fmt::Display;
use std::io::Write;

use serde_json::{Number, Value};

use crate::data::Data;
use crate::error::YamlError;

/// Writes a value as Go's `json.Marshal` does: keys sorted by bytes, no white space, `<`, `>`, `&`, U+2028 and U+2029
/// escaped.
///
/// # Errors
///
/// When the value is nested more deeply than [`crate::Limits::MAX_DEPTH`].
pub fn to_go_json(value: &Value) -> Result<String, YamlError> {
    Ok(Data::from_value(value)?.to_go_json())
}

/// A number as Go's JSON encoder writes it: `1e+21`, `1e-7`, `0.5`, `3`.
#[must_use]
pub fn go_float(value: f64) -> String {
    let mut out = Vec::new();
    write_float(value, &mut out);
    finished(out)
}

/// A text of what was written.
pub(crate) fn finished(out: Vec<u8>) -> String {
    String::from_utf8(out).expect("all that was written is text")
}

/// How JSON is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As Go does.
    Go,
    /// Keys in their order, strings escaped as little as JSON allows.
    Short,
}

pub(crate) fn write(data: &Data<'_>, form: Form, out: &mut Vec<u8>) {
    match data {
        Data::Null => out.extend_from_slice(b"null"),
        Data::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Data::Int(value) => push(out, value),
        Data::Uint(value) => push(out, value),
        Data::Float(value) => match form {
            Form::Go => write_float(*value, out),
            Form::Short => push(
                out,
                Number::from_f64(*value).map_or(Value::Null, Value::Number),
            ),
        },
        Data::Str(text) => write_text(text, form, out),
        Data::Seq(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write(item, form, out);
            }
            out.push(b']');
        }
        Data::Map(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            if form == Form::Go {
                entries.sort_by(|a, b| a.0.cmp(&b.0));
            }
            out.push(b'{');
            for (at, (key, value)) in entries.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_text(key, form, out);
                out.push(b':');
                write(value, form, out);
            }
            out.push(b'}');
        }
    }
}

fn write_text(text: &str, form: Form, out: &mut Vec<u8>) {
    match form {
        Form::Go => write_string(text, out),
        Form::Short => write_short_string(text, out),
    }
}

fn write_short_string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut from = 0;
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (number, chunk) in chunks.iter().enumerate() {
        let mut found = specials(u64::from_le_bytes(*chunk));
        while found != 0 {
            let at = number * 8 + found.trailing_zeros() as usize / 8;
            out.extend_from_slice(&bytes[from..at]);
            escape(bytes[at], out);
            from = at + 1;
            found &= found - 1;
        }
    }
    for (number, byte) in rest.iter().enumerate() {
        if matches!(byte, 0..=0x1f | b'"' | b'\\') {
            let at = chunks.len() * 8 + number;
            out.extend_from_slice(&bytes[from..at]);
            escape(*byte, out);
            from = at + 1;
        }
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}

/// The high bit of each of eight bytes that stands escaped in every JSON string: control characters, quotes and backslashes.
fn specials(bytes: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte of ASCII that is not below a limit; no byte carries into the next one.
    let reaches = |bytes: u64, limit: u64| (bytes & !HIGH) + ONES * (0x80 - limit);
    let quote = bytes ^ (ONES * u64::from(b'"'));
    let backslash = bytes ^ (ONES * u64::from(b'\\'));
    !((reaches(bytes, 0x20) & reaches(quote, 1) & reaches(backslash, 1)) | bytes) & HIGH
}

fn escape(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x8 => b'b',
        0xc => b'f',
        other => return push(out, format_args!("\\u{other:04x}")),
    };
    out.extend_from_slice(&[b'\\', letter]);
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut plain_from = 0;
    for (at, character) in text.char_indices() {
        let short = match character {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            '\u{8}' => Some("\\b"),
            '\u{c}' => Some("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => None,
            _ => continue,
        };
        out.extend_from_slice(&text.as_bytes()[plain_from..at]);
        plain_from = at + character.len_utf8();
        match short {
            Some(escape) => out.extend_from_slice(escape.as_bytes()),
            None => push(out, format_args!("\\u{:04x}", u32::from(character))),
        }
    }
    out.extend_from_slice(&text.as_bytes()[plain_from..]);
    out.push(b'"');
}

fn write_float(value: f64, out: &mut Vec<u8>) {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        // Rust writes `1e21`, Go `1e+21`.
        let text = format!("{value:e}");
        match text.split_once("e-") {
            Some((digits, exponent)) => push(out, format_args!("{digits}e-{exponent}")),
            None => out.extend_from_slice(text.replace('e', "e+").as_bytes()),
        }
        return;
    }
    push(out, value);
}

fn push(out: &mut Vec<u8>, value: impl Display) {
    write!(out, "{value}").expect("writing to memory cannot fail");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn writes_what_go_writes() {
        let value = json!({"b": [1, 2.5, null, true], "a<": "x&\u{2028}\n\u{1}\u{8}é\"", "f": 1e21, "g": 1e-7, "h": 3.0});
        let expected = r#"{"a\u003c":"x\u0026\u2028\n\u0001\bé\"","b":[1,2.5,null,true],"f":1e+21,"g":1e-7,"h":3}"#;
        assert_eq!(to_go_json(&value).unwrap(), expected);
    }

    #[test]
    fn short_strings_are_what_serde_writes() {
        for code in 0..0x300_u32 {
            let character = char::from_u32(code).unwrap();
            for at in 0..9 {
                let text = format!("{0:a<1$}{character}b{character}", "", at);
                let data = Data::Str(text.as_str().into());
                assert_eq!(data.to_json(), json!(text).to_string());
            }
        }
    }

    #[test]
    fn floats_switch_to_exponents_where_go_does() {
        for (value, expected) in [
            (1e20, "100000000000000000000"),
            (1.5e300, "1.5e+300"),
            (0.000_001, "0.000001"),
            (0.000_000_12, "1.2e-7"),
            (-0.0, "-0"),
        ] {
            assert_eq!(go_float(value), expected);
        }
    }
}
