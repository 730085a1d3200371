//! What a signature is made of, in either of its two forms.

mod cbor;
mod cose;
mod jws;

use std::time::SystemTime;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED,
};

use super::NotationError;
use crate::certificate::Certificate;
use crate::key::{Hash, Kind, PublicKey};

/// The most certificates of a signature.
const MAX_CHAIN: usize = 16;

/// A signature with all that came with it.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) content_type: String,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
    /// Each issued by the next. There is at least one.
    pub(super) chain: Vec<Certificate>,
    pub(super) scheme: Scheme,
    /// When it was made, if an authority says so.
    pub(super) time: Option<SystemTime>,
    pub(super) expiry: Option<SystemTime>,
    /// A clock's word of when it was made.
    pub(super) stamp: Option<Vec<u8>>,
    /// What the signature is over.
    said: Vec<u8>,
    algorithm: Algorithm,
}

/// Who says when a signature was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Certificates,
    Authority,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    /// RSA by the scheme PSS.
    Pss(Hash),
    /// ECDSA; two numbers of the same length.
    Curve(Hash),
}

impl Scheme {
    fn named(name: &str) -> Option<Self> {
        match name {
            "notary.x509" => Some(Self::Certificates),
            "notary.x509.signingAuthority" => Some(Self::Authority),
            _ => None,
        }
    }
}

impl Envelope {
    pub(super) fn read(media_type: &str, content: &[u8]) -> Result<Self, NotationError> {
        match media_type {
            "application/jose+json" => jws::read(content),
            "application/cose" => cose::read(content),
            other => Err(NotationError::Type(other.to_owned())),
        }
    }

    /// The certificate of who made it.
    pub(super) fn leaf(&self) -> &Certificate {
        &self.chain[0]
    }

    /// Whether the signature fits its certificate.
    pub(super) fn check(&self) -> Result<(), NotationError> {
        let key = self.leaf().key();
        let fits = key_algorithm(key) == Some(self.algorithm) && self.fits(key);
        fits.then_some(()).ok_or(NotationError::Signature)
    }

    fn fits(&self, key: &PublicKey) -> bool {
        let (said, signature) = (&self.said, &self.signature);
        match (self.algorithm, key.kind()) {
            (Algorithm::Pss(hash), Kind::Rsa) => key.fits_pss(hash, said, signature),
            (Algorithm::Curve(Hash::Sha256), Kind::P256) => {
                key.by(&ECDSA_P256_SHA256_FIXED, said, signature)
            }
            (Algorithm::Curve(Hash::Sha384), Kind::P384) => {
                key.by(&ECDSA_P384_SHA384_FIXED, said, signature)
            }
            (Algorithm::Curve(Hash::Sha512), Kind::P521) => {
                key.by(&ECDSA_P521_SHA512_FIXED, said, signature)
            }
            _ => false,
        }
    }
}

/// What a key has to be used with, by its size.
fn key_algorithm(key: &PublicKey) -> Option<Algorithm> {
    match key.kind() {
        Kind::P256 => Some(Algorithm::Curve(Hash::Sha256)),
        Kind::P384 => Some(Algorithm::Curve(Hash::Sha384)),
        Kind::P521 => Some(Algorithm::Curve(Hash::Sha512)),
        Kind::Rsa => match key.rsa_bits()? {
            2048 => Some(Algorithm::Pss(Hash::Sha256)),
            3072 => Some(Algorithm::Pss(Hash::Sha384)),
            4096 => Some(Algorithm::Pss(Hash::Sha512)),
            _ => None,
        },
        Kind::Ed25519 => None,
    }
}

/// The certificates in order.
fn chain(contents: Vec<Vec<u8>>) -> Result<Vec<Certificate>, NotationError> {
    if contents.is_empty() || contents.len() > MAX_CHAIN {
        return Err(NotationError::Damaged(
            "it has no certificates, or too many",
        ));
    }
    let read = contents.iter().map(|one| Certificate::from_der(one));
    Ok(read.collect::<Result<_, _>>()?)
}

/// What a reader may not pass over, if it is one of these, is known here.
fn critical(name: &str) -> Result<(), NotationError> {
    let known = [
        "io.cncf.notary.signingScheme",
        "io.cncf.notary.expiry",
        "io.cncf.notary.authenticSigningTime",
    ];
    if known.contains(&name) {
        return Ok(());
    }
    Err(NotationError::Critical(name.to_owned()))
}
