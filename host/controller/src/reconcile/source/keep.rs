//! What sources have fetched: the trees in memory, the artifacts in the store.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use serde_json::{Map, Value, json};
use weir_api::{condition, names::reasons};
use weir_plugin::Secrets;
use weir_render::SourceTree;
use weir_source::github::GithubTokens;
use weir_source::store::{self, Store};
use weir_source::{
    ChartIndex, Fetched, GitFetcher, HttpFactory, Layout, Packed, Validator, repack,
};

use super::Problem;
use crate::engine::{Options, RootBinding};
use crate::node::NodeId;
use crate::reconcile::{Context, Run};

/// What all reconcilers of sources use.
pub(crate) struct Sources {
    pub(crate) git: GitFetcher,
    pub(crate) http: HttpFactory,
    pub(crate) github: GithubTokens,
    pub(crate) root: Option<RootBinding>,
    store: Arc<Store>,
    /// What stands before the path in the address of an artifact; `None`: artifacts are not served.
    base: Option<String>,
    /// Bounded by the number of sources: an entry goes with its object.
    kept: Mutex<HashMap<NodeId, Kept>>,
}

/// What was found last for one source.
#[derive(Clone, Default)]
struct Kept {
    git: Option<Fetched>,
    index: Option<Arc<ChartIndex>>,
    /// Where the index is from, its revision, and what its server said.
    fetched: Option<(String, String, Validator)>,
    /// What the run that is under way has read of Secrets.
    secrets: Arc<Secrets>,
    /// What it was made from and with, and what came of it.
    made: Option<(String, SourceTree, Artifact)>,
    /// The artifact that was packed last, and what it consists of.
    packed: Option<(store::Artifact, Arc<Layout>)>,
}

/// An artifact as the status shows it.
#[derive(Clone, Debug)]
pub(crate) struct Artifact {
    stored: store::Artifact,
    metadata: BTreeMap<String, String>,
    /// The digest and size count: the content is kept.
    packed: bool,
}

/// What an artifact holds.
pub(crate) enum Content {
    /// The archive.
    Packed(Bytes),
    /// A tree, which is packed if artifacts are served.
    Tree(SourceTree),
}

impl Sources {
    pub(crate) fn new(
        options: &Options,
        store: Arc<Store>,
        git: GitFetcher,
        http: HttpFactory,
    ) -> Self {
        let base = options.artifacts.as_ref().map(|artifacts| {
            let address = artifacts.advertised.trim_end_matches('/');
            if address.starts_with("http://") || address.starts_with("https://") {
                address.to_owned()
            } else {
                format!("http://{address}")
            }
        });
        Self {
            git,
            http,
            github: GithubTokens::default(),
            root: options.root.clone(),
            store,
            base,
            kept: Mutex::default(),
        }
    }

    fn kept<T>(&self, id: &NodeId, use_it: impl FnOnce(&mut Kept) -> T) -> T {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        use_it(kept.entry(id.clone()).or_default())
    }

    /// What is not to be shown of what the run of this source learns.
    pub(crate) fn secrets(&self, id: &NodeId) -> Arc<Secrets> {
        self.kept(id, |kept| kept.secrets.clone())
    }

    /// A new run has seen nothing yet.
    pub(crate) fn begin(&self, id: &NodeId) -> Arc<Secrets> {
        self.kept(id, |kept| {
            kept.secrets = Arc::default();
            kept.secrets.clone()
        })
    }

    pub(crate) fn git_before(&self, id: &NodeId) -> Option<Fetched> {
        self.kept(id, |kept| kept.git.clone())
    }

    pub(crate) fn remember_git(&self, id: &NodeId, fetched: Fetched) {
        self.kept(id, |kept| kept.git = Some(fetched));
    }

    pub(crate) fn index(&self, id: &NodeId) -> Option<Arc<ChartIndex>> {
        self.kept(id, |kept| kept.index.clone())
    }

    pub(crate) fn remember_index(&self, id: &NodeId, index: ChartIndex) {
        self.kept(id, |kept| kept.index = Some(Arc::new(index)));
    }

    /// The revision of the index that came from an address, and what tells whether it is still the same.
    pub(crate) fn fetched(&self, id: &NodeId, from: &str) -> Option<(String, Validator)> {
        let fetched = self.kept(id, |kept| kept.fetched.clone())?;
        let (address, revision, validator) = fetched;
        (address == from).then_some((revision, validator))
    }

    pub(crate) fn remember_fetched(
        &self,
        id: &NodeId,
        from: String,
        revision: String,
        validator: Validator,
    ) {
        self.kept(id, |kept| kept.fetched = Some((from, revision, validator)));
    }

    /// What was made from the same before: the key says from what and with what. As in Flux, an artifact that disappeared
    /// from the store or is damaged there is made again.
    pub(crate) async fn made(&self, id: &NodeId, key: &str) -> Option<(SourceTree, Artifact)> {
        let made = self.kept(id, |kept| kept.made.clone());
        let (_, tree, artifact) = made.filter(|(old, ..)| old == key)?;
        if artifact.packed {
            let (store, path) = (self.store.clone(), artifact.stored.path.clone());
            let found = tokio::task::spawn_blocking(move || store.find(&path)).await;
            let (there, _) = found.ok()?.ok()??;
            if there.digest != artifact.stored.digest {
                return None;
            }
        }
        Some((tree, artifact))
    }

    /// The artifact that an earlier process left, if it is of this revision.
    pub(crate) async fn left(&self, run: &Run, revision: &str) -> Option<(String, Bytes)> {
        let seen = run
            .object
            .get("/status/observedGeneration")
            .and_then(Value::as_i64);
        if seen != Some(run.object.generation()) {
            return None;
        }
        let (store, owner) = (self.store.clone(), owner(&run.id));
        let found = tokio::task::spawn_blocking(move || store.newest(&owner)).await;
        let (artifact, content) = found.ok()?.ok()??;
        let file = artifact.path.rsplit('/').next()?.to_owned();
        (artifact.revision == revision).then_some((file, content))
    }

    /// Keeps what was found, as the newest artifact of its source.
    pub(crate) async fn keep(
        &self,
        run: &Run,
        key: String,
        tree: SourceTree,
        file: &str,
        content: Content,
        metadata: BTreeMap<String, String>,
    ) -> Result<(SourceTree, Artifact), Problem> {
        let owner = owner(&run.id);
        let (stored, packed) = match content {
            Content::Tree(_) if self.base.is_none() => {
                let stored = store::Artifact {
                    path: format!("{owner}/{file}"),
                    revision: tree.revision.clone(),
                    digest: String::new(),
                    size: 0,
                };
                (stored, false)
            }
            content @ (Content::Packed(_) | Content::Tree(_)) => {
                let (store, file) = (self.store.clone(), file.to_owned());
                let revision = tree.revision.clone();
                let last = self.kept(&run.id, |kept| kept.packed.take());
                let work = move || -> Result<_, String> {
                    let packed = match content {
                        Content::Packed(bytes) => Packed {
                            bytes,
                            ..Packed::default()
                        },
                        Content::Tree(tree) => {
                            let before = last.and_then(|last| read(&store, last));
                            repack(&*tree.tree, &before.unwrap_or_default())
                                .map_err(|error| error.to_string())?
                        }
                    };
                    let stored = store
                        .publish(&owner, &file, &revision, &packed.bytes)
                        .map_err(|error| error.to_string())?;
                    store
                        .collect(SystemTime::now())
                        .map_err(|error| error.to_string())?;
                    Ok((stored, packed.layout))
                };
                let done = tokio::task::spawn_blocking(work).await;
                let failed = |error: String| {
                    Problem::storage(
                        reasons::ARCHIVE_OPERATION_FAILED,
                        format!("unable to archive artifact to storage: {error}"),
                    )
                };
                let done = done.map_err(|error| failed(error.to_string()))?;
                let (stored, layout) = done.map_err(failed)?;
                let packed = (stored.clone(), Arc::new(layout));
                self.kept(&run.id, |kept| kept.packed = Some(packed));
                (stored, true)
            }
        };
        let artifact = Artifact {
            stored,
            metadata,
            packed,
        };
        let made = (key, tree.clone(), artifact.clone());
        self.kept(&run.id, |kept| kept.made = Some(made));
        Ok((tree, artifact))
    }

    pub(crate) async fn forget(&self, id: &NodeId) {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
        let (store, owner) = (self.store.clone(), owner(id));
        let removed = tokio::task::spawn_blocking(move || store.remove(&owner)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(source = %id, error = %error, "the artifact could not be removed");
        }
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}

impl Artifact {
    /// Writes the artifact into a status. Says whether it is another than what stood there.
    pub(super) fn put(&self, ctx: &Context, status: &mut Map<String, Value>) -> bool {
        let base = ctx.sources.base.as_deref();
        let url = |path: &str| base.map_or_else(String::new, |base| format!("{base}/{path}"));
        let old = status.get("artifact");
        let text = |field: &str| old.and_then(|old| old.get(field)?.as_str());
        let digest = self.packed.then_some(self.stored.digest.as_str());
        let moved =
            text("revision") != Some(self.stored.revision.as_str()) || text("digest") != digest;
        let time = match text("lastUpdateTime").filter(|_| !moved) {
            Some(time) => time.to_owned(),
            None => condition::show_time(ctx.clock.now()),
        };
        let mut artifact = json!({
            "path": self.stored.path,
            "url": url(&self.stored.path),
            "revision": self.stored.revision,
            "lastUpdateTime": time,
        });
        if let Some(digest) = digest {
            artifact["digest"] = digest.into();
            artifact["size"] = self.stored.size.into();
        }
        if !self.metadata.is_empty() {
            artifact["metadata"] = json!(self.metadata);
        }
        status.insert("artifact".to_owned(), artifact);
        let (folder, _) = self.stored.path.rsplit_once('/').unwrap_or_default();
        let alias = match folder.split('/').next() {
            Some("gitrepository") | None => None,
            Some("helmrepository") => Some("index.yaml"),
            Some(_) => Some("latest.tar.gz"),
        };
        if let Some(alias) = alias.filter(|_| base.is_some()) {
            let address = url(&format!("{folder}/{alias}"));
            status.insert("url".to_owned(), address.into());
        }
        moved
    }
}

/// The archive that was packed last, if it is still there.
fn read(store: &Store, last: (store::Artifact, Arc<Layout>)) -> Option<Packed> {
    let (artifact, layout) = last;
    let (there, bytes) = store.find(&artifact.path).ok()??;
    (there.digest == artifact.digest).then(|| Packed {
        bytes,
        layout: Arc::unwrap_or_clone(layout),
    })
}

/// The folder of an object's artifacts, as in their addresses.
fn owner(id: &NodeId) -> String {
    let kind = id.kind.as_str().to_lowercase();
    format!("{kind}/{}/{}", id.name.namespace, id.name.name)
}
