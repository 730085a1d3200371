//! Kubernetes' label selector syntax: `app=web,tier!=db,env in (a, b),!legacy`.

use std::collections::BTreeMap;

/// Which labels are wanted. Every part has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    parts: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    label: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<String>),
    /// Holds as well where the label is missing.
    NotIn(Vec<String>),
    Greater(i64),
    Less(i64),
}

/// Why a text is no label selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("label selector {selector:?}: expected {expected} at {found:?}")]
pub(crate) struct SelectorError {
    selector: String,
    expected: &'static str,
    found: String,
}

impl Selector {
    pub(crate) fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut reader = Reader {
            all: text,
            rest: text.trim(),
        };
        let mut parts = Vec::new();
        while !reader.rest.is_empty() {
            parts.push(reader.requirement()?);
            if !reader.rest.is_empty() {
                reader.expect(",", "a comma")?;
                if reader.rest.is_empty() {
                    return Err(reader.error("a label"));
                }
            }
        }
        Ok(Self { parts })
    }

    /// Whether it selects everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(crate) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.parts
            .iter()
            .all(|part| part.test.holds(labels.get(&part.label).map(String::as_str)))
    }
}

impl Test {
    fn holds(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match self {
            Self::Exists => value.is_some(),
            Self::Missing => value.is_none(),
            Self::In(values) => {
                value.is_some_and(|value| values.iter().any(|wanted| wanted == value))
            }
            Self::NotIn(values) => {
                value.is_none_or(|value| values.iter().all(|unwanted| unwanted != value))
            }
            Self::Greater(than) => number().is_some_and(|number| number > *than),
            Self::Less(than) => number().is_some_and(|number| number < *than),
        }
    }
}

struct Reader<'t> {
    all: &'t str,
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn requirement(&mut self) -> Result<Requirement, SelectorError> {
        if self.take("!") {
            let label = self.word("a label")?;
            return Ok(Requirement {
                label,
                test: Test::Missing,
            });
        }
        let label = self.word("a label")?;
        let test = if self.take("==") || self.take("=") {
            Test::In(vec![self.value()])
        } else if self.take("!=") {
            Test::NotIn(vec![self.value()])
        } else if self.take(">") {
            Test::Greater(self.number()?)
        } else if self.take("<") {
            Test::Less(self.number()?)
        } else if self.rest.is_empty() || self.rest.starts_with(',') {
            Test::Exists
        } else {
            match self.word("an operator")?.as_str() {
                "in" => Test::In(self.values()?),
                "notin" => Test::NotIn(self.values()?),
                _ => return Err(self.error("`=`, `!=`, `in`, `notin`, `<` or `>`")),
            }
        };
        Ok(Requirement { label, test })
    }

    fn values(&mut self) -> Result<Vec<String>, SelectorError> {
        self.expect("(", "`(`")?;
        let mut values = vec![self.value()];
        while self.take(",") {
            values.push(self.value());
        }
        self.expect(")", "`)`")?;
        Ok(values)
    }

    fn number(&mut self) -> Result<i64, SelectorError> {
        let value = self.value();
        value.parse().map_err(|_| SelectorError {
            selector: self.all.into(),
            expected: "a number",
            found: value,
        })
    }

    /// A value can be empty.
    fn value(&mut self) -> String {
        let end = self
            .rest
            .find(|c: char| !is_part(c))
            .unwrap_or(self.rest.len());
        let (value, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        value.to_owned()
    }

    fn word(&mut self, expected: &'static str) -> Result<String, SelectorError> {
        let word = self.value();
        if word.is_empty() {
            Err(self.error(expected))
        } else {
            Ok(word)
        }
    }

    fn take(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str, expected: &'static str) -> Result<(), SelectorError> {
        if self.take(token) {
            Ok(())
        } else {
            Err(self.error(expected))
        }
    }

    fn error(&self, expected: &'static str) -> SelectorError {
        SelectorError {
            selector: self.all.into(),
            expected,
            found: self.rest.chars().take(40).collect(),
        }
    }
}

/// What label names and values are made of.
fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(selector: &str, labels: &[(&str, &str)], expected: bool) {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(
            Selector::parse(selector).unwrap().matches(&labels),
            expected,
            "{selector} on {labels:?}"
        );
    }

    #[test]
    fn every_operator_does_what_kubernetes_documents() {
        let web = [("app", "web"), ("n", "3")];
        for (selector, expected) in [
            ("", true),
            ("app", true),
            ("!app", false),
            ("db", false),
            ("!db", true),
            ("app=web", true),
            ("app==web , n = 3", true),
            ("app=web,n=4", false),
            ("app!=web", false),
            ("db!=x", true),
            ("app in (db, web)", true),
            ("app in ()", false),
            ("app notin (db)", true),
            ("db notin (db)", true),
            ("n>2,n<4", true),
            ("n>3", false),
            ("app>1", false),
            ("db=", false),
        ] {
            check(selector, &web, expected);
        }
        check("a.b/c-d_e=", &[("a.b/c-d_e", "")], true);
    }

    #[test]
    fn nonsense_is_refused_with_its_place() {
        for (selector, expected) in [
            (",", "label selector \",\": expected a label at \",\""),
            ("a,", "label selector \"a,\": expected a label at \"\""),
            ("a in b", "label selector \"a in b\": expected `(` at \"b\""),
            (
                "a in (b",
                "label selector \"a in (b\": expected `)` at \"\"",
            ),
            (
                "a like b",
                "label selector \"a like b\": expected `=`, `!=`, `in`, `notin`, `<` or `>` at \"b\"",
            ),
            (
                "a=b c",
                "label selector \"a=b c\": expected a comma at \"c\"",
            ),
            ("a>x", "label selector \"a>x\": expected a number at \"x\""),
        ] {
            assert_eq!(Selector::parse(selector).unwrap_err().to_string(), expected);
        }
    }
}
