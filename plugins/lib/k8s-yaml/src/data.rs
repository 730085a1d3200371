//! Plain data: what a document says once tags, anchors and styles are gone.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use crate::emit;
use crate::error::YamlError;
use crate::go_json::{self, Form};

/// A JSON value that borrows its strings, for output without copies.
///
/// It differs from [`Value`] in that integers and floats are told apart the way Go's YAML library tells them apart: a
/// float is never a whole number that 64 bits can hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Data<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`.
    Uint(u64),
    /// A finite number that is no 64-bit integer.
    Float(f64),
    /// A string.
    Str(Cow<'a, str>),
    /// A list.
    Seq(Vec<Data<'a>>),
    /// A map. Keys are unique; their order is the document's.
    Map(Vec<(Cow<'a, str>, Data<'a>)>),
}

impl<'a> Data<'a> {
    /// Views a JSON value.
    ///
    /// # Errors
    ///
    /// When it is nested more deeply than [`crate::Limits::MAX_DEPTH`].
    pub fn from_value(value: &'a Value) -> Result<Self, YamlError> {
        from_value(value, Floats::ThroughJson, 0)
    }

    /// Views a JSON value as Go does that has it in memory: its floats stay floats even if they are whole.
    ///
    /// # Errors
    ///
    /// See [`Data::from_value`].
    pub(crate) fn from_go_value(value: &'a Value) -> Result<Self, YamlError> {
        from_value(value, Floats::AsTheyAre, 0)
    }

    /// What encoding/json calls this in its errors.
    pub fn json_kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Uint(_) | Self::Float(_) => "number",
            Self::Str(_) => "string",
            Self::Seq(_) => "array",
            Self::Map(_) => "object",
        }
    }

    /// A number as Go's JSON encoder writes it and its YAML library reads it back: whole numbers become integers.
    #[must_use]
    pub fn from_float(value: f64) -> Self {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if value.fract() != 0.0 || value.abs() >= 1e21 {
            return Data::Float(value);
        }
        if value.abs() <= EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            return Data::Int(value as i64);
        }
        // Go prints the shortest digits and pads with zeros, as Rust does; the integer that is read back is that text's.
        let text = value.to_string();
        text.parse()
            .map(Data::Int)
            .or_else(|_| text.parse().map(Data::Uint))
            .unwrap_or(Data::Float(value))
    }

    /// The JSON value.
    #[must_use]
    pub fn into_value(self) -> Value {
        match self {
            Data::Null => Value::Null,
            Data::Bool(value) => Value::Bool(value),
            Data::Int(value) => Value::Number(value.into()),
            Data::Uint(value) => Value::Number(value.into()),
            Data::Float(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
            Data::Str(text) => Value::String(text.into_owned()),
            Data::Seq(items) => Value::Array(items.into_iter().map(Data::into_value).collect()),
            Data::Map(entries) => {
                let mut map = Map::with_capacity(entries.len());
                map.extend(
                    entries
                        .into_iter()
                        .map(|(key, value)| (key.into_owned(), value.into_value())),
                );
                Value::Object(map)
            }
        }
    }

    /// The value of a key of a map.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Data<'a>> {
        match self {
            Data::Map(entries) => entries
                .iter()
                .find(|entry| entry.0 == key)
                .map(|entry| &entry.1),
            Data::Null | Data::Bool(_) | Data::Int(_) | Data::Uint(_) => None,
            Data::Float(_) | Data::Str(_) | Data::Seq(_) => None,
        }
    }

    /// Writes it as `sigs.k8s.io/yaml` marshals: see [`crate::to_yaml`].
    ///
    /// # Errors
    ///
    /// When a string has a character that go-yaml does not read back from JSON (U+007F to U+009F).
    pub fn to_yaml(&self) -> Result<String, YamlError> {
        emit::tree_to_yaml(&self)
    }

    /// Writes it as JSON, keys in their order and strings escaped as little as JSON allows.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        go_json::write(self, Form::Short, &mut out);
        go_json::finished(out)
    }

    /// Writes it as Go's `encoding/json` does: see [`crate::to_go_json`].
    #[must_use]
    pub fn to_go_json(&self) -> String {
        let mut out = Vec::new();
        go_json::write(self, Form::Go, &mut out);
        go_json::finished(out)
    }
}

/// What becomes of whole floats.
#[derive(Clone, Copy)]
enum Floats {
    ThroughJson,
    AsTheyAre,
}

fn from_value(value: &Value, floats: Floats, depth: usize) -> Result<Data<'_>, YamlError> {
    emit::check_depth(depth)?;
    Ok(match value {
        Value::Null => Data::Null,
        Value::Bool(value) => Data::Bool(*value),
        Value::Number(number) => from_number(number, floats),
        Value::String(text) => Data::Str(Cow::Borrowed(text)),
        Value::Array(items) => {
            let items = items.iter().map(|item| from_value(item, floats, depth + 1));
            Data::Seq(items.collect::<Result<_, _>>()?)
        }
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| {
                Ok((
                    Cow::Borrowed(key.as_str()),
                    from_value(value, floats, depth + 1)?,
                ))
            });
            Data::Map(entries.collect::<Result<_, YamlError>>()?)
        }
    })
}

fn from_number(number: &Number, floats: Floats) -> Data<'static> {
    if let Some(value) = number.as_i64() {
        return Data::Int(value);
    }
    if let Some(value) = number.as_u64() {
        return Data::Uint(value);
    }
    match (number.as_f64(), floats) {
        (Some(value), Floats::ThroughJson) => Data::from_float(value),
        (Some(value), Floats::AsTheyAre) => Data::Float(value),
        (None, _) => Data::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn is_written_as_the_json_value_is() {
        let value = json!({"b": [1, 2.5, null, true, -7], "a": "x&\u{2028}\n\u{1}\u{7f}é\"\\", "\t": {}, "c": [], "d": u64::MAX, "e": 1e300});
        let data = Data::from_value(&value).unwrap();
        assert_eq!(data.to_json(), value.to_string());
        assert_eq!(Data::Float(f64::NAN).to_json(), "null");
    }
}
