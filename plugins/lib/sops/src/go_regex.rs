//! Regular expressions as Go reads them.
//!
//! The syntax is nearly that of the `regex` crate. What differs is translated: `\d`, `\s`, `\w` and `\b` know ASCII only,
//! `\Q…\E` quotes, classes have no set operations, and a brace that begins no repetition stands for itself.

use regex::{Regex, RegexBuilder};

/// How large a compiled expression may be.
const SIZE_LIMIT: usize = 1 << 20;

/// Compiles an expression; `None` if it is invalid or too large.
pub(crate) fn compile(expression: &str) -> Option<Regex> {
    RegexBuilder::new(&translate(expression))
        .size_limit(SIZE_LIMIT)
        .dfa_size_limit(SIZE_LIMIT)
        .build()
        .ok()
}

fn translate(expression: &str) -> String {
    let mut out = String::with_capacity(expression.len() + 8);
    let mut rest = expression;
    while let Some(next) = rest.chars().next() {
        let taken = match next {
            '\\' => escape(rest, &mut out),
            '[' => class(rest, &mut out),
            '{' if !repeats(rest) => {
                out.push_str(r"\{");
                1
            }
            other => {
                out.push(other);
                other.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    out
}

/// Translates what a backslash outside a class begins; gives the number of bytes read.
fn escape(text: &str, out: &mut String) -> usize {
    let Some(letter) = text[1..].chars().next() else {
        out.push('\\');
        return 1;
    };
    match letter {
        'Q' => {
            let quoted = &text[2..];
            let (inside, taken) = match quoted.split_once(r"\E") {
                Some((inside, _)) => (inside, inside.len() + 4),
                None => (quoted, text.len()),
            };
            out.push_str(&regex::escape(inside));
            return taken;
        }
        'b' => out.push_str(r"(?-u:\b)"),
        // Rust cannot negate it within UTF-8: no word character on one side only.
        'B' => out.push_str(r"(?-u:\B)"),
        letter => match ascii_set(letter) {
            Some((negated, set)) => {
                out.push_str(if negated { "[^" } else { "[" });
                out.push_str(set);
                out.push(']');
            }
            None => {
                out.push('\\');
                out.push(letter);
            }
        },
    }
    1 + letter.len_utf8()
}

/// What a letter behind a backslash stands for, and whether for the opposite.
fn ascii_set(letter: char) -> Option<(bool, &'static str)> {
    let set = match letter.to_ascii_lowercase() {
        'd' => "0-9",
        's' => r"\t\n\x0C\r ",
        'w' => "0-9A-Za-z_",
        _ => return None,
    };
    Some((letter.is_ascii_uppercase(), set))
}

/// Translates a class; gives the number of bytes read.
fn class(text: &str, out: &mut String) -> usize {
    let mut at = 1;
    out.push('[');
    if text[at..].starts_with('^') {
        out.push('^');
        at += 1;
    }
    let mut first = true;
    while let Some(next) = text[at..].chars().next() {
        match next {
            ']' if !first => {
                out.push(']');
                return at + 1;
            }
            '[' if text[at..].starts_with("[:") => {
                let end = text[at..].find(":]").map_or(text.len(), |end| at + end + 2);
                out.push_str(&text[at..end]);
                at = end;
            }
            '\\' => {
                let letter = text[at + 1..].chars().next();
                at += 1 + letter.map_or(0, char::len_utf8);
                match letter.and_then(ascii_set) {
                    Some((true, set)) => {
                        out.push_str("[^");
                        out.push_str(set);
                        out.push(']');
                    }
                    Some((false, set)) => out.push_str(set),
                    None => {
                        out.push('\\');
                        out.extend(letter);
                    }
                }
            }
            '[' | ']' | '&' | '~' => {
                out.push('\\');
                out.push(next);
                at += 1;
            }
            other => {
                out.push(other);
                at += other.len_utf8();
            }
        }
        first = false;
    }
    at
}

/// Whether a brace begins a repetition: `{2}`, `{2,}`, `{2,3}`.
fn repeats(text: &str) -> bool {
    let Some((inside, _)) = text[1..].split_once('}') else {
        return false;
    };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expression: &str, text: &str, expected: bool) {
        let matches = compile(expression).is_some_and(|regex| regex.is_match(text));
        assert_eq!(matches, expected, "{expression:?} on {text:?}");
    }

    #[test]
    fn expressions_match_as_in_go() {
        check("^(data|stringData)$", "stringData", true);
        check("^(data|stringData)$", "metadata", false);
        check("data", "metadata", true);
        check(r"^\d+$", "12", true);
        check(r"^\d+$", "١", false);
        check(r"^\w$", "é", false);
        check("^.$", "é", true);
        check(r"\bkey\b", "my-key", true);
        check(r"^[\w-]+$", "a-b_1", true);
        check(r"^[^\D]$", "1", true);
        check(r"^[[:alpha:]&&]+$", "a&b", true);
        check(r"^\Qa.b\E$", "a.b", true);
        check(r"^\Qa.b\E$", "axb", false);
        check("^a{2}$", "aa", true);
        check("a{x", "a{x", true);
        check("(?i)KEY", "key", true);
        check("[[]", "[", true);
        check("^[]a]$", "]", true);
    }

    #[test]
    fn what_is_invalid_never_matches() {
        for expression in ["(", "a(?=b)", "*", r"\", "[", "[a", "[[:alpha:", r"[\"] {
            check(expression, "", false);
        }
        check(&"(a{1000}){1000}".repeat(8), "a", false);
    }
}
