//! Whether a value has its type.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::{As, part};
use crate::local::fields::Element;
use crate::local::schema::{ListType, MapType, ScalarType, Schema, Topology, TypeId};

/// Whether items of a set or keyed list may be there twice. What is applied may not; live objects can have such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duplicates {
    Refused,
    Allowed,
}

/// Everything that is wrong with a value. Never shows the value itself, which can be secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypeErrors(Vec<String>);

/// How many errors are told; the rest is counted.
const SHOWN: usize = 10;

/// Checks a value against its type; fields that are not declared are errors.
pub(crate) fn check(
    schema: &Schema,
    id: TypeId,
    value: &Value,
    duplicates: Duplicates,
) -> Result<(), TypeErrors> {
    let mut checker = Checker {
        schema,
        duplicates,
        path: Vec::new(),
        errors: Vec::new(),
    };
    checker.value(id, value);
    if checker.errors.is_empty() {
        Ok(())
    } else {
        Err(TypeErrors(checker.errors))
    }
}

/// The path of a null where none may be.
pub(crate) fn first_null(schema: &Schema, id: TypeId, value: &Value) -> Option<String> {
    fn find(schema: &Schema, id: TypeId, value: &Value, path: &mut Vec<Element>) -> bool {
        let ty = schema.get(id);
        match value {
            Value::Null => !ty.nullable,
            Value::Array(items) => ty.list.as_ref().is_some_and(|list| {
                items.iter().enumerate().any(|(index, item)| {
                    path.push(Element::Index(i64::try_from(index).unwrap_or(i64::MAX)));
                    let found = find(schema, list.item, item, path);
                    if !found {
                        path.pop();
                    }
                    found
                })
            }),
            Value::Object(fields) => ty.map.as_ref().is_some_and(|map| {
                fields.iter().any(|(name, value)| {
                    path.push(Element::field(name));
                    let found = map.at(name).is_some_and(|id| find(schema, id, value, path));
                    if !found {
                        path.pop();
                    }
                    found
                })
            }),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }
    let mut path = Vec::new();
    find(schema, id, value, &mut path).then(|| path.iter().map(Element::to_string).collect())
}

struct Checker<'s> {
    schema: &'s Schema,
    duplicates: Duplicates,
    path: Vec<Element>,
    errors: Vec<String>,
}

impl Checker<'_> {
    fn value(&mut self, id: TypeId, value: &Value) {
        if value.is_null() {
            return;
        }
        match part(self.schema.get(id), value) {
            As::Scalar(scalar) => self.scalar(scalar, value),
            As::List(list) => self.list(list, value),
            As::Map(map) => self.map(map, value),
        }
    }

    fn scalar(&mut self, scalar: ScalarType, value: &Value) {
        let (fits, expected) = match scalar {
            ScalarType::Text => (value.is_string(), "a string"),
            ScalarType::Boolean => (value.is_boolean(), "a boolean"),
            ScalarType::Number => (value.is_number(), "a number"),
            ScalarType::Integer => (is_integer(value), "an integer"),
            ScalarType::Any => (
                !value.is_array() && !value.is_object(),
                "a string, a number or a boolean",
            ),
        };
        if !fits {
            self.error(format!("expected {expected}, got {}", found(value)));
        }
    }

    fn list(&mut self, list: &ListType, value: &Value) {
        let Value::Array(items) = value else {
            return self.error(format!("expected a list, got {}", found(value)));
        };
        let mut seen = BTreeSet::new();
        for (index, item) in items.iter().enumerate() {
            let element = match &list.topology {
                Topology::Atomic => Element::Index(i64::try_from(index).unwrap_or(i64::MAX)),
                Topology::Set | Topology::Keyed(_) => match list.element(item) {
                    Ok(element) => element,
                    Err(reason) => {
                        self.error(format!("element {index}: {reason}"));
                        return;
                    }
                },
            };
            if self.duplicates == Duplicates::Refused && !seen.insert(element.clone()) {
                self.error(format!("duplicate entries for key {element}"));
            }
            self.path.push(element);
            self.value(list.item, item);
            self.path.pop();
        }
    }

    fn map(&mut self, map: &MapType, value: &Value) {
        let Value::Object(entries) = value else {
            return self.error(format!("expected a mapping, got {}", found(value)));
        };
        for (name, value) in entries {
            self.path.push(Element::field(name));
            match map.at(name) {
                Some(id) => self.value(id, value),
                None => self.error("field not declared in schema".into()),
            }
            self.path.pop();
        }
    }

    fn error(&mut self, message: String) {
        let path: String = self.path.iter().map(Element::to_string).collect();
        let path = if path.is_empty() {
            ".".to_owned()
        } else {
            path
        };
        self.errors.push(format!("{path}: {message}"));
    }
}

/// Whether a number is whole. `3.0` is: JSON has one kind of number.
fn is_integer(value: &Value) -> bool {
    match value {
        Value::Number(number) => {
            number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            false
        }
    }
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

impl fmt::Display for TypeErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0[..self.0.len().min(SHOWN)].join("; "))?;
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
