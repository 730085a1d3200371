//! Twenty units, each depending on the one before, on a real API server: Flux asks every 30 s, and needs 543 s.

use anyhow::Result;

use crate::figure;
use crate::lab::{Lab, Place};

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
    let running = lab.start().await?;
    let took = lab.chain(LENGTH).await?.as_secs_f64();
    running.stop().await;
    Ok(Some(took))
}
