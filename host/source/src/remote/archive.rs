//! The archive of a chart as a tree.

use std::sync::Arc;

use bytes::Bytes;
use weir_tree::{ArchiveLimits, Digest, EntryKind, Subtree, TarTree, Tree, TreePath};

use crate::error::SourceError;

use super::RemoteTree;

/// The chart's folder, which is the only one in an archive that `helm package` made.
pub(crate) fn chart(
    place: &str,
    archive: Bytes,
    expected: Option<&str>,
    version: &str,
) -> Result<RemoteTree, SourceError> {
    let refuse = |reason: String| SourceError::Registry {
        url: place.to_owned(),
        reason,
    };
    let digest = Digest::of(&archive);
    if let Some(expected) = expected
        && !digest.to_string().ends_with(expected)
    {
        return Err(refuse(format!(
            "the archive has the digest {digest}, but its index says {expected}; it was changed after it was published"
        )));
    }
    let unread = |source| SourceError::Tree {
        place: place.to_owned(),
        source,
    };
    let tree = TarTree::read_from(&*archive, ArchiveLimits::default()).map_err(unread)?;
    let entries = tree.entries(&TreePath::root()).map_err(unread)?;
    let mut folders = entries
        .iter()
        .flatten()
        .filter(|entry| entry.kind == EntryKind::Directory);
    let (Some(folder), None) = (folders.next(), folders.next()) else {
        return Err(refuse(
            "the archive does not hold one folder with a chart; make it with `helm package`"
                .to_owned(),
        ));
    };
    let path = TreePath::parse(&folder.name).map_err(|error| refuse(error.to_string()))?;
    let folder = Subtree::new(tree, path).map_err(unread)?;
    let folder = folder.ok_or_else(|| refuse("the archive is empty".to_owned()))?;
    Ok(RemoteTree {
        tree: Arc::new(folder),
        revision: format!("{version}@{digest}"),
        time: 0,
    })
}
