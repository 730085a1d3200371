//! What unwraps keys, by scheme.

use std::fmt;

use thiserror::Error;

use crate::Secret;

/// A wrapped key, as it stands in the metadata of a SOPS file.
#[derive(Clone, Copy, Debug)]
pub struct WrappedKey<'a> {
    /// "age", "pgp", "aws-kms", "gcp-kms", "azure-kv", "vault-transit", …
    pub scheme: &'a str,
    /// The fields of the entry other than `enc`.
    pub fields: &'a [(String, String)],
    /// The field `enc`.
    pub wrapped: &'a [u8],
}

impl WrappedKey<'_> {
    /// A field, empty if there is none.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }
}

/// Something that unwraps keys: private keys in memory, or a service that holds some.
pub trait KeyService: Send + Sync + fmt::Debug {
    /// The schemes that it knows.
    fn schemes(&self) -> &[&'static str];

    /// Recovers what was wrapped. It may take as long as a network does.
    ///
    /// # Errors
    ///
    /// When it has no key that fits, or does not answer.
    fn unwrap(&self, key: &WrappedKey<'_>) -> Result<Secret, UnwrapError>;
}

/// Why a key was not unwrapped.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UnwrapError {
    /// There is no key that fits.
    #[error("{0}")]
    NoKey(String),
    /// A service did not answer; it may later.
    #[error("{0}")]
    Unavailable(String),
    /// What was wrapped is damaged, or is not of the scheme.
    #[error("{0}")]
    Damaged(String),
}

/// Why keys cannot be used. It shows no part of them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ImportError {
    #[error("failed to parse and add to age identities: line {line}: {what}")]
    Identity { line: usize, what: &'static str },
    #[error("the identities are encrypted with a passphrase")]
    Passphrase,
    #[error("the identities cannot be decrypted: {0}")]
    Decrypt(String),
    #[error("the SSH key cannot be used: {0}")]
    Ssh(String),
    #[error("failed to import armored data into keyring: {0}")]
    Pgp(String),
    #[error("the file has more than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("{what} are not valid: {problem}")]
    Credentials { what: &'static str, problem: String },
    #[error("{0}")]
    Incomplete(&'static str),
}

/// All keys that one unit, or one person, has.
#[derive(Debug, Default)]
pub struct Keyring {
    services: Vec<Box<dyn KeyService>>,
}

impl Keyring {
    /// Adds a service. Of several for a scheme the first that can unwrap a key does.
    #[must_use]
    pub fn with(mut self, service: impl KeyService + 'static) -> Self {
        self.services.push(Box::new(service));
        self
    }

    /// Recovers what was wrapped.
    ///
    /// # Errors
    ///
    /// When no service can. One that did not answer makes the whole unavailable.
    pub fn unwrap(&self, key: &WrappedKey<'_>) -> Result<Secret, UnwrapError> {
        let mut failure = None;
        for service in &self.services {
            if !service.schemes().contains(&key.scheme) {
                continue;
            }
            match service.unwrap(key) {
                Ok(secret) if secret.is_empty() => {
                    let empty = UnwrapError::Damaged("the unwrapped key is empty".to_owned());
                    failure = Some(worse(failure, empty));
                }
                Ok(secret) => return Ok(secret),
                Err(error) => failure = Some(worse(failure, error)),
            }
        }
        Err(failure.unwrap_or_else(|| {
            UnwrapError::NoKey(format!("there is no key of the scheme {}", key.scheme))
        }))
    }
}

/// What to tell of two failures: first of all that a later try may succeed.
fn worse(known: Option<UnwrapError>, new: UnwrapError) -> UnwrapError {
    match (known, new) {
        (None, new) => new,
        (Some(UnwrapError::Unavailable(text)), _) | (Some(_), UnwrapError::Unavailable(text)) => {
            UnwrapError::Unavailable(text)
        }
        (Some(known), UnwrapError::NoKey(text) | UnwrapError::Damaged(text)) => {
            UnwrapError::NoKey(format!("{known}; {text}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Answers(Result<Secret, UnwrapError>);

    impl KeyService for Answers {
        fn schemes(&self) -> &[&'static str] {
            &["x"]
        }

        fn unwrap(&self, _: &WrappedKey<'_>) -> Result<Secret, UnwrapError> {
            self.0.clone()
        }
    }

    fn ask(keyring: &Keyring, scheme: &str) -> Result<Secret, UnwrapError> {
        keyring.unwrap(&WrappedKey {
            scheme,
            fields: &[],
            wrapped: b"",
        })
    }

    #[test]
    fn the_first_service_that_can_does() {
        let no = || Answers(Err(UnwrapError::NoKey("no".to_owned())));
        let keyring = Keyring::default()
            .with(no())
            .with(Answers(Ok(Vec::new().into())))
            .with(Answers(Ok(b"a".to_vec().into())))
            .with(Answers(Ok(b"b".to_vec().into())));
        assert_eq!(&*ask(&keyring, "x").unwrap(), b"a");
        assert_eq!(
            ask(&keyring, "y").unwrap_err().to_string(),
            "there is no key of the scheme y"
        );

        let keyring = Keyring::default()
            .with(Answers(Err(UnwrapError::Unavailable("later".to_owned()))))
            .with(no());
        assert_eq!(
            ask(&keyring, "x").unwrap_err(),
            UnwrapError::Unavailable("later".to_owned())
        );
    }
}
