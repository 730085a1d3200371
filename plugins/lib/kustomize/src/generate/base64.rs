//! Base64 as generated Secrets have it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// From this length on the text is cut into lines.
const LINE: usize = 70;

pub(super) fn encode(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    if encoded.len() < LINE {
        return encoded;
    }
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / LINE + 1);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE));
        lines.push_str(line);
        lines.push('\n');
        rest = more;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_into_lines() {
        assert_eq!(encode(b"a"), "YQ==");
        assert_eq!(encode(&[0; 51]).len(), 68);
        let long = encode(&[0; 60]);
        assert_eq!(long.lines().map(str::len).collect::<Vec<_>>(), [70, 10]);
        assert!(long.ends_with('\n'));
    }
}
