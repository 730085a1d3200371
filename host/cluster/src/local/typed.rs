//! Values with their types: checking, comparing, merging and removing fields.
//!
//! These are the operations of Kubernetes' structured-merge-diff on plain JSON values. Where it is particular about
//! nulls, empty mappings, duplicate items or the order of lists, so is this: `managedFields` come out equal.

mod check;
mod compare;
mod merge;
mod remove;

pub(crate) use check::{Duplicates, check, first_null};
pub(crate) use compare::{Comparison, compare};
pub(crate) use merge::merge;
pub(crate) use remove::{normalize, prune, remove};

use serde_json::{Map, Value};

use super::fields::{Element, Set};
use super::schema::{ListType, MapType, ScalarType, Schema, Topology, Type, TypeId};

/// How a value is treated in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum As<'s> {
    Map(&'s MapType),
    Scalar(ScalarType),
    List(&'s ListType),
}

/// The part of a type that is for a value. A value that fits no part, and null, is treated as the first that there is.
fn part<'s>(ty: &'s Type, value: &Value) -> As<'s> {
    let fitting = match value {
        Value::Bool(_) | Value::Number(_) | Value::String(_) => ty.scalar.map(As::Scalar),
        Value::Array(_) => ty.list.as_ref().map(As::List),
        Value::Object(_) => ty.map.as_ref().map(As::Map),
        Value::Null => None,
    };
    let first = || {
        ty.map
            .as_ref()
            .map(As::Map)
            .or(ty.scalar.map(As::Scalar))
            .or(ty.list.as_ref().map(As::List))
    };
    fitting
        .or_else(first)
        .expect("a type has at least one part")
}

/// The fields that a value states: what somebody who applies it owns.
pub(crate) fn field_set(schema: &Schema, id: TypeId, value: &Value) -> Set {
    let mut set = Set::default();
    collect(schema, id, value, &mut Vec::new(), &mut set);
    set
}

fn collect(schema: &Schema, id: TypeId, value: &Value, path: &mut Vec<Element>, set: &mut Set) {
    match part(schema.get(id), value) {
        As::Scalar(_) => set.insert(path),
        As::List(list) if list.topology == Topology::Atomic => set.insert(path),
        As::List(list) => {
            let Value::Array(items) = value else { return };
            let elements: Vec<Option<Element>> =
                items.iter().map(|item| list.element(item).ok()).collect();
            for (index, (item, element)) in items.iter().zip(&elements).enumerate() {
                let Some(element) = element else { continue };
                let twice = elements
                    .iter()
                    .enumerate()
                    .any(|(at, other)| at != index && other.as_ref() == Some(element));
                path.push(element.clone());
                // Items that cannot be told apart are owned together, and nothing in them by itself.
                if !twice {
                    collect(schema, list.item, item, path, set);
                }
                set.insert(path);
                path.pop();
            }
        }
        As::Map(map) if map.atomic => set.insert(path),
        As::Map(map) => {
            for (name, value) in value.as_object().into_iter().flatten() {
                let declared = map.field(name);
                let Some(id) = declared.or(map.rest) else {
                    continue;
                };
                path.push(Element::field(name));
                collect(schema, id, value, path, set);
                let empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
                if empty || declared.is_none() {
                    set.insert(path);
                }
                path.pop();
            }
        }
    }
}

/// Equality as the API server has it: numbers by value, mappings without order.
fn equal(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Number(one), Value::Number(two)) => {
            one == two || (one.as_f64() == two.as_f64() && (one.is_f64() || two.is_f64()))
        }
        (Value::Array(one), Value::Array(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| equal(one, two))
        }
        (Value::Object(one), Value::Object(two)) => {
            one.len() == two.len()
                && one
                    .iter()
                    .all(|(key, value)| two.get(key).is_some_and(|two| equal(value, two)))
        }
        (one, two) => one == two,
    }
}

/// The entries of a mapping; nothing for null and for what is no mapping.
fn entries(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.and_then(Value::as_object)
}

fn items(value: Option<&Value>) -> Option<&Vec<Value>> {
    value.and_then(Value::as_array)
}

#[cfg(test)]
mod tests;
