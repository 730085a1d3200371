//! ConfigMaps and Secrets that units name: a change of one reaches the units at once. All intervals are an hour.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use weir_testing::git::Change::File;
use weir_testing::until;

use crate::lab::{Lab, Place, condition, config_map};

#[tokio::test(flavor = "multi_thread")]
async fn on_the_local_cluster() -> Result<()> {
    what_is_named_is_followed(Place::Local).await
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_real_api_server() -> Result<()> {
    what_is_named_is_followed(Place::Kube).await
}

async fn what_is_named_is_followed(place: Place) -> Result<()> {
    let Some(lab) = Lab::new(place, "inputs").await? else {
        return Ok(());
    };
    let running = lab.start().await?;
    let revision = lab
        .commit(&[
            File("apps/map.yaml", config_map("map", "${REGION}").as_bytes()),
            File("other/map.yaml", config_map("other", "1").as_bytes()),
        ])
        .await?;
    let mut apps = lab.kustomization("apps", "apps", &[]);
    apps["spec"]["postBuild"] =
        json!({"substituteFrom": [{"kind": "ConfigMap", "name": "settings"}]});
    lab.apply(apps).await?;
    lab.apply(lab.kustomization("other", "other", &[])).await?;
    lab.ready("Kustomization", "other", &revision).await?;
    let failed = lab
        .not_ready("Kustomization", "apps", "BuildFailed")
        .await?;
    let (_, _, message) = condition(&failed, "Ready");
    assert!(
        message.contains("configmaps \"settings\" not found"),
        "{message}"
    );

    // It appears, it changes, it goes.
    lab.apply(settings(&lab, "north")).await?;
    lab.ready("Kustomization", "apps", &revision).await?;
    value(&lab, "north").await?;
    let before = lab.facts.lock().unwrap().len();
    lab.apply(settings(&lab, "south")).await?;
    value(&lab, "south").await?;
    let told: Vec<String> = lab.facts.lock().unwrap()[before..]
        .iter()
        .map(|fact| format!("{fact:?}"))
        .collect();
    assert!(
        !told.iter().any(|fact| fact.contains("\"other\"")),
        "a unit that does not name it ran: {told:#?}"
    );
    lab.delete("v1", "ConfigMap", "settings").await?;
    lab.not_ready("Kustomization", "apps", "BuildFailed")
        .await?;
    running.stop().await;
    Ok(())
}

/// With `--once`, what a unit applies for another is there before the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_to_the_end_waits_for_what_another_unit_applies() -> Result<()> {
    let Some(lab) = Lab::new(Place::Local, "inputs-once").await? else {
        return Ok(());
    };
    let revision = lab
        .commit(&[
            File("apps/map.yaml", config_map("map", "${value}").as_bytes()),
            File(
                "settings/map.yaml",
                config_map("settings", "west").as_bytes(),
            ),
        ])
        .await?;
    let mut apps = lab.kustomization("apps", "apps", &[]);
    apps["spec"]["postBuild"] =
        json!({"substituteFrom": [{"kind": "ConfigMap", "name": "settings"}]});
    lab.apply(apps).await?;
    lab.apply(lab.kustomization("later", "settings", &[]))
        .await?;
    let mut options = lab.options();
    options.once = true;
    // One after the other: the one that needs the settings comes first.
    options.concurrency = 1;
    let running = lab.start_with(options).await?;
    lab.ready("Kustomization", "apps", &revision).await?;
    value(&lab, "west").await?;
    let summary = running.stop().await;
    assert!(summary.not_ready.is_empty(), "{:?}", summary.not_ready);
    Ok(())
}

fn settings(lab: &Lab, region: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": lab.namespace, "name": "settings"},
        "data": {"REGION": region}})
}

/// Waits until the object of the unit has the value.
async fn value(lab: &Lab, value: &str) -> Result<()> {
    let what = format!("the ConfigMap map to have {value}");
    let found = until(&what, async || {
        let map = lab.get("v1", "ConfigMap", "map").await?;
        let has = map.and_then(|map| map.get("/data/value").cloned());
        Ok((has == Some(Value::from(value))).then_some(()))
    });
    found.await.context("substitution")
}
