//! `len`, `index` and `slice`.

use crate::error::FuncError;
use crate::value::List;
use crate::{Text, Value};

pub(super) fn length(of: &Value) -> Result<Value, FuncError> {
    let length = match of {
        Value::Invalid => {
            return Err(FuncError::panic(
                "reflect: call of reflect.Value.Type on zero Value",
            ));
        }
        Value::Nil => return Err(FuncError::new("len of nil pointer")),
        Value::Str(text) | Value::Bytes(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        other => {
            return Err(FuncError::new(format!(
                "len of type {}",
                pointed_at(other.type_name())
            )));
        }
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

pub(super) fn index(item: &Value, keys: &[Value]) -> Result<Value, FuncError> {
    if item.is_nil() {
        return Err(FuncError::new("index of untyped nil"));
    }
    let mut item = item.clone();
    for key in keys {
        item = match &item {
            Value::Invalid | Value::Nil => return Err(FuncError::new("index of nil pointer")),
            Value::Str(text) => match text.as_bytes().get(place(key, text.len())?) {
                Some(byte) => Value::Uint8(*byte),
                None => return Err(FuncError::panic("reflect: string index out of range")),
            },
            Value::Bytes(bytes) => match bytes.as_bytes().get(place(key, bytes.len())?) {
                Some(byte) => Value::Uint8(*byte),
                None => return Err(FuncError::panic("reflect: slice index out of range")),
            },
            Value::List(list) => match list.get(place(key, list.len())?) {
                Some(item) => item.clone(),
                None => return Err(FuncError::panic("reflect: slice index out of range")),
            },
            Value::Map(map) => match key {
                Value::Str(key) => map
                    .get(key)
                    .unwrap_or_else(|| Value::zero(map.map_type().elem)),
                key if key.is_nil() => {
                    return Err(FuncError::new("value is nil; should be of type string"));
                }
                key => {
                    return Err(FuncError::new(format!(
                        "value has type {}; should be string",
                        key.type_name()
                    )));
                }
            },
            other => {
                let message = format!("can't index item of type {}", pointed_at(other.type_name()));
                return Err(FuncError::new(message));
            }
        };
    }
    Ok(item)
}

pub(super) fn slice(item: &Value, bounds: &[Value]) -> Result<Value, FuncError> {
    let length = match item {
        Value::Invalid | Value::Nil => return Err(FuncError::new("slice of untyped nil")),
        _ if bounds.len() > 3 => {
            return Err(FuncError::new(format!(
                "too many slice indexes: {}",
                bounds.len()
            )));
        }
        Value::Str(_) if bounds.len() == 3 => {
            return Err(FuncError::new("cannot 3-index slice a string"));
        }
        Value::Str(text) | Value::Bytes(text) => text.len(),
        Value::List(list) => list.len(),
        other => {
            return Err(FuncError::new(format!(
                "can't slice item of type {}",
                pointed_at(other.type_name())
            )));
        }
    };
    let mut places = [0, length, length];
    for (place_of, bound) in places.iter_mut().zip(bounds) {
        *place_of = place(bound, length)?;
    }
    let [from, to, capacity] = places;
    if from > to {
        return Err(FuncError::new(format!(
            "invalid slice index: {from} > {to}"
        )));
    }
    if to > capacity {
        return Err(FuncError::new(format!(
            "invalid slice index: {to} > {capacity}"
        )));
    }
    Ok(match item {
        Value::Str(text) => Value::Str(Text::from_bytes(&text.as_bytes()[from..to])),
        Value::Bytes(bytes) => Value::Bytes(Text::from_bytes(&bytes.as_bytes()[from..to])),
        Value::List(list) => Value::List(List::new(list.list_type(), list[from..to].to_vec())),
        other => other.clone(),
    })
}

/// An index into what has a length; the length itself passes, as in Go.
fn place(key: &Value, length: usize) -> Result<usize, FuncError> {
    let number = match key {
        Value::Int(value) | Value::Int64(value) => *value,
        Value::Int32(value) => i64::from(*value),
        Value::Uint8(value) => i64::from(*value),
        Value::Uint32(value) => i64::from(*value),
        Value::Uint64(value) => value.cast_signed(),
        Value::Invalid | Value::Nil => {
            return Err(FuncError::new("cannot index slice/array with nil"));
        }
        other => {
            let message = format!("cannot index slice/array with type {}", other.type_name());
            return Err(FuncError::new(message));
        }
    };
    usize::try_from(number)
        .ok()
        .filter(|place| *place <= length)
        .ok_or_else(|| FuncError::new(format!("index out of range: {number}")))
}

/// The type that a pointer points at.
fn pointed_at(type_name: &str) -> &str {
    type_name.trim_start_matches('*')
}
