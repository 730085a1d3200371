//! The embedded plugin `kustomize` as a transformer: what a HelmRelease's post-renderer is.

use serde_json::json;
use weir_plugin::Grants;
use weir_testing::plugin::{Plugin, host};

const OBJECTS: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n---\n\
    apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n      - {name: web, image: 'registry.example.com/web:1.0'}\n---\n\
    apiVersion: v1\nkind: ConfigMap\nmetadata: {name: old}\ndata: {a: '1'}\n";

#[test]
fn objects_keep_their_order_while_they_are_patched() {
    let plugins = weir_render::builtin::load_named(host(), &["kustomize"]).unwrap();
    let plugin = Plugin::of(plugins["kustomize"].plugin.clone());
    let call = |flux: serde_json::Value| {
        plugin
            .call()
            .grants(Grants::default())
            .config(json!({"profile": "flux", "flux": flux}))
            .objects_from("templates/all.yaml", OBJECTS)
            .transform()
    };
    let made = call(json!({
        "patches": [
            {"patch": "- {op: add, path: /metadata/labels, value: {a: b}}", "target": {"kind": "Service"}},
            {"patch": "{apiVersion: v1, kind: ConfigMap, metadata: {name: old}, $patch: delete}"},
        ],
        "images": [{"name": "registry.example.com/web", "newTag": "2.0"}],
    }))
    .unwrap();
    let values = made.values();
    let kinds: Vec<&str> = values
        .iter()
        .map(|value| value["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["Service", "Deployment"]);
    assert_eq!(values[0]["metadata"]["labels"]["a"], "b");
    let image = values[1]
        .pointer("/spec/template/spec/containers/0/image")
        .unwrap();
    assert_eq!(image, "registry.example.com/web:2.0");

    let patch = "{apiVersion: v1, kind: Secret, metadata: {name: none}, data: {}}";
    let error = call(json!({"patches": [{"patch": patch}]}))
        .unwrap_err()
        .to_string();
    assert!(error.contains("none"), "{error}");
}

const WITH_HOOK: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n---\n\
    apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, annotations: {helm.sh/hook: pre-install}}\n---\n\
    apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n";

#[test]
fn hooks_are_edited_with_the_rest_apart_or_not_at_all() {
    let plugins = weir_render::builtin::load_named(host(), &["kustomize"]).unwrap();
    let plugin = Plugin::of(plugins["kustomize"].plugin.clone());
    let labelled = |hooks: &str| {
        let patch = json!({"patch": "- {op: add, path: /metadata/labels, value: {a: b}}", "target": {"kind": "ConfigMap"}});
        let made = plugin
            .call()
            .grants(Grants::default())
            .config(json!({"profile": "flux", "hooks": hooks, "flux": {"patches": [patch]}}))
            .objects_from("templates/all.yaml", WITH_HOOK)
            .transform()
            .map_err(|error| error.to_string())?;
        let label = |value: &serde_json::Value| value.pointer("/metadata/labels/a").is_some();
        Ok::<_, String>(made.values().iter().map(label).collect::<Vec<_>>())
    };
    assert_eq!(labelled("separate").unwrap(), [true, true, true]);
    assert_eq!(labelled("nohooks").unwrap(), [true, false, true]);
    // Together they are two objects of one name.
    let error = labelled("combined").unwrap_err();
    assert!(error.contains("is there twice"), "{error}");
}
