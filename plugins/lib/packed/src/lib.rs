//! Bytes that a program writes for itself and reads again: numbers, texts and lists one behind the other, without names.
//!
//! There is no version in them and no way to skip what is not known: who reads has to be who wrote. What is damaged is found
//! where it makes no sense, and a reader never takes more memory than the bytes that are left can be worth.
//!
//! ```
//! use weir_packed::{Reader, Writer};
//!
//! let mut writer = Writer::default();
//! writer.text("web");
//! writer.number(8080);
//! let bytes = writer.finish();
//!
//! let mut reader = Reader::new(&bytes);
//! assert_eq!(reader.text(), Some("web"));
//! assert_eq!(reader.number(), Some(8080));
//! assert_eq!(reader.byte(), None);
//! ```

#![forbid(unsafe_code)]

/// Puts bytes together.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// One byte.
    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// Yes or no.
    pub fn flag(&mut self, flag: bool) {
        self.byte(u8::from(flag));
    }

    /// A number; small ones take one byte.
    pub fn number(&mut self, mut number: u64) {
        while number > 0x7f {
            self.byte(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.byte(number.to_le_bytes()[0]);
    }

    /// How many of something follow.
    pub fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    /// A number that may be below zero; what is near to it takes one byte.
    pub fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    /// Bytes and how many they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Something, if there is one.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(T, &mut Self)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(value, self);
        }
    }

    /// A list of things that each take a byte at least.
    pub fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&T, &mut Self)) {
        self.count(items.len());
        items.iter().for_each(|item| write(item, self));
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Takes bytes apart in the order in which they were written. Nothing comes back where they make no sense.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    /// Reads from the first byte on.
    #[must_use]
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    /// One byte.
    #[inline]
    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// Yes or no.
    #[inline]
    pub fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// A number.
    #[inline]
    pub fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        if first < 0x80 {
            return Some(u64::from(first));
        }
        self.long_number(first)
    }

    fn long_number(&mut self, first: u8) -> Option<u64> {
        let mut number = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                return None;
            }
            number |= part << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// How many of something follow, each of which takes a byte at least.
    #[inline]
    pub fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.rest.len()).then_some(count)
    }

    /// A number that may be below zero.
    #[inline]
    pub fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// Bytes.
    pub fn bytes(&mut self) -> Option<&'b [u8]> {
        let count = self.count()?;
        let (bytes, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(bytes)
    }

    /// A text.
    pub fn text(&mut self) -> Option<&'b str> {
        str::from_utf8(self.bytes()?).ok()
    }

    /// A list of things that each take a byte at least.
    pub fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.count()?;
        // The elements may be larger than what they are read from.
        let mut list = Vec::with_capacity(count.min(1024));
        for _ in 0..count {
            list.push(one(self)?);
        }
        Some(list)
    }

    /// Something, if there is one.
    pub fn option<T>(&mut self, one: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        Some(match self.flag()? {
            true => Some(one(self)?),
            false => None,
        })
    }

    /// What is left.
    #[must_use]
    pub fn rest(&self) -> &'b [u8] {
        self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(
            number: u64, signed: i64, flag: bool, bytes: Vec<u8>, text: String, list: Vec<u64>,
        ) {
            let mut writer = Writer::default();
            writer.number(number);
            writer.signed(signed);
            writer.flag(flag);
            writer.bytes(&bytes);
            writer.text(&text);
            writer.list(&list, |number, writer| writer.number(*number));
            for value in [None, Some(number)] {
                writer.option(value, |number, writer| writer.number(number));
            }
            let packed = writer.finish();
            let mut reader = Reader::new(&packed);
            prop_assert_eq!(reader.number(), Some(number));
            prop_assert_eq!(reader.signed(), Some(signed));
            prop_assert_eq!(reader.flag(), Some(flag));
            prop_assert_eq!(reader.bytes(), Some(&bytes[..]));
            prop_assert_eq!(reader.text(), Some(&text[..]));
            prop_assert_eq!(reader.list(Reader::number), Some(list));
            prop_assert_eq!(reader.option(Reader::number), Some(None));
            prop_assert_eq!(reader.option(Reader::number), Some(Some(number)));
            prop_assert!(reader.rest().is_empty());
        }

        #[test]
        fn any_bytes_are_read_to_an_end(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.list(Reader::text).is_some() || reader.signed().is_some() {}
        }
    }

    #[test]
    fn small_numbers_take_one_byte() {
        let mut writer = Writer::default();
        for number in [0, 127] {
            writer.number(number);
        }
        for number in [-64, 63] {
            writer.signed(number);
        }
        assert_eq!(writer.finish().len(), 4);
    }

    #[test]
    fn what_makes_no_sense_is_nothing() {
        // A flag that is neither, a number of too many bits, more bytes than there are.
        assert_eq!(Reader::new(&[2]).flag(), None);
        assert_eq!(Reader::new(&[0xff; 10]).number(), None);
        assert_eq!(Reader::new(&[200, 1, 0]).bytes(), None);
        assert_eq!(Reader::new(&[1, 0xff]).text(), None);
    }
}
