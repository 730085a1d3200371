//! `metadata.managedFields`, read and written.

use std::fmt;

use serde_json::{Map, Value};

use super::{Context, identity};
use crate::local::fields::{FieldsError, Set};

/// Somebody who owns fields of an object. The version of the API that somebody uses counts only for updates.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Manager {
    pub(crate) name: String,
    pub(crate) operation: Operation,
    /// Empty for applies.
    api_version: String,
    pub(crate) subresource: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operation {
    Apply,
    Update,
}

/// The managers of an object, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Managers {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    manager: Manager,
    /// The version in which the fields are named.
    api_version: String,
    time: String,
    set: Set,
}

/// Why `managedFields` cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ManagersError {
    #[error("managedFields is no list of mappings")]
    Shape,
    #[error("the operation of manager {manager:?} is neither Apply nor Update")]
    Operation { manager: String },
    #[error("manager {manager:?} states no apiVersion")]
    ApiVersion { manager: String },
    #[error("the fieldsType of manager {manager:?} is not FieldsV1")]
    FieldsType { manager: String },
    #[error("the fields of manager {manager:?}: {error}")]
    Fields { manager: String, error: FieldsError },
}

impl Manager {
    pub(crate) fn new(name: &str, operation: Operation, ctx: &Context<'_>) -> Self {
        let api_version = match operation {
            Operation::Apply => String::new(),
            Operation::Update => ctx.api_version.to_owned(),
        };
        Self {
            name: name.to_owned(),
            operation,
            api_version,
            subresource: ctx.subresource.to_owned(),
        }
    }
}

impl Managers {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Manager, &Set)> {
        self.entries
            .iter()
            .map(|entry| (&entry.manager, &entry.set))
    }

    pub(crate) fn set(&self, manager: &Manager) -> Option<&Set> {
        self.entries
            .iter()
            .find(|entry| entry.manager == *manager)
            .map(|entry| &entry.set)
    }

    /// Gives a manager its fields, named in this version. Its time stays as it is.
    pub(super) fn put(&mut self, manager: Manager, set: Set, api_version: &str) {
        match self
            .entries
            .iter_mut()
            .find(|entry| entry.manager == manager)
        {
            Some(entry) => {
                entry.set = set;
                entry.api_version = api_version.to_owned();
            }
            None => {
                let api_version = api_version.to_owned();
                self.entries.push(Entry {
                    manager,
                    api_version,
                    time: String::new(),
                    set,
                });
            }
        }
    }

    pub(super) fn touch(&mut self, manager: &Manager, now: &str) {
        for entry in self
            .entries
            .iter_mut()
            .filter(|entry| entry.manager == *manager)
        {
            entry.time = now.to_owned();
        }
    }

    /// Replaces the fields of each; who is left with none is no manager any more.
    pub(super) fn retain_fields(&mut self, keep: impl Fn(&Manager, &Set) -> Set) {
        for entry in &mut self.entries {
            entry.set = keep(&entry.manager, &entry.set);
        }
        self.entries.retain(|entry| !entry.set.is_empty());
    }

    /// Nobody owns what identifies the object.
    pub(super) fn strip_identity(&mut self, manager: &Manager) {
        let identity = identity();
        self.retain_fields(|other, set| {
            if other == manager {
                set.difference(&identity)
            } else {
                set.clone()
            }
        });
    }

    /// Folds the oldest update managers into one where there are more than `most`.
    pub(super) fn fold_old(&mut self, most: usize, name: &str) {
        let mut updaters: Vec<(String, Manager)> = self
            .entries
            .iter()
            .filter(|entry| entry.manager.operation == Operation::Update)
            .map(|entry| (entry.time.clone(), entry.manager.clone()))
            .collect();
        let mut count = updaters.len();
        if count <= most {
            return;
        }
        updaters.sort();
        let mut first: Vec<(String, Manager)> = Vec::new();
        for (time, manager) in updaters {
            if count <= most {
                break;
            }
            let Some(set) = self.set(&manager).cloned() else {
                continue;
            };
            let version = manager.api_version.clone();
            let Some((_, oldest)) = first.iter().find(|(of, _)| *of == version) else {
                first.push((version, manager));
                continue;
            };
            let subresource = String::new();
            let bucket = Manager {
                name: name.into(),
                operation: Operation::Update,
                api_version: version.clone(),
                subresource,
            };
            if self.set(&bucket).is_none() {
                let renamed = self
                    .entries
                    .iter_mut()
                    .find(|entry| entry.manager == *oldest);
                if let Some(entry) = renamed {
                    entry.manager = bucket.clone();
                }
            }
            let folded = self.set(&bucket).map(|old| old.union(&set)).unwrap_or(set);
            self.entries.retain(|entry| entry.manager != manager);
            self.put(bucket.clone(), folded, &version);
            self.touch(&bucket, &time);
            count -= 1;
        }
    }

    /// Equality that does not count times.
    pub(crate) fn same_fields(&self, other: &Managers) -> bool {
        let key = |managers: &Managers| {
            let mut entries: Vec<Entry> = managers.entries.clone();
            entries.iter_mut().for_each(|entry| entry.time.clear());
            entries.sort_by(|one, two| one.manager.cmp(&two.manager));
            entries
        };
        key(self) == key(other)
    }

    /// The list as it stands in `managedFields`.
    pub(crate) fn to_value(&self) -> Value {
        let mut sorted: Vec<&Entry> = self.entries.iter().collect();
        let order = |entry: &&Entry| {
            let Manager {
                name,
                operation,
                subresource,
                ..
            } = &entry.manager;
            (
                *operation,
                entry.time.clone(),
                name.clone(),
                entry.api_version.clone(),
                subresource.clone(),
            )
        };
        sorted.sort_by_cached_key(order);
        sorted.into_iter().map(Entry::to_value).collect()
    }

    /// Reads `managedFields`.
    pub(crate) fn from_value(value: &Value) -> Result<Self, ManagersError> {
        let list = match value {
            Value::Null => return Ok(Self::default()),
            Value::Array(list) => list,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                return Err(ManagersError::Shape);
            }
        };
        let mut managers = Self::default();
        for value in list {
            let entry = Entry::from_value(value)?;
            managers
                .entries
                .retain(|other| other.manager != entry.manager);
            managers.entries.push(entry);
        }
        Ok(managers)
    }
}

impl Entry {
    fn to_value(&self) -> Value {
        let mut fields = Map::new();
        let operation = match self.manager.operation {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        };
        fields.insert("manager".into(), self.manager.name.as_str().into());
        fields.insert("operation".into(), operation.into());
        fields.insert("apiVersion".into(), self.api_version.as_str().into());
        if !self.time.is_empty() {
            fields.insert("time".into(), self.time.as_str().into());
        }
        fields.insert("fieldsType".into(), "FieldsV1".into());
        fields.insert("fieldsV1".into(), self.set.to_v1());
        if !self.manager.subresource.is_empty() {
            fields.insert(
                "subresource".into(),
                self.manager.subresource.as_str().into(),
            );
        }
        Value::Object(fields)
    }

    fn from_value(value: &Value) -> Result<Self, ManagersError> {
        let Value::Object(fields) = value else {
            return Err(ManagersError::Shape);
        };
        let text = |name: &str| {
            fields
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let name = text("manager");
        let operation = match text("operation").as_str() {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return Err(ManagersError::Operation { manager: name }),
        };
        let api_version = text("apiVersion");
        if api_version.is_empty() {
            return Err(ManagersError::ApiVersion { manager: name });
        }
        if text("fieldsType") != "FieldsV1" {
            return Err(ManagersError::FieldsType { manager: name });
        }
        let set = match fields.get("fieldsV1").and_then(Value::as_object) {
            Some(v1) => Set::from_v1(v1).map_err(|error| ManagersError::Fields {
                manager: name.clone(),
                error,
            })?,
            None => Set::default(),
        };
        let used = match operation {
            Operation::Apply => String::new(),
            Operation::Update => api_version.clone(),
        };
        let manager = Manager {
            name,
            operation,
            api_version: used,
            subresource: text("subresource"),
        };
        Ok(Self {
            manager,
            api_version,
            time: text("time"),
            set,
        })
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.name)?;
        if !self.subresource.is_empty() {
            write!(f, " with subresource {:?}", self.subresource)?;
        }
        if self.operation == Operation::Update {
            write!(f, " using {}", self.api_version)?;
        }
        Ok(())
    }
}
