//! A restart with an empty cache: no write to a managed object, one list for each kind instead of a read for each object.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio_util::sync::CancellationToken;
use weir_cluster::{Cluster, Kube, Selection};
use weir_controller::{Clock, Controller, Fact};
use weir_testing::ApiServer;
use weir_testing::git::Change::File;

use crate::lab::{Lab, Place, config_map};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_over_ready_units_lists_instead_of_reading() -> Result<()> {
    let Some(lab) = ready_units(Place::Kube).await? else {
        return Ok(());
    };
    let server = ApiServer::shared().context("the lab has a server")?;
    let mark = server.requests();
    restart(&lab, Arc::new(Kube::new(server.config()?)?)).await?;
    let requests = mark.read()?;
    let here = |request: &&weir_testing::Request| request.namespace == lab.namespace;
    let writes: Vec<_> = requests
        .iter()
        .filter(here)
        .filter(|request| request.write())
        .collect();
    assert!(writes.is_empty(), "{writes:#?}");
    let reads = requests
        .iter()
        .filter(here)
        .filter(|request| request.verb == "get" && request.resource == "configmaps");
    assert_eq!(reads.count(), 0);
    let lists = requests
        .iter()
        .filter(|request| request.verb == "list" && request.resource == "configmaps");
    assert!(lists.count() >= 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_over_ready_units_writes_nothing_into_a_folder() -> Result<()> {
    let Some(mut lab) = ready_units(Place::Local).await? else {
        return Ok(());
    };
    lab.close()?;
    lab.reopen()?;
    restart(&lab, lab.cluster.clone()).await
}

/// A controller made every unit ready and ended.
async fn ready_units(place: Place) -> Result<Option<Lab>> {
    let units = match std::env::var_os("WEIR_TEST_FULL") {
        Some(_) => 1000,
        None => 60,
    };
    let Some(lab) = Lab::new(place, "restart").await? else {
        return Ok(None);
    };
    let paths: Vec<String> = (0..units).map(|n| format!("u{n}/x.yaml")).collect();
    let texts: Vec<String> = (0..units)
        .map(|n| config_map(&format!("x{n}"), "1"))
        .collect();
    let changes: Vec<_> = paths
        .iter()
        .zip(&texts)
        .map(|(path, text)| File(path, text.as_bytes()))
        .collect();
    let revision = lab.commit(&changes).await?;
    for n in 0..units {
        lab.apply(lab.kustomization(&format!("u{n}"), &format!("u{n}"), &[]))
            .await?;
    }
    let running = lab.start().await?;
    for n in 0..units {
        lab.ready("Kustomization", &format!("u{n}"), &revision)
            .await?;
    }
    running.stop().await;
    Ok(Some(lab))
}

/// Another controller goes over everything once, with nothing in its caches; no object is written, status included.
async fn restart(lab: &Lab, cluster: Arc<dyn Cluster>) -> Result<()> {
    let before = (lab.versions().await?, units(lab).await?);
    std::fs::remove_dir_all(lab.folder.path().join("cache"))?;
    let mut options = lab.options();
    options.once = true;
    let controller = Controller::new(
        cluster,
        crate::lab::host(),
        options,
        Clock::system(),
        Arc::new(|_: &Fact| {}),
    )
    .await?;
    let summary = controller.run(CancellationToken::new()).await?;
    assert!(summary.not_ready.is_empty(), "{summary:?}");
    assert_eq!((lab.versions().await?, units(lab).await?), before);
    Ok(())
}

/// Names and resource versions of the units.
async fn units(lab: &Lab) -> Result<Vec<(String, String)>> {
    let gvk = lab
        .key("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "")
        .gvk;
    let by = Selection {
        namespace: lab.namespace.clone(),
        ..Selection::default()
    };
    let list = lab.cluster.list(&gvk, &by).await?;
    let version = |object: &weir_api::Object| {
        (
            object.name().to_owned(),
            object.resource_version().to_owned(),
        )
    };
    Ok(list.objects.iter().map(version).collect())
}
