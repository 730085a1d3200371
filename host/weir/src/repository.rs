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
pub(crate) mod holdings;
pub(crate) mod kept;
pub(crate) mod snapshot;
pub(crate) mod sources;
pub(crate) mod unit;
pub(crate) mod values;
pub(crate) mod visit;
pub(crate) mod walk;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use weir_render::SourceTree;
use weir_source::{FolderSpec, open_folder};

use crate::snippet;

/// How often a folder that is watched is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Gives a folder as a source, and again whenever its content is another one, until the process is ended. A folder that cannot
/// be read while it is written is looked at once more.
pub(crate) fn watch(
    root: &Path,
    mut each: impl FnMut(SourceTree) -> anyhow::Result<()>,
) -> anyhow::Result<std::convert::Infallible> {
    let mut spec = FolderSpec::new(root, SystemTime::now());
    let mut known: Option<String> = None;
    loop {
        spec.now = SystemTime::now();
        match source(&spec) {
            Ok(source) if known.as_ref() != Some(&source.revision) => {
                let revision = source.revision.clone();
                match (each(source), &known) {
                    (Ok(()), _) => known = Some(revision),
                    // What cannot be rendered at all may be half of an edit.
                    (Err(error), Some(_)) => {
                        snippet::print_error(&error);
                        known = Some(revision);
                    }
                    (Err(error), None) => return Err(error),
                }
            }
            Err(error) if known.is_none() => return Err(error),
            Ok(_) | Err(_) => {}
        }
        std::thread::sleep(LOOK);
    }
}

/// A folder as the source that it stands for: what Flux would leave out of an artifact is not there.
pub(crate) fn source_of(root: &Path) -> anyhow::Result<SourceTree> {
    source(&FolderSpec::new(root, SystemTime::now()))
}

/// Whether a cluster can start from something in a folder.
pub(crate) fn is_one(root: &Path) -> anyhow::Result<bool> {
    entry::is_there(&*source_of(root)?.tree)
}

fn source(spec: &FolderSpec) -> anyhow::Result<SourceTree> {
    let folder = open_folder(spec)
        .with_context(|| format!("opening the repository {}", spec.root.display()))?;
    let time = folder.time.duration_since(UNIX_EPOCH);
    Ok(SourceTree {
        tree: Arc::clone(&folder.tree),
        revision: folder.revision,
        time: time.map_or(0, |time| time.as_secs()),
    })
}
