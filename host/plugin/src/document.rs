//! The objects that a step works on. They stay in the host; a guest gets handles.
//!
//! A body is JSON text in normal form (see [`json`]). What a guest does to it — select, look at a part, merge — is done on
//! the text, so that an object which is only moved or labelled is never parsed.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use weir_k8s_yaml as yaml;

pub(crate) mod json;
pub(crate) mod merge;
pub(crate) mod pointer;
pub(crate) mod seal;
pub(crate) mod select;
pub(crate) mod set;

pub use json::{JsonError, MAX_DEPTH};

/// Names one object without its contents. The namespace can be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Identity {
    pub api_version: String,
    pub kind: String,
    pub namespace: String,
    pub name: String,
}

/// Where something stands in a tree. Lines and columns count from 1; 0 is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    pub path: String,
    pub line: u32,
    pub column: u32,
}

/// One object, JSON. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Document {
    identity: Arc<Identity>,
    origin: Option<Arc<Place>>,
    body: Arc<str>,
}

/// Why a text is not a Kubernetes object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    #[error("the object is not valid JSON: {0}")]
    Json(#[from] JsonError),
    #[error("the text is not valid YAML: {0}")]
    Yaml(String),
    #[error("an object was expected, but this is {0}")]
    NotAnObject(&'static str),
    #[error("the object has no {0}")]
    Missing(&'static str),
    #[error("{field} of the object is {found}, but a text was expected")]
    NotAText {
        field: &'static str,
        found: &'static str,
    },
}

impl Document {
    /// Takes one object as JSON and brings it into normal form.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let body = json::normal(text)?;
        let identity = Identity::of(&body)?;
        Ok(Self {
            identity: Arc::new(identity),
            origin: None,
            body: body.into(),
        })
    }

    /// Takes one object that was parsed elsewhere.
    pub fn from_value(value: &Value) -> Result<Self, DocumentError> {
        Self::parse(&value.to_string())
    }

    /// Takes every document of a YAML or JSON stream that begins at `origin`; empty ones are skipped.
    pub fn from_yaml(text: &str, origin: Option<&Place>) -> Result<Vec<Self>, DocumentError> {
        let wrong = |error: yaml::YamlError| DocumentError::Yaml(error.to_string());
        let mut found = Vec::new();
        for document in yaml::documents(text, &yaml::ParseOptions::default()) {
            let document = document.map_err(wrong)?;
            let value = yaml::resolve(&document.root, yaml::Schema::Sigs).map_err(wrong)?;
            if value.is_null() {
                continue;
            }
            let line = document.root.span().line;
            let place = origin.map(|place| Place {
                path: place.path.clone(),
                line: place.line.saturating_sub(1).saturating_add(line),
                column: 1,
            });
            found.push(Self::from_value(&value)?.with_origin(place));
        }
        Ok(found)
    }

    /// The same object with another origin.
    #[must_use]
    pub fn with_origin(mut self, origin: Option<Place>) -> Self {
        self.origin = origin.map(Arc::new);
        self
    }

    /// Which object it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Where it came from, if that is known.
    pub fn origin(&self) -> Option<&Place> {
        self.origin.as_deref()
    }

    /// The object as JSON in normal form.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The parsed body.
    pub fn to_value(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// Another body in this one's place. `body` is in normal form.
    fn with_normal_body(&self, body: String) -> Result<Self, DocumentError> {
        let identity = Identity::of(&body)?;
        let identity = if *self.identity == identity {
            Arc::clone(&self.identity)
        } else {
            Arc::new(identity)
        };
        Ok(Self {
            identity,
            origin: self.origin.clone(),
            body: body.into(),
        })
    }
}

impl Identity {
    /// Reads it out of an object in normal form.
    fn of(text: &str) -> Result<Self, DocumentError> {
        if !text.starts_with('{') {
            return Err(DocumentError::NotAnObject(what(text, 0)));
        }
        let (mut api_version, mut kind, mut metadata) = (None, None, None);
        for member in json::members(text, 0) {
            match &text[member.key] {
                "apiVersion" => api_version = Some(member.value),
                "kind" => kind = Some(member.value),
                "metadata" => metadata = Some(member.value),
                _ => continue,
            }
            if api_version.is_some() && kind.is_some() && metadata.is_some() {
                break;
            }
        }
        let (mut namespace, mut name) = (None, None);
        if let Some(range) = metadata.filter(|range| text.as_bytes()[range.start] == b'{') {
            for member in json::members(text, range.start) {
                match &text[member.key] {
                    "namespace" => namespace = Some(member.value),
                    "name" => name = Some(member.value),
                    _ => {}
                }
            }
        }
        Ok(Self {
            api_version: required(text, api_version, "apiVersion")?,
            kind: required(text, kind, "kind")?,
            namespace: optional(text, namespace, "metadata.namespace")?,
            name: optional(text, name, "metadata.name")?,
        })
    }
}

fn required(
    text: &str,
    range: Option<Range<usize>>,
    field: &'static str,
) -> Result<String, DocumentError> {
    let value = optional(text, range, field)?;
    if value.is_empty() {
        Err(DocumentError::Missing(field))
    } else {
        Ok(value)
    }
}

fn optional(
    text: &str,
    range: Option<Range<usize>>,
    field: &'static str,
) -> Result<String, DocumentError> {
    let Some(range) = range.filter(|range| &text[range.clone()] != "null") else {
        return Ok(String::new());
    };
    match json::string(text, range.clone()) {
        Some(value) => Ok(value.into_owned()),
        None => Err(DocumentError::NotAText {
            field,
            found: what(text, range.start),
        }),
    }
}

fn what(text: &str, at: usize) -> &'static str {
    match text.as_bytes()[at] {
        b'{' => "an object",
        b'[' => "a list",
        b'"' => "a text",
        b't' | b'f' => "true or false",
        b'n' => "null",
        _ => "a number",
    }
}

impl fmt::Display for Identity {
    /// `Deployment web/frontend`, without the namespace if there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if self.name.is_empty() {
            return Ok(());
        }
        f.write_char(' ')?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Document::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_identity_is_read_in_any_order() {
        let document = Document::parse(
            r#"{"spec":{"kind":"no"},"metadata":{"labels":{"name":"no"},"name":"web","namespace":"apps"},"kind":"Deployment","apiVersion":"apps/v1"}"#,
        )
        .unwrap();
        let expected = Identity {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: "apps".into(),
            name: "web".into(),
        };
        assert_eq!(*document.identity, expected);
        assert_eq!(document.identity.to_string(), "Deployment apps/web");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        assert_eq!(error("[]"), "an object was expected, but this is a list");
        assert_eq!(error("{}"), "the object has no apiVersion");
        assert_eq!(error(r#"{"apiVersion":"v1"}"#), "the object has no kind");
        assert_eq!(
            error(r#"{"apiVersion":"v1","kind":5}"#),
            "kind of the object is a number, but a text was expected"
        );
        assert_eq!(
            error(r#"{"apiVersion":"v1","kind":"A","metadata":{"name":{}}}"#),
            "metadata.name of the object is an object, but a text was expected"
        );
        assert_eq!(
            error("{\"a\""),
            "the object is not valid JSON: \":\" was expected at byte 4"
        );
    }

    #[test]
    fn yaml_streams_become_documents_with_places() {
        let text = "---\n# nothing\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\nkind: Secret\napiVersion: v1\n";
        let place = Place {
            path: "x.yaml".into(),
            line: 0,
            column: 0,
        };
        let documents = Document::from_yaml(text, Some(&place)).unwrap();
        let lines: Vec<_> = documents
            .iter()
            .map(|d| format!("{} {}", d.identity, d.origin.as_ref().unwrap()))
            .collect();
        assert_eq!(lines, ["ConfigMap a x.yaml:4:1", "Secret x.yaml:8:1"]);
        assert_eq!(
            documents[0].body(),
            r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}"#
        );
        assert!(
            Document::from_yaml("a: [", None)
                .unwrap_err()
                .to_string()
                .starts_with("the text is not valid YAML: ")
        );
    }
}
