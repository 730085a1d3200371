//! An object at rest.
//!
//! Objects are kept as JSON text, not as trees: a tree takes about five times the memory, and a thousand objects should
//! cost a few megabytes. `managedFields` are a text of their own, since most readers of an object's fields skip them and
//! nobody edits them in a file.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use smol_str::SmolStr;
use weir_api::{Object, ObjectKey};

use super::kinds::{Kind, Version};
use crate::Detail;

/// Names an object of a local cluster, whatever version it is asked for in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id {
    /// `deployments.apps`
    pub(crate) resource: SmolStr,
    /// Empty for what is cluster-scoped.
    pub(crate) namespace: SmolStr,
    pub(crate) name: SmolStr,
}

/// One state of an object. Never changes: a write makes another one.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) id: Id,
    /// Its resource version.
    pub(crate) version: u64,
    pub(crate) uid: SmolStr,
    /// The object as JSON, without `managedFields` and without `resourceVersion`, which is `version`.
    pub(crate) content: Box<str>,
    /// Its `managedFields` as JSON.
    pub(crate) managers: Box<str>,
    /// The uids of its owners.
    pub(crate) owners: Box<[SmolStr]>,
    /// The digest of its file; `None` while it has none, as the namespaces that every cluster has.
    pub(crate) file: Option<Digest>,
}

/// What a file or a line of the journal holds, in short.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest(pub(crate) [u8; 8]);

impl Id {
    pub(crate) fn new(kind: &Kind, namespace: &str, name: &str) -> Self {
        let namespace = if kind.namespaced {
            SmolStr::new(namespace)
        } else {
            SmolStr::default()
        };
        Self {
            resource: kind.resource().into(),
            namespace,
            name: name.into(),
        }
    }

    /// The key of the object in one version of its kind.
    pub(crate) fn key(&self, kind: &Kind, version: &Version) -> ObjectKey {
        ObjectKey::new(
            kind.gvk(version),
            self.namespace.as_str(),
            self.name.as_str(),
        )
    }
}

impl Record {
    /// Takes an object apart.
    pub(crate) fn new(id: Id, version: u64, mut object: Value, managers: &Value) -> Self {
        let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
        let (mut uid, mut owners) = (SmolStr::default(), Vec::new());
        if let Some(metadata) = metadata {
            metadata.shift_remove("managedFields");
            metadata.shift_remove("resourceVersion");
            let text = |value: &Value| value.as_str().map(SmolStr::new);
            uid = metadata.get("uid").and_then(text).unwrap_or_default();
            let references = metadata
                .get("ownerReferences")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            owners = references
                .filter_map(|owner| owner.get("uid").and_then(text))
                .collect();
        }
        let content = object.to_string().into_boxed_str();
        Self {
            id,
            version,
            uid,
            content,
            managers: managers.to_string().into(),
            owners: owners.into(),
            file: None,
        }
    }

    /// The object without `managedFields`.
    pub(crate) fn value(&self) -> Value {
        let mut value: Value = serde_json::from_str(&self.content)
            .expect("a record holds JSON that was written by us");
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("resourceVersion".into(), self.version.to_string().into());
        }
        value
    }

    pub(crate) fn managers(&self) -> Value {
        serde_json::from_str(&self.managers).expect("a record holds JSON that was written by us")
    }

    /// The object as the cluster gives it, in a version of its kind.
    pub(crate) fn object(&self, kind: &Kind, version: &Version, detail: Detail) -> Object {
        let mut value = match detail {
            Detail::Whole => self.value(),
            Detail::Metadata => self.metadata(),
        };
        let gvk = kind.gvk(version);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("apiVersion".into(), gvk.api_version().into());
            fields.insert("kind".into(), gvk.kind.into());
        }
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut)
            && self.managers.len() > "[]".len()
        {
            metadata.insert("managedFields".into(), self.managers());
        }
        Object::new(value).expect("apiVersion and kind were set just above")
    }

    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        #[derive(Deserialize)]
        struct Labelled {
            #[serde(default)]
            metadata: Labels,
        }
        #[derive(Default, Deserialize)]
        struct Labels {
            #[serde(default)]
            labels: Option<BTreeMap<String, String>>,
        }
        let found: Result<Labelled, _> = serde_json::from_str(&self.content);
        found
            .ok()
            .and_then(|found| found.metadata.labels)
            .unwrap_or_default()
    }

    /// apiVersion, kind and metadata.
    fn metadata(&self) -> Value {
        #[derive(Deserialize)]
        struct Parts {
            metadata: Value,
        }
        let parts: Parts = serde_json::from_str(&self.content)
            .expect("a record holds JSON that was written by us");
        let mut metadata = parts.metadata;
        metadata["resourceVersion"] = self.version.to_string().into();
        serde_json::json!({"apiVersion": "", "kind": "", "metadata": metadata})
    }
}

impl Digest {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        let digest = sha2::Sha256::digest(bytes);
        let mut short = [0; 8];
        short.copy_from_slice(&digest[..8]);
        Self(short)
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        hex::decode(text).ok()?.try_into().ok().map(Self)
    }
}

/// As messages name it: `deployments.apps "default/web"`.
impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.namespace.is_empty() { "" } else { "/" };
        write!(
            f,
            "{} \"{}{slash}{}\"",
            self.resource, self.namespace, self.name
        )
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Shared between the index and the history.
pub(crate) type Shared = Arc<Record>;
