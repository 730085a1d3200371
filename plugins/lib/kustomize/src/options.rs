//! How a build is done.

use serde_json::Value;

/// The settings of a build.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whose defaults hold.
    pub profile: Profile,
    /// Which files a kustomization may read. Flux always restricts to the root of the source.
    pub restrictor: LoadRestrictor,
    /// Whether `helmCharts` may be used. Flux has no way to allow it.
    pub helm: bool,
    /// Whether plugins beside the built-in ones may be used.
    pub plugins: bool,
    /// Whether every object gets the label `app.kubernetes.io/managed-by`.
    pub managed_by_label: bool,
    /// Whether URLs may be used.
    pub remote: bool,
    /// The fields of the Flux Kustomization that is built, if one is: then the kustomization file is read leniently, made where
    /// there is none, and changed by these, as kustomize-controller does before it builds.
    pub flux: Option<FluxFields>,
}

/// Whose defaults hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// The command line's.
    #[default]
    Cli,
    /// The kustomize-controller's.
    Flux,
}

/// Which files a kustomization may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LoadRestrictor {
    /// Only those in its own folder and below.
    #[default]
    RootOnly,
    /// Any file of the tree.
    None,
}

/// The fields of a Flux Kustomization's `spec` that change its kustomization file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FluxFields {
    /// `spec.targetNamespace`
    pub target_namespace: String,
    /// `spec.namePrefix`
    pub name_prefix: String,
    /// `spec.nameSuffix`
    pub name_suffix: String,
    /// `spec.patches`: a list of `{patch, target}`.
    pub patches: Vec<Value>,
    /// `spec.patchesStrategicMerge`, which old objects still carry: a list of patches.
    pub patches_strategic_merge: Vec<Value>,
    /// `spec.patchesJson6902`, which old objects still carry: a list of `{patch, target}`.
    pub patches_json6902: Vec<Value>,
    /// `spec.images`: a list of `{name, newName, newTag, digest}`.
    pub images: Vec<Value>,
    /// `spec.components`
    pub components: Vec<String>,
    /// `spec.ignoreMissingComponents`
    pub ignore_missing_components: bool,
    /// `spec.buildMetadata`
    pub build_metadata: Vec<String>,
    /// `spec.commonMetadata.labels`, set on every object of the result.
    pub common_labels: Vec<(String, String)>,
    /// `spec.commonMetadata.annotations`, set on every object of the result.
    pub common_annotations: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: Profile::Cli,
            restrictor: LoadRestrictor::RootOnly,
            helm: false,
            plugins: false,
            managed_by_label: false,
            remote: true,
            flux: None,
        }
    }
}

impl Options {
    /// The settings of kustomize-controller for a Flux Kustomization.
    #[must_use]
    pub fn flux(fields: FluxFields) -> Self {
        Self {
            flux: Some(fields),
            ..Self::flux_library()
        }
    }

    /// The settings with which kustomize-controller calls kustomize's library, without what it does before and after.
    #[must_use]
    pub fn flux_library() -> Self {
        Self {
            profile: Profile::Flux,
            restrictor: LoadRestrictor::None,
            plugins: true,
            ..Self::default()
        }
    }
}
