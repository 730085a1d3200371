//! Signatures by keys in SSH's form, whatever they are over.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

use crate::wire::{Fields, trimmed};

/// Whether the signature, in the way that `name` says, is by the key over the message.
pub fn fits(key: &[u8], name: &[u8], signature: &[u8], message: &[u8]) -> bool {
    check(key, name, signature, message).unwrap_or(false)
}

fn check(key: &[u8], name: &[u8], signature: &[u8], message: &[u8]) -> Option<bool> {
    let mut key = Fields(key);
    let kind = key.text()?;
    if kind == b"ssh-rsa" {
        let (e, n) = (trimmed(key.text()?), trimmed(key.text()?));
        let parameters = match name {
            b"rsa-sha2-256" => &RSA_PKCS1_2048_8192_SHA256,
            b"rsa-sha2-512" => &RSA_PKCS1_2048_8192_SHA512,
            _ => return None,
        };
        let key = RsaPublicKeyComponents { n, e };
        return Some(key.verify(parameters, message, signature).is_ok());
    }
    if kind != name {
        return None;
    }
    let (algorithm, bytes): (&'static dyn VerificationAlgorithm, usize) = match kind {
        b"ssh-ed25519" => return Some(by_point(&ED25519, key.text()?, message, signature)),
        b"ecdsa-sha2-nistp256" => (&ECDSA_P256_SHA256_FIXED, 32),
        b"ecdsa-sha2-nistp384" => (&ECDSA_P384_SHA384_FIXED, 48),
        b"ecdsa-sha2-nistp521" => (&ECDSA_P521_SHA512_FIXED, 66),
        _ => return None,
    };
    let (_, point) = (key.text()?, key.text()?);
    let numbers = numbers(signature, bytes)?;
    Some(by_point(algorithm, point, message, &numbers))
}

pub(crate) fn by_point(
    algorithm: &'static dyn VerificationAlgorithm,
    point: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    UnparsedPublicKey::new(algorithm, point)
        .verify(message, signature)
        .is_ok()
}

/// The two numbers of an ECDSA signature, each of the same length.
pub(crate) fn numbers(signature: &[u8], bytes: usize) -> Option<Vec<u8>> {
    let mut fields = Fields(signature);
    let mut both = Vec::with_capacity(2 * bytes);
    for _ in 0..2 {
        let number = trimmed(fields.text()?);
        both.resize(both.len() + bytes.checked_sub(number.len())?, 0);
        both.extend_from_slice(number);
    }
    Some(both)
}
