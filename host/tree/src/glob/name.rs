//! Patterns for one name of a path.

/// How sets are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `!` or `^` negates; `]` in front and `-` at the border stand for themselves.
    Shell,
    /// As Go's `path/filepath` has it: only `^` negates, and `]` and `-` need a `\`.
    Go,
}

/// A pattern for one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NamePattern {
    /// Without special characters.
    Literal(String),
    /// `*` and then no special characters.
    Suffix(String),
    Any(Tokens),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`
    One,
    /// `*`
    Many,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl NamePattern {
    pub(crate) fn parse(text: &str, dialect: Dialect) -> Result<Self, String> {
        let mut tokens = Vec::new();
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            tokens.push(match char {
                '*' if tokens.last() == Some(&Token::Many) => continue,
                '*' => Token::Many,
                '?' => Token::One,
                '[' => parse_set(&mut chars, dialect)?,
                '\\' => Token::Char(chars.next().ok_or("it ends in \\")?),
                char => Token::Char(char),
            });
        }
        let literal = |tokens: &[Token]| -> Option<String> {
            let char = |token: &Token| {
                if let Token::Char(char) = token {
                    Some(*char)
                } else {
                    None
                }
            };
            tokens.iter().map(char).collect()
        };
        if let Some(text) = literal(&tokens) {
            return Ok(Self::Literal(text));
        }
        if let [Token::Many, rest @ ..] = &tokens[..]
            && let Some(text) = literal(rest)
        {
            return Ok(Self::Suffix(text));
        }
        Ok(Self::Any(Tokens(tokens)))
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Literal(text) => text == name,
            Self::Suffix(text) => name.ends_with(text.as_str()),
            Self::Any(tokens) => tokens.matches(name),
        }
    }
}

impl Tokens {
    /// In time proportional to the product of both lengths: only the last `*` is ever tried again.
    fn matches(&self, name: &str) -> bool {
        let (mut token, mut rest) = (0, name.chars());
        let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let mut ahead = rest.clone();
            match (self.0.get(token), ahead.next()) {
                (Some(Token::Many), _) => {
                    token += 1;
                    retry = Some((token, rest.clone()));
                    continue;
                }
                (Some(one), Some(char)) if one.matches(char) => {
                    token += 1;
                    rest = ahead;
                    continue;
                }
                (None, None) => return true,
                (Some(_), _) | (None, Some(_)) => {}
            }
            // The last `*` takes one character more.
            let Some((star, from)) = &mut retry else {
                return false;
            };
            if from.next().is_none() {
                return false;
            }
            (token, rest) = (*star, from.clone());
        }
    }
}

impl Token {
    fn matches(&self, char: char) -> bool {
        match self {
            Self::Char(own) => *own == char,
            Self::One | Self::Many => true,
            Self::Set { negated, ranges } => {
                ranges.iter().any(|&(from, to)| (from..=to).contains(&char)) != *negated
            }
        }
    }
}

/// What follows `[`.
fn parse_set(chars: &mut std::str::Chars<'_>, dialect: Dialect) -> Result<Token, String> {
    let negation: &[char] = match dialect {
        Dialect::Shell => &['!', '^'],
        Dialect::Go => &['^'],
    };
    let negated = chars
        .clone()
        .next()
        .is_some_and(|char| negation.contains(&char));
    if negated {
        chars.next();
    }
    let mut ranges: Vec<(char, char)> = Vec::new();
    loop {
        if chars.clone().next() == Some(']') && (!ranges.is_empty() || dialect == Dialect::Go) {
            chars.next();
            if ranges.is_empty() {
                return Err("a [] is empty".to_owned());
            }
            return Ok(Token::Set { negated, ranges });
        }
        let from = set_char(chars, dialect)?;
        let mut ahead = chars.clone();
        let is_range =
            ahead.next() == Some('-') && (dialect == Dialect::Go || ahead.next() != Some(']'));
        let to = if is_range {
            chars.next();
            set_char(chars, dialect)?
        } else {
            from
        };
        if to < from {
            return Err(format!("the range {from}-{to} is empty"));
        }
        ranges.push((from, to));
    }
}

fn set_char(chars: &mut std::str::Chars<'_>, dialect: Dialect) -> Result<char, String> {
    const OPEN: &str = "a [ has no ]";
    match chars.next().ok_or(OPEN)? {
        '\\' => Ok(chars.next().ok_or(OPEN)?),
        char @ ('-' | ']') if dialect == Dialect::Go => {
            Err(format!("a {char} in a set needs a \\ in front"))
        }
        char => Ok(char),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_matches(pattern: &str, name: &str) -> bool {
        NamePattern::parse(pattern, Dialect::Shell)
            .unwrap()
            .matches(name)
    }

    #[test]
    fn names() {
        for (pattern, yes, no) in [
            (
                "a*c",
                &["ac", "abc", "abcbc"][..],
                &["ab", "acb", "bac"][..],
            ),
            ("*", &["", "x", ".hidden"], &[]),
            ("?.y", &["a.y", "ä.y"], &[".y", "ab.y"]),
            ("[a-c]x", &["ax", "cx"], &["dx", "x"]),
            ("[!a-c]x", &["dx"], &["ax", "x"]),
            ("[^a]", &["b"], &["a", ""]),
            ("[]a]", &["]", "a"], &["b"]),
            ("[a-]", &["-", "a"], &["b"]),
            (r"\*", &["*"], &["a", ""]),
            (r"[\]]", &["]"], &["\\"]),
            ("*a*b*", &["ab", "xaxbx"], &["ba", "a"]),
        ] {
            for name in yes {
                assert!(name_matches(pattern, name), "{pattern} should match {name}");
            }
            for name in no {
                assert!(
                    !name_matches(pattern, name),
                    "{pattern} should not match {name}"
                );
            }
        }
    }

    #[test]
    fn many_stars_do_not_take_long() {
        assert!(!name_matches(&"*a".repeat(120), &"a".repeat(119)));
        assert!(!name_matches(
            &format!("{}b", "*a".repeat(100)),
            &"a".repeat(255)
        ));
    }
}
