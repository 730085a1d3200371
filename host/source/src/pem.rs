//! Private keys in PEM.

use aws_lc_rs::signature::RsaKeyPair;
use base64::Engine as _;
use zeroize::Zeroizing;

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PemError {
    #[error("there is no private key in PEM in it")]
    NoKey,
    #[error("{0:?} is not an RSA key without a passphrase")]
    Kind(String),
    #[error("it cannot be read: {0}")]
    Damaged(String),
}

/// An RSA key in PKCS#1 or PKCS#8.
pub(crate) fn rsa_key(text: &str) -> Result<RsaKeyPair, PemError> {
    let pem = Pem::find(text)?;
    let pair = match pem.label {
        "RSA PRIVATE KEY" if !pem.encrypted => RsaKeyPair::from_der(&pem.content),
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&pem.content),
        other => return Err(PemError::Kind(other.to_owned())),
    };
    pair.map_err(|error| PemError::Damaged(error.to_string()))
}

/// The first block of a PEM text.
pub(crate) struct Pem<'a> {
    pub(crate) label: &'a str,
    /// It has OpenSSL's old kind of encryption.
    pub(crate) encrypted: bool,
    pub(crate) content: Zeroizing<Vec<u8>>,
}

impl<'a> Pem<'a> {
    pub(crate) fn find(text: &'a str) -> Result<Self, PemError> {
        let missing = || PemError::NoKey;
        let mut lines = text.lines().map(str::trim);
        let label = lines
            .find_map(|line| line.strip_prefix("-----BEGIN ")?.strip_suffix("-----"))
            .ok_or_else(missing)?;
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
            return Err(missing());
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
