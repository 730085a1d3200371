//! Which objects a guest wants.

use super::{Document, json};

/// All conditions must hold; an empty list is no condition.
#[derive(Debug, Default)]
pub(crate) struct Selector {
    kinds: Vec<KindName>,
    namespaces: Vec<String>,
    names: Vec<String>,
    labels: Requirements,
    annotations: Requirements,
}

impl Selector {
    pub(crate) fn new(
        kinds: &[String],
        namespaces: Vec<String>,
        names: Vec<String>,
        labels: &str,
        annotations: &str,
    ) -> Result<Self, String> {
        Ok(Self {
            kinds: kinds.iter().map(|kind| KindName::parse(kind)).collect(),
            namespaces,
            names,
            labels: Requirements::parse(labels)?,
            annotations: Requirements::parse(annotations)?,
        })
    }

    pub(crate) fn matches(&self, document: &Document) -> bool {
        let identity = &document.identity;
        (self.kinds.is_empty()
            || self
                .kinds
                .iter()
                .any(|kind| kind.is(&identity.api_version, &identity.kind)))
            && (self.namespaces.is_empty() || self.namespaces.contains(&identity.namespace))
            && (self.names.is_empty() || self.names.contains(&identity.name))
            && self.labels.hold(document.body(), "labels")
            && self.annotations.hold(document.body(), "annotations")
    }
}

/// `Kind` of any group, `Kind.group`, or `Kind.` for the core group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KindName {
    kind: String,
    group: Option<String>,
}

impl KindName {
    pub(crate) fn parse(text: &str) -> Self {
        match text.split_once('.') {
            Some((kind, group)) => Self {
                kind: kind.to_owned(),
                group: Some(group.to_owned()),
            },
            None => Self {
                kind: text.to_owned(),
                group: None,
            },
        }
    }

    pub(crate) fn is(&self, api_version: &str, kind: &str) -> bool {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        self.kind == kind && self.group.as_deref().is_none_or(|wanted| wanted == group)
    }
}

/// A Kubernetes label selector.
#[derive(Debug, Default)]
struct Requirements(Vec<Requirement>);

#[derive(Debug)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
}

impl Requirements {
    fn parse(text: &str) -> Result<Self, String> {
        const LONGEST: usize = 16 << 10;
        if text.len() > LONGEST {
            return Err(format!(
                "the selector has {} bytes, over the limit of {LONGEST}",
                text.len()
            ));
        }
        let wrong = |what: &str| {
            let shown: String = text.chars().take(200).collect();
            format!("the selector {shown:?} is not valid: {what}")
        };
        let mut rest = text.trim();
        let mut found = Vec::new();
        while !rest.is_empty() {
            let end =
                end_of_requirement(rest).ok_or_else(|| wrong("a parenthesis is not closed"))?;
            found.push(Requirement::parse(rest[..end].trim()).map_err(wrong)?);
            let Some(next) = rest[end..].strip_prefix(',') else {
                break;
            };
            rest = next.trim_start();
            if rest.is_empty() {
                return Err(wrong("it ends with a comma"));
            }
        }
        Ok(Self(found))
    }

    /// Whether all hold for the map `field` in the metadata of an object in normal form.
    fn hold(&self, body: &str, field: &str) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let is_object = |range: &std::ops::Range<usize>| body.as_bytes()[range.start] == b'{';
        let map = json::member(body, 0, "metadata")
            .filter(is_object)
            .and_then(|metadata| json::member(body, metadata.start, field))
            .filter(is_object);
        self.0.iter().all(|requirement| {
            let value = map
                .as_ref()
                .and_then(|map| json::member(body, map.start, &json::escaped(&requirement.key)))
                .and_then(|range| json::string(body, range));
            requirement.test.holds(value.as_deref())
        })
    }
}

/// Up to the comma that is not between parentheses.
fn end_of_requirement(text: &str) -> Option<usize> {
    let mut open = false;
    for (at, character) in text.char_indices() {
        match character {
            '(' => open = true,
            ')' => open = false,
            ',' if !open => return Some(at),
            _ => {}
        }
    }
    (!open).then_some(text.len())
}

impl Requirement {
    fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(key) = text.strip_prefix('!') {
            return Self::new(key, Test::Absent);
        }
        if let Some(inside) = text.strip_suffix(')') {
            let (head, list) = inside.split_once('(').ok_or("\"(\" is missing")?;
            let (key, word) = head
                .trim_end()
                .rsplit_once(char::is_whitespace)
                .ok_or("\"in\" or \"notin\" is missing")?;
            let values: Vec<_> = list
                .split(',')
                .map(|value| value.trim().to_owned())
                .collect();
            return match word {
                "in" => Self::new(key, Test::In(values)),
                "notin" => Self::new(key, Test::NotIn(values)),
                _ => Err("only \"in\" and \"notin\" take a list"),
            };
        }
        let Some((head, value)) = text.split_once('=') else {
            return Self::new(text, Test::Exists);
        };
        if let Some(key) = head.strip_suffix('!') {
            return Self::new(key, Test::NotIn(vec![Self::value(value)?]));
        }
        Self::new(
            head,
            Test::In(vec![Self::value(value.strip_prefix('=').unwrap_or(value))?]),
        )
    }

    fn new(key: &str, test: Test) -> Result<Self, &'static str> {
        let key = key.trim();
        if key.is_empty() {
            return Err("a key is missing");
        }
        if key.contains(|c: char| c.is_whitespace() || "!=()<>\"".contains(c)) {
            return Err(
                "a requirement is KEY, !KEY, KEY=VALUE, KEY!=VALUE, KEY in (…) or KEY notin (…)",
            );
        }
        Ok(Self {
            key: key.to_owned(),
            test,
        })
    }

    fn value(text: &str) -> Result<String, &'static str> {
        let text = text.trim();
        if text.contains(|c: char| c.is_whitespace() || "=()".contains(c)) {
            return Err("a value has a space, \"=\" or a parenthesis in it");
        }
        Ok(text.to_owned())
    }
}

impl Test {
    fn holds(&self, value: Option<&str>) -> bool {
        match self {
            Self::In(list) => value.is_some_and(|value| list.iter().any(|item| item == value)),
            Self::NotIn(list) => value.is_none_or(|value| list.iter().all(|item| item != value)),
            Self::Exists => value.is_some(),
            Self::Absent => value.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn web() -> Document {
        Document::parse(
            r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"apps","labels":{"app":"web","tier":"front","empty":""},"annotations":{"a/b":"x \"y\""}}}"#,
        )
        .unwrap()
    }

    fn by_labels(labels: &str) -> bool {
        Selector::new(&[], vec![], vec![], labels, "")
            .unwrap()
            .matches(&web())
    }

    #[test]
    fn labels_select_as_in_kubernetes() {
        for yes in [
            "",
            "app",
            "app=web",
            "app==web",
            "!legacy",
            "tier in (back, front)",
            "tier notin (back)",
            "app!=db",
            "legacy!=x",
            "legacy notin (x)",
            "empty=",
            " app = web , tier ",
        ] {
            assert!(by_labels(yes), "{yes}");
        }
        for no in [
            "legacy",
            "app=db",
            "!app",
            "tier in (back)",
            "tier notin (front,x)",
            "app!=web",
            "app=web,legacy",
        ] {
            assert!(!by_labels(no), "{no}");
        }
    }

    #[test]
    fn bad_selectors_say_what_is_wrong() {
        let error = |labels: &str| Selector::new(&[], vec![], vec![], labels, "").unwrap_err();
        assert_eq!(
            error("a in (b"),
            "the selector \"a in (b\" is not valid: a parenthesis is not closed"
        );
        assert_eq!(
            error("a,"),
            "the selector \"a,\" is not valid: it ends with a comma"
        );
        assert_eq!(
            error("=x"),
            "the selector \"=x\" is not valid: a key is missing"
        );
        assert_eq!(
            error("a of (b)"),
            "the selector \"a of (b)\" is not valid: only \"in\" and \"notin\" take a list"
        );
        assert!(error("a>1").contains("a requirement is KEY"));
        assert!(error(&"x".repeat(20_000)).contains("over the limit"));
    }

    #[test]
    fn everything_that_is_given_must_hold() {
        let select = |kinds: &[&str], namespaces: &[&str], names: &[&str]| {
            let owned =
                |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
            Selector::new(&owned(kinds), owned(namespaces), owned(names), "", "")
                .unwrap()
                .matches(&web())
        };
        assert!(select(&[], &[], &[]));
        assert!(select(
            &["Service", "Deployment"],
            &["apps"],
            &["web", "db"]
        ));
        assert!(select(&["Deployment.apps"], &[], &[]));
        assert!(!select(&["Deployment.extensions"], &[], &[]));
        assert!(!select(&["Deployment."], &[], &[]));
        assert!(!select(&["Deployment"], &["other"], &[]));
        assert!(!select(&["Deployment"], &[], &["db"]));
        assert!(
            Selector::new(&[], vec![], vec![], "", "a/b")
                .unwrap()
                .matches(&web())
        );
    }
}
