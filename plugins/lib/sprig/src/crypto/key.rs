//! Private keys: making, reading, writing them, and signing with them.

use p256::ecdsa::signature::hazmat::PrehashSigner;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey, EncodeRsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::dsa::DsaKey;
use super::random::Generator;
use super::{der, pem};

/// Bits of a key that a certificate gets.
const CERTIFICATE_BITS: usize = 2048;
/// Bits of a key that `genPrivateKey` makes.
const PRIVATE_KEY_BITS: usize = 4096;
/// Bytes of a PEM text that is read: far above the largest key that can be used.
const MAX_PEM: usize = 64 << 10;

const OID_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const OID_SHA256_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
const OID_EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const OID_ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// Why there is no key, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("no PEM data in input")]
    NoPem,
    #[error("no private key data in PEM block of type {0}")]
    NoKey(String),
    #[error("invalid private key type {0}")]
    Type(String),
    #[error("decoding PEM as PKCS#8: {0}")]
    Pkcs8(&'static str),
    #[error("parsing {kind} private key from PEM: {what}")]
    Malformed {
        kind: &'static str,
        what: &'static str,
    },
    #[error("{0}")]
    Generate(&'static str),
}

/// A curve of an elliptic key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    fn oid(self) -> &'static [u8] {
        match self {
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384 => &[0x2b, 0x81, 0x04, 0x00, 0x22],
            Self::P521 => &[0x2b, 0x81, 0x04, 0x00, 0x23],
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// `ecdsa-with-SHA…`
    fn signature_oid(self) -> &'static [u8] {
        match self {
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
            Self::P384 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03],
            Self::P521 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04],
        }
    }

    /// The public point of a secret, uncompressed; none if the secret is out of range.
    fn point(self, secret: &[u8]) -> Option<Vec<u8>> {
        macro_rules! point {
            ($curve:ident) => {{
                let key = $curve::ecdsa::SigningKey::from_slice(secret).ok()?;
                Some(key.verifying_key().to_sec1_point(false).as_bytes().to_vec())
            }};
        }
        match self {
            Self::P256 => point!(p256),
            Self::P384 => point!(p384),
            Self::P521 => point!(p521),
        }
    }

    /// Two numbers of the size of the curve.
    fn sign(self, secret: &[u8], message: &[u8]) -> Option<Vec<u8>> {
        macro_rules! sign {
            ($curve:ident, $digest:ident) => {{
                let key = $curve::ecdsa::SigningKey::from_slice(secret).ok()?;
                let signature: $curve::ecdsa::Signature =
                    key.sign_prehash(&$digest::digest(message)).ok()?;
                Some(signature.to_bytes().to_vec())
            }};
        }
        match self {
            Self::P256 => sign!(p256, Sha256),
            Self::P384 => sign!(p384, Sha384),
            Self::P521 => sign!(p521, Sha512),
        }
    }
}

/// A private key.
pub(crate) enum PrivateKey {
    Rsa(Box<rsa::PrivateKey>),
    Ec {
        curve: Curve,
        secret: Vec<u8>,
        point: Vec<u8>,
    },
    Ed25519(Box<ed25519_dalek::SigningKey>),
    Dsa(DsaKey),
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivateKey").finish_non_exhaustive()
    }
}

impl PrivateKey {
    /// The key of a new certificate.
    pub(crate) fn for_certificate(generator: &mut Generator) -> Result<Self, KeyError> {
        Self::rsa(generator, CERTIFICATE_BITS)
    }

    /// The key that `genPrivateKey` makes; `None` for a kind that it does not know.
    pub(crate) fn generate(
        kind: &[u8],
        generator: &mut Generator,
    ) -> Option<Result<Self, KeyError>> {
        Some(match kind {
            b"" | b"rsa" => Self::rsa(generator, PRIVATE_KEY_BITS),
            b"dsa" => DsaKey::generate(generator)
                .map(Self::Dsa)
                .ok_or(KeyError::Generate("crypto/dsa: no prime found")),
            b"ecdsa" => Self::ec(generator),
            b"ed25519" => {
                let key = ed25519_dalek::SigningKey::from_bytes(&generator.fill());
                Ok(Self::Ed25519(Box::new(key)))
            }
            _ => return None,
        })
    }

    fn rsa(generator: &mut Generator, bits: usize) -> Result<Self, KeyError> {
        let key = rsa::PrivateKey::new(generator.rng(), bits);
        let key = key.map_err(|_| KeyError::Generate("crypto/rsa: key generation failed"))?;
        Ok(Self::Rsa(Box::new(key)))
    }

    fn ec(generator: &mut Generator) -> Result<Self, KeyError> {
        // One secret in four billion is out of range.
        for _ in 0..4 {
            let secret = generator.fill::<32>().to_vec();
            if let Some(point) = Curve::P256.point(&secret) {
                return Ok(Self::Ec {
                    curve: Curve::P256,
                    secret,
                    point,
                });
            }
        }
        Err(KeyError::Generate("crypto/ecdsa: key generation failed"))
    }

    pub(crate) fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let text = &text[..text.len().min(MAX_PEM)];
        let block = pem::decode(text).ok_or(KeyError::NoPem)?;
        if block.kind == "PRIVATE KEY" {
            let malformed = KeyError::Pkcs8("asn1: structure error: malformed key");
            return read_pkcs8(&block.bytes).ok_or(malformed);
        }
        let Some(kind) = block.kind.strip_suffix(" PRIVATE KEY") else {
            return Err(KeyError::NoKey(block.kind));
        };
        let malformed = |kind| KeyError::Malformed {
            kind,
            what: "asn1: structure error: malformed key",
        };
        match kind {
            "RSA" => read_rsa(&block.bytes).ok_or(malformed("RSA")),
            "EC" => read_ec(&block.bytes, None).ok_or(malformed("EC")),
            "DSA" => DsaKey::from_der(&block.bytes)
                .map(Self::Dsa)
                .ok_or(malformed("DSA")),
            other => Err(KeyError::Type(other.to_owned())),
        }
    }

    /// `None` only for an RSA key with more than two primes, which nothing here makes.
    pub(crate) fn to_pem(&self) -> Option<String> {
        Some(match self {
            Self::Rsa(key) => pem::encode("RSA PRIVATE KEY", key.to_pkcs1_der().ok()?.as_bytes()),
            Self::Ec {
                curve,
                secret,
                point,
            } => {
                let der = der::sequence(&[
                    &der::integer(&[1]),
                    &der::element(der::OCTET_STRING, secret),
                    &der::element(0xa0, &der::element(der::OID, curve.oid())),
                    &der::element(0xa1, &der::bits(point)),
                ]);
                pem::encode("EC PRIVATE KEY", &der)
            }
            Self::Ed25519(key) => {
                let secret = der::element(der::OCTET_STRING, key.as_bytes());
                let der = der::sequence(&[
                    &der::integer(&[]),
                    &der::sequence(&[&der::element(der::OID, OID_ED25519)]),
                    &der::element(der::OCTET_STRING, &secret),
                ]);
                pem::encode("PRIVATE KEY", &der)
            }
            Self::Dsa(key) => pem::encode("DSA PRIVATE KEY", &key.to_der()),
        })
    }

    /// The public key as certificates hold it; `None` for DSA, which they do not.
    pub(crate) fn public(&self) -> Option<PublicKey> {
        let (algorithm, bits) = match self {
            Self::Rsa(key) => {
                let algorithm = der::sequence(&[&der::element(der::OID, OID_RSA), &[der::NULL, 0]]);
                (
                    algorithm,
                    key.to_public_key().to_pkcs1_der().ok()?.as_bytes().to_vec(),
                )
            }
            Self::Ec { curve, point, .. } => {
                let oids = [
                    der::element(der::OID, OID_EC),
                    der::element(der::OID, curve.oid()),
                ];
                (der::sequence(&[&oids[0], &oids[1]]), point.clone())
            }
            Self::Ed25519(key) => {
                let algorithm = der::sequence(&[&der::element(der::OID, OID_ED25519)]);
                (algorithm, key.verifying_key().to_bytes().to_vec())
            }
            Self::Dsa(_) => return None,
        };
        let info = der::sequence(&[&algorithm, &der::bits(&bits)]);
        Some(PublicKey { info, bits })
    }

    /// The algorithm of signatures by this key.
    pub(crate) fn signature_algorithm(&self) -> Option<Vec<u8>> {
        Some(match self {
            Self::Rsa(_) => {
                der::sequence(&[&der::element(der::OID, OID_SHA256_RSA), &[der::NULL, 0]])
            }
            Self::Ec { curve, .. } => {
                der::sequence(&[&der::element(der::OID, curve.signature_oid())])
            }
            Self::Ed25519(_) => der::sequence(&[&der::element(der::OID, OID_ED25519)]),
            Self::Dsa(_) => return None,
        })
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Rsa(key) => {
                let padding = rsa::Pkcs1v15Sign::new::<Sha256>();
                key.sign(padding, &Sha256::digest(message)).ok()
            }
            Self::Ec { curve, secret, .. } => {
                let numbers = curve.sign(secret, message)?;
                let (r, s) = numbers.split_at(numbers.len() / 2);
                Some(der::sequence(&[&der::integer(r), &der::integer(s)]))
            }
            Self::Ed25519(key) => {
                use ed25519_dalek::Signer;
                Some(key.sign(message).to_bytes().to_vec())
            }
            Self::Dsa(_) => None,
        }
    }
}

/// A public key.
#[derive(Debug, Clone)]
pub(crate) struct PublicKey {
    /// With its algorithm.
    pub(crate) info: Vec<u8>,
    /// Without.
    pub(crate) bits: Vec<u8>,
}

fn read_rsa(bytes: &[u8]) -> Option<PrivateKey> {
    let key = rsa::PrivateKey::from_pkcs1_der(bytes).ok()?;
    key.validate().ok()?;
    Some(PrivateKey::Rsa(Box::new(key)))
}

/// Reads a key on an elliptic curve; around it the curve may already be said.
fn read_ec(bytes: &[u8], known: Option<&[u8]>) -> Option<PrivateKey> {
    let mut outer = der::Reader::new(bytes);
    let mut reader = der::Reader::new(outer.expect(der::SEQUENCE)?.content);
    if reader.integer()? != [1] {
        return None;
    }
    let secret = reader.expect(der::OCTET_STRING)?.content;
    let named = reader.expect(0xa0).and_then(|parameters| {
        der::Reader::new(parameters.content)
            .expect(der::OID)
            .map(|oid| oid.content)
    });
    let oid = known.or(named)?;
    let curve = Curve::ALL.into_iter().find(|curve| curve.oid() == oid)?;
    // Shorter and longer forms of the number occur.
    let digits = &secret[secret.iter().take_while(|byte| **byte == 0).count()..];
    let missing = curve.bytes().checked_sub(digits.len())?;
    let secret = [&vec![0; missing], digits].concat();
    let point = curve.point(&secret)?;
    Some(PrivateKey::Ec {
        curve,
        secret,
        point,
    })
}

fn read_pkcs8(bytes: &[u8]) -> Option<PrivateKey> {
    let mut outer = der::Reader::new(bytes);
    let mut reader = der::Reader::new(outer.expect(der::SEQUENCE)?.content);
    reader.integer()?;
    let mut algorithm = der::Reader::new(reader.expect(der::SEQUENCE)?.content);
    let kind = algorithm.expect(der::OID)?.content;
    let key = reader.expect(der::OCTET_STRING)?.content;
    if kind == OID_RSA {
        read_rsa(key)
    } else if kind == OID_EC {
        read_ec(key, algorithm.expect(der::OID).map(|oid| oid.content))
    } else if kind == OID_ED25519 {
        let seed = der::Reader::new(key).expect(der::OCTET_STRING)?.content;
        let key = ed25519_dalek::SigningKey::from_bytes(seed.try_into().ok()?);
        Some(PrivateKey::Ed25519(Box::new(key)))
    } else {
        None
    }
}
