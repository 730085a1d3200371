//! The bytes of a file.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Bytes that many may hold. Whether they are text is found out once, when they come, unless they are a piece of others.
#[derive(Clone)]
pub struct FileData(Repr);

#[derive(Clone)]
enum Repr {
    Text(Arc<String>),
    Raw(Arc<[u8]>),
    Piece(Arc<Vec<u8>>, usize, usize),
}

impl FileData {
    /// A piece of other bytes, which costs no copy; nothing if it is not within them.
    pub(crate) fn piece_of(bytes: &Arc<Vec<u8>>, start: usize, end: usize) -> Option<Self> {
        bytes.get(start..end)?;
        Some(Self(Repr::Piece(Arc::clone(bytes), start, end)))
    }

    /// The text, if it is known that all bytes are UTF-8.
    #[must_use]
    pub fn as_text(&self) -> Option<&Arc<String>> {
        match &self.0 {
            Repr::Text(text) => Some(text),
            Repr::Raw(_) | Repr::Piece(..) => None,
        }
    }

    /// What this is a piece of, and from where to where.
    #[must_use]
    pub fn as_piece(&self) -> Option<(&Arc<Vec<u8>>, usize, usize)> {
        match &self.0 {
            Repr::Piece(bytes, start, end) => Some((bytes, *start, *end)),
            Repr::Text(_) | Repr::Raw(_) => None,
        }
    }
}

impl From<Vec<u8>> for FileData {
    fn from(mut bytes: Vec<u8>) -> Self {
        bytes.shrink_to_fit();
        Self(match String::from_utf8(bytes) {
            Ok(text) => Repr::Text(Arc::new(text)),
            Err(error) => Repr::Raw(error.into_bytes().into()),
        })
    }
}

impl Deref for FileData {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Repr::Text(text) => text.as_bytes(),
            Repr::Raw(bytes) => bytes,
            Repr::Piece(bytes, start, end) => bytes.get(*start..*end).unwrap_or_default(),
        }
    }
}

impl PartialEq for FileData {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for FileData {}

impl fmt::Debug for FileData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_text() {
            Some(text) => fmt::Debug::fmt(text, f),
            None => fmt::Debug::fmt(&**self, f),
        }
    }
}
