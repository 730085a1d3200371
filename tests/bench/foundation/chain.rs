//! Twenty units, each depending on the one before, on a real API server: Flux asks every 30 s, and needs 543 s.

use std::time::Instant;

use anyhow::Result;
use weir_testing::git::Change::File;

use crate::figure;
use crate::lab::{Lab, Place, config_map};

const LENGTH: usize = 20;
const RUNS: usize = 3;

pub(crate) async fn run() -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        match chain().await? {
            Some(seconds) => times.push(seconds),
            None => return Ok(()),
        }
    }
    times.sort_by(f64::total_cmp);
    figure(
        "a chain of 20 dependsOn on the API server",
        "s",
        times[RUNS / 2],
        3.0,
    );
    Ok(())
}

/// The seconds from the last unit that is made, which is the first of the chain, until all are ready.
async fn chain() -> Result<Option<f64>> {
    let Some(lab) = Lab::new(Place::Kube, "chain").await? else {
        return Ok(None);
    };
    let files: Vec<(String, String)> = (0..LENGTH)
        .map(|n| (format!("u{n}/x.yaml"), config_map(&format!("x{n}"), "1")))
        .collect();
    let changes: Vec<_> = files
        .iter()
        .map(|(path, text)| File(path, text.as_bytes()))
        .collect();
    let running = lab.start().await?;
    let revision = lab.commit(&changes).await?;
    let mut start = Instant::now();
    for n in (0..LENGTH).rev() {
        start = Instant::now();
        let before = (n > 0).then(|| format!("u{}", n - 1));
        let depends_on: Vec<&str> = before.iter().map(String::as_str).collect();
        let unit = format!("u{n}");
        lab.apply(lab.kustomization(&unit, &unit, &depends_on))
            .await?;
    }
    let last = format!("u{}", LENGTH - 1);
    lab.ready("Kustomization", &last, &revision).await?;
    let took = start.elapsed().as_secs_f64();
    running.stop().await;
    Ok(Some(took))
}
