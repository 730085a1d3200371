//! `cargo xtask tools`: builds the pinned originals into a cache outside the checkout.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::pinned::{Origin, TOOLS, Tool, cache, in_ci, ldflags};

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
        if chosen && !(wanted.is_empty() && left_out(tool)?) {
            ensure_built(tool).with_context(|| format!("building {}", tool.name))?;
        }
    }
    Ok(())
}

/// Whether a tool that nobody named is not there and stays so. Not everybody has npm, and few suites need what it builds; in CI
/// it has to be there.
#[expect(clippy::print_stderr, reason = "what is left out must be seen")]
fn left_out(tool: &Tool) -> Result<bool> {
    match tool.origin {
        Origin::Go { .. } => return Ok(false),
        Origin::Npm { .. } => {}
    }
    if in_ci() || tool.built()?.exists() {
        return Ok(false);
    }
    let asked = Command::new("npm")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    // What else is wrong the build says.
    let missing = asked.is_err_and(|error| error.kind() == ErrorKind::NotFound);
    if missing {
        eprintln!(
            "SKIPPED: there is no npm to build {} with; install nodejs and npm",
            tool.name
        );
    }
    Ok(missing)
}

#[expect(clippy::print_stdout, reason = "a command that tells what it does")]
fn ensure_built(tool: &Tool) -> Result<()> {
    let built = tool.built()?;
    if built.exists() {
        println!("{:<15} {}", tool.name, built.display());
        return Ok(());
    }
    let cache = cache()?;
    fs::create_dir_all(&cache).with_context(|| format!("making {}", cache.display()))?;
    let lock = cache.join(format!("{}.lock", tool.name));
    let lock = File::create(&lock).with_context(|| format!("making {}", lock.display()))?;
    lock.lock().context("waiting for another build of it")?;
    if !built.exists() {
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

/// Builds beside the final place and renames, so that what is under the final name is always whole.
fn build(tool: &Tool, built: &Path) -> Result<()> {
    let unfinished = built.with_extension("unfinished");
    match tool.origin {
        Origin::Go { package, variables } => build_go(tool, package, variables, &unfinished)?,
        Origin::Npm { .. } => install_npm(tool, &unfinished)?,
    }
    fs::rename(&unfinished, built).with_context(|| format!("renaming {}", unfinished.display()))
}

fn build_go(tool: &Tool, package: &str, variables: &[&str], to: &Path) -> Result<()> {
    let status = Command::new("go")
        .current_dir(tool.folder())
        .args([
            "build",
            "-mod=readonly",
            "-trimpath",
            "-buildvcs=false",
            "-ldflags",
            &ldflags(variables),
            "-o",
        ])
        .arg(to)
        .arg(package)
        .env("GOWORK", "off")
        .status()
        .context("starting `go build`; the test tools need a Go toolchain")?;
    ensure!(status.success(), "`go build {package}` ended with {status}");
    Ok(())
}

/// Installs exactly what the lock file has, into a folder beside copies of the files that pin it.
fn install_npm(tool: &Tool, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to).with_context(|| format!("removing {}", to.display()))?;
    }
    fs::create_dir(to).with_context(|| format!("making {}", to.display()))?;
    for file in tool.origin.pins() {
        let from = tool.folder().join(file);
        fs::copy(&from, to.join(file)).with_context(|| format!("copying {}", from.display()))?;
    }
    let status = Command::new("npm")
        .current_dir(to)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .status()
        .context("starting `npm ci`; install nodejs and npm")?;
    ensure!(
        status.success(),
        "`npm ci` for {} ended with {status}",
        tool.name
    );
    Ok(())
}
