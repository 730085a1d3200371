//! Signatures of Git's commits and tags, by PGP and by SSH keys.
//!
//! flux: kinds, order and texts are those of `fluxcd/pkg/git/signature` in Flux 2.9.

mod pgp;
mod ssh;

use std::time::SystemTime;

/// Public keys that are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Armored key rings.
    pub pgp: Vec<String>,
    /// Lines as in `authorized_keys`.
    pub ssh: Vec<String>,
}

/// How something is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Pgp,
    Ssh,
    X509,
    Unknown,
}

/// Why a signature counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("unsupported signature type: empty")]
    Empty,
    #[error("unsupported signature type: {0}")]
    Format(&'static str),
    #[error(
        "{kind} signature detected but no {kind} public keys found in secret (keys with {suffix} suffix)"
    )]
    NoKeys {
        kind: &'static str,
        suffix: &'static str,
    },
    #[error("unable to read armored key ring: {0}")]
    KeyRing(String),
    #[error("unable to verify payload with any of the given key rings: no matching key")]
    NoPgpKey,
    #[error("unable to unarmor SSH signature: {0}")]
    Armor(&'static str),
    #[error("unable to parse authorized keys: {0}")]
    AuthorizedKeys(String),
    #[error(
        "unable to verify payload with any of the given authorized keys: no matching key\npublic key does not match"
    )]
    NoSshKey,
    #[error(
        "unable to verify payload with any of the given authorized keys: the signature is for {0:?}, not for \"git\""
    )]
    Namespace(String),
}

impl SignatureError {
    /// What is said of a `commit` or a `tag`.
    pub fn about(&self, what: &str) -> String {
        match self {
            Self::Empty | Self::Format(_) | Self::NoKeys { .. } => self.to_string(),
            Self::KeyRing(_) | Self::NoPgpKey => format!("unable to verify Git {what}: {self}"),
            Self::Armor(_) | Self::AuthorizedKeys(_) | Self::NoSshKey | Self::Namespace(_) => {
                format!("unable to verify Git {what} SSH signature: {self}")
            }
        }
    }
}

impl Kind {
    /// By the first line of the signature.
    pub fn of(signature: &str) -> Self {
        let text = signature.trim_start();
        let starts = |what: &str| text.starts_with(what);
        if starts("-----BEGIN PGP SIGNATURE-----") {
            Self::Pgp
        } else if starts("-----BEGIN SSH SIGNATURE-----") {
            Self::Ssh
        } else if starts("-----BEGIN SIGNED MESSAGE-----") {
            Self::X509
        } else {
            Self::Unknown
        }
    }
}

/// Gives the key that made the signature: the id of a PGP key, the fingerprint of an SSH key.
pub fn verify(
    signature: &str,
    payload: &[u8],
    keys: &Keys,
    now: SystemTime,
) -> Result<String, SignatureError> {
    if signature.trim().is_empty() {
        return Err(SignatureError::Empty);
    }
    let missing = |kind, suffix| Err(SignatureError::NoKeys { kind, suffix });
    match Kind::of(signature) {
        Kind::Pgp if keys.pgp.is_empty() => missing("PGP", ".asc"),
        Kind::Ssh if keys.ssh.is_empty() => missing("SSH", ".sshpub"),
        Kind::Pgp => pgp::verify(signature.trim(), payload, &keys.pgp, now),
        Kind::Ssh => ssh::verify(signature.trim(), payload, &keys.ssh),
        Kind::X509 => Err(SignatureError::Format("x509")),
        Kind::Unknown => Err(SignatureError::Format("unknown")),
    }
}

#[cfg(test)]
mod tests;
