//! A whole repository on a laptop: from its entry point to everything that a cluster would get.
//!
//! [`entry`] finds the Kustomization that everything starts from, [`walk`] renders it and whatever units come out of it,
//! and a [`snapshot`] answers what the renders ask, with the ConfigMaps and Secrets of [`values`] and the charts and trees of
//! [`sources`]. Rendering itself is
//! `weir-render`'s: the same lowering, function, memo and built-in components as in the controller.
//!
//! Invariant: nothing here looks into what a plugin does; nothing is read but the folder, the files that were named, and the
//! sources that the repository's own objects name.

pub(crate) mod chart;
pub(crate) mod entry;
pub(crate) mod snapshot;
pub(crate) mod sources;
pub(crate) mod unit;
pub(crate) mod values;
pub(crate) mod visit;
pub(crate) mod walk;

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use weir_render::SourceTree;
use weir_source::{FolderSpec, open_folder};

/// A folder as the source that it stands for: what Flux would leave out of an artifact is not there.
pub(crate) fn source_of(root: &Path) -> anyhow::Result<SourceTree> {
    let folder = open_folder(&FolderSpec::new(root, SystemTime::now()))
        .with_context(|| format!("opening the repository {}", root.display()))?;
    let time = folder.time.duration_since(UNIX_EPOCH);
    Ok(SourceTree {
        tree: Arc::clone(&folder.tree),
        revision: folder.revision,
        time: time.map_or(0, |time| time.as_secs()),
    })
}
