//! Lists that merge by keys.
//!
//! Every item has a tuple of key texts. For each distinct tuple, items of the patch and of the target with it are merged;
//! afterwards the target's items are put back one by one. An item without a key makes that go wrong in ways that users
//! have come to depend on, or at least cannot be told about, so the steps are exactly the original's.

use std::collections::{HashMap, HashSet};

use weir_k8s_yaml::{Kind, Node, Text};

use super::{DIRECTIVE, Directive, Merger, new_scalar, parse_directive, text_of};
use crate::error::{Error, Problem, Result};
use crate::scalar::{nil_or_empty, wrong_kind};
use crate::schema::TypeRef;

/// What is laid over a list.
#[derive(Debug)]
pub(super) enum Laid {
    /// Nothing: the patch does not mention the list.
    Nothing,
    /// The list itself.
    Same,
    Items(Vec<Node>),
}

/// An item of the result: one of the target, or one of the patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Target(usize),
    Patch(usize),
}

/// What became of an item of the target.
enum Place {
    Untouched(Node),
    Merged(Node),
    Gone,
}

/// How long lists may be whose items have no keys of their own: these take a number of steps that grows with the square.
const MAX_IRREGULAR: usize = 10_000;

/// Takes a directive for the whole list out of it: an item that has nothing but `$patch`.
pub(super) fn take_directive(items: &mut Vec<Node>) -> Result<Directive> {
    let Some(first) = items.iter().find(|item| item.get(DIRECTIVE).is_some()) else {
        return Ok(Directive::Merge);
    };
    let (Some(map), Some(value)) = (first.as_mapping(), first.get(DIRECTIVE)) else {
        return Ok(Directive::Merge);
    };
    if map.len() > 1 {
        return Ok(Directive::Merge);
    }
    let directive = parse_directive(value)?;
    let word = text_of(value).to_owned();
    items.retain(|item| !dropped(item) && item.get_str(DIRECTIVE) != Some(&word));
    Ok(directive)
}

impl Merger<'_> {
    /// Merges a list by keys; without keys its items are scalars.
    pub(super) fn merge_list(
        &mut self,
        target: Vec<Node>,
        laid: Laid,
        keys: Vec<Text>,
        schema: Option<TypeRef>,
    ) -> Result<Vec<Node>> {
        let (same, patch) = match laid {
            Laid::Nothing => (false, Vec::new()),
            Laid::Same => (true, Vec::new()),
            Laid::Items(items) => (false, items),
        };
        let keys = if keys.is_empty() {
            vec![Text::default()]
        } else {
            keys
        };
        let tuples = tuples(patch.iter().chain(&target), &keys);
        if tuples.is_empty() {
            return Ok(target);
        }
        let mut lists = Lists {
            dropped: vec![false; target.len()],
            target,
            patch,
            same,
        };
        if lists.patch.is_empty() && lists.unambiguous(&keys, &tuples) {
            return self.each_alone(lists, schema);
        }
        if let Some(merged) = self.merge_distinct(&mut lists, &keys, &tuples, schema)? {
            return Ok(merged);
        }
        let count = lists.target.len() + lists.patch.len();
        if count > MAX_IRREGULAR {
            return Err(Error::new(Problem::ListTooLong { count }));
        }
        let tuples = if keys.len() > 1 {
            combined(tuples)
        } else {
            tuples
        };
        let active = active(&keys, &tuples);
        let once = keys.len() == 1;
        let names: Vec<Text> = active.iter().map(|at| keys[*at].clone()).collect();
        let mut new: Vec<Item> = Vec::new();
        for tuple in &tuples {
            let values: Vec<Text> = active.iter().map(|at| tuple[*at].clone()).collect();
            match self.merge_items(&mut lists, &names, &values, schema, once)? {
                Some(item) if !dropped(lists.get(item)) => {
                    lists.complete(item, &names, &values);
                    lists.set(&mut new, &names, &values, Some(item))?;
                }
                _ => lists.delete(&names, &values)?,
            }
        }
        lists.put_back(&mut new, &names)?;
        Ok(lists.into_items(&new))
    }

    /// The merge where, on each side, every item has keys of its own: the outcome of the steps, without taking them.
    /// Gives nothing if it is not so.
    fn merge_distinct(
        &mut self,
        lists: &mut Lists,
        keys: &[Text],
        tuples: &[Vec<Text>],
        schema: Option<TypeRef>,
    ) -> Result<Option<Vec<Node>>> {
        let active = active(keys, tuples);
        if lists.same {
            return Ok(None);
        }
        let (Some(in_target), Some(in_patch)) = (
            distinct(&lists.target, keys, &active),
            distinct(&lists.patch, keys, &active),
        ) else {
            return Ok(None);
        };
        let mut target: Vec<Place> = std::mem::take(&mut lists.target)
            .into_iter()
            .map(Place::Untouched)
            .collect();
        let patch: Vec<(Vec<Text>, usize)> = in_patch.into_iter().collect();
        let mut order: Vec<(usize, Vec<Text>)> =
            patch.into_iter().map(|(tuple, at)| (at, tuple)).collect();
        order.sort_unstable_by_key(|(at, _)| *at);
        let mut first = Vec::with_capacity(lists.patch.len());
        for (at, tuple) in order {
            let mut item = lists.patch[at].take();
            let Some(there) = in_target.get(&tuple) else {
                first.extend(self.added(item, schema)?.filter(|new| !dropped(new)));
                continue;
            };
            let place = &mut target[*there];
            let Place::Untouched(mut old) = std::mem::replace(place, Place::Gone) else {
                continue;
            };
            if item.get_str(DIRECTIVE) == Some("replace") {
                // The directive has no effect: the target's item takes its place again at the end. It still is cleaned.
                item.remove(DIRECTIVE);
                let schema = schema.or_else(|| self.own_schema(&item));
                self.clean_fields(&mut item, schema)?;
            } else if !self.over(&mut old, item, schema)? || dropped(&old) {
                continue;
            }
            // With one key an item of both sides stands where the patch has it, with several where the target has it.
            if active.len() == 1 {
                first.push(old);
            } else {
                *place = Place::Merged(old);
            }
        }
        for place in target {
            match place {
                Place::Gone => {}
                Place::Merged(item) => first.push(item),
                Place::Untouched(mut item) => {
                    if self.untouched(&mut item, schema)? && !dropped(&item) {
                        first.push(item);
                    }
                }
            }
        }
        Ok(Some(first))
    }

    /// Merges the items of both sides that have the given keys.
    fn merge_items(
        &mut self,
        lists: &mut Lists,
        names: &[Text],
        values: &[Text],
        schema: Option<TypeRef>,
        once: bool,
    ) -> Result<Option<Item>> {
        let wanted: Vec<(&Text, &Text)> = names.iter().zip(values).collect();
        let filled: Vec<(&Text, &Text)> = wanted
            .iter()
            .copied()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let wanted = if filled.is_empty() { wanted } else { filled };
        let in_target = lists.find_target(&wanted);
        if lists.same {
            let Some(at) = in_target else { return Ok(None) };
            let left = self.clean(&mut lists.target[at], schema)?;
            return Ok(left.then_some(Item::Target(at)));
        }
        let in_patch = lists.patch.iter().position(|item| has_keys(item, &wanted));
        match (in_target, in_patch) {
            (None, None) => Ok(None),
            (Some(at), None) => {
                let left = self.untouched(&mut lists.target[at], schema)?;
                Ok(left.then_some(Item::Target(at)))
            }
            (None, Some(at)) => {
                let new = self.added(lists.take_patch(at, once), schema)?;
                let left = new.is_some();
                if let Some(new) = new {
                    lists.patch[at] = new;
                }
                Ok(left.then_some(Item::Patch(at)))
            }
            (Some(target), Some(patch)) => {
                let replaces = lists.patch[patch].get_str(DIRECTIVE) == Some("replace");
                if replaces {
                    // The item of the patch counts here, and the target's takes its place again at the end.
                    let mut item = lists.patch[patch].take();
                    item.remove(DIRECTIVE);
                    let schema = schema.or_else(|| self.own_schema(&item));
                    self.clean_fields(&mut item, schema)?;
                    lists.patch[patch] = item;
                    return Ok(Some(Item::Patch(patch)));
                }
                let item = lists.take_patch(patch, once);
                let left = self.over(&mut lists.target[target], item, schema)?;
                Ok(left.then_some(Item::Target(target)))
            }
        }
    }

    /// The merge of a list with nothing, where every item has keys of its own.
    fn each_alone(&mut self, lists: Lists, schema: Option<TypeRef>) -> Result<Vec<Node>> {
        let same = lists.same;
        let mut items = lists.target;
        let mut kept = Vec::with_capacity(items.len());
        for mut item in items.drain(..) {
            let left = if same {
                self.clean(&mut item, schema)?
            } else {
                self.untouched(&mut item, schema)?
            };
            if left && !dropped(&item) {
                kept.push(item);
            }
        }
        Ok(kept)
    }
}

/// Both lists while they are merged.
struct Lists {
    target: Vec<Node>,
    /// Which items of the target are no longer in the list.
    dropped: Vec<bool>,
    patch: Vec<Node>,
    same: bool,
}

impl Lists {
    fn get(&self, item: Item) -> &Node {
        match item {
            Item::Target(at) => &self.target[at],
            Item::Patch(at) => &self.patch[at],
        }
    }

    fn get_mut(&mut self, item: Item) -> &mut Node {
        match item {
            Item::Target(at) => &mut self.target[at],
            Item::Patch(at) => &mut self.patch[at],
        }
    }

    /// An item of the patch. With several keys the same one can be found again, then without its directive.
    fn take_patch(&mut self, at: usize, once: bool) -> Node {
        if once {
            return self.patch[at].take();
        }
        let item = self.patch[at].clone();
        self.patch[at].remove(DIRECTIVE);
        item
    }

    /// Whether every item is a map with keys that no other item has, or every item is a different scalar.
    fn unambiguous(&self, keys: &[Text], tuples: &[Vec<Text>]) -> bool {
        if tuples.len() != self.target.len() {
            return false;
        }
        if keys[0].is_empty() {
            return self
                .target
                .iter()
                .all(|item| item.kind() == Kind::Scalar && !item.is_null());
        }
        let active = active(keys, tuples);
        tuples
            .iter()
            .all(|tuple| active.iter().all(|at| !tuple[*at].is_empty()))
            && self
                .target
                .iter()
                .all(|item| item.as_mapping().is_some() && item.get(DIRECTIVE).is_none())
            && active.iter().any(|at| !tuples[0][*at].is_empty())
    }

    fn find_target(&self, wanted: &[(&Text, &Text)]) -> Option<usize> {
        let mut items = self.target.iter().enumerate();
        items
            .find(|(at, item)| !self.dropped[*at] && has_keys(item, wanted))
            .map(|(at, _)| at)
    }

    /// Adds keys that an item lacks.
    fn complete(&mut self, item: Item, names: &[Text], values: &[Text]) {
        for (name, value) in names.iter().zip(values) {
            if let Some(map) = self.get_mut(item).as_mapping_mut()
                && !value.is_empty()
                && !map.contains_key(name)
            {
                map.push(new_scalar(name), new_scalar(value));
            }
        }
    }

    /// Puts an item into a list in the place of those with the same keys, or at the end; without an item those are only removed.
    fn set(
        &self,
        list: &mut Vec<Item>,
        names: &[Text],
        values: &[Text],
        new: Option<Item>,
    ) -> Result<()> {
        let mut kept = Vec::with_capacity(list.len() + 1);
        let mut found = false;
        for item in list.drain(..) {
            match fate(self.get(item), names, values)? {
                Fate::Drop => {}
                Fate::Keep => kept.push(item),
                Fate::Match => {
                    found = true;
                    kept.extend(new);
                }
            }
        }
        if let Some(new) = new.filter(|_| !found) {
            kept.push(new);
        }
        *list = kept;
        Ok(())
    }

    /// Removes the target's items with the given keys.
    fn delete(&mut self, names: &[Text], values: &[Text]) -> Result<()> {
        // The original does this once for each key, and with the same outcome.
        for at in 0..self.target.len() {
            if !self.dropped[at] && fate(&self.target[at], names, values)? != Fate::Keep {
                self.dropped[at] = true;
            }
        }
        Ok(())
    }

    /// Puts the target's items into the result: they take the place of what was merged from them.
    fn put_back(&self, new: &mut Vec<Item>, names: &[Text]) -> Result<()> {
        for at in (0..self.target.len()).filter(|at| !self.dropped[*at]) {
            let item = Item::Target(at);
            let node = &self.target[at];
            if names[0].is_empty() {
                self.set(new, names, &[text_of(node).into()], Some(item))?;
                continue;
            }
            if !node.is_null() && node.as_mapping().is_none() {
                return Err(wrong_kind(node, "a map"));
            }
            let mut values = Vec::with_capacity(names.len());
            for name in names {
                match node.get(name) {
                    Some(value) => values.push(Text::from(text_of(value))),
                    None => new.push(item),
                }
            }
            if names.len() > 1 {
                self.set(new, names, &values, None)?;
            }
            self.set(new, names, &values, Some(item))?;
        }
        Ok(())
    }

    /// The items of the result.
    fn into_items(mut self, new: &[Item]) -> Vec<Node> {
        let mut result = Vec::with_capacity(new.len());
        for (at, item) in new.iter().enumerate() {
            let again = new.len() < 4096 && new[at + 1..].contains(item);
            let node = self.get_mut(*item);
            result.push(if again { node.clone() } else { node.take() });
        }
        result
    }
}

/// What becomes of an item when one with given keys is set or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Drop,
    Keep,
    Match,
}

fn fate(item: &Node, names: &[Text], values: &[Text]) -> Result<Fate> {
    if dropped(item) {
        return Ok(Fate::Drop);
    }
    let by_key = !names[0].is_empty() && values.first().is_some_and(|value| !value.is_empty());
    if item.as_mapping().is_none() && by_key {
        return Ok(Fate::Keep);
    }
    let mut fits = false;
    for (at, name) in names.iter().enumerate() {
        if let Some(value) = values.get(at) {
            fits = if name.is_empty() {
                if item.kind() != Kind::Scalar {
                    return Err(wrong_kind(item, "a scalar"));
                }
                text_of(item) == value
            } else {
                if item.as_mapping().is_none() {
                    return Err(wrong_kind(item, "a map"));
                }
                item.get(name)
                    .is_some_and(|found| value.is_empty() || text_of(found) == value)
            };
        }
        if !fits {
            break;
        }
    }
    Ok(match (fits, values.is_empty()) {
        (true, _) => Fate::Match,
        (false, false) => Fate::Keep,
        (false, true) => Fate::Drop,
    })
}

/// Whether an item is one that setting always removes.
fn dropped(item: &Node) -> bool {
    item.is_null()
        || item
            .as_mapping()
            .is_some_and(weir_k8s_yaml::Mapping::is_empty)
}

/// Whether an item has exactly these texts as keys.
fn has_keys(item: &Node, wanted: &[(&Text, &Text)]) -> bool {
    if let [(name, value)] = wanted
        && name.is_empty()
    {
        return text_of(item) == value.as_str();
    }
    item.as_mapping().is_some_and(|map| {
        wanted.iter().all(|(name, value)| {
            map.get(name)
                .is_some_and(|found| text_of(found) == value.as_str())
        })
    })
}

/// The positions of items by their keys, if these are distinct and complete.
fn distinct(items: &[Node], keys: &[Text], active: &[usize]) -> Option<HashMap<Vec<Text>, usize>> {
    let mut positions = HashMap::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let tuple: Option<Vec<Text>> = if keys[0].is_empty() {
            (item.kind() == Kind::Scalar && !item.is_null()).then(|| vec![text_of(item).into()])
        } else {
            let map = item.as_mapping()?;
            let text = |at: &usize| {
                map.get(&keys[*at])
                    .filter(|it| !nil_or_empty(it))?
                    .text()
                    .cloned()
            };
            active
                .iter()
                .map(text)
                .map(|text| text.filter(|text| !text.is_empty()))
                .collect()
        };
        if positions.insert(tuple?, at).is_some() {
            return None;
        }
    }
    Some(positions)
}

/// The distinct tuples of key texts, in order.
fn tuples<'a>(items: impl Iterator<Item = &'a Node>, keys: &[Text]) -> Vec<Vec<Text>> {
    let mut seen: HashSet<Vec<Text>> = HashSet::new();
    let mut result = Vec::new();
    for item in items {
        let text = |key: &Text| -> Text {
            if key.is_empty() {
                return item.text().cloned().unwrap_or_default();
            }
            match item.get(key) {
                Some(value) if !nil_or_empty(value) => value.text().cloned().unwrap_or_default(),
                _ => Text::default(),
            }
        };
        let tuple: Vec<Text> = keys.iter().map(text).collect();
        if seen.insert(tuple.clone()) {
            result.push(tuple);
        }
    }
    result
}

/// Which keys any item has; all of them if none does.
fn active(keys: &[Text], tuples: &[Vec<Text>]) -> Vec<usize> {
    let used: Vec<usize> = (0..keys.len())
        .filter(|at| tuples.iter().any(|tuple| !tuple[*at].is_empty()))
        .collect();
    if used.is_empty() {
        (0..keys.len()).collect()
    } else {
        used
    }
}

/// Tuples that agree where both have a text become one that has the texts of both.
fn combined(mut tuples: Vec<Vec<Text>>) -> Vec<Vec<Text>> {
    for i in 0..tuples.len() {
        let first = tuples[i].clone();
        for j in 0..tuples.len() {
            if let Some(both) = combine(&first, &tuples[j]) {
                tuples[i].clone_from(&both);
                tuples[j] = both;
            }
        }
    }
    tuples
}

fn combine(a: &[Text], b: &[Text]) -> Option<Vec<Text>> {
    let mut agree = false;
    let mut both = Vec::with_capacity(a.len());
    for (a, b) in a.iter().zip(b) {
        if a == b {
            agree = true;
        } else if !a.is_empty() && !b.is_empty() {
            return None;
        }
        both.push(if a.is_empty() { b.clone() } else { a.clone() });
    }
    agree.then_some(both)
}
