//! `cargo xtask ci`: cheap checks first.

use anyhow::Result;

use crate::suites::{cargo, run};

pub(crate) fn ci() -> Result<()> {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    for guest in GUESTS {
        run(cargo(&["fmt", "--check", "--manifest-path"]).arg(format!("{guest}/Cargo.toml")))?;
    }
    crate::tools::run(&[])?;
    run(&mut cargo(&["test", "--workspace", "--lib", "--bins"]))?;
    run(&mut cargo(&[
        "test",
        "-p",
        "weir-k8s-yaml",
        "-p",
        "weir-tree",
        "--test",
        "it",
    ]))
}

/// Crates with a lock file of their own.
pub(crate) const GUESTS: &[&str] = &["plugins/kustomize", "examples/plugins/require-limits"];
