//! `camelcase`, `snakecase` and `kebabcase`: the rules of xstrings 1.5.

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
    let mut capitals = previous.is_uppercase();
    previous = upper(previous);
    for mut c in chars {
        match (is_camel_connector(previous), is_camel_connector(c)) {
            (true, true) => out.push(previous),
            (true, false) => {
                capitals = c.is_uppercase();
                c = upper(c);
            }
            (false, _) => {
                if capitals && c.is_uppercase() {
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
    } else if c.is_uppercase() {
        Kind::Upper
    } else if c.is_alphabetic() && !is_ideograph(c) {
        Kind::Alphabetic
    } else if c.is_numeric() {
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
        text[from..].find(|c| !belongs(c)).map_or(text.len(), |at| from + at)
    };
    let alphabetic = |c: char| kind_of(c) == Kind::Alphabetic;
    let (kind, length) = match kind {
        Kind::Upper => {
            let after = first.len_utf8();
            match rest[after..].chars().next().map(kind_of) {
                Some(Kind::Upper) => {
                    let end = run(rest, after, &|c| c.is_uppercase());
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
        kind => (kind, run(rest, 0, &|c| kind_of(c) == kind)),
    };
    let (word, after) = rest.split_at(length);
    *rest = after;
    Some((kind, word))
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fcc}' | '\u{3400}'..='\u{4d85}' | '\u{20000}'..='\u{2b81d}')
}

/// Unicode's categories P*: ASCII by hand, the rest by what is neither letter, mark, number, symbol nor space.
fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_punctuation() && !matches!(c, '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~');
    }
    matches!(c,
        '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}' | '\u{37e}' | '\u{387}'
        | '\u{55a}'..='\u{55f}' | '\u{589}' | '\u{58a}' | '\u{5be}' | '\u{5c0}' | '\u{5c3}' | '\u{60c}' | '\u{61b}'
        | '\u{61f}' | '\u{66a}'..='\u{66d}' | '\u{964}' | '\u{965}' | '\u{e4f}' | '\u{2010}'..='\u{2027}'
        | '\u{2030}'..='\u{2043}' | '\u{2045}'..='\u{2051}' | '\u{2053}'..='\u{205e}' | '\u{207d}' | '\u{207e}'
        | '\u{2308}'..='\u{230b}' | '\u{2329}' | '\u{232a}' | '\u{2768}'..='\u{2775}' | '\u{27e6}'..='\u{27ef}'
        | '\u{2e00}'..='\u{2e2e}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}'
        | '\u{30fb}' | '\u{fe30}'..='\u{fe52}' | '\u{ff01}'..='\u{ff03}' | '\u{ff05}'..='\u{ff0a}'
        | '\u{ff0c}'..='\u{ff0f}' | '\u{ff1a}' | '\u{ff1b}' | '\u{ff1f}' | '\u{ff20}' | '\u{ff3b}'..='\u{ff3d}'
        | '\u{ff3f}' | '\u{ff5b}' | '\u{ff5d}' | '\u{ff5f}'..='\u{ff65}')
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
