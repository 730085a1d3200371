//! Signatures of artifacts by cosign: with a key, or keyless by a certificate that an instance of sigstore issued for a
//! moment. Both forms of storage are known, bundles and the older layers with annotations.
//!
//! flux: one good signature is enough. Unlike there, what is signed always has to name the artifact by its digest.

mod bundle;
mod json;
mod log;
mod promise;
mod root;
mod simple;

use regex::Regex;

use crate::certificate::{Certificate, CertificateError};
use crate::key::PublicKey;
use crate::stamp::StampError;

pub use bundle::BUNDLE;
pub use root::TrustedRoot;
pub use simple::Simple;

/// The most certificates that come with a signature.
const MAX_CHAIN: usize = 16;

/// The signatures that an artifact has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatures {
    /// Their content. Where there is one, older signatures do not count.
    pub bundles: Vec<Vec<u8>>,
    pub simple: Vec<Simple>,
}

/// Whose signature counts.
#[derive(Clone, Debug)]
pub enum Trust {
    Key(PublicKey),
    /// Who has a certificate of this instance. Without identities everybody.
    Root {
        root: TrustedRoot,
        identities: Vec<Identity>,
    },
}

/// Somebody, as OpenID knows them.
#[derive(Clone, Debug)]
pub struct Identity {
    /// What the issuer's address has to match.
    pub issuer: Regex,
    /// What the name has to match.
    pub subject: Regex,
}

/// Why no signature counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CosignError {
    #[error("no signatures found")]
    None,
    #[error("no matching signatures: {0}")]
    NoneFits(String),
    #[error("unable to parse trusted root: {0}")]
    Root(String),
    #[error("{0}")]
    Malformed(&'static str),
    #[error("the bundle cannot be read: {0}")]
    Bundle(String),
    #[error("the signature has no annotation {0}")]
    Annotation(&'static str),
    #[error("the signature does not fit")]
    Signature,
    #[error("the signature is of another artifact, {signed}")]
    Other { signed: String },
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    #[error("no authority of the trusted root was valid when the signature was made")]
    NoAuthority,
    #[error("no certificate log of the trusted root knows the certificate")]
    NotLogged,
    #[error("no transparency log of the trusted root knows the signature")]
    NotWritten,
    #[error("the transparency log: {0}")]
    Log(&'static str),
    #[error("no log or clock of the trusted root says when the signature was made")]
    NoTime,
    #[error(transparent)]
    Stamp(#[from] StampError),
    #[error("a keyless signature in a bundle needs somebody to be by; name issuer and subject")]
    NoIdentities,
    #[error("the signature is by {subject:?} of the issuer {issuer:?}, whom no identity matches")]
    Identity { subject: String, issuer: String },
}

impl Identity {
    /// Gives whose certificate it is, if one of the identities matches.
    fn any(identities: &[Self], certificate: &Certificate) -> Result<String, CosignError> {
        let subject = certificate.identity().unwrap_or_default();
        let issuer = certificate.issuer().unwrap_or_default();
        let fits = |one: &Self| one.issuer.is_match(&issuer) && one.subject.is_match(&subject);
        if identities.is_empty() || identities.iter().any(fits) {
            return Ok(subject);
        }
        Err(CosignError::Identity { subject, issuer })
    }
}

/// Gives who signed the artifact whose manifest has this digest: the first whose signature counts.
pub fn verify(digest: &str, found: &Signatures, trust: &Trust) -> Result<String, CosignError> {
    let mut reasons = Vec::new();
    for content in &found.bundles {
        match bundle::check(content, digest, trust) {
            Ok(who) => return Ok(who),
            Err(error) => reasons.push(error.to_string()),
        }
    }
    if found.bundles.is_empty() {
        for signature in &found.simple {
            match signature.check(digest, trust) {
                Ok(who) => return Ok(who),
                Err(error) => reasons.push(error.to_string()),
            }
        }
    }
    if reasons.is_empty() {
        return Err(CosignError::None);
    }
    reasons.dedup();
    Err(CosignError::NoneFits(reasons.join("; ")))
}
