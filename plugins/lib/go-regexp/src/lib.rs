//! Go's `regexp` over Rust's engine, for engines that read expressions which were written for Go programs.
//!
//! Both have RE2's semantics, but not the same language: in Go `\d`, `\w` and `\b` are ASCII, classes do not nest, some
//! escapes differ, and errors have their own words. The module `syntax` reads Go's language and writes Rust's.
//!
//! What it refuses to do: it takes no expression that compiles to more than a few megabytes, and nothing backtracks without
//! end, so that an expression of a stranger costs time in proportion to the text.
//!
//! ```
//! use weir_go_regexp::Regexp;
//!
//! let regexp = Regexp::compile(r"^v(\d+)\.x{1}$")?;
//! assert!(regexp.is_match(b"v12.x"));
//! assert_eq!(Regexp::compile("a(").unwrap_err().to_string(), "error parsing regexp: missing closing ): `a(`");
//! # Ok::<(), weir_go_regexp::SyntaxError>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod syntax;
#[cfg(test)]
mod tests;

use regex_automata::meta::{Config, Regex};
use regex_automata::util::captures::Captures;
use regex_automata::util::syntax::Config as SyntaxConfig;

pub use syntax::SyntaxError;

/// Bytes that a compiled expression may take.
const COMPILED_LIMIT: usize = 8 << 20;

/// A compiled expression.
#[derive(Debug)]
pub struct Regexp {
    regex: Regex,
    /// Names of the groups, empty for unnamed ones; the whole match comes first.
    names: Vec<String>,
    empty_pattern: bool,
}

impl Regexp {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// When Go would not take it, or it is too large.
    pub fn compile(pattern: &str) -> Result<Self, SyntaxError> {
        let translated = syntax::translate(pattern)?;
        let regex = Regex::builder()
            .configure(
                Config::new()
                    .utf8_empty(true)
                    .nfa_size_limit(Some(COMPILED_LIMIT))
                    .onepass_size_limit(Some(COMPILED_LIMIT / 8))
                    .hybrid_cache_capacity(COMPILED_LIMIT / 4),
            )
            .syntax(
                SyntaxConfig::new()
                    .utf8(false)
                    .nest_limit(syntax::MAX_DEPTH * 4),
            )
            .build(&translated.pattern)
            .map_err(|_| SyntaxError::too_large(pattern))?;
        Ok(Self {
            regex,
            names: translated.names,
            empty_pattern: pattern.is_empty(),
        })
    }

    /// Whether the expression matches somewhere.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }

    /// The first match.
    #[must_use]
    pub fn find<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        self.regex.find(text).map(|found| &text[found.range()])
    }

    /// At most `limit` matches; a negative limit means all.
    #[must_use]
    pub fn find_all<'t>(&self, text: &'t [u8], limit: i64) -> Vec<&'t [u8]> {
        let found = self.regex.find_iter(text);
        found
            .take(at_most(limit))
            .map(|found| &text[found.range()])
            .collect()
    }

    /// The parts between matches, at most `limit`; a negative limit means all.
    #[must_use]
    pub fn split<'t>(&self, text: &'t [u8], limit: i64) -> Vec<&'t [u8]> {
        if limit == 0 {
            return Vec::new();
        }
        if text.is_empty() && !self.empty_pattern {
            return vec![text];
        }
        let mut parts = Vec::new();
        let (mut begin, mut end) = (0, 0);
        for found in self.regex.find_iter(text).take(at_most(limit)) {
            if limit > 0 && parts.len() + 1 == at_most(limit) {
                break;
            }
            end = found.start();
            if found.end() != 0 {
                parts.push(&text[begin..end]);
            }
            begin = found.end();
        }
        if end != text.len() {
            parts.push(&text[begin..]);
        }
        parts
    }

    /// Replaces all matches by a template with `$1` and `${name}`. `None` if the result would be longer than `limit`.
    #[must_use]
    pub fn replace_all(&self, text: &[u8], template: &[u8], limit: usize) -> Option<Vec<u8>> {
        self.replace_with(text, limit, |captures, out| {
            self.expand(text, template, captures, out, limit);
        })
    }

    /// Replaces all matches by a text. `None` if the result would be longer than `limit`.
    #[must_use]
    pub fn replace_literal(&self, text: &[u8], with: &[u8], limit: usize) -> Option<Vec<u8>> {
        self.replace_with(text, limit, |_, out| out.extend_from_slice(with))
    }

    fn replace_with(
        &self,
        text: &[u8],
        limit: usize,
        mut write: impl FnMut(&Captures, &mut Vec<u8>),
    ) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(text.len());
        let mut copied = 0;
        for captures in self.regex.captures_iter(text) {
            let Some(found) = captures.get_match() else {
                continue;
            };
            out.extend_from_slice(&text[copied..found.start()]);
            write(&captures, &mut out);
            copied = found.end();
            if out.len() > limit {
                return None;
            }
        }
        out.extend_from_slice(&text[copied..]);
        (out.len() <= limit).then_some(out)
    }

    /// Writes a template with the groups of a match put in.
    fn expand(
        &self,
        text: &[u8],
        template: &[u8],
        captures: &Captures,
        out: &mut Vec<u8>,
        limit: usize,
    ) {
        let mut rest = template;
        while let Some(at) = rest.iter().position(|byte| *byte == b'$') {
            if out.len() > limit {
                return;
            }
            out.extend_from_slice(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(b"$") {
                out.push(b'$');
                rest = after;
                continue;
            }
            let Some((name, after)) = reference(rest) else {
                out.push(b'$');
                continue;
            };
            rest = after;
            let group = match group_number(name) {
                Some(number) => Some(number),
                None => self
                    .names
                    .iter()
                    .rposition(|known| !known.is_empty() && known == name),
            };
            let span = group
                .filter(|at| *at < captures.group_len())
                .and_then(|at| captures.get_group(at));
            if let Some(span) = span {
                out.extend_from_slice(&text[span.range()]);
            }
        }
        out.extend_from_slice(rest);
    }
}

fn at_most(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// The name after a `$`, with or without braces, and what follows it.
fn reference(text: &[u8]) -> Option<(&str, &[u8])> {
    let (braced, body) = match text.strip_prefix(b"{") {
        Some(body) => (true, body),
        None => (false, text),
    };
    let body = body.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let length = body
        .find(|c: char| !(c == '_' || c.is_alphanumeric()))
        .unwrap_or(body.len());
    let name = &body[..length];
    if name.is_empty() || (braced && !body[length..].starts_with('}')) {
        return None;
    }
    Some((name, &text[length + 2 * usize::from(braced)..]))
}

/// The number of a group: digits without a leading zero, or `0`.
fn group_number(name: &str) -> Option<usize> {
    let digits = name.bytes().all(|byte| byte.is_ascii_digit());
    let plain = name.len() == 1 || !name.starts_with('0');
    (digits && plain && name.len() < 9)
        .then(|| name.parse().ok())
        .flatten()
}

/// Puts a backslash before everything with a meaning.
#[must_use]
pub fn quote_meta(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if br"\.+*?()|[]{}^$".contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out
}
