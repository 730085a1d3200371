//! `cargo xtask bench helm`: charts beside the original, what a render costs inside a running process, and a profile of the
//! engine.
//!
//! The original is found by `WEIR_HELM`, among the tools of `cargo xtask tools`, or in `PATH`. app-template and
//! kube-prometheus-stack come from the conformance kit, if `WEIR_CONFORMANCE` names its folder.

#[path = "helm/counted.rs"]
mod counted;
#[path = "helm/engine.rs"]
mod engine;
#[path = "helm/inputs.rs"]
mod inputs;
#[path = "process.rs"]
mod process;
#[path = "world.rs"]
mod world;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use weir_api::kustomize::CommonMetadata;
use weir_plugin::{Host, HostConfig, Role};
use weir_render::{Recipe, Registered, Renderer, SourceId, Step, UnitId};

use inputs::Bench;
use process::{Measured, figure, milliseconds, original};
use world::FilesWorld;

/// What is measured beside weir.
const PEER: &str = "helm 4.2.4";

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sides = Sides {
        weir: vec![process::weir()?.display().to_string(), "helm".to_owned()],
        original: original("WEIR_HELM", "helm")?.map(|path| vec![path.display().to_string()]),
        folder: folder.path().to_owned(),
    };
    let mut benches = vec![inputs::small(), inputs::large(), inputs::library()];
    benches.extend(inputs::public(folder.path())?);
    let host = Arc::new(Host::new(HostConfig::default())?);
    let plugins = weir_render::builtin::load_named(&host, &["helm"])?;
    for bench in &benches {
        sides.compare(bench)?;
        inside(bench, &host, &plugins)?;
        engine::profile(bench)?;
    }
    Ok(())
}

/// The programs, as the first words of their command lines.
struct Sides {
    weir: Vec<String>,
    original: Option<Vec<String>>,
    folder: PathBuf,
}

impl Sides {
    /// Compares times and memory; the ratio of the bench is what is aimed at.
    fn compare(&self, bench: &Bench) -> Result<()> {
        let place = bench.input.write(&self.folder)?;
        let words = arguments(bench, &place);
        let name = format!("helm: {}", bench.input.name);
        let weir = measure(&self.weir, &words, bench.runs)?;
        let Some(original) = &self.original else {
            figure(&name, "ms", milliseconds(weir.time), None, None);
            return Ok(());
        };
        let peer = measure(original, &words, bench.runs)?;
        ensure!(
            weir.output == peer.output,
            "the outputs for {} differ",
            bench.input.name
        );
        let (time, peer_time) = (milliseconds(weir.time), milliseconds(peer.time));
        figure(
            &name,
            "ms",
            time,
            Some((PEER, peer_time)),
            Some(bench.ratio),
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
        Ok(())
    }
}

/// What follows the program's name.
fn arguments(bench: &Bench, place: &Path) -> Vec<String> {
    let mut words: Vec<String> = ["template", "rel"].map(str::to_owned).to_vec();
    words.push(place.display().to_string());
    words.extend(
        [
            "-n",
            "ns",
            "--include-crds",
            "--kube-version",
            inputs::KUBE_VERSION,
        ]
        .map(str::to_owned),
    );
    for file in &bench.values {
        words.push("-f".to_owned());
        words.push(place.join(file).display().to_string());
    }
    for set in &bench.set {
        words.push("--set".to_owned());
        words.push(set.clone());
    }
    words
}

/// The median time of some runs after one that warms the caches, and the memory of another.
fn measure(program: &[String], words: &[String], runs: usize) -> Result<Measured> {
    let command = [program, words].concat();
    let mut measured = process::watched(&command)?;
    let mut times = Vec::new();
    for _ in 0..runs {
        times.push(process::timed(&command)?);
    }
    times.sort();
    measured.time = times[times.len() / 2];
    Ok(measured)
}

/// Renders as plugin calls in this process: one release of the chart after the other, so that each is rendered and the chart is
/// known.
fn inside(bench: &Bench, host: &Arc<Host>, plugins: &HashMap<String, Registered>) -> Result<()> {
    let world = FilesWorld::new(bench.input.tree()?, plugins.clone());
    let renderer = || {
        Renderer::new(host.clone(), 64 << 20)
            .map_err(|error| anyhow::anyhow!("no random numbers: {error}"))
    };
    let mut usage = None;
    let mut call = |renderer: &Renderer, number: usize| -> Result<Duration> {
        let started = Instant::now();
        let rendered =
            renderer.render(&recipe(bench, number), &world, &CancellationToken::new())?;
        let time = started.elapsed();
        ensure!(rendered.steps[0].ran, "the plugin was not called");
        usage = Some(rendered.steps[0].usage.clone());
        Ok(time)
    };
    let runs = bench.runs.max(11);
    let mut first = Vec::new();
    for number in 0..runs {
        first.push(call(&renderer()?, number)?);
    }
    let warm = renderer()?;
    for number in 0..2 {
        call(&warm, runs + number)?;
    }
    let mut times = Vec::new();
    for number in 0..runs {
        times.push(call(&warm, number)?);
    }
    let name = format!("helm: {}", bench.input.name);
    for (what, mut times, limit) in [
        ("as a plugin call", times, bench.warm),
        ("as the first call for its chart", first, None),
    ] {
        times.sort();
        let time = milliseconds(times[times.len() / 2]);
        figure(&format!("{name} {what}"), "ms", time, None, limit);
    }
    if let Some(usage) = usage {
        let memory = usage.memory_bytes as f64 / f64::from(1 << 20);
        figure(
            &format!("{name}, memory of the plugin"),
            "MiB",
            memory,
            None,
            None,
        );
        figure(
            &format!("{name}, fuel"),
            "M",
            usage.fuel as f64 / 1e6,
            None,
            None,
        );
    }
    Ok(())
}

/// A release of the chart by a name of its own.
fn recipe(bench: &Bench, number: usize) -> Recipe {
    Recipe {
        unit: UnitId::new("Command", "", "bench"),
        source: SourceId::new("Folder", "", "folder"),
        steps: vec![Step {
            name: "helm".to_owned(),
            plugin: "helm".to_owned(),
            role: Some(Role::Generator),
            config: json!({
                "chart": {"path": bench.input.target},
                "release": {"name": format!("rel{number}"), "namespace": "ns"},
                "kubeVersion": inputs::KUBE_VERSION,
                "folder": bench.input.target,
                "valuesFiles": bench.values,
                "set": bench.set,
                "includeCrds": true,
            }),
            trees: [].into(),
            inputs: [].into(),
            filters: Vec::new(),
        }],
        common: CommonMetadata::default(),
        tainted: false,
    }
}
