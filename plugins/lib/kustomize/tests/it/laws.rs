//! What must hold for any input, as plain functions: property tests and fuzz targets call them.

use serde_json::{Value, json};

use crate::memory::built;

/// The fields in which a target names objects.
const SELECTORS: [&str; 6] = [
    "name",
    "kind",
    "group",
    "namespace",
    "labelSelector",
    "annotationSelector",
];

/// An object of a kind, with anything in two of its fields.
pub(crate) fn object(kind: &str, fields: &Value) -> Value {
    let api_version = if kind == "Deployment" {
        "apps/v1"
    } else {
        "v1"
    };
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": fields, "data": fields})
}

/// A strategic merge that is done twice is the merge done once.
pub(crate) fn a_merge_is_idempotent(kind: &str, target: &Value, patch: &Value) {
    // Directives act once.
    if has_directive(patch) {
        return;
    }
    let patch = object(kind, patch).to_string();
    let target = object(kind, target);
    let once = patched(&target, std::slice::from_ref(&patch));
    let twice = patched(&target, &[patch.clone(), patch]);
    assert_eq!(once, twice);
}

/// A merge of nothing is nothing.
pub(crate) fn merging_nothing_changes_nothing(target: &Value) {
    let target = without_nulls(&object("Foo", target));
    let nothing = json!({"apiVersion": "v1", "kind": "Foo", "metadata": {"name": "a"}}).to_string();
    assert_eq!(patched(&target, &[nothing]), patched(&target, &[]));
}

/// Any text can stand where operations are wanted.
pub(crate) fn operations_survive(target: &Value, operations: &str) {
    let kustomization = json!({
        "resources": ["r.yaml"],
        "patches": [{"target": {"kind": "Foo"}, "patch": operations}],
    });
    let _ = built(&[
        ("kustomization.yaml", &kustomization.to_string()),
        ("r.yaml", &object("Foo", target).to_string()),
    ])
    .and_then(|built| built.to_yaml());
}

/// An operation by its number.
pub(crate) fn operation(kind: usize, path: &str, from: &str, value: Value) -> Value {
    let kind = ["add", "remove", "replace", "move", "copy", "test"][kind % 6];
    json!({"op": kind, "path": path, "from": from, "value": value})
}

/// What is added is what is found there, and after its removal nothing has happened.
pub(crate) fn an_added_value_is_found_and_removed_again(target: &Value, added: &Value) {
    if !stands_in_yaml(target) || !stands_in_yaml(added) {
        return;
    }
    let target = without_nulls(&object("Foo", target));
    let kustomization = json!({
        "resources": ["r.yaml"],
        "patchesJson6902": [{"target": {"name": "a"}, "patch": json!([
            {"op": "add", "path": "/new~1key", "value": added},
            {"op": "test", "path": "/new~1key", "value": added},
            {"op": "copy", "from": "/new~1key", "path": "/other"},
            {"op": "move", "from": "/other", "path": "/third"},
            {"op": "remove", "path": "/third"},
            {"op": "remove", "path": "/new~1key"},
        ]).to_string()}],
    });
    let made = built(&[
        ("kustomization.yaml", &kustomization.to_string()),
        ("r.yaml", &target.to_string()),
    ]);
    let made = made.and_then(|made| made.objects()[0].to_value());
    assert_eq!(made.ok(), patched(&target, &[]));
}

/// Whether YAML reads the JSON text of a value as it is: it takes no control characters and folds its own line breaks.
fn stands_in_yaml(value: &Value) -> bool {
    let breaks = |c| {
        matches!(
            c,
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}'
        )
    };
    !value.to_string().contains(breaks)
}

/// Any text can stand in any part of a selector.
pub(crate) fn selectors_survive(field: usize, text: &str) {
    let field = SELECTORS[field % SELECTORS.len()];
    let kustomization = json!({
        "resources": ["r.yaml"],
        "patches": [{"target": {field: text}, "patch": "- {op: add, path: /x, value: 1}"}],
    });
    let _ = built(&[
        ("kustomization.yaml", &kustomization.to_string()),
        ("r.yaml", &object("Foo", &json!({})).to_string()),
    ]);
}

/// A name that is no expression selects the object of that name and no other.
pub(crate) fn literal_selectors_select(name: &str, other: &str) {
    let named =
        |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    let longer = format!("{name}-{other}");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [named(name), named(&longer)]});
    let kustomization = json!({
        "resources": ["r.yaml"],
        "patches": [{"target": {"name": name}, "patch": "- {op: add, path: /data, value: {}}"}],
    });
    let made = built(&[
        ("kustomization.yaml", &kustomization.to_string()),
        ("r.yaml", &list.to_string()),
    ]);
    let Ok(made) = made else {
        panic!("{name} cannot be selected");
    };
    let changed: Vec<bool> = made
        .objects()
        .iter()
        .map(|object| {
            object
                .to_value()
                .is_ok_and(|value| value.get("data").is_some())
        })
        .collect();
    assert_eq!(changed, [true, false], "{name}");
}

/// What patches make of an object, if they can be applied.
fn patched(target: &Value, patches: &[String]) -> Option<Value> {
    let patches: Vec<Value> = patches
        .iter()
        .map(|patch| json!({"patch": patch}))
        .collect();
    let kustomization = json!({"resources": ["r.yaml"], "patches": patches}).to_string();
    let built = built(&[
        ("kustomization.yaml", &kustomization),
        ("r.yaml", &target.to_string()),
    ])
    .ok()?;
    built.objects().first()?.to_value().ok()
}

/// Whether there is a directive anywhere, which acts once.
fn has_directive(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.contains_key("$patch") || map.values().any(has_directive),
        Value::Array(items) => items.iter().any(has_directive),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Without values that a merge removes or keeps by how they are written.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}
