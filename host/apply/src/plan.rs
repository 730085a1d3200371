//! Decides what to do with one object: a function of what is wanted, what is there and what a dry run says.

use serde_json::Value;
use weir_api::names;
use weir_api::{Object, ObjectKey};

/// What was done (or is to be done) with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    Created,
    Configured,
    Unchanged,
    Skipped,
    Deleted,
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::Skipped => "skipped",
            Self::Deleted => "deleted",
        }
    }
}

/// One line of a change log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub key: ObjectKey,
    pub action: Action,
}

/// Why an object is left alone by its owner, if it is.
pub fn skipped(desired: &Object, live: Option<&Object>) -> bool {
    let either = |key: &str, value: &str| {
        says(desired, key, value) || live.is_some_and(|live| says(live, key, value))
    };
    either(names::RECONCILE, "disabled")
        || either(names::SSA, "Ignore")
        || (live.is_some() && says(desired, names::SSA, "IfNotPresent"))
}

/// Whether an object may not be deleted.
pub fn kept(live: &Object) -> bool {
    says(live, names::PRUNE, "disabled")
        || says(live, names::RECONCILE, "disabled")
        || says(live, names::SSA, "Ignore")
}

/// Whether an object may be deleted and made again when a field of it cannot be changed.
pub fn forced(desired: &Object, live: &Object) -> bool {
    says(desired, names::FORCE, "enabled") || says(live, names::FORCE, "enabled")
}

/// What applying would do, from the answer of a dry run.
pub fn decide(live: Option<&Object>, dry_run: &Object) -> Action {
    match live {
        None => Action::Created,
        Some(live) if drifted(live, dry_run) => Action::Configured,
        Some(_) => Action::Unchanged,
    }
}

fn drifted(live: &Object, dry_run: &Object) -> bool {
    let absent_if_empty = |object: &Object, pointer: &str| {
        object
            .get(pointer)
            .filter(|value| !value.as_object().is_some_and(serde_json::Map::is_empty))
            .cloned()
    };
    let meta = ["/metadata/labels", "/metadata/annotations"];
    if meta
        .iter()
        .any(|pointer| absent_if_empty(live, pointer) != absent_if_empty(dry_run, pointer))
    {
        return true;
    }
    let content = |object: &Object| -> Vec<(String, Value)> {
        let mut fields: Vec<_> = object
            .fields()
            .iter()
            .filter(|(key, _)| *key != "metadata" && *key != "status")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        fields
    };
    content(live) != content(dry_run)
}

/// Labels count as annotations do, and case does not.
fn says(object: &Object, key: &str, value: &str) -> bool {
    [object.annotation(key), object.label(key)]
        .into_iter()
        .flatten()
        .any(|found| found.eq_ignore_ascii_case(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(metadata: Value) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}})).unwrap()
    }

    #[test]
    fn marks_on_either_side_skip() {
        let plain = object(json!({"name": "x"}));
        let disabled = object(json!({"name": "x", "labels": {names::RECONCILE: "Disabled"}}));
        let once = object(json!({"name": "x", "annotations": {names::SSA: "IfNotPresent"}}));
        assert!(skipped(&disabled, None) && skipped(&plain, Some(&disabled)));
        assert!(
            skipped(&once, Some(&plain)) && !skipped(&once, None) && !skipped(&plain, Some(&once))
        );
        assert!(!skipped(&plain, Some(&plain)));
    }

    #[test]
    fn only_labels_annotations_and_content_are_drift() {
        let live = object(json!({"name": "x", "resourceVersion": "1"}));
        assert_eq!(decide(None, &live), Action::Created);
        assert_eq!(
            decide(
                Some(&live),
                &object(json!({"name": "x", "resourceVersion": "2", "labels": {}}))
            ),
            Action::Unchanged
        );
        assert_eq!(
            decide(
                Some(&live),
                &object(json!({"name": "x", "labels": {"a": "b"}}))
            ),
            Action::Configured
        );
        let mut other = live.clone();
        other.fields_mut()["data"]["a"] = json!("c");
        assert_eq!(decide(Some(&live), &other), Action::Configured);
        let mut status = live.clone();
        status.fields_mut().insert("status".into(), json!({"x": 1}));
        assert_eq!(decide(Some(&live), &status), Action::Unchanged);
    }
}
