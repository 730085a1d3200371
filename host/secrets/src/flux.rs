//! Keys from the data of a decryption Secret, as kustomize-controller 1.9 reads it.

use std::collections::BTreeMap;

use crate::{AgeKeys, ImportError, Keyring, PgpKeys};

/// The entry whose import failed, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to import '{entry}' data from sops decryption Secret '{secret}': {problem}")]
pub struct EntryError {
    pub entry: String,
    /// `NAMESPACE/NAME`
    pub secret: String,
    #[source]
    pub problem: ImportError,
}

/// The keys of a Secret, which is named for errors. What an entry is its name tells: `*.agekey` and `*.asc`; others are
/// ignored.
///
/// # Errors
///
/// When an entry with such a name has no keys.
pub fn keyring(secret: &str, data: &BTreeMap<String, Vec<u8>>) -> Result<Keyring, EntryError> {
    let mut age = AgeKeys::default();
    let mut pgp = PgpKeys::default();
    for (entry, content) in data {
        let imported = match entry.rsplit_once('.') {
            Some((_, "asc")) => pgp.add_armored(content),
            Some((_, "agekey")) => age.add_identities(content),
            Some(_) | None => continue,
        };
        imported.map_err(|problem| EntryError {
            entry: entry.clone(),
            secret: secret.to_owned(),
            problem,
        })?;
    }
    Ok(Keyring::default().with(age).with(pgp))
}

#[cfg(test)]
mod tests;
