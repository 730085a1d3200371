//! SSH: logging in to a server whose key is known, and running one command there.
//!
//! Our own client, for the libraries there are need either OpenSSL or previews of what else is here in its released version.
//! It does what every server of the last ten years can: keys by elliptic curves, AES in Galois counter mode. Keys and the
//! list of known hosts are texts of a Secret and never touch the disk; no agent, no configuration and no environment of this
//! machine is looked at.

mod connect;
mod exchange;
mod key;
mod known_hosts;
mod packet;

use crate::secret::SecretText;

pub(crate) use connect::{Connection, Place, quote};

/// What all connections may use, the better one first. Nothing in a list: what the client has, and of a server's keys the
/// known ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshAlgorithms {
    key_exchanges: Vec<&'static str>,
    host_keys: Vec<&'static str>,
}

/// A name that stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no {what} that this version has; there are {}", .there.join(", "))]
pub struct SshAlgorithmError {
    name: String,
    what: &'static str,
    there: Vec<&'static str>,
}

impl SshAlgorithms {
    /// By the names that OpenSSH has for them.
    pub fn new(key_exchanges: &[String], host_keys: &[String]) -> Result<Self, SshAlgorithmError> {
        let methods = exchange::METHODS.iter().map(|(name, ..)| *name);
        let signatures = known_hosts::SIGNATURES.iter().map(|(name, _)| *name);
        Ok(Self {
            key_exchanges: choose(key_exchanges, "key exchange", methods.collect())?,
            host_keys: choose(host_keys, "algorithm of host keys", signatures.collect())?,
        })
    }
}

fn choose(
    names: &[String],
    what: &'static str,
    there: Vec<&'static str>,
) -> Result<Vec<&'static str>, SshAlgorithmError> {
    let mut chosen = Vec::new();
    for name in names {
        let Some(found) = there.iter().find(|known| *known == name) else {
            let name = name.chars().take(100).collect();
            return Err(SshAlgorithmError { name, what, there });
        };
        chosen.push(*found);
    }
    Ok(chosen)
}

/// How to log in over SSH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshLogin {
    /// A private key: OpenSSH's format, PKCS#8, or PEM of an RSA or ECDSA key.
    pub identity: SecretText,
    /// Of the key.
    pub passphrase: Option<SecretText>,
    /// Lines of `known_hosts`.
    pub known_hosts: String,
}

/// Why a login cannot be used, without a look at the server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SshLoginError {
    #[error("the private key is encrypted, but there is no passphrase")]
    Encrypted,
    #[error("the passphrase does not open the private key")]
    Passphrase,
    #[error("ssh: no key found: {0}")]
    Key(String),
    #[error("knownhosts: line {line}: {reason}")]
    KnownHosts { line: usize, reason: String },
}

impl SshLogin {
    /// Reads the key and the known hosts.
    pub fn check(&self) -> Result<(), SshLoginError> {
        key::read(self)?;
        known_hosts::KnownHosts::parse(&self.known_hosts).map(drop)
    }
}
