//! Manifests of artifacts.

use std::collections::BTreeMap;

use serde::Deserialize;
use weir_tree::Digest;

/// The most layers of one artifact.
const MAX_LAYERS: usize = 1000;

/// What an artifact is made of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// What describes it.
    pub config: Option<Descriptor>,
    /// Its content.
    #[serde(default)]
    pub layers: Vec<Descriptor>,
    /// What its author says about it.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Of the manifest itself: `sha256:…`
    #[serde(skip)]
    pub digest: String,
}

/// Names one blob.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob is.
    #[serde(default)]
    pub media_type: String,
    /// `sha256:…`
    pub digest: String,
    /// In bytes.
    #[serde(default)]
    pub size: u64,
    /// What its author says about it.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest. A list of manifests is refused: an artifact that weir reads is not made for machines of a kind.
    pub(super) fn parse(body: &[u8]) -> Result<Self, String> {
        let value: serde_json::Value =
            serde_json::from_slice(body).map_err(|error| error.to_string())?;
        if value.get("manifests").is_some() {
            return Err(
                "it is an index of several manifests; name one of them by its digest".to_owned(),
            );
        }
        let mut manifest: Self =
            serde_json::from_value(value).map_err(|error| error.to_string())?;
        manifest.digest = Digest::of(body).to_string();
        if manifest.layers.len() > MAX_LAYERS {
            return Err(format!("it has more than {MAX_LAYERS} layers"));
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_has_layers() {
        let text =
            r#"{"schemaVersion":2,"layers":[{"mediaType":"a","digest":"sha256:1","size":3}]}"#;
        let manifest = Manifest::parse(text.as_bytes()).unwrap();
        assert_eq!(manifest.layers[0].media_type, "a");
        assert_eq!(manifest.digest, Digest::of(text.as_bytes()).to_string());
        assert!(Manifest::parse(br#"{"manifests":[]}"#).is_err());
        assert!(Manifest::parse(b"[").is_err());
    }
}
