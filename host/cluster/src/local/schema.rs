//! What fields an object has and how each is merged.
//!
//! A [`Schema`] is an arena of types. A type says separately what a scalar, a list and a mapping in its place means, since
//! some fields take more than one (`IntOrString`, free-form parts of custom resources). Lists and mappings are
//! merged as a whole (atomic) or item by item; the items of a list are told apart by their value (a set) or by key fields.

pub(crate) mod built_in;
pub(crate) mod openapi;
pub(crate) mod text;

use serde_json::Value;
use smol_str::SmolStr;

use super::fields::{Element, Scalar};

/// An index into a [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TypeId(u32);

/// Types that refer to each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schema {
    types: Vec<Type>,
}

/// What may stand in a place. At least one of the three is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Type {
    pub(crate) scalar: Option<ScalarType>,
    pub(crate) list: Option<ListType>,
    pub(crate) map: Option<MapType>,
    /// Whether an explicit null is a value. Only CRDs say so.
    pub(crate) nullable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ScalarType {
    Text,
    Integer,
    Number,
    Boolean,
    Any,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ListType {
    pub(crate) item: TypeId,
    pub(crate) topology: Topology,
}

/// How the items of a list are told apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topology {
    /// They are not: the list is one value.
    Atomic,
    /// By their value.
    Set,
    /// By these fields.
    Keyed(Box<[KeyField]>),
}

/// A key field, with the value that counts where an item leaves it out (`protocol: TCP`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyField {
    pub(crate) name: SmolStr,
    pub(crate) default: Option<KeyDefault>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum KeyDefault {
    Text(SmolStr),
    Integer(i64),
    Boolean(bool),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct MapType {
    /// The declared fields, sorted by name.
    pub(crate) fields: Box<[FieldType]>,
    /// What other keys hold; `None` where there are no others.
    pub(crate) rest: Option<TypeId>,
    /// The mapping is one value.
    pub(crate) atomic: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FieldType {
    pub(crate) name: SmolStr,
    pub(crate) ty: TypeId,
}

impl Schema {
    pub(crate) fn get(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }
}

impl MapType {
    /// The type of a declared field.
    pub(crate) fn field(&self, name: &str) -> Option<TypeId> {
        self.fields
            .binary_search_by(|field| field.name.as_str().cmp(name))
            .ok()
            .map(|index| self.fields[index].ty)
    }

    /// The type of whatever stands under a key.
    pub(crate) fn at(&self, name: &str) -> Option<TypeId> {
        self.field(name).or(self.rest)
    }
}

impl ListType {
    /// What tells an item apart, or why nothing does.
    pub(crate) fn element(&self, item: &Value) -> Result<Element, &'static str> {
        match &self.topology {
            Topology::Atomic => Err("its items cannot be told apart"),
            Topology::Set => match Scalar::new(item) {
                Some(Scalar::Null) => Err("a set cannot hold null"),
                Some(scalar) => Ok(Element::Value(scalar)),
                None => Err("a set holds plain values, not mappings or lists"),
            },
            Topology::Keyed(keys) => {
                let Value::Object(item) = item else {
                    return Err("each item has to be a mapping with the key fields");
                };
                let pair = |key: &KeyField| match item.get(key.name.as_str()) {
                    Some(value) => {
                        Some((key.name.clone(), Scalar::new(value).unwrap_or(Scalar::Null)))
                    }
                    None => key
                        .default
                        .as_ref()
                        .map(|default| (key.name.clone(), default.scalar())),
                };
                let mut pairs: Vec<(SmolStr, Scalar)> = keys.iter().filter_map(pair).collect();
                if pairs.is_empty() {
                    return Err("an item has none of the key fields");
                }
                pairs.sort_by(|one, two| one.0.cmp(&two.0));
                Ok(Element::Key(pairs.into()))
            }
        }
    }
}

impl KeyDefault {
    fn new(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(SmolStr::new(text))),
            Value::Number(number) => number.as_i64().map(Self::Integer),
            Value::Bool(value) => Some(Self::Boolean(*value)),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn scalar(&self) -> Scalar {
        match self {
            Self::Text(text) => Scalar::Text(text.clone()),
            Self::Integer(value) => Scalar::Integer(*value),
            Self::Boolean(value) => Scalar::Boolean(*value),
        }
    }
}
