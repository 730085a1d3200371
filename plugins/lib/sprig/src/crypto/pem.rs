//! PEM: base 64 between two marks.

use crate::text::base::B64;
use crate::text::find;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// What stands in the marks: `CERTIFICATE`.
    pub(crate) kind: String,
    pub(crate) bytes: Vec<u8>,
}

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";

/// The first block of a text.
pub(crate) fn decode(text: &[u8]) -> Option<Block> {
    let mut rest = text;
    loop {
        let at = find(rest, BEGIN)?;
        let at_line_start = at == 0 || rest[at - 1] == b'\n';
        rest = &rest[at + BEGIN.len()..];
        if at_line_start && let Some(block) = block(rest) {
            return Some(block);
        }
    }
}

fn block(rest: &[u8]) -> Option<Block> {
    let line_end = rest.iter().position(|byte| *byte == b'\n')?;
    let kind = rest[..line_end].trim_ascii_end().strip_suffix(DASHES)?;
    let kind = std::str::from_utf8(kind).ok()?;
    let body = &rest[line_end + 1..];
    let end = find(body, format!("-----END {kind}-----").as_bytes())?;
    let mut body = &body[..end];
    // Lines with a colon are headers, which end with an empty line.
    while let Some(line_end) = body.iter().position(|byte| *byte == b'\n')
        && body[..line_end].contains(&b':')
    {
        body = &body[line_end + 1..];
    }
    let compact: Vec<u8> = body
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
        .collect();
    Some(Block {
        kind: kind.to_owned(),
        bytes: B64.decode(&compact).ok()?,
    })
}

/// Writes a block in lines of 64 characters.
pub(crate) fn encode(kind: &str, bytes: &[u8]) -> String {
    let body = B64.encode(bytes);
    let mut out = format!("-----BEGIN {kind}-----\n");
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str(&format!("-----END {kind}-----\n"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        let bytes: Vec<u8> = (0..200).collect();
        let text = format!("before\n{}after", encode("A B", &bytes));
        assert_eq!(
            decode(text.as_bytes()),
            Some(Block {
                kind: "A B".to_owned(),
                bytes
            })
        );
        assert_eq!(decode(b"-----BEGIN X-----\nAA"), None);
        assert_eq!(
            decode(b"x -----BEGIN X-----\nAAAA\n-----END X-----\n"),
            None
        );
    }
}
