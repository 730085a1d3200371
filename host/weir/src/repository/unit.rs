//! Units as the walk finds them among rendered objects.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;
use weir_api::Object;
use weir_api::kustomize::Kustomization;
use weir_plugin::{Diagnostic, Place};
use weir_render::UnitId;

/// Names the source that is the repository. Its namespace does not matter: a repository is one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceName {
    pub(crate) kind: String,
    pub(crate) name: String,
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
    /// A Kustomization that cannot be rendered here.
    Unusable(Failure),
    Other,
}

/// The unit that an object is, if it is one. What states no namespace is in that of its parent.
pub(crate) fn find(object: &Object, namespace: &str, source: &SourceName) -> Option<Found> {
    let gvk = object.gvk();
    let kustomization = match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => true,
        ("helm.toolkit.fluxcd.io", "HelmRelease")
        | ("fluxcd.controlplane.io", "ResourceSet")
        | ("weir.dev", "Pipeline") => false,
        _ => return None,
    };
    let namespace = if object.namespace().is_empty() {
        namespace
    } else {
        object.namespace()
    };
    Some(Found {
        id: UnitId::new(gvk.kind, namespace, object.name()),
        what: if kustomization {
            read(object, namespace, source)
        } else {
            What::Other
        },
    })
}

fn read(object: &Object, namespace: &str, source: &SourceName) -> What {
    let reference = |field: &str| {
        let value = object.get(&format!("/spec/sourceRef/{field}"));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let its = SourceName {
        kind: reference("kind"),
        name: reference("name"),
    };
    if its != *source {
        return What::Unusable(Failure::new(format!(
            "its source {its} is not this repository, which stands for {source}"
        )));
    }
    let mut object = object.clone();
    object
        .metadata_mut()
        .insert("namespace".to_owned(), namespace.into());
    match serde_json::from_value(object.into_value()) {
        Ok(kustomization) => What::Kustomization(Box::new(kustomization)),
        Err(error) => What::Unusable(Failure::new(format!(
            "the object is not a valid Kustomization: {error}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(value: Value) -> Option<Found> {
        let source = "GitRepository/flux-system".parse().unwrap();
        find(&Object::new(value).unwrap(), "parent", &source)
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
        let other = json!({"interval": "1h", "prune": true, "sourceRef": {"kind": "OCIRepository", "name": "x"}});
        assert!(message(other).contains("its source OCIRepository/x is not this repository"));
        let broken =
            json!({"prune": true, "sourceRef": {"kind": "GitRepository", "name": "flux-system"}});
        assert!(message(broken).contains("missing field `interval`"));
    }

    #[test]
    fn other_units_are_named_and_other_objects_are_not() {
        let release = found(json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": {"name": "r", "namespace": "n"}})).unwrap();
        assert_eq!(release.id.to_string(), "HelmRelease/n/r");
        assert!(matches!(release.what, What::Other));
        assert!(
            found(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "r"}}))
                .is_none()
        );
    }
}
