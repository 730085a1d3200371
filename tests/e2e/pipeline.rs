//! A Pipeline with a plugin of one's own, registered by a Plugin object.

use anyhow::Result;
use serde_json::json;
use weir_controller::Fact;
use weir_testing::git::Change::File;

use crate::lab::{Lab, Place, checkout, condition, config_map};

const DEPLOYMENT: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example/web:1"}]}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn on_the_local_cluster() -> Result<()> {
    pipeline(Place::Local).await
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_api_server() -> Result<()> {
    pipeline(Place::Kube).await
}

async fn pipeline(place: Place) -> Result<()> {
    let Some(lab) = Lab::new(place, "pipeline").await? else {
        return Ok(());
    };
    let component =
        weir_testing::plugin::build_guest(checkout().join("examples/plugins/require-limits"))?;
    let component = std::fs::read(component)?;
    let running = lab.start().await?;
    let revision = lab
        .commit(&[
            File("plugins/require-limits.wasm", &component),
            File("app/web.yaml", DEPLOYMENT.as_bytes()),
            File("app/map.yaml", config_map("map", "1").as_bytes()),
        ])
        .await?;
    let plugin = format!("require-limits-{}", lab.namespace);
    lab.apply(json!({
        "apiVersion": "weir.dev/v1alpha1", "kind": "Plugin", "metadata": {"name": plugin},
        "spec": {"component": {
            "sourceRef": {"kind": "GitRepository", "namespace": lab.namespace, "name": "fleet"},
            "path": "plugins/require-limits.wasm",
        }},
    }))
    .await?;
    lab.apply(json!({
        "apiVersion": "weir.dev/v1alpha1", "kind": "Pipeline",
        "metadata": {"namespace": lab.namespace, "name": "checked"},
        "spec": {
            "interval": "1h", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "fleet"},
            "steps": [
                {"plugin": "kustomize", "config": {"profile": "flux", "path": "app", "flux": {"namespace": lab.namespace}}},
                {"plugin": plugin, "config": {"label": {"key": "example.com/checked", "value": "yes"}}},
            ],
        },
    }))
    .await?;
    lab.ready("Pipeline", "checked", &revision).await?;
    let web = lab.get("apps/v1", "Deployment", "web").await?.unwrap();
    assert_eq!(web.label("example.com/checked"), Some("yes"));
    let map = lab.get("v1", "ConfigMap", "map").await?.unwrap();
    assert_eq!(map.label("weir.dev/pipeline"), Some("checked"));
    let findings: Vec<String> = {
        let facts = lab.facts.lock().unwrap();
        let steps = facts.iter().filter_map(|fact| {
            let Fact::Rendered { steps, .. } = fact else {
                return None;
            };
            Some(steps)
        });
        steps
            .flatten()
            .flat_map(|step| &step.diagnostics)
            .map(|finding| finding.message.clone())
            .collect()
    };
    assert!(
        findings
            .iter()
            .any(|finding| finding.contains("has no memory limit")),
        "{findings:?}"
    );
    lab.delete("weir.dev/v1alpha1", "Pipeline", "checked")
        .await?;
    lab.gone("weir.dev/v1alpha1", "Pipeline", "checked").await?;
    assert!(lab.versions().await?.is_empty());
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_not_there_is_named() -> Result<()> {
    let Some(lab) = Lab::new(Place::Local, "missing").await? else {
        return Ok(());
    };
    let running = lab.start().await?;
    lab.commit(&[File("app/map.yaml", config_map("map", "1").as_bytes())])
        .await?;
    lab.apply(json!({
        "apiVersion": "weir.dev/v1alpha1", "kind": "Pipeline",
        "metadata": {"namespace": lab.namespace, "name": "broken"},
        "spec": {
            "interval": "1h", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "fleet"},
            "steps": [{"plugin": "kustomise"}],
        },
    }))
    .await?;
    let object = lab.not_ready("Pipeline", "broken", "BuildFailed").await?;
    let (_, _, message) = condition(&object, "Ready");
    assert!(
        message.contains(
            "no plugin is registered as \"kustomise\"; there are: helm, kustomize, sops, substitute"
        ),
        "{message}"
    );
    running.stop().await;
    Ok(())
}
