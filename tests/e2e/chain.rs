//! Dependencies: a chain starts link by link, a cycle is named, a parent goes before its children.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use weir_testing::git::Change::File;

use crate::lab::{Lab, Place, condition, config_map};

const LENGTH: usize = 20;
/// From the moment at which nothing but time is in the way. A single link that waits to be asked again takes longer (Flux
/// asks every 30 s, and needs 543 s for the chain).
const MOST: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_becomes_ready_on_a_real_api_server() -> Result<()> {
    chain(Place::Kube).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_becomes_ready_on_the_local_cluster() -> Result<()> {
    chain(Place::Local).await
}

async fn chain(place: Place) -> Result<()> {
    let Some(lab) = Lab::new(place, "chain").await? else {
        return Ok(());
    };
    let running = lab.start().await?;
    let took = lab.chain(LENGTH).await?;
    assert!(took < MOST, "the chain took {took:?}");
    assert_eq!(lab.versions().await?.len(), LENGTH);
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_member_of_a_cycle_says_so() -> Result<()> {
    let Some(lab) = Lab::new(Place::Local, "cycle").await? else {
        return Ok(());
    };
    let running = lab.start().await?;
    lab.commit(&[File("a/a.yaml", config_map("a", "1").as_bytes())])
        .await?;
    for (name, on) in [("a", "b"), ("b", "c"), ("c", "a")] {
        lab.apply(lab.kustomization(name, "a", &[on])).await?;
    }
    for name in ["a", "b", "c"] {
        let object = lab
            .not_ready("Kustomization", name, "DependencyCycle")
            .await?;
        let (_, _, message) = condition(&object, "Ready");
        assert!(
            message.contains("cycle/a -> ") || message.contains("-> cycle/a"),
            "{message}"
        );
    }
    assert!(lab.versions().await?.is_empty());
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_applies_units_that_then_run() -> Result<()> {
    let Some(lab) = Lab::new(Place::Local, "parent").await? else {
        return Ok(());
    };
    let running = lab.start().await?;
    let child = lab.kustomization("child", "child", &[]).to_string();
    let revision = lab
        .commit(&[
            File("root/child.yaml", child.as_bytes()),
            File("child/x.yaml", config_map("x", "1").as_bytes()),
        ])
        .await?;
    lab.apply(lab.kustomization("root", "root", &[])).await?;
    lab.ready("Kustomization", "child", &revision).await?;
    let mut paused = lab.kustomization("child", "child", &[]);
    paused["spec"]["suspend"] = json!(true);
    let paused = lab
        .commit(&[
            File("root/child.yaml", paused.to_string().as_bytes()),
            File("child/x.yaml", config_map("x", "2").as_bytes()),
        ])
        .await?;
    lab.ready("Kustomization", "root", &paused).await?;
    let map = lab.get("v1", "ConfigMap", "x").await?.unwrap();
    assert_eq!(
        map.get("/data/value"),
        Some(&json!("1")),
        "the child's new revision went before its parent's"
    );
    running.stop().await;
    Ok(())
}
