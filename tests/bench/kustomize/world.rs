//! Files in memory as the world of a render.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use weir_plugin::Refusal;
use weir_plugin::ask::Budget;
use weir_render::{InputRef, InputValue, Registered, SourceId, SourceTree, World};
use weir_tree::{EmptyTree, OverlayTree, Tree, TreePath};

use crate::inputs::Input;

pub(crate) struct FilesWorld {
    tree: Arc<dyn Tree>,
    plugins: HashMap<String, Registered>,
}

impl FilesWorld {
    pub(crate) fn new(input: &Input, plugins: HashMap<String, Registered>) -> Result<Self> {
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        for (path, text) in &input.files {
            overlay.file(&TreePath::parse(path)?, text.clone().into_bytes())?;
        }
        Ok(Self {
            tree: Arc::new(overlay.finish()?),
            plugins,
        })
    }
}

fn none<T>() -> Result<T, Refusal> {
    Err(Refusal::Absent)
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
    fn input(&self, _: &InputRef) -> Result<InputValue, Refusal> {
        none()
    }
    fn kube_version(&self) -> String {
        "v1.35.4".into()
    }
    fn api_versions(&self) -> Arc<[String]> {
        Arc::new([])
    }
    fn random_key(&self) -> Option<[u8; 32]> {
        None
    }
    fn object(&self, _: &str, _: &str, _: &str, _: &str) -> Result<String, Refusal> {
        none()
    }
    fn objects(&self, _: &str, _: &str, _: &str, _: &str) -> Result<String, Refusal> {
        none()
    }
    fn open_url(&self, _: &str, _: &Budget) -> Result<SourceTree, Refusal> {
        none()
    }
    fn open_chart(&self, _: &str, _: &str, _: &str, _: &Budget) -> Result<SourceTree, Refusal> {
        none()
    }
    fn unwrap_key(&self, _: &str, _: &[(String, String)], _: &[u8]) -> Result<Bytes, Refusal> {
        none()
    }
}
