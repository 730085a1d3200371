//! `cargo xtask tools`: builds the pinned originals into a cache outside the checkout.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::pinned::{TOOLS, Tool, cache};

/// The tools' names, for people.
pub(crate) fn names() -> String {
    let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
    names.join(", ")
}

/// Builds the named tools, or those that tests run, if they are not built yet. Safe to run twice at once: the second
/// waits for the first.
pub(crate) fn run(wanted: &[&str]) -> Result<()> {
    if let Some(unknown) = wanted
        .iter()
        .find(|name| !TOOLS.iter().any(|tool| tool.name == **name))
    {
        bail!("no tool is called {unknown:?}; there are {}", names());
    }
    for tool in TOOLS {
        let chosen = match wanted {
            [] => tool.live,
            names => names.contains(&tool.name),
        };
        if chosen {
            ensure_built(tool).with_context(|| format!("building {}", tool.name))?;
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command that tells what it does")]
fn ensure_built(tool: &Tool) -> Result<()> {
    let built = tool.built()?;
    if built.is_file() {
        println!("{:<15} {}", tool.name, built.display());
        return Ok(());
    }
    let cache = cache()?;
    fs::create_dir_all(&cache).with_context(|| format!("making {}", cache.display()))?;
    let lock = cache.join(format!("{}.lock", tool.name));
    let lock = File::create(&lock).with_context(|| format!("making {}", lock.display()))?;
    lock.lock().context("waiting for another build of it")?;
    if !built.is_file() {
        println!(
            "{:<15} building from tests/tools/{} (once, for minutes) …",
            tool.name, tool.module
        );
        let start = Instant::now();
        build(tool, &built)?;
        println!(
            "{:<15} {} ({:.0} s)",
            tool.name,
            built.display(),
            start.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

/// Builds beside the final place and renames, so that a file under the final name is always whole.
fn build(tool: &Tool, built: &Path) -> Result<()> {
    let unfinished = built.with_extension("unfinished");
    let status = Command::new("go")
        .current_dir(tool.folder())
        .args([
            "build",
            "-mod=readonly",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            &tool.ldflags(),
            "-o",
        ])
        .arg(&unfinished)
        .arg(tool.package)
        .env("GOWORK", "off")
        .status()
        .context("starting `go build`; the test tools need a Go toolchain")?;
    ensure!(
        status.success(),
        "`go build {}` ended with {status}",
        tool.package
    );
    fs::rename(&unfinished, built).with_context(|| format!("renaming {}", unfinished.display()))
}
