//! Slash-separated paths: Go's `path` package.

/// The shortest path with the same meaning.
pub(crate) fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.first() == Some(&b'/');
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => match parts.last() {
                Some(last) if *last != b".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(part),
            },
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/".as_slice(), &joined].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

/// The last part.
pub(crate) fn base(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    let end = path.iter().rposition(|byte| *byte != b'/');
    let Some(end) = end else { return b"/" };
    let path = &path[..=end];
    let start = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |at| at + 1);
    &path[start..]
}

/// All but the last part, cleaned.
pub(crate) fn dir(path: &[u8]) -> Vec<u8> {
    let end = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |at| at + 1);
    clean(&path[..end])
}

/// The last part from its last dot on.
pub(crate) fn ext(path: &[u8]) -> &[u8] {
    let start = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |at| at + 1);
    let dot = path[start..].iter().rposition(|byte| *byte == b'.');
    dot.map_or(&[], |dot| &path[start + dot..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_in_go() {
        for (path, cleaned, last, parent, extension) in [
            ("/a/b.txt", "/a/b.txt", "b.txt", "/a", ".txt"),
            ("", ".", ".", ".", ""),
            ("/", "/", "/", "/", ""),
            ("a//b/../c/.", "a/c", ".", "a/c", "."),
            ("/../a", "/a", "a", "/", ""),
            ("../../a", "../../a", "a", "../..", ""),
            ("a.tar.gz", "a.tar.gz", "a.tar.gz", ".", ".gz"),
            ("a.b/c/", "a.b/c", "c", "a.b/c", ""),
        ] {
            let path = path.as_bytes();
            assert_eq!(clean(path), cleaned.as_bytes());
            assert_eq!(base(path), last.as_bytes());
            assert_eq!(dir(path), parent.as_bytes());
            assert_eq!(ext(path), extension.as_bytes());
        }
    }
}
