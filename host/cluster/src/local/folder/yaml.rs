//! Objects as YAML that people read: what it is first, then its metadata, its own fields in the order in which they were
//! applied, and its status last.

use serde_json::{Map, Value};
use weir_k8s_yaml::{
    EmitOptions, Mapping, Node, ParseOptions, Schema, Sequence, Style, Tag, YamlError, documents,
    emit, resolve,
};

/// What comes first in `metadata`.
const METADATA: [&str; 4] = ["name", "namespace", "labels", "annotations"];
/// What of `metadata` the cluster keeps by itself and a file does not show.
const KEPT: [&str; 6] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "deletionGracePeriodSeconds",
];

/// Why a file holds no object.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("{0}")]
    Yaml(#[from] YamlError),
    #[error("expected one object, found {found}")]
    Shape { found: &'static str },
    #[error("the object has no {0}")]
    Missing(&'static str),
}

/// The text of an object's file.
pub(crate) fn write(object: &Value) -> String {
    let shown = arrange(object);
    match node(&shown) {
        Some(node) => emit(&node, &EmitOptions::kyaml()).unwrap_or_else(|_| json(&shown)),
        None => json(&shown),
    }
}

/// The object in a file.
pub(crate) fn read(text: &str) -> Result<Value, ReadError> {
    let mut found = None;
    for document in documents(text, &ParseOptions::default()) {
        let value = resolve(&document?.root, Schema::Sigs)?;
        if value.is_null() {
            continue;
        }
        if found.is_some() {
            return Err(ReadError::Shape {
                found: "several documents",
            });
        }
        found = Some(value);
    }
    let value = found.ok_or(ReadError::Shape { found: "nothing" })?;
    if !value.is_object() {
        return Err(ReadError::Shape {
            found: "something that is no mapping",
        });
    }
    for (pointer, field) in [
        ("/apiVersion", "apiVersion"),
        ("/kind", "kind"),
        ("/metadata/name", "metadata.name"),
    ] {
        if value
            .pointer(pointer)
            .and_then(Value::as_str)
            .is_none_or(str::is_empty)
        {
            return Err(ReadError::Missing(field));
        }
    }
    Ok(value)
}

/// What a file shows of an object, in its order.
fn arrange(object: &Value) -> Value {
    let Value::Object(fields) = object else {
        return object.clone();
    };
    let mut shown = Map::new();
    for name in ["apiVersion", "kind"] {
        shown.extend(
            fields
                .get(name)
                .map(|value| (name.to_owned(), value.clone())),
        );
    }
    if let Some(Value::Object(metadata)) = fields.get("metadata") {
        let first = METADATA
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), metadata.get(*name)?.clone())));
        let mut arranged: Map<String, Value> = first.collect();
        let rest = metadata
            .iter()
            .filter(|(name, _)| !KEPT.contains(&name.as_str()));
        for (name, value) in rest {
            arranged
                .entry(name.clone())
                .or_insert_with(|| value.clone());
        }
        shown.insert("metadata".into(), Value::Object(arranged));
    }
    for (name, value) in fields.iter().filter(|(name, _)| *name != "status") {
        shown.entry(name.clone()).or_insert_with(|| value.clone());
    }
    shown.extend(
        fields
            .get("status")
            .map(|status| ("status".to_owned(), status.clone())),
    );
    Value::Object(shown)
}

/// The tree to write; `None` where YAML cannot say it.
fn node(value: &Value) -> Option<Node> {
    Some(match value {
        Value::Null => Node::null(),
        Value::Bool(value) => Node::bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(value) => Node::int(value),
            None => {
                // JSON's way of writing other numbers is not always YAML's.
                let text = number.to_string();
                if Schema::Sigs.tag(&text) != Tag::Float {
                    return None;
                }
                Node::tagged(text.into(), Tag::Float)
            }
        },
        Value::String(text) => string(text, text.contains('\n') && !legible_block(text)),
        Value::Array(items) => {
            let mut sequence = Sequence::new();
            for item in items {
                sequence.push(node(item)?);
            }
            Node::sequence(sequence)
        }
        Value::Object(entries) => {
            let mut mapping = Mapping::new();
            for (key, value) in entries {
                mapping.push(string(key, key.contains('\n')), node(value)?);
            }
            Node::mapping(mapping)
        }
    })
}

/// A text, quoted where a reader of YAML 1.1 would take it for something else (`yes`, `n`, `<<`) and where its whitespace
/// could get lost.
fn string(text: &str, quoted: bool) -> Node {
    let mut node = Node::string(text);
    let awkward = |c: char| c.is_control() && c != '\n';
    if quoted
        || Schema::Sigs.tag(text) != Tag::Str
        || text.contains(awkward)
        || text != text.trim_matches(' ')
    {
        node.set_style(Style::DoubleQuoted);
    }
    node
}

/// Whether a text of several lines stands as it is in a block.
fn legible_block(text: &str) -> bool {
    !text.starts_with([' ', '\n']) && text.lines().all(|line| !line.ends_with(' '))
}

/// JSON is YAML and says everything, but for a few characters that YAML wants escaped.
fn json(value: &Value) -> String {
    let mut text = String::new();
    for character in format!("{value:#}").chars() {
        match character {
            '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => text.push(other),
        }
    }
    text.push('\n');
    text
}
