//! To and from the JSON model.

use serde_json::Number;

use super::{List, ListType, Map, MapType, Value};
use crate::Text;

/// How deep a value may nest when it becomes JSON or is copied; a map that contains itself ends here.
const MAX_DEPTH: usize = 500;

/// Why a value has no JSON form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// NaN, an infinity or a complex number.
    #[error("json: unsupported value: {0}")]
    Number(String),
    /// Too deep, or a map that contains itself.
    #[error("json: value nests deeper than {MAX_DEPTH} levels")]
    Depth,
}

impl Value {
    /// From JSON: integers become int64 (uint64 when they are larger), other numbers float64, null becomes nil.
    ///
    /// Values files and `fromYaml` know only float64: use [`Value::from_json_floats`] for them.
    pub fn from_json(json: &serde_json::Value) -> Self {
        convert(json, false)
    }

    /// From JSON as encoding/json decodes into `interface {}`: every number becomes float64.
    pub fn from_json_floats(json: &serde_json::Value) -> Self {
        convert(json, true)
    }

    /// To JSON, with the keys of maps sorted. Bytes become base64 text, as encoding/json writes them. A text that is no UTF-8
    /// gets U+FFFD.
    ///
    /// # Errors
    /// For NaN, infinities and complex numbers, and for a map that contains itself.
    pub fn to_json(&self) -> Result<serde_json::Value, JsonError> {
        self.json_at(0)
    }

    fn json_at(&self, depth: usize) -> Result<serde_json::Value, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::Depth);
        }
        Ok(match self {
            Self::Invalid | Self::Nil => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) | Self::Int64(value) => (*value).into(),
            Self::Int32(value) => (*value).into(),
            Self::Uint8(value) => (*value).into(),
            Self::Uint32(value) => (*value).into(),
            Self::Uint64(value) => (*value).into(),
            Self::Float(value) => match Number::from_f64(*value) {
                Some(number) => serde_json::Value::Number(number),
                None => return Err(JsonError::Number(crate::display(self).to_string())),
            },
            Self::Complex(..) => return Err(JsonError::Number(crate::display(self).to_string())),
            Self::Str(text) => text.lossy().into_owned().into(),
            Self::Bytes(bytes) => base64(bytes.as_bytes()).into(),
            Self::List(list) if list.is_nil() => serde_json::Value::Null,
            Self::List(list) => {
                let mut items = Vec::with_capacity(list.len());
                for item in list.iter() {
                    items.push(item.json_at(depth + 1)?);
                }
                items.into()
            }
            Self::Map(map) if map.is_nil() => serde_json::Value::Null,
            Self::Map(map) => {
                let mut entries = serde_json::Map::new();
                for (key, value) in map.entries() {
                    entries.insert(key.lossy().into_owned(), value.json_at(depth + 1)?);
                }
                entries.into()
            }
            Self::Object(object) => {
                if let Some(json) = object.json() {
                    json
                } else if let Some(value) = object.underlying() {
                    value.json_at(depth + 1)?
                } else {
                    let mut entries = serde_json::Map::new();
                    for (name, value) in object.fields() {
                        entries.insert(name.to_owned(), value.json_at(depth + 1)?);
                    }
                    entries.into()
                }
            }
        })
    }

    /// A copy that shares no map with the original.
    ///
    /// # Errors
    /// For a map that contains itself, or one nested too deeply.
    pub fn deep_copy(&self) -> Result<Self, JsonError> {
        self.copy_at(0)
    }

    fn copy_at(&self, depth: usize) -> Result<Self, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::Depth);
        }
        Ok(match self {
            Self::List(list) if !list.is_nil() => {
                let mut items = Vec::with_capacity(list.len());
                for item in list.iter() {
                    items.push(item.copy_at(depth + 1)?);
                }
                Self::List(List::new(list.list_type(), items))
            }
            Self::Map(map) if !map.is_nil() => {
                let entries =
                    map.read(|entries| entries.try_map(|value| value.copy_at(depth + 1)))?;
                Self::Map(Map::from_entries(map.map_type(), entries))
            }
            other => other.clone(),
        })
    }
}

fn convert(json: &serde_json::Value, floats: bool) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => match (floats, number.as_i64(), number.as_u64()) {
            (false, Some(value), _) => Value::Int64(value),
            (false, None, Some(value)) => Value::Uint64(value),
            _ => Value::Float(number.as_f64().unwrap_or(f64::INFINITY)),
        },
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => Value::List(List::new(
            &ListType::ANY,
            items.iter().map(|item| convert(item, floats)).collect(),
        )),
        serde_json::Value::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (Text::from(key), convert(value, floats)));
            Value::Map(Map::from_entries(&MapType::ANY, entries.collect()))
        }
    }
}

/// Standard base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for place in 0..4 {
            if place <= group.len() {
                let index = (bits >> (18 - 6 * place)) & 63;
                text.push(char::from(ALPHABET[index as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_base64() {
        for (bytes, expected) in [
            (&b""[..], ""),
            (b"a", "YQ=="),
            (b"ab", "YWI="),
            (b"abc", "YWJj"),
            (b"abcd", "YWJjZA=="),
        ] {
            assert_eq!(base64(bytes), expected);
        }
    }

    #[test]
    fn round_trip() {
        let json = serde_json::json!({"a": [1, 2.5, null, "x"], "b": {"c": true}});
        assert_eq!(Value::from_json(&json).to_json().unwrap(), json);
    }

    #[test]
    fn a_map_that_contains_itself_is_an_error() {
        let map = Map::new();
        map.insert("self", Value::Map(map.clone())).unwrap();
        assert_eq!(Value::Map(map.clone()).to_json(), Err(JsonError::Depth));
        map.remove("self");
    }
}
