//! Two walks, object by object. Order of keys does not matter, nor does the order of objects; secret values are masked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use weir_render::UnitId;

use crate::build::short_name;
use crate::get::images_of;
use crate::repository::unit::{Outcome, Unit};

/// Long texts are cut to this in a change.
const LONGEST: usize = 200;

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
    /// It cannot be rendered after the change.
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

type Objects<'u> = BTreeMap<String, (&'u Value, &'u Unit)>;

pub(crate) fn compare(before: &[Unit], after: &[Unit]) -> Difference {
    let by_id = |units| -> BTreeMap<String, &Unit> { index(units) };
    let (old, new) = (by_id(before), by_id(after));
    let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut difference = Difference::default();
    for id in ids {
        match compare_unit(old.get(id).copied(), new.get(id).copied()) {
            Some((state, objects)) => difference.units.push(UnitDifference {
                unit: id.clone(),
                state,
                objects,
            }),
            None => difference.untouched += 1,
        }
    }
    let (old, new) = (images(before), images(after));
    difference.images = old
        .symmetric_difference(&new)
        .map(|image| (image.clone(), new.contains(image)))
        .collect();
    difference
}

fn index(units: &[Unit]) -> BTreeMap<String, &Unit> {
    let key = |id: &UnitId| short_name(id);
    units.iter().map(|unit| (key(&unit.id), unit)).collect()
}

fn images(units: &[Unit]) -> BTreeSet<String> {
    units.iter().flat_map(images_of).collect()
}

fn compare_unit(old: Option<&Unit>, new: Option<&Unit>) -> Option<(State, Vec<ObjectDifference>)> {
    let failure = |unit: Option<&Unit>| match unit.map(|unit| &unit.outcome) {
        Some(Outcome::Failed(failure)) => Some(failure.message.clone()),
        Some(Outcome::Built(_) | Outcome::Named) | None => None,
    };
    let (was, now) = (failure(old), failure(new));
    if let Some(message) = now {
        // What stays broken in the same way is no change.
        return (was.as_ref() != Some(&message)).then(|| (State::Failed(message), Vec::new()));
    }
    let objects = compare_objects(&objects(old), &objects(new));
    let state = match (old, new) {
        (None, _) => State::Created,
        (_, None) => State::Deleted,
        _ if was.is_some() => State::Mended,
        _ if objects.is_empty() => return None,
        _ => State::Changed,
    };
    Some((state, objects))
}

fn objects(unit: Option<&Unit>) -> Objects<'_> {
    let mut objects = Objects::new();
    if let Some(unit) = unit
        && let Outcome::Built(made) = &unit.outcome
    {
        for made in made {
            let key = made.object.key().to_string();
            objects.insert(key, (made.object.value(), unit));
        }
    }
    objects
}

fn compare_objects(old: &Objects<'_>, new: &Objects<'_>) -> Vec<ObjectDifference> {
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut differences = Vec::new();
    for key in keys {
        let change = match (old.get(key), new.get(key)) {
            (None, Some(_)) => Change::Created,
            (Some(_), None) => Change::Deleted,
            (Some((before, old)), Some((after, new))) => {
                let secret = key.starts_with("Secret/") || old.tainted || new.tainted;
                let mut fields = Vec::new();
                compare_values(
                    Some(before),
                    Some(after),
                    secret,
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
fn compare_values(
    before: Option<&Value>,
    after: Option<&Value>,
    secret: bool,
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
                compare_values(before.get(key), after.get(key), secret, at, found);
                at.truncate(length);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            for index in 0..before.len().max(after.len()) {
                let length = at.len();
                at.push_str(&format!("[{index}]"));
                compare_values(before.get(index), after.get(index), secret, at, found);
                at.truncate(length);
            }
        }
        (before, after) => found.push(Field {
            path: at.trim_start_matches('.').to_owned(),
            before: before.map(|value| shown(value, secret)),
            after: after.map(|value| shown(value, secret)),
        }),
    }
}

/// What a Secret holds, and what secret bytes went into, is not shown.
fn shown(value: &Value, secret: bool) -> String {
    if secret {
        return "***".to_owned();
    }
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

    fn fields(
        before: Value,
        after: Value,
        secret: bool,
    ) -> Vec<(String, Option<String>, Option<String>)> {
        let mut found = Vec::new();
        compare_values(
            Some(&before),
            Some(&after),
            secret,
            &mut String::new(),
            &mut found,
        );
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
            fields(before.clone(), after.clone(), false),
            [
                ("a.l[1]".to_owned(), Some("2".to_owned()), None),
                (
                    "a[\"x.y\"]".to_owned(),
                    Some("\"1\"".to_owned()),
                    Some("\"2\"".to_owned())
                ),
            ]
        );
        let masked = fields(before, after, true);
        assert_eq!(masked[1].2.as_deref(), Some("***"));
    }
}
