//! Deletes what a unit has applied before and does not apply any more.

use std::collections::HashSet;

use tokio_util::sync::CancellationToken;
use weir_api::Object;
use weir_api::inventory::{Inventory, InventoryEntry};
use weir_cluster::{Cluster, ClusterError, Delete, Propagation};

use crate::live::get;
use crate::plan::{Action, Change, kept};
use crate::prepare::Owner;

/// What a prune did.
#[derive(Debug, Default)]
pub struct Pruned {
    pub changes: Vec<Change>,
    /// What could not be deleted; it stays in the inventory.
    pub kept: Vec<InventoryEntry>,
    pub errors: Vec<String>,
}

/// The entries of `old` that are not in `new`. The version does not count.
pub fn gone(old: &Inventory, new: &Inventory) -> Vec<InventoryEntry> {
    let ids: HashSet<&str> = new.entries.iter().map(|entry| entry.id.as_str()).collect();
    old.entries
        .iter()
        .filter(|entry| !ids.contains(entry.id.as_str()))
        .cloned()
        .collect()
}

/// Deletes in reverse order, one after another. Each deletion is for the very object that was looked at, so that an object
/// which another owner just took is not lost.
pub async fn prune(
    cluster: &dyn Cluster,
    owner: &Owner,
    entries: &[InventoryEntry],
    cancel: &CancellationToken,
) -> Pruned {
    let mut pruned = Pruned::default();
    for entry in entries.iter().rev() {
        if cancel.is_cancelled() {
            pruned.kept.push(entry.clone());
            continue;
        }
        match one(cluster, owner, entry).await {
            Ok(Some(change)) => pruned.changes.push(change),
            Ok(None) => {}
            Err(message) => {
                pruned.errors.push(message);
                pruned.kept.push(entry.clone());
            }
        }
    }
    pruned.kept.reverse();
    pruned
}

/// Whether a unit may delete an object that it has applied before.
pub fn deletable(owner: &Owner, live: &Object) -> bool {
    owner.owns(live) && !kept(live)
}

async fn one(
    cluster: &dyn Cluster,
    owner: &Owner,
    entry: &InventoryEntry,
) -> Result<Option<Change>, String> {
    let key = entry.key().map_err(|error| error.to_string())?;
    let shown = |error: ClusterError| format!("{key} delete failed: {error}");
    // If its CRD is gone, the object is gone with it.
    let Some(live) = get(cluster, &key).await.map_err(shown)? else {
        return Ok(None);
    };
    if !deletable(owner, &live) {
        return Ok(Some(Change {
            key,
            action: Action::Skipped,
        }));
    }
    let how = Delete {
        propagation: Propagation::Background,
        uid: live.uid().to_owned(),
        resource_version: live.resource_version().to_owned(),
    };
    match cluster.delete(&key, &how).await {
        Ok(_) => Ok(Some(Change {
            key,
            action: Action::Deleted,
        })),
        Err(error) => Err(shown(error)),
    }
}
