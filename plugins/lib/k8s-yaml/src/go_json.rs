//! JSON as Go's `encoding/json` writes it.
//!
//! Hashes are taken over such texts (kustomize's name suffix, Helm's checksums), so every byte counts.

use std::fmt::Write;

use serde_json::Value;

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
    let mut out = String::new();
    write_float(value, &mut out);
    out
}

pub(crate) fn write(data: &Data<'_>, out: &mut String) {
    match data {
        Data::Null => out.push_str("null"),
        Data::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Data::Int(value) => push(out, value),
        Data::Uint(value) => push(out, value),
        Data::Float(value) => write_float(*value, out),
        Data::Str(text) => write_string(text, out),
        Data::Seq(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Data::Map(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            out.push('{');
            for (at, (key, value)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
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
        out.push_str(&text[plain_from..at]);
        plain_from = at + character.len_utf8();
        match short {
            Some(escape) => out.push_str(escape),
            None => push(out, format_args!("\\u{:04x}", u32::from(character))),
        }
    }
    out.push_str(&text[plain_from..]);
    out.push('"');
}

fn write_float(value: f64, out: &mut String) {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        // Rust writes `1e21`, Go `1e+21`.
        let text = format!("{value:e}");
        match text.split_once("e-") {
            Some((digits, exponent)) => push(out, format_args!("{digits}e-{exponent}")),
            None => out.push_str(&text.replace('e', "e+")),
        }
        return;
    }
    push(out, value);
}

fn push(out: &mut String, value: impl std::fmt::Display) {
    write!(out, "{value}").expect("writing to a string cannot fail");
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
