//! Reading and writing `fieldsV1`.
//!
//! A JSON object whose keys are path elements: `f:NAME`, `k:{…}`, `v:…`, `i:…`; its values are what is owned below, and
//! `.` marks that the path itself is owned. A path with nothing below it needs no mark.

use serde_json::{Map, Value};
use smol_str::SmolStr;

use super::element::write_go_string;
use super::{Element, Node, Scalar, Set};

/// How deep fields can be nested. The API server's own limit for objects is of this size.
const DEPTH: usize = 512;

/// Why a value is no field set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FieldsError {
    #[error("{0:?} is no path element; it starts with f:, k:, v: or i:")]
    Element(String),
    #[error("{0:?} has something other than a mapping below it")]
    NotAMapping(String),
    #[error("the fields are nested more than {DEPTH} deep")]
    TooDeep,
}

impl Set {
    /// The set as the value of `fieldsV1`.
    pub(crate) fn to_v1(&self) -> Value {
        let entries = self.nodes.iter().map(|node| {
            let mut below = Map::new();
            if node.member && !node.children.is_empty() {
                below.insert(".".into(), Value::Object(Map::new()));
            }
            if let Value::Object(children) = node.children.to_v1() {
                below.extend(children);
            }
            (key_of(&node.element), Value::Object(below))
        });
        Value::Object(entries.collect())
    }

    /// The set that the value of a `fieldsV1` states.
    pub(crate) fn from_v1(value: &Map<String, Value>) -> Result<Set, FieldsError> {
        read(value, DEPTH)
    }
}

fn read(entries: &Map<String, Value>, depth: usize) -> Result<Set, FieldsError> {
    let Some(depth) = depth.checked_sub(1) else {
        return Err(FieldsError::TooDeep);
    };
    let mut nodes: Vec<Node> = Vec::with_capacity(entries.len());
    for (key, below) in entries.iter().filter(|(key, _)| *key != ".") {
        let Value::Object(below) = below else {
            return Err(FieldsError::NotAMapping(key.clone()));
        };
        let element = element_of(key).ok_or_else(|| FieldsError::Element(key.clone()))?;
        let children = read(below, depth)?;
        // Nothing below means that the path itself is owned.
        let member = children.is_empty() || below.contains_key(".");
        nodes.push(Node {
            element,
            member,
            children,
        });
    }
    nodes.sort_by(|one, two| one.element.cmp(&two.element));
    nodes.dedup_by(|one, two| one.element == two.element);
    Ok(Set { nodes })
}

fn key_of(element: &Element) -> String {
    let mut key = String::new();
    match element {
        Element::Field(name) => {
            key.push_str("f:");
            key.push_str(name);
        }
        Element::Key(fields) => {
            key.push_str("k:{");
            for (index, (name, value)) in fields.iter().enumerate() {
                if index > 0 {
                    key.push(',');
                }
                write_go_string(name, &mut key);
                key.push(':');
                value.write_json(&mut key);
            }
            key.push('}');
        }
        Element::Value(value) => {
            key.push_str("v:");
            value.write_json(&mut key);
        }
        Element::Index(index) => key = format!("i:{index}"),
    }
    key
}

fn element_of(key: &str) -> Option<Element> {
    let (kind, text) = key.split_once(':')?;
    match kind {
        "f" => Some(Element::field(text)),
        "v" => Some(Element::Value(Scalar::new(
            &serde_json::from_str(text).ok()?,
        )?)),
        "i" => Some(Element::Index(text.parse().ok()?)),
        "k" => {
            let fields: Map<String, Value> = serde_json::from_str(text).ok()?;
            let pairs = fields
                .iter()
                .map(|(name, value)| Some((SmolStr::new(name), Scalar::new(value)?)));
            let mut pairs: Vec<(SmolStr, Scalar)> = pairs.collect::<Option<_>>()?;
            pairs.sort_by(|one, two| one.0.cmp(&two.0));
            Some(Element::Key(pairs.into()))
        }
        _ => None,
    }
}
