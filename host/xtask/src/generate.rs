//! `cargo xtask gen`: writes what is made from the code, or says where it is stale.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail};

use crate::schema;
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
    let mut files = BTreeMap::new();
    for (name, definition) in weir_api::crd::all() {
        let text = weir_k8s_yaml::to_yaml(&definition)?;
        let text = format!("# Made by `cargo xtask gen` from host/api.\n{text}");
        files.insert(format!("deploy/crds/{name}.yaml"), text);
    }
    if let Some(table) = schema::generate()? {
        files.insert(schema::TABLE.to_owned(), table);
    }
    run(&mut cargo(&["build", "--quiet", "--package", "weir"]))?;
    let weir = target().join("debug/weir");
    let pages = tempfile::tempdir()?;
    run(std::process::Command::new(&weir)
        .arg("man")
        .arg(pages.path()))?;
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
        let output = std::process::Command::new(&weir)
            .args(["completions", shell])
            .output()?;
        if !output.status.success() {
            bail!("weir completions {shell} ended with {}", output.status);
        }
        files.insert(
            format!("deploy/completions/weir.{shell}"),
            String::from_utf8(output.stdout)?,
        );
    }
    Ok(files)
}
