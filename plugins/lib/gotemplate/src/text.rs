//! The string of the template language. Go's strings are bytes: `b64dec` and `.Files.Get` make strings that are no UTF-8,
//! and `b64enc` has to give the same bytes back. So a [`Text`] holds bytes and remembers whether they are UTF-8.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;

/// A Go string: shared bytes, nearly always UTF-8. A clone costs one reference count.
///
/// Equality, order and hash are those of the bytes, as in Go.
#[derive(Clone)]
pub struct Text(Repr);

#[derive(Clone)]
enum Repr {
    Static(&'static str),
    Utf8(Rc<str>),
    Raw(Rc<[u8]>),
    /// A piece of a text that others share: from one byte to another, both between characters.
    Part(Arc<String>, u32, u32),
    /// A piece of bytes that others share, of which nobody knows whether they are UTF-8.
    Piece(Arc<Vec<u8>>, u32, u32),
}

impl Text {
    /// A text that costs no allocation.
    pub const fn from_static(text: &'static str) -> Self {
        Self(Repr::Static(text))
    }

    /// The empty text.
    pub const fn empty() -> Self {
        Self::from_static("")
    }

    /// A text of any bytes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::from(text),
            Err(_) => Self(Repr::Raw(Rc::from(bytes))),
        }
    }

    /// A piece of a shared text, which costs no copy; nothing if the piece does not lie between characters of it.
    pub fn part_of(text: &Arc<String>, start: usize, end: usize) -> Option<Self> {
        text.get(start..end)?;
        let (start, end) = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
        Some(Self(Repr::Part(Arc::clone(text), start, end)))
    }

    /// A piece of shared bytes, which costs no copy; nothing if it is not within them.
    pub fn piece_of(bytes: &Arc<Vec<u8>>, start: usize, end: usize) -> Option<Self> {
        bytes.get(start..end)?;
        let (start, end) = (u32::try_from(start).ok()?, u32::try_from(end).ok()?);
        Some(Self(Repr::Piece(Arc::clone(bytes), start, end)))
    }

    /// The text to take pieces of, and where this one begins in it; it is copied unless it is such a piece already. Nothing if it
    /// is no UTF-8.
    pub(crate) fn shared(&self) -> Option<(Arc<String>, usize)> {
        match &self.0 {
            Repr::Static(text) => Some((Arc::new((*text).to_owned()), 0)),
            Repr::Utf8(text) => Some((Arc::new((**text).to_owned()), 0)),
            Repr::Raw(_) => None,
            Repr::Part(text, start, _) => Some((Arc::clone(text), *start as usize)),
            Repr::Piece(..) => Some((Arc::new(self.as_str()?.to_owned()), 0)),
        }
    }

    /// From where to where this is a piece of another text; nothing if it has bytes of its own.
    pub(crate) fn part_in(&self, whole: &Self) -> Option<(u32, u32)> {
        match (&self.0, &whole.0) {
            (Repr::Part(text, start, end), Repr::Part(shared, from, to))
                if Arc::ptr_eq(text, shared) && from <= start && end <= to =>
            {
                Some((start - from, end - from))
            }
            _ => None,
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Static(text) => text.as_bytes(),
            Repr::Utf8(text) => text.as_bytes(),
            Repr::Raw(bytes) => bytes,
            Repr::Part(text, start, end) => {
                let piece = text.as_bytes().get(*start as usize..*end as usize);
                piece.unwrap_or_default()
            }
            Repr::Piece(bytes, start, end) => {
                let piece = bytes.get(*start as usize..*end as usize);
                piece.unwrap_or_default()
            }
        }
    }

    /// The characters, if all bytes are UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::Static(text) => Some(text),
            Repr::Utf8(text) => Some(text),
            Repr::Raw(_) => None,
            Repr::Part(text, start, end) => text.get(*start as usize..*end as usize),
            Repr::Piece(..) => str::from_utf8(self.as_bytes()).ok(),
        }
    }

    /// The characters, with U+FFFD for what is no UTF-8. Free for UTF-8.
    pub fn lossy(&self) -> Cow<'_, str> {
        match &self.0 {
            Repr::Static(text) => Cow::Borrowed(text),
            Repr::Utf8(text) => Cow::Borrowed(text),
            Repr::Raw(bytes) => Cow::Owned(go_lossy(bytes)),
            Repr::Part(text, start, end) => {
                let piece = text.get(*start as usize..*end as usize);
                Cow::Borrowed(piece.unwrap_or_default())
            }
            Repr::Piece(..) => match self.as_str() {
                Some(text) => Cow::Borrowed(text),
                None => Cow::Owned(go_lossy(self.as_bytes())),
            },
        }
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// True if there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One U+FFFD for every byte that is no UTF-8, as ranging over a Go string gives.
fn go_lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

/// The first character of non-empty bytes and its length; U+FFFD and 1 for a byte that starts no character.
pub(crate) fn decode(bytes: &[u8]) -> (char, usize) {
    let start = &bytes[..bytes.len().min(4)];
    let valid = start.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    valid
        .chars()
        .next()
        .map_or((char::REPLACEMENT_CHARACTER, 1), |c| (c, c.len_utf8()))
}

/// Number of characters, every byte that is no UTF-8 counting as one.
pub(crate) fn count_chars(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        return bytes.len();
    }
    bytes
        .utf8_chunks()
        .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
        .sum()
}

impl Default for Text {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.lossy(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&*self.lossy(), f)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        if text.is_empty() {
            return Self::empty();
        }
        Self(Repr::Utf8(Rc::from(text)))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        Self::from(&*text)
    }
}

impl From<Rc<str>> for Text {
    fn from(text: Rc<str>) -> Self {
        Self(Repr::Utf8(text))
    }
}

/// Shares the text instead of copying it.
impl From<&Arc<String>> for Text {
    fn from(text: &Arc<String>) -> Self {
        Self::part_of(text, 0, text.len()).unwrap_or_else(|| Self::from(text.as_str()))
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from_bytes(&bytes)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Maps keyed by texts are searched by bytes without an allocation.
impl Borrow<[u8]> for Text {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_bytes_that_are_no_utf8() {
        let text = Text::from_bytes(b"a\xff\xfeb");
        assert_eq!(text.as_bytes(), b"a\xff\xfeb");
        assert_eq!(text.as_str(), None);
        assert_eq!(text.lossy(), "a\u{fffd}\u{fffd}b");
    }

    #[test]
    fn compares_by_bytes() {
        assert_eq!(Text::from_static("a"), Text::from("a"));
        let (upper, lower) = (Text::from("Z"), Text::from("a"));
        assert!(upper < lower);
    }
}
