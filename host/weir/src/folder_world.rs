//! A render's world on a laptop: one folder and the plugins that were named.

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

use crate::remote::Remotes;

/// Answers from a folder; there is no cluster.
#[derive(Debug)]
pub(crate) struct FolderWorld {
    source: SourceTree,
    plugins: HashMap<String, Registered>,
    remotes: Remotes,
}

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
        Self {
            source,
            plugins,
            remotes: Remotes::default(),
        }
    }

    /// The name that the folder goes by in recipes.
    pub(crate) fn source_id() -> SourceId {
        SourceId::new("Folder", "", "folder")
    }

    pub(crate) fn tree(&self) -> &Arc<dyn weir_tree::Tree> {
        &self.source.tree
    }

    pub(crate) fn source_tree(&self) -> &SourceTree {
        &self.source
    }

    /// The text of a file of the folder, for showing it.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        let path = weir_tree::TreePath::parse(path).ok()?;
        let content = self.source.tree.read(&path).ok()??;
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
        if *id == Self::source_id() {
            Ok(self.source.clone())
        } else {
            Err(Refusal::Absent)
        }
    }

    fn plugin(&self, name: &str) -> Result<Registered, Refusal> {
        self.plugins.get(name).cloned().ok_or_else(|| {
            Refusal::Invalid(format!(
                "no plugin is registered as {name:?} for this command"
            ))
        })
    }

    fn input(&self, reference: &InputRef) -> Result<InputValue, Refusal> {
        Err(no_cluster(&format!("the input {}", reference.name)))
    }

    fn kube_version(&self) -> String {
        "v1.35.4".to_owned()
    }

    fn api_versions(&self) -> Arc<[String]> {
        Arc::new([])
    }

    fn random_key(&self) -> Option<[u8; 32]> {
        None
    }

    fn object(&self, _: &str, kind: &str, _: &str, name: &str) -> Result<String, Refusal> {
        Err(no_cluster(&format!("{kind} {name}")))
    }

    fn objects(&self, _: &str, kind: &str, _: &str, _: &str) -> Result<String, Refusal> {
        Err(no_cluster(&format!("the list of {kind}")))
    }

    fn open_url(&self, url: &str, budget: &Budget) -> Result<SourceTree, Refusal> {
        self.remotes.open(url, budget)
    }

    fn open_chart(
        &self,
        repository: &str,
        name: &str,
        version: &str,
        budget: &Budget,
    ) -> Result<SourceTree, Refusal> {
        self.remotes.chart(repository, name, version, budget)
    }

    fn unwrap_key(&self, scheme: &str, _: &[(String, String)], _: &[u8]) -> Result<Bytes, Refusal> {
        Err(Refusal::Invalid(format!(
            "there is no key for the scheme {scheme:?}"
        )))
    }
}
