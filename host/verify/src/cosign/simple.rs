//! Signatures as cosign stored them before bundles: layers of the tag `sha256-….sig`, with the rest in annotations.

use std::collections::BTreeMap;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::json::{Base64, KeyId, Long};
use super::log::{Entry, Promise, Written};
use super::root::TrustedRoot;
use super::{CosignError, Identity, Trust, promise};
use crate::certificate::{Certificate, Usage};
use crate::key::Hash;
use crate::pem;

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const BUNDLE: &str = "dev.sigstore.cosign/bundle";

/// One signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simple {
    /// What is signed: the content of the layer.
    pub payload: Vec<u8>,
    /// Of the layer.
    pub annotations: BTreeMap<String, String>,
}

/// What is signed, as far as it matters: which artifact.
#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// The log's entry.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Noted {
    signed_entry_timestamp: Base64,
    payload: NotedPayload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NotedPayload {
    body: Base64,
    integrated_time: Long,
    log_index: Long,
    #[serde(rename = "logID")]
    log_id: String,
}

impl Simple {
    /// Gives who signed the artifact of this digest.
    pub(super) fn check(&self, digest: &str, trust: &Trust) -> Result<String, CosignError> {
        let signature = self.annotation(SIGNATURE)?;
        let signature = STANDARD
            .decode(signature.trim())
            .map_err(|_| CosignError::Malformed("the signature is no base64"))?;
        let who = match trust {
            Trust::Key(key) => {
                if !key.fits(Hash::Sha256, &self.payload, &signature) {
                    return Err(CosignError::Signature);
                }
                "the key".to_owned()
            }
            Trust::Root { root, identities } => self.keyless(root, identities, &signature)?,
        };
        let payload: Payload = serde_json::from_slice(&self.payload)
            .map_err(|_| CosignError::Malformed("what is signed is not cosign's JSON"))?;
        let signed = payload.critical.image.digest;
        if signed != digest {
            return Err(CosignError::Other { signed });
        }
        Ok(who)
    }

    fn annotation(&self, name: &'static str) -> Result<&str, CosignError> {
        let found = self.annotations.get(name);
        found
            .map(String::as_str)
            .filter(|text| !text.is_empty())
            .ok_or(CosignError::Annotation(name))
    }

    fn keyless(
        &self,
        root: &TrustedRoot,
        identities: &[Identity],
        signature: &[u8],
    ) -> Result<String, CosignError> {
        let text = self.annotation(CERTIFICATE)?;
        let own = pem::certificates(text).into_iter().next();
        let own = own.ok_or(CosignError::Malformed("the certificate is no PEM"))?;
        let own = Certificate::from_der(&own)?;
        let chain = self.annotations.get(CHAIN).map_or("", String::as_str);
        let mut between = Vec::new();
        for one in pem::certificates(chain).iter().take(super::MAX_CHAIN) {
            between.push(Certificate::from_der(one)?);
        }
        let time = self.written(root, signature, &own)?;
        let authority = root
            .authorities
            .iter()
            .filter(|authority| authority.valid.holds(time));
        let mut reason = CosignError::NoAuthority;
        let mut issuers = None;
        for authority in authority {
            let mut known = between.clone();
            known.extend(authority.between.iter().cloned());
            match own.check(&authority.anchors, &known, time, Usage::CodeSigning) {
                Ok(()) => {
                    known.extend(authority.anchors.iter().cloned());
                    issuers = Some(known);
                    break;
                }
                Err(error) => reason = error.into(),
            }
        }
        let issuers = issuers.ok_or(reason)?;
        if !promise::is_logged(&own, &issuers, root) {
            return Err(CosignError::NotLogged);
        }
        if !own.key().fits(Hash::Sha256, &self.payload, signature) {
            return Err(CosignError::Signature);
        }
        Identity::any(identities, &own)
    }

    /// When the signature was written into a trusted log.
    fn written(
        &self,
        root: &TrustedRoot,
        signature: &[u8],
        own: &Certificate,
    ) -> Result<SystemTime, CosignError> {
        let noted: Noted = serde_json::from_str(self.annotation(BUNDLE)?).map_err(|_| {
            CosignError::Malformed("the annotation with the log's entry is no JSON")
        })?;
        let log = hex::decode(&noted.payload.log_id)
            .map_err(|_| CosignError::Malformed("the name of the log is not hexadecimal"))?;
        let entry = Entry {
            log_index: noted.payload.log_index,
            log_id: KeyId {
                key_id: Base64(log),
            },
            integrated_time: noted.payload.integrated_time,
            inclusion_promise: Some(Promise {
                signed_entry_timestamp: noted.signed_entry_timestamp,
            }),
            inclusion_proof: None,
            canonicalized_body: noted.payload.body,
        };
        let written = Written {
            signature,
            signer: &own.der,
            contents: &[&self.payload],
        };
        entry
            .check(root, &written)?
            .and_then(|seen| seen.time)
            .ok_or(CosignError::NotWritten)
    }
}
