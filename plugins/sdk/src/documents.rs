//! The objects that the step works on.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::error::asked;
use crate::raw::documents as raw;
use crate::{Error, Json, Result};

pub use crate::raw::types::{ObjectRef, Place};

/// All objects, in order.
pub fn all() -> Result<Vec<Document>> {
    select(&Select::default())
}

/// The objects of a kind: "Deployment", or with its group "Deployment.apps".
pub fn of_kind(kind: &str) -> Result<Vec<Document>> {
    select(&Select::default().kind(kind))
}

/// The objects that match.
pub fn select(by: &Select) -> Result<Vec<Document>> {
    let found = asked(raw::select(&by.0), || "selecting objects".to_owned())?;
    Ok(found.into_iter().map(Document).collect())
}

/// How many objects there are.
pub fn count() -> usize {
    raw::count() as usize
}

/// Appends an object: a `serde_json::Value`, or a type of your own.
pub fn add(object: &impl Serialize) -> Result<()> {
    asked(raw::add(&serde_json::to_string(object)?, None), || {
        "adding an object".to_owned()
    })
}

/// Appends an object that was made from something in a file.
pub fn add_from(object: &impl Serialize, origin: &Place) -> Result<()> {
    add_json(&serde_json::to_string(object)?, Some(origin))
}

/// Appends an object that is JSON text already.
pub fn add_json(body: &str, origin: Option<&Place>) -> Result<()> {
    asked(raw::add(body, origin), || match origin {
        Some(place) => format!("adding an object from {}", place.path),
        None => "adding an object".to_owned(),
    })
}

/// Appends every document of a YAML stream, which the host parses. Says how many there were.
pub fn add_yaml(text: &str, origin: Option<&Place>) -> Result<usize> {
    let count = asked(raw::add_yaml(text, origin), || match origin {
        Some(place) => format!("adding objects from {}", place.path),
        None => "adding objects".to_owned(),
    })?;
    Ok(count as usize)
}

/// Keeps a named result beside the objects.
pub fn attach(name: &str, body: &[u8]) -> Result<()> {
    asked(raw::attach(name, body), || format!("attaching {name}"))
}

/// Which objects are wanted. Without any condition: all.
#[derive(Clone, Debug)]
pub struct Select(raw::Selector);

/// An object of the set. Dropping it does not remove the object.
pub struct Document(raw::Document);

impl Default for Select {
    fn default() -> Self {
        Self(raw::Selector {
            kinds: Vec::new(),
            namespaces: Vec::new(),
            names: Vec::new(),
            labels: String::new(),
            annotations: String::new(),
        })
    }
}

impl Select {
    /// This kind, or one of several when called again: "Deployment" or "Deployment.apps".
    #[must_use]
    pub fn kind(mut self, kind: &str) -> Self {
        self.0.kinds.push(kind.to_owned());
        self
    }

    /// In this namespace, or in one of several.
    #[must_use]
    pub fn namespace(mut self, namespace: &str) -> Self {
        self.0.namespaces.push(namespace.to_owned());
        self
    }

    /// With this name, or one of several.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.0.names.push(name.to_owned());
        self
    }

    /// A Kubernetes label selector: "app=web,tier in (a,b),!legacy".
    #[must_use]
    pub fn labels(mut self, selector: &str) -> Self {
        selector.clone_into(&mut self.0.labels);
        self
    }

    /// The same syntax on annotations.
    #[must_use]
    pub fn annotations(mut self, selector: &str) -> Self {
        selector.clone_into(&mut self.0.annotations);
        self
    }
}

impl Document {
    /// Which object it is. Cheap.
    pub fn identity(&self) -> ObjectRef {
        self.0.identity()
    }

    /// Where it came from, if that is known.
    pub fn origin(&self) -> Option<Place> {
        self.0.origin()
    }

    /// The whole object as JSON text.
    pub fn body(&self) -> String {
        self.0.body()
    }

    /// The whole object, parsed: as a `serde_json::Value` or a type of your own.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.0.body()).map_err(|error| self.error(error))
    }

    /// One part of the object by JSON Pointer ("/spec/replicas"); `None` if it is not there.
    pub fn get<T: DeserializeOwned>(&self, pointer: &str) -> Result<Option<T>> {
        let Some(text) = self.0.get(pointer) else {
            return Ok(None);
        };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| self.error(format!("{pointer}: {error}")))
    }

    /// Changes the object as it stands, in any of its parts, and writes it back. For much that is changed this is the
    /// fastest way; for a few fields [`Self::merge`] is.
    ///
    /// ```no_run
    /// # fn f(document: &weir_sdk::Document) -> weir_sdk::Result<()> {
    /// document.edit(|object| object.set("/spec/template/spec/containers/0/image", "app:2"))
    /// # }
    /// ```
    pub fn edit(&self, change: impl FnOnce(&mut Json<'_>) -> Result<()>) -> Result<()> {
        let body = self.0.body();
        let mut object = Json::parse(&body).map_err(|error| self.error(error))?;
        change(&mut object).map_err(|error| self.error(error))?;
        let mut changed = String::with_capacity(body.len() + 64);
        object.write(&mut changed);
        self.replace_json(&changed)
    }

    /// Puts another object in this one's place.
    pub fn replace(&self, object: &impl Serialize) -> Result<()> {
        self.replace_json(&serde_json::to_string(object)?)
    }

    /// Puts another object in this one's place, which is JSON text already.
    pub fn replace_json(&self, body: &str) -> Result<()> {
        asked(self.0.replace(body), || format!("writing {self}"))
    }

    /// Applies a JSON merge patch: objects are merged, null removes a key, anything else replaces. The fastest way to
    /// change an object.
    pub fn merge(&self, patch: &impl Serialize) -> Result<()> {
        asked(self.0.merge(&serde_json::to_string(patch)?), || {
            format!("changing {self}")
        })
    }

    /// Sets one field by JSON Pointer, making the objects on the way. It cannot lead into a list.
    pub fn set(&self, pointer: &str, value: impl Serialize) -> Result<()> {
        self.merge(&at(pointer, serde_json::to_value(value)?)?)
    }

    /// Removes one field by JSON Pointer. It cannot lead into a list.
    pub fn unset(&self, pointer: &str) -> Result<()> {
        self.merge(&at(pointer, Value::Null)?)
    }

    /// Sets a label.
    pub fn label(&self, key: &str, value: &str) -> Result<()> {
        self.merge(&json!({"metadata": {"labels": {key: value}}}))
    }

    /// Sets an annotation.
    pub fn annotate(&self, key: &str, value: &str) -> Result<()> {
        self.merge(&json!({"metadata": {"annotations": {key: value}}}))
    }

    /// Takes the object out of the set; nothing can be asked of it afterwards.
    pub fn remove(&self) -> Result<()> {
        let name = self.to_string();
        asked(self.0.remove(), || format!("removing {name}"))
    }

    /// An error about this object.
    pub fn error(&self, message: impl fmt::Display) -> Error {
        Error::new(format!("{self}: {message}"))
    }
}

/// `{"a": {"b": value}}` for "/a/b".
fn at(pointer: &str, value: Value) -> Result<Value> {
    let Some(path) = pointer.strip_prefix('/') else {
        return Err(Error::new(format!(
            "{pointer:?} is not a JSON pointer to a field; it must begin with \"/\""
        )));
    };
    Ok(path.rsplit('/').fold(value, |inner, key| {
        let key = key.replace("~1", "/").replace("~0", "~");
        Value::Object(Map::from_iter([(key, inner)]))
    }))
}

impl fmt::Display for Document {
    /// `Deployment web/frontend`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ObjectRef {
            kind,
            namespace,
            name,
            ..
        } = self.identity();
        if namespace.is_empty() {
            write!(f, "{kind} {name}")
        } else {
            write!(f, "{kind} {namespace}/{name}")
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_become_patches() {
        assert_eq!(
            at("/spec/replicas", json!(3)).unwrap(),
            json!({"spec": {"replicas": 3}})
        );
        assert_eq!(
            at("/metadata/labels/a~1b", Value::Null).unwrap(),
            json!({"metadata": {"labels": {"a/b": null}}})
        );
        assert!(
            at("spec", json!(1))
                .unwrap_err()
                .to_string()
                .contains("must begin with")
        );
    }
}
