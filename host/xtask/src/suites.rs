//! `cargo xtask test`: the suites carry the names of what they are about.

use std::process::Command;

use anyhow::{Result, bail};

/// Packages by suite; a package is in one suite.
const SUITES: &[(&str, &[&str])] = &[
    (
        "foundation",
        &[
            "weir-api",
            "weir-tree",
            "weir-source",
            "weir-plugin",
            "weir-render",
            "weir-cluster",
            "weir-apply",
            "weir-controller",
            "weir",
            "weir-testing",
            "weir-xtask",
            "weir-sdk",
        ],
    ),
    ("kustomize", &["weir-k8s-yaml", "weir-kustomize"]),
];

/// Tests that are marked as slow look at this variable.
const FULL: &str = "WEIR_TEST_FULL";

pub(crate) fn test(args: &[&str]) -> Result<()> {
    let full = args.contains(&"--full");
    let names: Vec<&str> = args
        .iter()
        .copied()
        .filter(|arg| *arg != "--full")
        .collect();
    let mut command = cargo(&["test"]);
    match names.as_slice() {
        [] => {
            command.arg("--workspace");
        }
        names => {
            for name in names {
                for package in packages(name)? {
                    command.args(["--package", package]);
                }
            }
        }
    }
    if full {
        command.env(FULL, "1");
    }
    crate::tools::run(&[])?;
    run(&mut command)
}

fn packages(suite: &str) -> Result<&'static [&'static str]> {
    match SUITES.iter().find(|(name, _)| *name == suite) {
        Some((_, packages)) => Ok(packages),
        None => {
            let known: Vec<&str> = SUITES.iter().map(|(name, _)| *name).collect();
            bail!(
                "there is no suite named {suite:?}; there are {}",
                known.join(", ")
            )
        }
    }
}

/// Cargo, at the top of the checkout.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .args(args);
    command
}

pub(crate) fn run(command: &mut Command) -> Result<()> {
    anstream::eprintln!("+ {command:?}");
    let status = command.status()?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}
