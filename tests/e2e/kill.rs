//! `kill -9` in the middle of an apply, then a restart: nothing is lost, nothing has no owner.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use futures::StreamExt as _;
use weir_api::Gvk;
use weir_cluster::{Detail, Selection, WatchEvent};
use weir_testing::ApiServer;
use weir_testing::git::Change::{File, Remove};

use crate::lab::{Lab, Place, config_map};
use crate::weir;

const OBJECTS: usize = 60;
/// The process is killed when so many objects of the second revision were seen.
const POINTS: [usize; 10] = [0, 1, 2, 5, 9, 17, 30, 44, 58, 60];

#[tokio::test(flavor = "multi_thread")]
async fn at_ten_points_of_an_apply_on_a_real_api_server() -> Result<()> {
    for (round, point) in POINTS.into_iter().enumerate() {
        let Some(lab) = Lab::new(Place::Kube, &format!("kill{round}")).await? else {
            return Ok(());
        };
        one_kill(&lab, point)
            .await
            .with_context(|| format!("killed after {point} objects"))?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn at_ten_points_of_an_apply_on_the_local_cluster() -> Result<()> {
    for point in POINTS {
        let Some(lab) = Lab::new(Place::Local, "kill").await? else {
            return Ok(());
        };
        one_kill_local(lab, point)
            .await
            .with_context(|| format!("killed after {point} objects"))?;
    }
    Ok(())
}

/// One process at a time has the folder open, so that what it does is seen from its files.
async fn one_kill_local(mut lab: Lab, point: usize) -> Result<()> {
    let folder = lab.folder.path().join("cluster");
    commit(&lab, 0..OBJECTS / 2, "1", &["old"]).await?;
    lab.apply(lab.kustomization("app", "app", &[])).await?;
    lab.close()?;
    ensure!(start(&lab, None, true)?.wait()?.success());
    lab.reopen()?;
    let revision = commit(&lab, 0..OBJECTS, "2", &[]).await?;
    lab.close()?;
    let mut child = start(&lab, None, false)?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while written(&folder, "value: \"2\"")? < point {
        if Instant::now() > deadline {
            let _ = child.kill();
            bail!("{point} objects were not written in time");
        }
        std::thread::yield_now();
    }
    child.kill()?;
    child.wait()?;
    lab.reopen()?;
    let orphans = orphans(&lab).await?;
    assert!(
        orphans.is_empty(),
        "objects that no inventory has: {orphans:?}"
    );
    lab.close()?;
    ensure!(start(&lab, None, true)?.wait()?.success());
    lab.reopen()?;
    converged(&lab, &revision).await
}

/// How many files below the folder hold the text.
fn written(folder: &Path, text: &str) -> Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            count += if path.ends_with(".weir") {
                0
            } else {
                written(&path, text)?
            };
        } else if std::fs::read_to_string(&path).is_ok_and(|content| content.contains(text)) {
            count += 1;
        }
    }
    Ok(count)
}

async fn converged(lab: &Lab, revision: &str) -> Result<()> {
    lab.ready("Kustomization", "app", revision).await?;
    let names = lab.versions().await?;
    assert_eq!(names.len(), OBJECTS, "{names:?}");
    assert!(orphans_exact(lab).await?);
    Ok(())
}

async fn one_kill(lab: &Lab, point: usize) -> Result<()> {
    let Some(server) = ApiServer::shared() else {
        return Ok(());
    };
    // The first revision has half of the objects and one that the second does not have.
    commit(lab, 0..OBJECTS / 2, "1", &["old"]).await?;
    lab.apply(lab.kustomization("app", "app", &[])).await?;
    start(lab, Some(server), true)?.wait()?;
    let revision = commit(lab, 0..OBJECTS, "2", &[]).await?;
    let gvk = Gvk::new("", "v1", "ConfigMap");
    let by = Selection {
        namespace: lab.namespace.clone(),
        ..Selection::default()
    };
    let since = lab.cluster.list(&gvk, &by).await?.resource_version;
    let mut events = lab
        .cluster
        .watch(&gvk, &by, &since, Detail::Metadata)
        .await?;
    let mut child = start(lab, Some(server), false)?;
    let mut seen = 0;
    while seen < point {
        match events.next().await.context("the watch ended")?? {
            WatchEvent::Set(_) | WatchEvent::Deleted(_) => seen += 1,
            WatchEvent::Bookmark(_) => {}
        }
    }
    child.kill()?;
    child.wait()?;
    let orphans = orphans(lab).await?;
    assert!(
        orphans.is_empty(),
        "objects that no inventory has: {orphans:?}"
    );
    let status = start(lab, Some(server), true)?.wait()?;
    assert!(status.success());
    converged(lab, &revision).await
}

async fn commit(
    lab: &Lab,
    maps: std::ops::Range<usize>,
    value: &str,
    more: &[&str],
) -> Result<String> {
    let mut files: Vec<(String, String)> = maps
        .map(|n| {
            (
                format!("app/m{n}.yaml"),
                config_map(&format!("m{n}"), value),
            )
        })
        .collect();
    files.extend(
        more.iter()
            .map(|name| (format!("app/{name}.yaml"), config_map(name, value))),
    );
    let mut changes: Vec<_> = files
        .iter()
        .map(|(path, text)| File(path, text.as_bytes()))
        .collect();
    if more.is_empty() {
        changes.push(Remove("app/old.yaml"));
    }
    lab.commit(&changes).await
}

/// The program, on a server or on the lab's folder.
fn start(lab: &Lab, server: Option<&ApiServer>, once: bool) -> Result<Child> {
    let folder = lab.folder.path();
    let mut command = Command::new(weir());
    command.args([
        "run",
        "--namespace",
        &lab.namespace,
        "--only-namespace",
        &lab.namespace,
        "--cache",
    ]);
    command.arg(folder.join("cache"));
    match server {
        Some(server) => command.env("KUBECONFIG", server.kubeconfig()),
        None => command.arg("--local").arg(folder.join("cluster")),
    };
    if once {
        command.arg("--once");
    }
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("starting weir")
}

/// Objects with the unit's mark that its inventory does not have.
async fn orphans(lab: &Lab) -> Result<Vec<String>> {
    let inventory = inventory(lab).await?;
    let marked = marked(lab).await?;
    Ok(marked
        .into_iter()
        .filter(|id| !inventory.contains(id))
        .collect())
}

async fn orphans_exact(lab: &Lab) -> Result<bool> {
    let (mut inventory, mut marked) = (inventory(lab).await?, marked(lab).await?);
    inventory.sort();
    marked.sort();
    Ok(inventory == marked)
}

async fn inventory(lab: &Lab) -> Result<Vec<String>> {
    let unit = lab
        .get("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "app")
        .await?
        .context("the unit is gone")?;
    let entries = unit
        .get("/status/inventory/entries")
        .and_then(|list| list.as_array().cloned())
        .unwrap_or_default();
    Ok(entries
        .iter()
        .filter_map(|entry| entry["id"].as_str().map(str::to_owned))
        .collect())
}

async fn marked(lab: &Lab) -> Result<Vec<String>> {
    let by = Selection {
        namespace: lab.namespace.clone(),
        labels: "kustomize.toolkit.fluxcd.io/name=app".into(),
        ..Selection::default()
    };
    let list = lab
        .cluster
        .list(&Gvk::new("", "v1", "ConfigMap"), &by)
        .await?;
    Ok(list
        .objects
        .iter()
        .map(|object| weir_api::inventory::id(&object.key()))
        .collect())
}
