//! Text into tokens. Works on bytes and decodes characters inside actions only.

use memchr::{memchr, memchr_iter};

use crate::Delimiters;
use crate::format::is_print;
use crate::quote;
use crate::text::decode;
use crate::tree::Position;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Error,
    Bool,
    /// A printable ASCII character with no meaning of its own; the comma of `range $i, $v`.
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl Kind {
    pub(super) fn keyword(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"block" => Self::Block,
            b"break" => Self::Break,
            b"continue" => Self::Continue,
            b"define" => Self::Define,
            b"else" => Self::Else,
            b"end" => Self::End,
            b"if" => Self::If,
            b"range" => Self::Range,
            b"nil" => Self::Nil,
            b"template" => Self::Template,
            b"with" => Self::With,
            b"true" | b"false" => Self::Bool,
            _ => return None,
        })
    }

    fn prints_bare(self) -> bool {
        matches!(
            self,
            Self::Block
                | Self::Break
                | Self::Continue
                | Self::Dot
                | Self::Define
                | Self::Else
                | Self::End
                | Self::If
                | Self::Nil
                | Self::Range
                | Self::Template
                | Self::With
        )
    }
}

/// A token: a range of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: Position,
    pub(super) end: Position,
}

/// Reads a text from front to back, token by token. Its places fit into positions.
pub(super) struct Lexer<'t> {
    text: &'t [u8],
    left: &'static [u8],
    right: &'static [u8],
    at: usize,
    start: usize,
    inside: bool,
    parens: u32,
    /// What the last token of kind [`Kind::Error`] says; after one, only ends follow.
    error: Option<String>,
    /// `break` and `continue` are keywords unless functions have these names.
    keyword_break: bool,
    keyword_continue: bool,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(
        text: &'t [u8],
        delimiters: Delimiters,
        keyword_break: bool,
        keyword_continue: bool,
    ) -> Self {
        Self {
            text,
            left: delimiters.left.as_bytes(),
            right: delimiters.right.as_bytes(),
            at: 0,
            start: 0,
            inside: false,
            parens: 0,
            error: None,
            keyword_break,
            keyword_continue,
        }
    }

    /// The text of a token.
    pub(super) fn value(&self, token: Token) -> &'t [u8] {
        &self.text[token.start as usize..token.end as usize]
    }

    /// How a token reads in an error message.
    pub(super) fn describe(&self, token: Token) -> String {
        let value = self.value(token);
        match token.kind {
            Kind::Eof => "EOF".to_owned(),
            Kind::Error => self.error.clone().unwrap_or_default(),
            kind if kind.prints_bare() => format!("<{}>", String::from_utf8_lossy(value)),
            _ if value.len() > 10 => {
                let mut end = 0;
                for _ in 0..10 {
                    end += value
                        .get(end..)
                        .filter(|rest| !rest.is_empty())
                        .map_or(0, |rest| decode(rest).1);
                }
                format!("{}...", quote(&value[..end]))
            }
            _ => quote(value),
        }
    }

    #[inline]
    pub(super) fn next(&mut self) -> Token {
        if self.inside {
            self.action()
        } else {
            self.literal()
        }
    }

    #[inline]
    pub(super) fn text(&self) -> &'t [u8] {
        self.text
    }

    /// Where it is.
    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// Goes on at a place in the current action, with no parenthesis open.
    pub(super) fn go_on(&mut self, at: usize) {
        self.at = at;
        self.start = at;
        self.parens = 0;
    }

    fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn peek(&self) -> Option<char> {
        let rest = self.rest();
        match rest.first() {
            None => None,
            Some(byte) if byte.is_ascii() => Some(char::from(*byte)),
            Some(_) => Some(decode(rest).0),
        }
    }

    fn advance(&mut self) -> Option<char> {
        let rest = self.rest();
        let first = *rest.first()?;
        if first.is_ascii() {
            self.at += 1;
            return Some(char::from(first));
        }
        let (c, length) = decode(rest);
        self.at += length;
        Some(c)
    }

    #[inline]
    fn emit(&mut self, kind: Kind) -> Token {
        let token = Token {
            kind,
            start: position(self.start),
            end: position(self.at),
        };
        self.start = self.at;
        token
    }

    /// Skips what was passed.
    fn ignore(&mut self) {
        self.start = self.at;
    }

    /// The line on which a token begins. Only errors ask, so it is counted when they do.
    #[cold]
    pub(super) fn line(&self, token: Token) -> u32 {
        // The end that follows an error is where the error is.
        let start = match token.kind {
            Kind::Eof if self.error.is_some() => self.start.min(self.text.len()),
            _ => token.start as usize,
        };
        let lines = memchr_iter(b'\n', &self.text[..start]).count();
        u32::try_from(lines + 1).unwrap_or(u32::MAX)
    }

    #[cold]
    fn fail(&mut self, message: impl Into<String>) -> Token {
        self.error = Some(message.into());
        self.inside = false;
        let here = position(self.start.min(self.text.len()));
        Token {
            kind: Kind::Error,
            start: here,
            end: here,
        }
    }

    /// Text up to the next action. Comments are skipped here.
    #[inline(never)]
    fn literal(&mut self) -> Token {
        if self.error.is_some() {
            return Token {
                kind: Kind::Eof,
                start: 0,
                end: 0,
            };
        }
        loop {
            let Some(length) = find(self.rest(), self.left) else {
                self.at = self.text.len();
                if self.at > self.start {
                    return self.emit(Kind::Text);
                }
                return self.emit(Kind::Eof);
            };
            let delimiter = self.at + length;
            let inside = delimiter + self.left.len();
            let trim = has_left_trim_marker(&self.text[inside..]);
            let text = &self.text[self.start..delimiter];
            let kept = if trim {
                trim_end(text).len()
            } else {
                text.len()
            };
            if kept > 0 {
                self.at = self.start + kept;
                let token = self.emit(Kind::Text);
                self.at = delimiter;
                self.ignore();
                return token;
            }
            self.at = delimiter;
            self.ignore();
            let marker = if trim { 2 } else { 0 };
            if !self.text[inside + marker..].starts_with(b"/*") {
                self.at = inside;
                let token = self.emit(Kind::LeftDelim);
                self.inside = true;
                self.at += marker;
                self.ignore();
                self.parens = 0;
                return token;
            }
            self.at = inside + marker;
            self.ignore();
            let Some(length) = find(&self.text[self.at + 2..], b"*/") else {
                return self.fail("unclosed comment");
            };
            self.at += 2 + length + 2;
            let Some(trim) = self.at_right_delim() else {
                return self.fail("comment ends before closing delimiter");
            };
            self.pass_right_delim(trim);
            self.ignore();
        }
    }

    /// `Some(trims)` if the closing delimiter is next.
    fn at_right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if begins_with(rest, self.right) {
            return Some(false);
        }
        let [blank, b'-', rest @ ..] = rest else {
            return None;
        };
        (is_space(*blank) && begins_with(rest, self.right)).then_some(true)
    }

    /// Moves behind the closing delimiter and, if it trims, behind the blanks that follow.
    fn pass_right_delim(&mut self, trim: bool) {
        self.at += self.right.len() + if trim { 2 } else { 0 };
        if trim {
            self.at += self
                .rest()
                .iter()
                .take_while(|byte| is_space(**byte))
                .count();
        }
    }

    fn right_delim(&mut self, trim: bool) -> Token {
        if trim {
            self.at += 2;
            self.ignore();
        }
        self.at += self.right.len();
        let token = self.emit(Kind::RightDelim);
        if trim {
            self.at += self
                .rest()
                .iter()
                .take_while(|byte| is_space(**byte))
                .count();
            self.ignore();
        }
        self.inside = false;
        token
    }

    /// One token of an action. What most tokens are comes before the rare ones.
    fn action(&mut self) -> Token {
        let Some(first) = self.byte() else {
            return self.fail("unclosed action");
        };
        let class = CLASSES[usize::from(first)];
        if (class & BLANK != 0 || self.right.first() == Some(&first))
            && let Some(trim) = self.at_right_delim()
        {
            if self.parens == 0 {
                return self.right_delim(trim);
            }
            return self.fail("unclosed left paren");
        }
        if class & BLANK != 0 {
            return self.space();
        }
        if class & WORD != 0 && !first.is_ascii_digit() {
            return self.identifier();
        }
        if matches!(first, b'.' | b'$') && self.before_word() {
            self.at += 2;
            return self.name(match first {
                b'.' => Kind::Field,
                _ => Kind::Variable,
            });
        }
        self.sign(first)
    }

    /// Whether a word of ASCII that does not begin with a digit stands behind the first byte.
    fn before_word(&self) -> bool {
        self.text.get(self.at + 1).is_some_and(|byte| {
            let word = CLASSES[usize::from(*byte)] & WORD != 0;
            word && !byte.is_ascii_digit() && self.right.first() != Some(byte)
        })
    }

    /// A token that begins with neither a blank nor a word.
    fn sign(&mut self, first: u8) -> Token {
        self.at += 1;
        match first {
            b'=' => self.emit(Kind::Assign),
            b':' => match self.advance() {
                Some('=') => self.emit(Kind::Declare),
                _ => self.fail("expected :="),
            },
            b'|' => self.emit(Kind::Pipe),
            b'"' => self.quoted(b'"', Kind::String, "unterminated quoted string"),
            b'\'' => self.quoted(b'\'', Kind::CharConstant, "unterminated character constant"),
            b'`' => {
                let Some(length) = memchr(b'`', self.rest()) else {
                    return self.fail("unterminated raw quoted string");
                };
                self.at += length + 1;
                self.emit(Kind::RawString)
            }
            b'$' if self.at_terminator() => self.emit(Kind::Variable),
            b'$' => self.name(Kind::Variable),
            b'.' if self.byte().is_some_and(|byte| !byte.is_ascii_digit()) => {
                if self.at_terminator() {
                    self.emit(Kind::Dot)
                } else {
                    self.name(Kind::Field)
                }
            }
            b'.' | b'+' | b'-' | b'0'..=b'9' => {
                self.at -= 1;
                self.number()
            }
            b'(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen)
            }
            b')' => match self.parens.checked_sub(1) {
                Some(parens) => {
                    self.parens = parens;
                    self.emit(Kind::RightParen)
                }
                None => self.fail("unexpected right paren"),
            },
            b'!'..=b'~' => self.emit(Kind::Char),
            _ => self.foreign(),
        }
    }

    /// A word that begins beyond ASCII, or what has no place in an action.
    #[cold]
    fn foreign(&mut self) -> Token {
        self.at -= 1;
        match self.advance() {
            Some(c) if is_alphanumeric(c) => self.identifier(),
            Some(c) => self.fail(format!("unrecognized character in action: {}", unicode(c))),
            None => self.fail("unclosed action"),
        }
    }

    /// A run of blanks; the last one may belong to the closing delimiter.
    #[inline]
    fn space(&mut self) -> Token {
        self.at += 1;
        while self.byte().is_some_and(is_space) {
            self.at += 1;
        }
        if self.byte() == Some(b'-') && begins_with(&self.rest()[1..], self.right) {
            self.at -= 1;
        }
        self.emit(Kind::Space)
    }

    fn quoted(&mut self, delimiter: u8, kind: Kind, unterminated: &str) -> Token {
        loop {
            // Bytes do: none of a character beyond ASCII looks like one that matters here.
            match self.byte() {
                None | Some(b'\n') => return self.fail(unterminated),
                Some(b'\\') => {
                    self.at += 1;
                    if matches!(self.byte(), None | Some(b'\n')) {
                        return self.fail(unterminated);
                    }
                    self.at += 1;
                }
                Some(byte) => {
                    self.at += 1;
                    if byte == delimiter {
                        return self.emit(kind);
                    }
                }
            }
        }
    }

    fn identifier(&mut self) -> Token {
        self.pass_word();
        if !self.at_terminator() {
            return self.bad_character();
        }
        let kind = match Kind::keyword(&self.text[self.start..self.at]) {
            Some(Kind::Break) if !self.keyword_break => Kind::Identifier,
            Some(Kind::Continue) if !self.keyword_continue => Kind::Identifier,
            Some(kind) => kind,
            None => Kind::Identifier,
        };
        self.emit(kind)
    }

    /// The rest of a field or variable.
    fn name(&mut self, kind: Kind) -> Token {
        self.pass_word();
        if self.at_terminator() {
            self.emit(kind)
        } else {
            self.bad_character()
        }
    }

    /// Moves behind letters, digits and underscores.
    #[inline]
    fn pass_word(&mut self) {
        loop {
            let rest = self.rest();
            let word = rest
                .iter()
                .position(|byte| CLASSES[usize::from(*byte)] & WORD == 0);
            let length = word.unwrap_or(rest.len());
            self.at += length;
            match rest.get(length) {
                Some(0x80..) => {}
                _ => return,
            }
            let (c, length) = decode(&rest[length..]);
            if !is_alphanumeric(c) {
                return;
            }
            self.at += length;
        }
    }

    fn bad_character(&mut self) -> Token {
        let c = self.peek().map(unicode).unwrap_or_default();
        self.fail(format!("bad character {c}"))
    }

    #[inline]
    fn at_terminator(&self) -> bool {
        match self.byte() {
            None => true,
            Some(byte) if CLASSES[usize::from(byte)] & TERMINATOR != 0 => true,
            Some(_) => begins_with(self.rest(), self.right),
        }
    }

    fn number(&mut self) -> Token {
        if !self.scan_number() {
            return self.bad_number();
        }
        if !matches!(self.peek(), Some('+' | '-')) {
            return self.emit(Kind::Number);
        }
        if self.scan_number() && self.text[self.at - 1] == b'i' {
            return self.emit(Kind::Complex);
        }
        self.bad_number()
    }

    fn bad_number(&mut self) -> Token {
        let number = quote(&self.text[self.start..self.at]);
        self.fail(format!("bad number syntax: {number}"))
    }

    fn scan_number(&mut self) -> bool {
        self.accept(b"+-");
        let mut digits: &[u8] = b"0123456789_";
        if self.accept(b"0") {
            if self.accept(b"xX") {
                digits = b"0123456789abcdefABCDEF_";
            } else if self.accept(b"oO") {
                digits = b"01234567_";
            } else if self.accept(b"bB") {
                digits = b"01_";
            }
        }
        while self.accept(digits) {}
        if self.accept(b".") {
            while self.accept(digits) {}
        }
        let exponent: &[u8] = match digits.len() {
            11 => b"eE",
            23 => b"pP",
            _ => b"",
        };
        if self.accept(exponent) {
            self.accept(b"+-");
            while self.accept(b"0123456789_") {}
        }
        self.accept(b"i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.advance();
            return false;
        }
        true
    }

    fn accept(&mut self, valid: &[u8]) -> bool {
        let found = self.rest().first().is_some_and(|byte| valid.contains(byte));
        self.at += usize::from(found);
        found
    }
}

/// Letters, digits and the underscore.
const WORD: u8 = 1;
/// What may stand behind a word.
const TERMINATOR: u8 = 2;
const BLANK: u8 = 4;

static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0u8;
    loop {
        classes[byte as usize] = match byte {
            b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => WORD,
            b' ' | b'\t' | b'\r' | b'\n' => TERMINATOR | BLANK,
            b'.' | b',' | b'|' | b':' | b')' | b'(' => TERMINATOR,
            _ => 0,
        };
        if byte == u8::MAX {
            break classes;
        }
        byte += 1;
    }
};

/// Places fit, as texts longer than a position can count were refused.
fn position(at: usize) -> Position {
    Position::try_from(at).unwrap_or(Position::MAX)
}

/// Where a short text is found first.
fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    loop {
        let at = from + memchr(first, text.get(from..)?)?;
        if begins_with(&text[at..], wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// [`slice::starts_with`] for delimiters, which are too short for a call.
#[inline]
fn begins_with(text: &[u8], wanted: &[u8]) -> bool {
    text.len() >= wanted.len() && text.iter().zip(wanted).all(|(a, b)| a == b)
}

/// Letters, digits and the underscore; none beyond ASCII.
#[inline]
pub(super) fn in_word(byte: u8) -> bool {
    CLASSES[usize::from(byte)] & WORD != 0
}

#[inline]
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn has_left_trim_marker(text: &[u8]) -> bool {
    text.len() >= 2 && text[0] == b'-' && is_space(text[1])
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphanumeric())
}

/// `%#U`: `U+002D '-'`.
fn unicode(c: char) -> String {
    let code = u32::from(c);
    if is_print(c) {
        format!("U+{code:04X} '{c}'")
    } else {
        format!("U+{code:04X}")
    }
}

/// Trims exactly the four blanks that templates know.
fn trim_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !is_space(*byte));
    &text[..end.map_or(0, |at| at + 1)]
}
