//! `cargo xtask gen`: writes what is made from the code, or says where it is stale.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::workspace::{cargo, run, target, top};

const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// Writes everything.
pub(crate) fn write() -> Result<()> {
    for (path, text) in everything()? {
        let path = top().join(path);
        let folder = path
            .parent()
            .context("a generated file stands in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Fails if a file is not what would be written now.
pub(crate) fn check() -> Result<()> {
    let mut stale = Vec::new();
    for (path, text) in everything()? {
        if fs::read_to_string(top().join(&path)).ok().as_deref() != Some(&text) {
            stale.push(path);
        }
    }
    if !stale.is_empty() {
        bail!(
            "stale: {}; run `cargo xtask gen` and commit what it writes",
            stale.join(", ")
        );
    }
    Ok(())
}

/// All generated files by their path from the top of the checkout.
fn everything() -> Result<BTreeMap<String, String>> {
    // As the tests are built: everything else would be compiled once more with other features.
    run(&mut cargo(&["test", "--quiet", "--workspace", "--no-run"]))?;
    let built = target().join("debug");
    let made = output(&mut Command::new(built.join("examples/generate")))?;
    let mut files: BTreeMap<String, String> =
        serde_json::from_str(&made).context("reading what was made")?;
    let weir = built.join("weir");
    let pages = tempfile::tempdir()?;
    run(Command::new(&weir).arg("man").arg(pages.path()))?;
    for entry in fs::read_dir(pages.path())? {
        let path = entry?.path();
        let name = path
            .file_name()
            .context("a page has a name")?
            .to_string_lossy()
            .into_owned();
        files.insert(format!("deploy/man/{name}"), fs::read_to_string(&path)?);
    }
    for shell in SHELLS {
        let script = output(Command::new(&weir).args(["completions", shell]))?;
        files.insert(format!("deploy/completions/weir.{shell}"), script);
    }
    Ok(files)
}

/// What a program prints.
fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("starting {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("{command:?} printed no text"))
}
