//! Signatures of an artifact: what refers to it, and the tags that stand in where a registry cannot tell what does.

use bytes::Bytes;
use reqwest::StatusCode;
use serde::Deserialize;
use weir_verify::cosign::{BUNDLE, Signatures, Simple};

use super::{Manifest, OciError, Registry, body};

/// The most signatures of one artifact that are looked at.
const MAX_SIGNATURES: usize = 100;
/// The most bytes of a signature.
const MAX_SIGNATURE: u64 = 4 << 20;
/// The most bytes of a list of what refers to an artifact.
const MAX_INDEX: u64 = 4 << 20;
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// What a signature is in a layer of its own.
const SIMPLE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// What refers to an artifact as a signature by notation.
const NOTATION: &str = "application/vnd.cncf.notary.signature";

/// A signature by notation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotationSignature {
    /// Of the content.
    pub media_type: String,
    pub content: Bytes,
}

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<Referrer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Referrer {
    digest: String,
    #[serde(default)]
    artifact_type: String,
}

impl Registry {
    /// The signatures by cosign: bundles that refer to the artifact, else those of the tag beside it.
    pub async fn cosign_signatures(&self, digest: &str) -> Result<Signatures, OciError> {
        let mut found = Signatures::default();
        for referrer in self.referrers(digest).await? {
            let manifest = self.signature_manifest(&referrer.digest).await?;
            // Others refer to the artifact as well.
            let Some(Manifest { layers, .. }) = manifest else {
                continue;
            };
            if let [layer] = layers.as_slice()
                && layer.media_type.starts_with(BUNDLE)
            {
                let content = self.blob(layer, MAX_SIGNATURE).await?;
                found.bundles.push(content.to_vec());
            }
        }
        if found.bundles.is_empty() {
            found.simple = self.simple_signatures(digest).await?;
        }
        Ok(found)
    }

    async fn simple_signatures(&self, digest: &str) -> Result<Vec<Simple>, OciError> {
        let tag = format!("{}.sig", stand_in(digest));
        let Some(manifest) = self.signature_manifest(&tag).await? else {
            return Ok(Vec::new());
        };
        let layers = manifest.layers.into_iter();
        let mut found = Vec::new();
        for layer in layers
            .filter(|layer| layer.media_type == SIMPLE)
            .take(MAX_SIGNATURES)
        {
            let payload = self.blob(&layer, MAX_SIGNATURE).await?;
            found.push(Simple {
                payload: payload.to_vec(),
                annotations: layer.annotations,
            });
        }
        Ok(found)
    }

    /// The signatures by notation, in the registry's order.
    pub async fn notation_signatures(
        &self,
        digest: &str,
    ) -> Result<Vec<NotationSignature>, OciError> {
        let mut found = Vec::new();
        for referrer in self.referrers(digest).await? {
            if referrer.artifact_type != NOTATION {
                continue;
            }
            let manifest = self.signature_manifest(&referrer.digest).await?;
            let layer = manifest.as_ref().and_then(|one| one.layers.first());
            if let Some(layer) = layer {
                found.push(NotationSignature {
                    media_type: layer.media_type.clone(),
                    content: self.blob(layer, MAX_SIGNATURE).await?,
                });
            }
        }
        Ok(found)
    }

    async fn signature_manifest(&self, reference: &str) -> Result<Option<Manifest>, OciError> {
        match self.manifest(reference).await {
            Ok(manifest) => Ok(Some(manifest)),
            // An index refers to the artifact, or something that is no manifest: nothing that is asked for.
            Err(OciError::Malformed { .. }) => Ok(None),
            Err(error) => absent(error),
        }
    }

    async fn referrers(&self, digest: &str) -> Result<Vec<Referrer>, OciError> {
        let what = format!("the list of what refers to {digest}");
        let places = [
            format!("{}/referrers/{digest}", self.base),
            // A registry that keeps no such list leaves it to those who push.
            format!("{}/manifests/{}", self.base, stand_in(digest)),
        ];
        for url in places {
            let response = match self.get(&url, INDEX, &what).await {
                Ok(response) => response,
                Err(error) => {
                    absent::<()>(error)?;
                    continue;
                }
            };
            let body = body(response, MAX_INDEX, &what).await?;
            let index: Index =
                serde_json::from_slice(&body).map_err(|error| OciError::Malformed {
                    what: what.clone(),
                    reason: error.to_string(),
                })?;
            if index.manifests.len() > MAX_SIGNATURES {
                return Err(OciError::Malformed {
                    what,
                    reason: format!("it has more than {MAX_SIGNATURES} entries"),
                });
            }
            return Ok(index.manifests);
        }
        Ok(Vec::new())
    }
}

/// The tag that stands in for a list: `sha256-…`.
fn stand_in(digest: &str) -> String {
    digest.replacen(':', "-", 1)
}

/// Nothing, if the registry does not have it or does not know how to be asked.
fn absent<T>(error: OciError) -> Result<Option<T>, OciError> {
    let unknown = [
        StatusCode::BAD_REQUEST,
        StatusCode::NOT_FOUND,
        StatusCode::METHOD_NOT_ALLOWED,
        StatusCode::NOT_ACCEPTABLE,
        StatusCode::NOT_IMPLEMENTED,
    ];
    if let OciError::Status { status, .. } = &error
        && unknown.iter().any(|one| one.as_u16() == *status)
    {
        return Ok(None);
    }
    Err(error)
}
