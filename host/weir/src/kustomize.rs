//! `weir kustomize build`: what kustomize prints, made by the built-in plugin.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use weir_plugin::Document;

use crate::cli::{BuildArgs, Profile};
use crate::output;
use crate::single::{Ended, Single, attached, tree_path};

/// The plugin attaches the text that kustomize prints under this name.
const STREAM: &str = "stream";

pub(crate) fn build(args: &BuildArgs) -> anyhow::Result<ExitCode> {
    let restricted = match args.load_restrictor.as_str() {
        "LoadRestrictionsRootOnly" => true,
        "LoadRestrictionsNone" => false,
        other => bail!(
            "--load-restrictor {other}: expected LoadRestrictionsRootOnly or LoadRestrictionsNone"
        ),
    };
    let named: &[&str] = if args.enable_helm {
        &["kustomize", "helm"]
    } else {
        &["kustomize"]
    };
    let path = tree_path(&args.directory)?;
    let single = Single {
        command: "kustomize-build",
        plugins: named,
        config: config(args, &path, restricted),
        time: 0,
    };
    let rendered = match single.run()? {
        Ended::Well(rendered) => rendered,
        // The plugin's own finding says more than the end of the call.
        Ended::Badly { told: true, .. } => return Ok(ExitCode::FAILURE),
        Ended::Badly { error, .. } => return Err(error.into()),
    };
    let stream = attached(&rendered, STREAM)?;
    match &args.output {
        None => output::text(stream)?,
        Some(folder) if folder.is_dir() => {
            let objects: Vec<Value> = rendered
                .bundle
                .documents
                .iter()
                .map(Document::to_value)
                .collect();
            output::directory(&objects, folder)?;
        }
        Some(file) => {
            std::fs::write(file, stream).with_context(|| format!("writing {}", file.display()))?
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn config(args: &BuildArgs, path: &str, restricted: bool) -> Value {
    json!({
        "profile": match args.profile { Profile::Cli => "cli", Profile::Flux => "flux" },
        "path": path,
        "stream": true,
        // kustomize prints what the API would refuse, such as an object without an apiVersion.
        "objects": args.output.as_ref().is_some_and(|place| place.is_dir()),
        "loadRestrictions": restricted,
        "enableHelm": args.enable_helm,
        "enablePlugins": args.enable_alpha_plugins,
        "managedByLabel": args.enable_managedby_label,
    })
}
