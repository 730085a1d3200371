//! Flux's own custom resource definitions, from the Go modules of its controllers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

/// The modules, a line each: path, version, sum of the module's zip as in a `go.sum`.
const PINS: &str = include_str!("../../../tests/tools/flux-crds.txt");

/// Every `CustomResourceDefinition` of Flux's source, kustomize, helm and notification controllers, in the pinned
/// versions. Read from the Go module cache, into which `go mod download` puts them first. `None` if there is no Go
/// toolchain (an error with `CI=true`).
pub fn flux_crds() -> Result<Option<&'static [Value]>> {
    static CRDS: OnceLock<Result<Option<Vec<Value>>, String>> = OnceLock::new();
    let crds = CRDS.get_or_init(|| read_all().map_err(|error| format!("{error:#}")));
    match crds {
        Ok(crds) => Ok(crds.as_deref()),
        Err(error) => bail!("reading Flux's CRDs: {error}"),
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn read_all() -> Result<Option<Vec<Value>>> {
    if Command::new("go").arg("version").output().is_err() && !crate::tools::in_ci() {
        eprintln!("SKIPPED: Flux's CRDs need a Go toolchain");
        return Ok(None);
    }
    let mut crds = Vec::new();
    for line in PINS
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
    {
        let [module, version, sum] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            bail!("tests/tools/flux-crds.txt: expected MODULE VERSION SUM, found {line:?}");
        };
        let folder =
            download(module, version, sum).with_context(|| format!("{module}@{version}"))?;
        read_folder(&folder.join("config/crd/bases"), &mut crds)?;
    }
    Ok(Some(crds))
}

/// The module's folder in the module cache.
fn download(module: &str, version: &str, sum: &str) -> Result<PathBuf> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Download {
        dir: Option<PathBuf>,
        sum: Option<String>,
        error: Option<String>,
    }
    let output = Command::new("go")
        .args(["mod", "download", "-json", &format!("{module}@{version}")])
        .env("GOWORK", "off")
        .output()
        .context("running `go mod download`")?;
    let answer: Download = serde_json::from_slice(&output.stdout).with_context(|| {
        format!(
            "`go mod download` said {}",
            String::from_utf8_lossy(&output.stderr)
        )
    })?;
    if let Some(error) = answer.error {
        bail!("{error}");
    }
    let found = answer.sum.unwrap_or_default();
    ensure!(found == sum, "its sum is {found}, and {sum} is pinned");
    answer.dir.context("`go mod download` named no folder")
}

fn read_folder(folder: &Path, crds: &mut Vec<Value>) -> Result<()> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.sort();
    for file in files {
        let text =
            fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let crd =
            serde_yaml::from_str(&text).with_context(|| format!("parsing {}", file.display()))?;
        crds.push(crd);
    }
    Ok(())
}
