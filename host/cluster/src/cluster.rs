//! The trait and its vocabulary.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde_json::Value;
use weir_api::{ApiResource, GroupKind, Gvk, Object, ObjectKey};

/// A place that holds Kubernetes objects.
#[async_trait]
pub trait Cluster: Send + Sync + fmt::Debug {
    /// What the cluster serves. Kept and renewed by the implementation: after a CRD was applied, `fresh` asks again.
    async fn discover(&self, fresh: bool) -> Result<Arc<Discovery>, ClusterError>;

    /// The object, or `None` if it is not there. An unknown kind is [`ClusterError::NoKind`].
    async fn get(&self, key: &ObjectKey) -> Result<Option<Object>, ClusterError>;

    /// All objects of a kind that match, with the resource version of the answer.
    async fn list(&self, gvk: &Gvk, by: &Selection) -> Result<List, ClusterError>;

    /// What happens to the objects of a kind after `since` (a version that [`Cluster::list`] or an event gave).
    /// Ends with [`ClusterError::Expired`] when the version is too old: list again. With `Detail::Metadata` the objects
    /// carry only apiVersion, kind and metadata.
    async fn watch(
        &self,
        gvk: &Gvk,
        by: &Selection,
        since: &str,
        detail: Detail,
    ) -> Result<BoxStream<'static, Result<WatchEvent, ClusterError>>, ClusterError>;

    /// Server-side apply. Returns the object as it stands afterwards (for a dry run: as it would stand).
    async fn apply(&self, object: &Object, how: &Apply) -> Result<Object, ClusterError>;

    /// Makes a new object; [`ClusterError::Exists`] if it is there.
    async fn create(&self, object: &Object, manager: &str) -> Result<Object, ClusterError>;

    /// A JSON merge patch (RFC 7396) on the object or its status. A `metadata.resourceVersion` in the patch is a precondition.
    async fn merge(
        &self,
        key: &ObjectKey,
        part: Part,
        patch: &Value,
        manager: &str,
    ) -> Result<Object, ClusterError>;

    /// Deletes. `Ok(None)`: it was not there. `Ok(Some(object))`: gone, or, if the object has finalizers, now deleting.
    async fn delete(&self, key: &ObjectKey, how: &Delete) -> Result<Option<Object>, ClusterError>;
}

/// What a cluster serves.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// In the order of the server: groups, then versions with the preferred one first.
    pub resources: Vec<ApiResource>,
    /// `v1.35.4`
    pub version: String,
}

impl Discovery {
    pub fn find(&self, gvk: &Gvk) -> Option<&ApiResource> {
        self.resources.iter().find(|resource| resource.gvk == *gvk)
    }

    /// The preferred version of a kind.
    pub fn preferred(&self, kind: &GroupKind) -> Option<&ApiResource> {
        self.resources
            .iter()
            .find(|resource| resource.gvk.group == kind.group && resource.gvk.kind == kind.kind)
    }
}

/// Which objects of a kind. Empty fields select all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub namespace: String,
    /// In Kubernetes' label selector syntax.
    pub labels: String,
    pub detail: Detail,
}

/// How much of each object to transfer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    #[default]
    Whole,
    /// apiVersion, kind and metadata.
    Metadata,
}

#[derive(Clone, Debug)]
pub struct List {
    pub objects: Vec<Object>,
    pub resource_version: String,
}

#[derive(Clone, Debug)]
pub enum WatchEvent {
    /// Added or modified.
    Set(Object),
    Deleted(Object),
    /// Nothing happened up to this resource version.
    Bookmark(String),
}

/// How to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apply {
    /// The field manager.
    pub manager: String,
    /// Takes fields over from other managers instead of failing with a conflict.
    pub force: bool,
    pub dry_run: bool,
}

/// Which part of an object a patch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Object,
    Status,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delete {
    pub propagation: Propagation,
    /// Preconditions; empty ones do not count.
    pub uid: String,
    pub resource_version: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    #[default]
    Background,
    Foreground,
    Orphan,
}

/// Why a cluster did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClusterError {
    /// The kind is not served: its CRD is missing, or not yet established.
    #[error("no matches for kind {:?} in version {:?}", .0.kind, .0.api_version())]
    NoKind(Gvk),
    #[error("{key} not found")]
    NotFound { key: ObjectKey },
    #[error("{key} already exists")]
    Exists { key: ObjectKey },
    /// A precondition did not hold, or another manager owns a field.
    #[error("{message}")]
    Conflict { key: ObjectKey, message: String },
    /// The object is not acceptable as it is; trying again does not help.
    #[error("{message}")]
    Invalid { key: ObjectKey, message: String },
    /// The namespace it should go to is missing.
    #[error("namespaces {namespace:?} not found")]
    NoNamespace { key: ObjectKey, namespace: String },
    #[error("{message}")]
    Forbidden { message: String },
    /// The version to watch from is too old.
    #[error("the resource version {0} is too old")]
    Expired(String),
    /// The server is away, overloaded or broken; trying again later may help.
    #[error("{message}")]
    Unavailable { message: String },
}
