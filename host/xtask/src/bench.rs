//! `cargo xtask bench`: runs the benchmark programs of a suite, prints a table and keeps it as JSON.
//!
//! Each program prints a JSON object `{name, unit, weir, peer, peer_name, target}` for each figure, one to a line; `target`
//! is the highest value (with a peer: the lowest ratio) that is good enough.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::workspace::{cargo, run, target, top};

/// Programs by suite: package and name of the example that measures.
const PROGRAMS: &[(&str, &[(&str, &str)])] = &[
    ("foundation", &[("weir", "bench_foundation")]),
    ("kustomize", &[("weir", "bench_kustomize")]),
    ("helm", &[("weir", "bench_helm")]),
    ("repository", &[("weir", "bench_repository")]),
    ("sources", &[("weir", "bench_sources")]),
];

/// What a program prints.
#[derive(Deserialize)]
struct Measured {
    name: String,
    unit: String,
    weir: f64,
    #[serde(default)]
    peer: Option<f64>,
    #[serde(default)]
    peer_name: Option<String>,
    #[serde(default)]
    target: Option<f64>,
}

/// What is kept.
#[derive(Serialize)]
struct Figure {
    name: String,
    unit: String,
    weir: f64,
    peer: Option<f64>,
    peer_name: Option<String>,
    ratio: Option<f64>,
    target: Option<f64>,
    met: Option<bool>,
}

pub(crate) fn bench(suites: &[&str]) -> Result<()> {
    let known: Vec<&str> = PROGRAMS.iter().map(|(suite, _)| *suite).collect();
    if let Some(unknown) = suites.iter().find(|suite| !known.contains(*suite)) {
        bail!(
            "there is no suite named {unknown:?}; there are {}",
            known.join(", ")
        );
    }
    let chosen: Vec<_> = PROGRAMS
        .iter()
        .filter(|(suite, _)| suites.is_empty() || suites.contains(suite))
        .collect();
    let programs = chosen.iter().flat_map(|(_, programs)| *programs);
    build(&programs.map(|(package, _)| *package).collect())?;
    for (suite, programs) in chosen {
        let mut figures = Vec::new();
        for (_, example) in *programs {
            figures.extend(measure(example)?);
        }
        keep(suite, &figures)?;
        print(suite, &figures);
    }
    Ok(())
}

/// Builds the command and all programs at once, so that they share what they are made of.
fn build(packages: &BTreeSet<&str>) -> Result<()> {
    let mut command = cargo(&["build", "--release", "--bins", "--examples"]);
    for package in packages {
        command.args(["--package", package]);
    }
    run(&mut command)
}

fn measure(example: &str) -> Result<Vec<Figure>> {
    let mut command = Command::new(target().join("release/examples").join(example));
    command.current_dir(top());
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("starting {example}"))?;
    if !output.status.success() {
        bail!("{example} ended with {}", output.status);
    }
    let text = String::from_utf8(output.stdout)
        .with_context(|| format!("{example} did not print text"))?;
    let lines = text.lines().filter(|line| line.starts_with('{'));
    lines
        .map(|line| {
            let measured: Measured =
                serde_json::from_str(line).with_context(|| format!("{example} printed {line}"))?;
            Ok(figure(measured))
        })
        .collect()
}

fn figure(measured: Measured) -> Figure {
    let Measured {
        name,
        unit,
        weir,
        peer,
        peer_name,
        target,
    } = measured;
    let ratio = peer.map(|peer| peer / weir);
    let met = target.map(|target| match ratio {
        Some(ratio) => ratio >= target,
        None => weir <= target,
    });
    Figure {
        name,
        unit,
        weir,
        peer,
        peer_name,
        ratio,
        target,
        met,
    }
}

fn keep(suite: &str, figures: &[Figure]) -> Result<()> {
    let folder = target().join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let path = folder.join(format!("{suite}.json"));
    fs::write(&path, serde_json::to_string_pretty(figures)?)
        .with_context(|| format!("writing {}", path.display()))
}

fn print(suite: &str, figures: &[Figure]) {
    let number =
        |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
    anstream::println!("{suite}");
    anstream::println!(
        "  {:<52} {:>6} {:>12} {:>12} {:>9} {:>9}  met",
        "figure",
        "unit",
        "weir",
        "peer",
        "ratio",
        "target"
    );
    for figure in figures {
        let met = figure.met.map_or("-", |met| if met { "yes" } else { "no" });
        anstream::println!(
            "  {:<52} {:>6} {:>12} {:>12} {:>9} {:>9}  {met}",
            figure.name,
            figure.unit,
            number(Some(figure.weir)),
            number(figure.peer),
            number(figure.ratio),
            number(figure.target),
        );
    }
}
