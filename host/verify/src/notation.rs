//! Signatures of artifacts by notation: a chain of certificates that leads to a trusted authority, and a policy that says
//! what else has to hold.
//!
//! flux: as in source-controller all certificates of the Secret are one trust store, whatever name a policy gives it. Unlike
//! there, nobody is asked whether a certificate was revoked: one that says where to ask counts as unknown.

mod envelope;
mod policy;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use const_oid::ObjectIdentifier;
use serde::Deserialize;

use crate::certificate::{Certificate, CertificateError, Usage};
use crate::stamp::{self, Clocks, StampError};

use envelope::{Envelope, Scheme};
use policy::{Action, Check};
pub use policy::{Policy, PolicyError, Statement};

/// As many signatures are looked at, as source-controller does.
const MAX_ATTEMPTS: usize = 3;
/// What is signed.
const PAYLOAD: &str = "application/vnd.cncf.notary.payload.v1+json";
/// Where to ask whether a certificate was revoked.
const REVOCATION: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("2.5.29.31"),
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.1"),
];

/// What a signature is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Verified,
    /// It is whole, but nobody who is trusted made it, and the policy lets that pass.
    Ignored,
}

/// Why no signature counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotationError {
    #[error("no signature is associated with the artifact")]
    None,
    #[error("{0}")]
    NoneFits(String),
    #[error("the signature is of the unknown type {0:?}")]
    Type(String),
    #[error("the signature is damaged: {0}")]
    Damaged(&'static str),
    #[error("the signature does not fit its certificate")]
    Signature,
    #[error("the signature needs {0:?}, which is not known")]
    Critical(String),
    #[error("the signature is of another artifact, {0}")]
    Other(String),
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("none of the certificates of the signature is trusted")]
    Untrusted,
    #[error("{subject} matches no trusted identity of the policy {policy:?}")]
    Identity { subject: String, policy: String },
    #[error("the signature has expired")]
    Expired,
    #[error("the certificate of {0} was not valid when it was used")]
    Invalid(String),
    #[error(transparent)]
    Stamp(#[from] StampError),
    #[error("the policy wants a time stamp, and the signature has none")]
    NoStamp,
    #[error("whether the certificate of {0} was revoked is not known: nobody is asked")]
    Revocation(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    target_artifact: Target,
}

#[derive(Deserialize)]
struct Target {
    digest: String,
}

/// What the signatures of an artifact are worth: pairs of media type and content. The first that passes counts.
pub fn verify<'a>(
    digest: &str,
    signatures: impl Iterator<Item = (&'a str, &'a [u8])>,
    statement: &Statement,
    trusted: &[Certificate],
    now: SystemTime,
) -> Result<Outcome, NotationError> {
    let mut reasons = Vec::new();
    for (media_type, content) in signatures.take(MAX_ATTEMPTS) {
        match check(digest, media_type, content, statement, trusted, now) {
            Ok(outcome) => return Ok(outcome),
            Err(error) => reasons.push(error.to_string()),
        }
    }
    if reasons.is_empty() {
        return Err(NotationError::None);
    }
    reasons.dedup();
    Err(NotationError::NoneFits(reasons.join("; ")))
}

fn check(
    digest: &str,
    media_type: &str,
    content: &[u8],
    statement: &Statement,
    trusted: &[Certificate],
    now: SystemTime,
) -> Result<Outcome, NotationError> {
    // Whoever made it: it has to be whole.
    let envelope = Envelope::read(media_type, content)?;
    envelope.check()?;
    connected(&envelope)?;
    if envelope.content_type != PAYLOAD {
        return Err(NotationError::Damaged("what is signed is not notation's"));
    }
    let mut outcome = Outcome::Verified;
    let authentic = authentic(&envelope, statement, trusted);
    if let Err(error) = authentic {
        statement.judge(Check::Authenticity, error)?;
        outcome = Outcome::Ignored;
    }
    if envelope.expiry.is_some_and(|expiry| now >= expiry) {
        statement.judge(Check::Expiry, NotationError::Expired)?;
    }
    if let Err(error) = timely(&envelope, statement, trusted, now) {
        statement.judge(Check::AuthenticTimestamp, error)?;
    }
    if statement.action(Check::Revocation) != Action::Skip
        && let Some(one) = envelope.chain.iter().find(|one| asks(one))
    {
        statement.judge(Check::Revocation, NotationError::Revocation(one.subject()))?;
    }
    let payload: Payload = serde_json::from_slice(&envelope.payload)
        .map_err(|_| NotationError::Damaged("what is signed is no JSON"))?;
    let signed = payload.target_artifact.digest;
    if signed != digest {
        return Err(NotationError::Other(signed));
    }
    Ok(outcome)
}

/// Whether the certificates lead from who made it to the last of them. Times are looked at for themselves.
fn connected(envelope: &Envelope) -> Result<(), NotationError> {
    let own = envelope.leaf();
    let last = envelope.chain.last().filter(|one| one.is_self_signed());
    let last = last.ok_or(NotationError::Damaged(
        "its last certificate has not signed itself",
    ))?;
    let anchors = std::slice::from_ref(last);
    let time = own.validity().0;
    Ok(own.check(anchors, &envelope.chain, time, Usage::CodeSigning)?)
}

/// Whether somebody who is trusted made it.
fn authentic(
    envelope: &Envelope,
    statement: &Statement,
    trusted: &[Certificate],
) -> Result<(), NotationError> {
    if !envelope.chain.iter().any(|one| trusted.contains(one)) {
        return Err(NotationError::Untrusted);
    }
    let own = envelope.leaf();
    if !statement.names(&own.names()) {
        return Err(NotationError::Identity {
            subject: own.subject(),
            policy: statement.name().to_owned(),
        });
    }
    Ok(())
}

/// Whether all certificates were good when they were used.
fn timely(
    envelope: &Envelope,
    statement: &Statement,
    trusted: &[Certificate],
    now: SystemTime,
) -> Result<(), NotationError> {
    let expired = envelope.chain.iter().any(|one| now > one.validity().1);
    let time = match envelope.scheme {
        // An authority vouches for the time.
        Scheme::Authority => envelope
            .time
            .ok_or(NotationError::Damaged("it says no time"))?,
        Scheme::Certificates if statement.wants_stamp(expired) => {
            let stamp = envelope.stamp.as_ref().ok_or(NotationError::NoStamp)?;
            let clocks = |_| {
                vec![Clocks {
                    anchors: trusted,
                    between: &[],
                }]
            };
            stamp::check(stamp, &envelope.signature, clocks)?
        }
        Scheme::Certificates => now,
    };
    match envelope.chain.iter().find(|one| !one.good_at(time)) {
        Some(one) => Err(NotationError::Invalid(one.subject())),
        None => Ok(()),
    }
}

/// Whether a certificate says where to ask if it was revoked.
fn asks(certificate: &Certificate) -> bool {
    REVOCATION
        .iter()
        .any(|id| certificate.extension(*id).is_some())
}

/// Seconds since 1970.
fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}
