//! `cargo xtask ci`: what has to pass before a change lands, cheap checks first.

use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::pinned::in_ci;
use crate::workspace::{cargo, guests, run, top};
use crate::{generate, suites, tools};

/// A check with a name of its own.
struct Stage {
    name: &'static str,
    check: fn() -> Result<()>,
}

const STAGES: &[Stage] = &[
    Stage {
        name: "fmt",
        check: fmt,
    },
    Stage {
        name: "clippy",
        check: clippy,
    },
    Stage {
        name: "deny",
        check: deny,
    },
    Stage {
        name: "tools",
        check: || tools::run(&[]),
    },
    // The schemas come out of the pinned API server.
    Stage {
        name: "gen",
        check: generate::check,
    },
    Stage {
        name: "test",
        check: || suites::test(&[]),
    },
];

/// The stages' names, for people.
pub(crate) fn names() -> String {
    let names: Vec<&str> = STAGES.iter().map(|stage| stage.name).collect();
    names.join(", ")
}

/// Runs the named stages, or all; the first that fails is the last.
pub(crate) fn ci(wanted: &[&str]) -> Result<()> {
    if let Some(unknown) = wanted
        .iter()
        .find(|name| !STAGES.iter().any(|stage| stage.name == **name))
    {
        bail!("there is no stage named {unknown:?}; there are {}", names());
    }
    let chosen = |stage: &&Stage| wanted.is_empty() || wanted.contains(&stage.name);
    for stage in STAGES.iter().filter(chosen) {
        let start = Instant::now();
        anstream::eprintln!("== {}", stage.name);
        (stage.check)().with_context(|| format!("stage {}", stage.name))?;
        anstream::eprintln!("== {}: {:.0} s", stage.name, start.elapsed().as_secs_f64());
    }
    Ok(())
}

fn fmt() -> Result<()> {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    for manifest in guests()? {
        run(cargo(&["fmt", "--check", "--manifest-path"]).arg(manifest))?;
    }
    Ok(())
}

fn clippy() -> Result<()> {
    run(&mut cargo(&[
        "clippy",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

/// Bans, licences and sources of everything that is linked into the host or into a guest.
fn deny() -> Result<()> {
    let found = cargo(&["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !found {
        if in_ci() {
            bail!("cargo-deny is not installed; run `cargo install cargo-deny --locked`");
        }
        anstream::eprintln!(
            "SKIPPED: cargo-deny is not installed; run `cargo install cargo-deny --locked`"
        );
        return Ok(());
    }
    let mut manifests = guests()?;
    manifests.insert(0, "Cargo.toml".to_owned());
    for manifest in manifests {
        run(cargo(&["deny", "--manifest-path", &manifest, "--config"])
            .arg(top().join("deny.toml"))
            .args([
                "check",
                "--hide-inclusion-graph",
                "bans",
                "licenses",
                "sources",
            ]))?;
    }
    Ok(())
}
