//! The config of a step.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use weir_chart::{Overrides, Profile, ValuesReference};
use weir_helm::{OutputOptions, RenderOptions};

/// The JSON Schema of [`Config`].
pub(crate) const SCHEMA: &str = include_str!("config.schema.json");

/// Which chart is rendered, and how.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(default)]
    pub(crate) chart: ChartPlace,
    pub(crate) release: Release,
    #[serde(default)]
    pub(crate) folder: String,
    #[serde(default)]
    pub(crate) values_files: Vec<ValuesFile>,
    #[serde(default)]
    set_json: Vec<String>,
    #[serde(default)]
    set: Vec<String>,
    #[serde(default)]
    set_string: Vec<String>,
    #[serde(default)]
    set_file: Vec<String>,
    #[serde(default)]
    set_literal: Vec<String>,
    #[serde(default)]
    values_from: Vec<ValuesFrom>,
    #[serde(default)]
    pub(crate) values: Map<String, Value>,
    #[serde(default)]
    pub(crate) profile: ProfileName,
    kube_version: Option<String>,
    #[serde(default)]
    api_versions: Vec<String>,
    #[serde(default)]
    pub(crate) cluster: bool,
    #[serde(default)]
    pub(crate) lookup: bool,
    #[serde(default)]
    include_crds: bool,
    #[serde(default)]
    pub(crate) hooks: bool,
    #[serde(default = "yes")]
    pub(crate) tests: bool,
    #[serde(default)]
    pub(crate) yaml: YamlRules,
    #[serde(default)]
    skip_schema_validation: bool,
    pub(crate) output: Option<Output>,
    #[serde(default = "yes")]
    pub(crate) objects: bool,
    #[serde(default)]
    pub(crate) attach: bool,
    #[serde(default)]
    pub(crate) files: bool,
    #[serde(default)]
    strict: bool,
    #[serde(default)]
    lint: bool,
}

/// Where the chart is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChartPlace {
    pub(crate) tree: Option<String>,
    pub(crate) path: String,
    pub(crate) packaged: bool,
}

/// What the render is for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Release {
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) name_template: String,
    #[serde(default = "default_namespace")]
    pub(crate) namespace: String,
    #[serde(default = "first")]
    revision: i64,
    #[serde(default)]
    upgrade: bool,
}

/// A values file.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum ValuesFile {
    /// Its path in the main tree.
    Path(String),
    /// Its content.
    Content { name: String, text: String },
}

/// By whose rules objects are read from texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum YamlRules {
    #[default]
    Helm,
    Kustomize,
}

/// An input that holds values.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ValuesFrom {
    kind: String,
    name: String,
    values_key: Option<String>,
    #[serde(default)]
    target_path: String,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    literal: bool,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) enum ProfileName {
    #[default]
    #[serde(rename = "helm4")]
    Helm4,
    #[serde(rename = "helm3")]
    Helm3,
    #[serde(rename = "helm3.19")]
    Helm3_19,
}

/// What `helm template` prints.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Output {
    #[serde(default = "yes")]
    hooks: bool,
    #[serde(default = "yes")]
    tests: bool,
    #[serde(default)]
    show_only: Vec<String>,
}

impl Config {
    pub(crate) fn profile(&self) -> Profile {
        self.profile.into()
    }

    /// Everything but the files, which are still to be read.
    pub(crate) fn overrides(&self, files: Vec<(String, String)>) -> Overrides {
        Overrides {
            files,
            json: self.set_json.clone(),
            set: self.set.clone(),
            string: self.set_string.clone(),
            file: self.set_file.clone(),
            literal: self.set_literal.clone(),
        }
    }

    pub(crate) fn references(&self) -> Vec<ValuesReference> {
        let each = self.values_from.iter().map(|from| ValuesReference {
            kind: from.kind.clone(),
            name: from.name.clone(),
            key: from
                .values_key
                .clone()
                .filter(|key| !key.is_empty())
                .unwrap_or_else(|| ValuesReference::DEFAULT_KEY.to_owned()),
            target_path: from.target_path.clone(),
            optional: from.optional,
            literal: from.literal,
        });
        each.collect()
    }

    /// What the engine is told; the cluster's version and APIs are asked for by whoever calls this.
    pub(crate) fn options(&self) -> RenderOptions {
        RenderOptions {
            name: self.release.name.clone(),
            namespace: self.release.namespace.clone(),
            revision: self.release.revision,
            upgrade: self.release.upgrade,
            kube_version: self.kube_version.clone(),
            api_versions: self.api_versions.clone(),
            include_crds: self.include_crds,
            skip_schema_validation: self.skip_schema_validation,
            strict: self.strict,
            lint: self.lint,
            ..RenderOptions::default()
        }
    }
}

impl From<ProfileName> for Profile {
    fn from(name: ProfileName) -> Self {
        match name {
            ProfileName::Helm4 => Self::Helm4,
            ProfileName::Helm3 => Self::Helm3,
            ProfileName::Helm3_19 => Self::Helm3_19,
        }
    }
}

impl Output {
    pub(crate) fn options(&self) -> OutputOptions {
        OutputOptions {
            no_hooks: !self.hooks,
            skip_tests: !self.tests,
            show_only: self.show_only.clone(),
            hide_secrets: false,
        }
    }
}

fn yes() -> bool {
    true
}

fn first() -> i64 {
    1
}

fn default_namespace() -> String {
    "default".to_owned()
}
