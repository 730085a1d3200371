//! PEM: private keys and certificates.

use std::fmt;

use aws_lc_rs::signature::RsaKeyPair;
use base64::Engine as _;
use zeroize::Zeroizing;

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    #[error("there is no private key in PEM in it")]
    NoKey,
    #[error("{0:?} is not an RSA key without a passphrase")]
    Kind(String),
    #[error("it cannot be read: {0}")]
    Damaged(String),
}

/// The first RSA key of a text, in PKCS#1 or PKCS#8.
///
/// # Errors
///
/// When there is none, or it is encrypted.
pub fn rsa_key(text: &str) -> Result<RsaKeyPair, PemError> {
    let pem = Pem::find(text, |label| label.ends_with("PRIVATE KEY"))?;
    let pair = match pem.label {
        "RSA PRIVATE KEY" if !pem.encrypted => RsaKeyPair::from_der(&pem.content),
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&pem.content),
        other => return Err(PemError::Kind(other.to_owned())),
    };
    pair.map_err(|error| PemError::Damaged(error.to_string()))
}

/// A block of a PEM text.
pub struct Pem<'a> {
    pub label: &'a str,
    /// It has OpenSSL's old kind of encryption.
    pub encrypted: bool,
    pub content: Zeroizing<Vec<u8>>,
}

impl<'a> Pem<'a> {
    /// The first block with such a label.
    ///
    /// # Errors
    ///
    /// When there is none, or it is no base64.
    pub fn find(text: &'a str, wanted: impl Fn(&str) -> bool) -> Result<Self, PemError> {
        let mut lines = text.lines().map(str::trim);
        let label = lines
            .find_map(|line| {
                let label = line.strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
                wanted(label).then_some(label)
            })
            .ok_or(PemError::NoKey)?;
        let mut encrypted = false;
        let mut body = Zeroizing::new(String::new());
        let mut ended = false;
        for line in lines {
            if line.starts_with("-----END ") {
                ended = true;
                break;
            }
            if line.contains(':') {
                encrypted |= line.contains("ENCRYPTED");
            } else {
                body.push_str(line);
            }
        }
        if !ended {
            return Err(PemError::NoKey);
        }
        let content = base64::engine::general_purpose::STANDARD.decode(body.as_bytes());
        let content = content.map_err(|error| PemError::Damaged(error.to_string()))?;
        Ok(Self {
            label,
            encrypted,
            content: Zeroizing::new(content),
        })
    }
}

impl fmt::Debug for Pem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pem")
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_said() {
        for (text, part) in [
            ("", "no private key"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA", "no private key"),
            (
                "-----BEGIN PRIVATE KEY-----\nA*\n-----END PRIVATE KEY-----",
                "cannot be read",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
                "cannot be read",
            ),
            (
                "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----",
                "EC PRIVATE KEY",
            ),
        ] {
            let error = rsa_key(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text:?}: {error}");
        }
    }
}
