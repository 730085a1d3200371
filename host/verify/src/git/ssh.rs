//! SSH: signatures as `ssh-keygen -Y sign` makes them, in the namespace `git`.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256, Sha512};

use super::SignatureError;
use crate::ssh::{by_point, fits, numbers};
use crate::wire::{Fields, Writing};

const NAMESPACE: &[u8] = b"git";
/// Lines of keys that are looked at.
const MOST_KEYS: usize = 1000;

pub(super) fn verify(
    signature: &str,
    payload: &[u8],
    keys: &[String],
) -> Result<String, SignatureError> {
    let blob = unarmor(signature)?;
    let parsed = Parsed::read(&blob).ok_or(SignatureError::Armor("it is damaged"))?;
    let mut unreadable = None;
    let mut tried = false;
    for text in keys {
        let keys = match authorized(text) {
            Ok(keys) => keys,
            Err(reason) => {
                unreadable.get_or_insert(SignatureError::AuthorizedKeys(reason));
                continue;
            }
        };
        tried = true;
        for key in keys {
            if key != parsed.key {
                continue;
            }
            if parsed.namespace != NAMESPACE {
                let namespace = String::from_utf8_lossy(parsed.namespace).into_owned();
                return Err(SignatureError::Namespace(namespace));
            }
            if parsed.fits(payload) == Some(true) {
                let digest = STANDARD_NO_PAD.encode(Sha256::digest(&key));
                return Ok(format!("SHA256:{digest}"));
            }
        }
    }
    match unreadable {
        Some(error) if !tried => Err(error),
        _ => Err(SignatureError::NoSshKey),
    }
}

fn unarmor(text: &str) -> Result<Vec<u8>, SignatureError> {
    let body = text
        .strip_prefix("-----BEGIN SSH SIGNATURE-----")
        .and_then(|rest| rest.split_once("-----END SSH SIGNATURE-----"))
        .ok_or(SignatureError::Armor("it has no end"))?;
    let body: String = body.0.split_ascii_whitespace().collect();
    let blob = STANDARD.decode(body);
    blob.map_err(|_| SignatureError::Armor("it is not base64"))
}

/// The keys of a text in the form of `authorized_keys`; a line that is none spoils them all.
fn authorized(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut keys = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if keys.len() >= MOST_KEYS {
            return Err("there are too many keys".to_owned());
        }
        let key = line
            .split_ascii_whitespace()
            .zip(line.split_ascii_whitespace().skip(1))
            .find_map(|(kind, key)| {
                // Options may stand before the key.
                let blob = STANDARD.decode(key).ok()?;
                (Fields(&blob).text()? == kind.as_bytes()).then_some(blob)
            });
        keys.push(key.ok_or_else(|| {
            format!("unable to parse authorized key: line {} is none", index + 1)
        })?);
    }
    Ok(keys)
}

/// What a signature says.
struct Parsed<'a> {
    key: &'a [u8],
    namespace: &'a [u8],
    reserved: &'a [u8],
    hash: &'a [u8],
    kind: &'a [u8],
    signature: &'a [u8],
    /// Flags and counter of a key in a token.
    token: &'a [u8],
}

impl<'a> Parsed<'a> {
    fn read(blob: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(blob.strip_prefix(b"SSHSIG")?);
        if fields.number()? != 1 {
            return None;
        }
        let (key, namespace) = (fields.text()?, fields.text()?);
        let (reserved, hash) = (fields.text()?, fields.text()?);
        let mut inner = Fields(fields.text()?);
        let (kind, signature) = (inner.text()?, inner.text()?);
        fields.0.is_empty().then_some(Self {
            key,
            namespace,
            reserved,
            hash,
            kind,
            signature,
            token: inner.0,
        })
    }

    /// Whether the signature is right.
    fn fits(&self, payload: &[u8]) -> Option<bool> {
        let hash = match self.hash {
            b"sha256" => Sha256::digest(payload).to_vec(),
            b"sha512" => Sha512::digest(payload).to_vec(),
            _ => return None,
        };
        let signed = Writing::default()
            .bytes(b"SSHSIG")
            .text(self.namespace)
            .text(self.reserved)
            .text(self.hash)
            .text(&hash)
            .0;
        let mut key = Fields(self.key);
        let kind = key.text()?;
        Some(match kind {
            b"sk-ssh-ed25519@openssh.com" if kind == self.kind => {
                let point = key.text()?;
                let signed = self.by_token(key.text()?, &signed)?;
                by_point(&ED25519, point, &signed, self.signature)
            }
            b"sk-ecdsa-sha2-nistp256@openssh.com" if kind == self.kind => {
                let (_, point) = (key.text()?, key.text()?);
                let signed = self.by_token(key.text()?, &signed)?;
                let numbers = numbers(self.signature, 32)?;
                by_point(&ECDSA_P256_SHA256_FIXED, point, &signed, &numbers)
            }
            _ => fits(self.key, self.kind, self.signature, &signed),
        })
    }

    /// What a token signs: it puts its own fields around.
    fn by_token(&self, application: &[u8], signed: &[u8]) -> Option<Vec<u8>> {
        let token: &[u8; 5] = self.token.try_into().ok()?;
        // Somebody touched it.
        if token[0] & 1 == 0 {
            return None;
        }
        let (application, signed) = (Sha256::digest(application), Sha256::digest(signed));
        Some([&application[..], token, &signed].concat())
    }
}
