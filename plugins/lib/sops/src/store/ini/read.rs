//! Reading INI.

use super::{DEFAULT, DELIMITERS};
use crate::store::LoadError;
use crate::tree::{Branch, Entry, Value};

pub(in crate::store) fn load(content: &[u8]) -> Result<Branch, LoadError> {
    let text = std::str::from_utf8(content).map_err(|_| LoadError::Encoding)?;
    let mut reader = Reader {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        line: 0,
        comment: String::new(),
    };
    let sections = reader.sections()?;
    let entries = sections
        .into_iter()
        .map(|section| Entry::new(section.name.clone(), Value::Map(section.into_branch())));
    Ok(entries.collect())
}

struct Section {
    name: String,
    comment: String,
    keys: Vec<Item>,
    /// The number of the next key that is called `-`.
    next: usize,
}

struct Item {
    name: String,
    value: String,
    comment: String,
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    /// The comments that were read since the last key or section header.
    comment: String,
}

impl Section {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            comment: String::new(),
            keys: Vec::new(),
            next: 1,
        }
    }

    /// A key that stands twice keeps its first place and has its last value.
    fn set(&mut self, item: Item) {
        match self.keys.iter_mut().find(|known| known.name == item.name) {
            Some(known) => *known = item,
            None => self.keys.push(item),
        }
    }

    fn into_branch(self) -> Branch {
        let mut branch = Branch::new();
        let comment = |text: &str| Entry::comment(without_sign(text), false);
        if !self.comment.is_empty() {
            branch.push(comment(&self.comment));
        }
        for item in self.keys {
            branch.push(Entry::new(item.name, Value::Text(item.value)));
            if !item.comment.is_empty() {
                branch.push(comment(&item.comment));
            }
        }
        branch
    }
}

impl<'a> Reader<'a> {
    fn sections(&mut self) -> Result<Vec<Section>, LoadError> {
        let mut done = Vec::new();
        let mut section = Section::new(DEFAULT);
        while let Some(line) = self.next_line() {
            let line = line.trim_start();
            if line.is_empty() {
                continue;
            }
            if line.starts_with(['#', ';']) {
                self.comment.push_str(line);
                continue;
            }
            if let Some(header) = line.strip_prefix('[') {
                let (name, behind) = header
                    .rsplit_once(']')
                    .ok_or_else(|| self.wrong("unclosed section"))?;
                if name.is_empty() {
                    return Err(self.wrong("empty section name"));
                }
                if let Some(at) = behind.find(['#', ';']) {
                    self.comment.push_str(&behind[at..]);
                }
                done.push(std::mem::replace(&mut section, Section::new(name)));
                section.comment = self.take_comment();
                continue;
            }
            let (name, behind) = self.key(line)?;
            let name = if name == "-" {
                section.next += 1;
                format!("#{}", section.next - 1)
            } else {
                name.to_owned()
            };
            let value = self.value(behind)?;
            if name.is_empty() {
                return Err(self.wrong("empty key name"));
            }
            let comment = self.take_comment();
            section.set(Item {
                name,
                value,
                comment,
            });
        }
        done.push(section);
        Ok(done)
    }

    /// The next line, with what ends it.
    fn next_line(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.line += 1;
        Some(line)
    }

    fn take_comment(&mut self) -> String {
        std::mem::take(&mut self.comment).trim().to_owned()
    }

    /// The name of a key, which may be quoted, and what stands behind the delimiter.
    fn key<'b>(&self, line: &'b str) -> Result<(&'b str, &'b str), LoadError> {
        let quote = if line.len() > 6 && line.starts_with("\"\"\"") {
            "\"\"\""
        } else if line.starts_with('"') {
            "\""
        } else if line.starts_with('`') {
            "`"
        } else {
            let (name, behind) = line
                .split_once(DELIMITERS)
                .ok_or_else(|| self.wrong("key-value delimiter not found"))?;
            if name.is_empty() {
                return Err(self.wrong("empty key name"));
            }
            return Ok((name.trim(), behind));
        };
        let (name, behind) = line[quote.len()..]
            .split_once(quote)
            .ok_or_else(|| self.wrong("missing closing key quote"))?;
        let (_, behind) = behind
            .split_once(DELIMITERS)
            .ok_or_else(|| self.wrong("key-value delimiter not found"))?;
        Ok((name.trim(), behind))
    }

    fn value(&mut self, text: &str) -> Result<String, LoadError> {
        let text = text.trim_start();
        if text.is_empty() {
            return Ok(String::new());
        }
        for quote in ["\"\"\"", "`"] {
            if let Some(inside) = text.strip_prefix(quote)
                && text.len() > quote.len()
            {
                return match inside.rfind(quote) {
                    Some(end) => Ok(inside[..end].to_owned()),
                    None => self.quoted_lines(inside, quote),
                };
            }
        }
        let text = text.trim_end();
        if let Some(first) = text.strip_suffix('\\') {
            return Ok(self.continued(first));
        }
        let mut value = text;
        if let Some(at) = text.find(['#', ';']) {
            self.comment.push_str(&text[at..]);
            value = text[..at].trim();
        }
        for quote in ['\'', '"'] {
            let inside = value
                .strip_prefix(quote)
                .and_then(|rest| rest.strip_suffix(quote))
                .filter(|inside| !inside.contains(quote));
            if let Some(inside) = inside {
                return Ok(inside.to_owned());
            }
        }
        Ok(value.to_owned())
    }

    /// A quoted value that ends on a later line.
    fn quoted_lines(&mut self, first: &str, quote: &str) -> Result<String, LoadError> {
        let mut value = first.to_owned();
        loop {
            let Some(line) = self.next_line() else {
                return Err(self.wrong("missing closing quote of a value"));
            };
            match line.rfind(quote) {
                Some(end) if !line[end + quote.len()..].trim().ends_with('\\') => {
                    value.push_str(&line[..end]);
                    if let Some(at) = line[end..].find(['#', ';']) {
                        self.comment.push_str(line[end + at..].trim());
                    }
                    return Ok(value);
                }
                Some(_) | None => value.push_str(line),
            }
        }
    }

    /// A value whose lines end with a backslash.
    fn continued(&mut self, first: &str) -> String {
        let mut value = first.to_owned();
        while let Some(line) = self.next_line() {
            let line = line.trim();
            if line.is_empty() {
                break;
            }
            value.push_str(line);
            if !line.ends_with('\\') {
                break;
            }
            value.pop();
        }
        value
    }

    fn wrong(&self, what: &'static str) -> LoadError {
        LoadError::Ini {
            line: self.line,
            what,
        }
    }
}

/// A comment without the signs and blanks that it begins with.
fn without_sign(comment: &str) -> &str {
    if comment.starts_with(';') {
        comment.trim_start_matches([';', ' '])
    } else {
        comment.trim_start_matches(['#', ' '])
    }
}
