//! Places in a source text.

use std::ops::Range;

/// Where a node stands in the text that it was parsed from.
///
/// A node made by code has [`Span::NONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// Byte offset of the first byte.
    pub start: u32,
    /// Byte offset after the last byte.
    pub end: u32,
    /// Line of the first byte, counted from 1; 0 in [`Span::NONE`].
    pub line: u32,
    /// Column of the first byte in characters, counted from 1.
    pub column: u32,
}

impl Span {
    /// The span of what was not parsed.
    pub const NONE: Span = Span {
        start: 0,
        end: 0,
        line: 0,
        column: 0,
    };

    /// Whether this is [`Span::NONE`].
    #[must_use]
    pub fn is_none(self) -> bool {
        self.line == 0
    }

    /// The bytes that the span covers.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl Default for Span {
    fn default() -> Self {
        Self::NONE
    }
}
