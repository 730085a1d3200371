//! What is known of a repository when a wave of renders starts: values, and the sources that are objects of it.

use weir_api::kustomize::ConfigKind;
use weir_plugin::Refusal;
use weir_render::{InputRef, InputValue, SourceId, SourceTree};

use crate::remote::Remotes;
use crate::repository::holdings::Holdings;
use crate::repository::sources::Sources;
use crate::repository::unit::SourceName;
use crate::repository::values::Values;

/// A snapshot for one wave.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// What the repository itself stands for.
    pub(crate) source: SourceName,
    pub(crate) values: Values,
    pub(crate) sources: Sources,
    pub(crate) holdings: Holdings,
}

impl Snapshot {
    /// The repository itself, or what is fetched for an object of it.
    pub(crate) fn source(
        &self,
        id: &SourceId,
        repository: &SourceTree,
        remotes: &Remotes,
    ) -> Result<SourceTree, Refusal> {
        if self.source.is(id) {
            return Ok(repository.clone());
        }
        self.sources.tree(id, &self.source, repository, remotes)
    }

    pub(crate) fn input(&self, reference: &InputRef) -> Result<InputValue, Refusal> {
        // In the words of the API server, which is how people know it from Flux.
        let (resource, secret) = match reference.kind {
            ConfigKind::ConfigMap => ("configmaps", false),
            ConfigKind::Secret => ("secrets", true),
        };
        let found = self.values.look_up(reference);
        let found = found.map_err(|error| Refusal::Unavailable(format!("the cluster: {error}")))?;
        match found {
            Some(bytes) => Ok(InputValue { bytes, secret }),
            None if reference.optional => Err(Refusal::Absent),
            None => Err(Refusal::Unavailable(match &reference.key {
                Some(key) if self.values.holds(reference) => {
                    format!("{resource} {:?} has no key {key:?}", reference.name.name)
                }
                _ => format!("{resource} {:?} not found", reference.name.name),
            })),
        }
    }
}
