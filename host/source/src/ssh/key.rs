//! Private keys in the formats that people keep them in.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_128, AES_256, Algorithm, DecryptingKey, DecryptionContext, PaddedBlockDecryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaKeyPair,
};
use num_bigint::BigUint;
use weir_secrets::pem::{Pem, PemError};
use weir_verify::wire::{Fields, Writing, trimmed};
use zeroize::Zeroizing;

use super::{SshLogin, SshLoginError};

/// Rounds of deriving a key from a passphrase that are done at most: some seconds.
const MOST_ROUNDS: u32 = 2000;
const MOST_ITERATIONS: u32 = 10_000_000;

/// A curve: its name, the signing algorithm, and the bytes of a number.
type Curve = (&'static str, &'static EcdsaSigningAlgorithm, usize);

const CURVES: [Curve; 3] = [
    ("nistp256", &ECDSA_P256_SHA256_FIXED_SIGNING, 32),
    ("nistp384", &ECDSA_P384_SHA384_FIXED_SIGNING, 48),
    ("nistp521", &ECDSA_P521_SHA512_FIXED_SIGNING, 66),
];

/// A private key that can sign.
pub(super) enum ClientKey {
    Ed25519(Ed25519KeyPair),
    Ecdsa(Curve, EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

pub(super) fn read(login: &SshLogin) -> Result<ClientKey, SshLoginError> {
    let passphrase = login.passphrase.as_ref().map(|text| text.expose());
    let passphrase = passphrase.filter(|text| !text.is_empty());
    let pem = Pem::find(login.identity.expose(), |_| true)?;
    match pem.label {
        "OPENSSH PRIVATE KEY" => read_openssh(&pem.content, passphrase),
        "ENCRYPTED PRIVATE KEY" => {
            let passphrase = passphrase.ok_or(SshLoginError::Encrypted)?;
            read_pkcs8(&open_pkcs8(&pem.content, passphrase)?)
        }
        "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "PRIVATE KEY" if pem.encrypted => {
            Err(SshLoginError::Key(
                "it is encrypted in an old format; write it anew with `ssh-keygen -p`".to_owned(),
            ))
        }
        "PRIVATE KEY" => read_pkcs8(&pem.content),
        "RSA PRIVATE KEY" => match RsaKeyPair::from_der(&pem.content) {
            Ok(pair) => Ok(ClientKey::Rsa(pair)),
            Err(error) => Err(damaged(&error)),
        },
        "EC PRIVATE KEY" => CURVES
            .into_iter()
            .find_map(|curve| {
                let pair = EcdsaKeyPair::from_private_key_der(curve.1, &pem.content);
                Some(ClientKey::Ecdsa(curve, pair.ok()?))
            })
            .ok_or_else(|| damaged(&"it is on no curve that is supported")),
        other => Err(SshLoginError::Key(format!(
            "{other:?} is not a kind of private key"
        ))),
    }
}

fn read_pkcs8(content: &[u8]) -> Result<ClientKey, SshLoginError> {
    if let Ok(pair) = RsaKeyPair::from_pkcs8(content) {
        return Ok(ClientKey::Rsa(pair));
    }
    if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(content) {
        return Ok(ClientKey::Ed25519(pair));
    }
    CURVES
        .into_iter()
        .find_map(|curve| {
            let pair = EcdsaKeyPair::from_pkcs8(curve.1, content);
            Some(ClientKey::Ecdsa(curve, pair.ok()?))
        })
        .ok_or_else(|| damaged(&"it is neither ed25519 nor ECDSA nor RSA"))
}

/// OpenSSH's own format.
fn read_openssh(content: &[u8], passphrase: Option<&str>) -> Result<ClientKey, SshLoginError> {
    let broken = || damaged(&"it is damaged");
    let mut fields = Fields(
        content
            .strip_prefix(b"openssh-key-v1\0")
            .ok_or_else(broken)?,
    );
    let mut next = || fields.text().ok_or_else(broken);
    let (cipher, derivation, options) = (next()?, next()?, next()?);
    if fields.number() != Some(1) {
        return Err(damaged(&"it is not one key alone"));
    }
    let (_, sealed) = (fields.text(), fields.text());
    let mut sealed = Zeroizing::new(sealed.ok_or_else(broken)?.to_vec());
    match (cipher, derivation) {
        (b"none", b"none") => {}
        (b"aes256-ctr", b"bcrypt") => {
            let passphrase = passphrase.ok_or(SshLoginError::Encrypted)?;
            let mut options = Fields(options);
            let (salt, rounds) = (options.text(), options.number());
            let (salt, rounds) = salt.zip(rounds).ok_or_else(broken)?;
            if rounds > MOST_ROUNDS {
                return Err(damaged(&"its passphrase is derived with too many rounds"));
            }
            let mut secret = Zeroizing::new([0; 48]);
            bcrypt_pbkdf::bcrypt_pbkdf(passphrase, salt, rounds, &mut *secret)
                .map_err(|error| damaged(&error))?;
            let (key, iv) = secret.split_at(32);
            let context = iv.try_into().map(DecryptionContext::Iv128);
            let context = context.map_err(|_| broken())?;
            let key = UnboundCipherKey::new(&AES_256, key).and_then(DecryptingKey::ctr);
            let key = key.map_err(|_| broken())?;
            key.decrypt(&mut sealed, context).map_err(|_| broken())?;
        }
        _ => {
            let reason = "it is encrypted in a way that is not supported; write it anew with `ssh-keygen -p`";
            return Err(SshLoginError::Key(reason.to_owned()));
        }
    }
    let mut fields = Fields(&sealed);
    // The same number twice, if the passphrase was right.
    if fields
        .number()
        .is_none_or(|check| fields.number() != Some(check))
    {
        return Err(match cipher {
            b"none" => broken(),
            _ => SshLoginError::Passphrase,
        });
    }
    private(&mut fields)
}

/// The values of a private key.
fn private(fields: &mut Fields<'_>) -> Result<ClientKey, SshLoginError> {
    let broken = || damaged(&"it is damaged");
    let kind = fields.text().ok_or_else(broken)?;
    let mut next = || fields.text().ok_or_else(broken);
    match kind {
        b"ssh-ed25519" => {
            let (public, pair) = (next()?, next()?);
            let seed = pair.get(..32).ok_or_else(broken)?;
            let pair = Ed25519KeyPair::from_seed_and_public_key(seed, public);
            Ok(ClientKey::Ed25519(pair.map_err(|error| damaged(&error))?))
        }
        b"ssh-rsa" => {
            let (n, e, d) = (next()?, next()?, next()?);
            let (inverse, p, q) = (next()?, next()?, next()?);
            let number = BigUint::from_bytes_be;
            let one = BigUint::from(1_u8);
            if number(p) <= one || number(q) <= one {
                return Err(broken());
            }
            let part = |prime: &[u8]| {
                let part = number(d) % (number(prime) - &one);
                Zeroizing::new(part.to_bytes_be())
            };
            let secret = |bytes: &[u8]| Zeroizing::new(trimmed(bytes).to_vec());
            let pair = RsaKeyPair::from_components(&KeyPairComponents {
                public_key: PublicKeyComponents {
                    n: trimmed(n),
                    e: trimmed(e),
                },
                dP: part(p),
                dQ: part(q),
                qInv: secret(inverse),
                d: secret(d),
                p: secret(p),
                q: secret(q),
            });
            Ok(ClientKey::Rsa(pair.map_err(|error| damaged(&error))?))
        }
        _ => {
            let curve = CURVES
                .into_iter()
                .find(|(name, ..)| kind.strip_prefix(b"ecdsa-sha2-") == Some(name.as_bytes()));
            let Some(curve) = curve else {
                return Err(SshLoginError::Key(format!(
                    "keys of the kind {} are not supported; use ed25519, ecdsa or rsa",
                    String::from_utf8_lossy(kind)
                )));
            };
            let (_, point, secret) = (next()?, next()?, trimmed(next()?));
            let missing = curve.2.checked_sub(secret.len()).ok_or_else(broken)?;
            let secret = Zeroizing::new([&vec![0; missing], secret].concat());
            let pair = EcdsaKeyPair::from_private_key_and_public_key(curve.1, &secret, point);
            let pair = pair.map_err(|error| damaged(&error))?;
            Ok(ClientKey::Ecdsa(curve, pair))
        }
    }
}

/// PKCS#8 behind a passphrase: PBES2 with PBKDF2 and AES, as OpenSSL and `ssh-keygen` write it.
fn open_pkcs8(content: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, SshLoginError> {
    let way = || damaged(&"it is encrypted in a way that is not supported");
    let ((algorithm, length), derivation, salt, iterations, iv, sealed) =
        envelope(content).ok_or_else(way)?;
    let iterations = NonZeroU32::new(iterations).filter(|count| count.get() <= MOST_ITERATIONS);
    let iterations = iterations.ok_or_else(way)?;
    let mut secret = Zeroizing::new(vec![0; length]);
    pbkdf2::derive(
        derivation,
        iterations,
        salt,
        passphrase.as_bytes(),
        &mut secret,
    );
    let key = UnboundCipherKey::new(algorithm, &secret);
    let key = key.and_then(PaddedBlockDecryptingKey::cbc_pkcs7);
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let opened = key.and_then(|key| {
        let opened = key.decrypt(&mut sealed, context)?;
        Ok(opened.to_vec())
    });
    let opened = opened.map_err(|_| SshLoginError::Passphrase)?;
    // Wrong padding is not noticed every time.
    if element(&opened, 0x30).is_none() {
        return Err(SshLoginError::Passphrase);
    }
    Ok(Zeroizing::new(opened))
}

/// What an encrypted PKCS#8 key says about its encryption, and the rest of it.
type Envelope<'a> = (
    (&'static Algorithm, usize),
    pbkdf2::Algorithm,
    &'a [u8],
    u32,
    &'a [u8; 16],
    &'a [u8],
);

fn envelope(content: &[u8]) -> Option<Envelope<'_>> {
    const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
    const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
    const HMAC_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09];
    const AES_128_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x02];
    const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];
    let (all, _) = element(content, 0x30)?;
    let (scheme, rest) = element(all, 0x30)?;
    let (sealed, _) = element(rest, 0x04)?;
    let (id, parameters) = element(scheme, 0x06)?;
    if id != PBES2 {
        return None;
    }
    let (parameters, _) = element(parameters, 0x30)?;
    let (derivation, encryption) = element(parameters, 0x30)?;
    let (id, derivation) = element(derivation, 0x06)?;
    if id != PBKDF2 {
        return None;
    }
    let (derivation, _) = element(derivation, 0x30)?;
    let (salt, rest) = element(derivation, 0x04)?;
    let (count, mut rest) = element(rest, 0x02)?;
    let count = count.iter().try_fold(0_u32, |sum, byte| {
        sum.checked_mul(256)?.checked_add(u32::from(*byte))
    })?;
    // The length of the key may be said, too.
    if let Some((_, after)) = element(rest, 0x02) {
        rest = after;
    }
    let hash = match element(rest, 0x30) {
        None => pbkdf2::PBKDF2_HMAC_SHA1,
        Some((function, _)) if element(function, 0x06)?.0 == HMAC_SHA256 => {
            pbkdf2::PBKDF2_HMAC_SHA256
        }
        Some(_) => return None,
    };
    let (encryption, _) = element(encryption, 0x30)?;
    let (id, iv) = element(encryption, 0x06)?;
    let algorithm = match id {
        _ if id == AES_256_CBC => (&AES_256, 32),
        _ if id == AES_128_CBC => (&AES_128, 16),
        _ => return None,
    };
    let (iv, _) = element(iv, 0x04)?;
    Some((algorithm, hash, salt, count, iv.try_into().ok()?, sealed))
}

impl ClientKey {
    /// As it goes over the wire.
    pub(super) fn public(&self) -> Vec<u8> {
        match self {
            Self::Ed25519(pair) => {
                let point = pair.public_key().as_ref();
                Writing::default().text(b"ssh-ed25519").text(point).0
            }
            Self::Ecdsa((name, ..), pair) => {
                Writing::default()
                    .text(format!("ecdsa-sha2-{name}").as_bytes())
                    .text(name.as_bytes())
                    .text(pair.public_key().as_ref())
                    .0
            }
            Self::Rsa(pair) => {
                let (n, e) = public_numbers(pair.public_key().as_ref()).unwrap_or_default();
                Writing::default().text(b"ssh-rsa").integer(e).integer(n).0
            }
        }
    }

    /// The name of its signatures; of several, the first that the server takes.
    pub(super) fn signature(&self, takes: Option<&[String]>) -> &'static str {
        match self {
            Self::Ed25519(_) => "ssh-ed25519",
            Self::Ecdsa(("nistp256", ..), _) => "ecdsa-sha2-nistp256",
            Self::Ecdsa(("nistp384", ..), _) => "ecdsa-sha2-nistp384",
            Self::Ecdsa(..) => "ecdsa-sha2-nistp521",
            Self::Rsa(_) => {
                let taken =
                    |name: &str| takes.is_none_or(|takes| takes.iter().any(|taken| taken == name));
                if taken("rsa-sha2-512") || !taken("rsa-sha2-256") {
                    "rsa-sha2-512"
                } else {
                    "rsa-sha2-256"
                }
            }
        }
    }

    pub(super) fn sign(&self, name: &str, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
            Self::Ecdsa(_, pair) => {
                let signature = pair.sign(&random, message).ok()?;
                let numbers = signature.as_ref();
                let (r, s) = numbers.split_at(numbers.len() / 2);
                Some(Writing::default().integer(r).integer(s).0)
            }
            Self::Rsa(pair) => {
                let padding = match name {
                    "rsa-sha2-256" => &RSA_PKCS1_SHA256,
                    _ => &RSA_PKCS1_SHA512,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
        }
    }
}

/// Modulus and exponent of a PKCS#1 public key in DER: a sequence of two numbers.
fn public_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (inner, _) = element(der, 0x30)?;
    let (n, rest) = element(inner, 0x02)?;
    let (e, _) = element(rest, 0x02)?;
    Some((n, e))
}

/// The content of the first element of DER, which has to be of this kind, and what comes after it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&short, rest) = rest.split_first()?;
    let (length, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            let length = bytes
                .iter()
                .fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length))?
}

impl From<PemError> for SshLoginError {
    fn from(error: PemError) -> Self {
        Self::Key(error.to_string())
    }
}

fn damaged(error: &dyn std::fmt::Display) -> SshLoginError {
    SshLoginError::Key(format!("it cannot be read: {error}"))
}

#[cfg(test)]
mod tests;
