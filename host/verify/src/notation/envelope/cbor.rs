//! As much of CBOR (RFC 8949) as signatures are written in: whole numbers, bytes, texts, lists, maps and tags, each with its
//! length before it.

/// Values within values.
const MAX_DEPTH: usize = 8;
/// The most members of a list or map.
const MAX_MEMBERS: u64 = 1000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(i64),
    Bytes(Vec<u8>),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Tagged(u64, Box<Value>),
    /// True, false, nothing.
    Simple(u8),
}

impl Value {
    /// Reads all of the bytes.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let value = take(&mut rest, 0)?;
        rest.is_empty().then_some(value)
    }

    pub(super) fn number(&self) -> Option<i64> {
        let Self::Number(number) = self else {
            return None;
        };
        Some(*number)
    }

    pub(super) fn text(&self) -> Option<&str> {
        let Self::Text(text) = self else {
            return None;
        };
        Some(text)
    }

    pub(super) fn bytes(&self) -> Option<&[u8]> {
        let Self::Bytes(bytes) = self else {
            return None;
        };
        Some(bytes)
    }

    /// Seconds since 1970.
    pub(super) fn moment(&self) -> Option<u64> {
        let Self::Tagged(1, value) = self else {
            return None;
        };
        value.number()?.try_into().ok()
    }
}

fn take(rest: &mut &[u8], depth: usize) -> Option<Value> {
    (depth < MAX_DEPTH).then_some(())?;
    let first = bytes(rest, 1)?[0];
    let (kind, short) = (first >> 5, first & 31);
    if kind == 7 {
        return (short < 24).then_some(Value::Simple(short));
    }
    let length = match short {
        0..24 => u64::from(short),
        24..28 => {
            let count = 1 << (short - 24);
            let big = bytes(rest, count)?;
            big.iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte))
        }
        _ => return None,
    };
    match kind {
        0 => Some(Value::Number(length.try_into().ok()?)),
        1 => Some(Value::Number(-1 - i64::try_from(length).ok()?)),
        2 => Some(Value::Bytes(bytes(rest, length.try_into().ok()?)?.to_vec())),
        3 => {
            let text = bytes(rest, length.try_into().ok()?)?.to_vec();
            Some(Value::Text(String::from_utf8(text).ok()?))
        }
        4 => {
            (length <= MAX_MEMBERS).then_some(())?;
            let members = (0..length).map(|_| take(rest, depth + 1));
            Some(Value::List(members.collect::<Option<_>>()?))
        }
        5 => {
            (length <= MAX_MEMBERS).then_some(())?;
            let mut members = Vec::new();
            for _ in 0..length {
                members.push((take(rest, depth + 1)?, take(rest, depth + 1)?));
            }
            Some(Value::Map(members))
        }
        _ => Some(Value::Tagged(length, Box::new(take(rest, depth + 1)?))),
    }
}

fn bytes<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

/// Writes bytes with their length.
pub(super) fn write_bytes(to: &mut Vec<u8>, content: &[u8]) {
    let length = content.len() as u64;
    match length {
        0..24 => to.push(0x40 | length as u8),
        24..0x100 => to.extend([0x58, length as u8]),
        0x100..0x1_0000 => {
            to.push(0x59);
            to.extend((length as u16).to_be_bytes());
        }
        0x1_0000..0x1_0000_0000 => {
            to.push(0x5a);
            to.extend((length as u32).to_be_bytes());
        }
        _ => {
            to.push(0x5b);
            to.extend(length.to_be_bytes());
        }
    }
    to.extend(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        let text = b"\xd2\x84\x43\xa1\x01\x26\xa1\x18\x21\x41\x07\x40\x63abc";
        let Some(Value::Tagged(18, list)) = Value::read(text) else {
            panic!("it is tagged");
        };
        let map = Value::Map(vec![(Value::Number(33), Value::Bytes(vec![7]))]);
        let protected = Value::Bytes(vec![0xa1, 1, 0x26]);
        let last = Value::Text("abc".to_owned());
        let members = vec![protected, map, Value::Bytes(Vec::new()), last];
        assert_eq!(*list, Value::List(members));
        assert_eq!(
            Value::read(b"\xc1\x1a\x00\x00\x01\x00").unwrap().moment(),
            Some(256)
        );
        assert_eq!(Value::read(b"\x26"), Some(Value::Number(-7)));
    }

    #[test]
    fn other_bytes_are_nothing() {
        for bad in [
            &b""[..],
            b"\x43ab",
            b"\x9f\xff",
            b"\x00\x00",
            b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
            &[0x81; 100],
        ] {
            assert_eq!(Value::read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn bytes_are_written_with_their_length() {
        for count in [0, 23, 24, 255, 256, 65_535, 65_536] {
            let content = vec![1; count];
            let mut written = Vec::new();
            write_bytes(&mut written, &content);
            assert_eq!(Value::read(&written), Some(Value::Bytes(content)));
        }
    }
}
