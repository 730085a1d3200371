//! Kinds of Flux that weir does not reconcile: it knows that they exist, and not what is in them.

use serde_json::{Value, json};
use weir_api::Gvk;

/// A kind that Flux 2.9 serves in one version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FluxKind {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    plural: &'static str,
}

const fn kind(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
) -> FluxKind {
    FluxKind {
        group,
        version,
        kind,
        plural,
    }
}

const HELM: &str = "helm.toolkit.fluxcd.io";
const NOTIFICATION: &str = "notification.toolkit.fluxcd.io";
const IMAGE: &str = "image.toolkit.fluxcd.io";

/// All of them.
pub(crate) const FLUX_KINDS: &[FluxKind] = &[
    kind(HELM, "v2", "HelmRelease", "helmreleases"),
    kind(NOTIFICATION, "v1", "Receiver", "receivers"),
    kind(NOTIFICATION, "v1beta3", "Alert", "alerts"),
    kind(NOTIFICATION, "v1beta3", "Provider", "providers"),
    kind(IMAGE, "v1", "ImageRepository", "imagerepositories"),
    kind(IMAGE, "v1", "ImagePolicy", "imagepolicies"),
    kind(
        IMAGE,
        "v1",
        "ImageUpdateAutomation",
        "imageupdateautomations",
    ),
    kind(
        "source.extensions.fluxcd.io",
        "v1beta1",
        "ArtifactGenerator",
        "artifactgenerators",
    ),
];

impl FluxKind {
    pub(crate) fn gvk(&self) -> Gvk {
        Gvk::new(self.group, self.version, self.kind)
    }

    /// A CustomResourceDefinition that takes any content, so that such objects can stand in a local cluster.
    pub(crate) fn definition(&self) -> Value {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{}.{}", self.plural, self.group)},
            "spec": {
                "group": self.group, "scope": "Namespaced",
                "names": {
                    "kind": self.kind, "listKind": format!("{}List", self.kind),
                    "plural": self.plural, "singular": self.kind.to_lowercase(),
                },
                "versions": [{
                    "name": self.version, "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                }],
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_called_as_flux_calls_them() {
        let Some(definitions) = weir_testing::flux_crds().unwrap() else {
            return;
        };
        let ours = FLUX_KINDS
            .iter()
            .filter(|kind| [HELM, NOTIFICATION].contains(&kind.group));
        assert_eq!(ours.clone().count(), 4);
        for ours in ours {
            let ours = ours.definition();
            let name = &ours["metadata"]["name"];
            let theirs = definitions
                .iter()
                .find(|theirs| theirs["metadata"]["name"] == *name);
            let theirs = theirs.unwrap_or_else(|| panic!("Flux has no {name}"));
            assert_eq!(
                ours["spec"]["names"]["kind"],
                theirs["spec"]["names"]["kind"]
            );
            let versions = theirs["spec"]["versions"].as_array().unwrap();
            let newest = versions.iter().find(|version| version["storage"] == true);
            assert_eq!(
                ours["spec"]["versions"][0]["name"],
                newest.unwrap()["name"],
                "{name}"
            );
        }
    }
}
