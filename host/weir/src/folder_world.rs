//! A render's world on a laptop: one folder, the plugins that were named, and what a repository makes if the folder is one.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;
use bytes::Bytes;
use weir_plugin::Refusal;
use weir_plugin::ask::Budget;
use weir_render::{InputRef, InputValue, Registered, SourceId, SourceTree, World};
use weir_tree::{FolderOptions, FolderTree};

use crate::keys::LaptopKeys;
use crate::remote::Remotes;
use crate::repository::snapshot::Snapshot;

/// Answers from a folder; there is no cluster. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct FolderWorld {
    ground: Arc<Ground>,
    /// What is known of the repository; absent for a folder that is only a folder.
    snapshot: Option<Arc<Snapshot>>,
}

/// What stays the same for as long as the command runs.
#[derive(Debug)]
struct Ground {
    source: SourceTree,
    plugins: HashMap<String, Registered>,
    remotes: Remotes,
    keys: LaptopKeys,
    kube_version: String,
}

/// The Kubernetes that is rendered for unless another is named.
pub(crate) const KUBE_VERSION: &str = "v1.35.4";

impl FolderWorld {
    pub(crate) fn open(
        folder: &Path,
        plugins: HashMap<String, Registered>,
    ) -> anyhow::Result<Self> {
        let tree = FolderTree::open(folder, FolderOptions::at(SystemTime::now()))
            .with_context(|| format!("opening the folder {}", folder.display()))?;
        let source = SourceTree {
            tree: Arc::new(tree),
            revision: "folder".to_owned(),
            time: 0,
        };
        Ok(Self::new(source, plugins))
    }

    /// A tree that was opened elsewhere.
    pub(crate) fn new(source: SourceTree, plugins: HashMap<String, Registered>) -> Self {
        Self::with_remotes(source, plugins, Remotes::default(), KUBE_VERSION)
    }

    /// The same, with what fetches remote trees and the version of Kubernetes.
    pub(crate) fn with_remotes(
        source: SourceTree,
        plugins: HashMap<String, Registered>,
        remotes: Remotes,
        kube_version: &str,
    ) -> Self {
        Self {
            ground: Arc::new(Ground {
                source,
                plugins,
                remotes,
                keys: LaptopKeys::default(),
                kube_version: kube_version.to_owned(),
            }),
            snapshot: None,
        }
    }

    /// The same folder, with what is known of the repository.
    pub(crate) fn knowing(&self, snapshot: Snapshot) -> Self {
        Self {
            ground: Arc::clone(&self.ground),
            snapshot: Some(Arc::new(snapshot)),
        }
    }

    /// The name that the folder goes by in recipes.
    pub(crate) fn source_id() -> SourceId {
        SourceId::new("Folder", "", "folder")
    }

    pub(crate) fn tree(&self) -> &Arc<dyn weir_tree::Tree> {
        &self.ground.source.tree
    }

    /// The text of a file of the folder, for showing it.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let path = weir_tree::TreePath::parse(path).ok()?;
        let content = self.ground.source.tree.read(&path).ok()??;
        String::from_utf8(content.to_vec()).ok()
    }
}

fn no_cluster(what: &str) -> Refusal {
    Refusal::Invalid(format!(
        "{what} is not to be had: the command runs on a folder, without a cluster"
    ))
}

impl World for FolderWorld {
    fn source(&self, id: &SourceId) -> Result<SourceTree, Refusal> {
        match &self.snapshot {
            Some(snapshot) => snapshot.source(id, &self.ground.source, &self.ground.remotes),
            None if *id == Self::source_id() => Ok(self.ground.source.clone()),
            None => Err(Refusal::Absent),
        }
    }

    fn plugin(&self, name: &str) -> Result<Registered, Refusal> {
        self.ground.plugins.get(name).cloned().ok_or_else(|| {
            Refusal::Invalid(format!(
                "no plugin is registered as {name:?} for this command"
            ))
        })
    }

    fn input(&self, reference: &InputRef) -> Result<InputValue, Refusal> {
        match &self.snapshot {
            Some(snapshot) => snapshot.input(reference),
            None => Err(no_cluster(&format!("the input {}", reference.name))),
        }
    }

    fn kube_version(&self) -> String {
        self.ground.kube_version.clone()
    }

    fn api_versions(&self) -> Arc<[String]> {
        Arc::new([])
    }

    fn random_key(&self) -> Option<[u8; 32]> {
        None
    }

    fn object(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<String, Refusal> {
        match &self.snapshot {
            Some(snapshot) => snapshot.holdings.object(api_version, kind, namespace, name),
            None => Err(no_cluster(&format!("{kind} {name}"))),
        }
    }

    fn objects(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        labels: &str,
    ) -> Result<String, Refusal> {
        match &self.snapshot {
            Some(snapshot) => snapshot
                .holdings
                .objects(api_version, kind, namespace, labels),
            None => Err(no_cluster(&format!("the list of {kind}"))),
        }
    }

    fn open_url(&self, url: &str, budget: &Budget) -> Result<SourceTree, Refusal> {
        self.ground.remotes.open(url, budget)
    }

    fn open_chart(
        &self,
        repository: &str,
        name: &str,
        version: &str,
        budget: &Budget,
    ) -> Result<SourceTree, Refusal> {
        self.ground.remotes.chart(repository, name, version, budget)
    }

    fn unwrap_key(
        &self,
        scheme: &str,
        key: &[(String, String)],
        wrapped: &[u8],
    ) -> Result<Bytes, Refusal> {
        self.ground
            .keys
            .unwrap(&self.ground.remotes, scheme, key, wrapped)
    }
}
