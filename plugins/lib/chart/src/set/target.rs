//! Where values are set: maps and lists that are there, or new ones.

use std::rc::Rc;

use super::{MAX_INDEX, SetError, negative};
use crate::shared::{Shared, SharedList, SharedMap, new_map};

/// A list that is being set in. One that is there is changed in place as long as it need not grow, as a slice of Go is.
pub(super) struct Target {
    list: SharedList,
}

/// Why a place does not take a value.
pub(super) enum TargetError {
    Index(String),
    Kind {
        found: &'static str,
        wanted: &'static str,
    },
}

impl From<TargetError> for SetError {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::Index(text) => SetError::Syntax(text),
            TargetError::Kind { found, wanted } => SetError::Kind { found, wanted },
        }
    }
}

impl Target {
    /// The list of a key, or a new one.
    pub(super) fn list_of(map: &SharedMap, key: &str) -> Result<Self, TargetError> {
        match map.borrow().get(key) {
            None => Ok(Self::new()),
            Some(value) => Self::of(value),
        }
    }

    fn new() -> Self {
        Self {
            list: SharedList::default(),
        }
    }

    fn of(value: &Shared) -> Result<Self, TargetError> {
        match value {
            Shared::List(list) => Ok(Self {
                list: Rc::clone(list),
            }),
            other => Err(TargetError::Kind {
                found: other.go_type(),
                wanted: "[]interface {}",
            }),
        }
    }

    /// The list at an index, or a new one.
    pub(super) fn list_at(&self, index: i64) -> Result<Self, TargetError> {
        match self.get(index) {
            None | Some(Shared::Null) => Ok(Self::new()),
            Some(value) => Self::of(&value),
        }
    }

    /// The map at an index, or a new one in place of what is there.
    pub(super) fn map_at(&mut self, index: i64) -> SharedMap {
        match self.get(index) {
            Some(Shared::Map(map)) => map,
            None => new_map(),
            Some(_) => {
                let map = new_map();
                let mut list = self.list.borrow_mut();
                if let Some(slot) = usize::try_from(index)
                    .ok()
                    .and_then(|index| list.get_mut(index))
                {
                    *slot = Shared::Map(Rc::clone(&map));
                }
                map
            }
        }
    }

    fn get(&self, index: i64) -> Option<Shared> {
        self.list
            .borrow()
            .get(usize::try_from(index).ok()?)
            .cloned()
    }

    pub(super) fn set(&mut self, index: i64, value: Shared) -> Result<(), TargetError> {
        if index > MAX_INDEX {
            return Err(TargetError::Index(format!(
                "index of {index} is greater than maximum supported index of {MAX_INDEX}"
            )));
        }
        let Ok(index) = usize::try_from(index) else {
            return Err(TargetError::Index(negative(index)));
        };
        if self.list.borrow().len() <= index {
            let mut longer = self.list.borrow().clone();
            longer.resize(index + 1, Shared::Null);
            self.list = Rc::new(longer.into());
        }
        self.list.borrow_mut()[index] = value;
        Ok(())
    }

    pub(super) fn store(self, map: &SharedMap, key: &str) {
        put(map, key, self.into_value());
    }

    pub(super) fn into_value(self) -> Shared {
        Shared::List(self.list)
    }
}

/// The map of a key, or a new one.
pub(super) fn map_below(map: &SharedMap, key: &str) -> Result<SharedMap, TargetError> {
    match map.borrow().get(key) {
        None => Ok(new_map()),
        Some(Shared::Map(map)) => Ok(Rc::clone(map)),
        Some(other) => Err(TargetError::Kind {
            found: other.go_type(),
            wanted: "map[string]interface {}",
        }),
    }
}

/// Sets a key; the empty one cannot be set.
pub(super) fn put(map: &SharedMap, key: &str, value: Shared) {
    if !key.is_empty() {
        map.borrow_mut().insert(key.into(), value);
    }
}

pub(super) fn parse_index(text: &str) -> Result<i64, TargetError> {
    text.parse().map_err(|_| {
        let digits = text.trim_start_matches(['+', '-']);
        let why = if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            "value out of range"
        } else {
            "invalid syntax"
        };
        TargetError::Index(format!(
            "error parsing index: strconv.Atoi: parsing {text:?}: {why}"
        ))
    })
}
