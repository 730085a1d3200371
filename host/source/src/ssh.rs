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
