//! Character classes and escapes.

use super::{BACKSLASH, ESCAPE, MISSING_BRACKET, RANGE, SyntaxError, escaped};

/// Reads `[…]`; gives it in Rust's language, and what follows.
pub(super) fn bracketed(whole: &str) -> Result<(String, &str), SyntaxError> {
    let mut rest = &whole[1..];
    let mut out = String::from("[");
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    let mut first = true;
    while first || !rest.starts_with(']') {
        first = false;
        if rest.starts_with("[:")
            && let Some(end) = rest[2..].find(":]")
        {
            let (name, after) = rest.split_at(end + 4);
            let members = posix(name).ok_or_else(|| SyntaxError::new(RANGE, name))?;
            out.push_str(&members);
            rest = after;
            continue;
        }
        if let Some((class, after)) = unicode(rest)? {
            out.push_str(&class);
            rest = after;
            continue;
        }
        if let Some((class, after)) = perl(rest) {
            out.push_str(class);
            rest = after;
            continue;
        }
        let range = rest;
        let (low, after) = member(rest, whole)?;
        rest = after;
        out.push_str(&escaped(low));
        if rest.len() >= 2 && rest.starts_with('-') && !rest.starts_with("-]") {
            let (high, after) = member(&rest[1..], whole)?;
            rest = after;
            if high < low {
                return Err(SyntaxError::new(RANGE, &range[..range.len() - rest.len()]));
            }
            out.push('-');
            out.push_str(&escaped(high));
        }
    }
    out.push(']');
    Ok((out, &rest[1..]))
}

fn member<'p>(rest: &'p str, whole: &str) -> Result<(char, &'p str), SyntaxError> {
    match rest.chars().next() {
        None => Err(SyntaxError::new(MISSING_BRACKET, whole)),
        Some('\\') => escape(rest),
        Some(literal) => Ok((literal, &rest[literal.len_utf8()..])),
    }
}

/// The members of `[:name:]` or `[:^name:]`.
fn posix(name: &str) -> Option<String> {
    let name = name.strip_prefix("[:")?.strip_suffix(":]")?;
    let (negated, name) = match name.strip_prefix('^') {
        Some(name) => (true, name),
        None => (false, name),
    };
    let members = match name {
        "alnum" => "0-9A-Za-z",
        "alpha" => "A-Za-z",
        "ascii" => r"\x00-\x7F",
        "blank" => r"\t\x20",
        "cntrl" => r"\x00-\x1F\x7F",
        "digit" => "0-9",
        "graph" => r"\x21-\x7E",
        "lower" => "a-z",
        "print" => r"\x20-\x7E",
        "punct" => r"\x21-\x2F\x3A-\x40\x5B-\x60\x7B-\x7E",
        "space" => r"\t\n\x0B\x0C\r\x20",
        "upper" => "A-Z",
        "word" => "0-9A-Za-z_",
        "xdigit" => "0-9A-Fa-f",
        _ => return None,
    };
    Some(if negated {
        format!("[^{members}]")
    } else {
        members.to_owned()
    })
}

/// Reads `\d` and its like; gives the members.
pub(super) fn perl(text: &str) -> Option<(&'static str, &str)> {
    let members = match text.get(..2)? {
        r"\d" => "0-9",
        r"\D" => "[^0-9]",
        r"\s" => r"\t\n\x0C\r\x20",
        r"\S" => r"[^\t\n\x0C\r\x20]",
        r"\w" => "0-9A-Za-z_",
        r"\W" => "[^0-9A-Za-z_]",
        _ => return None,
    };
    Some((members, &text[2..]))
}

/// Reads `\pL`, `\p{Greek}`, `\P{^Greek}`.
pub(super) fn unicode(text: &str) -> Result<Option<(String, &str)>, SyntaxError> {
    let (mut negated, body) = match (text.strip_prefix(r"\p"), text.strip_prefix(r"\P")) {
        (Some(body), _) => (false, body),
        (_, Some(body)) => (true, body),
        (None, None) => return Ok(None),
    };
    let (name, after) = match body.chars().next() {
        None => return Err(SyntaxError::new(RANGE, text)),
        Some('{') => {
            let end = body
                .find('}')
                .ok_or_else(|| SyntaxError::new(RANGE, text))?;
            (&body[1..end], &body[end + 1..])
        }
        Some(letter) => body.split_at(letter.len_utf8()),
    };
    let plain = match name.strip_prefix('^') {
        Some(name) => {
            negated = !negated;
            name
        }
        None => name,
    };
    if plain == "Any" {
        let class = if negated {
            r"[^\x{0}-\x{10FFFF}]"
        } else {
            r"\p{any}"
        };
        return Ok(Some((class.to_owned(), after)));
    }
    let class = format!(r"\{}{{{plain}}}", if negated { 'P' } else { 'p' });
    let named = !plain.is_empty()
        && plain
            .chars()
            .all(|c| matches!(c, '_' | '-' | ' ') || c.is_ascii_alphanumeric());
    if !named || regex_syntax::parse(&class).is_err() {
        let part = &text[..text.len() - after.len()];
        return Err(SyntaxError::new(RANGE, part));
    }
    Ok(Some((class, after)))
}

/// Reads an escape that stands for one character.
pub(super) fn escape(text: &str) -> Result<(char, &str), SyntaxError> {
    let mut chars = text[1..].chars();
    let Some(letter) = chars.next() else {
        return Err(SyntaxError::new(BACKSLASH, ""));
    };
    let fail = |rest: &str| Err(SyntaxError::new(ESCAPE, &text[..text.len() - rest.len()]));
    let rest = chars.as_str();
    let octal = |rest: &str| rest.starts_with(|c| matches!(c, '0'..='7'));
    let simple = match letter {
        '0' => return Ok(octal_escape(0, rest)),
        '1'..='7' if octal(rest) => {
            return Ok(octal_escape(u32::from(letter) - u32::from('0'), rest));
        }
        'x' => return hex_escape(text, rest),
        'a' => '\u{7}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        other if other.is_ascii() && !other.is_ascii_alphanumeric() => other,
        _ => return fail(rest),
    };
    Ok((simple, rest))
}

/// Up to two more octal digits.
fn octal_escape(first: u32, rest: &str) -> (char, &str) {
    let digits = rest
        .bytes()
        .take(2)
        .take_while(|byte| matches!(byte, b'0'..=b'7'))
        .count();
    let value = rest[..digits]
        .bytes()
        .fold(first, |value, digit| value * 8 + u32::from(digit - b'0'));
    (
        char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER),
        &rest[digits..],
    )
}

fn hex_escape<'p>(text: &str, rest: &'p str) -> Result<(char, &'p str), SyntaxError> {
    let fail = |rest: &str| Err(SyntaxError::new(ESCAPE, &text[..text.len() - rest.len()]));
    let Some(braced) = rest.strip_prefix('{') else {
        // Both are taken before they are looked at.
        let mut chars = rest.chars();
        let digits = [chars.next(), chars.next()].map(|c| c.and_then(|c| c.to_digit(16)));
        let [Some(high), Some(low)] = digits else {
            return fail(chars.as_str());
        };
        let c = char::from_u32(high << 4 | low).unwrap_or(char::REPLACEMENT_CHARACTER);
        return Ok((c, chars.as_str()));
    };
    let mut chars = braced.chars();
    let (mut value, mut digits) = (0_u32, 0);
    loop {
        let Some(next) = chars.next() else {
            return fail("");
        };
        if next == '}' {
            break;
        }
        let Some(digit) = next.to_digit(16) else {
            return fail(chars.as_str());
        };
        value = value * 16 + digit;
        digits += 1;
        if value > 0x10_FFFF {
            return fail(chars.as_str());
        }
    }
    if digits == 0 {
        return fail(chars.as_str());
    }
    // Go takes surrogates, which no text contains.
    Ok((
        char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER),
        chars.as_str(),
    ))
}
