//! Patterns of `.Files.Glob`, in the dialect of Go's `gobwas/glob` with `/` as separator.

use regex::Regex;

/// Bytes of a compiled pattern.
const SIZE_LIMIT: usize = 1 << 20;
/// Alternatives within alternatives.
const MAX_DEPTH: usize = 50;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) enum Glob {
    /// What cannot be read matches everything.
    Everything,
    /// `TEXT**TEXT`: the two may overlap in a path, as they may in the Go library.
    Ends(String, String),
    /// Matches the whole path.
    Regex(Regex),
}

impl Glob {
    /// Compiles a pattern. As in Helm, one that cannot be read matches everything.
    pub(crate) fn new(pattern: &str) -> Self {
        if let Some((start, end)) = pattern.split_once("**")
            && !start.is_empty()
            && !end.is_empty()
            && !pattern
                .replacen("**", "", 1)
                .contains(['*', '?', '[', '{', '\\'])
        {
            return Self::Ends(start.to_owned(), end.to_owned());
        }
        let mut translator = Translator {
            chars: pattern.chars().collect(),
            at: 0,
            depth: 0,
            out: String::from("^(?s:"),
        };
        let translated = translator.run().map(|()| translator.out + ")$");
        let compile = |text: String| {
            regex::RegexBuilder::new(&text)
                .size_limit(SIZE_LIMIT)
                .build()
                .ok()
        };
        translated
            .and_then(compile)
            .map_or(Self::Everything, Self::Regex)
    }

    pub(crate) fn matches(&self, path: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Ends(start, end) => {
                path.starts_with(start.as_str()) && path.ends_with(end.as_str())
            }
            Self::Regex(regex) => regex.is_match(path),
        }
    }
}

/// From a glob to a regular expression.
struct Translator {
    chars: Vec<char>,
    at: usize,
    depth: usize,
    out: String,
}

impl Translator {
    /// Translates everything; `None` if the pattern cannot be read.
    fn run(&mut self) -> Option<()> {
        while let Some(c) = self.next() {
            match c {
                '*' if self.peek() == Some('*') => {
                    self.at += 1;
                    self.out.push_str(".*");
                }
                '*' => self.out.push_str("[^/]*"),
                '?' => self.out.push_str("[^/]"),
                '[' => self.class()?,
                '{' if self.depth == MAX_DEPTH => return None,
                '{' => {
                    self.depth += 1;
                    self.out.push_str("(?:");
                }
                ',' if self.depth > 0 => self.out.push('|'),
                '}' if self.depth > 0 => {
                    self.depth -= 1;
                    self.out.push(')');
                }
                '\\' => {
                    if let Some(escaped) = self.next() {
                        self.literal(escaped);
                    }
                }
                c => self.literal(c),
            }
        }
        (self.depth == 0).then_some(())
    }

    /// `[abc]`, `[!abc]` or `[a-z]`; there is no mixture of them.
    fn class(&mut self) -> Option<()> {
        let negated = self.peek() == Some('!');
        if negated {
            self.at += 1;
        }
        let first = self.next()?;
        let mut members = String::new();
        if self.peek() == Some('-') {
            self.at += 1;
            let last = self.next()?;
            if self.next()? != ']' || last < first {
                return None;
            }
            members.push_str(&format!("{}-{}", escaped(first), escaped(last)));
        } else {
            let mut c = first;
            while c != ']' {
                if c == '\\' {
                    c = self.next()?;
                }
                members.push_str(&escaped(c));
                c = self.next()?;
            }
        }
        if members.is_empty() {
            return None;
        }
        self.out.push_str(if negated { "[^" } else { "[" });
        self.out.push_str(&members);
        self.out.push(']');
        Some(())
    }

    fn literal(&mut self, c: char) {
        self.out.push_str(&escaped(c));
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }
}

fn escaped(c: char) -> String {
    format!("\\x{{{:x}}}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_paths() {
        for (pattern, path, expected) in [
            ("*.yaml", "r.yaml", true),
            ("*.yaml", "a/r.yaml", false),
            ("**.yaml", "a/r.yaml", true),
            ("**/*.yaml", "r.yaml", false),
            ("a/**/c.yaml", "a/c.yaml", true),
            ("a/**/c.yaml", "a/b/d/c.yaml", true),
            ("?.txt", "a.txt", true),
            ("[ab].txt", "c.txt", false),
            ("[!a].txt", "b.txt", true),
            ("[a-c].txt", "b.txt", true),
            ("{x,y*}/*", "y2/1", true),
            ("\\*.txt", "a.txt", false),
            ("", "a", false),
            ("a}", "a}", true),
            ("[", "anything/at/all", true),
            ("{a", "anything", true),
            ("[a-zA-Z]", "anything", true),
        ] {
            assert_eq!(
                Glob::new(pattern).matches(path),
                expected,
                "{pattern} {path}"
            );
        }
    }
}
