//! Writing INI.

use super::{DEFAULT, DELIMITERS};
use crate::store::{EmitError, key_text, scalar_text};
use crate::tree::{Branch, Key, Value};

pub(in crate::store) fn emit(branches: &[Branch]) -> Result<Vec<u8>, EmitError> {
    let mut sections = Vec::new();
    for entry in branches.iter().flatten() {
        if matches!(entry.key, Key::Comment(_)) {
            continue;
        }
        let Value::Map(branch) = &entry.value else {
            return Err(EmitError::IniSection);
        };
        sections.push(Section::of(key_text(&entry.key), branch)?);
    }
    let mut out = Vec::new();
    let last = sections.len().saturating_sub(1);
    for (at, section) in sections.iter().enumerate() {
        section.write(at == 0, &mut out);
        let silent = at == 0 && section.is_default() && section.keys.is_empty();
        if at != last && !silent {
            out.push(b'\n');
        }
    }
    Ok(out)
}

struct Section<'a> {
    name: &'a str,
    comment: &'a str,
    keys: Vec<Item<'a>>,
}

struct Item<'a> {
    name: &'a str,
    value: Vec<u8>,
    comment: &'a str,
}

impl<'a> Section<'a> {
    /// The first entry may be the comment of the section; any other comment is that of the key before it.
    fn of(name: &'a str, branch: &'a Branch) -> Result<Self, EmitError> {
        if name.is_empty() {
            return Err(EmitError::IniEmpty { what: "section" });
        }
        let mut section = Self {
            name,
            comment: "",
            keys: Vec::new(),
        };
        let mut last: Option<usize> = None;
        for (at, entry) in branch.iter().enumerate() {
            let text = key_text(&entry.key);
            if matches!(entry.key, Key::Comment(_)) {
                match last {
                    Some(last) => section.keys[last].comment = text,
                    None if at == 0 => section.comment = text,
                    None => {}
                }
                continue;
            }
            if text.is_empty() {
                return Err(EmitError::IniEmpty { what: "key" });
            }
            let value =
                scalar_text(&entry.value).ok_or_else(|| EmitError::IniComplex(text.to_owned()))?;
            last = Some(section.set(text, value));
        }
        Ok(section)
    }

    fn set(&mut self, name: &'a str, value: Vec<u8>) -> usize {
        if let Some(at) = self.keys.iter().position(|item| item.name == name) {
            self.keys[at].value = value;
            return at;
        }
        self.keys.push(Item {
            name,
            value,
            comment: "",
        });
        self.keys.len() - 1
    }

    fn is_default(&self) -> bool {
        self.name.to_uppercase() == DEFAULT
    }

    fn write(&self, first: bool, out: &mut Vec<u8>) {
        write_comment(self.comment, false, out);
        if !first || !self.is_default() {
            out.push(b'[');
            out.extend_from_slice(self.name.as_bytes());
            out.extend_from_slice(b"]\n");
        }
        let names: Vec<String> = self
            .keys
            .iter()
            .map(|item| quoted_name(item.name))
            .collect();
        let width = names.iter().map(String::len).max().unwrap_or_default();
        for (item, name) in self.keys.iter().zip(names) {
            write_comment(item.comment, true, out);
            out.extend_from_slice(name.as_bytes());
            out.extend(std::iter::repeat_n(b' ', width - name.len()));
            out.extend_from_slice(b" = ");
            write_value(&item.value, out);
            out.push(b'\n');
        }
    }
}

fn quoted_name(name: &str) -> String {
    if name.contains('"') || name.contains(DELIMITERS) {
        format!("`{name}`")
    } else if name.contains('`') {
        format!("\"\"\"{name}\"\"\"")
    } else {
        name.to_owned()
    }
}

fn write_comment(comment: &str, trimmed: bool, out: &mut Vec<u8>) {
    if comment.is_empty() {
        return;
    }
    for line in comment.split('\n') {
        let text = match line.strip_prefix(['#', ';']) {
            Some(rest) => format!("{} {}", &line[..1], rest.trim()),
            None if trimmed => format!("; {}", line.trim()),
            None => format!("; {line}"),
        };
        out.extend_from_slice(text.as_bytes());
        out.push(b'\n');
    }
}

/// Quotes are not escaped: what has both kinds does not read back, in go-ini as here.
fn write_value(value: &[u8], out: &mut Vec<u8>) {
    let has = |bytes: &[u8]| value.iter().any(|byte| bytes.contains(byte));
    let blank = |at: Option<&u8>| at.is_some_and(u8::is_ascii_whitespace);
    let quote: &[u8] = if has(b"\n`") {
        b"\"\"\""
    } else if has(b"#;") {
        b"`"
    } else if blank(value.first()) || blank(value.last()) {
        b"\""
    } else {
        b""
    };
    out.extend_from_slice(quote);
    out.extend_from_slice(value);
    out.extend_from_slice(quote);
}
