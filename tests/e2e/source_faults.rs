//! What goes wrong around a process that fetches: the disk is full, the process is killed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;
use serde_json::{Value, json};
use weir_api::Object;
use weir_testing::registry::Registry;
use weir_testing::until;
use weir_testing::web::{WebAnswer, WebServer};
use weir_tree::Digest;

use crate::lab::{Lab, Place, condition};
use crate::sources::{SOURCE, archive};

const LAYER: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";

/// One `weir run --once` over the lab's cluster, after the words of a shell.
async fn run(lab: &mut Lab, before: &str) -> Result<String> {
    let folder = lab.folder.path().to_owned();
    lab.close()?;
    let line = format!(
        "{before} exec {} run --once --namespace {n} --only-namespace {n} --cache cache --local cluster",
        crate::weir().display(),
        n = lab.namespace
    );
    let mut command = Command::new("sh");
    command.arg("-c").arg(line).current_dir(folder);
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    lab.reopen()?;
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

async fn source(lab: &Lab, name: &str) -> Result<Object> {
    let found = lab.get(SOURCE, "OCIRepository", name).await?;
    found.ok_or_else(|| anyhow::anyhow!("{name} is gone"))
}

fn spec(host: &str, tag: &str) -> Value {
    json!({"interval": "1h", "insecure": true, "url": format!("oci://{host}/fleet/app"), "ref": {"tag": tag}})
}

/// Text that no compression makes small.
fn noise(bytes: usize) -> String {
    let blocks = (0..bytes / 64).map(|n: usize| Digest::of(&n.to_le_bytes()).hex());
    blocks.collect()
}

/// No file may grow beyond a limit: to a process that is the same as a full disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full() -> Result<()> {
    let mut lab = Lab::new(Place::Local, "full").await?.unwrap();
    let registry = Registry::start()?;
    registry.push(
        "fleet/app",
        "large",
        LAYER,
        &archive(&[("a.txt", &noise(8 << 20))]),
    );
    registry.push("fleet/app", "small", LAYER, &archive(&[("a.txt", "a")]));
    for name in ["large", "small"] {
        lab.put("OCIRepository", name, spec(&registry.host(), name))
            .await?;
    }
    let said = run(&mut lab, "trap '' XFSZ; ulimit -f 4096;").await?;
    let large = source(&lab, "large").await?;
    let (is, _, message) = condition(&large, "Ready");
    assert_eq!(is, "False", "{said}");
    assert!(message.to_lowercase().contains("too large"), "{message}");
    assert!(large.get("/status/artifact").is_none());
    // What needs no space works.
    assert_eq!(condition(&source(&lab, "small").await?, "Ready").0, "True");
    assert_eq!(
        unfinished(&lab.folder.path().join("cache"))?,
        Vec::<String>::new()
    );

    run(&mut lab, "").await?;
    let large = source(&lab, "large").await?;
    assert_eq!(
        condition(&large, "Ready").0,
        "True",
        "{:?}",
        large.get("/status")
    );
    Ok(())
}

/// Files of the cache that are none of its own.
fn unfinished(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if name.contains("tmp") || name.contains("part") {
                found.push(name);
            }
        }
    }
    Ok(found)
}

/// A server that stalls in the middle of a layer: the process is killed while it waits for the rest.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_in_the_middle() -> Result<()> {
    let mut lab = Lab::new(Place::Local, "killed").await?.unwrap();
    let layer = archive(&[("a.txt", &noise(1 << 20))]);
    let digest = Digest::of(&layer).to_string();
    let manifest = json!({
        "schemaVersion": 2,
        "layers": [{"mediaType": LAYER, "digest": digest, "size": layer.len()}],
    });
    let (manifest, blob) = (
        manifest.to_string(),
        format!("/v2/fleet/app/blobs/{digest}"),
    );
    let stalls = std::sync::atomic::AtomicBool::new(true);
    let server = WebServer::start(move |request| {
        if request.path != blob {
            return WebAnswer::ok(manifest.clone());
        }
        let whole = WebAnswer::ok(layer.clone());
        match stalls.swap(false, std::sync::atomic::Ordering::SeqCst) {
            true => whole.stalled(),
            false => whole,
        }
    })?;
    lab.put("OCIRepository", "app", spec(&server.host(), "1"))
        .await?;
    let folder = lab.folder.path().to_owned();
    lab.close()?;
    let mut command = Command::new(crate::weir());
    command.args([
        "run",
        "--namespace",
        &lab.namespace,
        "--only-namespace",
        &lab.namespace,
    ]);
    command
        .args(["--cache", "cache", "--local", "cluster"])
        .current_dir(folder);
    let mut process = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    until("the layer to be asked for", async || {
        let asked = server
            .requests()
            .iter()
            .any(|one| one.path.contains("/blobs/"));
        Ok(asked.then_some(()))
    })
    .await?;
    process.kill()?;
    process.wait()?;
    lab.reopen()?;
    assert!(source(&lab, "app").await?.get("/status/artifact").is_none());
    run(&mut lab, "").await?;
    let app = source(&lab, "app").await?;
    assert_eq!(
        condition(&app, "Ready").0,
        "True",
        "{:?}",
        app.get("/status")
    );
    assert_eq!(
        unfinished(&lab.folder.path().join("cache"))?,
        Vec::<String>::new()
    );
    Ok(())
}
