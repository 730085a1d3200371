//! The checkout: where it is, how cargo is run in it, and the crates that are no members of the workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Folders of crates for WebAssembly. Each crate has a lock file of its own, for it is built by a nested cargo.
const GUESTS: &[&str] = &["plugins", "examples/plugins", "tests/guests"];

/// The top of the checkout.
pub(crate) fn top() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top().join("target"), PathBuf::from)
}

/// Cargo, at the top of the checkout.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(top()).args(args);
    command
}

/// Runs a program and fails if it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    anstream::eprintln!("+ {command:?}");
    let status = command
        .status()
        .with_context(|| format!("starting {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// The manifests of the guests, relative to the top, in order.
pub(crate) fn guests() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for folder in GUESTS {
        let entries =
            fs::read_dir(top().join(folder)).with_context(|| format!("reading {folder}"))?;
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let manifest = format!("{folder}/{name}/Cargo.toml");
            let text = match fs::read_to_string(top().join(&manifest)) {
                Ok(text) => text,
                Err(_) => continue,
            };
            if text.lines().any(|line| line.trim() == "[workspace]") {
                found.push(manifest);
            }
        }
    }
    found.sort();
    Ok(found)
}
