//! Sequences in brackets and mappings in braces.

use super::super::scanner::{Problem, TokenKind};
use super::{Allowed, Event, EventKind, Grammar, State, after, empty_scalar, event, problem};
use crate::node::Style;

impl<'a> Grammar<'a> {
    pub(super) fn flow_sequence_entry(&mut self, first: bool) -> Result<Event<'a>, Problem> {
        self.open(first)?;
        if !first && !matches!(self.peek()?.kind, TokenKind::FlowSequenceEnd) {
            self.comma("did not find expected ',' or ']'")?;
        }
        let token = self.peek()?;
        let (start, end) = (token.start, token.end);
        match token.kind {
            TokenKind::FlowSequenceEnd => {
                self.close();
                self.give_comments();
                self.scanner.take();
                Ok(event(EventKind::SequenceEnd, start, end))
            }
            TokenKind::Key => {
                self.state = State::FlowPairKey;
                self.scanner.take();
                Ok(event(
                    EventKind::MappingStart { style: Style::Flow },
                    start,
                    end,
                ))
            }
            _ => {
                self.states.push(State::FlowSequenceEntry);
                self.node(Allowed::Flow)
            }
        }
    }

    pub(super) fn flow_pair_key(&mut self) -> Result<Event<'a>, Problem> {
        let token = self.peek()?;
        let (start, end) = (token.start, token.end);
        if matches!(
            token.kind,
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd
        ) {
            // go-yaml takes this token away, and with a `:` the value behind it is lost to the next state; so it is here.
            self.scanner.take();
            self.state = State::FlowPairValue;
            return Ok(empty_scalar(after(start, end)));
        }
        self.states.push(State::FlowPairValue);
        self.node(Allowed::Flow)
    }

    pub(super) fn flow_pair_value(&mut self) -> Result<Event<'a>, Problem> {
        let mut token = self.peek()?;
        if matches!(token.kind, TokenKind::Value) {
            self.scanner.take();
            token = self.peek()?;
            if !matches!(
                token.kind,
                TokenKind::FlowEntry | TokenKind::FlowSequenceEnd
            ) {
                self.states.push(State::FlowPairEnd);
                return self.node(Allowed::Flow);
            }
        }
        let start = token.start;
        self.state = State::FlowPairEnd;
        Ok(empty_scalar(start))
    }

    pub(super) fn flow_pair_end(&mut self) -> Result<Event<'a>, Problem> {
        let start = self.peek()?.start;
        self.state = State::FlowSequenceEntry;
        Ok(event(EventKind::MappingEnd, start, start.offset))
    }

    pub(super) fn flow_mapping_key(&mut self, first: bool) -> Result<Event<'a>, Problem> {
        self.open(first)?;
        if !first && !matches!(self.peek()?.kind, TokenKind::FlowMappingEnd) {
            self.comma("did not find expected ',' or '}'")?;
        }
        let token = self.peek()?;
        let (start, end) = (token.start, token.end);
        match token.kind {
            TokenKind::FlowMappingEnd => {
                self.close();
                self.give_comments();
                self.scanner.take();
                Ok(event(EventKind::MappingEnd, start, end))
            }
            TokenKind::Key => {
                self.scanner.take();
                let token = self.peek()?;
                if matches!(
                    token.kind,
                    TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd
                ) {
                    let start = token.start;
                    self.state = State::FlowMappingValue;
                    return Ok(empty_scalar(start));
                }
                self.states.push(State::FlowMappingValue);
                self.node(Allowed::Flow)
            }
            _ => {
                self.states.push(State::FlowMappingEmptyValue);
                self.node(Allowed::Flow)
            }
        }
    }

    pub(super) fn flow_mapping_value(&mut self, empty: bool) -> Result<Event<'a>, Problem> {
        let mut token = self.peek()?;
        if !empty && matches!(token.kind, TokenKind::Value) {
            self.scanner.take();
            token = self.peek()?;
            if !matches!(token.kind, TokenKind::FlowEntry | TokenKind::FlowMappingEnd) {
                self.states.push(State::FlowMappingKey);
                return self.node(Allowed::Flow);
            }
        }
        let start = token.start;
        self.state = State::FlowMappingKey;
        Ok(empty_scalar(start))
    }

    fn comma(&mut self, otherwise: &'static str) -> Result<(), Problem> {
        let token = self.peek()?;
        if !matches!(token.kind, TokenKind::FlowEntry) {
            return Err(problem(otherwise, token.start, self.marks.pop()));
        }
        self.scanner.take();
        Ok(())
    }
}
