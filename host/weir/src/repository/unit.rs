//! Units as the walk finds them among rendered objects.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use weir_api::Object;
use weir_api::helm::HelmRelease;
use weir_api::kustomize::Kustomization;
use weir_plugin::{Diagnostic, Place};
use weir_render::{Placeholder, Recipe, SourceId, UnitId};
use weir_tree::TreePath;

/// Names the source that is the repository. Its namespace does not matter: a repository is one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceName {
    pub(crate) kind: String,
    pub(crate) name: String,
}

impl SourceName {
    /// Whether a source of the graph is this one.
    pub(crate) fn is(&self, id: &SourceId) -> bool {
        id.kind == self.kind && id.name.name == self.name
    }
}

impl FromStr for SourceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((kind @ ("GitRepository" | "OCIRepository" | "Bucket" | "ExternalArtifact"), name))
                if !name.is_empty() && !name.contains('/') =>
            {
                Ok(Self {
                    kind: kind.to_owned(),
                    name: name.to_owned(),
                })
            }
            _ => Err(
                "expected KIND/NAME, where KIND is GitRepository, OCIRepository, Bucket or ExternalArtifact".to_owned(),
            ),
        }
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// A unit of the repository and what became of it.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) id: UnitId,
    /// The unit that it came out of; `None` for the entry.
    pub(crate) parent: Option<UnitId>,
    pub(crate) outcome: Outcome,
    /// Its object, as its parent made it.
    pub(crate) object: Value,
    /// Where that stands.
    pub(crate) place: Option<Place>,
    pub(crate) recipe: Option<Recipe>,
    /// What its steps found that is no error.
    pub(crate) findings: Vec<Diagnostic>,
    /// The files of the repository that it read.
    pub(crate) reads: Vec<TreePath>,
    /// Values that were made with the public key in place of a cluster's.
    pub(crate) placeholders: Vec<Placeholder>,
    /// Secret bytes went into its objects.
    pub(crate) tainted: bool,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    Built(Vec<Made>),
    Failed(Failure),
    /// A unit of a kind that is not rendered from the repository alone.
    Named,
}

/// An object that a unit made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) object: Object,
    /// The file that it came from.
    pub(crate) origin: Option<Place>,
}

/// Why a unit has no objects.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// In one line.
    pub(crate) message: String,
    pub(crate) findings: Vec<Diagnostic>,
}

impl Failure {
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        let message = message.to_string();
        Self {
            message: message.split_whitespace().collect::<Vec<_>>().join(" "),
            findings: Vec::new(),
        }
    }
}

/// A unit that stands among the objects of another one.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) id: UnitId,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    Kustomization(Box<Kustomization>),
    Release(Box<HelmRelease>),
    /// A unit that cannot be rendered here.
    Unusable(Failure),
    Other,
}

/// The unit that an object is, if it is one. What states no namespace is in that of its parent.
pub(crate) fn find(object: &Object, namespace: &str) -> Option<Found> {
    let gvk = object.gvk();
    let what: fn(Value) -> Result<What, serde_json::Error> =
        match (gvk.group.as_str(), gvk.kind.as_str()) {
            ("kustomize.toolkit.fluxcd.io", "Kustomization") => {
                |value| serde_json::from_value(value).map(What::Kustomization)
            }
            ("helm.toolkit.fluxcd.io", "HelmRelease") => {
                |value| serde_json::from_value(value).map(What::Release)
            }
            ("fluxcd.controlplane.io", "ResourceSet") | ("weir.dev", "Pipeline") => {
                |_| Ok(What::Other)
            }
            _ => return None,
        };
    let namespace = if object.namespace().is_empty() {
        namespace
    } else {
        object.namespace()
    };
    Some(Found {
        id: UnitId::new(&*gvk.kind, namespace, object.name()),
        what: read(object, &gvk.kind, namespace, what),
    })
}

fn read(
    object: &Object,
    kind: &str,
    namespace: &str,
    what: fn(Value) -> Result<What, serde_json::Error>,
) -> What {
    let mut object = object.clone();
    object
        .metadata_mut()
        .insert("namespace".to_owned(), namespace.into());
    what(object.into_value()).unwrap_or_else(|error| {
        What::Unusable(Failure::new(format!(
            "the object is not a valid {kind}: {error}"
        )))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(value: Value) -> Option<Found> {
        find(&Object::new(value).unwrap(), "parent")
    }

    fn kustomization(spec: Value) -> Value {
        json!({"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": {"name": "a"}, "spec": spec})
    }

    #[test]
    fn a_child_of_the_repository_is_in_its_parents_namespace() {
        let spec = json!({"interval": "1h", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "flux-system", "namespace": "other"}});
        let found = found(kustomization(spec)).unwrap();
        assert_eq!(found.id.to_string(), "Kustomization/parent/a");
        assert!(matches!(found.what, What::Kustomization(_)));
    }

    #[test]
    fn what_cannot_be_rendered_says_why() {
        let message = |spec: Value| {
            let what = found(kustomization(spec)).unwrap().what;
            let What::Unusable(failure) = what else {
                panic!("{what:?}");
            };
            failure.message
        };
        let broken =
            json!({"prune": true, "sourceRef": {"kind": "GitRepository", "name": "flux-system"}});
        assert!(message(broken).contains("missing field `interval`"));
    }

    #[test]
    fn other_units_are_named_and_other_objects_are_not() {
        let release = found(json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "r", "namespace": "n"}, "spec": {}})).unwrap();
        assert_eq!(release.id.to_string(), "HelmRelease/n/r");
        assert!(matches!(release.what, What::Release(_)));
        let pipeline = found(json!({"apiVersion": "weir.dev/v1alpha1", "kind": "Pipeline", "metadata": {"name": "p"}})).unwrap();
        assert!(matches!(pipeline.what, What::Other));
        assert!(
            found(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "r"}}))
                .is_none()
        );
    }
}
