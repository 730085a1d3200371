//! What a live object becomes when something is applied to it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{As, entries, items, part};
use crate::local::fields::Element;
use crate::local::schema::{ListType, MapType, Schema, Topology, TypeId};

/// Merges `applied` into `live`. `None` where nothing is left. Both were checked before.
pub(crate) fn merge(
    schema: &Schema,
    id: TypeId,
    live: Option<&Value>,
    applied: Option<&Value>,
) -> Option<Value> {
    let how = part(schema.get(id), applied.or(live)?);
    let one_value = || applied.or(live).cloned();
    match how {
        As::Scalar(_) => one_value(),
        As::List(list) => {
            let (live_items, applied_items) = (items(live), items(applied));
            let empty =
                live_items.is_none_or(Vec::is_empty) && applied_items.is_none_or(Vec::is_empty);
            if list.topology == Topology::Atomic || empty {
                return one_value();
            }
            let none = Vec::new();
            merge_lists(
                schema,
                list,
                live_items.unwrap_or(&none),
                applied_items.unwrap_or(&none),
            )
        }
        As::Map(map) => {
            let (live_entries, applied_entries) = (entries(live), entries(applied));
            let empty =
                live_entries.is_none_or(Map::is_empty) && applied_entries.is_none_or(Map::is_empty);
            if map.atomic || empty {
                return one_value();
            }
            merge_maps(schema, map, live_entries, applied_entries)
        }
    }
}

fn merge_maps(
    schema: &Schema,
    map: &MapType,
    live: Option<&Map<String, Value>>,
    applied: Option<&Map<String, Value>>,
) -> Option<Value> {
    let mut merged = Map::new();
    let new = applied
        .into_iter()
        .flatten()
        .filter(|(name, _)| live.is_none_or(|live| !live.contains_key(*name)));
    for (name, _) in live.into_iter().flatten().chain(new) {
        let (live, applied) = (
            live.and_then(|live| live.get(name)),
            applied.and_then(|applied| applied.get(name)),
        );
        let value = match map.at(name) {
            Some(id) => merge(schema, id, live, applied),
            // Left from an earlier schema.
            None => applied.or(live).cloned(),
        };
        if let Some(value) = value {
            merged.insert(name.clone(), value);
        }
    }
    (!merged.is_empty()).then_some(Value::Object(merged))
}

/// Merges lists item by item. The order is that of what is applied for the items that it names; the others keep their
/// places between them as far as that goes.
fn merge_lists(
    schema: &Schema,
    list: &ListType,
    live: &[Value],
    applied: &[Value],
) -> Option<Value> {
    let elements = |items: &[Value]| {
        items
            .iter()
            .map(|item| list.element(item).ok())
            .collect::<Vec<_>>()
    };
    let (live_elements, applied_elements) = (elements(live), elements(applied));
    let (live_index, applied_index) = (
        index(live, &live_elements),
        index(applied, &applied_elements),
    );
    let null = Value::Null;
    let merged_with = |element: &Element, applied: &Value| {
        // Of items that are there twice none can be merged with.
        let live = live_index.get(element).map(|item| item.unwrap_or(&null));
        merge(schema, list.item, live, Some(applied))
    };
    let in_both = applied_elements
        .iter()
        .flatten()
        .filter(|element| live_index.contains_key(*element));
    let mut in_both = in_both.collect::<Vec<_>>().into_iter();
    let mut next_in_both = in_both.next();
    let mut done: BTreeSet<&Element> = BTreeSet::new();
    let mut out = Vec::with_capacity(live.len().max(applied.len()));
    let (mut at_live, mut at_applied) = (0, 0);
    while at_live < live.len() || at_applied < applied.len() {
        let live_element = live_elements.get(at_live).map(Option::as_ref);
        let applied_element = applied_elements.get(at_applied).map(Option::as_ref);
        // What cannot be told apart was refused before; what is left of it is dropped.
        let (live_element, applied_element) = match (live_element, applied_element) {
            (Some(None), _) => {
                at_live += 1;
                continue;
            }
            (_, Some(None)) => {
                at_applied += 1;
                continue;
            }
            (live, applied) => (live.flatten(), applied.flatten()),
        };
        if let (Some(one), Some(two)) = (live_element, applied_element) {
            if one == two {
                out.extend(merged_with(two, &applied[at_applied]));
                done.insert(two);
                at_live += 1;
                at_applied += 1;
                next_in_both = in_both.next();
                continue;
            }
            // In both, but what is applied wants another one first.
            if applied_index.contains_key(one) && next_in_both.is_some_and(|next| next != one) {
                at_live += 1;
                continue;
            }
        }
        if let Some(one) = live_element {
            if !applied_index.contains_key(one) {
                out.extend(merge(schema, list.item, Some(&live[at_live]), None));
                at_live += 1;
                continue;
            }
            if done.contains(one) {
                at_live += 1;
            }
        }
        if let Some(two) = applied_element {
            out.extend(merged_with(two, &applied[at_applied]));
            done.insert(two);
            at_applied += 1;
            if next_in_both == Some(two) {
                next_in_both = in_both.next();
            }
        }
    }
    (!out.is_empty()).then_some(Value::Array(out))
}

/// Items by what tells them apart; `None` where two are the same.
fn index<'v>(
    items: &'v [Value],
    elements: &[Option<Element>],
) -> BTreeMap<Element, Option<&'v Value>> {
    let mut found = BTreeMap::new();
    for (item, element) in items.iter().zip(elements) {
        let Some(element) = element else { continue };
        found
            .entry(element.clone())
            .and_modify(|item| *item = None)
            .or_insert(Some(item));
    }
    found
}
