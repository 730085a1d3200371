//! From JSON to trees.

use serde_json::Value;

use super::{Mapping, Node, Sequence, Tag};
use crate::data::Data;
use crate::emit::{check_depth, go_float_text};
use crate::error::YamlError;

impl Node {
    /// The tree of a JSON value, in block style; the order of keys is the value's.
    ///
    /// # Errors
    ///
    /// When the value is nested more deeply than [`crate::Limits::MAX_DEPTH`].
    pub fn from_value(value: &Value) -> Result<Self, YamlError> {
        Self::from_data(&Data::from_value(value)?)
    }

    /// The tree of plain data, in block style.
    ///
    /// # Errors
    ///
    /// When the data is nested more deeply than [`crate::Limits::MAX_DEPTH`].
    pub fn from_data(data: &Data<'_>) -> Result<Self, YamlError> {
        from_data(data, 0)
    }
}

fn from_data(data: &Data<'_>, depth: usize) -> Result<Node, YamlError> {
    check_depth(depth)?;
    Ok(match data {
        Data::Null => Node::null(),
        Data::Bool(value) => Node::bool(*value),
        Data::Int(value) => Node::int(*value),
        Data::Uint(value) => Node::tagged(value.to_string().into(), Tag::Int),
        Data::Float(value) => Node::tagged(go_float_text(*value).into(), Tag::Float),
        Data::Str(text) => Node::string(text.as_ref()),
        Data::Seq(items) => {
            let items: Result<Sequence, _> = items
                .iter()
                .map(|item| from_data(item, depth + 1))
                .collect();
            Node::sequence(items?)
        }
        Data::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| Ok((Node::string(key.as_ref()), from_data(value, depth + 1)?)));
            Node::mapping(entries.collect::<Result<Mapping, YamlError>>()?)
        }
    })
}
