//! One element of a path.

use std::cmp::Ordering;
use std::fmt;

use serde_json::Value;
use smol_str::SmolStr;

/// How a path goes on from a mapping or a list. The order is Kubernetes' own: fields, keys, values, indices.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Element {
    /// A field of a mapping.
    Field(SmolStr),
    /// The item of a list with these values in its key fields, sorted by field.
    Key(Box<[(SmolStr, Scalar)]>),
    /// The item of a set.
    Value(Scalar),
    /// The item at a place. Nobody writes such paths, but `managedFields` can hold them.
    Index(i64),
}

/// A value that can be the item of a set or the key of an item.
#[derive(Clone, Debug)]
pub(crate) enum Scalar {
    Integer(i64),
    Float(f64),
    Text(SmolStr),
    Boolean(bool),
    Null,
}

impl Element {
    pub(crate) fn field(name: &str) -> Self {
        Self::Field(SmolStr::new(name))
    }
}

impl Scalar {
    /// `None` for lists and mappings.
    pub(crate) fn new(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(Self::Null),
            Value::Bool(value) => Some(Self::Boolean(*value)),
            Value::String(text) => Some(Self::Text(SmolStr::new(text))),
            Value::Number(number) => Some(number.as_i64().map_or_else(
                || Self::Float(number.as_f64().unwrap_or(0.0)),
                Self::Integer,
            )),
            Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// As JSON text with the escapes of Go's encoder, which `fieldsV1` holds as part of its keys.
    pub(crate) fn write_json(&self, out: &mut String) {
        use fmt::Write as _;
        let written = match self {
            Self::Integer(value) => write!(out, "{value}"),
            Self::Float(value) => write!(out, "{value}"),
            Self::Boolean(value) => write!(out, "{value}"),
            Self::Null => write!(out, "null"),
            Self::Text(text) => {
                write_go_string(text, out);
                Ok(())
            }
        };
        written.expect("writing into a string does not fail");
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Integer(_) | Self::Float(_) => 0,
            Self::Text(_) => 1,
            Self::Boolean(_) => 2,
            Self::Null => 3,
        }
    }
}

/// A text in quotes, escaped as Go's encoder does it: JSON, and what could end a script element.
pub(crate) fn write_go_string(text: &str, out: &mut String) {
    let quoted = Value::from(text).to_string();
    for character in quoted.chars() {
        match character {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Scalar {}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scalar {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(one), Self::Integer(two)) => one.cmp(two),
            (Self::Integer(one), Self::Float(two)) => (*one as f64).total_cmp(two),
            (Self::Float(one), Self::Integer(two)) => one.total_cmp(&(*two as f64)),
            (Self::Float(one), Self::Float(two)) => one.total_cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            (Self::Boolean(one), Self::Boolean(two)) => one.cmp(two),
            (one, two) => one.rank().cmp(&two.rank()),
        }
    }
}

/// As Kubernetes shows paths in conflicts: `.spec.ports[name="web"].port`, `.metadata.finalizers["a"]`.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(fields) => {
                f.write_str("[")?;
                for (index, (name, value)) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{name}={value}")?;
                }
                f.write_str("]")
            }
            Self::Value(value) => write!(f, "[={value}]"),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Null => f.write_str("null"),
        }
    }
}
