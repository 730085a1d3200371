//! Regular expressions as Go reads them.
//!
//! Go's syntax and that of the `regex` crate are nearly the same. What differs is translated: a brace that begins no repetition is a
//! literal in Go, classes have no set operations there, and `\d`, `\s`, `\w` and `\b` know ASCII only.

use regex::{Regex, RegexBuilder};

use crate::error::{Error, Problem, Result};

/// How large a compiled expression may be.
const SIZE_LIMIT: usize = 4 << 20;

/// Compiles an expression.
pub(crate) fn compile(expression: &str) -> Result<Regex> {
    let wrong = |error: regex::Error| {
        let reason = error.to_string();
        let last = reason
            .lines()
            .last()
            .unwrap_or_default()
            .trim()
            .trim_start_matches("error: ")
            .to_owned();
        Error::new(Problem::Expression {
            expression: expression.to_owned(),
            reason: last,
        })
    };
    RegexBuilder::new(&translate(expression))
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(wrong)
}

/// Whether an expression matches only itself.
pub(crate) fn is_literal(expression: &str) -> bool {
    !expression.contains([
        '\\', '.', '+', '*', '?', '(', ')', '|', '[', ']', '{', '}', '^', '$',
    ])
}

fn translate(expression: &str) -> String {
    let mut out = String::with_capacity(expression.len() + 8);
    let mut rest = expression;
    while let Some(next) = rest.chars().next() {
        let taken = match next {
            '\\' => escape(rest, false, &mut out),
            '[' => class(rest, &mut out),
            '{' => brace(rest, &mut out),
            '}' => {
                out.push_str(r"\}");
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

/// Translates what a backslash begins; gives the number of bytes read.
fn escape(text: &str, in_class: bool, out: &mut String) -> usize {
    let Some(letter) = text[1..].chars().next() else {
        out.push('\\');
        return 1;
    };
    let ascii = match letter {
        'd' => "0-9",
        's' => r"\t\n\x0C\r ",
        'w' => "0-9A-Za-z_",
        'D' if !in_class => "^0-9",
        'S' if !in_class => r"^\t\n\x0C\r ",
        'W' if !in_class => "^0-9A-Za-z_",
        'b' if !in_class => {
            out.push_str(r"(?-u:\b)");
            return 2;
        }
        'Q' if !in_class => {
            let begin = 2;
            let length = text[begin..].find(r"\E");
            let end = length.map_or(text.len(), |length| begin + length);
            out.push_str(&regex::escape(&text[begin..end]));
            return length.map_or(end, |_| end + 2);
        }
        letter => {
            out.push('\\');
            out.push(letter);
            return 1 + letter.len_utf8();
        }
    };
    if in_class {
        out.push_str(ascii);
    } else {
        out.push_str(&format!("[{ascii}]"));
    }
    2
}

/// Translates a class; gives the number of bytes read.
fn class(text: &str, out: &mut String) -> usize {
    out.push('[');
    let mut at = 1;
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
            '\\' => at += escape(&text[at..], true, out),
            '[' if text[at..].starts_with("[:") => match text[at..].find(":]") {
                Some(end) => {
                    out.push_str(&text[at..at + end + 2]);
                    at += end + 2;
                }
                None => {
                    out.push_str(r"\[");
                    at += 1;
                }
            },
            '[' | ']' | '&' | '~' => {
                out.push('\\');
                out.push(next);
                at += 1;
            }
            '-' if text[at..].starts_with("--") => {
                out.push_str(r"\-");
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

/// Translates an opening brace: it begins a repetition or is a literal; gives the number of bytes read.
fn brace(text: &str, out: &mut String) -> usize {
    let end = text.find('}').unwrap_or(0);
    let inside = text.get(1..end).unwrap_or_default();
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let repeats = match inside.split_once(',') {
        Some((from, to)) => number(from) && (to.is_empty() || number(to)),
        None => number(inside),
    };
    if repeats {
        out.push_str(&text[..=end]);
        return end + 1;
    }
    out.push_str(r"\{");
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_reads_as_literal_is_literal() {
        for (expression, text, expected) in [
            (r"^a{b}$", "a{b}", true),
            (r"^a{2}$", "aa", true),
            (r"^[a&&b]+$", "a&b", true),
            (r"^[[a]$", "[", true),
            (r"^\d$", "\u{0663}", false),
            (r"^\Qa.b\E$", "a.b", true),
            (r"^\Qa.b\E$", "axb", false),
            (r"^[[:alpha:]]+$", "abc", true),
            (r"^[^\d]$", "x", true),
            (r"^\w+\W$", "ab-", true),
            (r"^x-}$", "x-}", true),
        ] {
            assert_eq!(
                compile(expression).unwrap().is_match(text),
                expected,
                "{expression} on {text}"
            );
        }
    }

    #[test]
    fn a_broken_expression_says_why() {
        let error = compile("a(b").unwrap_err();
        assert!(error.to_string().contains("unclosed group"), "{error}");
        assert!(compile("(?P<a>.{1000}){1000}").is_err());
    }
}
