//! Recipes: the steps that a unit lowers to.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::Value;
use weir_api::ObjectName;
use weir_api::kustomize::{CommonMetadata, ConfigKind};
use weir_plugin::Role;

/// Names a unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitId {
    pub kind: String,
    pub name: ObjectName,
}

/// Names a source. Each file that a render reads notes it, so clones share one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourceId(Arc<SourceName>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName {
    pub kind: String,
    pub name: ObjectName,
}

/// How a unit's bundle is made: a value, made from the unit's object alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    pub unit: UnitId,
    /// The unit's source; its tree is `main` in every step.
    pub source: SourceId,
    pub steps: Vec<Step>,
    /// Forced onto every object at the end.
    pub common: CommonMetadata,
    /// The unit's object came out of a tainted bundle, so everything that it says is secret.
    pub tainted: bool,
}

/// One plugin call.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Shown in messages.
    pub name: String,
    /// The name under which the plugin is registered.
    pub plugin: String,
    /// Absent: what the plugin is, a generator before a transformer before a validator.
    pub role: Option<Role>,
    pub config: Value,
    /// Further trees by name.
    pub trees: BTreeMap<String, SourceId>,
    /// Named inputs by name.
    pub inputs: BTreeMap<String, InputRef>,
    /// Files that the step asks for as filtered pass through these.
    pub filters: Vec<FilterStep>,
}

/// A plugin that rewrites single files before the step reads them.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterStep {
    pub plugin: String,
    pub config: Value,
}

/// A ConfigMap or Secret, whole or one key of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InputRef {
    pub kind: ConfigKind,
    pub name: ObjectName,
    pub key: Option<String>,
    pub optional: bool,
}

impl UnitId {
    pub fn new(
        kind: impl Into<String>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            kind: kind.into(),
            name: ObjectName::new(namespace, name),
        }
    }
}

impl Ord for SourceId {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for SourceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl SourceId {
    pub fn new(
        kind: impl Into<String>,
        namespace: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self::of(kind, ObjectName::new(namespace, name))
    }

    pub fn of(kind: impl Into<String>, name: ObjectName) -> Self {
        Self(Arc::new(SourceName {
            kind: kind.into(),
            name,
        }))
    }
}

impl Deref for SourceId {
    type Target = SourceName;

    fn deref(&self) -> &SourceName {
        &self.0
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}
