//! One call of a built-in plugin on the file system of this machine: what `weir kustomize build` and `weir helm template`
//! are.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use weir_api::kustomize::CommonMetadata;
use weir_plugin::{CallError, Diagnostic, Host, HostConfig, Role, Severity};
use weir_render::{Recipe, RenderError, Rendered, Renderer, SourceTree, Step, UnitId};

use crate::file_system::FileSystem;
use crate::folder_world::FolderWorld;
use crate::{memory, snippet};

/// What is called, and how.
pub(crate) struct Single<'a> {
    /// The command, for messages.
    pub(crate) command: &'a str,
    /// The plugin that is called, then those that it may call.
    pub(crate) plugins: &'a [&'a str],
    pub(crate) config: Value,
    /// The time that the plugin sees, in seconds since 1970.
    pub(crate) time: u64,
}

/// How the call ended.
pub(crate) enum Ended {
    Well(Rendered),
    Badly {
        error: CallError,
        /// Whether a finding that has been shown says what went wrong.
        told: bool,
    },
}

impl Single<'_> {
    /// Renders, and shows what the plugin found.
    pub(crate) fn run(self) -> anyhow::Result<Ended> {
        memory::large_pages();
        // The one call is the only one at a time, and what calls need of the engine is made ready for each that may be.
        let host = Arc::new(Host::new(HostConfig {
            concurrency: 1,
            large_pages: true,
            ..HostConfig::default()
        })?);
        let plugins = weir_render::builtin::load_named(&host, self.plugins)?;
        // What is named may stand anywhere, so that the tree is the whole file system, read lazily.
        let source = SourceTree {
            tree: Arc::new(FileSystem::default()),
            revision: "folder".to_owned(),
            time: self.time,
        };
        // The process ends next, and taking an engine and its plugins apart costs as much as loading them did.
        let world = ManuallyDrop::new(FolderWorld::new(source, plugins));
        let plugin = self.plugins.first().copied().unwrap_or_default();
        let recipe = Recipe {
            unit: UnitId::new("Command", "", self.command),
            source: FolderWorld::source_id(),
            steps: vec![Step {
                name: plugin.to_owned(),
                plugin: plugin.to_owned(),
                role: Some(Role::Generator),
                config: self.config,
                trees: BTreeMap::new(),
                inputs: BTreeMap::new(),
                filters: Vec::new(),
            }],
            common: CommonMetadata::default(),
            tainted: false,
        };
        let shown = Shown::new(&world);
        let renderer =
            Renderer::once(host).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
        let renderer = ManuallyDrop::new(renderer);
        match renderer.render(&recipe, &*world, &CancellationToken::new()) {
            Ok(rendered) => {
                let findings = rendered.steps.iter().flat_map(|step| &step.diagnostics);
                findings.for_each(|finding| shown.print(finding));
                Ok(Ended::Well(rendered))
            }
            Err(RenderError::Call {
                source,
                diagnostics,
                ..
            }) => {
                diagnostics.iter().for_each(|finding| shown.print(finding));
                let told = diagnostics
                    .iter()
                    .any(|finding| finding.severity == Severity::Error);
                Ok(Ended::Badly {
                    error: source,
                    told,
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A text that the plugin attached.
pub(crate) fn attached<'r>(rendered: &'r Rendered, name: &str) -> anyhow::Result<&'r str> {
    let found = rendered
        .bundle
        .attachments
        .iter()
        .find(|(attached, _)| attached == name);
    let (_, text) = found.with_context(|| format!("the plugin attached no {name}"))?;
    std::str::from_utf8(text)
        .with_context(|| format!("the plugin attached a {name} that is not UTF-8"))
}

/// A path of this machine as one in the tree of the whole file system.
pub(crate) fn tree_path(path: &Path) -> anyhow::Result<String> {
    let path =
        std::fs::canonicalize(path).with_context(|| format!("opening {}", path.display()))?;
    let inside = path.strip_prefix("/").unwrap_or(&path).to_str();
    let inside = inside.with_context(|| format!("the path {} is not UTF-8", path.display()))?;
    Ok(inside.to_owned())
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
