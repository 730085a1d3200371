//! `wrap`, `abbrev` and `abbrevboth`: the rules of goutils, by bytes.

/// What becomes of words longer than a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LongWords {
    Keep,
    Cut,
}

/// Breaks lines at spaces. Existing line breaks are characters like others. `None` if the result would be longer than
/// `limit`.
pub(crate) fn wrap(
    text: &[u8],
    width: i64,
    newline: &[u8],
    long: LongWords,
    limit: usize,
) -> Option<Vec<u8>> {
    let newline: &[u8] = if newline.is_empty() { b"\n" } else { newline };
    let width = usize::try_from(width).unwrap_or(1).max(1);
    let mut out = Vec::with_capacity(text.len() + text.len() / 16);
    let mut rest = text;
    while rest.len() > width {
        if rest[0] == b' ' {
            rest = &rest[1..];
            continue;
        }
        let (line, after) = match rest[..=width].iter().rposition(|byte| *byte == b' ') {
            Some(at) => (at, at + 1),
            None if long == LongWords::Cut => (width, width),
            None => match rest[width..].iter().position(|byte| *byte == b' ') {
                Some(at) => (width + at, width + at + 1),
                None => {
                    out.extend_from_slice(rest);
                    return Some(out);
                }
            },
        };
        out.extend_from_slice(&rest[..line]);
        out.extend_from_slice(newline);
        rest = &rest[after..];
        if out.len() > limit {
            return None;
        }
    }
    out.extend_from_slice(rest);
    Some(out)
}

/// Cuts to a width with dots at the end; widths below 4 cut nothing.
pub(crate) fn abbreviate(text: &[u8], width: i64) -> Vec<u8> {
    abbreviate_from(text, 0, width)
}

/// Cuts to a width so that the byte at `offset` stays, with dots where something is missing.
pub(crate) fn abbreviate_both(text: &[u8], offset: i64, width: i64) -> Vec<u8> {
    if width < 4 || (offset > 0 && width < 7) {
        return text.to_vec();
    }
    abbreviate_from(text, offset, width)
}

fn abbreviate_from(text: &[u8], offset: i64, width: i64) -> Vec<u8> {
    let Ok(width) = usize::try_from(width) else {
        return text.to_vec();
    };
    if width < 4 || text.len() <= width {
        return text.to_vec();
    }
    // A negative offset is no offset.
    let mut offset = usize::try_from(offset).unwrap_or(0).min(text.len());
    let shown = width - 3;
    if text.len() - offset < shown {
        offset = text.len() - shown;
    }
    if offset <= 4 {
        return [&text[..shown], b"..."].concat();
    }
    if offset + shown < text.len() {
        return [
            b"...",
            abbreviate(&text[offset..], i64::try_from(shown).unwrap_or(i64::MAX)).as_slice(),
        ]
        .concat();
    }
    [b"...", &text[text.len() - shown..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(width: i64, newline: &str, text: &str, long: LongWords) -> String {
        let out = wrap(text.as_bytes(), width, newline.as_bytes(), long, 1 << 20);
        String::from_utf8(out.unwrap()).unwrap()
    }

    #[test]
    fn wrap_as_recorded() {
        assert_eq!(
            wrapped(5, "", "hello beautiful world ok", LongWords::Keep),
            "hello\nbeautiful\nworld\nok"
        );
        assert_eq!(
            wrapped(5, "\t", "helloworld ok", LongWords::Cut),
            "hello\tworld\tok"
        );
        assert_eq!(wrapped(80, "", "short", LongWords::Keep), "short");
        assert_eq!(wrapped(-1, "", "a b", LongWords::Keep), "a\nb");
        assert_eq!(wrap(b"a a a a a a", 1, b"xxxx", LongWords::Keep, 8), None);
    }

    #[test]
    fn abbrev_as_recorded() {
        assert_eq!(abbreviate(b"hello world", 5), b"he...");
        assert_eq!(abbreviate(b"hello", 3), b"hello");
        assert_eq!(abbreviate(b"hello", 20), b"hello");
        assert_eq!(abbreviate_both(b"1234 5678 9123", 5, 10), b"...5678...");
        assert_eq!(abbreviate_both(b"abcdefghij", 0, 7), b"abcd...");
        assert_eq!(abbreviate_both(b"abcdefghij", i64::MAX, 7), b"...ghij");
    }
}
