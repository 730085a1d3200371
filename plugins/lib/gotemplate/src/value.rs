//! The values that templates work on. They follow Go's reflect.Value closely, because what charts print depends on it: an
//! `int` is no `int64`, a missing key is not the same as no value, and a map is shared by everybody who holds it.

mod equal;
mod json;
mod kind;
mod list;
mod map;
mod object;

use std::fmt;
use std::rc::Rc;

pub use equal::deep_equal;
pub use json::JsonError;
pub use kind::{Kind, Type};
pub use list::{List, ListType};
pub use map::{Map, MapType};
pub use object::Object;

use crate::Text;

/// A value of the template language. A clone is cheap: text, lists and maps are shared.
#[derive(Clone, Default)]
pub enum Value {
    /// No value at all: Go's zero reflect.Value. Prints `<no value>`.
    #[default]
    Invalid,
    /// A nil interface: a null in a map or list, a missing key. Functions get this for nil arguments. Prints `<nil>`.
    Nil,
    Bool(bool),
    /// Go's `int`: literals, `len`, `int`, range indexes.
    Int(i64),
    /// Go's `int64`: `int64`, `add`, `mul`, …
    Int64(i64),
    Int32(i32),
    Uint8(u8),
    Uint32(u32),
    Uint64(u64),
    /// Go's `float64`: every number of a values file.
    Float(f64),
    /// Go's `complex128`: only literals.
    Complex(f64, f64),
    Str(Text),
    /// `[]uint8`.
    Bytes(Text),
    List(List),
    Map(Map),
    Object(Rc<dyn Object>),
}

impl Value {
    /// Wraps an object.
    pub fn object(object: impl Object + 'static) -> Self {
        Self::Object(Rc::new(object))
    }

    /// An empty `map[string]interface {}`.
    pub fn empty_map() -> Self {
        Self::Map(Map::new())
    }

    /// The zero value of a type, as reading a missing key gives.
    pub fn zero(of: Type) -> Self {
        match of {
            Type::Any => Self::Nil,
            Type::Raw => Self::Invalid,
            Type::Bool => Self::Bool(false),
            Type::Int => Self::Int(0),
            Type::Int32 => Self::Int32(0),
            Type::Int64 => Self::Int64(0),
            Type::Uint8 => Self::Uint8(0),
            Type::Uint32 => Self::Uint32(0),
            Type::Uint64 => Self::Uint64(0),
            Type::Float64 => Self::Float(0.0),
            Type::Complex128 => Self::Complex(0.0, 0.0),
            Type::String => Self::Str(Text::empty()),
            Type::List(list) if list.name == ListType::BYTES.name => Self::Bytes(Text::empty()),
            Type::List(list) => Self::List(List::nil(list)),
            Type::Map(map) => Self::Map(Map::nil(map)),
            Type::Named(_) => Self::Nil,
        }
    }

    /// The name of the dynamic type, as `%T` and `typeOf` print it; `<nil>` for nil and no value.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Invalid | Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Int32(_) => "int32",
            Self::Uint8(_) => "uint8",
            Self::Uint32(_) => "uint32",
            Self::Uint64(_) => "uint64",
            Self::Float(_) => "float64",
            Self::Complex(..) => "complex128",
            Self::Str(_) => "string",
            Self::Bytes(_) => "[]uint8",
            Self::List(list) => list.list_type().name,
            Self::Map(map) => map.map_type().name,
            Self::Object(object) => object.type_name(),
        }
    }

    /// The kind; its name is what `kindOf` prints.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Invalid => Kind::Invalid,
            Self::Nil => Kind::Interface,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Int64(_) => Kind::Int64,
            Self::Int32(_) => Kind::Int32,
            Self::Uint8(_) => Kind::Uint8,
            Self::Uint32(_) => Kind::Uint32,
            Self::Uint64(_) => Kind::Uint64,
            Self::Float(_) => Kind::Float64,
            Self::Complex(..) => Kind::Complex128,
            Self::Str(_) => Kind::String,
            Self::Bytes(_) | Self::List(_) => Kind::Slice,
            Self::Map(_) => Kind::Map,
            Self::Object(object) => object.kind(),
        }
    }

    /// Truth as `if` sees it: false for nil, zero and what is empty.
    pub fn truth(&self) -> bool {
        match self {
            Self::Invalid | Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) | Self::Int64(value) => *value != 0,
            Self::Int32(value) => *value != 0,
            Self::Uint8(value) => *value != 0,
            Self::Uint32(value) => *value != 0,
            Self::Uint64(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Complex(re, im) => *re != 0.0 || *im != 0.0,
            Self::Str(text) | Self::Bytes(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(object) => object.underlying().is_none_or(|value| value.truth()),
        }
    }

    /// True for nil and for no value (not for nil lists and maps).
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Invalid | Self::Nil)
    }

    /// The text, if it is a string.
    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The map, if it is one, of whatever type.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The list, if it is one, of whatever type (not bytes).
    pub fn as_list(&self) -> Option<&List> {
        match self {
            Self::List(list) => Some(list),
            _ => None,
        }
    }

    /// The elements of a list of any type, bytes included; `None` for what reflect does not call a slice.
    pub fn slice_items(&self) -> Option<Vec<Value>> {
        match self {
            Self::List(list) => Some(list.to_vec()),
            Self::Bytes(bytes) => Some(
                bytes
                    .as_bytes()
                    .iter()
                    .map(|byte| Self::Uint8(*byte))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The object behind the value, if it is of this Rust type.
    pub fn downcast<T: 'static>(&self) -> Option<&T> {
        match self {
            Self::Object(object) => object.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// True for what may hold other values.
    fn holds_values(&self) -> bool {
        matches!(self, Self::List(_) | Self::Map(_))
    }
}

/// Drops values without recursion: a list nested a million times deep must not need a million stack frames.
fn teardown(values: impl Iterator<Item = Value>) {
    let mut pending: Vec<Value> = values.filter(Value::holds_values).collect();
    while let Some(mut value) = pending.pop() {
        match &mut value {
            Value::List(list) => {
                let items = list.take_unique().unwrap_or_default();
                pending.extend(items.into_iter().filter(Value::holds_values));
            }
            Value::Map(map) => {
                let entries = map.take_unique().unwrap_or_default();
                pending.extend(entries.into_values().filter(Value::holds_values));
            }
            _ => {}
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match crate::sprintf("%#v", std::slice::from_ref(self)) {
            Ok(text) => write!(f, "{}({text})", self.type_name()),
            Err(_) => write!(f, "{}(…)", self.type_name()),
        }
    }
}

/// [`deep_equal`], for tests and tables.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        deep_equal(self, other)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Str(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(Text::from(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(Text::from(text))
    }
}

impl From<std::borrow::Cow<'_, str>> for Value {
    fn from(text: std::borrow::Cow<'_, str>) -> Self {
        Self::Str(Text::from(text))
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::List(List::new(&ListType::ANY, items))
    }
}

impl From<List> for Value {
    fn from(list: List) -> Self {
        Self::List(list)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<&serde_json::Value> for Value {
    fn from(json: &serde_json::Value) -> Self {
        Self::from_json(json)
    }
}
