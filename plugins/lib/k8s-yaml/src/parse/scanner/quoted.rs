//! Scalars in quotes.

use std::borrow::Cow;

use super::Problem;
use super::cursor::{Cursor, Mark};
use super::folding::{Breaks, Pieces};

impl<'a> Cursor<'a> {
    pub(in crate::parse) fn scan_quoted(
        &mut self,
        start: Mark,
        single: bool,
    ) -> Result<(Cow<'a, str>, u32), Problem> {
        let quote = if single { b'\'' } else { b'"' };
        self.advance(1);
        let mut pieces = Pieces::new(self.source(), self.at());
        loop {
            self.skip_quoted_text(quote);
            pieces.extend_to(self.at());
            match self.byte(0) {
                byte if byte == quote => {
                    if !(single && self.byte(1) == quote) {
                        break;
                    }
                    self.advance(2);
                    pieces.insert('\'', self.at());
                }
                b'\\' if !single && self.break_len(1) > 0 => {
                    self.advance(1);
                    self.skip_break();
                    self.fold_quoted(&mut pieces, Breaks::default(), start)?;
                }
                b'\\' if !single => {
                    let character = self.scan_escape(start)?;
                    pieces.insert(character, self.at());
                }
                _ if self.blank(0) => {
                    while self.blank(0) {
                        self.skip_blank();
                    }
                    // Blanks inside of a line stay, those before its end go.
                    if self.break_len(0) == 0 {
                        continue;
                    }
                    self.fold_quoted(&mut pieces, Breaks::default(), start)?;
                }
                _ if self.break_len(0) > 0 => {
                    self.fold_quoted(&mut pieces, Breaks::default(), start)?
                }
                _ => return Err(self.problem("found unexpected end of stream", Some(start))),
            }
        }
        self.advance(1);
        Ok((pieces.finish(), self.offset()))
    }

    /// Moves to what is not simply text in quotes.
    fn skip_quoted_text(&mut self, quote: u8) {
        let mut ahead = 0;
        loop {
            match self.byte(ahead) {
                byte if byte == quote => break,
                b' ' | b'\t' | b'\n' | b'\r' => break,
                b'\\' if quote == b'"' => break,
                0 | 0xc2 | 0xe2 if self.break_or_end(ahead) => break,
                _ => ahead += 1,
            }
        }
        self.advance(ahead);
    }

    /// Folds the breaks and blanks from here to the next text. The first break is missing if it was escaped.
    fn fold_quoted(
        &mut self,
        pieces: &mut Pieces<'a>,
        mut breaks: Breaks,
        start: Mark,
    ) -> Result<(), Problem> {
        let escaped = self.bytes_in_line() == 0;
        if !escaped {
            breaks.first = self.read_break();
        }
        loop {
            if self.blank(0) {
                self.skip_blank();
            } else if let Some(meaning) = self.read_break() {
                breaks.others.push(meaning);
            } else {
                break;
            }
        }
        pieces.fold(&breaks, self.at());
        if self.document_marker().is_some() {
            return Err(self.problem("found unexpected document indicator", Some(start)));
        }
        Ok(())
    }

    fn scan_escape(&mut self, start: Mark) -> Result<char, Problem> {
        let character = match self.byte(1) {
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
            _ => return Err(self.problem("found unknown escape character", Some(start))),
        };
        self.advance(2);
        Ok(character)
    }

    /// `\x41`, `\u0041`, `\U00000041`; also the pairs of `\u` with which JSON writes characters beyond 16 bits.
    fn scan_code(&mut self, digits: usize, start: Mark) -> Result<char, Problem> {
        self.advance(2);
        let mut code = self.hexadecimal(0, digits, start)?;
        let mut length = digits;
        let paired = digits == 4 && self.byte(4) == b'\\' && self.byte(5) == b'u';
        if (0xd800..0xdc00).contains(&code) && paired {
            let low = self.hexadecimal(6, 4, start)?;
            if (0xdc00..0xe000).contains(&low) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                length = 10;
            }
        }
        let Some(character) = char::from_u32(code) else {
            return Err(self.problem("found invalid Unicode character escape code", Some(start)));
        };
        self.advance(length);
        Ok(character)
    }

    fn hexadecimal(&mut self, ahead: usize, digits: usize, start: Mark) -> Result<u32, Problem> {
        let mut value: u32 = 0;
        for at in ahead..ahead + digits {
            let Some(digit) = char::from(self.byte(at)).to_digit(16) else {
                return Err(self.problem("did not find expected hexdecimal number", Some(start)));
            };
            value = value << 4 | digit;
        }
        Ok(value)
    }
}
