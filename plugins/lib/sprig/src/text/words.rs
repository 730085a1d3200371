//! `camelcase`, `snakecase` and `kebabcase`: the rules of xstrings 1.5.

use super::unicode::{is_letter, is_number, is_punctuation, is_upper};

/// To `PascalCase`.
pub(crate) fn camel_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    let mut previous;
    loop {
        let Some(c) = chars.next() else {
            return out;
        };
        previous = c;
        if !is_camel_connector(c) {
            break;
        }
        out.push(c);
        if chars.as_str().is_empty() {
            // The original writes the last character once more.
            out.push(c);
            return out;
        }
    }
    let mut capitals = is_upper(previous);
    previous = upper(previous);
    for mut c in chars {
        match (is_camel_connector(previous), is_camel_connector(c)) {
            (true, true) => out.push(previous),
            (true, false) => {
                capitals = is_upper(c);
                c = upper(c);
            }
            (false, _) => {
                if capitals && is_upper(c) {
                    c = lower(c);
                } else if capitals {
                    capitals = false;
                }
                out.push(previous);
            }
        }
        previous = c;
    }
    out.push(previous);
    out
}

fn is_camel_connector(c: char) -> bool {
    matches!(c, '-' | '_') || super::is_space(c)
}

/// To words in lower case with a separator between them.
pub(crate) fn separated(text: &str, separator: char) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    let mut word = next_word(&mut rest);
    while let Some((kind, part)) = word {
        write_word(&mut out, kind, part, separator);
        word = next_word(&mut rest);
        match kind {
            Kind::Number => {
                word = write_joined(&mut out, word, &mut rest, separator);
                separate_before(&mut out, word, separator);
            }
            Kind::Connector | Kind::Punctuation => {}
            Kind::Upper | Kind::Alphabetic | Kind::Other => {
                word = after_word(&mut out, word, &mut rest, separator);
            }
        }
    }
    out
}

/// What follows a word of letters: a separator, unless a number ends the text or is not followed by letters.
fn after_word<'t>(
    out: &mut String,
    next: Option<(Kind, &'t str)>,
    rest: &mut &'t str,
    separator: char,
) -> Option<(Kind, &'t str)> {
    let Some((Kind::Number, number)) = next else {
        separate_before(out, next, separator);
        return next;
    };
    let following = next_word(rest);
    match following {
        None => {
            out.push_str(number);
            None
        }
        Some((Kind::Alphabetic, _)) => {
            out.push(separator);
            out.push_str(number);
            let following = write_joined(out, following, rest, separator);
            separate_before(out, following, separator);
            following
        }
        Some(_) => {
            out.push_str(number);
            separate_before(out, following, separator);
            following
        }
    }
}

/// Writes letters and numbers that belong to the number before them; gives the next word.
fn write_joined<'t>(
    out: &mut String,
    mut word: Option<(Kind, &'t str)>,
    rest: &mut &'t str,
    separator: char,
) -> Option<(Kind, &'t str)> {
    while let Some((kind @ (Kind::Alphabetic | Kind::Number), part)) = word {
        write_word(out, kind, part, separator);
        word = next_word(rest);
    }
    word
}

fn separate_before(out: &mut String, word: Option<(Kind, &str)>, separator: char) {
    match word {
        None | Some((Kind::Connector | Kind::Punctuation, _)) => {}
        Some(_) => out.push(separator),
    }
}

fn write_word(out: &mut String, kind: Kind, part: &str, separator: char) {
    match kind {
        Kind::Connector => out.extend(part.chars().map(|_| separator)),
        Kind::Upper => out.extend(part.chars().map(lower)),
        Kind::Alphabetic | Kind::Punctuation | Kind::Number | Kind::Other => out.push_str(part),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Connector,
    Punctuation,
    /// Capitals, or one capital and small letters.
    Upper,
    /// Small letters.
    Alphabetic,
    Number,
    Other,
}

fn kind_of(c: char) -> Kind {
    if is_camel_connector(c) {
        Kind::Connector
    } else if is_punctuation(c) {
        Kind::Punctuation
    } else if is_upper(c) {
        Kind::Upper
    } else if is_letter(c) && !is_ideograph(c) {
        Kind::Alphabetic
    } else if is_number(c) {
        Kind::Number
    } else {
        Kind::Other
    }
}

/// Takes the next word off the text.
fn next_word<'t>(rest: &mut &'t str) -> Option<(Kind, &'t str)> {
    let first = rest.chars().next()?;
    let kind = kind_of(first);
    let run = |text: &str, from: usize, belongs: &dyn Fn(char) -> bool| {
        text[from..]
            .find(|c| !belongs(c))
            .map_or(text.len(), |at| from + at)
    };
    let alphabetic = |c: char| kind_of(c) == Kind::Alphabetic;
    let (kind, length) = match kind {
        Kind::Upper => {
            let after = first.len_utf8();
            match rest[after..].chars().next().map(kind_of) {
                Some(Kind::Upper) => {
                    let end = run(rest, after, &|c| is_upper(c));
                    if rest[end..].chars().next().is_some_and(alphabetic) {
                        let last = rest[..end].chars().next_back().map_or(0, char::len_utf8);
                        (Kind::Upper, end - last)
                    } else {
                        (Kind::Upper, end)
                    }
                }
                Some(Kind::Alphabetic) => (Kind::Upper, run(rest, after, &alphabetic)),
                _ => (Kind::Upper, after),
            }
        }
        // Connectors are punctuation too, once it has begun.
        Kind::Punctuation => (kind, run(rest, 0, &is_punctuation)),
        kind => (kind, run(rest, 0, &|c| kind_of(c) == kind)),
    };
    let (word, after) = rest.split_at(length);
    *rest = after;
    Some((kind, word))
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fcc}' | '\u{3400}'..='\u{4d85}' | '\u{20000}'..='\u{2b81d}')
}

/// Go's `unicode.ToUpper`: one character to one.
pub(crate) fn upper(c: char) -> char {
    single(c, c.to_uppercase())
}

/// Go's `unicode.ToLower`: one character to one.
pub(crate) fn lower(c: char) -> char {
    match c {
        // Rust follows the full mapping, which has two characters here.
        '\u{130}' => 'i',
        c => single(c, c.to_lowercase()),
    }
}

/// Go's `unicode.ToTitle`: as upper case but for the four digraphs.
pub(crate) fn title(c: char) -> char {
    match c {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        c => upper(c),
    }
}

fn single(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(mapped), None) => mapped,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn camel_case_as_recorded() {
        for (text, expected) in [
            ("http_server", "HttpServer"),
            ("foo-bar baz", "FooBarBaz"),
            ("_foo_bar", "_FooBar"),
            ("FOO_BAR", "FooBar"),
            ("foo__bar", "Foo_Bar"),
            ("a", "A"),
            ("foo-", "Foo-"),
            ("-", "--"),
            ("--", "---"),
            ("", ""),
            ("HTTPServer", "Httpserver"),
        ] {
            assert_eq!(camel_case(text), expected, "{text}");
        }
    }

    #[test]
    fn snake_case_as_recorded() {
        for (text, expected) in [
            ("FirstName", "first_name"),
            ("HTTPServer", "http_server"),
            ("NoHTTPS", "no_https"),
            ("GO_PATH", "go_path"),
            ("GO PATH", "go_path"),
            ("http2xx", "http_2xx"),
            ("HTTP20xOK", "http_20x_ok"),
            ("a1b2", "a_1b2"),
            ("foo.Bar", "foo.bar"),
            ("_3A:-A c _", "_3_a:-a_c__"),
            ("a--b", "a__b"),
            ("abc1", "abc1"),
            ("abc1Def", "abc1_def"),
            ("abc1DEF", "abc1_def"),
            ("abc1d2e", "abc_1d2e"),
            ("abc1Def2Ghi", "abc1_def2_ghi"),
            ("Abc12 x", "abc12_x"),
            ("HTTP2Server", "http2_server"),
            ("", ""),
        ] {
            assert_eq!(separated(text, '_'), expected, "{text}");
        }
    }
}
