//! Which comment goes with which token, by go-yaml v3's rules.
//!
//! A comment above something is its head, one on the same line its line comment, and one below, before an empty line, its
//! foot. What looks simple depends on columns and empty lines; SOPS encrypts comments where these rules put them, so the
//! rules have to be the same.

use super::cursor::Mark;
use super::{Scanner, TokenKind};

/// A comment, in one of three roles, that goes with the first token at or behind `owner`.
#[derive(Debug, Default)]
pub(in crate::parse) struct CommentLine {
    pub(in crate::parse) owner: u32,
    pub(in crate::parse) head: String,
    pub(in crate::parse) line: String,
    pub(in crate::parse) foot: String,
    /// Where the white space begins in which it was found.
    scan_start: u32,
    start: Option<Mark>,
    end: u32,
}

/// How far the search for the next comment goes without finding anything but white space.
const FARTHEST: usize = 512;

impl Scanner<'_> {
    /// The token that a comment behind the coming one goes with.
    pub(super) fn comment_owner(&mut self, byte: u8) -> Mark {
        let goes_with_last = if self.flow_level == 0 {
            byte == b':'
        } else {
            byte == b','
        };
        match self.queue.back() {
            Some(last) if goes_with_last => last.start,
            _ => self.cursor.mark(),
        }
    }

    /// A comment behind a dash that is the first of its sequence and has nothing behind it is rather a head of what follows:
    ///
    /// ```yaml
    /// - # about the mapping
    ///   key: value
    /// ```
    pub(super) fn promote_line_comment(&mut self) {
        let line = self.cursor.line();
        let here = self.cursor.offset();
        let at_break = self.cursor.break_len(0) > 0;
        let count = self.queue.len();
        let first_dash = count > 1
            && matches!(self.queue[count - 1].kind, TokenKind::BlockEntry)
            && matches!(self.queue[count - 2].kind, TokenKind::BlockSequenceStart);
        let Some(comment) = self
            .comments
            .as_mut()
            .and_then(|comments| comments.back_mut())
        else {
            return;
        };
        if !first_dash || comment.line.is_empty() || at_break {
            return;
        }
        comment.head = std::mem::take(&mut comment.line);
        if comment.start.is_some_and(|start| start.line + 1 == line) {
            comment.owner = here;
        }
    }

    /// Reads a comment that stands behind something on the same line.
    pub(super) fn scan_line_comment(&mut self, owner: Mark) {
        if self.cursor.newlines > 0 {
            return;
        }
        let blanks = (0..FARTHEST)
            .take_while(|ahead| self.cursor.blank(*ahead))
            .count();
        if self.cursor.byte(blanks) != b'#' {
            return;
        }
        self.cursor.skip_blanks(true);
        let start = Some(self.cursor.mark());
        let line = self.comment_text();
        self.remember(CommentLine {
            owner: owner.offset,
            line,
            start,
            ..CommentLine::default()
        });
    }

    /// Reads comments that stand on lines of their own, up to the next token.
    pub(super) fn scan_comments(&mut self, scan_start: Mark) {
        let mut search = Search::new(self, scan_start);
        let mut ahead = 0;
        while ahead < FARTHEST {
            search.column += 1;
            if self.cursor.blank(ahead) {
                ahead += 1;
                continue;
            }
            let byte = self.cursor.byte(ahead);
            let here = self.cursor.offset() + u32::try_from(ahead).unwrap_or_default();
            let closes_flow = self.flow_level > 0 && matches!(byte, b']' | b'}');
            if closes_flow || self.cursor.break_or_end(ahead) {
                let at_end = self.cursor.break_len(ahead) == 0 && !closes_flow;
                if let Some(foot) = search.empty_line(closes_flow, at_end, here) {
                    self.remember(foot);
                }
                let step = self.break_step(ahead);
                if step == 0 {
                    break;
                }
                search.next_line();
                ahead += step;
                continue;
            }
            if let Some(foot) = search.dedented(here) {
                self.remember(foot);
            }
            if byte != b'#' {
                break;
            }
            search.begin_line(here);
            self.skip_ahead(ahead);
            let text = self.comment_text();
            search.text.push_str(&text);
            search.column = 0;
            search.line = self.cursor.line();
            search.indent = u32::try_from(self.indent).unwrap_or(0);
            // The break that ends the comment's own line is no empty line.
            ahead = self.break_step(0);
            if ahead == 0 {
                if let Some(foot) = search.empty_line(false, true, self.cursor.offset()) {
                    self.remember(foot);
                }
                break;
            }
        }
        let end = self.cursor.offset() + u32::try_from(ahead).unwrap_or_default();
        if let Some(head) = search.rest(end.saturating_sub(1)) {
            self.remember(head);
        }
    }

    /// Where a block collection ends if comments stand behind it that look like those of its parent.
    pub(super) fn end_before_comments(&self, mark: Mark, index: i64) -> (Mark, i64) {
        let (mut mark, mut index) = (mark, index);
        let mut stop = index;
        for comment in self.comments.iter().flatten().rev() {
            if i64::from(comment.end) < stop {
                break;
            }
            if let Some(start) = comment.start
                && i64::from(start.column) == self.indent + 1
            {
                mark = start;
                index = i64::from(start.offset);
            }
            stop = i64::from(comment.scan_start);
        }
        (mark, index)
    }

    /// How far the search goes over a line break: to it, carriage return and line feed are two.
    fn break_step(&self, ahead: usize) -> usize {
        match self.cursor.byte(ahead) {
            b'\r' => 1,
            _ => self.cursor.break_len(ahead),
        }
    }

    fn remember(&mut self, comment: CommentLine) {
        if let Some(comments) = &mut self.comments {
            comments.push_back(comment);
        }
    }

    fn comment_text(&mut self) -> String {
        let from = self.cursor.at();
        self.cursor.skip_line_text();
        self.cursor.slice(from, self.cursor.at()).to_owned()
    }

    fn skip_ahead(&mut self, bytes: usize) {
        let target = self.cursor.at() + bytes;
        while self.cursor.at() < target {
            if !self.cursor.skip_break() {
                self.cursor.skip_blank();
            }
        }
    }
}

/// What go-yaml remembers while it looks for comments.
struct Search {
    scan_start: u32,
    owner: u32,
    /// Whether the token before is a `:` that waits for a value.
    after_colon: bool,
    start: Option<Mark>,
    text: String,
    line: u32,
    column: u32,
    indent: u32,
    /// Whether the line before was empty.
    recent_empty: bool,
    /// Whether no empty line was met yet.
    first_empty: bool,
    /// The line on which a comment still counts as a foot of what stands before.
    foot_line: Option<u32>,
}

impl Search {
    fn new(scanner: &mut Scanner<'_>, scan_start: Mark) -> Self {
        let count = scanner.queue.len();
        let mut before = count.checked_sub(1);
        if let (Some(at), true) = (before, count > 1)
            && matches!(scanner.queue[at].kind, TokenKind::FlowEntry)
        {
            before = Some(at - 1);
        }
        let token = before.and_then(|at| scanner.queue.get(at));
        let owner = token.map_or(0, |token| token.start.offset);
        let after_colon = token.is_some_and(|token| matches!(token.kind, TokenKind::Value));
        let mark = scanner.cursor.mark();
        let newlines = scanner.cursor.newlines;
        let foot_line = (scan_start.line > 0).then(|| {
            let below = u32::from(newlines == 0 && mark.column > 1);
            (mark.line + 1 + below).saturating_sub(newlines)
        });
        Self {
            scan_start: scan_start.offset,
            owner,
            after_colon,
            start: None,
            text: String::new(),
            line: mark.line,
            column: mark.column,
            indent: u32::try_from(scanner.indent).unwrap_or(0),
            recent_empty: false,
            first_empty: newlines <= 1,
            foot_line,
        }
    }

    /// At an empty line, or the end: what was read so far may be a foot.
    fn empty_line(&mut self, closes_flow: bool, at_end: bool, here: u32) -> Option<CommentLine> {
        if !closes_flow && self.recent_empty {
            return None;
        }
        let start_line = self.start.map_or(0, |start| start.line);
        let is_foot_line = self.foot_line == Some(start_line) && !self.after_colon;
        if closes_flow || (self.first_empty && (is_foot_line || self.dedented_start())) {
            if self.text.is_empty() {
                return None;
            }
            if self.dedented_start() {
                self.owner = self.start.map_or(0, |start| start.offset);
            }
            return Some(self.foot(here));
        }
        if !self.text.is_empty() && !at_end {
            self.text.push('\n');
        }
        None
    }

    fn next_line(&mut self) {
        self.first_empty = false;
        self.recent_empty = true;
        self.column = 0;
        self.line += 1;
    }

    /// At something that stands further to the left than what was read: that is a foot of what stands before it.
    fn dedented(&mut self, here: u32) -> Option<CommentLine> {
        let start_column = self.start.map_or(0, |start| start.column);
        let left = self.column.saturating_sub(1) < self.indent && self.column != start_column;
        (!self.text.is_empty() && left).then(|| self.foot(here))
    }

    fn begin_line(&mut self, here: u32) {
        if self.text.is_empty() {
            self.start = Some(Mark {
                offset: here,
                line: self.line,
                column: self.column,
            });
        } else {
            self.text.push('\n');
        }
        self.recent_empty = false;
    }

    fn rest(&mut self, end: u32) -> Option<CommentLine> {
        if self.text.is_empty() {
            return None;
        }
        let owner = self.start.map_or(0, |start| start.offset);
        let head = std::mem::take(&mut self.text);
        Some(CommentLine {
            owner,
            head,
            scan_start: self.scan_start,
            start: self.start,
            end,
            ..CommentLine::default()
        })
    }

    fn foot(&mut self, here: u32) -> CommentLine {
        let foot = CommentLine {
            owner: self.owner,
            foot: std::mem::take(&mut self.text),
            scan_start: self.scan_start,
            start: self.start,
            end: here,
            ..CommentLine::default()
        };
        self.scan_start = here;
        self.owner = here;
        foot
    }

    fn dedented_start(&self) -> bool {
        let column = self.start.map_or(0, |start| start.column);
        i64::from(column) - 1 < i64::from(self.indent)
    }
}
