//! age identities.

mod hybrid;

use std::fmt;
use std::io::Read;

use age::armor::ArmoredReader;
use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Identity, ssh, x25519};
use zeroize::{Zeroize, Zeroizing};

use crate::{ImportError, KeyService, Secret, UnwrapError, WrappedKey};
use hybrid::HybridIdentity;

/// The largest file of identities.
const LARGEST_FILE: usize = 1 << 20;

/// The longest key that is unwrapped: a data key or a share of it has some dozen bytes.
const LONGEST_KEY: u64 = 4 << 10;

/// Costs of a passphrase up to 2²²: what sops and age accept.
const MOST_WORK: u8 = 22;

type Boxed = Box<dyn Identity + Send + Sync>;

/// Private keys of age, in the order in which they are tried.
#[derive(Default)]
pub struct AgeKeys {
    identities: Vec<Boxed>,
    /// Where no key was found, for the error text.
    missing: Vec<String>,
}

impl AgeKeys {
    /// Adds identities, one a line: `AGE-SECRET-KEY-1…` and `AGE-SECRET-KEY-PQ-1…`. Empty lines and lines that begin with
    /// `#` are skipped. Gives their number.
    ///
    /// # Errors
    ///
    /// When a line is anything else, or the file is encrypted.
    pub fn add_identities(&mut self, content: &[u8]) -> Result<usize, ImportError> {
        check_size(content)?;
        if encrypted(content) {
            return Err(ImportError::Passphrase);
        }
        let wrong = |line, what| ImportError::Identity { line, what };
        let text = std::str::from_utf8(content).map_err(|_| wrong(1, "the file is not UTF-8"))?;
        let mut found: Vec<Boxed> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            found.push(identity(line).map_err(|what| wrong(at + 1, what))?);
        }
        let count = found.len();
        self.identities.extend(found);
        Ok(count)
    }

    /// Adds the identities of a file that is encrypted with a passphrase.
    ///
    /// # Errors
    ///
    /// When the passphrase is not right, or the content is not what [`AgeKeys::add_identities`] takes.
    pub fn add_encrypted_identities(
        &mut self,
        content: &[u8],
        passphrase: &str,
    ) -> Result<usize, ImportError> {
        check_size(content)?;
        let mut key = age::scrypt::Identity::new(SecretString::from(passphrase.to_owned()));
        key.set_max_work_factor(MOST_WORK);
        let limit = LARGEST_FILE as u64;
        let plain = open(content, &mut std::iter::once(&key as &dyn Identity), limit)
            .map_err(|error| ImportError::Decrypt(error.to_string()))?;
        self.add_identities(&plain)
    }

    /// Adds an SSH private key (Ed25519 or RSA), which may need a passphrase.
    ///
    /// # Errors
    ///
    /// When it is no such key, or the passphrase is missing or not right.
    pub fn add_ssh_key(
        &mut self,
        content: &[u8],
        passphrase: Option<&str>,
    ) -> Result<(), ImportError> {
        check_size(content)?;
        let key = ssh::Identity::from_buffer(content, None)
            .map_err(|_| ImportError::Ssh("it is no SSH private key".to_owned()))?;
        let key = match (key, passphrase) {
            (ssh::Identity::Unencrypted(key), _) => key,
            (ssh::Identity::Encrypted(key), Some(passphrase)) => key
                .decrypt(SecretString::from(passphrase.to_owned()))
                .map_err(|_| ImportError::Ssh("the passphrase is not right".to_owned()))?,
            (ssh::Identity::Encrypted(_), None) => {
                return Err(ImportError::Ssh("it needs a passphrase".to_owned()));
            }
            (ssh::Identity::Unsupported(_), _) => {
                return Err(ImportError::Ssh(
                    "only Ed25519 and RSA keys without hardware are supported".to_owned(),
                ));
            }
        };
        self.identities
            .push(Box::new(ssh::Identity::Unencrypted(key)));
        Ok(())
    }

    /// Says that keys were looked for in a place and not found, so that an error can tell.
    pub fn note_missing(&mut self, place: impl Into<String>) {
        self.missing.push(place.into());
    }

    /// Whether there is no identity.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty()
    }
}

impl KeyService for AgeKeys {
    fn schemes(&self) -> &[&'static str] {
        &["age"]
    }

    fn unwrap(&self, key: &WrappedKey<'_>) -> Result<Secret, UnwrapError> {
        if self.identities.is_empty() {
            return Err(UnwrapError::NoKey(self.without("there is no age identity")));
        }
        let mut identities = self
            .identities
            .iter()
            .map(|identity| &**identity as &dyn Identity);
        open(key.wrapped, &mut identities, LONGEST_KEY)
            .map(Secret::from)
            .map_err(|error| {
                if matches!(error, DecryptError::NoMatchingKeys) {
                    return UnwrapError::NoKey(
                        self.without("identity did not match any of the recipients"),
                    );
                }
                UnwrapError::Damaged(format!("the wrapped key cannot be read: {}", told(&error)))
            })
    }
}

impl AgeKeys {
    fn without(&self, what: &str) -> String {
        match self.missing.as_slice() {
            [] => what.to_owned(),
            places => format!(
                "{what}. Did not find keys in locations '{}'",
                places.join("', '")
            ),
        }
    }
}

impl fmt::Debug for AgeKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgeKeys")
            .field("identities", &self.identities.len())
            .field("missing", &self.missing)
            .finish()
    }
}

fn check_size(content: &[u8]) -> Result<(), ImportError> {
    if content.len() > LARGEST_FILE {
        return Err(ImportError::TooLarge {
            limit: LARGEST_FILE,
        });
    }
    Ok(())
}

/// Whether a file of identities is an age file itself.
fn encrypted(content: &[u8]) -> bool {
    let content = content.trim_ascii_start();
    content.starts_with(b"age-encryption.org/") || content.starts_with(b"-----BEGIN AGE ENCRYPTED")
}

fn identity(line: &str) -> Result<Boxed, &'static str> {
    if line.starts_with("AGE-SECRET-KEY-PQ-1") {
        return Ok(Box::new(HybridIdentity::parse(line)?));
    }
    if line.starts_with("AGE-PLUGIN-") {
        return Err("identities of plugins are not supported");
    }
    if !line.starts_with("AGE-SECRET-KEY-1") {
        return Err("unknown identity type");
    }
    let identity: x25519::Identity = line.parse().map_err(|_| "malformed secret key")?;
    Ok(Box::new(identity))
}

/// Decrypts an age file, armored or not.
fn open(
    content: &[u8],
    identities: &mut dyn Iterator<Item = &'_ dyn Identity>,
    limit: u64,
) -> Result<Zeroizing<Vec<u8>>, DecryptError> {
    // Around an armored file blanks mean nothing; a binary one may end in a byte that looks like one.
    let trimmed = content.trim_ascii();
    let content = match trimmed.starts_with(b"-----BEGIN ") {
        true => trimmed,
        false => content,
    };
    let decryptor = Decryptor::new(ArmoredReader::new(content))?;
    let mut reader = decryptor.decrypt(identities)?;
    let mut plain = Zeroizing::new(Vec::new());
    let read = (&mut reader).take(limit + 1).read_to_end(&mut plain);
    if read? as u64 > limit {
        plain.zeroize();
        return Err(DecryptError::DecryptionFailed);
    }
    Ok(plain)
}

/// The error in words of our own; the crate's are translated to the locale of the process.
fn told(error: &DecryptError) -> &'static str {
    match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => "decryption failed",
        DecryptError::ExcessiveWork { .. } => "the passphrase costs too much work",
        DecryptError::InvalidHeader => "the header is invalid",
        DecryptError::InvalidMac => "the header was changed",
        DecryptError::Io(_) => "the armor or the payload is damaged",
        DecryptError::NoMatchingKeys => "no key matches",
        DecryptError::UnknownFormat | _ => "the format is unknown",
    }
}

#[cfg(test)]
mod tests;
