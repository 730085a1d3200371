//! Stores: from the bytes of a file to documents and back.

mod dotenv;
mod ini;
mod json;
mod yaml;

use thiserror::Error;
use weir_k8s_yaml::YamlError;

use crate::format::Format;
use crate::metadata::{self, Metadata, MetadataError};
use crate::tree::{Branch, Comment, Key, Value};
use crate::{number, time};

pub(crate) use json::{from_object, to_object};

/// The deepest nesting of a document.
pub(crate) const MAX_DEPTH: usize = 200;

/// Why an encrypted file cannot be read. No variant has any part of a value in it.
#[derive(Debug, Error)]
pub enum LoadError {
    #[error("{0}")]
    Metadata(#[from] MetadataError),
    #[error("the file is not UTF-8")]
    Encoding,
    #[error("{0}")]
    Yaml(#[source] YamlError),
    #[error(
        "yaml: unmarshal errors:\n  line {line}: cannot unmarshal {what} into map[string]interface {{}}"
    )]
    YamlRoot { line: u32, what: &'static str },
    #[error(
        "yaml: unmarshal errors:\n  line {line}: mapping key {key:?} already defined at line {first}"
    )]
    YamlDuplicate { line: u32, key: String, first: u32 },
    #[error("Error unmarshaling input YAML: YAML documents that are {0} are not supported")]
    YamlDocument(&'static str),
    #[error("Error unmarshaling input YAML: unknown anchor '{0}' referenced")]
    YamlAnchor(String),
    #[error("Error unmarshaling input YAML: {0}")]
    YamlAliases(&'static str),
    #[error("Could not unmarshal input data: {0}")]
    Json(String),
    #[error(
        "Could not unmarshal input data: SOPS only supports JSON files with a top-level object (starting with '{{'), not arrays or other types. Got delimiter [ instead. To encrypt this file, wrap it in an object, e.g., {{\"data\": [...]}}"
    )]
    JsonArray,
    #[error(
        "Could not unmarshal input data: SOPS only supports JSON files with a top-level object (starting with '{{'), not other JSON types"
    )]
    JsonScalar,
    #[error("invalid dotenv input line: line {0} has no \"=\"")]
    Dotenv(usize),
    #[error("Could not unmarshal input data: line {line}: {what}")]
    Ini { line: usize, what: &'static str },
    #[error("the document is nested too deeply")]
    Depth,
}

/// Why decrypted documents cannot be written in a format.
#[derive(Debug, Error)]
pub enum EmitError {
    #[error("error emitting binary store: there must be exactly one tree branch")]
    BinaryDocuments,
    #[error("error emitting binary store: 'data' key in tree does not have a string value")]
    BinaryType,
    #[error("error emitting binary store: no binary data found in tree")]
    BinaryMissing,
    #[error("cannot use complex value in dotenv file; offending key {0}")]
    DotenvComplex(String),
    #[error(
        "Error marshaling to INI: Error encoding section: Section values should always be TreeBranches"
    )]
    IniSection,
    #[error(
        "Error marshaling to INI: Error encoding key: cannot use complex value; offending key {0}"
    )]
    IniComplex(String),
    #[error("Error marshaling to INI: Error encoding {what}: empty {what} name")]
    IniEmpty { what: &'static str },
    #[error("Error marshaling to json: json: unsupported value: {0}")]
    JsonNumber(String),
    #[error("Error marshaling to YAML: {0}")]
    Yaml(#[source] YamlError),
    #[error("there is no document")]
    NoDocument,
    #[error("the document is nested too deeply")]
    Depth,
}

/// An encrypted file: its documents without metadata, and the metadata.
pub(crate) fn load(content: &[u8], format: Format) -> Result<(Vec<Branch>, Metadata), LoadError> {
    let mut branches = match format {
        Format::Yaml => yaml::load(content)?,
        Format::Json | Format::Binary => vec![json::load(content)?],
        Format::Dotenv => vec![dotenv::load(content)?],
        Format::Ini => vec![ini::load(content)?],
    };
    let entry = match format {
        Format::Yaml | Format::Json | Format::Binary => metadata::take_entry(&mut branches)?,
        Format::Ini => {
            let mut flat = metadata::take_entry(&mut branches)?;
            for entry in &mut flat {
                if let Value::Text(text) = &mut entry.value {
                    *text = text.replace("\\n", "\n");
                }
            }
            metadata::unflatten(flat)?
        }
        Format::Dotenv => {
            let flat = branches.first_mut().map(metadata::take_prefixed);
            metadata::unflatten(flat.unwrap_or(Err(MetadataError::NotFound))?)?
        }
    };
    let metadata = Metadata::read(&entry)?;
    Ok((branches, metadata))
}

/// The metadata of documents that have no format, taken out of them.
pub(crate) fn metadata(branches: &mut [Branch]) -> Result<Metadata, LoadError> {
    Ok(Metadata::read(&metadata::take_entry(branches)?)?)
}

/// Documents in a format, without metadata.
pub(crate) fn emit(branches: &[Branch], format: Format) -> Result<Vec<u8>, EmitError> {
    let first = || branches.first().ok_or(EmitError::NoDocument);
    match format {
        Format::Yaml => yaml::emit(branches),
        Format::Json => json::emit(first()?),
        Format::Dotenv => dotenv::emit(first()?),
        Format::Ini => ini::emit(branches),
        Format::Binary => binary(branches),
    }
}

fn binary(branches: &[Branch]) -> Result<Vec<u8>, EmitError> {
    let [branch] = branches else {
        return Err(EmitError::BinaryDocuments);
    };
    let data = branch.iter().find(|entry| entry.name() == Some("data"));
    match data.map(|entry| &entry.value) {
        Some(Value::Text(text)) => Ok(text.clone().into_bytes()),
        Some(Value::Bytes(bytes)) => Ok(bytes.clone()),
        Some(_) => Err(EmitError::BinaryType),
        None => Err(EmitError::BinaryMissing),
    }
}

/// A scalar in a format that has only texts; `None` for maps and lists.
fn scalar_text(value: &Value) -> Option<Vec<u8>> {
    let text = match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Float(value) => number::capital(*value),
        Value::Time(text) => time::without_fraction(text),
        Value::Text(text) | Value::Comment(Comment { text, .. }) => text.clone(),
        Value::Bytes(bytes) => return Some(bytes.clone()),
        Value::List(_) | Value::Map(_) => return None,
    };
    Some(text.into_bytes())
}

/// A key as it is written; only what was read from YAML can be another than a name, and the walk refuses it.
fn key_text(key: &Key) -> &str {
    match key {
        Key::Name(name) => name,
        Key::Comment(comment) => &comment.text,
        Key::Other { text, .. } => text,
    }
}

#[cfg(test)]
mod tests;
