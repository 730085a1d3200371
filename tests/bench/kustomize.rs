//! `cargo xtask bench kustomize`: builds beside the original, and what a build costs inside a running process.
//!
//! The original is found by `WEIR_KUSTOMIZE`, among the tools of `cargo xtask tools`, or in `PATH`.

#[path = "kustomize/inputs.rs"]
mod inputs;
#[expect(dead_code, reason = "a part of the program, which uses more of it")]
#[path = "../../host/weir/src/memory.rs"]
mod memory;
#[path = "process.rs"]
mod process;
#[path = "world.rs"]
mod world;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use weir_api::kustomize::CommonMetadata;
use weir_plugin::{Host, HostConfig, Role};
use weir_render::{Recipe, Renderer, SourceId, Step, UnitId};

use inputs::Input;
use process::{Measured, figure, milliseconds, original};
use world::FilesWorld;

/// What is measured beside weir.
const PEER: &str = "kustomize 5.8.1";

fn main() -> Result<()> {
    memory::small_pages();
    let weir = [
        process::weir()?.display().to_string(),
        "kustomize".to_owned(),
        "build".to_owned(),
    ];
    let original = original("WEIR_KUSTOMIZE", "kustomize")?;
    let folder = tempfile::tempdir()?;
    let sides = Sides {
        weir: weir.to_vec(),
        original: original.map(|path| vec![path.display().to_string(), "build".to_owned()]),
        folder: folder.path().to_owned(),
    };
    let typical = sides.compare(&inputs::typical(), 3.0, 21)?;
    let small = sides.compare(&inputs::overlay(100), 8.0, 11)?;
    let large = sides.compare(&inputs::overlay(1000), 30.0, 5)?;
    sides.compare(&inputs::patched(500, 200), 20.0, 5)?;
    let start = sides.compare(&inputs::overlay(1), 1.0, 11)?;
    let huge = sides.alone(&inputs::overlay(10_000), 3)?;
    figure(
        "kustomize: start of the process",
        "ms",
        milliseconds(start),
        None,
        None,
    );
    let slope = |more: Duration, fewer: Duration, count: f64| {
        more.saturating_sub(fewer).as_secs_f64() / count
    };
    // What another object costs among 10,000, against what it costs among 1,000.
    let growth = slope(huge, large, 9000.0) / slope(large, small, 900.0);
    figure(
        "kustomize: cost of an object, 10,000 over 1,000",
        "x",
        growth,
        None,
        Some(1.25),
    );
    ensure!(
        typical < large,
        "a small build took longer than a large one"
    );
    inside()
}

/// The programs, as the first words of their command lines.
struct Sides {
    weir: Vec<String>,
    original: Option<Vec<String>>,
    folder: PathBuf,
}

impl Sides {
    /// Compares times and memory; `ratio` is what is aimed at. Gives weir's time.
    fn compare(&self, input: &Input, ratio: f64, runs: usize) -> Result<Duration> {
        let place = input.write(&self.folder)?;
        let weir = measure(&self.weir, &place, runs)?;
        let name = format!("kustomize: {}", input.name);
        let Some(original) = &self.original else {
            figure(&name, "ms", milliseconds(weir.time), None, None);
            return Ok(weir.time);
        };
        let peer = measure(original, &place, runs)?;
        ensure!(
            weir.output == peer.output,
            "the outputs for {} differ",
            input.name
        );
        figure(
            &name,
            "ms",
            milliseconds(weir.time),
            Some((PEER, milliseconds(peer.time))),
            Some(ratio),
        );
        figure(
            &format!("{name}, anonymous memory against peak"),
            "MiB",
            weir.anonymous,
            Some((PEER, peer.resident)),
            Some(2.0),
        );
        figure(
            &format!("{name}, resident memory"),
            "MiB",
            weir.resident,
            Some((PEER, peer.resident)),
            Some(1.0),
        );
        Ok(weir.time)
    }

    fn alone(&self, input: &Input, runs: usize) -> Result<Duration> {
        let place = input.write(&self.folder)?;
        let weir = measure(&self.weir, &place, runs)?;
        let name = format!("kustomize: {}", input.name);
        figure(&name, "ms", milliseconds(weir.time), None, None);
        Ok(weir.time)
    }
}

/// The median time of some runs after one that warms the caches, and the memory of another.
fn measure(words: &[String], place: &Path, runs: usize) -> Result<Measured> {
    let mut command = words.to_vec();
    command.push(place.display().to_string());
    let mut measured = process::watched(&command)?;
    let mut times = Vec::new();
    for _ in 0..runs {
        times.push(process::timed(&command)?);
    }
    times.sort();
    measured.time = times[times.len() / 2];
    Ok(measured)
}

/// Builds of the typical folder as plugin calls, and the same build again.
fn inside() -> Result<()> {
    const RUNS: usize = 101;
    let host = Arc::new(Host::new(HostConfig::default())?);
    let input = inputs::typical();
    let plugins = weir_render::builtin::load(&host)?;
    let world = FilesWorld::new(input.tree()?, plugins);
    let mut times = Vec::new();
    for _ in 0..RUNS {
        // A new memo each time, so that the plugin is called.
        let renderer = renderer(&host)?;
        let started = Instant::now();
        let rendered = renderer.render(&recipe(&input), &world, &CancellationToken::new())?;
        times.push(started.elapsed());
        ensure!(rendered.steps[0].ran, "the plugin was not called");
    }
    times.sort();
    figure(
        "kustomize: typical app folder as a plugin call",
        "ms",
        milliseconds(times[RUNS / 2]),
        None,
        Some(2.0),
    );
    let renderer = renderer(&host)?;
    let mut calls = 0;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let started = Instant::now();
        let rendered = renderer.render(&recipe(&input), &world, &CancellationToken::new())?;
        times.push(started.elapsed());
        calls += rendered.steps.iter().filter(|step| step.ran).count();
    }
    times.sort();
    figure(
        "kustomize: calls for 101 builds of an unchanged folder",
        "n",
        calls as f64,
        None,
        Some(1.0),
    );
    figure(
        "kustomize: build of an unchanged folder",
        "ms",
        milliseconds(times[RUNS / 2]),
        None,
        None,
    );
    Ok(())
}

fn renderer(host: &Arc<Host>) -> Result<Renderer> {
    Renderer::new(host.clone(), 64 << 20).map_err(|error| anyhow::anyhow!("{error}"))
}

fn recipe(input: &Input) -> Recipe {
    Recipe {
        unit: UnitId::new("Command", "", "bench"),
        source: SourceId::new("Folder", "", "folder"),
        steps: vec![Step {
            name: "kustomize".to_owned(),
            plugin: "kustomize".to_owned(),
            role: Some(Role::Generator),
            config: json!({"profile": "flux", "path": input.target}),
            trees: [].into(),
            inputs: [].into(),
            filters: Vec::new(),
        }],
        common: CommonMetadata::default(),
        tainted: false,
    }
}
