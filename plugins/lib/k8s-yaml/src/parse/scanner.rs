//! From text to tokens, by the rules of YAML 1.1 as libyaml and its port go-yaml read them.
//!
//! These rules are not those of any YAML specification in every corner: a quoted text may go on at any indentation, a plain
//! one may end with a colon inside of brackets, a tab is fine where it cannot be indentation. Manifests rely on all of them.
//!
//! A token may have to be inserted before others that were read already: that `a` is a key shows only at the colon behind
//! it. So tokens wait in a queue for as long as a key may begin with the first of them.

mod blocks;
mod comments;
mod cursor;
mod folding;
mod plain;
mod properties;
mod quoted;

use std::borrow::Cow;
use std::collections::VecDeque;

use crate::node::Style;
use crate::scalar::Schema;

pub(super) use comments::CommentLine;
pub(super) use cursor::{Cursor, Mark};

/// A piece of text with a meaning.
#[derive(Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind<'a>,
    pub(super) start: Mark,
    /// The offset after its last byte.
    pub(super) end: u32,
}

#[derive(Debug)]
pub(super) enum TokenKind<'a> {
    StreamStart,
    StreamEnd,
    VersionDirective {
        major: u32,
    },
    TagDirective {
        handle: &'a str,
        prefix: Cow<'a, str>,
    },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    Tag {
        handle: &'a str,
        suffix: Cow<'a, str>,
    },
    Scalar {
        text: Cow<'a, str>,
        style: Style,
    },
}

/// What is wrong, and where. go-yaml tells the line of one of the two places.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) text: &'static str,
    /// Where it was noticed.
    pub(super) at: Mark,
    /// Where the thing begins that cannot be read.
    pub(super) context: Option<Mark>,
    /// Whether it is about the form of a token, not about the order of tokens.
    pub(super) scanner: bool,
}

/// A place where a key without `?` may have begun.
#[derive(Debug, Clone, Copy)]
struct SimpleKey {
    possible: bool,
    /// Whether nothing but a key can stand here.
    required: bool,
    token: usize,
    mark: Mark,
}

#[derive(Debug)]
pub(super) struct Scanner<'a> {
    cursor: Cursor<'a>,
    queue: VecDeque<Token<'a>>,
    /// How many tokens were taken from the queue.
    taken: usize,
    /// Whether the first token of the queue can no longer change.
    head_known: bool,
    /// The column of the current block collection, -1 outside of all.
    indent: i64,
    indents: Vec<i64>,
    flow_level: usize,
    simple_key_allowed: bool,
    /// One for each flow level.
    simple_keys: Vec<SimpleKey>,
    ended: bool,
    /// How many tokens are read ahead of the one that is asked for.
    ahead: usize,
    /// The comments that were read and belong to tokens not yet taken.
    comments: Option<VecDeque<CommentLine>>,
}

/// The longest text of a key without `?`, in characters.
const LONGEST_KEY: u32 = 1024;

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, keep_comments: bool, words: Schema) -> Self {
        let cursor = Cursor::new(text);
        let start = Mark::START;
        Self {
            cursor,
            queue: VecDeque::from([Token {
                kind: TokenKind::StreamStart,
                start,
                end: 0,
            }]),
            taken: 0,
            head_known: false,
            indent: -1,
            indents: Vec::new(),
            flow_level: 0,
            simple_key_allowed: true,
            simple_keys: vec![SimpleKey {
                possible: false,
                required: false,
                token: 0,
                mark: start,
            }],
            ended: false,
            comments: keep_comments.then(VecDeque::new),
            // A comment belongs to a token before or behind it, which shows only two tokens later. go-yaml v3 always reads
            // that far ahead, and so meets some mistakes before others.
            ahead: if keep_comments || words == Schema::Kyaml {
                2
            } else {
                0
            },
        }
    }

    /// The next token, left in place.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<&Token<'a>, Problem> {
        if !self.head_known {
            self.fill()?;
            self.head_known = true;
        }
        Ok(&self.queue[0])
    }

    /// Takes the token that was last peeked at.
    pub(super) fn take(&mut self) -> Option<Token<'a>> {
        let token = self.queue.pop_front();
        self.head_known = false;
        self.taken += 1;
        token
    }

    pub(super) fn comments(&mut self) -> Option<&mut VecDeque<CommentLine>> {
        self.comments.as_mut()
    }

    /// Reads until the first token is known to be the first.
    fn fill(&mut self) -> Result<(), Problem> {
        loop {
            let enough = self.queue.len() > self.ahead || (self.ended && !self.queue.is_empty());
            if enough && (!self.may_gain_key()? || self.ended) {
                return Ok(());
            }
            self.fetch()?;
        }
    }

    /// Whether a key may begin with the first token of the queue.
    fn may_gain_key(&mut self) -> Result<bool, Problem> {
        for level in 0..self.simple_keys.len() {
            let key = self.simple_keys[level];
            if key.possible && key.token == self.taken {
                return self.check_key(level);
            }
        }
        Ok(false)
    }

    #[inline(never)]
    fn fetch(&mut self) -> Result<(), Problem> {
        if self.ended {
            let start = self.cursor.mark();
            self.push(TokenKind::StreamEnd, start);
            return Ok(());
        }
        let scan_start = self.cursor.mark();
        self.skip_to_token(scan_start)?;
        let column = self.cursor.column();
        self.unroll(i64::from(column), scan_start);
        let byte = self.cursor.byte(0);
        if self.cursor.at_end() {
            return self.fetch_end();
        }
        if column == 0 {
            if byte == b'%' {
                return self.fetch_directive();
            }
            if let Some(kind) = self.cursor.document_marker() {
                return self.fetch_document_marker(kind);
            }
        }
        let comment_owner = self.comment_owner(byte);
        self.fetch_content(byte)?;
        if self.comments.is_some() && !matches!(self.last_kind(), Some(TokenKind::BlockEntry)) {
            self.scan_line_comment(comment_owner);
        }
        Ok(())
    }

    fn fetch_content(&mut self, byte: u8) -> Result<(), Problem> {
        let in_flow = self.flow_level > 0;
        match byte {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if self.cursor.blank_or_end(1) => self.fetch_block_entry(),
            b'?' if in_flow || self.cursor.blank_or_end(1) => self.fetch_key(),
            b':' if in_flow || self.cursor.blank_or_end(1) => self.fetch_value(),
            b'*' => self.fetch_named(TokenKind::Alias),
            b'&' => self.fetch_named(TokenKind::Anchor),
            b'!' => self.fetch_tag(),
            b'|' if !in_flow => self.fetch_block_scalar(Style::Literal),
            b'>' if !in_flow => self.fetch_block_scalar(Style::Folded),
            b'\'' => self.fetch_flow_scalar(Style::SingleQuoted),
            b'"' => self.fetch_flow_scalar(Style::DoubleQuoted),
            b'-' | b'?' | b':' => self.fetch_flow_scalar(Style::Default),
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b'\t' => {
                Err(self.problem("found character that cannot start any token", None))
            }
            _ => self.fetch_flow_scalar(Style::Default),
        }
    }

    fn fetch_end(&mut self) -> Result<(), Problem> {
        self.cursor.force_new_line();
        let mark = self.cursor.mark();
        self.unroll(-1, mark);
        self.remove_key()?;
        self.simple_key_allowed = false;
        self.push(TokenKind::StreamEnd, mark);
        self.ended = true;
        Ok(())
    }

    fn fetch_directive(&mut self) -> Result<(), Problem> {
        self.end_document()?;
        let start = self.cursor.mark();
        let kind = self.scan_directive(start)?;
        self.push(kind, start);
        Ok(())
    }

    fn fetch_document_marker(&mut self, kind: TokenKind<'a>) -> Result<(), Problem> {
        self.end_document()?;
        let start = self.cursor.mark();
        self.cursor.advance(3);
        self.push(kind, start);
        Ok(())
    }

    fn end_document(&mut self) -> Result<(), Problem> {
        let mark = self.cursor.mark();
        self.unroll(-1, mark);
        self.remove_key()?;
        self.simple_key_allowed = false;
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind<'a>) -> Result<(), Problem> {
        self.save_key()?;
        let mark = self.cursor.mark();
        let token = self.next_number();
        self.simple_keys.push(SimpleKey {
            possible: false,
            required: false,
            token,
            mark,
        });
        self.flow_level += 1;
        self.simple_key_allowed = true;
        self.cursor.advance(1);
        self.push(kind, mark);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind<'a>) -> Result<(), Problem> {
        self.remove_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            self.simple_keys.pop();
        }
        self.simple_key_allowed = false;
        self.punctuation(kind);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Result<(), Problem> {
        self.remove_key()?;
        self.simple_key_allowed = true;
        self.punctuation(TokenKind::FlowEntry);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Problem> {
        // In flow context the grammar reports it, which knows what it is in.
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.problem(
                    "block sequence entries are not allowed in this context",
                    None,
                ));
            }
            self.roll(None, TokenKind::BlockSequenceStart);
        }
        self.remove_key()?;
        self.simple_key_allowed = true;
        self.punctuation(TokenKind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Problem> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return Err(self.problem("mapping keys are not allowed in this context", None));
            }
            self.roll(None, TokenKind::BlockMappingStart);
        }
        self.remove_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.punctuation(TokenKind::Key);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Problem> {
        let level = self.simple_keys.len() - 1;
        if self.check_key(level)? {
            let key = self.simple_keys[level];
            let at = key.token - self.taken;
            self.queue.insert(
                at,
                Token {
                    kind: TokenKind::Key,
                    start: key.mark,
                    end: key.mark.offset,
                },
            );
            self.roll(Some(key), TokenKind::BlockMappingStart);
            self.simple_keys[level].possible = false;
            self.simple_key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    return Err(
                        self.problem("mapping values are not allowed in this context", None)
                    );
                }
                self.roll(None, TokenKind::BlockMappingStart);
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.punctuation(TokenKind::Value);
        Ok(())
    }

    fn fetch_named(&mut self, kind: fn(&'a str) -> TokenKind<'a>) -> Result<(), Problem> {
        self.begin_node()?;
        let start = self.cursor.mark();
        let name = self.scan_name(start)?;
        self.push(kind(name), start);
        Ok(())
    }

    fn fetch_tag(&mut self) -> Result<(), Problem> {
        self.begin_node()?;
        let start = self.cursor.mark();
        let kind = self.scan_tag(start)?;
        self.push(kind, start);
        Ok(())
    }

    fn fetch_block_scalar(&mut self, style: Style) -> Result<(), Problem> {
        self.remove_key()?;
        self.simple_key_allowed = true;
        let start = self.cursor.mark();
        let header = self.cursor.scan_block_header(start)?;
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
        let (text, end) = self
            .cursor
            .scan_block_text(style, &header, self.indent, start)?;
        self.queue.push_back(Token {
            kind: TokenKind::Scalar {
                text: Cow::Owned(text),
                style,
            },
            start,
            end,
        });
        Ok(())
    }

    fn fetch_flow_scalar(&mut self, style: Style) -> Result<(), Problem> {
        self.begin_node()?;
        let start = self.cursor.mark();
        let (text, end) = if style == Style::Default {
            let indent = usize::try_from(self.indent + 1).unwrap_or(0);
            let plain = self.cursor.scan_plain(indent, self.flow_level > 0, start)?;
            self.simple_key_allowed |= plain.breaks;
            (plain.text, plain.end)
        } else {
            self.cursor
                .scan_quoted(start, style == Style::SingleQuoted)?
        };
        self.queue.push_back(Token {
            kind: TokenKind::Scalar { text, style },
            start,
            end,
        });
        Ok(())
    }

    /// A key may begin with what comes now, and no other directly behind it.
    fn begin_node(&mut self) -> Result<(), Problem> {
        self.save_key()?;
        self.simple_key_allowed = false;
        Ok(())
    }

    fn punctuation(&mut self, kind: TokenKind<'a>) {
        let start = self.cursor.mark();
        self.cursor.advance(1);
        self.push(kind, start);
    }

    fn push(&mut self, kind: TokenKind<'a>, start: Mark) {
        let end = self.cursor.offset();
        self.queue.push_back(Token { kind, start, end });
    }

    /// Skips white space and comments.
    fn skip_to_token(&mut self, scan_start: Mark) -> Result<(), Problem> {
        loop {
            // Where indentation counts, a tab is none.
            let tabs = self.flow_level > 0 || !self.simple_key_allowed;
            self.cursor.skip_blanks(tabs);
            if self.comments.is_some() {
                self.promote_line_comment();
            }
            if self.cursor.byte(0) == b'#' {
                if self.comments.is_some() {
                    self.scan_comments(scan_start);
                } else {
                    self.cursor.skip_line_text();
                }
            }
            if !self.cursor.skip_break() {
                return Ok(());
            }
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    fn next_number(&self) -> usize {
        self.taken + self.queue.len()
    }

    fn save_key(&mut self) -> Result<(), Problem> {
        if !self.simple_key_allowed {
            return Ok(());
        }
        let mark = self.cursor.mark();
        let required = self.flow_level == 0 && self.indent == i64::from(mark.column);
        let token = self.next_number();
        self.remove_key()?;
        let level = self.simple_keys.len() - 1;
        self.simple_keys[level] = SimpleKey {
            possible: true,
            required,
            token,
            mark,
        };
        Ok(())
    }

    fn remove_key(&mut self) -> Result<(), Problem> {
        let level = self.simple_keys.len() - 1;
        let key = self.simple_keys[level];
        if key.possible && key.required {
            return Err(self.problem("could not find expected ':'", Some(key.mark)));
        }
        self.simple_keys[level].possible = false;
        Ok(())
    }

    /// Whether a key may still end here: it has to, on the line that it began on.
    fn check_key(&mut self, level: usize) -> Result<bool, Problem> {
        let key = self.simple_keys[level];
        if !key.possible {
            return Ok(false);
        }
        let here = self.cursor.mark();
        if key.mark.line == here.line && here.column <= key.mark.column + LONGEST_KEY {
            return Ok(true);
        }
        if key.required {
            return Err(self.problem("could not find expected ':'", Some(key.mark)));
        }
        self.simple_keys[level].possible = false;
        Ok(false)
    }

    /// Begins a block collection if the column is further to the right than the current one's.
    fn roll(&mut self, key: Option<SimpleKey>, kind: TokenKind<'a>) {
        if self.flow_level > 0 {
            return;
        }
        let mark = key.map_or_else(|| self.cursor.mark(), |key| key.mark);
        let column = i64::from(mark.column);
        if self.indent >= column {
            return;
        }
        self.indents.push(self.indent);
        self.indent = column;
        let token = Token {
            kind,
            start: mark,
            end: mark.offset,
        };
        match key {
            Some(key) => self.queue.insert(key.token - self.taken, token),
            None => self.queue.push_back(token),
        }
    }

    /// Ends the block collections that stand further to the right than a column.
    fn unroll(&mut self, column: i64, scan_start: Mark) {
        if self.flow_level > 0 || self.indent <= column {
            return;
        }
        let mut mark = scan_start;
        let mut index = i64::from(scan_start.offset) - 1;
        mark.offset = scan_start.offset.saturating_sub(1);
        while self.indent > column {
            if self.comments.is_some() {
                (mark, index) = self.end_before_comments(mark, index);
            }
            self.queue.push_back(Token {
                kind: TokenKind::BlockEnd,
                start: mark,
                end: mark.offset,
            });
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn last_kind(&self) -> Option<&TokenKind<'a>> {
        self.queue.back().map(|token| &token.kind)
    }

    fn problem(&mut self, text: &'static str, context: Option<Mark>) -> Problem {
        self.cursor.problem(text, context)
    }
}
