//! Properties that hold for any input. What they say stands in [`crate::laws`], which the fuzz targets call too.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use weir_kustomize::{Options, build};

use crate::laws::{self, object};
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_merge_is_idempotent(target in value(), patch in value(), kind in prop_oneof![Just("Foo"), Just("Deployment")]) {
        laws::a_merge_is_idempotent(kind, &target, &patch);
    }

    #[test]
    fn merging_nothing_changes_nothing(target in value()) {
        laws::merging_nothing_changes_nothing(&target);
    }

    #[test]
    fn operations_never_panic(target in value(), operations in value()) {
        laws::operations_survive(&target, &operations.to_string());
    }

    #[test]
    fn operations_of_the_right_shape_never_panic(
        target in value(),
        operations in prop::collection::vec((0usize..6, "(/(a|b|spec|data|-|0|1|~1|~0)){0,4}", "(/(a|spec|0)){0,3}", value()), 0..5),
    ) {
        let operations: Vec<Value> = operations.into_iter().map(|(kind, path, from, value)| laws::operation(kind, &path, &from, value)).collect();
        laws::operations_survive(&target, &Value::from(operations).to_string());
    }

    #[test]
    fn an_added_value_is_found_and_removed_again(target in value(), added in value()) {
        laws::an_added_value_is_found_and_removed_again(&target, &added);
    }

    #[test]
    fn selectors_never_panic(text in "[a-z!=()<>, .*\\[\\]{}$^|?+\\\\]{0,12}", field in 0usize..6) {
        laws::selectors_survive(field, &text);
    }

    #[test]
    fn literal_selectors_select_what_they_say(name in "[a-z]([a-z0-9-]{0,8}[a-z0-9])?", other in "[a-z]{1,4}") {
        laws::literal_selectors_select(&name, &other);
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
