//! Two walks, object by object. Order of keys does not matter, nor does the order of objects; secret values are masked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::build::short_name;
use crate::get::images_of;
use crate::repository::unit::{Outcome, Unit};
use crate::repository::walk::Walked;

/// Long texts are cut to this in a change.
const LONGEST: usize = 200;
/// What is not shown.
const MASK: &str = "***";

/// What differs.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    pub(crate) units: Vec<UnitDifference>,
    /// Units that are the same.
    pub(crate) untouched: usize,
    /// Images that only one side runs.
    pub(crate) images: Vec<(String, bool)>,
}

#[derive(Debug)]
pub(crate) struct UnitDifference {
    pub(crate) unit: String,
    pub(crate) state: State,
    pub(crate) objects: Vec<ObjectDifference>,
}

/// What became of a unit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    Created,
    Deleted,
    Changed,
    /// It cannot be rendered after the change, or the cluster refuses it.
    Failed(String),
    /// It could not be rendered before the change, and can now.
    Mended,
}

#[derive(Debug)]
pub(crate) struct ObjectDifference {
    /// `Kind/namespace/name`
    pub(crate) object: String,
    pub(crate) change: Change,
}

#[derive(Debug)]
pub(crate) enum Change {
    Created,
    Deleted,
    Fields(Vec<Field>),
}

/// A field that changed; `None` where it is not there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) path: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl Difference {
    pub(crate) fn failed(&self) -> bool {
        let failed = |unit: &UnitDifference| matches!(unit.state, State::Failed(_));
        self.units.iter().any(failed)
    }
}

/// The units of a walk.
#[derive(Debug)]
pub(crate) struct Side<'w> {
    units: BTreeMap<String, &'w Unit>,
    /// The same units as somebody sees them who knows no secret.
    open: BTreeMap<String, &'w Unit>,
}

impl<'w> Side<'w> {
    /// `open` is needed if there are tainted units.
    pub(crate) fn new(units: &'w [Unit], open: Option<&'w Walked>) -> Self {
        let index = |units: &'w [Unit]| -> BTreeMap<String, &'w Unit> {
            let keyed = units.iter().map(|unit| (short_name(&unit.id), unit));
            keyed.collect()
        };
        Self {
            units: index(units),
            open: open.map_or_else(BTreeMap::new, |open| index(&open.units)),
        }
    }

    /// A unit's objects, with what may be shown of each.
    fn objects(&self, id: &str) -> Objects<'w> {
        let unit = self.units.get(id).copied();
        let open = self.open.get(id).copied();
        let mut objects: Objects<'w> = values(unit)
            .map(|(key, value)| (key, (value, Sight::Plain)))
            .collect();
        if unit.is_some_and(|unit| unit.tainted) {
            let mut open: BTreeMap<String, &Value> = values(open).collect();
            for (key, (_, sight)) in &mut objects {
                *sight = Sight::Open(open.remove(key));
            }
        }
        for (key, (_, sight)) in &mut objects {
            if key.starts_with("Secret/") {
                *sight = Sight::Open(None);
            }
        }
        objects
    }

    /// The images that a unit runs, by the names that may be shown.
    pub(crate) fn images_of(&self, unit: &Unit) -> BTreeSet<String> {
        if !unit.tainted {
            return images_of(unit);
        }
        let open = self.open.get(&short_name(&unit.id));
        let shown = open.map(|open| images_of(open)).unwrap_or_default();
        if shown.is_empty() && !images_of(unit).is_empty() {
            // It cannot be rendered without its secrets.
            return BTreeSet::from([MASK.to_owned()]);
        }
        shown
    }

    fn images(&self) -> BTreeSet<String> {
        let units = self.units.values();
        units.flat_map(|unit| self.images_of(unit)).collect()
    }
}

type Objects<'u> = BTreeMap<String, (&'u Value, Sight<'u>)>;

/// What may be shown of a value.
#[derive(Clone, Copy, Debug)]
enum Sight<'v> {
    Plain,
    /// Not the value itself, but what stands in its place when no secret is known, if there is something.
    Open(Option<&'v Value>),
}

impl<'v> Sight<'v> {
    fn key(self, key: &str) -> Self {
        self.below(|value| value.get(key))
    }

    fn index(self, index: usize) -> Self {
        self.below(|value| value.get(index))
    }

    fn below(self, get: impl FnOnce(&'v Value) -> Option<&'v Value>) -> Self {
        match self {
            Self::Plain => Self::Plain,
            Self::Open(open) => Self::Open(open.and_then(get)),
        }
    }
}

/// The objects of a unit by `Kind/namespace/name`.
fn values<'u>(unit: Option<&'u Unit>) -> impl Iterator<Item = (String, &'u Value)> + use<'u> {
    let made = match unit.map(|unit| &unit.outcome) {
        Some(Outcome::Built(made)) => made.as_slice(),
        Some(Outcome::Failed(_) | Outcome::Named) | None => &[],
    };
    made.iter()
        .map(|made| (made.object.key().to_string(), made.object.value()))
}

pub(crate) fn compare(before: &Side<'_>, after: &Side<'_>) -> Difference {
    let ids: BTreeSet<&String> = before.units.keys().chain(after.units.keys()).collect();
    let mut difference = Difference::default();
    for id in ids {
        match compare_unit(id, before, after) {
            Some((state, objects)) => difference.units.push(UnitDifference {
                unit: id.clone(),
                state,
                objects,
            }),
            None => difference.untouched += 1,
        }
    }
    let (old, new) = (before.images(), after.images());
    difference.images = old
        .symmetric_difference(&new)
        .map(|image| (image.clone(), new.contains(image)))
        .collect();
    difference
}

fn compare_unit(
    id: &str,
    before: &Side<'_>,
    after: &Side<'_>,
) -> Option<(State, Vec<ObjectDifference>)> {
    let (old, new) = (before.units.get(id), after.units.get(id));
    let failure = |unit: Option<&&Unit>| match unit.map(|unit| &unit.outcome) {
        Some(Outcome::Failed(failure)) => Some(failure.message.clone()),
        Some(Outcome::Built(_) | Outcome::Named) | None => None,
    };
    let (was, now) = (failure(old), failure(new));
    if let Some(message) = now {
        // What stays broken in the same way is no change.
        return (was.as_ref() != Some(&message)).then(|| (State::Failed(message), Vec::new()));
    }
    let objects = compare_objects(&before.objects(id), &after.objects(id));
    let state = match (old, new) {
        (None, _) => State::Created,
        (_, None) => State::Deleted,
        _ if was.is_some() => State::Mended,
        _ if objects.is_empty() => return None,
        _ => State::Changed,
    };
    Some((state, objects))
}

fn compare_objects(old: &Objects<'_>, new: &Objects<'_>) -> Vec<ObjectDifference> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut differences = Vec::new();
    for key in keys {
        let change = match (old.get(key), new.get(key)) {
            (None, Some(_)) => Change::Created,
            (Some(_), None) => Change::Deleted,
            (Some((before, old)), Some((after, new))) => {
                let mut fields = Vec::new();
                compare_values(
                    (Some(before), *old),
                    (Some(after), *new),
                    &mut String::new(),
                    &mut fields,
                );
                if fields.is_empty() {
                    continue;
                }
                Change::Fields(fields)
            }
            (None, None) => continue,
        };
        differences.push(ObjectDifference {
            object: key.clone(),
            change,
        });
    }
    differences
}

/// The depth is that of parsed JSON, which is bounded.
fn compare_values<'v>(
    (before, old): (Option<&'v Value>, Sight<'v>),
    (after, new): (Option<&'v Value>, Sight<'v>),
    at: &mut String,
    found: &mut Vec<Field>,
) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for key in keys {
                let length = at.len();
                if key.contains('.') {
                    at.push_str(&format!("[{key:?}]"));
                } else {
                    at.push_str(&format!(".{key}"));
                }
                let (old, new) = (old.key(key), new.key(key));
                compare_values((before.get(key), old), (after.get(key), new), at, found);
                at.truncate(length);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            for index in 0..before.len().max(after.len()) {
                let length = at.len();
                at.push_str(&format!("[{index}]"));
                let (old, new) = (old.index(index), new.index(index));
                compare_values((before.get(index), old), (after.get(index), new), at, found);
                at.truncate(length);
            }
        }
        (before, after) => {
            // Where what may be shown is the same on both sides, it would hide that there is a change.
            let hidden = matches!((old, new), (Sight::Open(old), Sight::Open(new)) if old == new);
            let shown = |value: &Value, sight| match sight {
                _ if hidden => MASK.to_owned(),
                Sight::Plain => shown(value),
                Sight::Open(open) => open.map_or_else(|| MASK.to_owned(), shown),
            };
            found.push(Field {
                path: at.trim_start_matches('.').to_owned(),
                before: before.map(|value| shown(value, old)),
                after: after.map(|value| shown(value, new)),
            });
        }
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    let start: String = text.chars().take(LONGEST).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    type Told = Vec<(String, Option<String>, Option<String>)>;

    fn fields(before: (&Value, Sight<'_>), after: (&Value, Sight<'_>)) -> Told {
        let mut found = Vec::new();
        let some = |(value, sight)| (Some(value), sight);
        compare_values(some(before), some(after), &mut String::new(), &mut found);
        found
            .into_iter()
            .map(|field| (field.path, field.before, field.after))
            .collect()
    }

    #[test]
    fn fields_are_named_and_secrets_are_masked() {
        let before = json!({"b": 1, "a": {"x.y": "1", "l": [1, 2]}});
        let after = json!({"a": {"x.y": "2", "l": [1]}, "b": 1});
        assert_eq!(
            fields((&before, Sight::Plain), (&after, Sight::Plain)),
            [
                ("a.l[1]".to_owned(), Some("2".to_owned()), None),
                (
                    "a[\"x.y\"]".to_owned(),
                    Some("\"1\"".to_owned()),
                    Some("\"2\"".to_owned())
                ),
            ]
        );
        let masked = fields((&before, Sight::Open(None)), (&after, Sight::Open(None)));
        assert_eq!(masked[1].2.as_deref(), Some("***"));
    }

    #[test]
    fn of_what_secrets_went_into_that_is_shown_which_needs_none() {
        let before = json!({"tag": "1", "host": "a.secret.org", "key": "one", "new": {}});
        let after = json!({"tag": "2", "host": "b.secret.org", "key": "two"});
        let open_before = json!({"tag": "1", "host": "a.domain", "key": "key"});
        let open_after = json!({"tag": "2", "host": "b.domain", "key": "key"});
        let told = fields(
            (&before, Sight::Open(Some(&open_before))),
            (&after, Sight::Open(Some(&open_after))),
        );
        let told: Vec<_> = told
            .iter()
            .map(|(path, before, after)| (path.as_str(), before.as_deref(), after.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("host", Some("\"a.domain\""), Some("\"b.domain\"")),
                ("key", Some("***"), Some("***")),
                ("new", Some("***"), None),
                ("tag", Some("\"1\""), Some("\"2\"")),
            ]
        );
    }
}
