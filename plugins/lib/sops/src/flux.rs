//! What kustomize-controller 1.9 decrypts: files before the build, objects after it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use thiserror::Error;

use crate::decrypt::{Decrypted, Options, decrypt, decrypt_documents};
use crate::error::SopsError;
use crate::format::Format;
use crate::keys::{DataKeyError, Keys};
use crate::store;

/// A larger file is refused, encrypted or not.
pub const LARGEST_FILE: usize = 5 << 20;

/// The annotation of an object that is not decrypted if its value is `disabled`.
pub const ANNOTATION: &str = "kustomize.toolkit.fluxcd.io/decrypt";

/// Decrypts a file that a kustomization names, or gives `None` if it does not look encrypted. An empty format goes by the
/// name.
///
/// # Errors
///
/// When the file looks encrypted and cannot be decrypted, is too large, or the format has no store.
pub fn decrypt_file(
    name: &str,
    format: &str,
    content: &[u8],
    keys: &dyn Keys,
    options: &Options,
) -> Result<Option<Decrypted>, SopsError> {
    let format = match format {
        "" => Format::of_name(name),
        other => Format::parse(other).ok_or_else(|| SopsError::Format(other.to_owned()))?,
    };
    if content.len() > LARGEST_FILE {
        return Err(SopsError::TooLarge {
            size: content.len(),
            limit: LARGEST_FILE,
        });
    }
    if !format.marks(content) {
        return Ok(None);
    }
    decrypt(content, format, format, keys, options).map(Some)
}

/// An object that was decrypted.
#[derive(Clone, Debug, PartialEq)]
pub struct DecryptedObject {
    pub object: Value,
    /// The fields that hold placeholders, as JSON pointers.
    pub placeholders: Vec<String>,
    /// Why there are placeholders.
    pub without_key: Option<DataKeyError>,
}

/// Why an object was not decrypted.
#[derive(Debug, Error)]
pub enum ObjectError {
    #[error("failed to decrypt and format '{name}' {kind} data: {source}")]
    Object {
        /// `NAMESPACE/NAME`
        name: String,
        kind: String,
        source: SopsError,
    },
    #[error("failed to decrypt and format '{name}' Secret field '{field}': {source}")]
    Field {
        /// `NAMESPACE/NAME`
        name: String,
        field: String,
        source: SopsError,
    },
}

impl ObjectError {
    /// The field of the object that it is about, as a JSON pointer.
    #[must_use]
    pub fn pointer(&self) -> String {
        match self {
            Self::Object { source, .. } => source.pointer().unwrap_or_default().to_owned(),
            Self::Field { field, .. } => data_pointer(field),
        }
    }

    /// What went wrong.
    #[must_use]
    pub fn problem(&self) -> &SopsError {
        match self {
            Self::Object { source, .. } | Self::Field { source, .. } => source,
        }
    }
}

/// Decrypts an object that came out of a build: one of any kind that carries metadata as a whole, else the values of a
/// Secret's `data`. `None` if there was nothing to decrypt.
///
/// # Errors
///
/// When something looks encrypted and cannot be decrypted.
pub fn decrypt_object(
    object: &Value,
    keys: &dyn Keys,
    options: &Options,
) -> Result<Option<DecryptedObject>, ObjectError> {
    if opted_out(object) {
        return Ok(None);
    }
    if encrypted(object) {
        return decrypt_whole(object, keys, options).map(Some);
    }
    if text(object, "/kind") == "Secret" {
        return decrypt_fields(object, keys, options);
    }
    Ok(None)
}

fn decrypt_whole(
    object: &Value,
    keys: &dyn Keys,
    options: &Options,
) -> Result<DecryptedObject, ObjectError> {
    let failed = |source| ObjectError::Object {
        name: name(object),
        kind: text(object, "/kind").to_owned(),
        source,
    };
    let load = |source| SopsError::Load {
        format: Format::Json,
        source,
    };
    let mut branches = store::from_object(object)
        .map(|branch| vec![branch])
        .map_err(|error| failed(load(error)))?;
    let metadata = store::metadata(&mut branches).map_err(|error| failed(load(error)))?;
    let outcome = decrypt_documents(&mut branches, &metadata, keys, options).map_err(failed)?;
    let branch = branches.pop().unwrap_or_default();
    Ok(DecryptedObject {
        object: store::to_object(&branch),
        placeholders: outcome.placeholders,
        without_key: outcome.without_key,
    })
}

fn decrypt_fields(
    object: &Value,
    keys: &dyn Keys,
    options: &Options,
) -> Result<Option<DecryptedObject>, ObjectError> {
    let Some(data) = object.get("data").and_then(Value::as_object) else {
        return Ok(None);
    };
    let mut changed = Vec::new();
    let mut placeholders = Vec::new();
    let mut without_key = None;
    for (field, value) in data {
        // What is not base64 is told by whoever applies it.
        let Some(content) = value.as_str().and_then(|text| STANDARD.decode(text).ok()) else {
            continue;
        };
        let Some(format) = Format::detect(&content) else {
            continue;
        };
        let decrypted =
            decrypt(&content, format, Format::of_name(field), keys, options).map_err(|source| {
                ObjectError::Field {
                    name: name(object),
                    field: field.clone(),
                    source,
                }
            })?;
        if !decrypted.placeholders.is_empty() {
            placeholders.push(data_pointer(field));
        }
        without_key = without_key.or(decrypted.without_key);
        changed.push((field.clone(), STANDARD.encode(&decrypted.content)));
    }
    if changed.is_empty() {
        return Ok(None);
    }
    let mut object = object.clone();
    if let Some(data) = object.get_mut("data").and_then(Value::as_object_mut) {
        data.extend(
            changed
                .into_iter()
                .map(|(field, text)| (field, Value::String(text))),
        );
    }
    Ok(Some(DecryptedObject {
        object,
        placeholders,
        without_key,
    }))
}

/// Whether the object asks to be left alone.
#[must_use]
pub fn opted_out(object: &Value) -> bool {
    let value = object
        .get("metadata")
        .and_then(|metadata| metadata.get("annotations"))
        .and_then(|annotations| annotations.get(ANNOTATION))
        .and_then(Value::as_str);
    value.is_some_and(|value| value.eq_ignore_ascii_case("disabled"))
}

/// Whether the object is encrypted as a whole: it has metadata with a MAC.
#[must_use]
pub fn encrypted(object: &Value) -> bool {
    match object.pointer("/sops/mac") {
        None | Some(Value::Null) => false,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(map)) => !map.is_empty(),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => true,
    }
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn name(object: &Value) -> String {
    let namespace = text(object, "/metadata/namespace");
    format!("{namespace}/{}", text(object, "/metadata/name"))
}

fn data_pointer(field: &str) -> String {
    format!("/data/{}", field.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests;
