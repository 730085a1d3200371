//! Public keys as X.509 has them, and signatures by them.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, UnparsedPublicKey, VerificationAlgorithm,
};
use const_oid::ObjectIdentifier;
use der::{Decode as _, Encode as _, Reader as _};
use sha2::{Digest as _, Sha256};
use spki::SubjectPublicKeyInfoOwned;

use crate::pem;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const EDWARDS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// A key that signatures are checked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    kind: Kind,
    /// The key's own bytes.
    bits: Vec<u8>,
    /// With its kind, as certificates have it.
    info: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
}

/// What a message is reduced to before it is signed. Ed25519 has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// Why a text or certificate gives no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("it is no public key in PEM: there is no block PUBLIC KEY")]
    NoPem,
    #[error("the public key is damaged")]
    Damaged,
    #[error("public keys of the kind {0} are not known; there are RSA, NIST's curves and Ed25519")]
    Kind(String),
}

impl PublicKey {
    /// The first `PUBLIC KEY` or `RSA PUBLIC KEY` of a text.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        for (label, content) in pem::blocks(text) {
            match label {
                "PUBLIC KEY" => return Self::from_info(&content),
                "RSA PUBLIC KEY" => return Self::from_rsa(content),
                _ => {}
            }
        }
        Err(KeyError::NoPem)
    }

    /// From a `SubjectPublicKeyInfo`.
    pub fn from_info(info: &[u8]) -> Result<Self, KeyError> {
        let parsed = SubjectPublicKeyInfoOwned::from_der(info).map_err(|_| KeyError::Damaged)?;
        let named = || {
            let parameters = parsed.algorithm.parameters.as_ref()?;
            parameters.decode_as::<ObjectIdentifier>().ok()
        };
        let kind = match parsed.algorithm.oid {
            RSA => Kind::Rsa,
            EDWARDS => Kind::Ed25519,
            EC => match named() {
                Some(P256) => Kind::P256,
                Some(P384) => Kind::P384,
                Some(P521) => Kind::P521,
                Some(other) => return Err(KeyError::Kind(other.to_string())),
                None => return Err(KeyError::Damaged),
            },
            other => return Err(KeyError::Kind(other.to_string())),
        };
        let bits = parsed.subject_public_key.as_bytes();
        Ok(Self {
            kind,
            bits: bits.ok_or(KeyError::Damaged)?.to_vec(),
            info: info.to_vec(),
        })
    }

    fn from_rsa(bits: Vec<u8>) -> Result<Self, KeyError> {
        let key = der::asn1::BitString::from_bytes(&bits).map_err(|_| KeyError::Damaged)?;
        let info = SubjectPublicKeyInfoOwned {
            algorithm: spki::AlgorithmIdentifier {
                oid: RSA,
                parameters: Some(der::Any::null()),
            },
            subject_public_key: key,
        };
        Ok(Self {
            kind: Kind::Rsa,
            bits,
            info: info.to_der().map_err(|_| KeyError::Damaged)?,
        })
    }

    /// What logs call it: the SHA-256 of it with its kind.
    pub fn id(&self) -> [u8; 32] {
        Sha256::digest(&self.info).into()
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// How long the number of an RSA key is.
    pub(crate) fn rsa_bits(&self) -> Option<usize> {
        let key = der::AnyRef::from_der(&self.bits).ok()?;
        let mut parts = der::SliceReader::new(key.value()).ok()?;
        let number: der::asn1::UintRef<'_> = parts.decode().ok()?;
        let bytes = number.as_bytes();
        let first = *bytes.first()?;
        Some(bytes.len() * 8 - first.leading_zeros() as usize)
    }

    /// Whether the signature (ECDSA in DER, RSA by PKCS#1) is by this key over the message.
    pub fn fits(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let algorithm: &'static dyn VerificationAlgorithm = match (self.kind, hash) {
            (Kind::Ed25519, _) => &ED25519,
            (Kind::Rsa, Hash::Sha256) => &RSA_PKCS1_2048_8192_SHA256,
            (Kind::Rsa, Hash::Sha384) => &RSA_PKCS1_2048_8192_SHA384,
            (Kind::Rsa, Hash::Sha512) => &RSA_PKCS1_2048_8192_SHA512,
            (Kind::P256, Hash::Sha256) => &ECDSA_P256_SHA256_ASN1,
            (Kind::P256, Hash::Sha384) => &ECDSA_P256_SHA384_ASN1,
            (Kind::P256, Hash::Sha512) => &ECDSA_P256_SHA512_ASN1,
            (Kind::P384, Hash::Sha256) => &ECDSA_P384_SHA256_ASN1,
            (Kind::P384, Hash::Sha384) => &ECDSA_P384_SHA384_ASN1,
            (Kind::P384, Hash::Sha512) => &ECDSA_P384_SHA512_ASN1,
            (Kind::P521, Hash::Sha256) => &ECDSA_P521_SHA256_ASN1,
            (Kind::P521, Hash::Sha384) => &ECDSA_P521_SHA384_ASN1,
            (Kind::P521, Hash::Sha512) => &ECDSA_P521_SHA512_ASN1,
        };
        self.by(algorithm, message, signature)
    }

    /// Whether the RSA signature is by this key over the message, by the scheme PSS.
    pub fn fits_pss(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        let algorithm = match hash {
            Hash::Sha256 => &RSA_PSS_2048_8192_SHA256,
            Hash::Sha384 => &RSA_PSS_2048_8192_SHA384,
            Hash::Sha512 => &RSA_PSS_2048_8192_SHA512,
        };
        self.kind == Kind::Rsa && self.by(algorithm, message, signature)
    }

    pub(crate) fn by(
        &self,
        algorithm: &'static dyn VerificationAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        UnparsedPublicKey::new(algorithm, &self.bits)
            .verify(message, signature)
            .is_ok()
    }
}
