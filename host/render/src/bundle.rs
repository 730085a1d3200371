//! Bundles: what a recipe yields.

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use weir_api::kustomize::CommonMetadata;
use weir_plugin::{Document, Identity};
use weir_tree::Digest;

use crate::trace::Hash;

/// An ordered set of objects, addressed by content.
#[derive(Clone, Debug)]
pub struct Bundle {
    pub documents: Vec<Document>,
    /// Results beside the objects.
    pub attachments: Vec<(String, Bytes)>,
    /// Of documents and attachments; keyed if the bundle is tainted. A renderer that keeps nothing takes none.
    pub digest: Option<Digest>,
    /// Whether secret bytes went into it: then it never leaves the process.
    pub tainted: bool,
    /// Values that would differ with the real random key; none if there was one.
    pub placeholders: Vec<Placeholder>,
}

/// A value that was made with the public key in place of the real one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder {
    pub object: Identity,
    /// A JSON pointer.
    pub pointer: String,
}

/// The digest of a set of documents in their order; keyed with `key` if given, so that it tells nothing about secrets.
pub fn digest(
    documents: &[Document],
    attachments: &[(String, Bytes)],
    key: Option<&[u8; 32]>,
) -> Digest {
    let mut hash = Hash::default();
    hash.number(documents.len() as u64);
    for document in documents {
        hash.text(document.body());
    }
    for (name, body) in attachments {
        hash.text(name);
        hash.bytes(body);
    }
    keyed(hash.done(), key)
}

/// A digest that cannot be recomputed without the key.
pub fn keyed(digest: Digest, key: Option<&[u8; 32]>) -> Digest {
    let Some(key) = key else { return digest };
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(digest.as_bytes());
    Digest::from_bytes(mac.finalize().into_bytes().into())
}

/// Forces labels and annotations onto an object.
pub(crate) fn force_metadata(object: &mut Value, common: &CommonMetadata) {
    for (field, entries) in [
        ("labels", &common.labels),
        ("annotations", &common.annotations),
    ] {
        if entries.is_empty() {
            continue;
        }
        let Some(fields) = object.as_object_mut() else {
            return;
        };
        let metadata = fields
            .entry("metadata")
            .or_insert_with(|| Value::Object(serde_json::Map::new()));
        let Some(metadata) = metadata.as_object_mut() else {
            return;
        };
        let map = metadata.entry(field).or_insert(Value::Null);
        if !map.is_object() {
            *map = Value::Object(serde_json::Map::new());
        }
        let Some(map) = map.as_object_mut() else {
            return;
        };
        for (name, value) in entries {
            map.insert(name.clone(), Value::String(value.clone()));
        }
    }
}

/// The places at which two runs of one step with different random keys differ.
pub(crate) fn differences(first: &[Document], second: &[Document]) -> Vec<Placeholder> {
    let mut found = Vec::new();
    for (a, b) in first.iter().zip(second) {
        let (left, right) = (a.body(), b.body());
        if left == right {
            continue;
        }
        let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
        let mut pointers = Vec::new();
        compare(
            &parse(left),
            &parse(right),
            &mut String::new(),
            &mut pointers,
        );
        found.extend(pointers.into_iter().map(|pointer| Placeholder {
            object: a.identity().clone(),
            pointer,
        }));
    }
    found
}

/// Values come from parsed JSON, whose depth the parser bounds.
fn compare(a: &Value, b: &Value, at: &mut String, found: &mut Vec<String>) {
    match (a, b) {
        (Value::Object(a), Value::Object(b))
            if a.len() == b.len() && a.keys().all(|key| b.contains_key(key)) =>
        {
            for (key, value) in a {
                descend(
                    &key.replace('~', "~0").replace('/', "~1"),
                    value,
                    &b[key],
                    at,
                    found,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                descend(&index.to_string(), a, b, at, found);
            }
        }
        _ if a != b => found.push(at.clone()),
        _ => {}
    }
}

fn descend(part: &str, a: &Value, b: &Value, at: &mut String, found: &mut Vec<String>) {
    let length = at.len();
    at.push('/');
    at.push_str(part);
    compare(a, b, at, found);
    at.truncate(length);
}
