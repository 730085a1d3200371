//! The config of a step.

use serde::Deserialize;
use serde_json::Value;
use weir_kustomize::{FluxFields, LoadRestrictor, Options, Profile};

/// The JSON Schema of [`Config`].
pub(crate) const SCHEMA: &str = include_str!("config.schema.json");

/// Which folder is built, and how.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Config {
    /// The folder in the step's tree.
    pub(crate) path: String,
    profile: ProfileName,
    /// Under the profile `flux`: whether the kustomization file is made where there is none, read leniently and changed
    /// by `flux`.
    prepare: bool,
    flux: FluxConfig,
    /// As a transformer: what happens to Helm's hooks.
    pub(crate) hooks: Hooks,
    load_restrictions: bool,
    enable_helm: bool,
    /// Whether plugin fields may name registered plugins; under the profile `flux` the step's grants alone decide.
    enable_plugins: bool,
    managed_by_label: bool,
    remote_bases: bool,
    /// Whether the objects become the step's documents; who wants the text alone does not pay for them.
    pub(crate) objects: bool,
    /// Whether the text that kustomize prints is attached.
    pub(crate) stream: bool,
}

/// Whether hooks are edited with the other objects, apart from them, or not at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Hooks {
    #[default]
    Combined,
    Separate,
    NoHooks,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ProfileName {
    #[default]
    Cli,
    Flux,
}

/// The fields of a Flux Kustomization, without `target` in their names.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct FluxConfig {
    namespace: String,
    name_prefix: String,
    name_suffix: String,
    patches: Vec<Value>,
    patches_strategic_merge: Vec<Value>,
    patches_json6902: Vec<Value>,
    images: Vec<Value>,
    components: Vec<String>,
    ignore_missing_components: bool,
    build_metadata: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: String::new(),
            profile: ProfileName::Cli,
            prepare: true,
            flux: FluxConfig::default(),
            hooks: Hooks::default(),
            load_restrictions: true,
            enable_helm: false,
            enable_plugins: false,
            managed_by_label: false,
            remote_bases: true,
            objects: true,
            stream: false,
        }
    }
}

impl Config {
    /// What a post-renderer changes.
    pub(crate) fn patches(&self) -> &[Value] {
        &self.flux.patches
    }

    pub(crate) fn images(&self) -> &[Value] {
        &self.flux.images
    }

    /// The settings for the engine.
    pub(crate) fn options(&self) -> Options {
        let profile = match self.profile {
            ProfileName::Cli => Profile::Cli,
            ProfileName::Flux => Profile::Flux,
        };
        Options {
            profile,
            restrictor: if self.load_restrictions {
                LoadRestrictor::RootOnly
            } else {
                LoadRestrictor::None
            },
            helm: self.enable_helm,
            plugins: self.enable_plugins || profile == Profile::Flux,
            managed_by_label: self.managed_by_label,
            remote: self.remote_bases,
            flux: (profile == Profile::Flux && self.prepare).then(|| self.flux.fields()),
        }
    }
}

impl FluxConfig {
    fn fields(&self) -> FluxFields {
        let own = self.clone();
        FluxFields {
            target_namespace: own.namespace,
            name_prefix: own.name_prefix,
            name_suffix: own.name_suffix,
            patches: own.patches,
            patches_strategic_merge: own.patches_strategic_merge,
            patches_json6902: own.patches_json6902,
            images: own.images,
            components: own.components,
            ignore_missing_components: own.ignore_missing_components,
            build_metadata: own.build_metadata,
            ..FluxFields::default()
        }
    }
}
