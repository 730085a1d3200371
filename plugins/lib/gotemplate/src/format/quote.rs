//! Go's quoted strings and characters (strconv.Quote and kin).

use std::fmt::Write;

/// Which characters a quoted form keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// All that can be printed.
    Printable,
    /// Printable ASCII.
    Ascii,
}

/// `%q` of a string: double quotes, Go's escapes, `\xff` for bytes that are no UTF-8.
pub fn quote(text: impl AsRef<[u8]>) -> String {
    quote_keeping(text.as_ref(), Keep::Printable)
}

pub(super) fn quote_keeping(bytes: &[u8], keep: Keep) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            escape(&mut out, c, '"', keep);
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out.push('"');
    out
}

/// `%q` of a number: the character in single quotes.
pub(super) fn quote_char(c: char, keep: Keep) -> String {
    let mut out = String::from("'");
    escape(&mut out, c, '\'', keep);
    out.push('\'');
    out
}

fn escape(out: &mut String, c: char, delimiter: char, keep: Keep) {
    if c == delimiter || c == '\\' {
        out.push('\\');
        out.push(c);
        return;
    }
    let kept = match keep {
        Keep::Printable => is_print(c),
        Keep::Ascii => c.is_ascii() && is_print(c),
    };
    if kept {
        out.push(c);
        return;
    }
    let short = match c {
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\u{c}' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\u{b}' => "\\v",
        _ => "",
    };
    let code = u32::from(c);
    let _ = match code {
        _ if !short.is_empty() => out.write_str(short),
        0..0x20 | 0x7f => write!(out, "\\x{code:02x}"),
        0..0x1_0000 => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// True if Go's strconv.IsPrint says so: letters, marks, numbers, punctuation, symbols and the blank.
pub(crate) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // Behind another character, Rust escapes exactly what cannot be printed.
    let mut buffer = [b'a'; 5];
    let length = c.encode_utf8(&mut buffer[1..]).len();
    std::str::from_utf8(&buffer[..=length])
        .is_ok_and(|text| text.escape_debug().nth(1) != Some('\\'))
}

/// True if the text can stand between backquotes unchanged.
pub(super) fn can_backquote(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| {
        !text
            .chars()
            .any(|c| matches!(c, '\u{feff}' | '`' | '\u{7f}') || (c < ' ' && c != '\t'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        for (text, expected) in [
            ("a", r#""a""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("\u{7}\u{8}\u{c}\n\r\t\u{b}", r#""\a\b\f\n\r\t\v""#),
            ("\0\u{7f}", r#""\x00\x7f""#),
            ("é\u{a0}\u{200b}", r#""é\u00a0\u200b""#),
            ("a\u{301}", "\"a\u{301}\""),
            ("\u{1f600}\u{10ffff}", "\"\u{1f600}\\U0010ffff\""),
        ] {
            assert_eq!(quote(text), expected);
        }
        assert_eq!(quote(b"a\xffb"), r#""a\xffb""#);
        assert_eq!(
            quote_keeping("é\u{1f600}".as_bytes(), Keep::Ascii),
            r#""\u00e9\U0001f600""#
        );
        assert_eq!(quote_char('\'', Keep::Printable), r"'\''");
    }
}
