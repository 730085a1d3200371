//! The values of a HelmRelease: `spec.valuesFrom` and `spec.values`, folded as Flux's helm-controller does.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::error::{ReferenceError, ValuesError};
use crate::set::{SetError, set, set_string};
use crate::shared::{Shared, SharedMap, map_from, map_to, new_map};
use crate::values::read_yaml;

/// One entry of `spec.valuesFrom`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValuesReference {
    /// `Secret` or `ConfigMap`.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The key of its data.
    pub key: String,
    /// Where the value goes; empty if it is a whole values file.
    pub target_path: String,
    /// Whether it may be missing.
    pub optional: bool,
    /// Whether the value is taken as it stands.
    pub literal: bool,
}

impl ValuesReference {
    /// The key that is used when none is named.
    pub const DEFAULT_KEY: &'static str = "values.yaml";
}

/// Folds references and inline values. `resolve` gives the text of a reference, or `None` with the reason why there is none.
///
/// # Errors
///
/// When a reference that is not optional has no value, is no YAML map, or does not fit where it goes.
pub fn values_from(
    namespace: &str,
    references: &[ValuesReference],
    values: &Map<String, Value>,
    resolve: &mut dyn FnMut(&ValuesReference) -> Result<String, MissingValue>,
) -> Result<Map<String, Value>, ValuesError> {
    let mut inline = values.clone();
    inline.values_mut().for_each(crate::values::floats);
    let inline = map_from(&inline);
    let mut result = new_map();
    for reference in references {
        let fail = |reason: String| {
            ValuesError::Reference(Box::new(ReferenceError {
                optional: if reference.optional { "optional " } else { "" },
                kind: reference.kind.clone(),
                namespace: namespace.to_owned(),
                name: reference.name.clone(),
                key: reference.key.clone(),
                reason,
            }))
        };
        let text = match resolve(reference) {
            Ok(text) => text,
            Err(missing) if reference.optional && missing.absent => continue,
            Err(missing) => return Err(fail(missing.reason)),
        };
        if reference.target_path.is_empty() {
            let parsed = read_yaml(&text).map_err(|error| {
                fail(format!(
                    "unable to read values: error converting YAML to JSON: {error}"
                ))
            })?;
            match parsed {
                Value::Null => {}
                Value::Object(map) => result = merged(&result, &map_from(&map)),
                other => return Err(fail(not_a_map(&other))),
            }
            continue;
        }
        // The inline values are merged first, and what only they have stays shared with them: setting below it changes them
        // too, which is why a path into a map of the inline values wins over it.
        result = merged(&result, &inline);
        set_at(reference, &text, &result)
            .map_err(|error| fail(format!("unable to merge value: {error}")))?;
    }
    Ok(map_to(&merged(&result, &inline)))
}

/// Why a reference has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingValue {
    /// Whether object or key are not there, which `optional` allows.
    pub absent: bool,
    /// In words.
    pub reason: String,
}

fn set_at(reference: &ValuesReference, text: &str, values: &SharedMap) -> Result<(), SetError> {
    let path = &reference.target_path;
    if reference.literal {
        return set_string(&format!("{path}={}", escape(text)), values);
    }
    for quote in ['\'', '"'] {
        if text.starts_with(quote) && text.ends_with(quote) {
            return set_string(&format!("{path}={}", text.trim_matches(quote)), values);
        }
    }
    set(&format!("{path}={text}"), values)
}

/// Takes the meaning away from every character that has one.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | ',' | '[' | ']' | '{' | '}' | '=' | '.') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A new map with both: maps key by key, else the second wins. What only one has is shared with it.
fn merged(base: &SharedMap, more: &SharedMap) -> SharedMap {
    let mut out = base.borrow().clone();
    for (key, value) in more.borrow().iter() {
        let value = match (out.get(key), value) {
            (Some(Shared::Map(old)), Shared::Map(new)) => Shared::Map(merged(old, new)),
            (_, value) => value.clone(),
        };
        out.insert(key.clone(), value);
    }
    Rc::new(out.into())
}

fn not_a_map(value: &Value) -> String {
    format!(
        "unable to read values: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
        crate::values::json_kind(value)
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reference(name: &str, target_path: &str) -> ValuesReference {
        ValuesReference {
            kind: "ConfigMap".to_owned(),
            name: name.to_owned(),
            key: "k".to_owned(),
            target_path: target_path.to_owned(),
            ..ValuesReference::default()
        }
    }

    #[track_caller]
    fn check(references: &[ValuesReference], inline: &Value, expected: &Value) {
        // The text of a reference is its name.
        let folded = values_from(
            "ns",
            references,
            inline.as_object().unwrap(),
            &mut |reference| Ok(reference.name.clone()),
        );
        assert_eq!(Value::Object(folded.unwrap()), *expected);
    }

    #[test]
    fn inline_values_win_over_documents() {
        check(
            &[
                reference("{a: 1, m: {x: 1, w: [1]}}", ""),
                reference("{a: 2}", ""),
            ],
            &json!({"m": {"w": null}}),
            &json!({"a": 2.0, "m": {"x": 1.0, "w": null}}),
        );
    }

    #[test]
    fn paths_win_below_maps_of_the_inline_values() {
        check(
            &[reference("5", "m.x")],
            &json!({"m": {"x": "inline", "z": 1}}),
            &json!({"m": {"x": 5, "z": 1.0}}),
        );
        // A text at the top is merged over again, and so is one in a map that an earlier reference made.
        check(
            &[reference("5", "x")],
            &json!({"x": "inline"}),
            &json!({"x": "inline"}),
        );
        check(
            &[reference("{m: {q: 1}}", ""), reference("5", "m.x")],
            &json!({"m": {"x": "inline"}}),
            &json!({"m": {"q": 1.0, "x": "inline"}}),
        );
    }

    #[test]
    fn quotes_and_literals_are_text() {
        check(
            &[reference("\"5\"", "a.b")],
            &json!({}),
            &json!({"a": {"b": "5"}}),
        );
        let mut literal = reference("x={1},y", "a");
        literal.literal = true;
        check(&[literal], &json!({}), &json!({"a": "x={1},y"}));
    }

    #[test]
    fn missing_values() {
        let mut missing = |_: &ValuesReference| {
            Err(MissingValue {
                absent: true,
                reason: "not found".to_owned(),
            })
        };
        let mut one = reference("name", "");
        let error =
            values_from("ns", std::slice::from_ref(&one), &Map::new(), &mut missing).unwrap_err();
        assert_eq!(
            error.to_string(),
            "could not resolve ConfigMap chart values reference 'ns/name' with key 'k': not found"
        );
        one.optional = true;
        assert_eq!(
            values_from("ns", &[one], &Map::new(), &mut missing),
            Ok(Map::new())
        );
    }
}
