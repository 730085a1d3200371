//! Plain scalars, which end where something else begins.

use std::borrow::Cow;

use super::Problem;
use super::cursor::{Cursor, Mark};
use super::folding::{Breaks, Pieces};

/// A plain scalar, which may go over several lines.
#[derive(Debug)]
pub(in crate::parse) struct Plain<'a> {
    pub(in crate::parse) text: Cow<'a, str>,
    pub(in crate::parse) end: u32,
    /// Whether line breaks behind it were passed.
    pub(in crate::parse) breaks: bool,
}

impl<'a> Cursor<'a> {
    /// Reads on for as long as lines are indented so far.
    pub(in crate::parse) fn scan_plain(
        &mut self,
        indent: usize,
        in_flow: bool,
        start: Mark,
    ) -> Result<Plain<'a>, Problem> {
        let mut pieces = Pieces::new(self.source(), self.at());
        let mut end = self.offset();
        let mut breaks = Breaks::default();
        loop {
            if self.document_marker().is_some() || self.byte(0) == b'#' {
                break;
            }
            let from = self.at();
            let to = self.plain_end(from, in_flow);
            if to > from {
                if !breaks.is_empty() {
                    pieces.fold(&breaks, from);
                    breaks = Breaks::default();
                }
                pieces.extend_to(to);
                self.advance_to(to);
                end = self.offset();
            }
            if self.at_end() || !self.blank_or_end(0) {
                break;
            }
            self.skip_plain_breaks(&mut breaks, indent, start)?;
            if !in_flow && self.bytes_in_line() < indent {
                break;
            }
        }
        Ok(Plain {
            text: pieces.finish(),
            end,
            breaks: !breaks.is_empty(),
        })
    }

    /// Where the words of a plain scalar end on this line, at a blank, a line break or an indicator.
    fn plain_end(&self, from: usize, in_flow: bool) -> usize {
        let mut ahead = 0;
        loop {
            match self.byte(ahead) {
                b' ' | b'\t' | b'\n' | b'\r' => break,
                b':' if self.blank_or_end(ahead + 1) => break,
                b',' | b'?' | b'[' | b']' | b'{' | b'}' if in_flow => break,
                0 | 0xc2 | 0xe2 if self.break_or_end(ahead) => break,
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
            if self.blank(0) {
                let tab = self.byte(0) == b'\t';
                if tab && !breaks.is_empty() && self.bytes_in_line() < indent {
                    return Err(self.problem(
                        "found a tab character that violates indentation",
                        Some(start),
                    ));
                }
                self.skip_blank();
            } else if let Some(meaning) = self.read_break() {
                match breaks.first {
                    None => breaks.first = Some(meaning),
                    Some(_) => breaks.others.push(meaning),
                }
            } else {
                return Ok(());
            }
        }
    }
}
