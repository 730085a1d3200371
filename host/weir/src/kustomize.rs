//! `weir kustomize build`: what kustomize prints, made by the built-in plugin.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use weir_api::kustomize::CommonMetadata;
use weir_plugin::{Diagnostic, Document, Host, HostConfig, Role, Severity};
use weir_render::{Recipe, RenderError, Renderer, SourceTree, Step, UnitId};

use crate::cli::{BuildArgs, Profile};
use crate::file_system::FileSystem;
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
    let named: &[&str] = if args.enable_helm {
        &["kustomize", "helm"]
    } else {
        &["kustomize"]
    };
    let plugins = weir_render::builtin::load_named(&host, named)?;
    // Bases may stand beside the folder, so that the tree is the whole file system, read lazily.
    let source = SourceTree {
        tree: Arc::new(FileSystem::default()),
        revision: "folder".to_owned(),
        time: 0,
    };
    let world = FolderWorld::new(source, plugins);
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
    let shown = Shown::new(&world);
    let renderer =
        Renderer::new(host, MEMO).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    let rendered = match renderer.render(&recipe, &world, &CancellationToken::new()) {
        Ok(rendered) => rendered,
        Err(RenderError::Call {
            source,
            diagnostics,
            ..
        }) => {
            let told = diagnostics
                .iter()
                .any(|finding| finding.severity == Severity::Error);
            diagnostics.iter().for_each(|finding| shown.print(finding));
            // The plugin's own finding says more than the end of the call.
            return if told {
                Ok(ExitCode::FAILURE)
            } else {
                Err(source.into())
            };
        }
        Err(error) => return Err(error.into()),
    };
    for finding in rendered.steps.iter().flat_map(|step| &step.diagnostics) {
        shown.print(finding);
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

/// Findings with paths as a person at the terminal writes them: from the current folder, or from the root.
struct Shown<'w> {
    world: &'w FolderWorld,
    here: PathBuf,
}

impl<'w> Shown<'w> {
    fn new(world: &'w FolderWorld) -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        Self {
            world,
            here: std::fs::canonicalize(&here).unwrap_or(here),
        }
    }

    fn print(&self, finding: &Diagnostic) {
        let mut finding = finding.clone();
        if let Some(at) = &mut finding.at {
            let place = Path::new("/").join(&at.path);
            let place = place.strip_prefix(&self.here).unwrap_or(&place);
            at.path = place.to_string_lossy().into_owned();
        }
        snippet::print_finding(&finding, &|path| {
            let place = self.here.join(path);
            self.world.text(place.strip_prefix("/").ok()?.to_str()?)
        });
    }
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
