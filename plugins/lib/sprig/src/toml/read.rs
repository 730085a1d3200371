//! Reading, with the library's error texts.

use weir_gotemplate::{Text, Value, quote};

use super::number::{scan, shown_rune, value};
use super::table::{Node, Tables, to_value};
use super::{MAX_DEPTH, shown_path};

/// Why a text is no TOML: `toml: line 1 (last key "a"): …`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("toml: line {line}{key}: {message}")]
pub(crate) struct TomlError {
    line: usize,
    /// The last key in parentheses, or nothing.
    key: String,
    message: String,
}

pub(crate) fn parse(text: &[u8]) -> Result<Value, TomlError> {
    let plain = match std::str::from_utf8(text) {
        Ok(text) => text,
        Err(error) => {
            let before = &text[..error.valid_up_to()];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            let message = format!("invalid UTF-8 byte: 0x{:02x}", text[error.valid_up_to()]);
            return Err(TomlError {
                line,
                key: String::new(),
                message,
            });
        }
    };
    let plain = plain.strip_prefix('\u{feff}').unwrap_or(plain);
    let mut reader = Reader {
        text: plain,
        at: 0,
        context: Vec::new(),
        current: None,
    };
    reader.document()
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// The table that keys go to.
    context: Vec<Text>,
    /// The key whose value is being read.
    current: Option<Text>,
}

type Read<T> = Result<T, TomlError>;

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Read<Option<char>> {
        let Some(c) = self.peek() else {
            return Ok(None);
        };
        if matches!(c, '\0'..='\u{8}' | '\u{b}'..='\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}') {
            let message = format!(
                "TOML files cannot contain control characters: '0x{:02x}'",
                u32::from(c)
            );
            return Err(self.error(message));
        }
        self.at += c.len_utf8();
        Ok(Some(c))
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn blanks(&mut self) {
        let rest = self.rest().trim_start_matches([' ', '\t']);
        self.at = self.text.len() - rest.len();
    }

    /// Blanks, line breaks and comments.
    fn gaps(&mut self) -> Read<()> {
        loop {
            let rest = self.rest().trim_start_matches([' ', '\t', '\r', '\n']);
            self.at = self.text.len() - rest.len();
            if self.peek() != Some('#') {
                return Ok(());
            }
            self.comment()?;
        }
    }

    fn comment(&mut self) -> Read<()> {
        while !matches!(self.peek(), None | Some('\n')) {
            self.next()?;
        }
        Ok(())
    }

    /// An error at the character that comes next.
    fn error(&self, message: impl Into<String>) -> TomlError {
        let before = &self.text[..self.at];
        let mut line = 1 + before.matches('\n').count();
        if self.rest().is_empty() && before.ends_with('\n') {
            line -= 1;
        }
        let mut path = self.context.clone();
        path.extend(self.current.clone());
        let key = match path.len() {
            0 => String::new(),
            _ => format!(" (last key {})", quote(Text::from(shown_path(&path)))),
        };
        TomlError {
            line,
            key,
            message: message.into(),
        }
    }

    /// An error at the character that comes next, in a header. A line break there counts as read.
    fn header_error(&self, message: impl Into<String>) -> TomlError {
        let mut error = self.error(message);
        error.line += usize::from(self.peek() == Some('\n'));
        error
    }

    fn document(&mut self) -> Read<Value> {
        let mut tables = Tables::default();
        loop {
            self.gaps()?;
            match self.peek() {
                None => return Ok(to_value(tables.into_entries())),
                Some('[') => self.header(&mut tables)?,
                Some(_) => {
                    let context = self.context.clone();
                    self.pair(&mut tables, &context, 0)?;
                    self.context = context;
                    self.current = None;
                }
            }
            self.line_end()?;
        }
    }

    fn line_end(&mut self) -> Read<()> {
        self.blanks();
        match self.peek() {
            Some('#') => self.comment(),
            None | Some('\n') => Ok(()),
            Some('\r') if self.rest().starts_with("\r\n") => Ok(()),
            other => {
                let found = shown_rune(other);
                let message = format!(
                    "expected a top-level item to end with a newline, comment, or EOF, but got {found} instead"
                );
                Err(self.error(message))
            }
        }
    }

    fn header(&mut self, tables: &mut Tables) -> Read<()> {
        self.at += 1;
        let many = self.eat("[");
        let mut path = Vec::new();
        loop {
            self.blanks();
            match self.peek() {
                None | Some(']') => {
                    return Err(
                        self.error("unexpected end of table name (table names cannot be empty)")
                    );
                }
                Some('.') => {
                    return Err(
                        self.error("unexpected table separator (table names cannot be empty)")
                    );
                }
                Some(_) => path.push(self.key_part()?),
            }
            if path.len() > MAX_DEPTH {
                return Err(self.error("tables are nested too deeply"));
            }
            self.blanks();
            match self.peek() {
                Some('.') => self.at += 1,
                Some(']') => break,
                other => {
                    let found = shown_rune(other);
                    return Err(self.header_error(format!(
                        "expected '.' or ']' to end table name, but got {found} instead"
                    )));
                }
            }
        }
        self.at += 1;
        if many && !self.eat("]") {
            let found = shown_rune(self.peek());
            return Err(self.header_error(format!(
                "expected end of table array name delimiter ']', but got {found} instead"
            )));
        }
        self.context = path[..path.len() - 1].to_vec();
        let opened = if many {
            tables.open_next(&path)
        } else {
            tables.open(&path, false)
        };
        opened.map_err(|message| self.error(message))?;
        self.context = path;
        Ok(())
    }

    /// A bare or quoted part of a key.
    fn key_part(&mut self) -> Read<Text> {
        match self.peek() {
            Some('"') => {
                self.at += 1;
                self.basic().map(Text::from)
            }
            Some('\'') => {
                self.at += 1;
                self.raw().map(Text::from)
            }
            _ => {
                let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
                let rest = self.rest();
                let part = &rest[..rest.find(|c| !bare(c)).unwrap_or(rest.len())];
                self.at += part.len();
                Ok(Text::from(part))
            }
        }
    }

    /// `a.b = value` in the table at a path.
    fn pair(&mut self, tables: &mut Tables, table: &[Text], depth: usize) -> Read<()> {
        match self.peek() {
            None | Some('=') => return Err(self.error("unexpected '=': key name appears blank")),
            Some('.') => return Err(self.error("unexpected '.': keys cannot start with a '.'")),
            Some(_) => {}
        }
        let mut path = Vec::new();
        loop {
            self.blanks();
            match self.peek() {
                None | Some('=') if !path.is_empty() => return Err(self.error("unexpected '='")),
                Some('.') => return Err(self.error("unexpected '.'")),
                _ => path.push(self.key_part()?),
            }
            if path.len() > MAX_DEPTH {
                return Err(self.error("keys are nested too deeply"));
            }
            self.blanks();
            match self.peek() {
                Some('.') => self.at += 1,
                Some('=') => break,
                None => return Err(self.error("unexpected EOF; expected key separator '='")),
                other => {
                    let found = shown_rune(other);
                    return Err(self.error(format!("expected '.' or '=', but got {found} instead")));
                }
            }
        }
        self.at += 1;
        let Some(key) = path.pop() else { return Ok(()) };
        self.current = Some(key.clone());
        let mut inner = table.to_vec();
        for part in path {
            inner.push(part.clone());
            self.context.push(part);
            tables
                .open(&inner, true)
                .map_err(|message| self.error(message))?;
        }
        let value = self.value(depth)?;
        self.current = Some(key.clone());
        tables
            .set(&inner, &key, value)
            .map_err(|message| self.error(message))
    }

    fn value(&mut self, depth: usize) -> Read<Node> {
        if depth > MAX_DEPTH {
            return Err(self.error("values are nested too deeply"));
        }
        self.blanks();
        let plain = match self.peek() {
            None => return Err(self.error("unexpected EOF; expected value")),
            Some('[') => {
                self.at += 1;
                self.array(depth)?
            }
            Some('{') => {
                self.at += 1;
                return self.inline(depth);
            }
            Some('"') => {
                let many = self.eat("\"\"\"");
                self.at += usize::from(!many);
                let text = if many {
                    self.basic_lines()?
                } else {
                    self.basic()?
                };
                text.into()
            }
            Some('\'') => {
                let many = self.eat("'''");
                self.at += usize::from(!many);
                let text = if many { self.raw_lines()? } else { self.raw()? };
                text.into()
            }
            Some('.') => return Err(self.error("floats must start with a digit, not '.'")),
            Some('0'..='9' | '+' | '-') => {
                let (token, length) = scan(self.rest()).map_err(|message| self.error(message))?;
                let text = &self.rest()[..length];
                let read = value(token, text).map_err(|message| self.error(message))?;
                self.at += length;
                read
            }
            Some(c) if c.is_alphabetic() => self.word()?,
            Some(c) => {
                let found = shown_rune(Some(c));
                return Err(self.error(format!("expected value but found {found} instead")));
            }
        };
        Ok(Node::Plain(plain))
    }

    fn word(&mut self) -> Read<Value> {
        let rest = self.rest();
        for (word, number) in [("inf", f64::INFINITY), ("nan", f64::NAN)] {
            if self.eat(word) {
                return Ok(Value::Float(number));
            }
        }
        let word = &rest[..rest
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(rest.len())];
        let value = match word {
            "true" => true,
            "false" => false,
            _ => {
                let found = quote(Text::from(word));
                return Err(self.error(format!("expected value but found {found} instead")));
            }
        };
        self.at += word.len();
        Ok(value.into())
    }

    fn array(&mut self, depth: usize) -> Read<Value> {
        let mut items = Vec::new();
        loop {
            self.gaps()?;
            match self.peek() {
                Some(',') => return Err(self.error("unexpected comma")),
                Some(']') => break,
                _ => {}
            }
            let current = self.current.clone();
            items.push(match self.value(depth + 1)? {
                Node::Plain(value) => value,
                Node::Table(entries) => to_value(entries),
                Node::Tables(_) => return Err(self.error("unexpected table")),
            });
            self.current = current;
            self.gaps()?;
            match self.peek() {
                Some(',') => self.at += 1,
                Some(']') => break,
                other => {
                    let found =
                        other.map_or_else(|| "end of file".to_owned(), |c| format!("'{c}'"));
                    let message = format!(
                        "expected a comma (',') or array terminator (']'), but got {found}"
                    );
                    return Err(self.error(message));
                }
            }
        }
        self.at += 1;
        Ok(items.into())
    }

    fn inline(&mut self, depth: usize) -> Read<Node> {
        let outer = self.context.clone();
        let current = self.current.take();
        self.context.extend(current.clone());
        let inner = self.context.clone();
        let mut tables = Tables::below(inner.clone());
        loop {
            self.gaps()?;
            match self.peek() {
                Some(',') => return Err(self.error("unexpected comma")),
                Some('}') => break,
                _ => {}
            }
            self.pair(&mut tables, &[], depth + 1)?;
            self.context = inner.clone();
            self.gaps()?;
            match self.peek() {
                Some(',') => self.at += 1,
                Some('}') => break,
                other => {
                    let found =
                        other.map_or_else(|| "end of file".to_owned(), |c| format!("'{c}'"));
                    let message = format!(
                        "expected a comma or an inline table terminator '}}', but got {found} instead"
                    );
                    return Err(self.error(message));
                }
            }
        }
        self.at += 1;
        self.context = outer;
        self.current = current;
        Ok(Node::Table(tables.into_entries()))
    }

    fn basic(&mut self) -> Read<String> {
        let start = self.at;
        let mut out = String::new();
        loop {
            match self.peek() {
                None => return Err(self.error("unexpected EOF; expected '\"'")),
                Some('\n' | '\r') => return Err(self.error("strings cannot contain newlines")),
                _ => {}
            }
            match self.next()? {
                Some('"') | None => return Ok(out),
                Some('\\') => self.escape(&mut out, start)?,
                Some(c) => out.push(c),
            }
        }
    }

    fn raw(&mut self) -> Read<String> {
        let mut out = String::new();
        loop {
            match self.peek() {
                None => return Err(self.error("unexpected EOF; expected \"'\"")),
                Some('\n' | '\r') => return Err(self.error("strings cannot contain newlines")),
                _ => {}
            }
            match self.next()? {
                Some('\'') | None => return Ok(out),
                Some(c) => out.push(c),
            }
        }
    }

    fn first_line_break(&mut self) {
        if !self.eat("\n") {
            self.eat("\r\n");
        }
    }

    fn basic_lines(&mut self) -> Read<String> {
        let start = self.at;
        self.first_line_break();
        let mut out = String::new();
        loop {
            if self.rest().is_empty() {
                return Err(self.error("unexpected EOF; expected '\"\"\"'"));
            }
            if self.closing_quotes('"', &mut out)? {
                return Ok(out);
            }
            match self.next()? {
                Some('\\') => {
                    let blank = self.rest().trim_start_matches([' ', '\t', '\r', '\n']);
                    let skipped = &self.rest()[..self.rest().len() - blank.len()];
                    if skipped.contains('\n') {
                        self.at += skipped.len();
                    } else {
                        self.escape(&mut out, start)?;
                    }
                }
                Some(c) => out.push(c),
                None => {}
            }
        }
    }

    fn raw_lines(&mut self) -> Read<String> {
        self.first_line_break();
        let mut out = String::new();
        loop {
            if self.rest().is_empty() {
                return Err(self.error("unexpected EOF; expected \"'''\""));
            }
            if self.closing_quotes('\'', &mut out)? {
                return Ok(out);
            }
            out.extend(self.next()?);
        }
    }

    /// Three quotes end a text; one or two more belong to it.
    fn closing_quotes(&mut self, mark: char, out: &mut String) -> Read<bool> {
        let count = self.rest().chars().take_while(|c| *c == mark).count();
        if count >= 6 {
            let marks = mark.to_string().repeat(6);
            let around = if mark == '"' { '\'' } else { '"' };
            return Err(self.error(format!("unexpected {around}{marks}{around}")));
        }
        self.at += count;
        out.extend(std::iter::repeat_n(
            mark,
            if count < 3 { count } else { count - 3 },
        ));
        Ok(count >= 3)
    }

    /// What follows a backslash in a string that begins at a place.
    fn escape(&mut self, out: &mut String, start: usize) -> Read<()> {
        let at = self.at;
        let digits = match self.next()? {
            Some('b') => return push(out, '\u{8}'),
            Some('t') => return push(out, '\t'),
            Some('n') => return push(out, '\n'),
            Some('f') => return push(out, '\u{c}'),
            Some('r') => return push(out, '\r'),
            Some('e') => return push(out, '\u{1b}'),
            Some(c @ ('"' | '\\')) => return push(out, c),
            Some('x') => (2, "two", 'x'),
            Some('u') => (4, "four", 'u'),
            Some('U') => (8, "eight", 'U'),
            other => {
                let found = other.unwrap_or('\0');
                self.at = at;
                return Err(self.error(format!("invalid escape in string '\\{found}'")));
            }
        };
        let (count, name, letter) = digits;
        let from = self.at;
        for _ in 0..count {
            if !self.next()?.is_some_and(|c| c.is_ascii_hexdigit()) {
                let found = quote(Text::from(&self.text[start..self.at]));
                let message = format!(
                    "expected {name} hexadecimal digits after '\\{letter}', but got {found} instead"
                );
                return Err(self.error(message));
            }
        }
        let code = u32::from_str_radix(&self.text[from..self.at], 16)
            .ok()
            .and_then(char::from_u32);
        let Some(c) = code else {
            let message = format!(
                "Escaped character '\\u{}' is not valid UTF-8.",
                &self.text[from..self.at]
            );
            return Err(self.error(message));
        };
        push(out, c)
    }
}

fn push(out: &mut String, c: char) -> Read<()> {
    out.push(c);
    Ok(())
}
