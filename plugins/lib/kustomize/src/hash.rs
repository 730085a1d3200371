//! The hash of its content at the end of a generated object's name.

use std::fmt::Write;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use weir_k8s_yaml::{Kind, Node, ResolveOptions, Schema, resolve_data, to_go_json};

use crate::build::Context;
use crate::error::{Error, Result};
use crate::resource::{Resource, Restored};
use crate::set::ResourceSet;

/// How many digits of the hash count.
const DIGITS: usize = 10;

/// Appends hashes to the names of all objects that are marked for it.
pub(crate) fn append(set: &mut ResourceSet, context: &Context<'_>) -> Result<()> {
    if !set.iter().any(|resource| resource.needs_hash) {
        return Ok(());
    }
    for resource in set
        .items_mut()
        .iter_mut()
        .filter(|resource| resource.needs_hash && !resource.deleted())
    {
        let name = format!(
            "{}-{}",
            resource.name(),
            of(resource).map_err(|error| error.in_object(resource.id()))?
        );
        resource.push_previous();
        resource.restore(Restored::Name, &name);
        resource.refresh(context.schemas);
    }
    Ok(())
}

/// The hash of the content of an object.
fn of(resource: &Resource) -> Result<String> {
    let content = match resource.kind() {
        "ConfigMap" => content(resource, &["data"], "binaryData")?,
        "Secret" => content(resource, &["data", "type"], "stringData")?,
        // The original hashes its own tree of such an object, with line numbers; nobody can rely on that.
        _ => resolve(&resource.node)?,
    };
    let text = to_go_json(&content).map_err(Error::yaml)?;
    let digest = Sha256::digest(text.as_bytes());
    let mut hex = String::with_capacity(DIGITS);
    for byte in digest.iter().take(DIGITS / 2) {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
    }
    Ok(hex.chars().map(safe).collect())
}

/// Letters that make no words.
fn safe(digit: char) -> char {
    match digit {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    }
}

fn content(resource: &Resource, fields: &[&str], optional: &str) -> Result<Value> {
    let mut map = Map::new();
    map.insert("kind".to_owned(), resource.kind().into());
    // The name never counts: the original looks for a field called `metadata/name`.
    map.insert("name".to_owned(), "".into());
    for field in fields {
        map.insert((*field).to_owned(), value(resource.node.get(field))?);
    }
    let extra = value(resource.node.get(optional))?;
    if extra.is_object() {
        map.insert(optional.to_owned(), extra);
    }
    Ok(Value::Object(map))
}

fn value(node: Option<&Node>) -> Result<Value> {
    match node {
        None => Ok("".into()),
        Some(node) if node.kind() == Kind::Scalar => Ok(node.as_str().unwrap_or_default().into()),
        Some(node) if node.kind() == Kind::Mapping => resolve(node).map(floats),
        // A list is no map of strings; the original is left with nothing.
        Some(_) => Ok(Value::Null),
    }
}

fn resolve(node: &Node) -> Result<Value> {
    Ok(resolve_data(node, &ResolveOptions::new(Schema::Kyaml))
        .map_err(Error::yaml)?
        .into_value())
}

/// All numbers go through floats.
fn floats(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            weir_k8s_yaml::Data::from_float(float).into_value()
        }
        Value::Array(items) => items.into_iter().map(floats).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, floats(value)))
            .collect(),
        other @ (Value::Null | Value::Bool(_) | Value::String(_)) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schemas;
    use weir_k8s_yaml::{ParseOptions, parse};

    #[test]
    fn hashes_are_those_of_kustomize() {
        for (text, expected) in [
            ("kind: ConfigMap", "6ct58987ht"),
            ("{kind: ConfigMap, data: {a: b}}", "4h2mbtbbt6"),
            ("{kind: Secret, type: Opaque, data: {}}", "46f8b28mk5"),
            (
                "{kind: Secret, type: Opaque, data: {a: Yg==}}",
                "k695gkmbtk",
            ),
        ] {
            let root = parse(text, &ParseOptions::default()).unwrap().unwrap().root;
            assert_eq!(
                of(&Resource::new(root, None, &Schemas::default())).unwrap(),
                expected,
                "{text}"
            );
        }
    }
}
