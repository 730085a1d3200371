//! Label selectors in the grammar of Kubernetes: `a=b, c in (d, e), !f, g > 1`.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever token stands where another was expected is the same error"
)]

use weir_k8s_yaml::{Mapping, Node};

use crate::error::{Error, Problem, Result};

/// Conditions that all have to hold.
#[derive(Debug, Default)]
pub(super) struct LabelSelector {
    conditions: Vec<Condition>,
}

#[derive(Debug)]
struct Condition {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Exists,
    Absent,
    In,
    NotIn,
    Greater,
    Less,
}

impl LabelSelector {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = |reason: String| {
            Error::new(Problem::LabelSelector {
                selector: text.to_owned(),
                reason,
            })
        };
        let mut parser = Parser {
            tokens: tokens(text),
            at: 0,
        };
        let mut conditions = Vec::new();
        if parser.peek() == &Token::End {
            return Ok(Self { conditions });
        }
        loop {
            let condition = parser.condition().map_err(wrong)?;
            check_key(&condition.key).map_err(wrong)?;
            condition
                .values
                .iter()
                .try_for_each(|value| check_value(value))
                .map_err(wrong)?;
            if matches!(condition.operator, Operator::Greater | Operator::Less)
                && condition
                    .values
                    .iter()
                    .any(|value| value.parse::<i64>().is_err())
            {
                return Err(wrong("`>` and `<` need a whole number".to_owned()));
            }
            conditions.push(condition);
            match parser.next() {
                Token::End => return Ok(Self { conditions }),
                Token::Comma if matches!(parser.peek(), Token::Word(_) | Token::Not) => {}
                other => {
                    return Err(wrong(format!(
                        "found {other}, expected a comma and another condition, or the end"
                    )));
                }
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Whether all conditions hold for a map of labels.
    pub(super) fn matches(&self, labels: Option<&Mapping>) -> bool {
        self.conditions.iter().all(|condition| {
            let value = labels
                .and_then(|labels| labels.get(&condition.key))
                .map(|node| Node::as_str(node).unwrap_or(""));
            condition.matches(value)
        })
    }
}

impl Condition {
    fn matches(&self, value: Option<&str>) -> bool {
        let listed = |value: &str| self.values.iter().any(|listed| listed == value);
        let number = |text: &str| text.parse::<i64>().ok();
        let compared = |value: &str, test: fn(i64, i64) -> bool| {
            let limit = self.values.first().and_then(|limit| number(limit));
            number(value)
                .zip(limit)
                .is_some_and(|(value, limit)| test(value, limit))
        };
        match (self.operator, value) {
            (Operator::Exists, value) => value.is_some(),
            (Operator::Absent, value) => value.is_none(),
            (Operator::In, value) => value.is_some_and(listed),
            (Operator::NotIn, value) => !value.is_some_and(listed),
            (Operator::Greater, Some(value)) => compared(value, |value, limit| value > limit),
            (Operator::Less, Some(value)) => compared(value, |value, limit| value < limit),
            (Operator::Greater | Operator::Less, None) => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Open,
    Close,
    Comma,
    Not,
    Equals,
    NotEquals,
    Greater,
    Less,
    End,
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn condition(&mut self) -> Result<Condition, String> {
        let absent = self.peek() == &Token::Not;
        if absent {
            self.next();
        }
        let key = match self.next() {
            Token::Word(key) => key,
            other => return Err(format!("found {other}, expected a key")),
        };
        let plain = |operator| Condition {
            key: key.clone(),
            operator,
            values: Vec::new(),
        };
        if absent {
            return Ok(plain(Operator::Absent));
        }
        let operator = match self.peek().clone() {
            Token::End | Token::Comma => return Ok(plain(Operator::Exists)),
            Token::Equals => Operator::In,
            Token::NotEquals => Operator::NotIn,
            Token::Greater => Operator::Greater,
            Token::Less => Operator::Less,
            Token::Word(word) if word == "in" => {
                self.next();
                return Ok(Condition {
                    values: self.list()?,
                    ..plain(Operator::In)
                });
            }
            Token::Word(word) if word == "notin" => {
                self.next();
                return Ok(Condition {
                    values: self.list()?,
                    ..plain(Operator::NotIn)
                });
            }
            other @ (Token::Word(_) | Token::Open | Token::Close | Token::Not) => {
                return Err(format!(
                    "found {other}, expected one of =, ==, !=, in, notin, > and <"
                ));
            }
        };
        self.next();
        let value = match self.peek() {
            Token::Word(value) => {
                let value = value.clone();
                self.next();
                value
            }
            Token::End | Token::Comma => String::new(),
            other => return Err(format!("found {other}, expected a value")),
        };
        Ok(Condition {
            values: vec![value],
            ..plain(operator)
        })
    }

    fn list(&mut self) -> Result<Vec<String>, String> {
        match self.next() {
            Token::Open => {}
            other => return Err(format!("found {other}, expected `(`")),
        }
        let mut values = Vec::new();
        loop {
            match self.next() {
                Token::Word(value) => {
                    values.push(value);
                    match self.next() {
                        Token::Comma => {
                            if self.peek() == &Token::Close {
                                values.push(String::new());
                                self.next();
                                return Ok(values);
                            }
                        }
                        Token::Close => return Ok(values),
                        other => return Err(format!("found {other}, expected `,` or `)`")),
                    }
                }
                Token::Comma => {
                    values.push(String::new());
                    if self.peek() == &Token::Close {
                        values.push(String::new());
                        self.next();
                        return Ok(values);
                    }
                }
                Token::Close => {
                    if values.is_empty() {
                        values.push(String::new());
                    }
                    return Ok(values);
                }
                other => return Err(format!("found {other}, expected a value")),
            }
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    // Other blanks, as the form feed, belong to words, which may not have them.
    const ENDS: [char; 11] = ['=', '!', '(', ')', ',', '>', '<', ' ', '\t', '\r', '\n'];
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (token, taken) = match first {
            ' ' | '\t' | '\r' | '\n' => (None, 1),
            '=' if rest.starts_with("==") => (Some(Token::Equals), 2),
            '=' => (Some(Token::Equals), 1),
            '!' if rest.starts_with("!=") => (Some(Token::NotEquals), 2),
            '!' => (Some(Token::Not), 1),
            '(' => (Some(Token::Open), 1),
            ')' => (Some(Token::Close), 1),
            ',' => (Some(Token::Comma), 1),
            '>' => (Some(Token::Greater), 1),
            '<' => (Some(Token::Less), 1),
            _ => {
                let end = rest.find(ENDS).unwrap_or(rest.len());
                (Some(Token::Word(rest[..end].to_owned())), end)
            }
        };
        tokens.extend(token);
        rest = &rest[taken..];
    }
    tokens
}

/// A key is a name, or a domain, a slash and a name.
fn check_key(key: &str) -> Result<(), String> {
    let name = match key.split('/').collect::<Vec<_>>().as_slice() {
        [name] => *name,
        [prefix, name] => {
            let part_fits = |part: &str| {
                let inner = part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
                inner && !part.is_empty() && !part.starts_with('-') && !part.ends_with('-')
            };
            if prefix.len() > 253 || !prefix.split('.').all(part_fits) {
                return Err(format!("`{prefix}` is not a domain"));
            }
            *name
        }
        _ => return Err(format!("`{key}` is not a key: it has more than one slash")),
    };
    if name.is_empty() {
        return Err(format!("`{key}` is not a key: it has no name"));
    }
    check_name(name)
}

fn check_value(value: &str) -> Result<(), String> {
    if value.is_empty() {
        Ok(())
    } else {
        check_name(value)
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let outer = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let inner = bytes
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte));
    if bytes.len() > 63 {
        return Err(format!("`{name}` is longer than 63 characters"));
    }
    if !inner || !outer(bytes.first()) || !outer(bytes.last()) {
        return Err(format!(
            "`{name}` may have letters, digits, `-`, `_` and `.` only, with a letter or digit at both ends"
        ));
    }
    Ok(())
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Token::Word(word) => write!(f, "`{word}`"),
            Token::Open => f.write_str("`(`"),
            Token::Close => f.write_str("`)`"),
            Token::Comma => f.write_str("`,`"),
            Token::Not => f.write_str("`!`"),
            Token::Equals => f.write_str("`=`"),
            Token::NotEquals => f.write_str("`!=`"),
            Token::Greater => f.write_str("`>`"),
            Token::Less => f.write_str("`<`"),
            Token::End => f.write_str("the end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_k8s_yaml::{ParseOptions, parse};

    fn check(selector: &str, expected: bool) {
        let labels = parse("{app: web, tier: '3', empty: ''}", &ParseOptions::default())
            .unwrap()
            .unwrap()
            .root;
        let selector_read = LabelSelector::parse(selector).unwrap();
        assert_eq!(
            selector_read.matches(labels.as_mapping()),
            expected,
            "{selector}"
        );
    }

    #[test]
    fn a_form_feed_is_no_blank() {
        for selector in ["\u{c}", "a\u{c}", "app=\u{c}web", "\u{c},a"] {
            assert!(LabelSelector::parse(selector).is_err(), "{selector:?}");
        }
    }

    #[test]
    fn the_grammar_of_kubernetes_is_understood() {
        for selector in [
            "",
            "app=web",
            "app == web, tier",
            "app in (db, web)",
            "app notin (db),!gone",
            "gone!=x",
            "tier>2,tier<4",
            "empty=",
            "app!=db",
            "empty in (,a)",
        ] {
            check(selector, true);
        }
        for selector in [
            "app=db",
            "!app",
            "gone",
            "tier>3",
            "gone>1",
            "app in (db)",
            "app!=web",
        ] {
            check(selector, false);
        }
    }

    #[test]
    fn values_are_checked_as_label_values() {
        for selector in [
            "a=b/c", "a b", "a in b", "a=b,", "=b", "-a", "a/b/c=d", "a>x",
        ] {
            assert!(LabelSelector::parse(selector).is_err(), "{selector}");
        }
        assert!(LabelSelector::parse(&format!("a={}", "x".repeat(64))).is_err());
    }
}
