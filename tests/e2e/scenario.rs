//! What a person does with a repository, on both clusters.

use anyhow::Result;
use weir_controller::Fact;
use weir_testing::git::Change::{File, Remove};

use crate::lab::{Lab, Place, condition, config_map};

const KUSTOMIZATION: &str = "kustomize.toolkit.fluxcd.io/v1";

#[tokio::test(flavor = "multi_thread")]
async fn on_the_local_cluster() -> Result<()> {
    everything(Place::Local).await
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_api_server() -> Result<()> {
    everything(Place::Kube).await
}

async fn everything(place: Place) -> Result<()> {
    let Some(lab) = Lab::new(place, "scenario").await? else {
        return Ok(());
    };
    let running = lab.start().await?;
    commit_to_objects(&lab).await?;
    only_what_changed_is_written(&lab).await?;
    an_untouched_unit_reports_the_revision(&lab).await?;
    a_removed_file_is_pruned(&lab).await?;
    a_failing_render_changes_nothing(&lab).await?;
    a_deleted_unit_takes_its_objects_along(&lab).await?;
    running.stop().await;
    Ok(())
}

async fn commit_to_objects(lab: &Lab) -> Result<()> {
    let (a, b, c) = (
        config_map("a", "1"),
        config_map("b", "1"),
        config_map("c", "1"),
    );
    let revision = lab
        .commit(&[
            File("app/a.yaml", a.as_bytes()),
            File("app/b.yaml", b.as_bytes()),
            File("other/kustomization.yaml", b"resources: [c.yaml]\n"),
            File("other/c.yaml", c.as_bytes()),
        ])
        .await?;
    lab.apply(lab.kustomization("app", "./app", &[])).await?;
    lab.apply(lab.kustomization("other", "other", &["app"]))
        .await?;
    let app = lab.ready("Kustomization", "app", &revision).await?;
    lab.ready("Kustomization", "other", &revision).await?;
    let names: Vec<String> = lab
        .versions()
        .await?
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    let (status, reason, message) = condition(&app, "Ready");
    assert_eq!(
        (status.as_str(), reason.as_str()),
        ("True", "ReconciliationSucceeded")
    );
    assert_eq!(message, format!("Applied revision: {revision}"));
    let ids: Vec<_> = app
        .get("/status/inventory/entries")
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["id"])
        .collect();
    assert_eq!(
        ids,
        [
            &format!("{}_a__ConfigMap", lab.namespace),
            &format!("{}_b__ConfigMap", lab.namespace)
        ]
    );
    assert_eq!(
        app.finalizers().collect::<Vec<_>>(),
        ["finalizers.fluxcd.io"]
    );
    let object = lab.get("v1", "ConfigMap", "a").await?.unwrap();
    assert_eq!(
        object.label("kustomize.toolkit.fluxcd.io/name"),
        Some("app")
    );
    Ok(())
}

async fn only_what_changed_is_written(lab: &Lab) -> Result<()> {
    let before = lab.versions().await?;
    let mark = lab
        .space
        .as_ref()
        .and_then(|_| weir_testing::ApiServer::shared())
        .map(|server| server.requests());
    let revision = lab
        .commit(&[File("app/a.yaml", config_map("a", "2").as_bytes())])
        .await?;
    lab.ready("Kustomization", "app", &revision).await?;
    lab.ready("Kustomization", "other", &revision).await?;
    let after = lab.versions().await?;
    let changed: Vec<&str> = before
        .iter()
        .zip(&after)
        .filter(|(a, b)| a != b)
        .map(|(a, _)| a.0.as_str())
        .collect();
    assert_eq!(changed, ["a"]);
    if let (Some(mark), Some(space)) = (mark, &lab.space) {
        let writes = mark.writes(space)?;
        let objects: Vec<_> = writes
            .iter()
            .filter(|write| write.resource == "configmaps")
            .collect();
        assert_eq!(objects.len(), 1, "{writes:#?}");
        assert_eq!(objects[0].name, "a");
    }
    Ok(())
}

async fn an_untouched_unit_reports_the_revision(lab: &Lab) -> Result<()> {
    let before = lab.versions().await?;
    lab.facts.lock().unwrap().clear();
    let revision = lab.commit(&[File("README.md", b"nothing to see")]).await?;
    lab.ready("Kustomization", "app", &revision).await?;
    lab.ready("Kustomization", "other", &revision).await?;
    assert_eq!(lab.versions().await?, before);
    let facts = lab.facts.lock().unwrap();
    let rendered: Vec<_> = facts
        .iter()
        .filter(|fact| matches!(fact, Fact::Rendered { .. }))
        .collect();
    assert!(rendered.is_empty(), "{rendered:#?}");
    Ok(())
}

async fn a_removed_file_is_pruned(lab: &Lab) -> Result<()> {
    let revision = lab.commit(&[Remove("app/b.yaml")]).await?;
    lab.ready("Kustomization", "app", &revision).await?;
    let names: Vec<String> = lab
        .versions()
        .await?
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["a", "c"]);
    Ok(())
}

async fn a_failing_render_changes_nothing(lab: &Lab) -> Result<()> {
    let before = lab.versions().await?;
    lab.commit(&[File("app/broken.yaml", b"kind: [\n"), Remove("app/a.yaml")])
        .await?;
    let app = lab.not_ready("Kustomization", "app", "BuildFailed").await?;
    let (_, _, message) = condition(&app, "Ready");
    assert!(message.contains("app/broken.yaml"), "{message}");
    assert_eq!(lab.versions().await?, before);
    let fixed = lab
        .commit(&[
            Remove("app/broken.yaml"),
            File("app/a.yaml", config_map("a", "3").as_bytes()),
        ])
        .await?;
    lab.ready("Kustomization", "app", &fixed).await?;
    Ok(())
}

async fn a_deleted_unit_takes_its_objects_along(lab: &Lab) -> Result<()> {
    lab.delete(KUSTOMIZATION, "Kustomization", "app").await?;
    lab.gone(KUSTOMIZATION, "Kustomization", "app").await?;
    let names: Vec<String> = lab
        .versions()
        .await?
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["c"]);
    Ok(())
}
