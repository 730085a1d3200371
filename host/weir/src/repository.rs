//! A whole repository on a laptop: from its entry point to everything that a cluster would get.
//!
//! [`entry`] finds the Kustomization that everything starts from, [`walk`] renders it and whatever units come out of it,
//! and [`world`] answers what the renders ask, with the ConfigMaps and Secrets of [`values`]. Rendering itself is
//! `weir-render`'s: the same lowering, function, memo and built-in components as in the controller.
//!
//! Invariant: nothing here looks into what a plugin does, and nothing but the folder and the files that were named is read.

pub(crate) mod entry;
pub(crate) mod unit;
pub(crate) mod values;
pub(crate) mod walk;
pub(crate) mod world;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use weir_render::{Registered, SourceTree};
use weir_source::{FolderSpec, open_folder};

use crate::folder_world::FolderWorld;

/// Opens a folder as the source that it stands for: what Flux would leave out of an artifact is not there.
pub(crate) fn open(
    root: &Path,
    plugins: HashMap<String, Registered>,
) -> anyhow::Result<FolderWorld> {
    let folder = open_folder(&FolderSpec::new(root, SystemTime::now()))
        .with_context(|| format!("opening the repository {}", root.display()))?;
    let time = folder.time.duration_since(UNIX_EPOCH);
    let source = SourceTree {
        tree: Arc::clone(&folder.tree),
        revision: folder.revision,
        time: time.map_or(0, |time| time.as_secs()),
    };
    Ok(FolderWorld::new(source, plugins))
}
