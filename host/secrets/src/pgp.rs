//! OpenPGP private keys.

use std::fmt;
use std::io::Read;

use pgp::composed::{DecryptionOptions, Message, SignedSecretKey, TheRing};
use pgp::types::Password;

use crate::{ImportError, KeyService, Secret, UnwrapError, WrappedKey};

/// The largest file of keys.
const LARGEST_FILE: usize = 4 << 20;

/// The most keys of one file.
const MOST_KEYS: usize = 1000;

/// The longest message, and the longest key in one.
const LONGEST_MESSAGE: usize = 64 << 10;
const LONGEST_KEY: u64 = 4 << 10;

/// Compressed data inside compressed data ends here.
const MOST_LAYERS: usize = 4;

/// Private keys, whatever their state: one that is expired or revoked still decrypts.
#[derive(Default)]
pub struct PgpKeys {
    keys: Vec<SignedSecretKey>,
    /// For keys that are protected.
    passwords: Vec<Password>,
}

impl PgpKeys {
    /// Adds the private keys of an armored file. Gives their number.
    ///
    /// # Errors
    ///
    /// When it has none.
    pub fn add_armored(&mut self, content: &[u8]) -> Result<usize, ImportError> {
        if content.len() > LARGEST_FILE {
            return Err(ImportError::TooLarge {
                limit: LARGEST_FILE,
            });
        }
        let before = self.keys.len();
        for block in blocks(content) {
            self.add_block(block)?;
        }
        match self.keys.len() - before {
            0 => Err(ImportError::Pgp("there is no private key".to_owned())),
            count => Ok(count),
        }
    }

    fn add_block(&mut self, block: &[u8]) -> Result<(), ImportError> {
        let wrong = |error: pgp::errors::Error| ImportError::Pgp(first_line(&error));
        let (keys, _) = pgp::composed::PublicOrSecret::from_armor_many(block).map_err(wrong)?;
        for key in keys.take(MOST_KEYS) {
            if let pgp::composed::PublicOrSecret::Secret(key) = key.map_err(wrong)? {
                self.keys.push(key);
            }
        }
        Ok(())
    }

    /// Adds a passphrase that protected keys are tried with.
    pub fn add_passphrase(&mut self, passphrase: &str) {
        self.passwords.push(Password::from(passphrase));
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    fn open(&self, wrapped: &[u8]) -> Result<Secret, pgp::errors::Error> {
        let (message, _) = Message::from_armor(wrapped)?;
        let empty = Password::empty();
        let ring = TheRing {
            secret_keys: self.keys.iter().collect(),
            key_passwords: std::iter::once(&empty).chain(&self.passwords).collect(),
            message_password: Vec::new(),
            session_keys: Vec::new(),
            decrypt_options: DecryptionOptions::new().enable_gnupg_aead(),
        };
        let (mut message, _) = message.decrypt_the_ring(ring, true)?;
        for _ in 0..MOST_LAYERS {
            if !message.is_compressed() {
                break;
            }
            message = message.decompress()?;
        }
        let mut plain = zeroize::Zeroizing::new(Vec::new());
        (&mut message)
            .take(LONGEST_KEY)
            .read_to_end(&mut plain)
            .map_err(pgp::errors::Error::from)?;
        Ok(plain.into())
    }
}

impl KeyService for PgpKeys {
    fn schemes(&self) -> &[&'static str] {
        &["pgp"]
    }

    fn unwrap(&self, key: &WrappedKey<'_>) -> Result<Secret, UnwrapError> {
        if self.keys.is_empty() {
            return Err(UnwrapError::NoKey("there is no PGP key".to_owned()));
        }
        if key.wrapped.len() > LONGEST_MESSAGE {
            return Err(UnwrapError::Damaged(
                "the PGP message is too long".to_owned(),
            ));
        }
        let wrapped = key.wrapped.trim_ascii();
        self.open(wrapped).map_err(|error| {
            if matches!(error, pgp::errors::Error::MissingKey) {
                return UnwrapError::NoKey("no PGP key fits the message".to_owned());
            }
            let line = first_line(&error);
            UnwrapError::Damaged(format!("the PGP message cannot be decrypted: {line}"))
        })
    }
}

impl fmt::Debug for PgpKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgpKeys")
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

/// The armored blocks of a file, one after another.
fn blocks(content: &[u8]) -> Vec<&[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN PGP ";
    let starts: Vec<usize> = content
        .windows(BEGIN.len())
        .enumerate()
        .filter(|(_, window)| *window == BEGIN)
        .map(|(at, _)| at)
        .take(MOST_KEYS)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([content.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| &content[*start..end])
        .collect()
}

fn first_line(error: &pgp::errors::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
