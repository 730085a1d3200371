//! From text to [`Json`], in one pass. Texts without escapes and numbers are borrowed.

use std::borrow::Cow;
use std::fmt;

use super::{AsRead, Json, Number};

/// How deep lists and maps may nest. The host takes 100 levels.
const DEEPEST: usize = 128;

/// Why a text is not JSON, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReadError {
    what: &'static str,
    line: usize,
    column: usize,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, line, column } = self;
        write!(f, "{what} at line {line} column {column}")
    }
}

impl std::error::Error for ReadError {}

/// Reads one value with nothing but white space around it.
pub(super) fn read(text: &str) -> Result<Json<'_>, ReadError> {
    let mut reader = Reader {
        text,
        at: 0,
        open: Vec::new(),
        items: Vec::new(),
        entries: Vec::new(),
    };
    reader.space();
    let value = reader.value()?;
    reader.space();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.error("there is more after the end of the value")),
    }
}

/// How many bytes at the start stand for themselves in a text: no quote, no backslash, no control character. Eight at a
/// time are looked at.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte that is smaller than `than`. What lies above the first such byte can be wrong.
    let smaller = |word: u64, than: u8| word.wrapping_sub(ONES * u64::from(than)) & !word & HIGH;
    let mut at = 0;
    while let Some(eight) = bytes[at..].first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let special = smaller(word, 0x20)
            | smaller(word ^ (ONES * u64::from(b'"')), 1)
            | smaller(word ^ (ONES * u64::from(b'\\')), 1);
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes[at..].iter();
    at + rest
        .take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20))
        .count()
}

/// A list or map that is not closed yet.
struct Open {
    /// Where its text begins.
    at: usize,
    /// Where its items begin among those that were read.
    first: usize,
    close: u8,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    open: Vec<Open>,
    /// The items of all open lists, the innermost last.
    items: Vec<Json<'a>>,
    /// The entries of all open maps; the last one of each still lacks its value.
    entries: Vec<(Cow<'a, str>, Json<'a>)>,
}

impl<'a> Reader<'a> {
    /// Reads one value. Nothing here calls itself: a guest's stack is small, and this is faster.
    fn value(&mut self) -> Result<Json<'a>, ReadError> {
        loop {
            let mut value = match self.peek() {
                Some(b'"') => Json::Text(self.text()?),
                Some(b'{') => {
                    self.open(b'}', self.entries.len())?;
                    if self.peek() != Some(b'}') {
                        self.key()?;
                        continue;
                    }
                    self.closed()
                }
                Some(b'[') => {
                    self.open(b']', self.items.len())?;
                    if self.peek() != Some(b']') {
                        continue;
                    }
                    self.closed()
                }
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.word("true", Json::Bool(true))?,
                Some(b'f') => self.word("false", Json::Bool(false))?,
                Some(b'n') => self.word("null", Json::Null)?,
                Some(_) => return Err(self.error("a value was expected")),
                None => return Err(self.error("the text ends where a value was expected")),
            };
            // It may have been the last one of what is open.
            loop {
                let Some(&Open { close, .. }) = self.open.last() else {
                    return Ok(value);
                };
                if close == b']' {
                    self.items.push(value);
                } else if let Some(entry) = self.entries.last_mut() {
                    entry.1 = value;
                }
                self.space();
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        self.space();
                        if close == b'}' {
                            self.key()?;
                        }
                        break;
                    }
                    Some(byte) if byte == close => value = self.closed(),
                    _ if close == b']' => {
                        return Err(self.error("\",\" or \"]\" was expected"));
                    }
                    _ => return Err(self.error("\",\" or \"}\" was expected")),
                }
            }
        }
    }

    fn open(&mut self, close: u8, first: usize) -> Result<(), ReadError> {
        if self.open.len() == DEEPEST {
            return Err(self.error("it is nested too deep"));
        }
        let at = self.at;
        self.open.push(Open { at, first, close });
        self.at += 1;
        self.space();
        Ok(())
    }

    /// Passes the end of what was opened last.
    fn closed(&mut self) -> Json<'a> {
        self.at += 1;
        match self.open.pop() {
            Some(Open {
                at,
                first,
                close: b']',
            }) => {
                let items = self.items.split_off(first);
                Json::List(AsRead::new(items, &self.text[at..self.at]))
            }
            Some(Open { at, first, .. }) => {
                let entries = self.entries.split_off(first);
                Json::Map(AsRead::new(entries, &self.text[at..self.at]))
            }
            None => Json::Null,
        }
    }

    /// Reads a key, after which its value comes.
    fn key(&mut self) -> Result<(), ReadError> {
        if self.peek() != Some(b'"') {
            return Err(self.error("a key in quotes was expected"));
        }
        let key = self.text()?;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.error("\":\" was expected"));
        }
        self.at += 1;
        self.space();
        self.entries.push((key, Json::Null));
        Ok(())
    }

    fn text(&mut self) -> Result<Cow<'a, str>, ReadError> {
        let start = self.at + 1;
        self.at = start;
        self.plain();
        if self.peek() == Some(b'"') {
            let text = &self.text[start..self.at];
            self.at += 1;
            return Ok(Cow::Borrowed(text));
        }
        let mut text = self.text[start..self.at].to_owned();
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => text.push(self.escape()?),
                Some(_) => return Err(self.error("a control character stands in a text")),
                None => return Err(self.error("the input ends inside a text")),
            }
            let from = self.at;
            self.plain();
            text.push_str(&self.text[from..self.at]);
        }
        self.at += 1;
        Ok(Cow::Owned(text))
    }

    #[inline]
    fn plain(&mut self) {
        self.at += plain(&self.text.as_bytes()[self.at..]);
    }

    /// The character that an escape stands for.
    fn escape(&mut self) -> Result<char, ReadError> {
        let simple = match self.text.as_bytes().get(self.at + 1) {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            _ => return Err(self.error("an unknown escape stands in a text")),
        };
        self.at += 2;
        Ok(simple)
    }

    /// What one or two `\u0000` stand for.
    fn code_point(&mut self) -> Result<char, ReadError> {
        let units = [self.unit(self.at), self.unit(self.at + 6)];
        let [Some(first), second] = units else {
            return Err(self.error("\"\\u\" needs four hexadecimal digits"));
        };
        let both = [first, second.unwrap_or_default()];
        match char::decode_utf16(both).next() {
            Some(Ok(found)) => {
                self.at += 6 * found.len_utf16();
                Ok(found)
            }
            _ => Err(self.error("half of a surrogate pair stands alone")),
        }
    }

    /// The number of a `\u0000` that begins at `at`.
    fn unit(&self, at: usize) -> Option<u16> {
        let escape = self.text.as_bytes().get(at..at + 6)?;
        let digits = escape.strip_prefix(b"\\u")?.iter();
        digits
            .map(|digit| char::from(*digit).to_digit(16))
            .try_fold(0, |unit, digit| {
                Some(unit << 4 | u16::try_from(digit?).ok()?)
            })
    }

    fn number(&mut self) -> Result<Json<'a>, ReadError> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(Json::Number(Number::as_written(&self.text[start..self.at])))
    }

    fn digits(&mut self) -> Result<(), ReadError> {
        let rest = self.text.as_bytes()[self.at..].iter();
        match rest.take_while(|byte| byte.is_ascii_digit()).count() {
            0 => Err(self.error("a digit was expected")),
            count => {
                self.at += count;
                Ok(())
            }
        }
    }

    fn word(&mut self, word: &str, value: Json<'a>) -> Result<Json<'a>, ReadError> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.error("a value was expected"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn error(&self, what: &'static str) -> ReadError {
        let before = &self.text.as_bytes()[..self.at];
        let line_start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        ReadError {
            what,
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
            column: 1 + before.len() - line_start,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_end_where_they_should_at_each_place_of_a_word() {
        for (length, special) in (0..20).flat_map(|n| [b'"', b'\\', 0, 0x1f].map(|it| (n, it))) {
            let mut bytes = "é~\u{7f}!#[]".repeat(4).into_bytes();
            bytes.truncate(length);
            bytes.push(special);
            bytes.extend_from_slice(b"\"after\\");
            assert_eq!(plain(&bytes), length, "{special} after {length}");
            assert_eq!(plain(&bytes[..length]), length);
        }
    }

    #[test]
    fn escapes_are_what_they_stand_for() {
        let text = r#""\"\\\/\b\f\n\r\t\u0041\u00e9\uD83D\ude00 end""#;
        assert_eq!(
            read(text),
            Ok(Json::Text("\"\\/\u{8}\u{c}\n\r\tAé😀 end".into()))
        );
    }

    #[test]
    fn what_is_not_json_is_said_with_its_place() {
        let wrong = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(
            wrong(""),
            "the text ends where a value was expected at line 1 column 1"
        );
        assert_eq!(
            wrong("{\n  \"a\" 1}"),
            "\":\" was expected at line 2 column 7"
        );
        for (text, what) in [
            ("[1 2]", "\",\" or \"]\" was expected"),
            ("[1,]", "a value was expected"),
            ("{\"a\":1,}", "a key in quotes was expected"),
            ("{\"a\":1]", "\",\" or \"}\" was expected"),
            ("\"a", "ends inside a text"),
            ("\"a\\", "an unknown escape"),
            ("\"\t\"", "a control character"),
            (r#""\x""#, "an unknown escape"),
            (r#""\u00g0""#, "four hexadecimal digits"),
            (r#""\ud83d""#, "half of a surrogate pair"),
            (r#""\ude00\ud83d""#, "half of a surrogate pair"),
            ("-", "a digit was expected"),
            ("1.", "a digit was expected"),
            ("1e+", "a digit was expected"),
            ("01", "more after the end"),
            ("tru", "a value was expected"),
            ("é", "a value was expected"),
            ("[".repeat(200).as_str(), "nested too deep"),
        ] {
            let told = wrong(text);
            assert!(told.contains(what), "{text}: {told}");
        }
    }
}
