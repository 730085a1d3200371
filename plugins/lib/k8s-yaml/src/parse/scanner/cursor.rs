//! A place in a text that moves forward.

use super::{Problem, TokenKind};

/// A place in a text, counted from zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::parse) struct Mark {
    /// In bytes.
    pub(in crate::parse) offset: u32,
    pub(in crate::parse) line: u32,
    /// In characters.
    pub(in crate::parse) column: u32,
}

impl Mark {
    pub(in crate::parse) const START: Mark = Mark {
        offset: 0,
        line: 0,
        column: 0,
    };
}

/// Reads a text byte by byte. Every multi-byte character that has a meaning to YAML is a line break.
#[derive(Debug, Clone, Copy)]
pub(in crate::parse) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    line_start: usize,
    /// Characters are counted only when somebody asks, from the last place where somebody did.
    counted_to: usize,
    counted: u32,
    /// Lines ended since the last character that is not blank.
    pub(super) newlines: u32,
}

impl<'a> Cursor<'a> {
    pub(in crate::parse) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            line: 0,
            line_start: 0,
            counted_to: 0,
            counted: 0,
            newlines: 0,
        }
    }

    pub(in crate::parse) fn mark(&mut self) -> Mark {
        Mark {
            offset: self.offset(),
            line: self.line,
            column: self.column(),
        }
    }

    /// Fits because texts are limited to 4 GiB.
    pub(in crate::parse) fn offset(&self) -> u32 {
        u32::try_from(self.at).unwrap_or(u32::MAX)
    }

    pub(in crate::parse) fn at(&self) -> usize {
        self.at
    }

    pub(in crate::parse) fn line(&self) -> u32 {
        self.line
    }

    pub(super) fn source(&self) -> &'a str {
        self.text
    }

    pub(in crate::parse) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// The column in characters.
    pub(in crate::parse) fn column(&mut self) -> u32 {
        if self.counted_to < self.line_start {
            self.counted_to = self.line_start;
            self.counted = 0;
        }
        let new = &self.text.as_bytes()[self.counted_to..self.at];
        let characters = new.iter().filter(|byte| (**byte & 0xc0) != 0x80).count();
        self.counted += u32::try_from(characters).unwrap_or(u32::MAX);
        self.counted_to = self.at;
        self.counted
    }

    /// Bytes since the start of the line: the column of a place before which only ASCII stands.
    pub(in crate::parse) fn bytes_in_line(&self) -> usize {
        self.at - self.line_start
    }

    pub(in crate::parse) fn at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// The byte at a distance, 0 behind the end. A text that was checked has no other 0.
    pub(in crate::parse) fn byte(&self, ahead: usize) -> u8 {
        self.text
            .as_bytes()
            .get(self.at + ahead)
            .copied()
            .unwrap_or(0)
    }

    pub(super) fn blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    /// The length of the line break at a distance, 0 if there is none.
    pub(super) fn break_len(&self, ahead: usize) -> usize {
        match self.byte(ahead) {
            b'\n' => 1,
            b'\r' if self.byte(ahead + 1) == b'\n' => 2,
            b'\r' => 1,
            0xc2 if self.byte(ahead + 1) == 0x85 => 2,
            0xe2 if self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xa8 | 0xa9) => {
                3
            }
            _ => 0,
        }
    }

    pub(in crate::parse) fn break_or_end(&self, ahead: usize) -> bool {
        self.at + ahead >= self.text.len() || self.break_len(ahead) > 0
    }

    pub(in crate::parse) fn blank_or_end(&self, ahead: usize) -> bool {
        self.blank(ahead) || self.break_or_end(ahead)
    }

    /// `---` or `...` at the start of a line, followed by nothing that would make it a word.
    pub(in crate::parse) fn document_marker(&self) -> Option<TokenKind<'a>> {
        if self.at != self.line_start {
            return None;
        }
        let rest = &self.text.as_bytes()[self.at..];
        let kind = match rest.get(..3)? {
            b"---" => TokenKind::DocumentStart,
            b"..." => TokenKind::DocumentEnd,
            _ => return None,
        };
        self.blank_or_end(3).then_some(kind)
    }

    /// Moves over bytes of the current line that are not all blank.
    pub(in crate::parse) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
        if bytes > 0 {
            self.newlines = 0;
        }
    }

    /// Moves to an offset in the current line.
    pub(in crate::parse) fn advance_to(&mut self, at: usize) {
        self.advance(at.saturating_sub(self.at));
    }

    pub(in crate::parse) fn skip_blanks(&mut self, tabs: bool) {
        while self.byte(0) == b' ' || (tabs && self.byte(0) == b'\t') {
            self.at += 1;
        }
    }

    /// Moves over one blank.
    pub(super) fn skip_blank(&mut self) {
        self.at += 1;
    }

    /// Moves to the end of the line.
    pub(in crate::parse) fn skip_line_text(&mut self) {
        let end = self.line_end();
        self.advance_to(end);
    }

    /// The offset of the line break that ends the current line, or of the end.
    pub(super) fn line_end(&self) -> usize {
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        while at < bytes.len() {
            let piece = bytes[at..].first_chunk::<8>();
            if piece.is_some_and(|piece| !may_break(u64::from_le_bytes(*piece))) {
                at += 8;
                continue;
            }
            let stop = bytes.len().min(at + 8);
            while at < stop {
                let ends = match bytes[at] {
                    b'\n' | b'\r' => true,
                    0xc2 | 0xe2 => self.break_len(at - self.at) > 0,
                    _ => false,
                };
                if ends {
                    return at;
                }
                at += 1;
            }
        }
        at
    }

    /// Whether the line behind the break that stands here is empty or indented further than a column.
    pub(in crate::parse) fn may_go_on(&self, column: usize) -> bool {
        let rest = &self.text.as_bytes()[self.at + self.break_len(0)..];
        let blanks = rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        match rest.get(blanks) {
            None => false,
            Some(b'\n' | b'\r' | 0xc2 | 0xe2) => true,
            Some(_) => blanks > column,
        }
    }

    /// Where a plain scalar outside of brackets ends that begins here and does not go beyond this line; nothing if none
    /// begins here.
    pub(in crate::parse) fn plain_line_end(&self) -> Option<usize> {
        match self.byte(0) {
            b'-' | b'?' | b':' if self.blank_or_end(1) => return None,
            0 | b' ' | b'\t' | b'\n' | b'\r' => return None,
            b'[' | b']' | b'{' | b'}' | b',' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' => {
                return None;
            }
            b'\'' | b'"' | b'%' | b'@' | b'`' => return None,
            _ => {}
        }
        let bytes = &self.text.as_bytes()[self.at..];
        let mut end = 0;
        loop {
            end += next_mark(&bytes[end..]);
            let stops = match bytes.get(end) {
                None | Some(b'\n' | b'\r') => true,
                Some(b':') => self.blank_or_end(end + 1),
                Some(b'#') => end > 0 && matches!(bytes[end - 1], b' ' | b'\t'),
                Some(_) => self.break_len(end) > 0,
            };
            if stops {
                break;
            }
            end += 1;
        }
        let blanks = bytes[..end]
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        (end > blanks).then_some(self.at + end - blanks)
    }

    pub(in crate::parse) fn skip_break(&mut self) -> bool {
        self.read_break().is_some()
    }

    /// Moves over a line break and gives what it means: two kinds of breaks stay what they are, the others are line feeds.
    pub(super) fn read_break(&mut self) -> Option<char> {
        let length = self.break_len(0);
        let meaning = match (length, self.byte(2)) {
            (0, _) => return None,
            (3, 0xa8) => '\u{2028}',
            (3, _) => '\u{2029}',
            _ => '\n',
        };
        self.at += length;
        self.line += 1;
        self.line_start = self.at;
        self.newlines += 1;
        Some(meaning)
    }

    /// What is wrong here, with the thing that began at `context`.
    pub(super) fn problem(&mut self, text: &'static str, context: Option<Mark>) -> Problem {
        let at = self.mark();
        Problem {
            text,
            at,
            context: Some(context.unwrap_or(at)),
            scanner: true,
        }
    }

    /// The end of the text also ends its last line.
    pub(in crate::parse) fn force_new_line(&mut self) {
        if self.at != self.line_start {
            self.line += 1;
            self.line_start = self.at;
            self.counted_to = self.at;
            self.counted = 0;
        }
    }
}

const ONES: u64 = u64::MAX / 0xff;

/// The high bit of each of eight bytes that is the one looked for, and maybe that of bytes behind the first such.
fn marks(bytes: u64, wanted: u8) -> u64 {
    let rest = bytes ^ (ONES * u64::from(wanted));
    rest.wrapping_sub(ONES) & !rest
}

/// Whether one of eight bytes is one that a line break can begin with, or is beyond ASCII.
fn may_break(bytes: u64) -> bool {
    (bytes | marks(bytes, b'\n') | marks(bytes, b'\r')) & (ONES << 7) != 0
}

/// How many bytes stand before one that may end a plain scalar.
fn next_mark(bytes: &[u8]) -> usize {
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (at, chunk) in chunks.iter().enumerate() {
        let chunk = u64::from_le_bytes(*chunk);
        let found = chunk
            | marks(chunk, b'\n')
            | marks(chunk, b'\r')
            | marks(chunk, b':')
            | marks(chunk, b'#');
        let found = found & (ONES << 7);
        if found != 0 {
            return at * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let ends = |byte: &u8| matches!(byte, b'\n' | b'\r' | b':' | b'#' | 0x80..);
    let before = bytes.len() - rest.len();
    before + rest.iter().position(ends).unwrap_or(rest.len())
}
