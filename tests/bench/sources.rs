//! `cargo xtask bench sources`: weir beside source-controller, each a process of its own on the same API server, asked for
//! the same from the same servers.
//!
//! source-controller is the one that `cargo xtask tools source-controller` built; without it weir is measured alone.

#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "a part of the tests, which use more of it"
)]
#[path = "../e2e/lab.rs"]
mod lab;
#[expect(dead_code, reason = "a part of all benchmarks, which use more of it")]
#[path = "process.rs"]
mod process;
#[path = "sources/program.rs"]
mod program;
#[path = "sources/repository.rs"]
mod repository;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use weir_testing::web::{WebAnswer, WebServer};

use process::{figure, milliseconds};
use program::Program;
use repository::Large;

/// What is measured beside weir.
const PEER: &str = "source-controller 1.9.3";
/// How often what takes long is measured; the median counts.
const RUNS: usize = 5;
/// How often what is quick is measured.
const MANY: usize = 9;
const COMMITS: usize = 10_000;
const FILES: usize = 5_000;
/// Repositories that are only looked at.
const AT_REST: usize = 500;
/// How long they are looked at.
const REST: Duration = Duration::from_secs(120);
const INDEX: usize = 30 << 20;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    // All parts, or the one that is named: `repositories`, `index` or `rest`.
    let wanted = std::env::args().nth(1);
    let is = |part: &str| wanted.as_deref().is_none_or(|wanted| wanted == part);
    runtime.block_on(async {
        if is("repositories") {
            repositories().await?;
        }
        if is("index") {
            index().await?;
        }
        if is("rest") {
            at_rest().await?;
        }
        Ok(())
    })
}

/// weir's figure, and the original's if it is built.
async fn both<T>(
    mut measure: impl AsyncFnMut(Program) -> Result<T>,
) -> Result<Option<(T, Option<T>)>> {
    let Some(weir) = Program::weir().await? else {
        return Ok(None);
    };
    let weir = measure(weir).await.context("weir")?;
    let peer = match Program::original().await? {
        Some(peer) => Some(measure(peer).await.context(PEER)?),
        None => None,
    };
    Ok(Some((weir, peer)))
}

fn median(mut values: Vec<Duration>) -> f64 {
    values.sort();
    milliseconds(values[values.len() / 2])
}

fn show(name: &str, unit: &str, weir: f64, peer: Option<f64>, target: Option<f64>) {
    figure(name, unit, weir, peer.map(|peer| (PEER, peer)), target);
}

/// A large repository: fetched, looked at again, and with one more commit.
async fn repositories() -> Result<()> {
    let measured = both(async |program| {
        let large = Large::make(&program.lab.git, COMMITS, FILES)?;
        let mut first = Vec::new();
        for run in 0..RUNS {
            let name = format!("first-{run}");
            let url = large.alias(&program.lab.git, &name)?;
            let started = Instant::now();
            program.put_git(&name, &url, "1h").await?;
            program.ready("GitRepository", &name).await?;
            first.push(started.elapsed());
        }
        let (mut unmoved, mut moved) = (Vec::new(), Vec::new());
        for run in 0..MANY {
            let started = Instant::now();
            program.ask("first-0", &format!("unmoved {run}")).await?;
            unmoved.push(started.elapsed());
        }
        for run in 0..MANY {
            let revision = large.commit(run)?;
            let started = Instant::now();
            program.ask("first-0", &format!("moved {run}")).await?;
            program.at("first-0", &revision).await?;
            moved.push(started.elapsed());
        }
        Ok([median(first), median(unmoved), median(moved)])
    })
    .await?;
    let Some((weir, peer)) = measured else {
        return Ok(());
    };
    let of = |index: usize| peer.map(|peer| peer[index]);
    show(
        "git: first fetch, 10,000 commits, 5,000 files",
        "ms",
        weir[0],
        of(0),
        Some(3.0),
    );
    show(
        "git: a remote that did not move",
        "ms",
        weir[1],
        of(1),
        None,
    );
    show("git: a commit of one file", "ms", weir[2], of(2), None);
    figure(
        "git: a commit of one file, visible",
        "ms",
        weir[2],
        None,
        Some(100.0),
    );
    Ok(())
}

/// A large index of charts, by processes that did nothing before.
async fn index() -> Result<()> {
    let text = repository::index(INDEX);
    let server = WebServer::start(move |_| WebAnswer::ok(text.clone()))?;
    let measured = both(async |program| {
        let mut times = Vec::new();
        let before = program.resident()?;
        for run in 0..RUNS {
            let name = format!("charts-{run}");
            let started = Instant::now();
            program
                .put_charts(&name, &server.url(&format!("/{run}")))
                .await?;
            program.ready("HelmRepository", &name).await?;
            times.push(started.elapsed());
            if run == 0 {
                times.clear();
            }
        }
        Ok([median(times), program.peak()?, before])
    })
    .await?;
    let Some((weir, peer)) = measured else {
        return Ok(());
    };
    let of = |index: usize| peer.map(|peer| peer[index]);
    show(
        "index of 30 MB: fetched and parsed",
        "ms",
        weir[0],
        of(0),
        Some(3.0),
    );
    show(
        "index of 30 MB: peak of resident memory",
        "MiB",
        weir[1],
        of(1),
        Some(4.0),
    );
    show("index of 30 MB: memory before", "MiB", weir[2], of(2), None);
    Ok(())
}

/// Many repositories in which nothing happens.
async fn at_rest() -> Result<()> {
    let measured = both(async |program| {
        let git = &program.lab.git;
        let small = Large::make(git, 1, 10)?;
        let mut urls = Vec::new();
        for number in 0..AT_REST {
            urls.push(small.alias(git, &format!("rest-{number}"))?);
        }
        for (number, url) in urls.iter().enumerate() {
            program
                .put_git(&format!("rest-{number}"), url, "1m")
                .await?;
        }
        for number in 0..AT_REST {
            program
                .ready("GitRepository", &format!("rest-{number}"))
                .await?;
        }
        git.reset();
        let busy = program.processor_time()?;
        tokio::time::sleep(REST).await;
        let minutes = REST.as_secs_f64() / 60.0;
        let requests = git.requests();
        let count = requests.listings + requests.fetches + requests.others;
        let busy = milliseconds(program.processor_time()? - busy);
        #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
        let requests = count as f64 / minutes;
        Ok([program.resident()?, requests, busy / minutes])
    })
    .await?;
    let Some((weir, peer)) = measured else {
        return Ok(());
    };
    let of = |index: usize| peer.map(|peer| peer[index]);
    show(
        "500 repositories at rest: resident memory",
        "MiB",
        weir[0],
        of(0),
        None,
    );
    show(
        "500 repositories at rest: requests per minute",
        "1",
        weir[1],
        of(1),
        None,
    );
    show(
        "500 repositories at rest: processor time per minute",
        "ms",
        weir[2],
        of(2),
        None,
    );
    Ok(())
}
