//! Keys from where the `sops` tool looks.
//!
//! The binary reads the environment and the files, and passes their contents in.

use std::path::PathBuf;

use crate::cloud::Cloud;
use crate::services::Logins;
use crate::{AgeKeys, Gpg, ImportError, Keyring, Secret};

/// What was found. Every place that was looked at is told, so that an error can name those without a key.
#[derive(Debug, Default)]
pub struct Found {
    /// `SOPS_AGE_SSH_PRIVATE_KEY_FILE`, `SOPS_AGE_SSH_PRIVATE_KEY_CMD`, `~/.ssh/id_ed25519`, `~/.ssh/id_rsa`, in this order.
    pub ssh_keys: Vec<Place>,
    /// `SOPS_AGE_KEY`, `SOPS_AGE_KEY_FILE`, `SOPS_AGE_KEY_CMD`, `sops/age/keys.txt` in the user's configuration folder.
    pub identities: Vec<Place>,
    /// `SOPS_GPG_EXEC`, else `gpg`.
    pub gpg: Option<PathBuf>,
    /// For keys and identities that are encrypted.
    pub passphrase: Option<Secret>,
}

/// A place where keys can be.
#[derive(Debug)]
pub struct Place {
    /// A variable or a path.
    pub name: String,
    /// `None` if there is nothing.
    pub content: Option<Secret>,
}

/// A keyring of all that was found and of the key services, and the places that have something which cannot be used.
#[must_use]
pub fn keyring(found: &Found, cloud: &Cloud) -> (Keyring, Vec<(String, ImportError)>) {
    let mut age = AgeKeys::default();
    let mut unusable = Vec::new();
    let passphrase = found
        .passphrase
        .as_ref()
        .and_then(|secret| std::str::from_utf8(secret).ok());
    for place in &found.ssh_keys {
        match &place.content {
            None => age.note_missing(&place.name),
            Some(content) => {
                if let Err(error) = age.add_ssh_key(content, passphrase) {
                    unusable.push((place.name.clone(), error));
                }
            }
        }
    }
    for place in &found.identities {
        match &place.content {
            None => age.note_missing(&place.name),
            Some(content) => {
                if let Err(error) = add_identities(&mut age, content, passphrase) {
                    unusable.push((place.name.clone(), error));
                }
            }
        }
    }
    let keyring = Keyring::default().with(age);
    let keyring = match &found.gpg {
        Some(program) => keyring.with(Gpg::new(program)),
        None => keyring,
    };
    (keyring.with_services(cloud, Logins::default()), unusable)
}

fn add_identities(
    age: &mut AgeKeys,
    content: &[u8],
    passphrase: Option<&str>,
) -> Result<usize, ImportError> {
    match (age.add_identities(content), passphrase) {
        (Err(ImportError::Passphrase), Some(passphrase)) => {
            age.add_encrypted_identities(content, passphrase)
        }
        (result, _) => result,
    }
}

#[cfg(test)]
mod tests;
