//! Runs the plugin as weir does, on objects that stand here.

use serde_json::json;
use weir_testing::plugin::Plugin;

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      initContainers:
      - name: prepare
        resources: {limits: {cpu: 1}}
      containers:
      - name: app
        resources: {limits: {memory: 128Mi}}
      - name: sidecar
";

fn plugin() -> Plugin {
    Plugin::build(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn containers_without_a_limit_are_reported() {
    let made = plugin()
        .call()
        .objects_from("apps/web.yaml", DEPLOYMENT)
        .transform()
        .unwrap();
    assert_eq!(
        made.findings(),
        [
            "warning missing-limit at apps/web.yaml:2:1: container prepare of Deployment shop/web has no memory limit",
            "warning missing-limit at apps/web.yaml:2:1: container sidecar of Deployment shop/web has no memory limit",
        ]
    );
    assert_eq!(
        made.outcome.diagnostics[1].pointer,
        "/spec/template/spec/containers/1/resources/limits"
    );
}

#[test]
fn an_error_stops_the_run() {
    let config = json!({"resources": ["cpu", "memory"], "severity": "error"});
    let error = plugin()
        .call()
        .config(config)
        .objects(DEPLOYMENT)
        .transform()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "container prepare of Deployment shop/web has no memory limit"
    );
}

#[test]
fn workloads_are_labelled_and_nothing_else_is() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n";
    let made = plugin()
        .call()
        .config(json!({"label": {"key": "team", "value": "shop"}}))
        .objects(&format!("{DEPLOYMENT}---\n{service}"))
        .transform()
        .unwrap();
    assert_eq!(
        made.object("Deployment", "web")["metadata"]["labels"],
        json!({"team": "shop"})
    );
    assert_eq!(
        made.object("Service", "web")["metadata"],
        json!({"name": "web"})
    );
}

#[test]
fn a_config_that_does_not_fit_is_refused_with_its_place() {
    let error = plugin()
        .call()
        .config(json!({"resources": ["gpu"]}))
        .transform()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the config of step test is not valid at /resources/0: the value is not one of \"cpu\", \"memory\" or \"ephemeral-storage\""
    );
}

#[test]
fn it_needs_no_grant() {
    let made = plugin().call().objects(DEPLOYMENT).transform().unwrap();
    assert_eq!(made.questions, []);
    assert!(plugin().about().capabilities.is_empty());
}
