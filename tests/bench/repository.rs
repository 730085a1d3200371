//! `cargo xtask bench repository`: whole repositories on a laptop, from cold and after the edit of one file.
//!
//! `flux build kustomization` over the same Kustomizations is measured beside it where `WEIR_FLUX` names the program, one
//! Kustomization after another, as it takes one at a time.

#[path = "repository/inputs.rs"]
mod inputs;
#[path = "process.rs"]
mod process;

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use inputs::Repository;
use process::{figure, milliseconds, original, timed, watched};

/// What is measured beside weir.
const PEER: &str = "flux 2.9.2";
/// How often each time is taken; the least one counts.
const RUNS: usize = 5;

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // 2 units are there before the apps, and each second app makes two.
    let small = inputs::write(&folder.path().join("small"), 98, 2)?;
    let cache = folder.path().join("cache");
    let cold = least(|| {
        let _ = fs::remove_dir_all(&cache);
        timed(&weir("test", &small, &cache)?)
    })?;
    figure(
        "test: 149 units, cold",
        "ms",
        milliseconds(cold),
        None,
        Some(2000.0),
    );
    let unchanged = least(|| timed(&weir("test", &small, &cache)?))?;
    figure(
        "test: 149 units, unchanged",
        "ms",
        milliseconds(unchanged),
        None,
        None,
    );
    let mut turn = 0;
    let edited = least(|| {
        turn += 1;
        let text = fs::read_to_string(&small.edited)?;
        fs::write(&small.edited, text.replace("1.0.", &format!("1.0.{turn}")))?;
        timed(&weir("test", &small, &cache)?)
    })?;
    figure(
        "test: 149 units, one file edited",
        "ms",
        milliseconds(edited),
        None,
        Some(300.0),
    );
    if let Some(flux) = original("WEIR_FLUX", "flux")? {
        let time = least(|| flux_build(&flux, &small))?;
        figure(
            "test against flux build kustomization of each",
            "ms",
            milliseconds(cold),
            Some((PEER, milliseconds(time))),
            Some(10.0),
        );
    }
    let large = inputs::write(&folder.path().join("large"), 3332, 2)?;
    let _ = fs::remove_dir_all(&cache);
    let run = watched(&weir("build", &large, &cache)?)?;
    figure(
        "build: 5,000 units, cold",
        "s",
        run.time.as_secs_f64(),
        None,
        Some(30.0),
    );
    figure(
        "build: 5,000 units, resident memory",
        "MiB",
        run.resident,
        None,
        Some(1024.0),
    );
    let again = watched(&weir("build", &large, &cache)?)?;
    ensure!(
        run.output == again.output,
        "what was kept gives other objects than what is rendered"
    );
    figure(
        "build: 5,000 units, anonymous memory",
        "MiB",
        run.anonymous,
        None,
        None,
    );
    figure(
        "build: 5,000 units, unchanged",
        "s",
        again.time.as_secs_f64(),
        None,
        None,
    );
    Ok(())
}

/// A command over a repository, with a cache of its own.
fn weir(command: &str, repository: &Repository, cache: &Path) -> Result<Vec<String>> {
    let program = process::weir()?;
    let words = [
        "env".to_owned(),
        format!("WEIR_CACHE={}", cache.display()),
        program.display().to_string(),
        command.to_owned(),
        repository.root.display().to_string(),
        "--offline".to_owned(),
    ];
    Ok(words.to_vec())
}

fn flux_build(flux: &Path, repository: &Repository) -> Result<Duration> {
    let mut whole = Duration::ZERO;
    for one in &repository.kustomizations {
        let words = [
            flux.display().to_string(),
            "build".to_owned(),
            "kustomization".to_owned(),
            one.name.clone(),
            "--dry-run".to_owned(),
            "--path".to_owned(),
            one.path.display().to_string(),
            "--kustomization-file".to_owned(),
            one.file.display().to_string(),
        ];
        whole += timed(&words)?;
    }
    Ok(whole)
}

fn least(mut take: impl FnMut() -> Result<Duration>) -> Result<Duration> {
    let mut least = Duration::MAX;
    for _ in 0..RUNS {
        least = least.min(take()?);
    }
    Ok(least)
}
