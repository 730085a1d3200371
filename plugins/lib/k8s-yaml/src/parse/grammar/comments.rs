//! From tokens to events with the comments that were read: go-yaml v3's second half of deciding where a comment belongs.

use super::super::scanner::{Problem, TokenKind};
use super::Grammar;
use crate::node::Comments;

/// Comments that wait for an event.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) head: String,
    line: String,
    foot: String,
    /// The head of a collection below a dash.
    pub(super) stem: Option<String>,
    /// Those of the last event.
    pub(super) event: Comments,
}

impl Grammar<'_> {
    /// The comments of the last event.
    pub(in crate::parse) fn take_comments(&mut self) -> Comments {
        self.comments
            .as_mut()
            .map(|comments| std::mem::take(&mut comments.event))
            .unwrap_or_default()
    }

    pub(super) fn unfold_comments(&mut self) -> Result<(), Problem> {
        let token = self.scanner.peek()?;
        let start = token.start.offset;
        let ends_block = matches!(token.kind, TokenKind::BlockEnd);
        let (Some(waiting), Some(comments)) = (&mut self.comments, self.scanner.comments()) else {
            return Ok(());
        };
        while let Some(comment) = comments.front() {
            // What ends has no head; it is the next one's.
            if start < comment.owner || (ends_block && !comment.head.is_empty()) {
                break;
            }
            join(&mut waiting.head, &comment.head);
            join(&mut waiting.foot, &comment.foot);
            join(&mut waiting.line, &comment.line);
            comments.pop_front();
        }
        Ok(())
    }

    pub(super) fn give_comments(&mut self) {
        if let Some(waiting) = &mut self.comments {
            waiting.event = Comments {
                head: std::mem::take(&mut waiting.head).into(),
                line: std::mem::take(&mut waiting.line).into(),
                foot: std::mem::take(&mut waiting.foot).into(),
            };
            waiting.stem = None;
        }
    }

    pub(super) fn give_stem(&mut self) {
        if let Some(waiting) = &mut self.comments
            && let Some(stem) = waiting.stem.take()
        {
            waiting.event.head = stem.into();
        }
    }

    /// Of the comment at the top, what stands above the last empty line is the document's.
    pub(super) fn split_document_head(&mut self) {
        let Some(waiting) = &mut self.comments else {
            return;
        };
        let head = &waiting.head;
        let (document, rest) = match (head.strip_suffix('\n'), head.rfind("\n\n")) {
            (Some(document), _) => (document, ""),
            (None, Some(at)) => (&head[..at], &head[at + 2..]),
            (None, None) => return,
        };
        waiting.event.head = document.into();
        waiting.head = rest.to_owned();
    }
}

fn join(comments: &mut String, more: &str) {
    if more.is_empty() {
        return;
    }
    if !comments.is_empty() {
        comments.push('\n');
    }
    comments.push_str(more);
}
