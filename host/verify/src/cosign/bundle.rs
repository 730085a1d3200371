//! Bundles of sigstore: a signed statement about an artifact, with all that it takes to believe it.

use std::time::SystemTime;

use serde::Deserialize;

use super::json::{Base64, Chain, Raw};
use super::log::{self, Entry, Written};
use super::root::TrustedRoot;
use super::{CosignError, Identity, Trust, promise};
use crate::certificate::{Certificate, Usage};
use crate::key::{Hash, PublicKey};
use crate::stamp::{self, Clocks};

/// What media types of bundles begin with.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// The most time stamps of one signature.
const MAX_STAMPS: usize = 32;
/// The kinds of statements that name what they are about in the same way.
const STATEMENT: &str = "application/vnd.in-toto+json";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Option<Envelope>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    certificate: Option<Raw>,
    x509_certificate_chain: Option<Chain>,
    #[serde(default, deserialize_with = "super::json::or_default")]
    tlog_entries: Vec<Entry>,
    #[serde(default, deserialize_with = "super::json::or_default")]
    timestamp_verification_data: Stamps,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stamps {
    #[serde(default, deserialize_with = "super::json::or_default")]
    rfc3161_timestamps: Vec<Stamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stamp {
    signed_timestamp: Base64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: Base64,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Deserialize)]
struct EnvelopeSignature {
    sig: Base64,
}

#[derive(Deserialize)]
struct Statement {
    #[serde(default, deserialize_with = "super::json::or_default")]
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default, deserialize_with = "super::json::or_default")]
    digest: std::collections::BTreeMap<String, String>,
}

/// Gives who signed the artifact of this digest.
pub(super) fn check(content: &[u8], digest: &str, trust: &Trust) -> Result<String, CosignError> {
    let bundle: Bundle =
        serde_json::from_slice(content).map_err(|error| CosignError::Bundle(error.to_string()))?;
    if !bundle.is_new() {
        return Err(CosignError::Malformed(
            "the bundle is older than version 0.3",
        ));
    }
    let envelope = bundle
        .dsse_envelope
        .as_ref()
        .ok_or(CosignError::Malformed("the bundle has no statement"))?;
    let [signature] = envelope.signatures.as_slice() else {
        return Err(CosignError::Malformed(
            "the statement has not one signature",
        ));
    };
    let signature = &signature.sig.0;
    let said = envelope.signed();
    let who = match trust {
        Trust::Key(key) => {
            if bundle.certificate()?.is_some() {
                return Err(CosignError::Malformed(
                    "the statement is signed by a certificate instead of the key",
                ));
            }
            fits(key, &said, signature)?;
            "the key".to_owned()
        }
        Trust::Root { root, identities } => {
            let own = bundle.certificate()?.ok_or(CosignError::Malformed(
                "the statement is signed by a key instead of a certificate",
            ))?;
            bundle.believe(root, &own, envelope, signature, &said)?;
            fits(own.key(), &said, signature)?;
            if identities.is_empty() {
                return Err(CosignError::NoIdentities);
            }
            Identity::any(identities, &own)?
        }
    };
    envelope.is_about(digest)?;
    Ok(who)
}

fn fits(key: &PublicKey, said: &[u8], signature: &[u8]) -> Result<(), CosignError> {
    // Keys of other sizes are used with the digest of their size by newer tools, with SHA-256 by older ones.
    let fits = [Hash::Sha256, Hash::Sha384, Hash::Sha512]
        .into_iter()
        .any(|hash| key.fits(hash, said, signature));
    fits.then_some(()).ok_or(CosignError::Signature)
}

impl Bundle {
    /// `…bundle.v0.3+json`, or `…bundle+json;version=0.3`.
    fn is_new(&self) -> bool {
        let Some(rest) = self.media_type.strip_prefix(BUNDLE) else {
            return false;
        };
        let version = rest
            .strip_prefix(".v")
            .and_then(|rest| rest.strip_suffix("+json"))
            .or_else(|| rest.strip_prefix("+json;version="));
        let number = version.and_then(|version| version.strip_prefix("0."));
        number.and_then(|number| number.split('.').next()?.parse::<u32>().ok()) >= Some(3)
    }

    fn certificate(&self) -> Result<Option<Certificate>, CosignError> {
        let material = &self.verification_material;
        if let Some(one) = &material.certificate {
            return Ok(Some(Certificate::from_der(&one.raw_bytes.0)?));
        }
        match &material.x509_certificate_chain {
            Some(chain) => Ok(chain.read()?.into_iter().next()),
            None => Ok(None),
        }
    }

    /// Whether the certificate was good when it signed: a trusted log or clock says when that was.
    fn believe(
        &self,
        root: &TrustedRoot,
        own: &Certificate,
        envelope: &Envelope,
        signature: &[u8],
        said: &[u8],
    ) -> Result<(), CosignError> {
        let written = Written {
            signature,
            signer: &own.der,
            contents: &[&envelope.payload.0, said],
        };
        let entries = &self.verification_material.tlog_entries;
        if entries.len() > log::MAX_ENTRIES {
            return Err(CosignError::Log("there are too many entries"));
        }
        let mut seen = Vec::new();
        for entry in entries {
            if entry.inclusion_proof.is_none() {
                return Err(CosignError::Log("an entry has no proof"));
            }
            seen.extend(entry.check(root, &written)?);
        }
        if seen.is_empty() {
            return Err(CosignError::NotWritten);
        }
        let mut times: Vec<SystemTime> = seen
            .iter()
            .filter(|one| one.promised)
            .filter_map(|one| one.time)
            .collect();
        if times.is_empty() {
            times = self.stamped(root, signature)?;
        }
        for time in times {
            let issuers = issuers(root, own, time)?;
            if !promise::is_logged(own, &issuers, root) {
                return Err(CosignError::NotLogged);
            }
        }
        Ok(())
    }

    /// When trusted clocks saw the signature.
    fn stamped(
        &self,
        root: &TrustedRoot,
        signature: &[u8],
    ) -> Result<Vec<SystemTime>, CosignError> {
        let stamps = &self.verification_material.timestamp_verification_data;
        let clocks = |time| {
            let valid = root.clocks.iter().filter(|clock| clock.valid.holds(time));
            let clocks = valid.map(|clock| Clocks {
                anchors: &clock.anchors,
                between: &clock.between,
            });
            clocks.collect()
        };
        let mut reason = CosignError::NoTime;
        let mut times = Vec::new();
        for stamp in stamps.rfc3161_timestamps.iter().take(MAX_STAMPS) {
            match stamp::check(&stamp.signed_timestamp.0, signature, clocks) {
                Ok(time) => times.push(time),
                Err(error) => reason = error.into(),
            }
        }
        if times.is_empty() {
            return Err(reason);
        }
        Ok(times)
    }
}

/// The certificates that lead from a trusted authority to this one.
fn issuers(
    root: &TrustedRoot,
    own: &Certificate,
    time: SystemTime,
) -> Result<Vec<Certificate>, CosignError> {
    let mut reason = CosignError::NoAuthority;
    for authority in root.authorities.iter().filter(|one| one.valid.holds(time)) {
        match own.check(
            &authority.anchors,
            &authority.between,
            time,
            Usage::CodeSigning,
        ) {
            Ok(()) => {
                let between = authority.between.iter();
                return Ok(between.chain(&authority.anchors).cloned().collect());
            }
            Err(error) => reason = error.into(),
        }
    }
    Err(reason)
}

impl Envelope {
    /// What is signed: the payload with its type (DSSE's pre-authentication encoding).
    fn signed(&self) -> Vec<u8> {
        let kind = &self.payload_type;
        let payload = &self.payload.0;
        let mut said = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
        said.extend(payload);
        said
    }

    fn is_about(&self, digest: &str) -> Result<(), CosignError> {
        if self.payload_type != STATEMENT {
            return Err(CosignError::Malformed("the statement is not in-toto's"));
        }
        let statement: Statement = serde_json::from_slice(&self.payload.0)
            .map_err(|_| CosignError::Malformed("the statement is no JSON"))?;
        let about = |subject: &Subject| {
            let (kind, value) = digest.split_once(':')?;
            Some(subject.digest.get(kind)? == value)
        };
        if statement.subject.iter().any(|one| about(one) == Some(true)) {
            return Ok(());
        }
        let first = statement
            .subject
            .first()
            .and_then(|one| one.digest.iter().next());
        let signed = first.map_or_else(
            || "nothing".to_owned(),
            |(kind, value)| format!("{kind}:{value}"),
        );
        Err(CosignError::Other { signed })
    }
}
