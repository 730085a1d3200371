//! String literals (strconv.Unquote).

/// The bytes of a literal in double quotes or backquotes.
pub(super) fn unquote(literal: &[u8]) -> Option<Vec<u8>> {
    let (first, last) = (*literal.first()?, *literal.last()?);
    if literal.len() < 2 || first != last {
        return None;
    }
    let inner = &literal[1..literal.len() - 1];
    if first == b'`' {
        return Some(
            inner
                .iter()
                .copied()
                .filter(|byte| *byte != b'\r')
                .collect(),
        );
    }
    if !inner.contains(&b'\\') {
        return Some(inner.to_vec());
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(byte) = rest.first() {
        if *byte != b'\\' {
            out.push(*byte);
            rest = &rest[1..];
            continue;
        }
        rest = match *rest.get(1)? {
            b'x' => byte_escape(&mut out, &rest[2..], 2, 16)?,
            b'0'..=b'7' => byte_escape(&mut out, &rest[1..], 3, 8)?,
            _ => {
                // All other escapes are ASCII and name a character.
                let ascii = rest
                    .iter()
                    .take(10)
                    .take_while(|byte| byte.is_ascii())
                    .count();
                let text = std::str::from_utf8(&rest[..ascii]).ok()?;
                let (code, left) = unquote_char(text, '"')?;
                let c = char::from_u32(code)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                &rest[ascii - left.len()..]
            }
        };
    }
    Some(out)
}

/// One byte written as digits of a base.
fn byte_escape<'t>(
    out: &mut Vec<u8>,
    digits: &'t [u8],
    count: usize,
    base: u32,
) -> Option<&'t [u8]> {
    let text = std::str::from_utf8(digits.get(..count)?)
        .ok()
        .filter(|text| !text.starts_with('+'))?;
    out.push(u8::try_from(u32::from_str_radix(text, base).ok()?).ok()?);
    Some(&digits[count..])
}

/// The code point at the front of a literal's inside, and what follows. A `\xff` gives the number of the byte.
pub(super) fn unquote_char(text: &str, delimiter: char) -> Option<(u32, &str)> {
    let mut chars = text.chars();
    let c = chars.next()?;
    if c == delimiter {
        return None;
    }
    if c != '\\' {
        return Some((c.into(), chars.as_str()));
    }
    let escape = chars.next()?;
    let rest = chars.as_str();
    let code = match escape {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        'v' => 11,
        '\\' => 92,
        '\'' | '"' if escape == delimiter => escape.into(),
        'x' => return digits(rest, 2, 16),
        'u' => return digits(rest, 4, 16).filter(|(code, _)| char::from_u32(*code).is_some()),
        'U' => return digits(rest, 8, 16).filter(|(code, _)| char::from_u32(*code).is_some()),
        '0'..='7' => return digits(&text[1..], 3, 8).filter(|(code, _)| *code < 256),
        _ => return None,
    };
    Some((code, rest))
}

fn digits(text: &str, count: usize, base: u32) -> Option<(u32, &str)> {
    let number = text
        .get(..count)
        .filter(|number| number.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    Some((u32::from_str_radix(number, base).ok()?, &text[count..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals() {
        for (literal, expected) in [
            (r#""a\tb""#, Some(&b"a\tb"[..])),
            (
                r#""\x41\102\u00e9\U0001f600""#,
                Some("AB\u{e9}\u{1f600}".as_bytes()),
            ),
            (r#""\xff""#, Some(b"\xff")),
            (r#""\"""#, Some(b"\"")),
            (r#""\'""#, None),
            (r#""\q""#, None),
            (r#""\ud800""#, None),
            ("`a\\n\r\n`", Some(b"a\\n\n")),
        ] {
            assert_eq!(
                unquote(literal.as_bytes()).as_deref(),
                expected,
                "{literal}"
            );
        }
    }
}
