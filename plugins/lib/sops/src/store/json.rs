//! JSON: an object at the top, order and duplicate keys kept.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use weir_k8s_yaml::{Data, go_float};

use super::{EmitError, LoadError, MAX_DEPTH, key_text};
use crate::number;
use crate::tree::{Branch, Entry, Key, Value};

/// Reads the first value of a text. What stands behind it is ignored, as by sops.
pub(super) fn load(content: &[u8]) -> Result<Branch, LoadError> {
    let text = String::from_utf8_lossy(content);
    match text.trim_start().chars().next() {
        Some('{') => {}
        Some('[') => return Err(LoadError::JsonArray),
        Some('"' | '-' | 't' | 'f' | 'n' | '0'..='9') => return Err(LoadError::JsonScalar),
        _ => return Err(LoadError::Json("there is no JSON object".to_owned())),
    }
    let mut reader = serde_json::Deserializer::from_str(&text);
    let value = Reader.deserialize(&mut reader);
    value
        .map_err(|error| LoadError::Json(error.to_string()))?
        .into_map()
        .ok_or(LoadError::JsonScalar)
}

/// Builds values; serde_json bounds the depth.
#[derive(Clone, Copy)]
struct Reader;

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(unsigned(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut branch = Branch::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self)?;
            branch.push(Entry::new(name, value));
        }
        Ok(Value::Map(branch))
    }
}

/// What 64 bits with a sign cannot hold is a float.
#[expect(clippy::cast_precision_loss, reason = "as Go reads the number")]
fn unsigned(value: u64) -> Value {
    i64::try_from(value).map_or(Value::Float(value as f64), Value::Int)
}

/// The document of a Kubernetes object.
pub(crate) fn from_object(object: &Json) -> Result<Branch, LoadError> {
    from_json(object, 0)?
        .into_map()
        .ok_or(LoadError::JsonScalar)
}

fn from_json(value: &Json, depth: usize) -> Result<Value, LoadError> {
    if depth > MAX_DEPTH {
        return Err(LoadError::Depth);
    }
    Ok(match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(value), ..) => Value::Int(value),
            (None, Some(value), _) => unsigned(value),
            (None, None, Some(value)) => Value::Float(value),
            (None, None, None) => Value::Null,
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => {
            let items = items.iter().map(|item| from_json(item, depth + 1));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        Json::Object(map) => {
            let entries = map
                .iter()
                .map(|(name, value)| Ok(Entry::new(name, from_json(value, depth + 1)?)));
            Value::Map(entries.collect::<Result<_, LoadError>>()?)
        }
    })
}

/// The object that a document is, as it is read back from what the store writes.
pub(crate) fn to_object(branch: &Branch) -> Json {
    let entries = branch
        .iter()
        .filter(|entry| !matches!(entry.key, Key::Comment(_)))
        .map(|entry| (key_text(&entry.key).to_owned(), to_json(&entry.value)));
    Json::Object(entries.collect())
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Uint(value) => Json::from(*value),
        Value::Float(value) => Data::from_float(*value).into_value(),
        Value::Time(text) | Value::Text(text) => Json::String(text.clone()),
        Value::Bytes(bytes) => Json::String(readable(bytes)),
        Value::Comment(comment) => Json::String(comment.text.clone()),
        Value::List(items) => {
            let items = items
                .iter()
                .filter(|item| !matches!(item, Value::Comment(_)));
            Json::Array(items.map(to_json).collect())
        }
        Value::Map(branch) => to_object(branch),
    }
}

pub(super) fn emit(branch: &Branch) -> Result<Vec<u8>, EmitError> {
    let mut out = String::new();
    write_map(branch, 0, &mut out)?;
    out.push('\n');
    Ok(out.into_bytes())
}

fn write(value: &Value, depth: usize, out: &mut String) -> Result<(), EmitError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Uint(value) => out.push_str(&value.to_string()),
        Value::Float(value) if value.is_finite() => out.push_str(&go_float(*value)),
        Value::Float(value) => return Err(EmitError::JsonNumber(number::fixed(*value))),
        Value::Time(text) | Value::Text(text) => write_text(text, out),
        Value::Bytes(bytes) => write_text(&readable(bytes), out),
        Value::Comment(comment) => write_text(&comment.text, out),
        Value::List(items) => write_list(items, depth, out)?,
        Value::Map(branch) => write_map(branch, depth, out)?,
    }
    Ok(())
}

fn write_list(items: &[Value], depth: usize, out: &mut String) -> Result<(), EmitError> {
    let items = items
        .iter()
        .filter(|item| !matches!(item, Value::Comment(_)));
    write_container(['[', ']'], items, depth, out, |item, out| {
        write(item, depth + 1, out)
    })
}

fn write_map(branch: &Branch, depth: usize, out: &mut String) -> Result<(), EmitError> {
    let entries = branch
        .iter()
        .filter(|entry| !matches!(entry.key, Key::Comment(_)));
    write_container(['{', '}'], entries, depth, out, |entry, out| {
        write_text(key_text(&entry.key), out);
        out.push_str(": ");
        write(&entry.value, depth + 1, out)
    })
}

/// One line for each member, a tab for each level.
fn write_container<T>(
    brackets: [char; 2],
    members: impl Iterator<Item = T>,
    depth: usize,
    out: &mut String,
    mut write_member: impl FnMut(T, &mut String) -> Result<(), EmitError>,
) -> Result<(), EmitError> {
    if depth > MAX_DEPTH {
        return Err(EmitError::Depth);
    }
    let line = |depth: usize, out: &mut String| {
        out.push('\n');
        out.extend(std::iter::repeat_n('\t', depth));
    };
    out.push(brackets[0]);
    let mut empty = true;
    for member in members {
        if !empty {
            out.push(',');
        }
        line(depth + 1, out);
        write_member(member, out)?;
        empty = false;
    }
    if !empty {
        line(depth, out);
    }
    out.push(brackets[1]);
    Ok(())
}

fn write_text(text: &str, out: &mut String) {
    out.push_str(&Data::Str(text.into()).to_go_json());
}

/// Go writes a replacement character for each byte that is no text.
fn readable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n('\u{fffd}', chunk.invalid().len()));
    }
    text
}
