//! Entries of transparency logs: that a signature was written down, and when.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::CosignError;
use super::json::{Base64, KeyId, Long};
use super::root::{Log, TrustedRoot};
use crate::key::Hash;
use crate::pem;

/// The most entries of one signature.
pub(super) const MAX_ENTRIES: usize = 32;
/// The most steps from an entry to the root of its log's tree.
const MAX_STEPS: usize = 64;

/// An entry as bundles have it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    #[serde(default, deserialize_with = "super::json::or_default")]
    pub(super) log_index: Long,
    pub(super) log_id: KeyId,
    /// Seconds since 1970; 0 in logs that tell no time.
    #[serde(default, deserialize_with = "super::json::or_default")]
    pub(super) integrated_time: Long,
    #[serde(default)]
    pub(super) inclusion_promise: Option<Promise>,
    #[serde(default)]
    pub(super) inclusion_proof: Option<Proof>,
    pub(super) canonicalized_body: Base64,
}

/// The log's word that the entry will be in its tree.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Promise {
    pub(super) signed_entry_timestamp: Base64,
}

/// The way from the entry to the root of the log's tree.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Proof {
    #[serde(default, deserialize_with = "super::json::or_default")]
    log_index: Long,
    root_hash: Base64,
    #[serde(default, deserialize_with = "super::json::or_default")]
    tree_size: Long,
    #[serde(default, deserialize_with = "super::json::or_default")]
    hashes: Vec<Base64>,
    checkpoint: Checkpoint,
}

#[derive(Clone, Debug, Deserialize)]
struct Checkpoint {
    envelope: String,
}

/// What an entry has to be about.
pub(super) struct Written<'a> {
    pub(super) signature: &'a [u8],
    /// In DER: the certificate, or the key.
    pub(super) signer: &'a [u8],
    /// What the entry's digest may be the SHA-256 of.
    pub(super) contents: &'a [&'a [u8]],
}

impl Entry {
    /// When it was written down. Entries of logs that nobody trusts are `None`.
    pub(super) fn check(
        &self,
        root: &TrustedRoot,
        written: &Written<'_>,
    ) -> Result<Option<Seen>, CosignError> {
        let Some(log) = root.logs.iter().find(|log| log.id == self.log_id.key_id.0) else {
            return Ok(None);
        };
        let body: Value = serde_json::from_slice(&self.canonicalized_body.0)
            .map_err(|_| CosignError::Log("an entry is no JSON"))?;
        let body = Body::of(&body).ok_or(CosignError::Log("an entry is of an unknown kind"))?;
        let time = UNIX_EPOCH + Duration::from_secs(self.integrated_time.0);
        let promised = match &self.inclusion_promise {
            Some(promise) => {
                if body.second || !self.promised(log, promise, time) {
                    return Ok(None);
                }
                true
            }
            None => false,
        };
        if let Some(proof) = &self.inclusion_proof {
            proof.check(log, &self.canonicalized_body.0)?;
        }
        body.is_about(written)?;
        let time = (self.integrated_time.0 > 0).then_some(time);
        Ok(Some(Seen { time, promised }))
    }

    fn promised(&self, log: &Log, promise: &Promise, time: SystemTime) -> bool {
        let said = promised_text(
            &STANDARD.encode(&self.canonicalized_body.0),
            self.integrated_time.0,
            self.log_index.0,
            &hex::encode(&log.id),
        );
        let signature = &promise.signed_entry_timestamp.0;
        log.valid.holds(time) && log.key.fits(Hash::Sha256, said.as_bytes(), signature)
    }
}

/// An entry that a trusted log has.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) time: Option<SystemTime>,
    /// Whether the log has signed the time.
    pub(super) promised: bool,
}

/// What a log signs when it takes an entry: JSON in its canonical form.
pub(super) fn promised_text(body: &str, time: u64, index: u64, log: &str) -> String {
    format!(r#"{{"body":"{body}","integratedTime":{time},"logID":"{log}","logIndex":{index}}}"#)
}

impl Proof {
    fn check(&self, log: &Log, body: &[u8]) -> Result<(), CosignError> {
        if self.hashes.len() > MAX_STEPS {
            return Err(CosignError::Log("a proof has too many steps"));
        }
        let leaf = Sha256::new()
            .chain_update([0])
            .chain_update(body)
            .finalize();
        let found = climb(
            self.log_index.0,
            self.tree_size.0,
            leaf.into(),
            &self.hashes,
        );
        if found.as_ref().map(<[u8; 32]>::as_slice) != Some(self.root_hash.0.as_slice()) {
            return Err(CosignError::Log("a proof does not lead to the log's root"));
        }
        let signed = self
            .checkpoint
            .check(log)
            .ok_or(CosignError::Log("a checkpoint is not signed by the log"))?;
        if signed != (self.tree_size.0, self.root_hash.0.clone()) {
            return Err(CosignError::Log("a checkpoint is of another tree"));
        }
        Ok(())
    }
}

impl Checkpoint {
    /// The size and root that the log has signed.
    fn check(&self, log: &Log) -> Option<(u64, Vec<u8>)> {
        let (text, signatures) = self.envelope.split_once("\n\n")?;
        let text = format!("{text}\n");
        let mut lines = text.lines();
        let origin = lines.next()?;
        // Older logs add the number of their tree.
        let (name, tree) = origin
            .split_once(" - ")
            .map_or((origin, ""), |(name, tree)| (name, tree));
        if name != log.host && tree.is_empty() {
            return None;
        }
        let size = lines.next()?.parse().ok()?;
        let hash = STANDARD.decode(lines.next()?).ok()?;
        let signed = signatures.lines().take(MAX_ENTRIES).any(|line| {
            let signature = line
                .strip_prefix("\u{2014} ")
                .and_then(|line| line.split_once(' '))
                .and_then(|(_, text)| STANDARD.decode(text).ok());
            // The first four bytes only help to find the key.
            signature.is_some_and(|signature| {
                signature.len() > 4 && log.key.fits(Hash::Sha256, text.as_bytes(), &signature[4..])
            })
        });
        signed.then_some((size, hash))
    }
}

/// The root of the tree that a leaf leads to (RFC 9162, 2.1.3.2).
fn climb(index: u64, size: u64, leaf: [u8; 32], steps: &[Base64]) -> Option<[u8; 32]> {
    if index >= size {
        return None;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    let join = |left: &[u8], right: &[u8]| -> [u8; 32] {
        let hash = Sha256::new().chain_update([1]);
        hash.chain_update(left)
            .chain_update(right)
            .finalize()
            .into()
    };
    for step in steps {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = join(&step.0, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = join(&hash, &step.0);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// What an entry says: whose signature of what.
struct Body {
    /// Of the log's second generation, whose entries tell no time.
    second: bool,
    signature: Vec<u8>,
    /// In DER: a certificate or a key.
    signer: Vec<u8>,
    digest: Vec<u8>,
}

impl Body {
    fn of(value: &Value) -> Option<Self> {
        let text = |at: &str| value.pointer(at).and_then(Value::as_str);
        let bytes = |at: &str| STANDARD.decode(text(at)?).ok();
        let version = (text("/kind")?, text("/apiVersion")?);
        match version {
            ("hashedrekord", "0.0.1") => Some(Self {
                second: false,
                signature: bytes("/spec/signature/content")?,
                signer: block(&bytes("/spec/signature/publicKey/content")?)?,
                digest: hex::decode(sha256(value, "/spec/data/hash")?).ok()?,
            }),
            ("dsse", "0.0.1") => Some(Self {
                second: false,
                signature: bytes("/spec/signatures/0/signature")?,
                signer: block(&bytes("/spec/signatures/0/verifier")?)?,
                digest: hex::decode(sha256(value, "/spec/payloadHash")?).ok()?,
            }),
            ("intoto", "0.0.2") => Some(Self {
                second: false,
                // It is base64 of base64.
                signature: STANDARD
                    .decode(bytes("/spec/content/envelope/signatures/0/sig")?)
                    .ok()?,
                signer: block(&bytes("/spec/content/envelope/signatures/0/publicKey")?)?,
                digest: hex::decode(sha256(value, "/spec/content/payloadHash")?).ok()?,
            }),
            ("hashedrekord", "0.0.2") => {
                let spec = "/spec/hashedRekordV002";
                if text(&format!("{spec}/data/algorithm"))? != "SHA2_256" {
                    return None;
                }
                let verifier = format!("{spec}/signature/verifier");
                let signer = bytes(&format!("{verifier}/x509Certificate/rawBytes"));
                Some(Self {
                    second: true,
                    signature: bytes(&format!("{spec}/signature/content"))?,
                    signer: signer.or_else(|| bytes(&format!("{verifier}/publicKey/rawBytes")))?,
                    digest: bytes(&format!("{spec}/data/digest"))?,
                })
            }
            _ => None,
        }
    }

    fn is_about(&self, written: &Written<'_>) -> Result<(), CosignError> {
        if self.signature != written.signature {
            return Err(CosignError::Log("an entry is of another signature"));
        }
        if self.signer != written.signer {
            return Err(CosignError::Log("an entry is of another signer"));
        }
        let mut contents = written.contents.iter();
        if !contents.any(|content| Sha256::digest(content).as_slice() == self.digest) {
            return Err(CosignError::Log("an entry is of something else"));
        }
        Ok(())
    }
}

/// The content of a PEM text.
fn block(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    Some(pem::blocks(text).into_iter().next()?.1)
}

fn sha256<'a>(value: &'a Value, at: &str) -> Option<&'a str> {
    let hash = value.pointer(at)?;
    (hash.get("algorithm")?.as_str()? == "sha256").then_some(())?;
    hash.get("value")?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree over leaves, and the way from one of them, made in the plain way of RFC 9162, 2.1.
    fn tree(leaves: &[[u8; 32]], of: usize) -> ([u8; 32], Vec<Base64>) {
        if leaves.len() == 1 {
            return (leaves[0], Vec::new());
        }
        let half = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(half);
        let join = |left: [u8; 32], right: [u8; 32]| {
            let hash = Sha256::new().chain_update([1]);
            hash.chain_update(left)
                .chain_update(right)
                .finalize()
                .into()
        };
        if of < half {
            let (below, mut way) = tree(left, of);
            let beside = tree(right, 0).0;
            way.push(Base64(beside.to_vec()));
            (join(below, beside), way)
        } else {
            let (below, mut way) = tree(right, of - half);
            let beside = tree(left, 0).0;
            way.push(Base64(beside.to_vec()));
            (join(beside, below), way)
        }
    }

    #[test]
    fn a_proof_leads_to_the_root() {
        let leaves: Vec<[u8; 32]> = (0..20).map(|n| [n; 32]).collect();
        for size in 1..=leaves.len() {
            for of in 0..size {
                let (root, way) = tree(&leaves[..size], of);
                let (index, count) = (of as u64, size as u64);
                assert_eq!(climb(index, count, leaves[of], &way), Some(root));
                let mut longer = way.clone();
                longer.push(Base64(vec![0; 32]));
                assert_ne!(climb(index, count, leaves[of], &longer), Some(root));
                if !way.is_empty() {
                    assert_ne!(climb(index, count, leaves[of], &way[1..]), Some(root));
                    assert_ne!(climb(index, count, [99; 32], &way), Some(root));
                }
            }
        }
        assert_eq!(climb(1, 1, [0; 32], &[]), None);
    }
}
