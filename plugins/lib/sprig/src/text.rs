//! What Go's libraries do with plain text: no values and no templates here.

pub(crate) mod base;
pub(crate) mod case;
pub(crate) mod shorten;
pub(crate) mod unicode;
pub(crate) mod words;

/// Removes white space byte by byte, as goutils does: if anything was removed, each byte of the rest counts as a Latin-1
/// character.
pub(crate) fn delete_whitespace(text: &[u8]) -> Vec<u8> {
    let space = |byte: &u8| char::from(*byte).is_whitespace();
    let kept = text.iter().filter(|byte| !space(byte)).count();
    if kept == text.len() {
        return text.to_vec();
    }
    let kept = text.iter().filter(|byte| !space(byte));
    kept.map(|byte| char::from(*byte))
        .collect::<String>()
        .into_bytes()
}

/// Replaces all occurrences; an empty text to replace stands between all characters. `None` if the result would be longer
/// than `limit`.
pub(crate) fn replace(text: &[u8], old: &[u8], new: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    if old.is_empty() {
        for chunk in text.utf8_chunks() {
            let valid = chunk
                .valid()
                .char_indices()
                .map(|(at, c)| &chunk.valid().as_bytes()[at..at + c.len_utf8()]);
            for character in valid.chain(chunk.invalid().chunks(1)) {
                out.extend_from_slice(new);
                out.extend_from_slice(character);
            }
            if out.len() > limit {
                return None;
            }
        }
        out.extend_from_slice(new);
    } else {
        let mut rest = text;
        while let Some(at) = find(rest, old) {
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(new);
            rest = &rest[at + old.len()..];
            if out.len() > limit {
                return None;
            }
        }
        out.extend_from_slice(rest);
    }
    (out.len() <= limit).then_some(out)
}

/// The parts between separators, at most `limit`; no limit means all. An empty separator splits into characters.
pub(crate) fn split<'t>(text: &'t [u8], separator: &[u8], limit: Option<usize>) -> Vec<&'t [u8]> {
    let limit = limit.unwrap_or(usize::MAX);
    if limit == 0 {
        return Vec::new();
    }
    let mut parts = Vec::new();
    let mut rest = text;
    if separator.is_empty() {
        while !rest.is_empty() {
            if parts.len() + 1 == limit {
                parts.push(rest);
                return parts;
            }
            let (first, after) = rest.split_at(character_len(rest));
            parts.push(first);
            rest = after;
        }
        return parts;
    }
    while parts.len() + 1 < limit
        && let Some(at) = find(rest, separator)
    {
        parts.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    parts.push(rest);
    parts
}

/// Bytes of the first character; 1 for what is no UTF-8.
fn character_len(text: &[u8]) -> usize {
    let start = &text[..text.len().min(4)];
    let valid = start.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    valid.chars().next().map_or(1, char::len_utf8)
}

/// Where a text occurs first.
pub(crate) fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, what)
}

/// Whether Go's `unicode.IsSpace` holds.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nospace_reads_bytes_as_latin_1() {
        assert_eq!(delete_whitespace(b" a b\tc\n"), b"abc");
        assert_eq!(delete_whitespace("aé b".as_bytes()), "aÃ©b".as_bytes());
        assert_eq!(delete_whitespace("é".as_bytes()), "é".as_bytes());
    }

    #[test]
    fn replaces() {
        assert_eq!(replace(b"banana", b"a", b"b", 99).unwrap(), b"bbnbnb");
        assert_eq!(
            replace("aé".as_bytes(), b"", b"-", 99).unwrap(),
            "-a-é-".as_bytes()
        );
        assert_eq!(replace(b"\xff\xfe", b"", b"-", 99).unwrap(), b"-\xff-\xfe-");
        assert_eq!(replace(b"aaaa", b"a", b"bbb", 9), None);
    }

    #[test]
    fn splits() {
        assert_eq!(split(b"a,,b", b",", None), [&b"a"[..], b"", b"b"]);
        assert_eq!(split(b"", b",", None), [b""]);
        assert_eq!(
            split("aé".as_bytes(), b"", None),
            ["a".as_bytes(), "é".as_bytes()]
        );
        assert_eq!(split(b"a.b.c", b".", Some(2)), [&b"a"[..], b"b.c"]);
        assert_eq!(split(b"a.b.c", b"", Some(2)), [&b"a"[..], b".b.c"]);
        assert_eq!(split(b"a", b".", Some(0)), [b""; 0]);
    }
}
