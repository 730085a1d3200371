//! `weir kustomize build`: what kustomize prints, made by the built-in plugin.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use weir_api::kustomize::CommonMetadata;
use weir_plugin::{Document, Host, HostConfig, Role};
use weir_render::{Recipe, RenderError, Renderer, Step, UnitId};

use crate::cli::{BuildArgs, Profile};
use crate::folder_world::FolderWorld;
use crate::{output, snippet};

const MEMO: usize = 1 << 20;
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
    let directory = std::fs::canonicalize(&args.directory)
        .with_context(|| format!("opening the folder {}", args.directory.display()))?;
    let host = Arc::new(Host::new(HostConfig::default())?);
    let plugins = weir_render::builtin::load(&host)?;
    // Bases may stand beside the folder, so that the tree is the whole file system, read lazily.
    let world = FolderWorld::open(Path::new("/"), plugins)?;
    let path = directory.strip_prefix("/").unwrap_or(&directory).to_str();
    let path = path.with_context(|| format!("the path {} is not UTF-8", directory.display()))?;
    let recipe = Recipe {
        unit: UnitId::new("Command", "", "kustomize-build"),
        source: FolderWorld::source_id(),
        steps: vec![Step {
            name: "kustomize".to_owned(),
            plugin: "kustomize".to_owned(),
            role: Some(Role::Generator),
            config: config(args, path, restricted),
            trees: BTreeMap::new(),
            inputs: BTreeMap::new(),
            filters: Vec::new(),
        }],
        common: CommonMetadata::default(),
        tainted: false,
    };
    let read = |path: &str| world.text(path);
    let renderer =
        Renderer::new(host, MEMO).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    let rendered = match renderer.render(&recipe, &world, &CancellationToken::new()) {
        Ok(rendered) => rendered,
        Err(RenderError::Call {
            source,
            diagnostics,
            ..
        }) => {
            diagnostics
                .iter()
                .for_each(|finding| snippet::print_finding(finding, &read));
            return Err(source.into());
        }
        Err(error) => return Err(error.into()),
    };
    for finding in rendered.steps.iter().flat_map(|step| &step.diagnostics) {
        snippet::print_finding(finding, &read);
    }
    let stream = rendered
        .bundle
        .attachments
        .iter()
        .find(|(name, _)| name == STREAM);
    let (_, stream) = stream.context("the kustomize plugin attached no text")?;
    let stream = std::str::from_utf8(stream)
        .context("the kustomize plugin attached a text that is not UTF-8")?;
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
        "loadRestrictions": restricted,
        "enableHelm": args.enable_helm,
        "enablePlugins": args.enable_alpha_plugins,
        "managedByLabel": args.enable_managedby_label,
    })
}
