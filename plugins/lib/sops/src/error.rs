//! What can go wrong when a file or an object is decrypted.

use thiserror::Error;

use crate::format::Format;
use crate::keys::DataKeyError;
use crate::store::{EmitError, LoadError};
use crate::walk::WalkError;

/// Why something was not decrypted, in the words of kustomize-controller and sops. It never shows a plain text.
#[derive(Debug, Error)]
pub enum SopsError {
    #[error("failed to load encrypted {format} data: {source}")]
    Load { format: Format, source: LoadError },
    #[error("cannot get sops data key: {0}")]
    DataKey(#[source] DataKeyError),
    #[error("error decrypting sops tree: {0}")]
    Walk(#[source] WalkError),
    #[error("failed to verify sops data integrity: {0}")]
    Mac(&'static str),
    #[error("failed to emit encrypted {from} file as decrypted {to}: {source}")]
    Emit {
        from: Format,
        to: Format,
        source: EmitError,
    },
    #[error("cannot decrypt file with size ({size} bytes) exceeding limit ({limit})")]
    TooLarge { size: usize, limit: usize },
    #[error("{0:?} is not a format; there are yaml, json, dotenv, ini and binary")]
    Format(String),
}

impl SopsError {
    /// The field that it is about, as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        match self {
            Self::Walk(error) => Some(error.pointer()),
            Self::Load { .. }
            | Self::DataKey(_)
            | Self::Mac(_)
            | Self::Emit { .. }
            | Self::TooLarge { .. }
            | Self::Format(_) => None,
        }
    }
}
