//! Prints results: objects, versions, JSON.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::cli::{Objects, Report, VersionArgs};

/// Writes objects where they are wanted.
pub(crate) fn objects(objects: &[Value], to: &Objects) -> anyhow::Result<()> {
    match to {
        Objects::Yaml => text(&yaml_stream(objects)?),
        Objects::Json => text(&format!("{}\n", serde_json::to_string_pretty(objects)?)),
        Objects::Directory(folder) => directory(objects, folder),
    }
}

/// Documents with `---` between them.
fn yaml_stream(objects: &[Value]) -> anyhow::Result<String> {
    let texts: Vec<String> = objects
        .iter()
        .map(weir_k8s_yaml::to_yaml)
        .collect::<Result<_, _>>()?;
    Ok(texts.join("---\n"))
}

/// One file for each object, named as kustomize names them: `<group_version>_<kind>_<name>.yaml`.
pub(crate) fn directory(objects: &[Value], folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("making the folder {}", folder.display()))?;
    for object in objects {
        let field = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let namespace = field("/metadata/namespace");
        let prefix = if namespace.is_empty() {
            String::new()
        } else {
            format!("{namespace}_")
        };
        let name = format!(
            "{prefix}{}_{}_{}.yaml",
            field("/apiVersion"),
            field("/kind"),
            field("/metadata/name")
        );
        let name: String = name
            .chars()
            .map(|c| if c == '/' || c == ':' { '_' } else { c })
            .collect();
        let path = folder.join(name.to_lowercase());
        let text = weir_k8s_yaml::to_yaml(object)?;
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

pub(crate) fn json(value: &Value) -> anyhow::Result<()> {
    text(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Prints to standard output; a reader that went away is no error.
pub(crate) fn text(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("writing to standard output")
        }
        _ => Ok(()),
    }
}

pub(crate) fn version(args: &VersionArgs) -> anyhow::Result<ExitCode> {
    let version = env!("CARGO_PKG_VERSION");
    match args.output {
        Report::Text => text(&format!("weir {version}\n"))?,
        Report::Json => json(&json!({"version": version, "contract": "weir:plugin@0.1.0"}))?,
    }
    Ok(ExitCode::SUCCESS)
}
