//! The config of a step, the same for filter and transformer.

use serde::Deserialize;
use weir_sops::{MacCheck, Options, WithoutKey};

/// The JSON Schema of [`Config`].
pub(crate) const SCHEMA: &str = include_str!("config.schema.json");

/// How strictly is decrypted.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct Config {
    without_key: WithoutKeyName,
    mac: MacName,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WithoutKeyName {
    #[default]
    Fail,
    Placeholders,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MacName {
    #[default]
    Ignore,
    Require,
}

impl Config {
    pub(crate) fn options(&self) -> Options {
        Options {
            mac: match self.mac {
                MacName::Ignore => MacCheck::Ignore,
                MacName::Require => MacCheck::Require,
            },
            without_key: match self.without_key {
                WithoutKeyName::Fail => WithoutKey::Fail,
                WithoutKeyName::Placeholders => WithoutKey::Placeholders,
            },
        }
    }
}
