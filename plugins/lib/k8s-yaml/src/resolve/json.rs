//! JSON without the detour through YAML.

use serde_json::Value;

use crate::data::Data;
use crate::limits::Limits;

/// Reads a text that is JSON, if that gives what reading it as YAML gives.
pub(super) fn read(text: &str, limits: &Limits) -> Option<Value> {
    // A value takes at least two bytes, so a text this short cannot hit the limit on nodes.
    if !begins(text) || text.len() > limits.input.min(limits.nodes) || means_more_to_yaml(text) {
        return None;
    }
    let mut value = serde_json::from_str(text).ok()?;
    normalise_floats(&mut value);
    Some(value)
}

/// Whether a text may be JSON.
pub(super) fn begins(text: &str) -> bool {
    text.trim_start_matches([' ', '\n', '\r', '\t'])
        .starts_with(['{', '['])
}

/// Whether there are characters that YAML refuses, or takes for line breaks.
fn means_more_to_yaml(text: &str) -> bool {
    let bytes = text.as_bytes();
    let suspicious = bytes.iter().fold(false, |found, byte| {
        found | matches!(byte, 0x7f | 0xc2 | 0xe2 | 0xef)
    });
    suspicious
        && text.chars().any(|character| {
            matches!(
                character,
                '\u{7f}'
                    ..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
            )
        })
}

/// Whole floats are integers in YAML's way. The reader bounds the depth to 128.
fn normalise_floats(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            if let Some(float) = number.as_f64() {
                *value = Data::from_float(float).into_value();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(normalise_floats),
        Value::Object(map) => map.values_mut().for_each(normalise_floats),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
