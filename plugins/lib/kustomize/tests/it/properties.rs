//! Properties that hold for any input.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use weir_kustomize::{Options, build};

use crate::memory::{MemoryHost, built};

/// Small random JSON.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5i64..5).prop_map(Value::from),
        "[a-c1: ~]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-d]|name|ports|containers|\\$patch", inner), 0..4)
                .prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

fn object(kind: &str, fields: &Value) -> Value {
    let api_version = if kind == "Deployment" {
        "apps/v1"
    } else {
        "v1"
    };
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": fields, "data": fields})
}

/// What a patch makes of an object, if it can be applied.
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
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_merge_is_idempotent(target in value(), patch in value(), kind in prop_oneof![Just("Foo"), Just("Deployment")]) {
        prop_assume!(!has_directive(&patch));
        let patch = object(kind, &patch).to_string();
        let target = object(kind, &target);
        let once = patched(&target, std::slice::from_ref(&patch));
        let twice = patched(&target, &[patch.clone(), patch]);
        prop_assert_eq!(once, twice);
    }

    #[test]
    fn merging_nothing_changes_nothing(target in value()) {
        let target = without_nulls(&object("Foo", &target));
        let nothing = json!({"apiVersion": "v1", "kind": "Foo", "metadata": {"name": "a"}}).to_string();
        prop_assert_eq!(patched(&target, &[nothing]), patched(&target, &[]));
    }

    #[test]
    fn operations_never_panic(target in value(), operations in value()) {
        let kustomization = json!({
            "resources": ["r.yaml"],
            "patches": [{"target": {"kind": "Foo"}, "patch": operations.to_string()}],
        });
        let _ = built(&[("kustomization.yaml", &kustomization.to_string()), ("r.yaml", &object("Foo", &target).to_string())])
            .and_then(|built| built.to_yaml());
    }

    #[test]
    fn an_added_value_is_found_and_removed_again(target in value(), added in value()) {
        let target = without_nulls(&object("Foo", &target));
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
        let made = built(&[("kustomization.yaml", &kustomization.to_string()), ("r.yaml", &target.to_string())]).unwrap();
        prop_assert_eq!(Some(made.objects()[0].to_value().unwrap()), patched(&target, &[]));
    }

    #[test]
    fn selectors_never_panic(text in "[a-z!=()<>, .*\\[\\]{}$^|?+\\\\]{0,12}", field in 0usize..4) {
        let field = ["name", "kind", "labelSelector", "annotationSelector"][field];
        let kustomization = json!({
            "resources": ["r.yaml"],
            "patches": [{"target": {field: text}, "patch": "- {op: add, path: /x, value: 1}"}],
        });
        let _ = built(&[("kustomization.yaml", &kustomization.to_string()), ("r.yaml", &object("Foo", &json!({})).to_string())]);
    }

    #[test]
    fn replacement_paths_never_panic(path in "([a-d0-2*-]|\\[name=.\\]|\\[=x\\]|\\[|\\.){0,6}", target in value(), create in any::<bool>()) {
        let kustomization = json!({
            "resources": ["r.yaml"],
            "replacements": [{
                "source": {"kind": "Foo"},
                "targets": [{"select": {"kind": "Foo"}, "fieldPaths": [format!("spec.{path}")], "options": {"create": create}}],
            }],
        });
        let _ = built(&[("kustomization.yaml", &kustomization.to_string()), ("r.yaml", &object("Foo", &target).to_string())])
            .and_then(|built| built.to_yaml());
    }

    #[test]
    fn kustomizations_never_panic(content in prop::collection::vec(any::<u8>(), 0..200), resource in "\\PC{0,80}") {
        let files: [(&str, &[u8]); 2] = [("kustomization.yaml", &content), ("r.yaml", resource.as_bytes())];
        let _ = build(&MemoryHost::new(&files), "", &Options::default());
        let files: [(&str, &[u8]); 2] = [("kustomization.yaml", b"resources: [r.yaml]"), ("r.yaml", resource.as_bytes())];
        let _ = build(&MemoryHost::new(&files), "", &Options::default()).and_then(|built| built.to_yaml());
    }

    #[test]
    fn fields_of_any_type_never_panic(field in 0usize..20, content in value()) {
        let field = [
            "resources", "patches", "images", "labels", "commonLabels", "replicas", "replacements", "configMapGenerator",
            "secretGenerator", "generatorOptions", "vars", "sortOptions", "helmCharts", "transformers", "namespace",
            "components", "openapi", "metadata", "buildMetadata", "crds",
        ][field];
        let kustomization = json!({"resources": ["r.yaml"], "namePrefix": "p-", field: content}).to_string();
        let _ = built(&[("kustomization.yaml", &kustomization), ("r.yaml", &object("Foo", &json!({})).to_string())])
            .and_then(|built| built.to_yaml());
    }
}
