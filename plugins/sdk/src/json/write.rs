//! From [`Json`] to text in the form that the host keeps: no white space, as few escapes as JSON allows.

use std::fmt::{self, Write as _};

use super::Json;
use super::read::plain;

impl Json<'_> {
    /// Writes it after what `out` holds.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(number) => out.push_str(number.as_str()),
            Self::Text(text) => {
                out.push('"');
                write_escaped(text, out);
                out.push('"');
            }
            Self::List(items) => {
                if let Some(text) = items.text() {
                    return out.push_str(text);
                }
                let mut before = "[";
                for item in items.iter() {
                    out.push_str(before);
                    item.write(out);
                    before = ",";
                }
                out.push_str(if items.is_empty() { "[]" } else { "]" });
            }
            Self::Map(entries) => {
                if let Some(text) = entries.text() {
                    return out.push_str(text);
                }
                let mut before = "{\"";
                for (key, value) in entries.iter() {
                    out.push_str(before);
                    write_escaped(key, out);
                    out.push_str("\":");
                    value.write(out);
                    before = ",\"";
                }
                out.push_str(if entries.is_empty() { "{}" } else { "}" });
            }
        }
    }
}

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        f.write_str(&text)
    }
}

fn write_escaped(text: &str, out: &mut String) {
    let mut at = plain(text.as_bytes());
    if at == text.len() {
        return out.push_str(text);
    }
    let mut from = 0;
    while let Some(special) = text.as_bytes().get(at) {
        out.push_str(&text[from..at]);
        match special {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            // Writing to a String cannot fail.
            control => _ = write!(out, "\\u{control:04x}"),
        }
        from = at + 1;
        at = from + plain(&text.as_bytes()[from..]);
    }
    out.push_str(&text[from..]);
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn is_what_serde_json_reads_and_writes() {
        let every: String = (0..0x3000)
            .filter_map(char::from_u32)
            .chain(['😀'])
            .collect();
        let text = serde_json::to_string(&[&every]).unwrap();
        let read = Json::parse(&text).unwrap();
        assert_eq!(read.to_string(), text);
        assert_eq!(
            serde_json::from_str::<Value>(&read.to_string()).unwrap(),
            Value::from(vec![every])
        );
    }
}
