//! Writing.

use std::fmt::Write;

use weir_gotemplate::{FuncError, Text, Value, display};
use weir_k8s_yaml::go_float;

use super::MAX_DEPTH;
use crate::text::base::B64;

/// How the text looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// Whether `<`, `>` and `&` are escaped.
    pub(crate) html: bool,
    /// Whether it stands on many lines.
    pub(crate) pretty: bool,
}

/// Writes a value.
pub(crate) fn write(value: &Value, style: Style, limit: usize) -> Result<String, FuncError> {
    let mut writer = Writer {
        out: String::new(),
        style,
        limit,
    };
    writer.value(value, 0)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
    style: Style,
    limit: usize,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), FuncError> {
        if depth > MAX_DEPTH {
            return Err(FuncError::limit("json: the value is nested too deeply"));
        }
        if self.out.len() > self.limit {
            return Err(FuncError::limit("json: the text is too long"));
        }
        match value {
            Value::Invalid | Value::Nil => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Int(value) | Value::Int64(value) => self.push(value),
            Value::Int32(value) => self.push(value),
            Value::Uint8(value) => self.push(value),
            Value::Uint32(value) => self.push(value),
            Value::Uint64(value) => self.push(value),
            Value::Float(number) if number.is_finite() => self.out.push_str(&go_float(*number)),
            Value::Float(_) => {
                let text = display(value);
                return Err(FuncError::new(format!("json: unsupported value: {text}")));
            }
            Value::Complex(..) => return Err(FuncError::new("json: unsupported type: complex128")),
            Value::Str(text) => self.string(text),
            Value::Bytes(bytes) => {
                let text = B64.encode(bytes.as_bytes());
                self.string(&Text::from(text));
            }
            Value::List(list) if list.is_nil() => self.out.push_str("null"),
            Value::List(list) => {
                self.out.push('[');
                for (at, item) in list.iter().enumerate() {
                    self.separate(at, depth + 1);
                    self.value(item, depth + 1)?;
                }
                self.close(']', list.is_empty(), depth);
            }
            Value::Map(map) if map.is_nil() => self.out.push_str("null"),
            Value::Map(map) => {
                let entries = map.entries();
                let entries = entries
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone()));
                self.object(entries, depth)?;
            }
            Value::Object(object) => {
                if let Some(json) = object.json() {
                    self.fields_of(&json, depth)?;
                } else if let Some(value) = object.underlying() {
                    self.value(&value, depth + 1)?;
                } else {
                    let fields = object.fields().into_iter();
                    self.object(
                        fields.map(|(name, value)| (Text::from_static(name), value)),
                        depth,
                    )?;
                }
            }
        }
        Ok(())
    }

    /// What an object says of itself. Its own fields come in the order of their declaration, as Go's structs have them; what
    /// they hold are maps, which are sorted.
    fn fields_of(&mut self, json: &serde_json::Value, depth: usize) -> Result<(), FuncError> {
        match json {
            serde_json::Value::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| (Text::from(name.as_str()), Value::from_json(value)));
                self.object(fields, depth)
            }
            other => self.value(&Value::from_json(other), depth + 1),
        }
    }

    fn object(
        &mut self,
        entries: impl Iterator<Item = (Text, Value)>,
        depth: usize,
    ) -> Result<(), FuncError> {
        self.out.push('{');
        let mut count = 0;
        for (key, value) in entries {
            self.separate(count, depth + 1);
            count += 1;
            self.string(&key);
            self.out
                .push_str(if self.style.pretty { ": " } else { ":" });
            self.value(&value, depth + 1)?;
        }
        self.close('}', count == 0, depth);
        Ok(())
    }

    fn separate(&mut self, before: usize, depth: usize) {
        if before > 0 {
            self.out.push(',');
        }
        self.line(depth);
    }

    fn close(&mut self, bracket: char, empty: bool, depth: usize) {
        if !empty {
            self.line(depth);
        }
        self.out.push(bracket);
    }

    fn line(&mut self, depth: usize) {
        if self.style.pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", depth));
        }
    }

    fn string(&mut self, text: &Text) {
        self.out.push('"');
        for chunk in text.as_bytes().utf8_chunks() {
            self.characters(chunk.valid());
            for _ in chunk.invalid() {
                self.out.push_str("\\ufffd");
            }
        }
        self.out.push('"');
    }

    fn characters(&mut self, text: &str) {
        let mut plain = 0;
        for (at, c) in text.char_indices() {
            let short = match c {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\u{8}' => "\\b",
                '\u{c}' => "\\f",
                '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => "",
                '<' | '>' | '&' if self.style.html => "",
                _ => continue,
            };
            self.out.push_str(&text[plain..at]);
            plain = at + c.len_utf8();
            if short.is_empty() {
                self.push(format_args!("\\u{:04x}", u32::from(c)));
            } else {
                self.out.push_str(short);
            }
        }
        self.out.push_str(&text[plain..]);
    }

    fn push(&mut self, value: impl std::fmt::Display) {
        write!(self.out, "{value}").expect("writing to a string cannot fail");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles() {
        let value =
            Value::from_json(&serde_json::json!({"b": [1, "<é\u{2028}\u{1}>"], "a": {}, "c": []}));
        let written = |html, pretty| write(&value, Style { html, pretty }, 1 << 20).unwrap();
        assert_eq!(
            written(true, false),
            "{\"a\":{},\"b\":[1,\"\\u003cé\\u2028\\u0001\\u003e\"],\"c\":[]}"
        );
        assert_eq!(
            written(false, true),
            "{\n  \"a\": {},\n  \"b\": [\n    1,\n    \"<é\\u2028\\u0001>\"\n  ],\n  \"c\": []\n}"
        );
    }

    #[test]
    fn what_has_no_json() {
        let style = Style {
            html: true,
            pretty: false,
        };
        let error = write(&Value::Float(f64::INFINITY), style, 9).unwrap_err();
        assert_eq!(error.message, "json: unsupported value: +Inf");
        assert_eq!(
            write(&Value::Str(Text::from_bytes(b"a\xff")), style, 9).unwrap(),
            "\"a\\ufffd\""
        );
    }
}
