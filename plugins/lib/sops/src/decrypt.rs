//! Decrypting one file.

use crate::cipher;
use crate::error::SopsError;
use crate::format::Format;
use crate::keys::{self, DataKeyError, Keys};
use crate::metadata::Metadata;
use crate::store;
use crate::tree::{Branch, Value};
use crate::walk::{Opener, Walk};

/// How strictly, and what happens without a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub mac: MacCheck,
    pub without_key: WithoutKey,
}

/// What is done about the MAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MacCheck {
    /// As kustomize-controller, which builds before it decrypts.
    #[default]
    Ignore,
    /// As sops: one that does not match is an error.
    Require,
}

/// What happens when there is no data key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WithoutKey {
    #[default]
    Fail,
    /// Values of the same types stand in; texts begin with [`crate::PLACEHOLDER`].
    Placeholders,
}

/// A file that was decrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct Decrypted {
    pub content: Vec<u8>,
    /// The fields that hold placeholders, as JSON pointers.
    pub placeholders: Vec<String>,
    /// Why there are placeholders.
    pub without_key: Option<DataKeyError>,
}

impl std::fmt::Debug for Decrypted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decrypted")
            .field("placeholders", &self.placeholders)
            .field("without_key", &self.without_key)
            .finish_non_exhaustive()
    }
}

/// What came of decrypting documents in place.
pub(crate) struct Outcome {
    pub(crate) placeholders: Vec<String>,
    pub(crate) without_key: Option<DataKeyError>,
}

/// Decrypts a file and writes it in a format.
///
/// # Errors
///
/// When the file is not encrypted, is damaged, no key opens it, or the output format cannot hold what is in it.
pub fn decrypt(
    content: &[u8],
    input: Format,
    output: Format,
    keys: &dyn Keys,
    options: &Options,
) -> Result<Decrypted, SopsError> {
    let (mut branches, metadata) =
        store::load(content, input).map_err(|source| SopsError::Load {
            format: input,
            source,
        })?;
    let outcome = decrypt_documents(&mut branches, &metadata, keys, options)?;
    let content = store::emit(&branches, output).map_err(|source| SopsError::Emit {
        from: input,
        to: output,
        source,
    })?;
    Ok(Decrypted {
        content,
        placeholders: outcome.placeholders,
        without_key: outcome.without_key,
    })
}

pub(crate) fn decrypt_documents(
    branches: &mut [Branch],
    metadata: &Metadata,
    keys: &dyn Keys,
    options: &Options,
) -> Result<Outcome, SopsError> {
    let key = match (keys::data_key(metadata, keys), options.without_key) {
        (Ok(key), _) => key,
        (Err(error), WithoutKey::Fail) => return Err(SopsError::DataKey(error)),
        (Err(error), WithoutKey::Placeholders) => {
            let mut walk = Walk::new(metadata, Opener::Placeholders);
            walk.documents(branches).map_err(SopsError::Walk)?;
            let (_, placeholders) = walk.finish();
            return Ok(Outcome {
                placeholders,
                without_key: Some(error),
            });
        }
    };
    let mut walk = Walk::new(metadata, Opener::Key(&key));
    walk.documents(branches).map_err(SopsError::Walk)?;
    let (mac, _) = walk.finish();
    if options.mac == MacCheck::Require {
        check_mac(metadata, &key, &mac)?;
    }
    Ok(Outcome {
        placeholders: Vec::new(),
        without_key: None,
    })
}

/// A MAC is a digest of plain texts, which could be guessed from it: none is shown.
fn check_mac(metadata: &Metadata, key: &[u8], computed: &str) -> Result<(), SopsError> {
    match cipher::decrypt(&metadata.mac, key, &metadata.last_modified) {
        Ok(Value::Text(text)) if text == computed => Ok(()),
        Ok(Value::Text(text)) if text.is_empty() => Err(SopsError::Mac("the file has no MAC")),
        Ok(_) => Err(SopsError::Mac(
            "the MAC does not match; a value was added, changed or removed without sops",
        )),
        Err(_) => Err(SopsError::Mac(
            "the MAC cannot be decrypted; it or lastmodified was changed without sops",
        )),
    }
}
