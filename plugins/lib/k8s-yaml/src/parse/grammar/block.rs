//! Block sequences and mappings.

use super::super::scanner::{Problem, TokenKind};
use super::{Allowed, Event, EventKind, Grammar, State, after, empty_scalar, event, problem};

impl<'a> Grammar<'a> {
    pub(super) fn block_sequence_entry(&mut self, first: bool) -> Result<Event<'a>, Problem> {
        self.open(first)?;
        let token = self.peek()?;
        let (start, end) = (token.start, token.end);
        match token.kind {
            TokenKind::BlockEntry => {
                self.take_entry()?;
                let token = self.peek()?;
                if matches!(token.kind, TokenKind::BlockEntry | TokenKind::BlockEnd) {
                    self.state = State::BlockSequenceEntry;
                    return Ok(empty_scalar(after(start, end)));
                }
                self.states.push(State::BlockSequenceEntry);
                self.node(Allowed::Block)
            }
            TokenKind::BlockEnd => {
                self.close();
                self.scanner.take();
                Ok(event(EventKind::SequenceEnd, start, end))
            }
            _ => Err(problem(
                "did not find expected '-' indicator",
                start,
                self.marks.pop(),
            )),
        }
    }

    pub(super) fn indentless_sequence_entry(&mut self) -> Result<Event<'a>, Problem> {
        let token = self.peek()?;
        let (start, end) = (token.start, token.end);
        if !matches!(token.kind, TokenKind::BlockEntry) {
            self.pop_state();
            return Ok(event(EventKind::SequenceEnd, start, start.offset));
        }
        self.take_entry()?;
        let token = self.peek()?;
        let empty = matches!(
            token.kind,
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
        );
        if empty {
            self.state = State::IndentlessSequenceEntry;
            return Ok(empty_scalar(after(start, end)));
        }
        self.states.push(State::IndentlessSequenceEntry);
        self.node(Allowed::Block)
    }

    pub(super) fn block_mapping_key(&mut self, first: bool) -> Result<Event<'a>, Problem> {
        self.open(first)?;
        let token = self.peek()?;
        let (start, end) = (token.start, token.end);
        match token.kind {
            TokenKind::Key => {
                self.scanner.take();
                let token = self.peek()?;
                if matches!(
                    token.kind,
                    TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
                ) {
                    self.state = State::BlockMappingValue;
                    return Ok(empty_scalar(after(start, end)));
                }
                self.states.push(State::BlockMappingValue);
                self.node(Allowed::BlockOrIndentlessSequence)
            }
            TokenKind::BlockEnd => {
                self.close();
                self.give_comments();
                self.scanner.take();
                Ok(event(EventKind::MappingEnd, start, end))
            }
            _ => Err(problem(
                "did not find expected key",
                start,
                self.marks.pop(),
            )),
        }
    }

    pub(super) fn block_mapping_value(&mut self) -> Result<Event<'a>, Problem> {
        let token = self.peek()?;
        let (start, end) = (token.start, token.end);
        if !matches!(token.kind, TokenKind::Value) {
            self.state = State::BlockMappingKey;
            return Ok(empty_scalar(start));
        }
        self.scanner.take();
        let token = self.peek()?;
        if matches!(
            token.kind,
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd
        ) {
            self.state = State::BlockMappingKey;
            return Ok(empty_scalar(after(start, end)));
        }
        self.states.push(State::BlockMappingKey);
        self.node(Allowed::BlockOrIndentlessSequence)
    }

    /// Takes a dash. What stood above it is about the whole collection that follows, if one does.
    fn take_entry(&mut self) -> Result<(), Problem> {
        let above = self
            .comments
            .as_ref()
            .map_or(0, |waiting| waiting.head.len());
        self.scanner.take();
        if above == 0 {
            return Ok(());
        }
        let token = self.peek()?;
        let collection = matches!(
            token.kind,
            TokenKind::BlockSequenceStart | TokenKind::BlockMappingStart
        );
        if let (true, Some(waiting)) = (collection, &mut self.comments) {
            let rest = waiting.head.get(above + 1..).unwrap_or_default().to_owned();
            waiting.head.truncate(above);
            waiting.stem = Some(std::mem::replace(&mut waiting.head, rest));
        }
        Ok(())
    }
}
