//! The four forms of scalars.

use std::borrow::Cow;

use super::cursor::Mark;
use super::folding::{Breaks, Pieces};
use super::{Problem, Scanner};
use crate::node::Style;

/// What a block scalar keeps of the line breaks at its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

impl<'a> Scanner<'a> {
    pub(super) fn scan_plain(&mut self, start: Mark) -> Result<(Cow<'a, str>, u32), Problem> {
        let indent = usize::try_from(self.indent + 1).unwrap_or(0);
        let mut pieces = Pieces::new(self.cursor.source(), self.cursor.at());
        let mut end = self.cursor.offset();
        let mut breaks = Breaks::default();
        loop {
            if self.cursor.document_marker().is_some() || self.cursor.byte(0) == b'#' {
                break;
            }
            let from = self.cursor.at();
            let to = self.plain_end(from);
            if to > from {
                if !breaks.is_empty() {
                    pieces.fold(&breaks, from);
                    breaks = Breaks::default();
                }
                pieces.extend_to(to);
                self.cursor.advance_to(to);
                end = self.cursor.offset();
            }
            if self.cursor.at_end() || !self.cursor.blank_or_end(0) {
                break;
            }
            self.skip_plain_breaks(&mut breaks, indent, start)?;
            if self.flow_level == 0 && self.cursor.bytes_in_line() < indent {
                break;
            }
        }
        if !breaks.is_empty() {
            self.simple_key_allowed = true;
        }
        Ok((pieces.finish(), end))
    }

    /// Where the words of a plain scalar end on this line, at a blank, a line break or an indicator.
    fn plain_end(&self, from: usize) -> usize {
        let mut ahead = 0;
        loop {
            match self.cursor.byte(ahead) {
                b' ' | b'\t' | b'\n' | b'\r' => break,
                b':' if self.cursor.blank_or_end(ahead + 1) => break,
                b',' | b'?' | b'[' | b']' | b'{' | b'}' if self.flow_level > 0 => break,
                0 | 0xc2 | 0xe2 if self.cursor.break_or_end(ahead) => break,
                _ => ahead += 1,
            }
        }
        from + ahead
    }

    fn skip_plain_breaks(
        &mut self,
        breaks: &mut Breaks,
        indent: usize,
        start: Mark,
    ) -> Result<(), Problem> {
        loop {
            if self.cursor.blank(0) {
                let tab = self.cursor.byte(0) == b'\t';
                if tab && !breaks.is_empty() && self.cursor.bytes_in_line() < indent {
                    return Err(self.problem(
                        "found a tab character that violates indentation",
                        Some(start),
                    ));
                }
                self.cursor.skip_blank();
            } else if let Some(meaning) = self.cursor.read_break() {
                match breaks.first {
                    None => breaks.first = Some(meaning),
                    Some(_) => breaks.others.push(meaning),
                }
            } else {
                return Ok(());
            }
        }
    }

    pub(super) fn scan_quoted(
        &mut self,
        start: Mark,
        single: bool,
    ) -> Result<(Cow<'a, str>, u32), Problem> {
        let quote = if single { b'\'' } else { b'"' };
        self.cursor.advance(1);
        let mut pieces = Pieces::new(self.cursor.source(), self.cursor.at());
        loop {
            self.skip_quoted_text(quote);
            pieces.extend_to(self.cursor.at());
            match self.cursor.byte(0) {
                byte if byte == quote => {
                    if !(single && self.cursor.byte(1) == quote) {
                        break;
                    }
                    self.cursor.advance(2);
                    pieces.insert('\'', self.cursor.at());
                }
                b'\\' if !single && self.cursor.break_len(1) > 0 => {
                    self.cursor.advance(1);
                    self.cursor.skip_break();
                    self.fold_quoted(&mut pieces, Breaks::default(), start)?;
                }
                b'\\' if !single => {
                    let character = self.scan_escape(start)?;
                    pieces.insert(character, self.cursor.at());
                }
                _ if self.cursor.blank(0) => {
                    while self.cursor.blank(0) {
                        self.cursor.skip_blank();
                    }
                    // Blanks inside of a line stay, those before its end go.
                    if self.cursor.break_len(0) == 0 {
                        continue;
                    }
                    self.fold_quoted(&mut pieces, Breaks::default(), start)?;
                }
                _ if self.cursor.break_len(0) > 0 => {
                    self.fold_quoted(&mut pieces, Breaks::default(), start)?
                }
                _ => return Err(self.quoted_problem("found unexpected end of stream", start)),
            }
        }
        self.cursor.advance(1);
        Ok((pieces.finish(), self.cursor.offset()))
    }

    /// Moves to what is not simply text in quotes.
    fn skip_quoted_text(&mut self, quote: u8) {
        let mut ahead = 0;
        loop {
            match self.cursor.byte(ahead) {
                byte if byte == quote => break,
                b' ' | b'\t' | b'\n' | b'\r' => break,
                b'\\' if quote == b'"' => break,
                0 | 0xc2 | 0xe2 if self.cursor.break_or_end(ahead) => break,
                _ => ahead += 1,
            }
        }
        self.cursor.advance(ahead);
    }

    /// Folds the breaks and blanks from here to the next text. The first break is missing if it was escaped.
    fn fold_quoted(
        &mut self,
        pieces: &mut Pieces<'a>,
        mut breaks: Breaks,
        start: Mark,
    ) -> Result<(), Problem> {
        let escaped = self.cursor.bytes_in_line() == 0;
        if !escaped {
            breaks.first = self.cursor.read_break();
        }
        loop {
            if self.cursor.blank(0) {
                self.cursor.skip_blank();
            } else if let Some(meaning) = self.cursor.read_break() {
                breaks.others.push(meaning);
            } else {
                break;
            }
        }
        pieces.fold(&breaks, self.cursor.at());
        if self.cursor.document_marker().is_some() {
            return Err(self.quoted_problem("found unexpected document indicator", start));
        }
        Ok(())
    }

    fn scan_escape(&mut self, start: Mark) -> Result<char, Problem> {
        let character = match self.cursor.byte(1) {
            b'0' => '\0',
            b'a' => '\u{7}',
            b'b' => '\u{8}',
            b't' | b'\t' => '\t',
            b'n' => '\n',
            b'v' => '\u{b}',
            b'f' => '\u{c}',
            b'r' => '\r',
            b'e' => '\u{1b}',
            b' ' => ' ',
            b'"' => '"',
            b'\'' => '\'',
            b'/' => '/',
            b'\\' => '\\',
            b'N' => '\u{85}',
            b'_' => '\u{a0}',
            b'L' => '\u{2028}',
            b'P' => '\u{2029}',
            b'x' => return self.scan_code(2, start),
            b'u' => return self.scan_code(4, start),
            b'U' => return self.scan_code(8, start),
            _ => return Err(self.escape_problem("found unknown escape character", start)),
        };
        self.cursor.advance(2);
        Ok(character)
    }

    /// `\x41`, `\u0041`, `\U00000041`; also the pairs of `\u` with which JSON writes characters beyond 16 bits.
    fn scan_code(&mut self, digits: usize, start: Mark) -> Result<char, Problem> {
        self.cursor.advance(2);
        let mut code = self.hexadecimal(0, digits, start)?;
        let mut length = digits;
        let paired = digits == 4 && self.cursor.byte(4) == b'\\' && self.cursor.byte(5) == b'u';
        if (0xd800..0xdc00).contains(&code) && paired {
            let low = self.hexadecimal(6, 4, start)?;
            if (0xdc00..0xe000).contains(&low) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                length = 10;
            }
        }
        let Some(character) = char::from_u32(code) else {
            return Err(self.escape_problem("found invalid Unicode character escape code", start));
        };
        self.cursor.advance(length);
        Ok(character)
    }

    fn hexadecimal(&mut self, ahead: usize, digits: usize, start: Mark) -> Result<u32, Problem> {
        let mut value: u32 = 0;
        for at in ahead..ahead + digits {
            let Some(digit) = char::from(self.cursor.byte(at)).to_digit(16) else {
                return Err(self.escape_problem("did not find expected hexdecimal number", start));
            };
            value = value << 4 | digit;
        }
        Ok(value)
    }

    pub(super) fn scan_block_scalar(
        &mut self,
        start: Mark,
        style: Style,
    ) -> Result<(Cow<'a, str>, u32), Problem> {
        self.cursor.advance(1);
        let (chomping, increment) = self.scan_block_header(start)?;
        let parent = usize::try_from(self.indent).unwrap_or(0);
        let mut indent = if increment > 0 { parent + increment } else { 0 };
        let mut end = self.cursor.offset();
        let mut out = String::new();
        let mut first_break = None;
        let mut breaks = String::new();
        self.scan_block_breaks(&mut indent, &mut breaks, start)?;
        let mut after_blank = false;
        while self.cursor.bytes_in_line() == indent && !self.cursor.at_end() {
            let blank = self.cursor.blank(0);
            // Folding makes a space of the break between two lines that are not indented further.
            if style == Style::Folded && !after_blank && !blank && first_break == Some('\n') {
                if breaks.is_empty() {
                    out.push(' ');
                }
            } else {
                out.extend(first_break);
            }
            out.push_str(&breaks);
            breaks.clear();
            after_blank = blank;
            let line_end = self.cursor.line_end();
            out.push_str(self.cursor.slice(self.cursor.at(), line_end));
            self.cursor.advance_to(line_end);
            first_break = self.cursor.read_break();
            end = self.cursor.offset();
            self.scan_block_breaks(&mut indent, &mut breaks, start)?;
        }
        if chomping != Chomping::Strip {
            out.extend(first_break);
        }
        if chomping == Chomping::Keep {
            out.push_str(&breaks);
        }
        Ok((Cow::Owned(out), end))
    }

    fn scan_block_header(&mut self, start: Mark) -> Result<(Chomping, usize), Problem> {
        let mut chomping = Chomping::Clip;
        let mut increment = 0;
        let (mut chomping_seen, mut increment_seen) = (false, false);
        loop {
            match self.cursor.byte(0) {
                sign @ (b'+' | b'-') if !chomping_seen => {
                    chomping = if sign == b'+' {
                        Chomping::Keep
                    } else {
                        Chomping::Strip
                    };
                    chomping_seen = true;
                }
                b'0' if !increment_seen => {
                    return Err(
                        self.problem("found an indentation indicator equal to 0", Some(start))
                    );
                }
                digit @ b'1'..=b'9' if !increment_seen => {
                    increment = usize::from(digit - b'0');
                    increment_seen = true;
                }
                _ => break,
            }
            self.cursor.advance(1);
        }
        self.cursor.skip_blanks(true);
        if self.cursor.byte(0) == b'#' {
            if self.comments.is_some() {
                self.scan_line_comment(start);
            }
            self.cursor.skip_line_text();
        }
        if !self.cursor.break_or_end(0) {
            return Err(self.problem("did not find expected comment or line break", Some(start)));
        }
        self.cursor.skip_break();
        Ok((chomping, increment))
    }

    /// Skips indentation and empty lines; finds the indentation out if it is not known.
    fn scan_block_breaks(
        &mut self,
        indent: &mut usize,
        breaks: &mut String,
        start: Mark,
    ) -> Result<(), Problem> {
        let mut deepest = 0;
        loop {
            while (*indent == 0 || self.cursor.bytes_in_line() < *indent)
                && self.cursor.byte(0) == b' '
            {
                self.cursor.skip_blank();
            }
            deepest = deepest.max(self.cursor.bytes_in_line());
            if (*indent == 0 || self.cursor.bytes_in_line() < *indent)
                && self.cursor.byte(0) == b'\t'
            {
                let text = "found a tab character where an indentation space is expected";
                return Err(self.problem(text, Some(start)));
            }
            match self.cursor.read_break() {
                Some(meaning) => breaks.push(meaning),
                None => break,
            }
        }
        if *indent == 0 {
            let least = usize::try_from(self.indent + 1).unwrap_or(0).max(1);
            *indent = deepest.max(least);
        }
        Ok(())
    }

    fn quoted_problem(&mut self, text: &'static str, start: Mark) -> Problem {
        self.problem(text, Some(start))
    }

    fn escape_problem(&mut self, text: &'static str, start: Mark) -> Problem {
        self.problem(text, Some(start))
    }
}
