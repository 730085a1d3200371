//! Values files: reading and merging.

use serde_json::{Map, Number, Value};
use weir_k8s_yaml::{Schema, from_str, read_str};

use crate::error::ValuesError;
use crate::profile::Profile;
use crate::shared::{Shared, SharedMap, map_from};

/// Reads a values file. Its numbers are floats, as they are in Go.
///
/// # Errors
///
/// When the text is no YAML, or says something else than a map.
pub fn read_values(text: &str, profile: Profile) -> Result<Map<String, Value>, ValuesError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !profile.merges_documents() {
        return read_map(text, "");
    }
    if is_one_document(text) {
        return read_map(text, UNMARSHAL);
    }
    let mut values = Map::new();
    let mut document = String::new();
    for line in text.split_inclusive('\n') {
        let Some(rest) = line.strip_prefix("---") else {
            document.push_str(line);
            continue;
        };
        let rest = rest.trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            return Err(ValuesError::Document {
                prefix: "error reading yaml document: ",
                message: format!("invalid Yaml document separator: {rest}"),
            });
        }
        if !document.is_empty() {
            merge_into(&mut values, read_map(&document, UNMARSHAL)?);
            document.clear();
        } else {
            document.push_str(line);
        }
    }
    if !document.is_empty() {
        merge_into(&mut values, read_map(&document, UNMARSHAL)?);
    }
    Ok(values)
}

/// Reads the values file of a chart as [`read_values`] does.
pub(crate) fn read_defaults(text: &str, profile: Profile) -> Result<SharedMap, ValuesError> {
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    if is_one_document(bare) {
        let read = read_str(bare, Schema::Sigs, Shared::from_data);
        if let Ok(Shared::Map(map)) = read {
            return Ok(map);
        }
    }
    Ok(map_from(&read_values(text, profile)?))
}

/// Whether no document can follow the first.
fn is_one_document(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("---") && !text.contains("\n---")
}

const UNMARSHAL: &str = "cannot unmarshal yaml document: ";

fn read_map(text: &str, prefix: &'static str) -> Result<Map<String, Value>, ValuesError> {
    match read_yaml(text).map_err(|error| ValuesError::yaml(prefix, &error))? {
        Value::Null => Ok(Map::new()),
        Value::Object(map) => Ok(map),
        other => Err(ValuesError::Document {
            prefix,
            message: format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                json_kind(&other)
            ),
        }),
    }
}

/// The first document of a YAML text as Go programs with untyped targets see it: all numbers are floats.
///
/// # Errors
///
/// When the text is no YAML or cannot be said in JSON.
pub fn read_yaml(text: &str) -> Result<Value, weir_k8s_yaml::YamlError> {
    let mut value = from_str(text, Schema::Sigs)?;
    floats(&mut value);
    Ok(value)
}

/// Makes all numbers floats.
pub fn floats(value: &mut Value) {
    match value {
        Value::Number(number) if !number.is_f64() => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(floats),
        Value::Object(map) => map.values_mut().for_each(floats),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What JSON calls a value.
pub(crate) fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Merges `more` over `base`: maps key by key, anything else replaces what is there, nulls too.
pub fn merge_into(base: &mut Map<String, Value>, more: Map<String, Value>) {
    for (key, value) in more {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge_into(old, new),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, profile: Profile, expected: Value) {
        assert_eq!(Value::Object(read_values(text, profile).unwrap()), expected);
    }

    #[test]
    fn documents_are_merged_in_helm_4() {
        let text = "a: 1\nm: {x: 1}\n---\nb: 2\nm: {z: 2}\n";
        check(
            text,
            Profile::Helm4,
            json!({"a": 1.0, "b": 2.0, "m": {"x": 1.0, "z": 2.0}}),
        );
        check(text, Profile::Helm3, json!({"a": 1.0, "m": {"x": 1.0}}));
        check("--- # first\na: 1\n", Profile::Helm4, json!({"a": 1.0}));
        check("# nothing\n", Profile::Helm4, json!({}));
        check("", Profile::Helm4, json!({}));
    }

    #[test]
    fn what_is_no_map_is_refused() {
        let error = read_values("- a\n", Profile::Helm4).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot unmarshal yaml document: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}"
        );
        assert!(read_values("a: 1\n--- b: 2\n", Profile::Helm4).is_err());
    }
}
