//! Where the answers come from: the controller's and the command line's view of sources, plugins, inputs and the cluster.

use std::sync::Arc;

use bytes::Bytes;
use weir_plugin::ask::Budget;
use weir_plugin::{Grants, Limits, Refusal};
use weir_tree::Tree;

use crate::recipe::{InputRef, SourceId};

/// A source's tree at one revision.
#[derive(Clone, Debug)]
pub struct SourceTree {
    pub tree: Arc<dyn Tree>,
    pub revision: String,
    /// The time of the revision in seconds since 1970.
    pub time: u64,
}

/// A plugin as the operator registered it.
#[derive(Clone, Debug)]
pub struct Registered {
    pub plugin: Arc<weir_plugin::Loaded>,
    pub grants: Arc<Grants>,
    pub limits: Limits,
}

/// The value of a named input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputValue {
    pub bytes: Bytes,
    /// Whether it came from a Secret.
    pub secret: bool,
}

/// What a render can know. Within one render the same question has the same answer.
///
/// What a world says nothing about is not there.
pub trait World: Send + Sync {
    fn source(&self, id: &SourceId) -> Result<SourceTree, Refusal>;

    /// The plugin that is registered under a name; the refusal says why there is none.
    fn plugin(&self, name: &str) -> Result<Registered, Refusal>;

    /// `Absent` if the object or the key is not there.
    fn input(&self, _reference: &InputRef) -> Result<InputValue, Refusal> {
        Err(Refusal::Absent)
    }

    /// `v1.35.4`
    fn kube_version(&self) -> String;

    /// `apps/v1` and `apps/v1/Deployment` for all that is served, sorted.
    fn api_versions(&self) -> Arc<[String]>;

    /// The key that random values are made with; without one a fixed public key serves and what it went into is marked.
    fn random_key(&self) -> Option<[u8; 32]>;

    /// One object of the cluster as JSON, with the rights of the unit.
    fn object(
        &self,
        _api_version: &str,
        _kind: &str,
        _namespace: &str,
        _name: &str,
    ) -> Result<String, Refusal> {
        Err(Refusal::Absent)
    }

    /// Objects of the cluster as a JSON array, with the rights of the unit.
    fn objects(
        &self,
        _api_version: &str,
        _kind: &str,
        _namespace: &str,
        _labels: &str,
    ) -> Result<String, Refusal> {
        Err(Refusal::Absent)
    }

    /// The tree behind a URL, pinned for this render.
    fn open_url(&self, _url: &str, _budget: &Budget) -> Result<SourceTree, Refusal> {
        Err(Refusal::Absent)
    }

    /// A chart by repository, name and version range, pinned for this render.
    fn open_chart(
        &self,
        _repository: &str,
        _name: &str,
        _version: &str,
        _budget: &Budget,
    ) -> Result<SourceTree, Refusal> {
        Err(Refusal::Absent)
    }

    /// Recovers a data key with a private key that stays here.
    fn unwrap_key(
        &self,
        _scheme: &str,
        _key: &[(String, String)],
        _wrapped: &[u8],
    ) -> Result<Bytes, Refusal> {
        Err(Refusal::Absent)
    }
}
