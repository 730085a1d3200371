//! One Kubernetes object as a dynamic value, and the ways to name one.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Group and kind. The group is empty for the core API.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupKind {
    pub group: String,
    pub kind: String,
}

/// Group, version and kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Gvk {
    pub group: String,
    pub version: String,
    pub kind: String,
}

/// A name within a namespace; the namespace is empty for what is cluster-scoped (or not yet placed).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectName {
    pub namespace: String,
    pub name: String,
}

/// Names one object of a cluster, in one API version.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectKey {
    pub gvk: Gvk,
    pub name: ObjectName,
}

/// A kind as a cluster serves it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ApiResource {
    pub gvk: Gvk,
    /// The name in URLs, `deployments`.
    pub plural: String,
    pub namespaced: bool,
    /// Whether it has the `status` subresource.
    pub status: bool,
}

impl GroupKind {
    pub fn new(group: impl Into<String>, kind: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            kind: kind.into(),
        }
    }
}

/// `Deployment.apps`, or `ConfigMap` for the core group.
impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        Ok(())
    }
}

impl Gvk {
    pub fn new(
        group: impl Into<String>,
        version: impl Into<String>,
        kind: impl Into<String>,
    ) -> Self {
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }
    }

    /// From the two fields of an object; `apps/v1` has a group, `v1` has none.
    pub fn from_api_version(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self::new(group, version, kind)
    }

    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(self.group.clone(), self.kind.clone())
    }
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.api_version(), self.kind)
    }
}

impl ObjectName {
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

/// `namespace/name`, or only the name.
impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

impl ObjectKey {
    pub fn new(gvk: Gvk, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            gvk,
            name: ObjectName::new(namespace, name),
        }
    }
}

/// `Deployment/namespace/name`, as Flux writes objects in messages.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.gvk.kind, self.name)
    }
}

/// One Kubernetes object: a JSON object that states at least `apiVersion` and `kind`.
#[derive(Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Object(Value);

/// Why a value is not an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    #[error("expected a Kubernetes object, found {found}")]
    NotAnObject { found: &'static str },
    #[error("the object{shown} has no {field}; every Kubernetes object states apiVersion and kind")]
    MissingField { field: &'static str, shown: String },
}

impl Object {
    pub fn new(value: Value) -> Result<Self, ObjectError> {
        let Value::Object(fields) = &value else {
            return Err(ObjectError::NotAnObject {
                found: json_kind(&value),
            });
        };
        for field in ["apiVersion", "kind"] {
            if fields
                .get(field)
                .and_then(Value::as_str)
                .is_none_or(str::is_empty)
            {
                let name = fields
                    .get("metadata")
                    .and_then(|meta| meta.get("name"))
                    .and_then(Value::as_str);
                let shown = name
                    .map(|name| format!(" named {name:?}"))
                    .unwrap_or_default();
                return Err(ObjectError::MissingField { field, shown });
            }
        }
        Ok(Self(value))
    }

    pub fn api_version(&self) -> &str {
        self.text("apiVersion")
    }

    pub fn kind(&self) -> &str {
        self.text("kind")
    }

    pub fn gvk(&self) -> Gvk {
        Gvk::from_api_version(self.api_version(), self.kind())
    }

    pub fn namespace(&self) -> &str {
        self.meta("namespace")
    }

    pub fn name(&self) -> &str {
        self.meta("name")
    }

    pub fn key(&self) -> ObjectKey {
        ObjectKey::new(self.gvk(), self.namespace(), self.name())
    }

    pub fn uid(&self) -> &str {
        self.meta("uid")
    }

    pub fn resource_version(&self) -> &str {
        self.meta("resourceVersion")
    }

    pub fn generation(&self) -> i64 {
        self.0
            .pointer("/metadata/generation")
            .and_then(Value::as_i64)
            .unwrap_or(0)
    }

    /// Whether deletion was asked for and finalizers hold the object.
    pub fn deleting(&self) -> bool {
        self.0.pointer("/metadata/deletionTimestamp").is_some()
    }

    pub fn label(&self, name: &str) -> Option<&str> {
        self.0.get("metadata")?.get("labels")?.get(name)?.as_str()
    }

    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.0
            .get("metadata")?
            .get("annotations")?
            .get(name)?
            .as_str()
    }

    pub fn finalizers(&self) -> impl Iterator<Item = &str> {
        self.0
            .pointer("/metadata/finalizers")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    pub fn get(&self, pointer: &str) -> Option<&Value> {
        self.0.pointer(pointer)
    }

    /// The entries of `metadata`, made if absent.
    pub fn metadata_mut(&mut self) -> &mut Map<String, Value> {
        let fields = self.fields_mut();
        let metadata = fields
            .entry("metadata")
            .or_insert_with(|| Value::Object(Map::new()));
        if !metadata.is_object() {
            *metadata = Value::Object(Map::new());
        }
        metadata
            .as_object_mut()
            .expect("was made an object just above")
    }

    pub fn fields(&self) -> &Map<String, Value> {
        self.0.as_object().expect("checked when made")
    }

    pub fn fields_mut(&mut self) -> &mut Map<String, Value> {
        self.0.as_object_mut().expect("checked when made")
    }

    pub fn value(&self) -> &Value {
        &self.0
    }

    pub fn into_value(self) -> Value {
        self.0
    }

    fn text(&self, field: &str) -> &str {
        self.0
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn meta(&self, field: &str) -> &str {
        self.0
            .get("metadata")
            .and_then(|meta| meta.get(field))
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// Only the name: contents can be secret.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({} {})", self.gvk(), self.key().name)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
