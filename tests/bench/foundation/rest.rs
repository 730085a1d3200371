//! A thousand ready units on a real API server, and then nothing to do: what the controller's process holds.
//!
//! The local cluster would count its objects as the controller's, as both are in one process.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::json;
use weir_controller::Fact;
use weir_testing::git::Change::File;
use weir_testing::wait::until_after;

use crate::lab::{Lab, Place};
use crate::{UNITS, figure, unit_files};

/// For making and applying all units.
const DEADLINE: Duration = Duration::from_secs(300);
/// After the last unit is ready: time for what is done in passing.
const REST: Duration = Duration::from_secs(3);

pub(crate) async fn run() -> Result<()> {
    let Some(lab) = Lab::new(Place::Kube, "rest").await? else {
        return Ok(());
    };
    let files: Vec<(String, String)> = (0..UNITS)
        .flat_map(|unit| {
            unit_files(unit, "1")
                .into_iter()
                .map(move |(name, text)| (format!("u{unit}/{name}"), text))
        })
        .collect();
    let changes: Vec<_> = files
        .iter()
        .map(|(path, text)| File(path, text.as_bytes()))
        .collect();
    lab.commit(&changes).await?;
    for unit in 0..UNITS {
        let name = format!("u{unit}");
        lab.apply(lab.kustomization(&name, &name, &[])).await?;
    }
    drop(changes);
    drop(files);
    let started = Instant::now();
    let running = lab.start().await?;
    until_after("all units to be applied", DEADLINE, async || {
        let facts = lab.facts.lock().unwrap();
        let applied = facts
            .iter()
            .filter(|fact| matches!(fact, Fact::Applied { .. }));
        Ok((applied.count() >= UNITS).then_some(()))
    })
    .await?;
    let took = started.elapsed().as_secs_f64();
    anstream::println!(
        "{}",
        json!({"name": "install of 1,000 units on the API server", "unit": "s", "weir": took})
    );
    lab.facts.lock().unwrap().clear();
    tokio::time::sleep(REST).await;
    figure(
        "anonymous memory with 1,000 units at rest",
        "MiB",
        anonymous()?,
        60.0,
    );
    running.stop().await;
    Ok(())
}

fn anonymous() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .context("RssAnon is not in the status")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}
