//! Keys from the data of a decryption Secret, as kustomize-controller 1.9 reads it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::cloud::{Cloud, aws, azure, gcp, yaml};
use crate::services::Logins;
use crate::{AgeKeys, ImportError, Keyring, PgpKeys, Secret};

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

/// The keys of a Secret, which is named for errors. What an entry is its name tells: `*.agekey`, `*.asc` and the logins of
/// key services; others are ignored. For a service without a login who `cloud` finds counts.
///
/// # Errors
///
/// When an entry with such a name has no keys.
pub fn keyring(
    secret: &str,
    data: &BTreeMap<String, Vec<u8>>,
    cloud: &Cloud,
) -> Result<Keyring, EntryError> {
    let mut keys = Keys::default();
    for (entry, content) in data {
        keys.add(entry, content).map_err(|problem| EntryError {
            entry: entry.clone(),
            secret: secret.to_owned(),
            problem,
        })?;
    }
    let own = Keyring::default().with(keys.age).with(keys.pgp);
    Ok(own.with_services(cloud, keys.logins))
}

#[derive(Default)]
struct Keys {
    age: AgeKeys,
    pgp: PgpKeys,
    logins: Logins,
}

/// The file that Flux calls `sops.aws-kms`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AwsFile {
    aws_access_key_id: String,
    aws_secret_access_key: Secret,
    aws_session_token: Secret,
}

impl Keys {
    fn add(&mut self, entry: &str, content: &[u8]) -> Result<(), ImportError> {
        match (entry, entry.rsplit_once('.')) {
            (_, Some((_, "asc"))) => {
                self.pgp.add_armored(content)?;
            }
            (_, Some((_, "agekey"))) => {
                self.age.add_identities(content)?;
            }
            ("sops.vault-token", _) => {
                let token = Some(content.trim_ascii().to_vec());
                self.logins.vault = token.filter(|token| !token.is_empty()).map(Secret::from);
            }
            ("sops.aws-kms", _) => self.logins.aws = Some(aws_keys(content)?),
            ("sops.azure-kv", _) => self.logins.azure = Some(azure::Login::parse(content)?),
            ("sops.gcp-kms", _) => self.logins.gcp = Some(gcp::Credentials::parse(content)?),
            _ => {}
        }
        Ok(())
    }
}

fn aws_keys(content: &[u8]) -> Result<aws::Credentials, ImportError> {
    let file = std::str::from_utf8(content).map_err(|_| ());
    let file: AwsFile = file
        .and_then(yaml)
        .map_err(|()| ImportError::Credentials {
            what: "the AWS credentials",
            problem: "failed to unmarshal AWS credentials file: they are no YAML with aws_access_key_id and aws_secret_access_key".to_owned(),
        })?;
    let session = Some(file.aws_session_token).filter(|token| !token.is_empty());
    Ok(aws::Credentials {
        id: file.aws_access_key_id,
        secret: file.aws_secret_access_key,
        session,
    })
}

#[cfg(test)]
mod tests;
