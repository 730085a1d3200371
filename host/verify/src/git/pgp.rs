//! PGP: detached signatures by keys of a ring.
//!
//! A key counts if it may sign, is bound to its primary key, and neither is revoked nor expired now.

use std::time::SystemTime;

use pgp::composed::{
    Deserializable as _, DetachedSignature, PublicOrSecret, SignedPublicKey, SignedPublicSubKey,
};
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, KeyId, Tag, Timestamp};

use super::SignatureError;

/// Keys that are looked at in one ring.
const MOST_KEYS: usize = 1000;

pub(super) fn verify(
    signature: &str,
    payload: &[u8],
    rings: &[String],
    now: SystemTime,
) -> Result<String, SignatureError> {
    let mut unreadable = None;
    let mut tried = false;
    let parsed = DetachedSignature::from_string(signature).ok();
    for ring in rings {
        let keys = match read(ring) {
            Ok(keys) => keys,
            Err(reason) => {
                unreadable.get_or_insert(SignatureError::KeyRing(reason));
                continue;
            }
        };
        tried = true;
        let Some((signature, _)) = &parsed else {
            continue;
        };
        if let Some(id) = find(signature, payload, &keys, now) {
            return Ok(id);
        }
    }
    match unreadable {
        Some(error) if !tried => Err(error),
        _ => Err(SignatureError::NoPgpKey),
    }
}

fn read(ring: &str) -> Result<Vec<SignedPublicKey>, String> {
    let line = |error: ::pgp::errors::Error| {
        let text = error.to_string();
        text.lines().next().unwrap_or_default().to_owned()
    };
    let (keys, _) = PublicOrSecret::from_armor_many(ring.trim().as_bytes()).map_err(line)?;
    let mut found = Vec::new();
    for key in keys.take(MOST_KEYS) {
        found.push(match key.map_err(line)? {
            PublicOrSecret::Public(key) => key,
            PublicOrSecret::Secret(key) => key.to_public_key(),
        });
    }
    if found.is_empty() {
        return Err("there is no key in it".to_owned());
    }
    Ok(found)
}

fn find(
    signature: &DetachedSignature,
    payload: &[u8],
    keys: &[SignedPublicKey],
    now: SystemTime,
) -> Option<String> {
    let packet = &signature.signature;
    let of_data = matches!(
        packet.typ(),
        Some(SignatureType::Binary | SignatureType::Text)
    );
    if !of_data || expired(packet.created(), packet.signature_expiration_time(), now) {
        return None;
    }
    let issuers: Vec<&KeyId> = packet.issuer_key_id();
    let fits = |id: KeyId| issuers.is_empty() || issuers.contains(&&id);
    for key in keys {
        if !alive(key, now) {
            continue;
        }
        let primary = &key.primary_key;
        let signed = fits(primary.legacy_key_id())
            && may_sign(key)
            && signature.verify(primary, payload).is_ok();
        let signed = signed
            || key.public_subkeys.iter().any(|sub| {
                fits(sub.key.legacy_key_id())
                    && bound(key, sub, now)
                    && signature.verify(&sub.key, payload).is_ok()
            });
        if signed {
            let id = primary.legacy_key_id();
            let digits = id.as_ref().iter().map(|byte| format!("{byte:02X}"));
            return Some(digits.collect());
        }
    }
    None
}

/// The newest signature of the key over itself and one of its names.
fn self_signature(key: &SignedPublicKey) -> Option<&Signature> {
    let primary = &key.primary_key;
    let of_names = key.details.users.iter().flat_map(|user| {
        user.signatures.iter().filter(move |signature| {
            signature
                .verify_certification(primary, Tag::UserId, &user.id)
                .is_ok()
        })
    });
    let direct = key.details.direct_signatures.iter();
    let direct = direct.filter(|signature| signature.verify_key(primary).is_ok());
    of_names
        .filter(|signature| signature.typ() != Some(SignatureType::CertRevocation))
        .chain(direct)
        .max_by_key(|signature| signature.created())
}

/// Neither revoked nor expired.
fn alive(key: &SignedPublicKey, now: SystemTime) -> bool {
    let primary = &key.primary_key;
    let revocations = key.details.revocation_signatures.iter();
    let revoked = revocations
        .into_iter()
        .any(|signature| signature.verify_key(primary).is_ok());
    let Some(own) = self_signature(key) else {
        return false;
    };
    !revoked && !expired(Some(primary.created_at()), own.key_expiration_time(), now)
}

fn may_sign(key: &SignedPublicKey) -> bool {
    self_signature(key).is_some_and(|own| own.key_flags().sign())
}

/// A subkey that may sign, says itself that it belongs to the key, and is neither revoked nor expired.
fn bound(key: &SignedPublicKey, sub: &SignedPublicSubKey, now: SystemTime) -> bool {
    let primary = &key.primary_key;
    let valid = |signature: &&Signature| signature.verify_subkey_binding(primary, &sub.key).is_ok();
    let revoked = sub.signatures.iter().any(|signature| {
        signature.typ() == Some(SignatureType::SubkeyRevocation) && valid(&signature)
    });
    let bindings = sub.signatures.iter().filter(|signature| {
        signature.typ() == Some(SignatureType::SubkeyBinding) && valid(signature)
    });
    let Some(binding) = bindings.max_by_key(|signature| signature.created()) else {
        return false;
    };
    let back = binding
        .embedded_signature()
        .is_some_and(|back| back.verify_primary_key_binding(&sub.key, primary).is_ok());
    let over = expired(
        Some(sub.key.created_at()),
        binding.key_expiration_time(),
        now,
    );
    !revoked && back && !over && binding.key_flags().sign()
}

fn expired(
    since: Option<Timestamp>,
    limit: Option<::pgp::types::Duration>,
    now: SystemTime,
) -> bool {
    let Some(limit) = limit.map(|limit| std::time::Duration::from_secs(limit.as_secs().into()))
    else {
        return false;
    };
    if limit.is_zero() {
        return false;
    }
    let since = since.map_or(SystemTime::UNIX_EPOCH, SystemTime::from);
    since.checked_add(limit).is_some_and(|end| now >= end)
}
