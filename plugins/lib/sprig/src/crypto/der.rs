//! As much of DER as certificates and keys need.

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const UTF8: u8 = 0x0c;
pub(super) const PRINTABLE: u8 = 0x13;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// A tag, a length, a content.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 6);
    out.push(tag);
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    match length {
        [] => out.push(0),
        [small] if *small < 0x80 => out.push(*small),
        long => {
            out.push(0x80 | long.len() as u8);
            out.extend_from_slice(long);
        }
    }
    out.extend_from_slice(content);
    out
}

pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, &parts.concat())
}

/// A number of any size, not negative.
pub(super) fn integer(bytes: &[u8]) -> Vec<u8> {
    let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
    let sign: &[u8] = match bytes.first() {
        Some(first) if *first < 0x80 => &[],
        _ => &[0],
    };
    element(INTEGER, &[sign, bytes].concat())
}

/// Whole bytes as a bit string.
pub(super) fn bits(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes].concat())
}

/// Reads an input element by element.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'d>(&'d [u8]);

/// An element that was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'d> {
    pub(super) tag: u8,
    pub(super) content: &'d [u8],
    /// With tag and length.
    pub(super) whole: &'d [u8],
}

impl<'d> Reader<'d> {
    pub(super) fn new(input: &'d [u8]) -> Self {
        Self(input)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn next(&mut self) -> Option<Element<'d>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if digits.is_empty() || digits.len() > 4 || digits[0] == 0 {
                return None;
            }
            (
                digits
                    .iter()
                    .fold(0, |length, digit| length << 8 | usize::from(*digit)),
                rest,
            )
        };
        let (content, rest) = rest.split_at_checked(length)?;
        let whole = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        Some(Element {
            tag,
            content,
            whole,
        })
    }

    /// The next element, if it has this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<Element<'d>> {
        let before = self.0;
        let element = self.next()?;
        if element.tag != tag {
            self.0 = before;
            return None;
        }
        Some(element)
    }

    /// The next element as a number that is not negative, without leading zeros.
    pub(super) fn integer(&mut self) -> Option<&'d [u8]> {
        let content = self.expect(INTEGER)?.content;
        match content {
            [] => None,
            [0, rest @ ..] => Some(rest),
            [first, ..] if *first >= 0x80 => None,
            content => Some(content),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            let encoded = element(OCTET_STRING, &content);
            let mut reader = Reader::new(&encoded);
            assert_eq!(reader.expect(OCTET_STRING).unwrap().content, content);
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(integer(&[0, 0, 5]), [2, 1, 5]);
        assert_eq!(integer(&[]), [2, 1, 0]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(Reader::new(&[2, 2, 0, 0x80]).integer(), Some(&[0x80][..]));
    }

    #[test]
    fn cut_off_input_is_refused() {
        for input in [
            &[][..],
            &[2],
            &[2, 5, 1],
            &[2, 0x82, 1],
            &[2, 0x85, 1, 1, 1, 1, 1],
            &[2, 0x80],
        ] {
            assert!(Reader::new(input).next().is_none());
        }
    }
}
