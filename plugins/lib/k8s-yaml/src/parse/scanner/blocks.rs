//! Scalars whose lines are taken as they are: `|` and `>`.

use super::Problem;
use super::cursor::{Cursor, Mark};
use crate::node::Style;

/// What a block scalar keeps of the line breaks at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

/// What is said behind `|` or `>`.
#[derive(Debug)]
pub(in crate::parse) struct BlockHeader {
    chomping: Chomping,
    /// How much further than its collection the text is indented, 0 if the text itself shows it.
    increment: usize,
}

impl Cursor<'_> {
    /// The lines of a block scalar in a collection at column `parent`, -1 outside of all, and the offset behind them.
    pub(in crate::parse) fn scan_block_text(
        &mut self,
        style: Style,
        header: &BlockHeader,
        parent: i64,
        start: Mark,
    ) -> Result<(String, u32), Problem> {
        let outer = usize::try_from(parent).unwrap_or(0);
        let least = usize::try_from(parent + 1).unwrap_or(0).max(1);
        let indent = match header.increment {
            0 => None,
            increment => Some(outer + increment),
        };
        let mut end = self.offset();
        let mut out = String::new();
        let mut first_break = None;
        let mut breaks = String::new();
        let indent = self.scan_block_breaks(indent, least, &mut breaks, start)?;
        let mut after_blank = false;
        while self.bytes_in_line() == indent && !self.at_end() {
            let blank = self.blank(0);
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
            let line_end = self.line_end();
            out.push_str(self.slice(self.at(), line_end));
            self.advance_to(line_end);
            first_break = self.read_break();
            end = self.offset();
            self.scan_block_breaks(Some(indent), least, &mut breaks, start)?;
        }
        if header.chomping != Chomping::Strip {
            out.extend(first_break);
        }
        if header.chomping == Chomping::Keep {
            out.push_str(&breaks);
        }
        Ok((out, end))
    }

    /// What stands behind `|` or `>` up to blanks, a comment or the end of the line.
    pub(in crate::parse) fn scan_block_header(
        &mut self,
        start: Mark,
    ) -> Result<BlockHeader, Problem> {
        self.advance(1);
        let mut chomping = Chomping::Clip;
        let mut increment = 0;
        let (mut chomping_seen, mut increment_seen) = (false, false);
        loop {
            match self.byte(0) {
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
            self.advance(1);
        }
        self.skip_blanks(true);
        Ok(BlockHeader {
            chomping,
            increment,
        })
    }

    /// Skips indentation and empty lines; finds the indentation out if it is not known.
    fn scan_block_breaks(
        &mut self,
        indent: Option<usize>,
        least: usize,
        breaks: &mut String,
        start: Mark,
    ) -> Result<usize, Problem> {
        let farthest = indent.unwrap_or(usize::MAX);
        let mut deepest = 0;
        loop {
            while self.bytes_in_line() < farthest && self.byte(0) == b' ' {
                self.skip_blank();
            }
            deepest = deepest.max(self.bytes_in_line());
            if self.bytes_in_line() < farthest && self.byte(0) == b'\t' {
                let text = "found a tab character where an indentation space is expected";
                return Err(self.problem(text, Some(start)));
            }
            match self.read_break() {
                Some(meaning) => breaks.push(meaning),
                None => break,
            }
        }
        Ok(indent.unwrap_or_else(|| deepest.max(least)))
    }
}
