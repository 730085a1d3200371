//! reflect.DeepEqual.

use std::collections::HashSet;

use super::Value;

/// Pairs after which lists and maps that were compared once are remembered: shared parts would be walked again and again.
const REMEMBER_AFTER: usize = 1_000;

/// reflect.DeepEqual: the same dynamic type at every level, numbers of different kinds are never equal, a nil list is not an
/// empty one, the order of keys does not matter. Takes no stack for deep values and ends for cyclic ones.
pub fn deep_equal(a: &Value, b: &Value) -> bool {
    let mut pending = vec![(a.clone(), b.clone())];
    let mut seen = HashSet::new();
    let mut pairs = 0_usize;
    while let Some((a, b)) = pending.pop() {
        pairs += 1;
        match (&a, &b) {
            (Value::List(a), Value::List(b)) => {
                if a.list_type().name != b.list_type().name
                    || a.is_nil() != b.is_nil()
                    || a.len() != b.len()
                {
                    return false;
                }
                if a.address() == b.address() {
                    continue;
                }
                if pairs > REMEMBER_AFTER && !seen.insert((a.address(), b.address())) {
                    continue;
                }
                pending.extend(a.iter().cloned().zip(b.iter().cloned()));
            }
            (Value::Map(a), Value::Map(b)) => {
                if a.map_type().name != b.map_type().name
                    || a.is_nil() != b.is_nil()
                    || a.len() != b.len()
                {
                    return false;
                }
                if a.same(b) {
                    continue;
                }
                if pairs > REMEMBER_AFTER && !seen.insert((a.address(), b.address())) {
                    continue;
                }
                for ((left, value), (right, other)) in a.entries().into_iter().zip(b.entries()) {
                    if left != right {
                        return false;
                    }
                    pending.push((value, other));
                }
            }
            (Value::Object(a), Value::Object(b)) => {
                if a.type_name() != b.type_name() || !a.equals(b.as_ref()) {
                    return false;
                }
            }
            _ => {
                if !scalars_equal(&a, &b) {
                    return false;
                }
            }
        }
    }
    true
}

/// Two scalars of one type with one value. Anything else is unequal; nil equals nil.
fn scalars_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Invalid | Value::Nil, Value::Invalid | Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) | (Value::Int64(a), Value::Int64(b)) => a == b,
        (Value::Int32(a), Value::Int32(b)) => a == b,
        (Value::Uint8(a), Value::Uint8(b)) => a == b,
        (Value::Uint32(a), Value::Uint32(b)) => a == b,
        (Value::Uint64(a), Value::Uint64(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Complex(a, c), Value::Complex(b, d)) => a == b && c == d,
        (Value::Str(a), Value::Str(b)) | (Value::Bytes(a), Value::Bytes(b)) => a == b,
        _ => false,
    }
}
