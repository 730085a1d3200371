//! Files with `KEY=value` lines.

use crate::error::{Error, Problem, Result};
use weir_k8s_yaml::Span;

/// A line this long ends the file, as it does for Go's line scanner.
const LONGEST_LINE: usize = 64 * 1024;

/// The keys and values of the lines. Lines without a key are skipped.
pub(super) fn pairs(content: &[u8]) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut rest = content;
    let mut number = 0;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let (line, more) = match end {
            Some(end) if end < LONGEST_LINE => (&rest[..end], &rest[end + 1..]),
            None if rest.len() < LONGEST_LINE => (rest, &rest[rest.len()..]),
            Some(_) | None => break,
        };
        rest = more;
        number += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = std::str::from_utf8(line).map_err(|_| {
            Error::new(Problem::EnvLine).at(Span {
                line: number,
                column: 1,
                ..Span::NONE
            })
        })?;
        let text = if number == 1 {
            text.strip_prefix('\u{feff}').unwrap_or(text)
        } else {
            text
        };
        let text = text.trim_start_matches(is_go_space);
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if !key.is_empty() {
            pairs.push((key.to_owned(), value.to_owned()));
        }
    }
    Ok(pairs)
}

fn is_go_space(c: char) -> bool {
    c.is_whitespace() && c != '\u{1c}' && c != '\u{1d}' && c != '\u{1e}' && c != '\u{1f}'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &[u8], expected: &[(&str, &str)]) {
        let found = pairs(content).unwrap();
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_are_keys_and_values() {
        check(
            b"\xEF\xBB\xBFA=1\r\n\n # no\n  B = 2 # yes\nC\n=x\nexport D=\"q\"",
            &[
                ("A", "1"),
                ("B ", " 2 # yes"),
                ("C", ""),
                ("export D", "\"q\""),
            ],
        );
    }

    #[test]
    fn a_very_long_line_ends_the_file() {
        let mut content = b"A=1\nB=".to_vec();
        content.extend(vec![b'x'; LONGEST_LINE]);
        content.extend(b"\nC=2\n");
        check(&content, &[("A", "1")]);
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        assert_eq!(pairs(b"A=1\nB=\xff\n").unwrap_err().line(), 2);
    }
}
