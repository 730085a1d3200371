//! The config of a step.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The JSON Schema of [`Config`].
pub(crate) const SCHEMA: &str = include_str!("config.schema.json");

/// Where variables come from, and what happens to unset ones.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) from: Vec<From>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) strict: bool,
    pub(crate) always: bool,
}

/// A ConfigMap or Secret whose keys are variables.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct From {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) optional: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Kind {
    ConfigMap,
    Secret,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            from: Vec::new(),
            variables: BTreeMap::new(),
            strict: true,
            always: false,
        }
    }
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }

    /// As the API server names it in its errors.
    pub(crate) fn resource(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::Secret => "secrets",
        }
    }
}
