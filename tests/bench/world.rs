//! One tree as the world of a render; nothing else is there.

use std::collections::HashMap;
use std::sync::Arc;

use weir_plugin::Refusal;
use weir_render::{Registered, SourceId, SourceTree, World};
use weir_tree::Tree;

pub(crate) struct FilesWorld {
    tree: Arc<dyn Tree>,
    plugins: HashMap<String, Registered>,
}

impl FilesWorld {
    pub(crate) fn new(tree: Arc<dyn Tree>, plugins: HashMap<String, Registered>) -> Self {
        Self { tree, plugins }
    }
}

impl World for FilesWorld {
    fn source(&self, _: &SourceId) -> Result<SourceTree, Refusal> {
        Ok(SourceTree {
            tree: self.tree.clone(),
            revision: "main@sha1:0".into(),
            time: 0,
        })
    }
    fn plugin(&self, name: &str) -> Result<Registered, Refusal> {
        self.plugins.get(name).cloned().ok_or(Refusal::Absent)
    }
    fn kube_version(&self) -> String {
        "v1.35.4".into()
    }
    fn api_versions(&self) -> Arc<[String]> {
        Arc::default()
    }
    fn random_key(&self) -> Option<[u8; 32]> {
        Some([1; 32])
    }
}
