//! Globs of paths, as grants are written with them.

/// A checked pattern. `*` and `?` match within a name, `[ab]`, `[a-z]` and `[!a]` one character, `**` as a whole name any
/// number of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// `**`
    Any,
    Name(Vec<Token>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    One,
    Star,
    Set {
        ranges: Vec<(char, char)>,
        negated: bool,
    },
}

impl Pattern {
    /// The message says what is wrong with the pattern.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        const LONGEST: usize = 1024;
        if text.len() > LONGEST {
            return Err("it is longer than 1024 bytes");
        }
        if text.is_empty() || text.starts_with('/') || text.ends_with('/') {
            return Err("it must not be empty, nor begin or end with \"/\"");
        }
        let part = |part: &str| match part {
            "**" => Ok(Part::Any),
            "" | "." | ".." => Err("it has an empty, \".\" or \"..\" part"),
            _ => tokens(part).map(Part::Name),
        };
        Ok(Self {
            parts: text.split('/').map(part).collect::<Result<_, _>>()?,
        })
    }

    /// Whether it matches every path.
    pub(crate) fn is_everything(&self) -> bool {
        self.parts.iter().all(|part| *part == Part::Any)
    }

    /// Whether it matches this path.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let states = self.walk(path);
        self.close(states)[self.parts.len()]
    }

    /// Whether it can match something below this directory.
    pub(crate) fn leads_through(&self, directory: &str) -> bool {
        self.walk(directory)[..self.parts.len()].contains(&true)
    }

    /// How far into the pattern the names of the path lead: one flag for each part that may come next.
    fn walk(&self, path: &str) -> Vec<bool> {
        let mut states = vec![false; self.parts.len() + 1];
        states[0] = true;
        states = self.close(states);
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let mut next = vec![false; states.len()];
            for (at, part) in self.parts.iter().enumerate().filter(|(at, _)| states[*at]) {
                match part {
                    Part::Any => next[at] = true,
                    Part::Name(tokens) => next[at + 1] |= name_matches(tokens, name),
                }
            }
            states = self.close(next);
        }
        states
    }

    /// `**` may also stand for nothing.
    fn close(&self, mut states: Vec<bool>) -> Vec<bool> {
        for (at, part) in self.parts.iter().enumerate() {
            if *part == Part::Any && states[at] {
                states[at + 1] = true;
            }
        }
        states
    }
}

fn tokens(part: &str) -> Result<Vec<Token>, &'static str> {
    let mut found = Vec::new();
    let mut rest = part.chars();
    while let Some(character) = rest.next() {
        found.push(match character {
            '*' if found.last() == Some(&Token::Star) => {
                return Err("\"**\" must stand alone between slashes");
            }
            '*' => Token::Star,
            '?' => Token::One,
            '[' => set(&mut rest)?,
            other => Token::Literal(other),
        });
    }
    Ok(found)
}

fn set(rest: &mut std::str::Chars<'_>) -> Result<Token, &'static str> {
    const OPEN: &str = "a \"[\" has no \"]\"";
    let inside: String = rest.as_str().split_once(']').ok_or(OPEN)?.0.to_owned();
    rest.nth(inside.chars().count());
    let (negated, list) = match inside.strip_prefix(['!', '^']) {
        Some(list) => (true, list),
        None => (false, inside.as_str()),
    };
    let characters: Vec<char> = list.chars().collect();
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < characters.len() {
        if at + 2 < characters.len() && characters[at + 1] == '-' {
            ranges.push((characters[at], characters[at + 2]));
            at += 3;
        } else {
            ranges.push((characters[at], characters[at]));
            at += 1;
        }
    }
    if ranges.is_empty() {
        Err("a \"[]\" is empty")
    } else {
        Ok(Token::Set { ranges, negated })
    }
}

/// Linear in both for one star; with more, the last star is the only one that has to be tried again.
fn name_matches(tokens: &[Token], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut token, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < name.len() {
        let fits = match tokens.get(token) {
            Some(Token::Star) => {
                retry = Some((token + 1, at));
                token += 1;
                continue;
            }
            Some(Token::Literal(literal)) => *literal == name[at],
            Some(Token::One) => true,
            Some(Token::Set { ranges, negated }) => {
                ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&name[at]))
                    != *negated
            }
            None => false,
        };
        if fits {
            token += 1;
            at += 1;
        } else if let Some((after, from)) = retry {
            retry = Some((after, from + 1));
            token = after;
            at = from + 1;
        } else {
            return false;
        }
    }
    tokens[token..].iter().all(|token| *token == Token::Star)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn patterns_match_whole_paths() {
        for (text, path, yes) in [
            ("**", "", true),
            ("**", "a/b/c", true),
            ("apps/**", "apps/x/y", true),
            ("apps/**", "apps", true),
            ("apps/**", "apps2/x", false),
            ("**/x.yaml", "x.yaml", true),
            ("**/x.yaml", "a/b/x.yaml", true),
            ("**/x.yaml", "a/b/y.yaml", false),
            ("a/**/b/**/c", "a/1/b/2/3/c", true),
            ("a/**/b/**/c", "a/1/2/3/c", false),
            ("*.yaml", "x.yaml", true),
            ("*.yaml", "a/x.yaml", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYcZ", false),
            ("?[a-c][!x]", "zby", true),
            ("?[a-c][!x]", "zbx", false),
            ("[ab-]", "-", true),
            ("ü?", "üä", true),
        ] {
            assert_eq!(pattern(text).matches(path), yes, "{text} on {path}");
        }
    }

    #[test]
    fn directories_that_lead_to_a_match_are_known() {
        for (text, directory, yes) in [
            ("apps/*/x.yaml", "", true),
            ("apps/*/x.yaml", "apps", true),
            ("apps/*/x.yaml", "apps/web", true),
            ("apps/*/x.yaml", "apps/web/x.yaml", false),
            ("apps/*/x.yaml", "infra", false),
            ("apps/**", "apps/a/b/c", true),
            ("x.yaml", "", true),
        ] {
            assert_eq!(
                pattern(text).leads_through(directory),
                yes,
                "{text} through {directory}"
            );
        }
    }

    #[test]
    fn many_stars_do_not_take_long() {
        let text = "*a".repeat(500);
        assert!(!pattern(&text).matches(&"a".repeat(255).replace("aaaaa", "aaaab")));
        let deep = vec!["**/a"; 200].join("/");
        assert!(!pattern(&deep).matches(&vec!["a"; 150].join("/")));
    }

    #[test]
    fn bad_patterns_are_refused() {
        for (text, error) in [
            ("", "it must not be empty, nor begin or end with \"/\""),
            ("/etc", "it must not be empty, nor begin or end with \"/\""),
            ("a/../b", "it has an empty, \".\" or \"..\" part"),
            ("a**", "\"**\" must stand alone between slashes"),
            ("a[b", "a \"[\" has no \"]\""),
            ("a[]", "a \"[]\" is empty"),
        ] {
            assert_eq!(Pattern::parse(text), Err(error), "{text}");
        }
        assert!(Pattern::parse(&"a".repeat(2000)).is_err());
    }
}
