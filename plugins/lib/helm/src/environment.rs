//! What a render may ask of the world.

use serde_json::Value;

/// Answers what templates cannot know from chart and values. Each question is asked only when a template needs the answer,
/// so that who records them knows what the result depends on.
pub trait Environment {
    /// The time that `now` gives, in seconds since 1970.
    fn time(&self) -> i64;

    /// Bytes to make passwords and keys of. `purpose` is the function with its arguments, `place` the template file.
    fn random(&self, purpose: &str, place: &str, length: usize) -> Vec<u8>;

    /// An object, or a list of them when the name is empty; `None` if there is none, or nothing to look at.
    ///
    /// # Errors
    ///
    /// When it cannot be told whether there is one.
    fn lookup(&self, question: &Lookup<'_>) -> Result<Option<Value>, LookupError>;

    /// The first address of a host name; `None` if it has none, or names are not resolved.
    fn resolve(&self, _host: &str) -> Option<String> {
        None
    }
}

/// What `lookup` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lookup<'a> {
    /// `v1`, `apps/v1`
    pub api_version: &'a str,
    /// The kind.
    pub kind: &'a str,
    /// The namespace; empty for all of them, and for what has none.
    pub namespace: &'a str,
    /// The name; empty for a list.
    pub name: &'a str,
}

/// Why a look-up has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LookupError {
    /// In words.
    pub message: String,
}

/// A world without a cluster, at a fixed time, with the randomness of a key.
///
/// Its randomness is a function of key, purpose, place and how many such questions came before: the same render gives the same
/// bytes.
#[derive(Debug)]
pub struct Offline {
    /// What `now` gives.
    pub time: i64,
    /// What randomness is made of.
    pub key: Vec<u8>,
    counts: std::cell::RefCell<std::collections::HashMap<(String, String), u64>>,
}

impl Offline {
    /// A world at a time, with a key.
    #[must_use]
    pub fn new(time: i64, key: impl Into<Vec<u8>>) -> Self {
        Self {
            time,
            key: key.into(),
            counts: std::cell::RefCell::default(),
        }
    }
}

impl Environment for Offline {
    fn time(&self) -> i64 {
        self.time
    }

    fn random(&self, purpose: &str, place: &str, length: usize) -> Vec<u8> {
        let mut counts = self.counts.borrow_mut();
        let count = counts
            .entry((purpose.to_owned(), place.to_owned()))
            .or_insert(0);
        let seed = format!("{}\0{purpose}\0{place}\0{count}", hex(&self.key));
        *count += 1;
        let mut bytes = Vec::with_capacity(length);
        let mut block = 0u64;
        while bytes.len() < length {
            let digest =
                <sha2::Sha256 as sha2::Digest>::digest(format!("{seed}\0{block}").as_bytes());
            bytes.extend_from_slice(digest.as_slice());
            block += 1;
        }
        bytes.truncate(length);
        bytes
    }

    fn lookup(&self, _: &Lookup<'_>) -> Result<Option<Value>, LookupError> {
        Ok(None)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
