//! What must hold for any input, as plain functions: property tests and fuzz targets call them.

use serde_json::Value;

use crate::emit::{EmitOptions, emit, emit_document, to_yaml, to_yaml_pretty};
use crate::limits::Limits;
use crate::node::Node;
use crate::parse::{ParseOptions, decode, documents, plain};
use crate::resolve::{ResolveOptions, from_str, from_yaml, resolve_data};
use crate::scalar::Schema;

/// Reads bytes in every way; nothing may panic, and whatever is read can be written and read again.
pub fn parser_survives(bytes: &[u8]) {
    let Ok(text) = decode(bytes) else {
        return;
    };
    for comments in [false, true] {
        let options = ParseOptions {
            comments,
            ..Default::default()
        };
        for document in documents(&text, &options) {
            let Ok(mut document) = document else {
                break;
            };
            for schema in [Schema::Sigs, Schema::Kyaml] {
                if let Ok(data) = resolve_data(&document.root, &ResolveOptions::new(schema)) {
                    let _ = data.to_yaml();
                    let _ = data.to_go_json();
                }
            }
            let _ = emit_document(&document, &EmitOptions::kyaml());
            if document.expand_aliases(&options.limits).is_ok() {
                let _ = emit_document(&document, &EmitOptions::go_yaml());
            }
        }
    }
    json_is_yaml(&text);
}

/// Writes a value and reads it back.
///
/// # Panics
///
/// When another value comes back.
pub fn value_round_trips(value: &Value) {
    if let Ok(text) = to_yaml(value) {
        let back =
            from_str(&text, Schema::Sigs).unwrap_or_else(|error| panic!("{error} in\n{text}"));
        assert_eq!(&back, value, "through\n{text}");
    }
    if !breaks_version_3(value)
        && let Ok(text) = to_yaml_pretty(value)
    {
        let back =
            from_str(&text, Schema::Kyaml).unwrap_or_else(|error| panic!("{error} in\n{text}"));
        assert_eq!(&back, value, "through\n{text}");
    }
}

/// Reads a text by the short ways, for JSON and for plain YAML, and by the long one.
///
/// # Panics
///
/// When they differ.
pub fn json_is_yaml(text: &str) {
    let Ok(value) = from_yaml(text, Schema::Sigs) else {
        assert_eq!(plain(text, &Limits::default()), None, "{text}");
        return;
    };
    assert_eq!(from_str(text, Schema::Sigs).ok(), Some(value), "{text}");
}

/// Makes a tree of a value, writes it in every form, and reads it back.
///
/// # Panics
///
/// When another value comes back.
pub fn tree_round_trips(value: &Value) {
    let (Ok(node), false) = (Node::from_value(value), breaks_version_3(value)) else {
        return;
    };
    for options in [
        EmitOptions::kyaml(),
        EmitOptions::wide(),
        EmitOptions::go_yaml(),
    ] {
        let text = emit(&node, &options).unwrap_or_else(|error| panic!("{error} for {value}"));
        let back =
            from_str(&text, Schema::Kyaml).unwrap_or_else(|error| panic!("{error} in\n{text}"));
        assert_eq!(&back, value, "through\n{text}");
    }
}

/// go-yaml v3 writes a few texts so that it cannot read them back: blocks whose first line starts with a tab, and, where
/// the indentation is not two, blocks in lists whose first line starts with a space or a break.
fn breaks_version_3(value: &Value) -> bool {
    let breaks =
        |text: &str| text.contains('\n') && text.starts_with(|first: char| first.is_whitespace());
    match value {
        Value::String(text) => breaks(text),
        Value::Array(items) => items.iter().any(breaks_version_3),
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| breaks(key) || breaks_version_3(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
