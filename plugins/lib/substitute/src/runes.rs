//! Bytes as Go looks at them: as UTF-8 where they are, and one by one where they are not.

/// The first character and its length. What is no UTF-8 is a U+FFFD of one byte; nothing is one of none.
pub(crate) fn first(bytes: &[u8]) -> (char, usize) {
    let Some(lead) = bytes.first() else {
        return (char::REPLACEMENT_CHARACTER, 0);
    };
    let length = match lead {
        0x00..=0x7f => return (char::from(*lead), 1),
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return (char::REPLACEMENT_CHARACTER, 1),
    };
    let decoded = bytes
        .get(..length)
        .and_then(|part| std::str::from_utf8(part).ok());
    match decoded.and_then(|text| text.chars().next()) {
        Some(c) => (c, length),
        None => (char::REPLACEMENT_CHARACTER, 1),
    }
}

/// All characters.
pub(crate) fn all(bytes: &[u8]) -> impl Iterator<Item = char> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (c, length) = first(rest);
        rest = &rest[length..];
        (length > 0).then_some(c)
    })
}

/// The characters in the opposite order.
pub(crate) fn reversed(bytes: &[u8]) -> Vec<u8> {
    let characters: Vec<char> = all(bytes).collect();
    characters.iter().rev().collect::<String>().into_bytes()
}

/// Every character in upper case, one for one: `ß` stays, for its upper case is two.
pub(crate) fn upper(bytes: &[u8]) -> Vec<u8> {
    all(bytes).map(to_upper).collect::<String>().into_bytes()
}

/// Every character in lower case, one for one.
pub(crate) fn lower(bytes: &[u8]) -> Vec<u8> {
    all(bytes).map(to_lower).collect::<String>().into_bytes()
}

/// Only the first character changed.
pub(crate) fn with_first(bytes: &[u8], change: fn(char) -> char) -> Vec<u8> {
    let (c, length) = first(bytes);
    if length == 0 {
        return Vec::new();
    }
    let mut out = change(c).to_string().into_bytes();
    out.extend_from_slice(&bytes[length..]);
    out
}

pub(crate) fn to_upper(c: char) -> char {
    // Greek letters with a iota below: their full upper case is two letters, their simple one is the title case.
    let code = u32::from(c);
    let simple = match code {
        0x1f80..=0x1f87 | 0x1f90..=0x1f97 | 0x1fa0..=0x1fa7 => Some(code + 8),
        0x1fb3 | 0x1fc3 | 0x1ff3 => Some(code + 9),
        _ => None,
    };
    match simple.and_then(char::from_u32) {
        Some(simple) => simple,
        None => only(c.to_uppercase()).unwrap_or(c),
    }
}

pub(crate) fn to_lower(c: char) -> char {
    match c {
        'İ' => 'i',
        _ => only(c.to_lowercase()).unwrap_or(c),
    }
}

fn only(mut characters: impl Iterator<Item = char>) -> Option<char> {
    let first = characters.next()?;
    characters.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_utf8_counts_byte_by_byte() {
        let characters: String = all(b"a\xffb\xe2\x82").collect();
        assert_eq!(characters, "a\u{fffd}b\u{fffd}\u{fffd}");
        assert_eq!(reversed("aé".as_bytes()), "éa".as_bytes());
    }

    #[test]
    fn case_is_mapped_one_for_one() {
        assert_eq!(upper("straße ᾳ".as_bytes()), "STRAßE ᾼ".as_bytes());
        assert_eq!(lower("İX".as_bytes()), "ix".as_bytes());
        assert_eq!(with_first("éa".as_bytes(), to_upper), "Éa".as_bytes());
    }
}
