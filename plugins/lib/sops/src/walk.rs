//! Walking documents: decrypting values in order, and the MAC over them.

use base64::Engine;
use sha2::{Digest, Sha256, Sha512};
use thiserror::Error;

use crate::cipher::{self, CipherError};
use crate::metadata::Metadata;
use crate::number;
use crate::rules::Comments;
use crate::tree::{Branch, Comment, Key, Value};

/// What a MAC over encrypted values only begins with: the SHA-256 digest of the text `sops`.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
    0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// Why documents cannot be decrypted, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("Error walking tree: {problem}")]
pub struct WalkError {
    problem: WalkProblem,
    pointer: String,
}

/// Why a value cannot be decrypted. No variant has any part of a plain text in it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WalkProblem {
    #[error("Could not decrypt value: {0}")]
    Cipher(#[from] CipherError),
    #[error("Expected encrypted value as string, but got {0}")]
    NotEncrypted(&'static str),
    #[error("Cannot walk value, unknown type: {0}")]
    Unknown(&'static str),
    #[error("Tree contains a non-string key (type {kind}): {text}. Only string keys are supported")]
    Key { kind: &'static str, text: String },
}

impl WalkError {
    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &WalkProblem {
        &self.problem
    }

    /// The place of the value as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }
}

/// What stands in for values that cannot be decrypted.
pub(crate) enum Opener<'a> {
    Key(&'a [u8]),
    Placeholders,
}

/// Decrypts documents in place.
pub(crate) struct Walk<'a> {
    metadata: &'a Metadata,
    opener: Opener<'a>,
    /// The map keys of the value.
    path: Vec<String>,
    /// Keys and positions, for people.
    steps: Vec<String>,
    comments: Comments,
    hash: Sha512,
    placeholders: Vec<String>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(metadata: &'a Metadata, opener: Opener<'a>) -> Self {
        let mut hash = Sha512::new();
        if metadata.mac_only_encrypted {
            hash.update(ONLY_ENCRYPTED);
        }
        Self {
            metadata,
            opener,
            path: Vec::new(),
            steps: Vec::new(),
            comments: Comments::new(),
            hash,
            placeholders: Vec::new(),
        }
    }

    pub(crate) fn documents(&mut self, branches: &mut [Branch]) -> Result<(), WalkError> {
        for branch in branches {
            self.branch(branch).map_err(|problem| WalkError {
                problem,
                pointer: pointer(&self.steps),
            })?;
        }
        Ok(())
    }

    /// The MAC as sops writes it, and the places of placeholders.
    pub(crate) fn finish(self) -> (String, Vec<String>) {
        let digest = self.hash.finalize();
        let mut mac = String::with_capacity(128);
        for byte in digest {
            mac.push_str(&format!("{byte:02X}"));
        }
        (mac, self.placeholders)
    }

    /// Depth is bounded by what reads the documents. After an error the steps lead to the value.
    fn branch(&mut self, branch: &mut Branch) -> Result<(), WalkProblem> {
        self.comments.push(Vec::new());
        for entry in branch {
            let name = match &mut entry.key {
                Key::Comment(comment) => {
                    self.activate(&comment.text);
                    if let Some(text) = self.comment(&comment.text) {
                        *comment = text;
                    }
                    continue;
                }
                Key::Other { kind, text } => {
                    return Err(WalkProblem::Key {
                        kind,
                        text: text.clone(),
                    });
                }
                Key::Name(name) => name.clone(),
            };
            self.steps.push(name.clone());
            self.path.push(name);
            self.member(&mut entry.value)?;
            self.path.pop();
            self.steps.pop();
        }
        self.comments.pop();
        Ok(())
    }

    fn list(&mut self, items: &mut [Value]) -> Result<(), WalkProblem> {
        self.comments.push(Vec::new());
        for (at, item) in items.iter_mut().enumerate() {
            self.steps.push(at.to_string());
            self.member(item)?;
            self.steps.pop();
        }
        self.comments.pop();
        Ok(())
    }

    /// A value, after which the comments before it count no longer.
    fn member(&mut self, value: &mut Value) -> Result<(), WalkProblem> {
        if let Value::Comment(comment) = value {
            self.activate(&comment.text);
            if let Some(text) = self.comment(&comment.text) {
                *comment = text;
            }
            return Ok(());
        }
        self.value(value)?;
        if let Some(list) = self.comments.last_mut() {
            list.clear();
        }
        Ok(())
    }

    fn value(&mut self, value: &mut Value) -> Result<(), WalkProblem> {
        match value {
            Value::Null => Ok(()),
            Value::Map(branch) => self.branch(branch),
            Value::List(items) => self.list(items),
            Value::Uint(_) => Err(WalkProblem::Unknown(value.go_type())),
            Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Time(_)
            | Value::Text(_)
            | Value::Bytes(_)
            | Value::Comment(_) => self.leaf(value),
        }
    }

    fn leaf(&mut self, value: &mut Value) -> Result<(), WalkProblem> {
        let encrypted = self
            .metadata
            .rule
            .selects(&self.path, &self.comments, false);
        if encrypted {
            let Value::Text(text) = value else {
                if matches!(value, Value::Bytes(_)) {
                    return Err(CipherError::Form.into());
                }
                return Err(WalkProblem::NotEncrypted(value.go_type()));
            };
            *value = self.open(text)?;
        }
        if encrypted || !self.metadata.mac_only_encrypted {
            hash(value, &mut self.hash);
        }
        Ok(())
    }

    fn open(&mut self, text: &str) -> Result<Value, CipherError> {
        match self.opener {
            Opener::Key(key) => cipher::decrypt(text, key, &self.aad()),
            Opener::Placeholders => {
                let value = cipher::placeholder(text)?;
                if !text.is_empty() && !matches!(value, Value::Comment(_)) {
                    self.placeholders.push(pointer(&self.steps));
                }
                Ok(value)
            }
        }
    }

    /// Adds a comment to those that stand before what follows.
    fn activate(&mut self, text: &str) {
        if let Some(list) = self.comments.last_mut() {
            list.push(text.to_owned());
        }
    }

    /// A comment decrypted. What cannot be was never encrypted.
    fn comment(&self, text: &str) -> Option<Comment> {
        if !self.metadata.rule.selects(&self.path, &self.comments, true) {
            return None;
        }
        let opened = match self.opener {
            Opener::Key(key) => cipher::decrypt(text, key, &self.aad()),
            Opener::Placeholders => cipher::placeholder(text),
        };
        match opened {
            Ok(Value::Comment(comment)) => Some(comment),
            Ok(Value::Text(text)) => Some(Comment {
                text,
                inline: false,
            }),
            Ok(_) | Err(_) => None,
        }
    }

    fn aad(&self) -> String {
        let mut text = self.path.join(":");
        text.push(':');
        text
    }
}

fn hash(value: &Value, hash: &mut Sha512) {
    match value {
        Value::Bool(value) => hash.update(if *value { "True" } else { "False" }),
        Value::Int(value) => hash.update(value.to_string()),
        Value::Float(value) => hash.update(number::fixed(*value)),
        Value::Time(text) | Value::Text(text) => hash.update(text),
        Value::Bytes(bytes) => hash.update(bytes),
        // What decrypts to a comment is none of the values.
        Value::Comment(_) | Value::Null | Value::Uint(_) | Value::List(_) | Value::Map(_) => {}
    }
}

fn pointer(steps: &[String]) -> String {
    let mut text = String::new();
    for step in steps {
        text.push('/');
        text.push_str(&step.replace('~', "~0").replace('/', "~1"));
    }
    text
}

/// Letters and digits that are the same for as long as the encrypted text is; four divide its length, so that it is
/// base64 too.
pub(crate) fn placeholder_of(encrypted: &str) -> String {
    let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(encrypted));
    let letters = digest.chars().filter(char::is_ascii_alphanumeric);
    let rest = 32 - crate::PLACEHOLDER.len();
    let tail: String = letters.chain(std::iter::repeat('0')).take(rest).collect();
    format!("{}{tail}", crate::PLACEHOLDER)
}

#[cfg(test)]
mod tests;
