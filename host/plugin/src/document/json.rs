//! JSON text in normal form, and ways to look into it without parsing it.
//!
//! Normal form: no white space between tokens, no key twice in an object, strings escaped as little as JSON allows (so that
//! equal strings are equal bytes), numbers as they were written. Everything else in this module relies on it.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::ops::Range;

/// How deep objects and arrays may nest. Common JSON readers stop at 128.
pub const MAX_DEPTH: usize = 100;

/// Why a text is not JSON that can be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct JsonError {
    pub what: String,
    pub at: usize,
}

/// Brings `text` into normal form; borrowed if it is in it already.
pub(crate) fn normal(text: &str) -> Result<Cow<'_, str>, JsonError> {
    if scan(text)? {
        return Ok(Cow::Borrowed(text));
    }
    let rewritten = rewrite(text);
    // Keys that were written with different escapes can turn out to be the same.
    scan(&rewritten)?;
    Ok(Cow::Owned(rewritten))
}

/// The members of the object that starts at `open` in normal `text`.
pub(crate) fn members(text: &str, open: usize) -> Members<'_> {
    debug_assert_eq!(text.as_bytes().get(open), Some(&b'{'));
    Members { text, at: open + 1 }
}

/// The place after the value that starts at `at` in normal `text`.
pub(crate) fn skip(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    match bytes[at] {
        b'"' => skip_string(bytes, at),
        b'{' | b'[' => skip_container(bytes, at),
        _ => {
            at + bytes[at..]
                .iter()
                .position(|byte| matches!(byte, b',' | b'}' | b']'))
                .unwrap_or(bytes.len() - at)
        }
    }
}

/// The value of a key in the object that starts at `open`. `key` is escaped as in normal form.
pub(crate) fn member(text: &str, open: usize, key: &str) -> Option<Range<usize>> {
    members(text, open)
        .find(|member| &text[member.key.clone()] == key)
        .map(|member| member.value)
}

/// The string value at `range`, or `None` if something else is there.
pub(crate) fn string(text: &str, range: Range<usize>) -> Option<Cow<'_, str>> {
    let inner = text[range].strip_prefix('"')?.strip_suffix('"')?;
    Some(unescaped(inner))
}

/// The text between the quotes of a string in normal form, as what it means.
pub(crate) fn unescaped(inner: &str) -> Cow<'_, str> {
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    unescape(inner, &mut out);
    Cow::Owned(out)
}

/// What stands between the quotes when `text` is written as a JSON string in normal form.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| KIND[byte as usize] != 0) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    escape(text, &mut out);
    Cow::Owned(out)
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Without the quotes.
    pub(crate) key: Range<usize>,
    pub(crate) value: Range<usize>,
}

pub(crate) struct Members<'a> {
    text: &'a str,
    at: usize,
}

impl Members<'_> {
    /// The place after the last member that was given out: a `,` or the closing brace.
    pub(crate) fn position(&self) -> usize {
        self.at
    }
}

impl Iterator for Members<'_> {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
        let bytes = self.text.as_bytes();
        let start = match bytes[self.at] {
            b',' => self.at + 1,
            b'"' => self.at,
            _ => return None,
        };
        let end = skip_string(bytes, start);
        let value = end + 1..skip(self.text, end + 1);
        self.at = value.end;
        Some(Member {
            key: start + 1..end - 1,
            value,
        })
    }
}

fn skip_string(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    loop {
        match memchr::memchr2(b'"', b'\\', &bytes[at..]) {
            Some(found) if bytes[at + found] == b'"' => return at + found + 1,
            Some(found) => at += found + 2,
            None => return bytes.len(),
        }
    }
}

fn skip_container(bytes: &[u8], open: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = open;
    loop {
        match bytes[at] {
            b'"' => {
                at = skip_string(bytes, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// Checks the whole text; true if it is in normal form.
fn scan(text: &str) -> Result<bool, JsonError> {
    let mut scanner = Scanner {
        bytes: text.as_bytes(),
        at: 0,
        depth: 0,
        plain: true,
        keys: Vec::new(),
    };
    scanner.space();
    scanner.value()?;
    scanner.space();
    if scanner.at < scanner.bytes.len() {
        return Err(scanner.error("there is more after the end of the value"));
    }
    Ok(scanner.plain)
}

/// For each byte inside a string: 0 goes through, 1 ends the string, 2 starts an escape, 3 may not stand there.
static KIND: [u8; 256] = {
    let mut kind = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        kind[byte] = 3;
        byte += 1;
    }
    kind[b'"' as usize] = 1;
    kind[b'\\' as usize] = 2;
    kind
};

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    plain: bool,
    /// The keys of all objects that are open, the innermost last.
    keys: Vec<&'a [u8]>,
}

impl<'a> Scanner<'a> {
    fn value(&mut self) -> Result<(), JsonError> {
        match self.bytes.get(self.at) {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => self.string().map(|_| ()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(_) => Err(self.error("a value was expected")),
            None => Err(self.error("the text ends where a value was expected")),
        }
    }

    fn object(&mut self) -> Result<(), JsonError> {
        self.enter()?;
        let outer = self.keys.len();
        let mut many: Option<HashSet<&'a [u8]>> = None;
        if !self.closes(b'}') {
            loop {
                if self.bytes.get(self.at) != Some(&b'"') {
                    return Err(self.error("a key in quotes was expected"));
                }
                let start = self.at;
                let key = self.string()?;
                self.check_key(key, outer, &mut many, start)?;
                self.space();
                self.expect(b':')?;
                self.space();
                self.value()?;
                self.space();
                if !self.goes_on(b'}')? {
                    break;
                }
            }
        }
        self.keys.truncate(outer);
        self.depth -= 1;
        Ok(())
    }

    fn check_key(
        &mut self,
        key: &'a [u8],
        outer: usize,
        many: &mut Option<HashSet<&'a [u8]>>,
        start: usize,
    ) -> Result<(), JsonError> {
        const FEW: usize = 24;
        let twice = match many {
            Some(seen) => !seen.insert(key),
            None => self.keys[outer..].contains(&key),
        };
        if twice {
            let shown: String = String::from_utf8_lossy(key).chars().take(100).collect();
            self.at = start;
            return Err(self.error(&format!("the key \"{shown}\" stands twice in one object")));
        }
        if many.is_none() {
            self.keys.push(key);
            if self.keys.len() - outer > FEW {
                *many = Some(self.keys[outer..].iter().copied().collect());
            }
        }
        Ok(())
    }

    fn array(&mut self) -> Result<(), JsonError> {
        self.enter()?;
        if !self.closes(b']') {
            loop {
                self.value()?;
                self.space();
                if !self.goes_on(b']')? {
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn enter(&mut self) -> Result<(), JsonError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(&format!("it is nested more than {MAX_DEPTH} levels deep")));
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn closes(&mut self, close: u8) -> bool {
        let closed = self.bytes.get(self.at) == Some(&close);
        self.at += usize::from(closed);
        closed
    }

    fn goes_on(&mut self, close: u8) -> Result<bool, JsonError> {
        match self.bytes.get(self.at) {
            Some(b',') => {
                self.at += 1;
                self.space();
                Ok(true)
            }
            Some(byte) if *byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.error(&format!("\",\" or \"{}\" was expected", close as char))),
        }
    }

    /// What stands between the quotes.
    fn string(&mut self) -> Result<&'a [u8], JsonError> {
        self.at += 1;
        let start = self.at;
        loop {
            let Some(&byte) = self.bytes.get(self.at) else {
                return Err(self.error("the text ends inside a string"));
            };
            match KIND[byte as usize] {
                0 => self.at += 1,
                1 => break,
                2 => self.escape()?,
                _ => return Err(self.error("a control character stands in a string")),
            }
        }
        self.at += 1;
        Ok(&self.bytes[start..self.at - 1])
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'/') => {
                self.plain = false;
                self.at += 2;
            }
            Some(b'u') => {
                let code = self
                    .hex4(self.at + 2)
                    .ok_or_else(|| self.error("\"\\u\" needs four hexadecimal digits"))?;
                match code {
                    0xdc00..=0xdfff => {
                        return Err(self.error("half of a surrogate pair stands alone"));
                    }
                    0xd800..=0xdbff => {
                        let low = self.bytes.get(self.at + 6..self.at + 8) == Some(b"\\u");
                        let low = low.then(|| self.hex4(self.at + 8)).flatten();
                        if !low.is_some_and(|low| (0xdc00..=0xdfff).contains(&low)) {
                            return Err(self.error("half of a surrogate pair stands alone"));
                        }
                        self.plain = false;
                        self.at += 12;
                    }
                    _ => {
                        self.plain &= self.stays(code);
                        self.at += 6;
                    }
                }
            }
            _ => return Err(self.error("an unknown escape stands in a string")),
        }
        Ok(())
    }

    /// Whether the `\u` escape here is how normal form writes the character.
    fn stays(&self, code: u32) -> bool {
        let short = matches!(code, 0x08 | 0x09 | 0x0a | 0x0c | 0x0d);
        code < 0x20
            && !short
            && !self.bytes[self.at + 2..self.at + 6]
                .iter()
                .any(u8::is_ascii_uppercase)
    }

    fn hex4(&self, at: usize) -> Option<u32> {
        let digits = self.bytes.get(at..at + 4)?;
        digits.iter().try_fold(0, |code, digit| {
            Some(code * 16 + (*digit as char).to_digit(16)?)
        })
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        self.at += usize::from(self.bytes[self.at] == b'-');
        match self.bytes.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return Err(self.error("a digit was expected")),
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        let exponent = matches!(self.bytes.get(self.at), Some(b'e' | b'E'));
        if exponent {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        const SURELY_FINITE: usize = 300;
        if exponent || self.at - start > SURELY_FINITE {
            let text = String::from_utf8_lossy(&self.bytes[start..self.at]);
            if !text.parse::<f64>().is_ok_and(f64::is_finite) {
                self.at = start;
                let shown: String = text.chars().take(40).collect();
                return Err(self.error(&format!("the number {shown} is out of range")));
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let count = self.bytes[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if count == 0 {
            return Err(self.error("a digit was expected"));
        }
        self.at += count;
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), JsonError> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.error("a value was expected"));
        }
        self.at += word.len();
        Ok(())
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.bytes.get(self.at) != Some(&byte) {
            return Err(self.error(&format!("\"{}\" was expected", byte as char)));
        }
        self.at += 1;
        Ok(())
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.plain = false;
            self.at += 1;
        }
    }

    fn error(&self, what: &str) -> JsonError {
        JsonError {
            what: what.to_owned(),
            at: self.at,
        }
    }
}

/// Writes text that was scanned without white space and with its strings in normal form.
fn rewrite(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b' ' | b'\n' | b'\r' | b'\t' => at += 1,
            b'"' => {
                let end = skip_string(bytes, at);
                let inner = &text[at + 1..end - 1];
                out.push('"');
                if inner.contains('\\') {
                    let mut meant = String::with_capacity(inner.len());
                    unescape(inner, &mut meant);
                    escape(&meant, &mut out);
                } else {
                    out.push_str(inner);
                }
                out.push('"');
                at = end;
            }
            _ => {
                let rest = &bytes[at..];
                let stop = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b'"');
                let end = at + rest.iter().position(stop).unwrap_or(rest.len());
                out.push_str(&text[at..end]);
                at = end;
            }
        }
    }
    out
}

fn unescape(inner: &str, out: &mut String) {
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = rest.as_bytes()[at + 1];
        rest = &rest[at + 2..];
        match escape {
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let (character, length) = code_point(rest);
                out.push(character);
                rest = &rest[length..];
            }
            other => out.push(other as char),
        }
    }
    out.push_str(rest);
}

/// The character of the digits after a `\u`, and how many bytes they take with those of a second half.
fn code_point(rest: &str) -> (char, usize) {
    let unit = |at: usize| {
        rest.get(at..at + 4)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
    };
    match unit(0) {
        Some(high @ 0xd800..=0xdbff) => {
            let low = unit(6).unwrap_or(0xdc00);
            let code = 0x10000 + ((high - 0xd800) << 10) + (low.wrapping_sub(0xdc00) & 0x3ff);
            (
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
                10,
            )
        }
        Some(code) => (
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
            4,
        ),
        None => (char::REPLACEMENT_CHARACTER, 0),
    }
}

fn escape(text: &str, out: &mut String) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if KIND[byte as usize] == 0 {
            continue;
        }
        out.push_str(&text[from..at]);
        from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x08 => out.push_str("\\b"),
            0x09 => out.push_str("\\t"),
            0x0a => out.push_str("\\n"),
            0x0c => out.push_str("\\f"),
            0x0d => out.push_str("\\r"),
            _ => {
                let _ = write!(out, "\\u{byte:04x}");
            }
        }
    }
    out.push_str(&text[from..]);
}

#[cfg(test)]
mod tests;
