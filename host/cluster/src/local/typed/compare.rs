//! What is different between two values of a type.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{As, entries, equal, items, part};
use crate::local::fields::{Element, Set};
use crate::local::schema::{ListType, MapType, Schema, Topology, TypeId};

/// The fields in which a value differs from an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) added: Set,
    pub(crate) removed: Set,
    pub(crate) modified: Set,
}

impl Comparison {
    /// Without some fields and all below them.
    pub(crate) fn without(&self, fields: &Set) -> Self {
        Self {
            added: self.added.without(fields),
            removed: self.removed.without(fields),
            modified: self.modified.without(fields),
        }
    }
}

/// Compares two values of the same type.
pub(crate) fn compare(schema: &Schema, id: TypeId, old: &Value, new: &Value) -> Comparison {
    let mut walk = Walk {
        schema,
        path: Vec::new(),
        found: Comparison::default(),
    };
    walk.value(id, Some(old), Some(new));
    walk.found
}

struct Walk<'s> {
    schema: &'s Schema,
    path: Vec<Element>,
    found: Comparison,
}

impl Walk<'_> {
    fn value(&mut self, id: TypeId, old: Option<&Value>, new: Option<&Value>) {
        let ty = self.schema.get(id);
        let how = match (old, new) {
            (Some(only), None) | (None, Some(only)) => part(ty, only),
            (Some(old), Some(new)) => {
                let (before, after) = (part(ty, old), part(ty, new));
                // A text became a mapping, say: its old self changed, and all of its new self is added.
                if before != after {
                    self.part(before, Some(old), Some(new));
                }
                after
            }
            (None, None) => return,
        };
        let leaf = self.part(how, old, new);
        if !leaf {
            match (old, new) {
                (None, _) => self.found.added.insert(&self.path),
                (_, None) => self.found.removed.insert(&self.path),
                (Some(_), Some(_)) => {}
            }
        }
    }

    /// Compares by one part of a type; whether the values count as one.
    fn part(&mut self, how: As<'_>, old: Option<&Value>, new: Option<&Value>) -> bool {
        match how {
            As::Scalar(_) => self.leaf(old, new),
            As::List(list) => {
                let empty =
                    items(old).is_none_or(Vec::is_empty) && items(new).is_none_or(Vec::is_empty);
                if list.topology == Topology::Atomic || empty {
                    return self.leaf(old, new);
                }
                self.list(list, items(old), items(new));
                false
            }
            As::Map(map) => {
                let empty = entries(old).is_none_or(Map::is_empty)
                    && entries(new).is_none_or(Map::is_empty);
                if map.atomic || empty {
                    return self.leaf(old, new);
                }
                self.map(map, entries(old), entries(new));
                false
            }
        }
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>) -> bool {
        match (old, new) {
            (None, _) => self.found.added.insert(&self.path),
            (_, None) => self.found.removed.insert(&self.path),
            (Some(old), Some(new)) if !equal(old, new) => self.found.modified.insert(&self.path),
            (Some(_), Some(_)) => {}
        }
        true
    }

    fn map(
        &mut self,
        map: &MapType,
        old: Option<&Map<String, Value>>,
        new: Option<&Map<String, Value>>,
    ) {
        let added = new
            .into_iter()
            .flatten()
            .filter(|(name, _)| old.is_none_or(|old| !old.contains_key(*name)));
        for (name, _) in old.into_iter().flatten().chain(added) {
            let Some(id) = map.at(name) else { continue };
            self.path.push(Element::field(name));
            self.value(
                id,
                old.and_then(|old| old.get(name)),
                new.and_then(|new| new.get(name)),
            );
            self.path.pop();
        }
    }

    fn list(&mut self, list: &ListType, old: Option<&Vec<Value>>, new: Option<&Vec<Value>>) {
        let (old, new) = (by_element(list, old), by_element(list, new));
        let empty = Vec::new();
        let added = new.keys().filter(|element| !old.contains_key(*element));
        for element in old.keys().chain(added) {
            let (before, after) = (
                old.get(element).unwrap_or(&empty),
                new.get(element).unwrap_or(&empty),
            );
            self.path.push(element.clone());
            match (before.len(), after.len()) {
                (0 | 1, 0 | 1) => {
                    self.value(list.item, before.first().copied(), after.first().copied())
                }
                // Items that cannot be told apart are one value together.
                (2.., 2..) => {
                    let same = before.len() == after.len()
                        && before.iter().zip(after).all(|(one, two)| equal(one, two));
                    if !same {
                        self.found.modified.insert(&self.path);
                    }
                }
                (2.., _) => {
                    if let Some(after) = after.first() {
                        self.value(list.item, None, Some(after));
                    }
                    self.found.removed.insert(&self.path);
                }
                (_, 2..) => {
                    if let Some(before) = before.first() {
                        self.value(list.item, Some(before), None);
                    }
                    self.found.added.insert(&self.path);
                }
            }
            self.path.pop();
        }
    }
}

fn by_element<'v>(
    list: &ListType,
    items: Option<&'v Vec<Value>>,
) -> BTreeMap<Element, Vec<&'v Value>> {
    let mut found: BTreeMap<Element, Vec<&Value>> = BTreeMap::new();
    for item in items.into_iter().flatten() {
        if let Ok(element) = list.element(item) {
            found.entry(element).or_default().push(item);
        }
    }
    found
}
