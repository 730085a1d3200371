//! From tokens to events: what stands in what.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "at each place a few kinds of tokens can stand; any other is an error"
)]

mod block;
mod comments;
mod flow;

use std::borrow::Cow;

use self::comments::Waiting;
use super::scanner::{Mark, Problem, Scanner, Token, TokenKind};
use crate::node::{Comments, Style};
use crate::scalar::Schema;

/// What the text says next.
#[derive(Debug)]
pub(super) struct Event<'a> {
    pub(super) kind: EventKind<'a>,
    pub(super) start: Mark,
    pub(super) end: u32,
    pub(super) anchor: Option<&'a str>,
    /// `!!int` for YAML's own tags, the full text for others.
    pub(super) tag: Option<String>,
}

#[derive(Debug)]
pub(super) enum EventKind<'a> {
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias(&'a str),
    Scalar { text: Cow<'a, str>, style: Style },
    SequenceStart { style: Style },
    SequenceEnd,
    MappingStart { style: Style },
    MappingEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    ImplicitDocumentStart,
    DocumentStart,
    DocumentContent,
    DocumentEnd,
    BlockNode,
    BlockSequenceFirstEntry,
    BlockSequenceEntry,
    IndentlessSequenceEntry,
    BlockMappingFirstKey,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirstEntry,
    FlowSequenceEntry,
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingFirstKey,
    FlowMappingKey,
    FlowMappingValue,
    FlowMappingEmptyValue,
    End,
}

/// What kind of node can stand at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Allowed {
    Flow,
    Block,
    BlockOrIndentlessSequence,
}

/// Reads events; stops at the first problem.
#[derive(Debug)]
pub(super) struct Grammar<'a> {
    scanner: Scanner<'a>,
    state: State,
    states: Vec<State>,
    /// Where the open collections began.
    marks: Vec<Mark>,
    tag_prefixes: Vec<(&'a str, Cow<'a, str>)>,
    comments: Option<Waiting>,
}

impl<'a> Grammar<'a> {
    pub(super) fn new(text: &'a str, keep_comments: bool, words: Schema) -> Self {
        Self {
            scanner: Scanner::new(text, keep_comments, words),
            state: State::ImplicitDocumentStart,
            states: Vec::new(),
            marks: Vec::new(),
            tag_prefixes: Vec::new(),
            comments: keep_comments.then(Waiting::default),
        }
    }

    pub(super) fn next(&mut self) -> Result<Event<'a>, Problem> {
        if let Some(comments) = &mut self.comments {
            comments.event = Comments::default();
        }
        match self.state {
            State::ImplicitDocumentStart => {
                self.peek()?;
                self.scanner.take();
                self.document_start(true)
            }
            State::DocumentStart => self.document_start(false),
            State::DocumentContent => self.document_content(),
            State::DocumentEnd => self.document_end(),
            State::BlockNode => self.node(Allowed::Block),
            State::BlockSequenceFirstEntry => self.block_sequence_entry(true),
            State::BlockSequenceEntry => self.block_sequence_entry(false),
            State::IndentlessSequenceEntry => self.indentless_sequence_entry(),
            State::BlockMappingFirstKey => self.block_mapping_key(true),
            State::BlockMappingKey => self.block_mapping_key(false),
            State::BlockMappingValue => self.block_mapping_value(),
            State::FlowSequenceFirstEntry => self.flow_sequence_entry(true),
            State::FlowSequenceEntry => self.flow_sequence_entry(false),
            State::FlowPairKey => self.flow_pair_key(),
            State::FlowPairValue => self.flow_pair_value(),
            State::FlowPairEnd => self.flow_pair_end(),
            State::FlowMappingFirstKey => self.flow_mapping_key(true),
            State::FlowMappingKey => self.flow_mapping_key(false),
            State::FlowMappingValue => self.flow_mapping_value(false),
            State::FlowMappingEmptyValue => self.flow_mapping_value(true),
            State::End => Ok(event(EventKind::StreamEnd, Mark::START, 0)),
        }
    }

    fn document_start(&mut self, implicit: bool) -> Result<Event<'a>, Problem> {
        if !implicit {
            while matches!(self.peek()?.kind, TokenKind::DocumentEnd) {
                self.scanner.take();
            }
        }
        let token = self.peek()?;
        let start = token.start;
        let directive = matches!(
            token.kind,
            TokenKind::VersionDirective { .. }
                | TokenKind::TagDirective { .. }
                | TokenKind::DocumentStart
        );
        if matches!(token.kind, TokenKind::StreamEnd) {
            self.state = State::End;
            self.scanner.take();
            return Ok(event(EventKind::StreamEnd, start, start.offset));
        }
        self.tag_prefixes.clear();
        self.states.push(State::DocumentEnd);
        if implicit && !directive {
            self.state = State::BlockNode;
            self.split_document_head();
            return Ok(event(EventKind::DocumentStart, start, start.offset));
        }
        self.directives()?;
        let token = self.peek()?;
        if !matches!(token.kind, TokenKind::DocumentStart) {
            return Err(problem(
                "did not find expected <document start>",
                token.start,
                None,
            ));
        }
        let end = token.end;
        self.state = State::DocumentContent;
        self.scanner.take();
        Ok(event(EventKind::DocumentStart, start, end))
    }

    fn directives(&mut self) -> Result<(), Problem> {
        let mut version_seen = false;
        loop {
            let token = self.peek()?;
            let start = token.start;
            match token.kind {
                TokenKind::VersionDirective { major } => {
                    if version_seen {
                        return Err(problem("found duplicate %YAML directive", start, None));
                    }
                    // go-yaml takes 1.1 only; a file that says 1.2 is read all the same, since refusing it helps nobody.
                    if major != 1 {
                        return Err(problem("found incompatible YAML document", start, None));
                    }
                    version_seen = true;
                    self.scanner.take();
                }
                TokenKind::TagDirective { .. } => {
                    let Some(Token {
                        kind: TokenKind::TagDirective { handle, prefix },
                        ..
                    }) = self.scanner.take()
                    else {
                        continue;
                    };
                    if self.tag_prefixes.iter().any(|(known, _)| *known == handle) {
                        return Err(problem("found duplicate %TAG directive", start, None));
                    }
                    self.tag_prefixes.push((handle, prefix));
                }
                _ => return Ok(()),
            }
        }
    }

    fn document_content(&mut self) -> Result<Event<'a>, Problem> {
        let token = self.peek()?;
        let empty = matches!(
            token.kind,
            TokenKind::VersionDirective { .. }
                | TokenKind::TagDirective { .. }
                | TokenKind::DocumentStart
                | TokenKind::DocumentEnd
                | TokenKind::StreamEnd
        );
        if empty {
            let start = token.start;
            self.pop_state();
            return Ok(empty_scalar(start));
        }
        self.node(Allowed::Block)
    }

    fn document_end(&mut self) -> Result<Event<'a>, Problem> {
        let token = self.peek()?;
        let (start, mut end) = (token.start, token.start.offset);
        if matches!(token.kind, TokenKind::DocumentEnd) {
            end = token.end;
            self.scanner.take();
        }
        self.state = State::DocumentStart;
        self.give_comments();
        if let Some(comments) = &mut self.comments
            && comments.event.foot.is_empty()
        {
            comments.event.foot = std::mem::take(&mut comments.event.head);
        }
        Ok(event(EventKind::DocumentEnd, start, end))
    }

    fn node(&mut self, allowed: Allowed) -> Result<Event<'a>, Problem> {
        let token = self.peek()?;
        let (start, end) = (token.start, token.end);
        if let TokenKind::Alias(name) = token.kind {
            self.pop_state();
            self.give_comments();
            self.scanner.take();
            return Ok(event(EventKind::Alias(name), start, end));
        }
        let properties = self.properties(start)?;
        let token = self.peek()?;
        let (content, end) = (token.start, token.end);
        let kind = match &token.kind {
            TokenKind::BlockEntry if allowed == Allowed::BlockOrIndentlessSequence => {
                self.state = State::IndentlessSequenceEntry;
                EventKind::SequenceStart {
                    style: Style::Default,
                }
            }
            TokenKind::Scalar { .. } => {
                self.pop_state();
                self.give_comments();
                match self.scanner.take() {
                    Some(Token {
                        kind: TokenKind::Scalar { text, style },
                        ..
                    }) => EventKind::Scalar { text, style },
                    _ => EventKind::Scalar {
                        text: Cow::Borrowed(""),
                        style: Style::Default,
                    },
                }
            }
            TokenKind::FlowSequenceStart => {
                self.state = State::FlowSequenceFirstEntry;
                self.give_comments();
                EventKind::SequenceStart { style: Style::Flow }
            }
            TokenKind::FlowMappingStart => {
                self.state = State::FlowMappingFirstKey;
                self.give_comments();
                EventKind::MappingStart { style: Style::Flow }
            }
            TokenKind::BlockSequenceStart if allowed != Allowed::Flow => {
                self.state = State::BlockSequenceFirstEntry;
                self.give_stem();
                EventKind::SequenceStart {
                    style: Style::Default,
                }
            }
            TokenKind::BlockMappingStart if allowed != Allowed::Flow => {
                self.state = State::BlockMappingFirstKey;
                self.give_stem();
                EventKind::MappingStart {
                    style: Style::Default,
                }
            }
            _ if properties.anchor.is_some() || properties.tag.is_some() => {
                self.pop_state();
                let empty = Mark {
                    offset: properties.end,
                    ..properties.last
                };
                return Ok(Event {
                    anchor: properties.anchor,
                    tag: properties.tag,
                    ..empty_scalar(empty)
                });
            }
            _ => {
                return Err(problem(
                    "did not find expected node content",
                    content,
                    Some(start),
                ));
            }
        };
        Ok(Event {
            kind,
            start: content,
            end,
            anchor: properties.anchor,
            tag: properties.tag,
        })
    }

    /// An anchor and a tag, in any order.
    fn properties(&mut self, start: Mark) -> Result<Properties<'a>, Problem> {
        let mut properties = Properties {
            anchor: None,
            tag: None,
            last: start,
            end: start.offset,
        };
        for _ in 0..2 {
            let token = self.peek()?;
            let (at, end) = (token.start, token.end);
            match &token.kind {
                TokenKind::Anchor(name) if properties.anchor.is_none() => {
                    properties.anchor = Some(name);
                    self.scanner.take();
                }
                TokenKind::Tag { .. } if properties.tag.is_none() => {
                    let Some(Token {
                        kind: TokenKind::Tag { handle, suffix },
                        ..
                    }) = self.scanner.take()
                    else {
                        break;
                    };
                    properties.tag = Some(self.full_tag(handle, &suffix, at, start)?);
                }
                _ => break,
            }
            properties.last = at;
            properties.end = end;
        }
        Ok(properties)
    }

    fn full_tag(
        &self,
        handle: &str,
        suffix: &str,
        at: Mark,
        start: Mark,
    ) -> Result<String, Problem> {
        const YAML: &str = "tag:yaml.org,2002:";
        let declared = self
            .tag_prefixes
            .iter()
            .find(|(known, _)| *known == handle)
            .map(|(_, prefix)| prefix.as_ref());
        let prefix = match (declared, handle) {
            (Some(prefix), _) => prefix,
            (None, "") => "",
            (None, "!") => "!",
            (None, "!!") => YAML,
            (None, _) => return Err(problem("found undefined tag handle", at, Some(start))),
        };
        let full = format!("{prefix}{suffix}");
        Ok(match full.strip_prefix(YAML) {
            Some(name) => format!("!!{name}"),
            None => full,
        })
    }

    fn open(&mut self, first: bool) -> Result<(), Problem> {
        if first {
            let start = self.peek()?.start;
            self.marks.push(start);
            self.scanner.take();
        }
        Ok(())
    }

    fn close(&mut self) {
        self.pop_state();
        self.marks.pop();
    }

    fn pop_state(&mut self) {
        self.state = self.states.pop().unwrap_or(State::End);
    }

    /// The next token; the comments that go with it begin to wait for an event.
    #[inline]
    fn peek(&mut self) -> Result<&Token<'a>, Problem> {
        if self.comments.is_some() {
            self.unfold_comments()?;
        }
        self.scanner.peek()
    }
}

struct Properties<'a> {
    anchor: Option<&'a str>,
    tag: Option<String>,
    last: Mark,
    end: u32,
}

fn event(kind: EventKind<'_>, start: Mark, end: u32) -> Event<'_> {
    Event {
        kind,
        start,
        end,
        anchor: None,
        tag: None,
    }
}

fn empty_scalar<'a>(at: Mark) -> Event<'a> {
    event(
        EventKind::Scalar {
            text: Cow::Borrowed(""),
            style: Style::Default,
        },
        at,
        at.offset,
    )
}

/// The place behind punctuation of one line.
fn after(start: Mark, end: u32) -> Mark {
    Mark {
        offset: end,
        line: start.line,
        column: start.column + (end - start.offset),
    }
}

fn problem(text: &'static str, at: Mark, context: Option<Mark>) -> Problem {
    Problem {
        text,
        at,
        context,
        scanner: false,
    }
}
