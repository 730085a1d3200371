//! `eq`, `lt` and the others. Numbers compare only within their class, so `eq .Values.port 80` is an error for a number from a
//! values file (float64 against int): charts know it and write `int`.

use std::cmp::Ordering;

use crate::error::FuncError;
use crate::{Kind, Text, Value, sprintf};

/// A value that can be compared, by class.
enum Class {
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Complex(f64, f64),
    Text(Text),
    Other,
}

fn class(value: &Value) -> Class {
    match value {
        Value::Bool(value) => Class::Bool(*value),
        Value::Int(value) | Value::Int64(value) => Class::Int(*value),
        Value::Int32(value) => Class::Int(i64::from(*value)),
        Value::Uint8(value) => Class::Uint(u64::from(*value)),
        Value::Uint32(value) => Class::Uint(u64::from(*value)),
        Value::Uint64(value) => Class::Uint(*value),
        Value::Float(value) => Class::Float(*value),
        Value::Complex(re, im) => Class::Complex(*re, *im),
        Value::Str(text) => Class::Text(text.clone()),
        Value::Object(object) => object
            .underlying()
            .map_or(Class::Other, |value| class(&value)),
        Value::Invalid | Value::Nil | Value::Bytes(_) | Value::List(_) | Value::Map(_) => {
            Class::Other
        }
    }
}

/// True if the first value equals one of the others.
pub(super) fn eq(value: &Value, others: &[Value]) -> Result<bool, FuncError> {
    if others.is_empty() {
        return Err(FuncError::new("missing argument for comparison"));
    }
    for other in others {
        if equal(value, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(a: &Value, b: &Value) -> Result<bool, FuncError> {
    // Most comparisons are of texts.
    if let (Value::Str(a), Value::Str(b)) = (a, b) {
        return Ok(a == b);
    }
    Ok(match (class(a), class(b)) {
        (Class::Bool(a), Class::Bool(b)) => a == b,
        (Class::Int(a), Class::Int(b)) => a == b,
        (Class::Uint(a), Class::Uint(b)) => a == b,
        (Class::Int(a), Class::Uint(b)) | (Class::Uint(b), Class::Int(a)) => {
            u64::try_from(a) == Ok(b)
        }
        (Class::Float(a), Class::Float(b)) => a == b,
        (Class::Complex(a, c), Class::Complex(b, d)) => a == b && c == d,
        (Class::Text(a), Class::Text(b)) => a == b,
        (Class::Other, Class::Other) => return equal_others(a, b),
        _ if a.is_nil() || b.is_nil() => false,
        _ => return Err(incompatible(a, b)),
    })
}

/// Lists, maps, objects and nil.
fn equal_others(a: &Value, b: &Value) -> Result<bool, FuncError> {
    if !a.is_nil() && !b.is_nil() && a.kind() != b.kind() {
        let shown = sprintf("%s", std::slice::from_ref(a))?;
        let other = crate::display(b);
        let message = format!(
            "non-comparable types {shown}: {}, {}: {other}",
            a.type_name(),
            b.type_name()
        );
        return Err(FuncError::new(message));
    }
    if nil_of_a_type(a) || nil_of_a_type(b) {
        return Ok(nil_of_a_type(a) == nil_of_a_type(b));
    }
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            Ok(a.type_name() == b.type_name() && a.equals(b.as_ref()))
        }
        _ => {
            let shown = sprintf("%s", std::slice::from_ref(b))?;
            Err(FuncError::new(format!(
                "non-comparable type {shown}: {}",
                b.type_name()
            )))
        }
    }
}

fn nil_of_a_type(value: &Value) -> bool {
    match value {
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        value => value.is_nil(),
    }
}

pub(super) fn lt(a: &Value, b: &Value) -> Result<bool, FuncError> {
    let invalid = || FuncError::new("invalid type for comparison");
    let ordering = match (class(a), class(b)) {
        (Class::Other, _) | (_, Class::Other) => return Err(invalid()),
        (Class::Int(a), Class::Int(b)) => a.cmp(&b),
        (Class::Uint(a), Class::Uint(b)) => a.cmp(&b),
        (Class::Int(a), Class::Uint(b)) => u64::try_from(a).map_or(Ordering::Less, |a| a.cmp(&b)),
        (Class::Uint(a), Class::Int(b)) => {
            u64::try_from(b).map_or(Ordering::Greater, |b| a.cmp(&b))
        }
        (Class::Float(a), Class::Float(b)) => return Ok(a < b),
        (Class::Text(a), Class::Text(b)) => a.cmp(&b),
        (Class::Bool(_), Class::Bool(_)) | (Class::Complex(..), Class::Complex(..)) => {
            return Err(invalid());
        }
        _ => return Err(incompatible(a, b)),
    };
    Ok(ordering == Ordering::Less)
}

pub(super) fn le(a: &Value, b: &Value) -> Result<bool, FuncError> {
    Ok(lt(a, b)? || equal(a, b)?)
}

fn incompatible(a: &Value, b: &Value) -> FuncError {
    let (a, b) = (type_name(a), type_name(b));
    FuncError::new(format!("incompatible types for comparison: {a} and {b}"))
}

fn type_name(value: &Value) -> &str {
    match value.kind() {
        Kind::Interface | Kind::Invalid => "<nil>",
        _ => value.type_name(),
    }
}
