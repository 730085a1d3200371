//! Metadata in formats without nesting: `age__list_0__map_enc` is `age[0].enc`.

use std::collections::BTreeMap;

use super::MetadataError;
use crate::tree::{Branch, Entry, Key, Value};

const MAP: &str = "__map_";
const LIST: &str = "__list_";

/// The deepest nesting that is made; metadata has five levels.
const MOST_STEPS: usize = 16;

#[derive(Default)]
struct Place {
    value: Option<Value>,
    entries: BTreeMap<String, Place>,
    items: BTreeMap<usize, Place>,
}

enum Step<'a> {
    Entry(&'a str),
    Item(usize),
}

/// Makes maps and lists of entries whose names are paths.
pub(crate) fn unflatten(flat: Branch) -> Result<Branch, MetadataError> {
    let mut root = Place::default();
    for entry in flat {
        let name = match entry.key {
            Key::Name(name) => name,
            Key::Comment(_) => continue,
            Key::Other { kind, .. } => return Err(MetadataError::KeyType(kind)),
        };
        let mut place = &mut root;
        for step in steps(&name)? {
            place = match step {
                Step::Entry(key) => place.entries.entry(key.to_owned()).or_default(),
                Step::Item(at) => place.items.entry(at).or_default(),
            };
        }
        if place.value.is_some() {
            return Err(MetadataError::FlatDuplicate { key: name });
        }
        place.value = Some(entry.value);
    }
    root.into_value()?
        .into_map()
        .ok_or(MetadataError::FlatMismatch)
}

fn steps(path: &str) -> Result<Vec<Step<'_>>, MetadataError> {
    let mut steps = Vec::new();
    let mut rest = path;
    let mut item = false;
    loop {
        let end = [rest.find(MAP), rest.find(LIST)]
            .into_iter()
            .flatten()
            .min();
        let (part, next) = rest.split_at(end.unwrap_or(rest.len()));
        steps.push(if item {
            Step::Item(part.parse().unwrap_or(0))
        } else {
            Step::Entry(part)
        });
        if steps.len() > MOST_STEPS {
            return Err(MetadataError::FlatMismatch);
        }
        if let Some(inside) = next.strip_prefix(MAP) {
            (rest, item) = (inside, false);
        } else if let Some(inside) = next.strip_prefix(LIST) {
            (rest, item) = (inside, true);
        } else {
            return Ok(steps);
        }
    }
}

impl Place {
    fn into_value(self) -> Result<Value, MetadataError> {
        match (self.value, self.entries.is_empty(), self.items.is_empty()) {
            (Some(value), true, true) => Ok(value),
            (None, _, true) => {
                let entries = self.entries.into_iter();
                let branch: Result<Branch, _> = entries
                    .map(|(name, place)| Ok(Entry::new(name, place.into_value()?)))
                    .collect();
                Ok(Value::Map(branch?))
            }
            (None, true, false) => {
                let last = self.items.keys().next_back().copied().unwrap_or_default();
                if last != self.items.len() - 1 {
                    return Err(MetadataError::FlatIncomplete);
                }
                let items: Result<Vec<_>, _> =
                    self.items.into_values().map(Place::into_value).collect();
                Ok(Value::List(items?))
            }
            (Some(_), ..) | (None, false, false) => Err(MetadataError::FlatMismatch),
        }
    }
}
