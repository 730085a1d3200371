//! A whole command's worth of walking: plugins are loaded once, and any number of trees are walked with one memo.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use weir_api::helm::HelmRelease;
use weir_api::kustomize::Kustomization;
use weir_plugin::{Host, HostConfig};
use weir_render::{
    Capabilities, Encrypted, LowerOptions, Registered, Renderer, SourceTree, WithoutKey,
    lower_helm_release, lower_kustomization,
};

use crate::cli::RenderArgs;
use crate::cluster::Live;
use crate::folder_world::FolderWorld;
use crate::remote::{self, Remotes};
use crate::repository::entry::{self, Entry};
use crate::repository::kept::KeptRuns;
use crate::repository::snapshot::Snapshot;
use crate::repository::unit::{Failure, Made, Outcome, SourceName, Unit};
use crate::repository::values::Values;
use crate::repository::walk::{Walk, Walked, unpack};
use crate::{repository, snippet};

/// All units of a repository fit, so that a second turn renders only what changed.
const MEMO: usize = 512 << 20;

/// What stays the same from one tree to the next.
pub(crate) struct Visit<'a> {
    args: &'a RenderArgs,
    values: Values,
    renderer: Renderer,
    /// What earlier commands rendered; absent where there is no place for it.
    kept: Option<Arc<KeptRuns>>,
    plugins: HashMap<String, Registered>,
    /// The cluster that may be looked into.
    pub(crate) live: Option<Arc<Live>>,
}

/// One tree that was walked.
pub(crate) struct Visited {
    pub(crate) folder: FolderWorld,
    pub(crate) entry: Entry,
    pub(crate) walked: Walked,
}

impl<'a> Visit<'a> {
    /// Of the repository in a folder.
    pub(crate) fn new(args: &'a RenderArgs, root: &Path) -> anyhow::Result<Self> {
        let mut values = Values::default();
        for file in &args.substitute_from {
            values.give(file)?;
        }
        let live = Live::connect(&args.live)?;
        if let Some(live) = &live {
            values.ask(live.clone());
        }
        let host = Arc::new(Host::new(HostConfig::default())?);
        let mut plugins = weir_render::builtin::load(&host)?;
        if let Some(helm) = plugins.get_mut("helm") {
            // Who runs the command may see all of the repository, and of a cluster what their own login may.
            let mut grants = (*helm.grants).clone();
            grants.objects = vec!["*".to_owned()];
            helm.grants = Arc::new(grants);
        }
        let mut renderer = Renderer::new(host, MEMO)
            .map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
        let kept = remote::cache().ok();
        let kept = kept.map(|cache| Arc::new(KeptRuns::open(&cache, root)));
        if let Some(kept) = &kept {
            renderer = renderer.with_shelf(Arc::<KeptRuns>::clone(kept));
        }
        Ok(Self {
            args,
            values,
            renderer,
            kept,
            plugins,
            live,
        })
    }

    /// Walks a folder as it is now.
    pub(crate) fn folder(&self, root: &Path) -> anyhow::Result<Visited> {
        self.walk(repository::source_of(root)?)
    }

    /// Walks a tree.
    pub(crate) fn walk(&self, source: SourceTree) -> anyhow::Result<Visited> {
        let args = self.args;
        let folder = FolderWorld::with_remotes(
            source,
            self.plugins.clone(),
            Remotes::offline(args.offline),
            &args.kube_version,
        );
        let source = args.source.clone();
        let entry = match &args.path {
            Some(path) => entry::at(path, source.unwrap_or_else(default_source))?,
            None => entry::find(&**folder.tree(), source.as_ref())?,
        };
        let walked = self.render(&folder, &entry, self.encrypted(), self.values.clone());
        if let Some(kept) = &self.kept {
            kept.write();
        }
        Ok(Visited {
            folder,
            entry,
            walked,
        })
    }

    /// Walks the same tree once more as somebody who knows no secret: nothing is decrypted, and the values of Secrets are
    /// placeholders. What comes of it can be shown to anybody.
    pub(crate) fn without_secrets(&self, visited: &Visited) -> Walked {
        self.render(
            &visited.folder,
            &visited.entry,
            Encrypted::Keep,
            self.values.clone().without_secrets(),
        )
    }

    /// What a unit would make if its object were another one; `None` if it could not be rendered.
    pub(crate) fn made_by(&self, visited: &Visited, object: Value) -> Option<Vec<Made>> {
        let world = visited.folder.knowing(Snapshot {
            source: visited.entry.source.clone(),
            values: visited.walked.values.clone(),
            sources: visited.walked.sources.clone(),
            holdings: visited.walked.holdings.clone(),
        });
        let kind = object.get("kind").and_then(Value::as_str)?;
        let recipe = if kind == "HelmRelease" {
            let release: HelmRelease = serde_json::from_value(object).ok()?;
            let version = self.args.kube_version.clone();
            lower_helm_release(&release, &Capabilities::Version(version)).ok()?
        } else {
            let object: Kustomization = serde_json::from_value(object).ok()?;
            lower_kustomization(&object, &self.options(self.encrypted())).ok()?
        };
        let cancel = CancellationToken::new();
        let rendered = self.renderer.render(&recipe, &world, &cancel).ok()?;
        unpack(&rendered).ok()
    }

    fn encrypted(&self) -> Encrypted {
        if self.args.no_decrypt {
            Encrypted::Keep
        } else {
            Encrypted::Decrypt {
                without_key: WithoutKey::Placeholders,
            }
        }
    }

    fn options(&self, encrypted: Encrypted) -> LowerOptions {
        LowerOptions {
            strict_substitution: self.args.strict_substitute,
            encrypted,
        }
    }

    fn render(
        &self,
        folder: &FolderWorld,
        entry: &Entry,
        encrypted: Encrypted,
        values: Values,
    ) -> Walked {
        let args = self.args;
        let spinner = spinner();
        let progress = |done: usize, total: usize| {
            if let Some(spinner) = &spinner {
                spinner.set_message(format!("{done} of {total} units rendered"));
            }
        };
        let walk = Walk {
            renderer: &self.renderer,
            folder,
            options: self.options(encrypted),
            capabilities: Capabilities::Version(args.kube_version.clone()),
            releases: !args.no_releases,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            progress: &progress,
        };
        let walked = walk.run(entry, values);
        if let Some(spinner) = &spinner {
            spinner.finish_and_clear();
        }
        walked
    }
}

impl Visited {
    /// Whether secret bytes went into objects.
    pub(crate) fn tainted(&self) -> bool {
        self.walked.units.iter().any(|unit| unit.tainted)
    }

    /// Prints what failed, and what stands in for what could not be decrypted.
    pub(crate) fn report(&self) {
        let read = |path: &str| self.folder.text(path);
        for unit in &self.walked.units {
            if let Outcome::Failed(failure) = &unit.outcome {
                report(unit, failure, &read);
            }
        }
        let findings = self.walked.units.iter().flat_map(|unit| &unit.findings);
        let placeholders: Vec<_> = findings
            .filter(|finding| finding.code == PLACEHOLDERS)
            .collect();
        if let Some(first) = placeholders.first() {
            let others = match placeholders.len() {
                1 => String::new(),
                number => format!(" (and {} more)", number - 1),
            };
            anstream::eprintln!("warning: {}{others}", first.message);
        }
        for note in &self.walked.notes {
            anstream::eprintln!("note: {note}");
        }
    }
}

/// The code of findings about placeholders, from the plugin that decrypts.
pub(crate) const PLACEHOLDERS: &str = "sops-placeholders";

/// A finding with a place says all that the message says, and shows the line.
fn report(unit: &Unit, failure: &Failure, read: snippet::Reader<'_>) {
    let from = unit
        .parent
        .as_ref()
        .map(|parent| format!(", which comes out of {parent},"))
        .unwrap_or_default();
    let mut placed = failure
        .findings
        .iter()
        .filter(|finding| finding.at.is_some())
        .peekable();
    if placed.peek().is_none() {
        anstream::eprintln!(
            "error: {}{from} cannot be built: {}",
            unit.id,
            failure.message
        );
    } else {
        anstream::eprintln!("error: {}{from} cannot be built", unit.id);
        placed.for_each(|finding| snippet::print_finding(finding, read));
    }
}

fn default_source() -> SourceName {
    SourceName {
        kind: "GitRepository".to_owned(),
        name: "flux-system".to_owned(),
    }
}

fn spinner() -> Option<ProgressBar> {
    std::io::stderr().is_terminal().then(|| {
        let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner());
        let spinner = ProgressBar::new_spinner().with_style(style);
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner
    })
}
