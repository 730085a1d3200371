//! Objects as JSON and back.
//!
//! The original sends objects through JSON in two ways, and each leaves its own styles behind, which later steps can see.

use serde_json::Value;
use weir_k8s_yaml::{Mapping, Node, ResolveOptions, Schema, Style, Tag, resolve_data};

use crate::error::{Error, Result};
use crate::scalar;

/// A tree as JSON.
pub(crate) fn of(node: &Node) -> Result<Value> {
    Ok(resolve_data(node, &ResolveOptions::new(Schema::Kyaml))
        .map_err(Error::yaml)?
        .into_value())
}

/// A tree as JSON text with sorted keys.
pub(crate) fn text_of(node: &Node) -> Result<String> {
    Ok(resolve_data(node, &ResolveOptions::new(Schema::Kyaml))
        .map_err(Error::yaml)?
        .to_go_json())
}

/// JSON as the tree of its text: strings are in quotes.
pub(crate) fn tree(value: &Value) -> Node {
    let string = |text: &str| {
        let mut node = scalar::string(text);
        node.set_style(Style::DoubleQuoted);
        node
    };
    match value {
        Value::Null => Node::null(),
        Value::Bool(value) => Node::bool(*value),
        Value::Number(number) => Node::plain(number.to_string()),
        Value::String(text) => string(text),
        Value::Array(items) => Node::sequence(items.iter().map(tree).collect()),
        Value::Object(map) => Node::mapping(
            map.iter()
                .map(|(key, value)| (string(key), tree(value)))
                .collect::<Mapping>(),
        ),
    }
}

/// JSON that was decoded and printed as YAML, as JSON patches leave it: numbers went through 64-bit floats, and strings are
/// in quotes only where they have to be.
pub(crate) fn patched_tree(value: &Value) -> Node {
    match value {
        Value::Null => Node::null(),
        Value::Bool(value) => Node::bool(*value),
        Value::Number(number) => {
            let text = float_text(number.as_f64().unwrap_or_default());
            let tag = Schema::Kyaml.tag(&text);
            Node::tagged(text.into(), tag)
        }
        Value::String(text) => {
            let mut node = scalar::string(text.as_str());
            if text.contains('\n') {
                node.set_style(Style::Literal);
            } else if Schema::Sigs.tag(text) != Tag::Str || Schema::Kyaml.tag(text) != Tag::Str {
                node.set_style(Style::DoubleQuoted);
            }
            node
        }
        Value::Array(items) => Node::sequence(items.iter().map(patched_tree).collect()),
        Value::Object(map) => {
            let entries = map
                .iter()
                .map(|(key, value)| (scalar::string(key.as_str()), patched_tree(value)));
            Node::mapping(entries.collect::<Mapping>())
        }
    }
}

/// A float as Go's `%g` prints it: with an exponent from a million on.
fn float_text(value: f64) -> String {
    if value == 0.0 {
        return if value.is_sign_negative() {
            "-0".to_owned()
        } else {
            "0".to_owned()
        };
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_printed_as_go_prints_them() {
        for (value, expected) in [
            (8080.0, "8080"),
            (999_999.0, "999999"),
            (1_000_000.0, "1e+06"),
            (1_000_650_000.0, "1.00065e+09"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (-1.5, "-1.5"),
            (1e22, "1e+22"),
        ] {
            assert_eq!(float_text(value), expected);
        }
    }

    #[test]
    fn strings_keep_being_strings() {
        let node =
            patched_tree(&serde_json::json!({"a": "1", "b": "x\ny", "c": 1000000, "d": "plain"}));
        assert_eq!(node.get("a").unwrap().style(), Style::DoubleQuoted);
        assert_eq!(node.get("b").unwrap().style(), Style::Literal);
        assert_eq!(node.get("c").unwrap().as_str(), Some("1e+06"));
        assert_eq!(
            of(&node).unwrap(),
            serde_json::json!({"a": "1", "b": "x\ny", "c": 1000000, "d": "plain"})
        );
    }
}
