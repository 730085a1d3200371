//! `html`, `js` and `urlquery`.

use crate::error::FuncError;
use crate::format::is_print;
use crate::text::decode;
use crate::{Text, Value, sprint};

/// The arguments as `print` joins them, with `<no value>` for nil.
fn joined(values: &[Value]) -> Result<Text, FuncError> {
    if values.iter().any(Value::is_nil) {
        let values: Vec<Value> = values
            .iter()
            .map(|value| {
                if value.is_nil() {
                    Value::Str(Text::from_static("<no value>"))
                } else {
                    value.clone()
                }
            })
            .collect();
        return sprint(&values);
    }
    sprint(values)
}

pub(super) fn html(values: &[Value]) -> Result<Value, FuncError> {
    let text = joined(values)?;
    let mut out = Vec::with_capacity(text.len());
    for byte in text.as_bytes() {
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            byte => out.push(*byte),
        }
    }
    Ok(Text::from(out).into())
}

pub(super) fn js(values: &[Value]) -> Result<Value, FuncError> {
    let text = joined(values)?;
    let mut rest = text.as_bytes();
    let mut out = Vec::with_capacity(rest.len());
    while !rest.is_empty() {
        let (c, length) = decode(rest);
        match c {
            '\\' => out.extend_from_slice(br"\\"),
            '\'' => out.extend_from_slice(br"\'"),
            '"' => out.extend_from_slice(br#"\""#),
            '<' | '>' | '&' | '=' => {
                out.extend_from_slice(format!("\\u{:04X}", u32::from(c)).as_bytes())
            }
            c if c < ' ' => out.extend_from_slice(format!("\\u{:04X}", u32::from(c)).as_bytes()),
            c if c.is_ascii() || is_print(c) => out.extend_from_slice(&rest[..length]),
            c => out.extend_from_slice(format!("\\u{:04X}", u32::from(c)).as_bytes()),
        }
        rest = &rest[length..];
    }
    Ok(Text::from(out).into())
}

pub(super) fn urlquery(values: &[Value]) -> Result<Value, FuncError> {
    let text = joined(values)?;
    let mut out = String::with_capacity(text.len());
    for byte in text.as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(*byte))
            }
            b' ' => out.push('+'),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    Ok(out.into())
}
