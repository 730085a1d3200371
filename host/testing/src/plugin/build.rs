//! Builds guest crates with a cargo of their own.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, anyhow, bail};

/// What guests are built for.
pub const TARGET: &str = "wasm32-wasip2";

/// The component that the crate in `folder` builds. Each crate is built once for a process; what did not change is not
/// compiled again.
pub fn component(folder: &Path) -> Result<PathBuf, String> {
    type Built = HashMap<PathBuf, Result<PathBuf, String>>;
    static BUILT: OnceLock<Mutex<Built>> = OnceLock::new();
    let mut built = BUILT
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let done = built.entry(folder.to_owned()).or_insert_with(|| {
        target_folder()
            .and_then(|target| component_in(folder, &target))
            .map_err(|error| format!("{error:#}"))
    });
    done.clone()
}

/// Builds the crate into the target folder `target`, and gives the path of the component.
pub fn component_in(folder: &Path, target: &Path) -> anyhow::Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "build",
            "--release",
            "--message-format=json",
            "--target",
            TARGET,
            "--manifest-path",
        ])
        .arg(folder.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", target)
        .current_dir(folder);
    // What the outer cargo was told about the host is wrong for a guest.
    for name in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
    ] {
        command.env_remove(name);
    }
    let output = command.output().context("starting cargo")?;
    if !output.status.success() {
        bail!(
            "cargo build failed:\n{}",
            messages(&output.stdout, &output.stderr)
        );
    }
    let file = String::from_utf8_lossy(&output.stdout)
        .lines()
        .rev()
        .find_map(artifact);
    file.ok_or_else(|| anyhow!("the crate makes no .wasm file; it needs crate-type = [\"cdylib\"]"))
}

/// The folder `guests` in the target folder that this test binary stands in.
fn target_folder() -> anyhow::Result<PathBuf> {
    let binary = env::current_exe().context("finding the test binary")?;
    let profile = binary
        .ancestors()
        .find(|folder| folder.join("deps").is_dir() && folder.join(".fingerprint").is_dir());
    let target = profile
        .and_then(Path::parent)
        .context("the test binary does not stand in a target folder of cargo")?;
    Ok(target.join("guests"))
}

/// The `.wasm` file of one line of cargo's messages, if it is about one.
fn artifact(line: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    let files = message.get("filenames")?.as_array()?;
    files
        .iter()
        .filter_map(|file| file.as_str())
        .find(|file| file.ends_with(".wasm"))
        .map(PathBuf::from)
}

/// What the compiler and cargo said.
fn messages(stdout: &[u8], stderr: &[u8]) -> String {
    let rendered = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message
            .get("message")?
            .get("rendered")?
            .as_str()
            .map(str::to_owned)
    };
    let compiler: String = String::from_utf8_lossy(stdout)
        .lines()
        .filter_map(rendered)
        .collect();
    format!("{compiler}{}", String::from_utf8_lossy(stderr))
}
