//! Trees from elsewhere for commands that run on a folder: remote bases, charts, and the sources that are objects of a
//! repository. Nothing is started before the first one is asked for, and each is what it was at first for as long as the
//! command runs.

mod pins;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use weir_controller::Machine;
use weir_plugin::Refusal;
use weir_plugin::ask::Budget;
use weir_render::SourceTree;
use weir_source::oci::{OciReference, Registry};
use weir_source::store::Store;
use weir_source::{
    ClientSpec, DefaultProxy, GitFetcher, GitOptions, GitReference, GitSpec, HttpFactory,
    HttpOptions, RemoteFetcher, RemoteOptions, RemoteTree,
};
use weir_tree::{
    ArchiveLimits, EntryKind, IgnoreRules, Subtree, TarTree, Tree, TreePath, ignored, without_links,
};

use pins::Pins;

/// How long one fetch may take where nobody says how long.
const LIMIT: Duration = Duration::from_secs(60);
/// The most bytes of a layer.
const LARGEST_LAYER: u64 = 256 << 20;
/// What a chart's archive is called in a manifest.
const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// Fetches trees.
#[derive(Debug, Default)]
pub(crate) struct Remotes {
    /// Only what earlier runs kept is used.
    pub(crate) offline: bool,
    fetchers: OnceLock<Result<Fetchers, String>>,
    pins: OnceLock<Option<Pins>>,
    known: Mutex<HashMap<String, Arc<Slot>>>,
}

/// One tree, fetched once.
type Slot = OnceLock<Result<SourceTree, Refusal>>;

#[derive(Debug)]
struct Fetchers {
    runtime: Runtime,
    git: GitFetcher,
    http: HttpFactory,
    remote: RemoteFetcher,
    /// For registries without TLS.
    plain: RemoteFetcher,
}

/// An artifact in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OciSpec {
    /// Without `oci://`.
    pub(crate) place: String,
    pub(crate) wanted: OciWanted,
    /// The media type of the layer; the first one if none is named.
    pub(crate) layer: Option<String>,
    pub(crate) ignore: Option<String>,
    pub(crate) insecure: bool,
}

/// Which version of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OciWanted {
    Digest(String),
    Range(String),
    Tag(String),
}

/// How a fetch is remembered.
struct Key {
    text: String,
    /// It names one content for ever, so that what was fetched once need not be asked for again.
    fixed: bool,
}

impl Remotes {
    pub(crate) fn offline(offline: bool) -> Self {
        Self {
            offline,
            ..Self::default()
        }
    }

    /// What key services are asked through.
    pub(crate) fn machine(&self) -> Result<Machine, String> {
        let runtime = self.fetchers()?.runtime.handle().clone();
        Ok(Machine::new(runtime).offline(self.offline))
    }

    fn fetchers(&self) -> Result<&Fetchers, String> {
        let started = self
            .fetchers
            .get_or_init(|| start().map_err(|error| format!("{error:#}")));
        started.as_ref().map_err(Clone::clone)
    }

    pub(crate) fn open(&self, url: &str, budget: &Budget) -> Result<SourceTree, Refusal> {
        let key = Key {
            text: format!("url {url}"),
            fixed: false,
        };
        let limit = budget
            .deadline
            .saturating_duration_since(std::time::Instant::now());
        self.get(&key, url, limit, async |fetchers, cancel| {
            let tree = fetchers.remote.open(url, cancel).await?;
            Ok(source_tree(tree))
        })
    }

    pub(crate) fn chart(
        &self,
        repository: &str,
        name: &str,
        version: &str,
        budget: &Budget,
    ) -> Result<SourceTree, Refusal> {
        let limit = budget
            .deadline
            .saturating_duration_since(std::time::Instant::now());
        self.chart_within(repository, name, version, false, limit)
    }

    /// A chart of a repository that is an object.
    pub(crate) fn chart_of(
        &self,
        repository: &str,
        name: &str,
        version: &str,
        insecure: bool,
    ) -> Result<SourceTree, Refusal> {
        self.chart_within(repository, name, version, insecure, LIMIT)
    }

    fn chart_within(
        &self,
        repository: &str,
        name: &str,
        version: &str,
        insecure: bool,
        limit: Duration,
    ) -> Result<SourceTree, Refusal> {
        let key = Key {
            text: format!("chart {repository} {name} {version}"),
            fixed: weir_chart::version::Version::parse(version).is_ok(),
        };
        let shown = format!("the chart {name} of {repository}");
        self.get(&key, &shown, limit, async |fetchers, cancel| {
            let fetcher = if insecure {
                &fetchers.plain
            } else {
                &fetchers.remote
            };
            let tree = fetcher.chart(repository, name, version, cancel).await?;
            Ok(source_tree(tree))
        })
    }

    /// A commit of a Git repository, as Flux's artifact has it.
    pub(crate) fn git(
        &self,
        url: &str,
        reference: &GitReference,
        ignore: Option<&str>,
    ) -> Result<SourceTree, Refusal> {
        let key = Key {
            text: format!("git {url} {reference:?} {ignore:?}"),
            fixed: reference.commit.is_some(),
        };
        self.get(&key, url, LIMIT, async |fetchers, cancel| {
            let spec = GitSpec {
                reference: reference.clone(),
                ignore: ignore.map(str::to_owned),
                ..GitSpec::new(url)
            };
            let fetched = fetchers.git.fetch(&spec, None, cancel).await?;
            Ok(SourceTree {
                tree: fetched.tree,
                revision: fetched.revision,
                time: u64::try_from(fetched.commit.committer.time).unwrap_or_default(),
            })
        })
    }

    /// The content of an artifact's layer, as Flux's artifact has it.
    pub(crate) fn oci(&self, spec: &OciSpec) -> Result<SourceTree, Refusal> {
        let key = Key {
            text: format!("oci {spec:?}"),
            fixed: matches!(spec.wanted, OciWanted::Digest(_)),
        };
        let shown = format!("oci://{}", spec.place);
        self.get(&key, &shown, LIMIT, async |fetchers, _| {
            artifact(fetchers, spec).await
        })
    }

    /// A tree that is made of others, made once.
    pub(crate) fn once(
        &self,
        key: String,
        make: impl FnOnce() -> Result<SourceTree, Refusal>,
    ) -> Result<SourceTree, Refusal> {
        self.slot(key).get_or_init(make).clone()
    }

    fn slot(&self, key: String) -> Arc<Slot> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(key).or_default())
    }

    /// What is known of a key, else what is fetched now; of several who ask at once one fetches.
    fn get(
        &self,
        key: &Key,
        shown: &str,
        limit: Duration,
        fetch: impl AsyncFnOnce(&Fetchers, &CancellationToken) -> anyhow::Result<SourceTree>,
    ) -> Result<SourceTree, Refusal> {
        self.slot(key.text.clone())
            .get_or_init(|| self.find(key, shown, limit, fetch))
            .clone()
    }

    fn find(
        &self,
        key: &Key,
        shown: &str,
        limit: Duration,
        fetch: impl AsyncFnOnce(&Fetchers, &CancellationToken) -> anyhow::Result<SourceTree>,
    ) -> Result<SourceTree, Refusal> {
        let pins = self
            .pins
            .get_or_init(|| Some(Pins::at(cache().ok()?.join("pins"), store().ok()?)));
        let kept = || pins.as_ref().and_then(|pins| pins.load(&key.text));
        if (self.offline || key.fixed)
            && let Some(kept) = kept()
        {
            return Ok(kept);
        }
        if self.offline {
            return Err(Refusal::Invalid(format!(
                "{shown} was not fetched before, and --offline fetches nothing"
            )));
        }
        let fetchers = self.fetchers().map_err(Refusal::Unavailable)?;
        let cancel = CancellationToken::new();
        let fetched = fetchers
            .runtime
            .block_on(async { tokio::time::timeout(limit, fetch(fetchers, &cancel)).await });
        let tree = fetched
            .map_err(|_| {
                Refusal::Unavailable(format!(
                    "fetching {shown} took longer than {} s",
                    limit.as_secs()
                ))
            })?
            .map_err(|error| Refusal::Unavailable(format!("{error:#}")))?;
        if let Some(pins) = pins {
            pins.save(&key.text, &tree);
        }
        Ok(tree)
    }
}

fn source_tree(fetched: RemoteTree) -> SourceTree {
    SourceTree {
        tree: fetched.tree,
        revision: fetched.revision,
        time: fetched.time,
    }
}

async fn artifact(fetchers: &Fetchers, spec: &OciSpec) -> anyhow::Result<SourceTree> {
    let place = OciReference::parse(&spec.place)
        .with_context(|| format!("reading the address oci://{}", spec.place))?;
    let client = fetchers.http.client(&ClientSpec::default())?;
    let registry = Registry::new(client, &place, spec.insecure);
    let shown = || format!("reading oci://{}", spec.place);
    let tag = match &spec.wanted {
        OciWanted::Digest(reference) | OciWanted::Tag(reference) => reference.clone(),
        OciWanted::Range(range) => {
            let version = registry.chart_version(range).await.with_context(shown)?;
            version.replace('+', "_")
        }
    };
    let manifest = registry.manifest(&tag).await.with_context(shown)?;
    let layer = manifest
        .layers
        .iter()
        .find(|layer| {
            spec.layer
                .as_ref()
                .is_none_or(|wanted| *wanted == layer.media_type)
        })
        .with_context(|| {
            format!(
                "oci://{} has no layer of the type {}",
                spec.place,
                spec.layer.as_deref().unwrap_or("that is wanted")
            )
        })?;
    let content = registry
        .blob(layer, LARGEST_LAYER)
        .await
        .with_context(shown)?;
    let tree = TarTree::read_from(&*content, ArchiveLimits::default()).with_context(shown)?;
    let tree: Arc<dyn Tree> = if layer.media_type == CHART_LAYER {
        only_folder(Arc::new(tree))?
    } else {
        let tree = without_links(tree);
        let rules = IgnoreRules::load(&tree, spec.ignore.as_deref())?;
        only_folder(Arc::new(ignored(tree, rules)))?
    };
    let digest = &manifest.digest;
    let revision = match &spec.wanted {
        OciWanted::Digest(digest) => digest.clone(),
        OciWanted::Tag(_) | OciWanted::Range(_) => format!("{tag}@{digest}"),
    };
    Ok(SourceTree {
        tree,
        revision,
        time: 0,
    })
}

/// The chart's folder, if the archive holds a chart as `helm package` makes one.
fn only_folder(tree: Arc<dyn Tree>) -> anyhow::Result<Arc<dyn Tree>> {
    let entries = tree.entries(&TreePath::root())?.unwrap_or_default();
    let [only] = entries.as_slice() else {
        return Ok(tree);
    };
    let path = TreePath::parse(&only.name)?;
    let chart = path.join("Chart.yaml")?;
    if only.kind != EntryKind::Directory || tree.stat(&chart)?.is_none() {
        return Ok(tree);
    }
    let folder = Subtree::new(Arc::clone(&tree), path)?;
    Ok(folder.map_or(tree, |folder| Arc::new(folder)))
}

fn start() -> anyhow::Result<Fetchers> {
    // Another part of the program may have chosen the same one before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let http = HttpFactory::new(HttpOptions {
        proxy: DefaultProxy::Environment,
        ..HttpOptions::default()
    });
    let git = GitFetcher::new(GitOptions::new(cache()?.join("git")), http.clone());
    let store = store()?;
    let fetcher = |plain_registries| {
        let options = RemoteOptions {
            plain_registries,
            ..RemoteOptions::default()
        };
        RemoteFetcher::new(git.clone(), http.clone(), options).with_store(store.clone())
    };
    Ok(Fetchers {
        remote: fetcher(false),
        plain: fetcher(true),
        runtime,
        git,
        http,
    })
}

/// The store, which the controller has too.
fn store() -> anyhow::Result<Arc<Store>> {
    Ok(Arc::new(Store::in_cache(&cache()?)?))
}

/// The folder for what is fetched.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|folder| !folder.is_empty());
    if let Some(folder) = variable("WEIR_CACHE") {
        return Ok(folder.into());
    }
    let base = variable("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".cache")));
    Ok(base
        .context("there is no HOME and no XDG_CACHE_HOME to keep what is fetched in")?
        .join("weir"))
}
