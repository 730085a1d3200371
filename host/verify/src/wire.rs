//! SSH's way of writing values: texts and numbers with their lengths before them.

/// Reads values one after the other; `None` once something does not fit.
#[derive(Debug)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    pub fn byte(&mut self) -> Option<u8> {
        Some(self.bytes(1)?[0])
    }

    pub fn flag(&mut self) -> Option<bool> {
        Some(self.byte()? != 0)
    }

    pub fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.bytes(4)?.try_into().ok()?))
    }

    pub fn long(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.bytes(8)?.try_into().ok()?))
    }

    pub fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.bytes(usize::try_from(length).ok()?)
    }

    /// A list of names.
    pub fn names(&mut self) -> Option<Vec<&'a str>> {
        let text = std::str::from_utf8(self.text()?).ok()?;
        Some(text.split(',').filter(|name| !name.is_empty()).collect())
    }
}

/// Writes values one after the other.
#[derive(Debug, Default)]
pub struct Writing(pub Vec<u8>);

impl Writing {
    pub fn message(number: u8) -> Self {
        Self(vec![number])
    }

    pub fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }

    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn number(self, number: u32) -> Self {
        self.bytes(&number.to_be_bytes())
    }

    pub fn text(self, text: &[u8]) -> Self {
        // Nothing that is written is that long.
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        self.number(length).bytes(text)
    }

    /// A positive number of any length.
    pub fn integer(self, bytes: &[u8]) -> Self {
        let bytes = trimmed(bytes);
        if bytes.first().is_some_and(|first| first & 0x80 != 0) {
            return self.text(&[&[0], bytes].concat());
        }
        self.text(bytes)
    }
}

/// Without the zeros before it.
pub fn trimmed(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

/// The kind of a public key, which is its first value.
pub fn kind(key: &[u8]) -> &str {
    let kind = Fields(key).text().unwrap_or_default();
    std::str::from_utf8(kind).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_and_come() {
        let written = Writing::message(7)
            .number(9)
            .text(b"a,b")
            .integer(&[0, 0x80]);
        let mut read = Fields(&written.0);
        assert_eq!((read.byte(), read.number()), (Some(7), Some(9)));
        assert_eq!(read.names(), Some(vec!["a", "b"]));
        assert_eq!(read.text(), Some(&[0, 0x80][..]));
        assert_eq!(read.byte(), None);
        assert_eq!(Writing::default().integer(&[0]).0, [0, 0, 0, 0]);
        for cut in 5..written.0.len() - 6 {
            let mut read = Fields(&written.0[..cut]);
            read.bytes(5);
            assert_eq!(read.text(), None, "{cut}");
        }
    }
}
