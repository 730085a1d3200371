//! What a render can know of a repository: one tree, the built-in plugins, and the values that are known so far.

use std::sync::Arc;

use bytes::Bytes;
use weir_api::kustomize::ConfigKind;
use weir_plugin::Refusal;
use weir_plugin::ask::Budget;
use weir_render::{InputRef, InputValue, Registered, SourceId, SourceTree, World};

use crate::folder_world::FolderWorld;
use crate::repository::unit::SourceName;
use crate::repository::values::Values;

/// A snapshot for one wave of renders.
#[derive(Debug)]
pub(crate) struct RepositoryWorld<'w> {
    pub(crate) folder: &'w FolderWorld,
    pub(crate) source: &'w SourceName,
    pub(crate) values: Values,
}

impl World for RepositoryWorld<'_> {
    fn source(&self, id: &SourceId) -> Result<SourceTree, Refusal> {
        if id.kind == self.source.kind && id.name.name == self.source.name {
            Ok(self.folder.source_tree().clone())
        } else {
            Err(Refusal::Invalid(format!(
                "{id} is not this repository, which stands for {}",
                self.source
            )))
        }
    }

    fn input(&self, reference: &InputRef) -> Result<InputValue, Refusal> {
        // In the words of the API server, which is how people know it from Flux.
        let (resource, secret) = match reference.kind {
            ConfigKind::ConfigMap => ("configmaps", false),
            ConfigKind::Secret => ("secrets", true),
        };
        match self.values.get(reference) {
            Some(bytes) => Ok(InputValue { bytes, secret }),
            None if reference.optional => Err(Refusal::Absent),
            None => Err(Refusal::Unavailable(format!(
                "{resource} {:?} not found",
                reference.name.name
            ))),
        }
    }

    fn plugin(&self, name: &str) -> Result<Registered, Refusal> {
        self.folder.plugin(name)
    }

    fn kube_version(&self) -> String {
        self.folder.kube_version()
    }

    fn api_versions(&self) -> Arc<[String]> {
        self.folder.api_versions()
    }

    fn random_key(&self) -> Option<[u8; 32]> {
        self.folder.random_key()
    }

    fn object(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<String, Refusal> {
        self.folder.object(api_version, kind, namespace, name)
    }

    fn objects(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        labels: &str,
    ) -> Result<String, Refusal> {
        self.folder.objects(api_version, kind, namespace, labels)
    }

    fn open_url(&self, url: &str, budget: &Budget) -> Result<SourceTree, Refusal> {
        self.folder.open_url(url, budget)
    }

    fn open_chart(
        &self,
        repository: &str,
        name: &str,
        version: &str,
        budget: &Budget,
    ) -> Result<SourceTree, Refusal> {
        self.folder.open_chart(repository, name, version, budget)
    }

    fn unwrap_key(
        &self,
        scheme: &str,
        key: &[(String, String)],
        wrapped: &[u8],
    ) -> Result<Bytes, Refusal> {
        self.folder.unwrap_key(scheme, key, wrapped)
    }
}
