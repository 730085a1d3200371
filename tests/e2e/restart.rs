//! A restart with an empty cache: no write to a managed object, one list for each kind instead of a read for each object.

use anyhow::Result;
use weir_testing::ApiServer;
use weir_testing::git::Change::File;

use crate::lab::{Lab, Place, config_map};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_over_ready_units_lists_instead_of_reading() -> Result<()> {
    let units = if std::env::var_os("WEIR_TEST_FULL").is_some() {
        1000
    } else {
        60
    };
    let Some(lab) = Lab::new(Place::Kube, "restart").await? else {
        return Ok(());
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
    let before = lab.versions().await?;
    let Some(server) = ApiServer::shared() else {
        return Ok(());
    };
    let mark = server.requests();
    std::fs::remove_dir_all(lab.folder.path().join("git"))?;
    let mut options = lab.options();
    options.once = true;
    let observer = std::sync::Arc::new(|_: &weir_controller::Fact| {});
    let cluster = std::sync::Arc::new(weir_cluster::Kube::new(server.config()?)?);
    let controller = weir_controller::Controller::new(
        cluster,
        crate::lab::host(),
        options,
        weir_controller::Clock::system(),
        observer,
    )
    .await?;
    let summary = controller
        .run(tokio_util::sync::CancellationToken::new())
        .await?;
    assert!(summary.not_ready.is_empty(), "{summary:?}");
    assert_eq!(lab.versions().await?, before);
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
