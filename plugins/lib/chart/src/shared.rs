//! Values whose maps and lists are shared, as Go's are.
//!
//! Helm hands maps around by reference: a subchart's values *are* the map inside its parent's, a global below a map is the
//! same object in every chart, and `--set` changes lists where they stand. What templates see depends on it, so values are
//! put together on this type, and copied only where Helm copies. Texts, those of keys too, are never copied.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Map, Number, Value};
use weir_k8s_yaml::Data;
use weir_sorted_map::SortedMap;

/// Values by their keys, in the order of keys.
pub type Values = SortedMap<Rc<str>, Shared>;

/// A map that several places may hold.
pub type SharedMap = Rc<RefCell<Values>>;

/// A list that several places may hold.
pub type SharedList = Rc<RefCell<Vec<Shared>>>;

/// A JSON value with shared maps and lists.
#[derive(Debug, Clone, PartialEq)]
pub enum Shared {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An `i64` is an integer of Go, anything else a `float64`.
    Number(Number),
    /// A string.
    String(Rc<str>),
    /// A list.
    List(SharedList),
    /// A map.
    Map(SharedMap),
}

impl Shared {
    /// Takes a value over.
    #[must_use]
    pub fn from_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::String(text.as_str().into()),
            Value::Array(items) => Self::list(items.iter().map(Self::from_value).collect()),
            Value::Object(map) => Self::Map(map_from(map)),
        }
    }

    /// Takes over what a YAML text says, as Go programs with untyped targets see it: all numbers are floats.
    pub(crate) fn from_data(data: Data<'_>) -> Self {
        match data {
            Data::Null => Self::Null,
            Data::Bool(value) => Self::Bool(value),
            #[expect(clippy::cast_precision_loss, reason = "Go converts the same way")]
            Data::Int(value) => Self::float(value as f64),
            #[expect(clippy::cast_precision_loss, reason = "Go converts the same way")]
            Data::Uint(value) => Self::float(value as f64),
            Data::Float(value) => Self::float(value),
            Data::Str(text) => Self::String(text.as_ref().into()),
            Data::Seq(items) => Self::list(items.into_iter().map(Self::from_data).collect()),
            Data::Map(entries) => {
                let entries = entries.into_iter();
                let entries =
                    entries.map(|(key, value)| (key.as_ref().into(), Self::from_data(value)));
                Self::Map(Rc::new(RefCell::new(entries.collect())))
            }
        }
    }

    fn float(value: f64) -> Self {
        Number::from_f64(value).map_or(Self::Null, Self::Number)
    }

    /// A new list.
    #[must_use]
    pub fn list(items: Vec<Shared>) -> Self {
        Self::List(Rc::new(RefCell::new(items)))
    }

    /// The value as plain JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Number(number.clone()),
            Self::String(text) => Value::String(text.to_string()),
            Self::List(items) => Value::Array(items.borrow().iter().map(Self::to_value).collect()),
            Self::Map(map) => Value::Object(map_to(map)),
        }
    }

    /// A copy that shares nothing.
    #[must_use]
    pub fn deep_copy(&self) -> Self {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => self.clone(),
            Self::List(items) => Self::list(items.borrow().iter().map(Self::deep_copy).collect()),
            Self::Map(map) => Self::Map(deep_copy(map)),
        }
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The map, if it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&SharedMap> {
        match self {
            Self::Map(map) => Some(map),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) | Self::List(_) => None,
        }
    }

    /// The name of its type in Go, `nil` for null.
    #[must_use]
    pub fn go_type(&self) -> &'static str {
        match self {
            Self::Null => "nil",
            Self::Bool(_) => "bool",
            Self::Number(number) if number.is_i64() => "int64",
            Self::Number(_) => "float64",
            Self::String(_) => "string",
            Self::List(_) => "[]interface {}",
            Self::Map(_) => "map[string]interface {}",
        }
    }
}

/// An empty map.
#[must_use]
pub fn new_map() -> SharedMap {
    SharedMap::default()
}

/// A map of shared values from a plain one.
#[must_use]
pub fn map_from(map: &Map<String, Value>) -> SharedMap {
    let entries = map
        .iter()
        .map(|(key, value)| (key.as_str().into(), Shared::from_value(value)));
    Rc::new(RefCell::new(entries.collect()))
}

/// The map as plain JSON, keys in order.
#[must_use]
pub fn map_to(map: &SharedMap) -> Map<String, Value> {
    let map = map.borrow();
    map.iter()
        .map(|(key, value)| (key.to_string(), value.to_value()))
        .collect()
}

/// A copy of a map that shares nothing.
#[must_use]
pub fn deep_copy(map: &SharedMap) -> SharedMap {
    let map = map.borrow();
    let entries = map
        .iter()
        .map(|(key, value)| (Rc::clone(key), value.deep_copy()));
    Rc::new(RefCell::new(entries.collect()))
}

/// What stands at a path of keys: everything but the last must be maps, and the last must not be one.
#[must_use]
pub fn path_value(map: &SharedMap, path: &str) -> Option<Shared> {
    let (table, key) = match path.rsplit_once('.') {
        Some((table, key)) => (self::table(map, table)?, key),
        None => (Rc::clone(map), path),
    };
    let found = table.borrow().get(key).cloned()?;
    found.as_map().is_none().then_some(found)
}

/// The map at a path of keys.
#[must_use]
pub fn table(map: &SharedMap, path: &str) -> Option<SharedMap> {
    let mut table = Rc::clone(map);
    for key in path.split('.') {
        let next = table.borrow().get(key)?.as_map().map(Rc::clone)?;
        table = next;
    }
    Some(table)
}
