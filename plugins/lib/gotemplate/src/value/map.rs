//! Maps: shared and changed in place (`set`, `unset`, `merge`), with their keys in the order in which Go prints them.

use std::cell::{Ref, RefCell};
use std::fmt;
use std::rc::Rc;

use weir_sorted_map::SortedMap;

use super::{Type, Value, teardown};
use crate::function::Method;
use crate::{FuncError, Text};

/// What Go knows about a map type (keys are always strings). A named type with methods is a `static` of its crate.
pub struct MapType {
    /// As Go prints it: `map[string]interface {}`, `common.Values`, `engine.files`.
    pub name: &'static str,
    /// The type of the values; its zero is what a missing key gives.
    pub elem: Type,
    /// Methods of the type; they win over keys of the same name.
    pub methods: &'static [Method],
}

impl MapType {
    /// `map[string]interface {}`.
    pub const ANY: Self = Self {
        name: "map[string]interface {}",
        elem: Type::Any,
        methods: &[],
    };
    /// `map[string]string`.
    pub const STRING: Self = Self {
        name: "map[string]string",
        elem: Type::String,
        methods: &[],
    };
}

impl fmt::Debug for MapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A Go map with string keys. A clone is the same map: what one owner sets, all see. The type belongs to the handle, so
/// [`Map::with_type`] gives the same entries under another type (as Go's conversion does).
#[derive(Clone)]
pub struct Map {
    kind: &'static MapType,
    entries: Option<Rc<Entries>>,
}

#[derive(Default)]
struct Entries(RefCell<SortedMap<Text, Value>>);

impl Map {
    /// An empty `map[string]interface {}`.
    pub fn new() -> Self {
        Self::of(&MapType::ANY)
    }

    /// An empty map of a type.
    pub fn of(kind: &'static MapType) -> Self {
        Self {
            kind,
            entries: Some(Rc::default()),
        }
    }

    /// The nil map of a type: reads as empty, refuses writes.
    pub const fn nil(kind: &'static MapType) -> Self {
        Self {
            kind,
            entries: None,
        }
    }

    /// A map of a type with these entries.
    pub fn from_entries(kind: &'static MapType, entries: SortedMap<Text, Value>) -> Self {
        Self {
            kind,
            entries: Some(Rc::new(Entries(RefCell::new(entries)))),
        }
    }

    /// The same entries (shared) under another type.
    pub fn with_type(&self, kind: &'static MapType) -> Self {
        Self {
            kind,
            entries: self.entries.clone(),
        }
    }

    /// Its type.
    pub fn map_type(&self) -> &'static MapType {
        self.kind
    }

    /// True for the nil map.
    pub fn is_nil(&self) -> bool {
        self.entries.is_none()
    }

    /// The value of a key. A null in the map is [`Value::Nil`]; a missing key is `None`.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.entries.as_ref()?.0.borrow().get(key.as_ref()).cloned()
    }

    /// True if the key is there, even with a null.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.entries
            .as_ref()
            .is_some_and(|entries| entries.0.borrow().contains_key(key.as_ref()))
    }

    /// Sets a key for every owner of the map. The nil map refuses as Go does: `assignment to entry in nil map`.
    ///
    /// # Errors
    /// Only for the nil map.
    pub fn insert(&self, key: impl Into<Text>, value: impl Into<Value>) -> Result<(), FuncError> {
        let Some(entries) = &self.entries else {
            return Err(FuncError::panic("assignment to entry in nil map"));
        };
        let value = match value.into() {
            Value::Invalid => Value::Nil,
            value => value,
        };
        // The old value is dropped after the borrow has ended.
        let old = entries.0.borrow_mut().insert(key.into(), value);
        drop(old);
        Ok(())
    }

    /// Removes a key for every owner of the map, gives its value.
    pub fn remove(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.entries.as_ref()?.0.borrow_mut().remove(key.as_ref())
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.entries
            .as_ref()
            .map_or(0, |entries| entries.0.borrow().len())
    }

    /// True if there are no keys.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys, sorted by bytes.
    pub fn keys(&self) -> Vec<Text> {
        self.read(|entries| entries.keys().cloned().collect())
    }

    /// The entries sorted by key: a snapshot, so the map may be changed while it is walked.
    pub fn entries(&self) -> Vec<(Text, Value)> {
        self.read(|entries| {
            entries
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        })
    }

    /// Looks at the entries without a copy. The map must not be changed inside.
    pub fn read<R>(&self, look: impl FnOnce(&SortedMap<Text, Value>) -> R) -> R {
        match &self.entries {
            Some(entries) => look(&entries.0.borrow()),
            None => look(&SortedMap::new()),
        }
    }

    /// Borrows the entries; `None` for the nil map. The map must not be changed while the borrow lives.
    pub fn borrow(&self) -> Option<Ref<'_, SortedMap<Text, Value>>> {
        self.entries.as_ref().map(|entries| entries.0.borrow())
    }

    /// True if both are handles of one map.
    pub fn same(&self, other: &Self) -> bool {
        self.address() == other.address()
    }

    /// A number that two handles share only if they are one map; 0 for nil.
    pub(crate) fn address(&self) -> usize {
        self.entries
            .as_ref()
            .map_or(0, |entries| Rc::as_ptr(entries).addr())
    }

    /// The entries, if this is their last owner.
    pub(super) fn take_unique(&mut self) -> Option<SortedMap<Text, Value>> {
        let entries = Rc::get_mut(self.entries.as_mut()?)?;
        Some(std::mem::take(entries.0.get_mut()))
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({} keys)", self.kind.name, self.len())
    }
}

impl<K: Into<Text>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(key, value)| {
            let value = match value.into() {
                Value::Invalid => Value::Nil,
                value => value,
            };
            (key.into(), value)
        });
        Self::from_entries(&MapType::ANY, entries.collect())
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        let entries = self.0.get_mut();
        if entries.values().any(Value::holds_values) {
            teardown(std::mem::take(entries).into_values());
        }
    }
}
