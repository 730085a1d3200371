//! Taking fields out of a value.

use serde_json::{Map, Value};

use super::{As, part};
use crate::local::fields::{Element, Set};
use crate::local::schema::{ScalarType, Schema, Topology, Type, TypeId};

/// The value without the fields of a set. What was a list or a mapping and has nothing left becomes null.
pub(crate) fn remove(schema: &Schema, id: TypeId, value: &Value, fields: &Set) -> Value {
    match part(schema.get(id), value) {
        As::Scalar(_) => value.clone(),
        As::List(list) => {
            let Value::Array(items) = value else {
                return Value::Null;
            };
            if list.topology == Topology::Atomic {
                return Value::Null;
            }
            let kept = items.iter().filter_map(|item| match list.element(item) {
                Ok(element) => keep(schema, list.item, &element, item, fields),
                Err(_) => Some(item.clone()),
            });
            let kept: Vec<Value> = kept.collect();
            if kept.is_empty() {
                Value::Null
            } else {
                Value::Array(kept)
            }
        }
        As::Map(map) => {
            let Value::Object(entries) = value else {
                return Value::Null;
            };
            if map.atomic {
                return Value::Null;
            }
            let kept = entries.iter().filter_map(|(name, value)| {
                let kept = match map.at(name) {
                    Some(id) => keep(schema, id, &Element::field(name), value, fields),
                    None => (!fields.has(&Element::field(name))).then(|| value.clone()),
                };
                Some((name.clone(), kept?))
            });
            let kept: Map<String, Value> = kept.collect();
            if kept.is_empty() {
                Value::Null
            } else {
                Value::Object(kept)
            }
        }
    }
}

/// What is left of an item or field.
fn keep(
    schema: &Schema,
    id: TypeId,
    element: &Element,
    value: &Value,
    fields: &Set,
) -> Option<Value> {
    if fields.has(element) {
        return None;
    }
    Some(match fields.below(element) {
        Some(below) => remove(schema, id, value, below),
        None => value.clone(),
    })
}

/// Drops fields that the schema does not declare, as the API server does for what is created or patched.
pub(crate) fn prune(schema: &Schema, id: TypeId, value: &mut Value) {
    let ty = schema.get(id);
    match value {
        Value::Object(entries) => {
            let Some(map) = &ty.map else { return };
            entries.retain(|name, _| map.at(name).is_some());
            for (name, value) in entries.iter_mut() {
                if let Some(id) = map.at(name) {
                    prune(schema, id, value);
                }
            }
        }
        Value::Array(items) => {
            let Some(list) = &ty.list else { return };
            items
                .iter_mut()
                .for_each(|item| prune(schema, list.item, item));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Gives an object of a built-in kind the form that it has after going through Kubernetes' own types: a null field is no
/// field, nor is an empty list or an empty mapping of any keys; a null among the values of a mapping of texts is the empty
/// text.
pub(crate) fn normalize(schema: &Schema, id: TypeId, value: &mut Value) {
    let ty = schema.get(id);
    match value {
        Value::Object(entries) => {
            let Some(map) = &ty.map else { return };
            entries.retain(|name, value| match map.field(name) {
                Some(id) => !counts_as_absent(schema, schema.get(id), value),
                None => true,
            });
            for (name, value) in entries.iter_mut() {
                let Some(id) = map.at(name) else { continue };
                if value.is_null() && is_text(schema.get(id)) {
                    *value = Value::String(String::new());
                }
                normalize(schema, id, value);
            }
        }
        Value::Array(items) => {
            let Some(list) = &ty.list else { return };
            items
                .iter_mut()
                .for_each(|item| normalize(schema, list.item, item));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn counts_as_absent(schema: &Schema, ty: &Type, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty() && ty.scalar.is_none(),
        Value::Object(entries) => {
            // A mapping of anything is a pointer in Kubernetes' types (`status: {}` of a CRD's subresources): it stays.
            let rest = ty
                .map
                .as_ref()
                .filter(|map| map.fields.is_empty())
                .and_then(|map| map.rest);
            entries.is_empty()
                && ty.scalar.is_none()
                && rest.is_some_and(|rest| !takes_anything(schema.get(rest)))
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn takes_anything(ty: &Type) -> bool {
    ty.scalar == Some(ScalarType::Any) && ty.map.is_some()
}

fn is_text(ty: &Type) -> bool {
    ty.scalar == Some(ScalarType::Text) && ty.map.is_none() && ty.list.is_none()
}
