//! Applies the objects of a unit: stage after stage, each planned as a whole before its first write.

use std::collections::HashSet;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use tokio_util::sync::CancellationToken;
use weir_api::inventory::{Inventory, InventoryEntry};
use weir_api::{Object, ObjectKey};
use weir_cluster::{Apply, Cluster, ClusterError, Delete, Discovery};

use crate::live::Live;
use crate::order::{self, Stage};
use crate::plan::{self, Action, Change};
use crate::prepare::{self, Owner};
use crate::prune;
use crate::unchanged::unchanged;
use crate::wait;

/// How many objects of one stage are looked at, and of one kind written, side by side.
const AT_ONCE: usize = 8;

/// What is to be applied.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub owner: &'a Owner,
    /// Made by [`crate::prepare()`].
    pub objects: Vec<Object>,
    /// What the unit has applied before.
    pub inventory: &'a Inventory,
    /// Whether to delete what is no longer in the bundle.
    pub prune: bool,
    /// Whether to make objects anew when a field of theirs cannot be changed.
    pub force: bool,
}

/// Where the inventory is written down while an apply goes on.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Called before the first object is created, with everything that is or may soon be there.
    async fn record(&self, inventory: &Inventory) -> Result<(), ClusterError>;
}

/// What an apply did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub inventory: Inventory,
    /// Every object of the bundle and every deleted one, in the order in which they were dealt with.
    pub changes: Vec<Change>,
}

impl Applied {
    /// Those changes that changed something.
    pub fn changed(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| {
            matches!(
                change.action,
                Action::Created | Action::Configured | Action::Deleted
            )
        })
    }
}

/// An apply that stopped, with what it had done: nothing of that is to be lost.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct ApplyFailure {
    pub error: ApplyError,
    /// What the unit owns now.
    pub inventory: Inventory,
    pub changes: Vec<Change>,
}

/// Why an apply stopped.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("{key} {message}")]
    DryRun {
        key: ObjectKey,
        message: String,
        retry: bool,
    },
    #[error("{key} apply failed: {source}")]
    Apply {
        key: ObjectKey,
        source: ClusterError,
    },
    #[error("{key} immutable field detected, failed to delete object: {source}")]
    Recreate {
        key: ObjectKey,
        source: ClusterError,
    },
    #[error("the inventory could not be recorded: {0}")]
    Journal(ClusterError),
    #[error("discovery failed: {0}")]
    Discovery(ClusterError),
    #[error("{0}")]
    NotSettled(String),
    #[error("delete failed, errors: {0}")]
    Prune(String),
    #[error("cancelled")]
    Cancelled,
}

/// Applies, then prunes. Dropping the future is safe at any time: the journal already has what was created.
pub async fn apply(
    cluster: &dyn Cluster,
    live: &Live,
    request: Request<'_>,
    journal: &dyn Journal,
    cancel: &CancellationToken,
) -> Result<Applied, ApplyFailure> {
    let mut run = Run {
        cluster,
        live,
        owner: request.owner,
        force: request.force,
        changes: Vec::new(),
        recorded: None,
    };
    match run.everything(request, journal, cancel).await {
        Ok(inventory) => Ok(Applied {
            inventory,
            changes: run.changes,
        }),
        Err((error, inventory)) => Err(ApplyFailure {
            error,
            inventory,
            changes: run.changes,
        }),
    }
}

struct Run<'a> {
    cluster: &'a dyn Cluster,
    live: &'a Live,
    owner: &'a Owner,
    force: bool,
    changes: Vec<Change>,
    /// The union, once it was written down.
    recorded: Option<Inventory>,
}

/// One object and what the stage's plan says of it.
struct Planned {
    object: Object,
    action: Action,
}

impl Run<'_> {
    async fn everything(
        &mut self,
        request: Request<'_>,
        journal: &dyn Journal,
        cancel: &CancellationToken,
    ) -> Result<Inventory, (ApplyError, Inventory)> {
        let old = request.inventory;
        let mut discovery = match self.cluster.discover(false).await {
            Ok(discovery) => discovery,
            Err(error) => return Err((ApplyError::Discovery(error), old.clone())),
        };
        let mut objects = request.objects;
        objects
            .iter_mut()
            .for_each(|object| prepare::place(object, &discovery));
        let new = inventory_of(&objects);
        let all = union(old, &new);
        for stage in Stage::ALL {
            let mut members: Vec<Object> = objects
                .iter()
                .filter(|object| Stage::of(&object.gvk()) == stage)
                .cloned()
                .collect();
            if members.is_empty() {
                continue;
            }
            if members
                .iter()
                .any(|object| discovery.find(&object.gvk()).is_none())
                && let Ok(fresh) = self.cluster.discover(true).await
            {
                discovery = fresh;
            }
            members
                .iter_mut()
                .for_each(|object| prepare::place(object, &discovery));
            if let Err(error) = self
                .stage(stage, members, &discovery, &all, journal, cancel)
                .await
            {
                return Err((error, self.recorded.take().unwrap_or_else(|| old.clone())));
            }
        }
        // Kinds that a CRD of this very bundle brought may have lost their namespace only now.
        objects
            .iter_mut()
            .for_each(|object| prepare::place(object, &discovery));
        let new = inventory_of(&objects);
        if !request.prune {
            return Ok(new);
        }
        let pruned = prune::prune(self.cluster, self.owner, &prune::gone(old, &new), cancel).await;
        self.changes.extend(pruned.changes);
        if pruned.errors.is_empty() {
            return Ok(new);
        }
        let kept = Inventory {
            entries: new.entries.into_iter().chain(pruned.kept).collect(),
        };
        Err((ApplyError::Prune(pruned.errors.join(";")), kept))
    }

    async fn stage(
        &mut self,
        stage: Stage,
        mut members: Vec<Object>,
        discovery: &Discovery,
        all: &Inventory,
        journal: &dyn Journal,
        cancel: &CancellationToken,
    ) -> Result<(), ApplyError> {
        members.sort_by(|a, b| order::compare(&a.key(), &b.key()));
        let plan = self.plan(members, discovery, cancel).await?;
        if self.recorded.is_none() && plan.iter().any(|planned| planned.action == Action::Created) {
            journal.record(all).await.map_err(ApplyError::Journal)?;
            self.recorded = Some(all.clone());
        }
        self.write(&plan, cancel).await?;
        if stage != Stage::Rest {
            let changed: Vec<ObjectKey> = plan
                .iter()
                .filter(|planned| matches!(planned.action, Action::Created | Action::Configured))
                .map(|planned| planned.object.key())
                .collect();
            wait::settle(self.cluster, &changed, cancel)
                .await
                .map_err(ApplyError::NotSettled)?;
        }
        Ok(())
    }

    /// Decides what to do with each object, without writing anything but what `force` deletes.
    async fn plan(
        &self,
        members: Vec<Object>,
        discovery: &Discovery,
        cancel: &CancellationToken,
    ) -> Result<Vec<Planned>, ApplyError> {
        stream::iter(members)
            .map(|object| async move {
                if cancel.is_cancelled() {
                    return Err(ApplyError::Cancelled);
                }
                let action = self.plan_one(&object, discovery).await?;
                Ok(Planned { object, action })
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn plan_one(&self, object: &Object, discovery: &Discovery) -> Result<Action, ApplyError> {
        let key = object.key();
        if discovery.find(&key.gvk).is_some_and(|kind| kind.namespaced)
            && key.name.namespace.is_empty()
        {
            let message = "namespace not specified: the object is namespaced and neither it nor its unit names a namespace";
            return Err(ApplyError::DryRun {
                key,
                message: message.to_owned(),
                retry: false,
            });
        }
        let live = self
            .live
            .get(self.cluster, &key)
            .await
            .map_err(|error| dry_run_error(&key, error))?;
        if plan::skipped(object, live.as_ref()) {
            return Ok(Action::Skipped);
        }
        if live
            .as_ref()
            .is_some_and(|live| unchanged(object, live, self.owner.manager))
        {
            return Ok(Action::Unchanged);
        }
        match self.cluster.apply(object, &self.how(true)).await {
            Ok(answer) => Ok(plan::decide(live.as_ref(), &answer)),
            Err(ClusterError::Invalid { .. } | ClusterError::Conflict { .. })
                if live
                    .as_ref()
                    .is_some_and(|live| self.force || plan::forced(object, live)) =>
            {
                self.make_room(&key).await?;
                self.cluster
                    .apply(object, &self.how(true))
                    .await
                    .map_err(|error| dry_run_error(&key, error))?;
                Ok(Action::Created)
            }
            Err(error) => Err(dry_run_error(&key, error)),
        }
    }

    /// Deletes an object that is to be made anew.
    async fn make_room(&self, key: &ObjectKey) -> Result<(), ApplyError> {
        let failed = |source| ApplyError::Recreate {
            key: key.clone(),
            source,
        };
        self.cluster
            .delete(key, &Delete::default())
            .await
            .map_err(failed)?;
        wait::until_gone(self.cluster, key).await.map_err(failed)
    }

    /// Kinds are written in their order; objects of one kind side by side.
    async fn write(
        &mut self,
        plan: &[Planned],
        cancel: &CancellationToken,
    ) -> Result<(), ApplyError> {
        for same_kind in plan.chunk_by(|a, b| a.object.gvk() == b.object.gvk()) {
            if cancel.is_cancelled() {
                return Err(ApplyError::Cancelled);
            }
            let how = self.how(false);
            let writes: Vec<_> = same_kind
                .iter()
                .map(|planned| write_one(self.cluster, &how, planned))
                .collect();
            let written: Vec<_> = stream::iter(writes).buffered(AT_ONCE).collect().await;
            for change in written {
                self.changes.push(change?);
            }
        }
        Ok(())
    }

    fn how(&self, dry_run: bool) -> Apply {
        Apply {
            manager: self.owner.manager.to_owned(),
            force: true,
            dry_run,
        }
    }
}

async fn write_one(
    cluster: &dyn Cluster,
    how: &Apply,
    planned: &Planned,
) -> Result<Change, ApplyError> {
    let key = planned.object.key();
    if matches!(planned.action, Action::Created | Action::Configured) {
        let answer = cluster.apply(&planned.object, how).await;
        answer.map_err(|source| ApplyError::Apply {
            key: key.clone(),
            source,
        })?;
    }
    Ok(Change {
        key,
        action: planned.action,
    })
}

fn inventory_of(objects: &[Object]) -> Inventory {
    let mut sorted: Vec<&Object> = objects.iter().collect();
    sorted.sort_by(|a, b| {
        Stage::of(&a.gvk())
            .cmp(&Stage::of(&b.gvk()))
            .then_with(|| order::compare(&a.key(), &b.key()))
    });
    Inventory {
        entries: sorted
            .into_iter()
            .map(|object| InventoryEntry::of(&object.key()))
            .collect(),
    }
}

/// The new entries, then the old ones that are not among them.
fn union(old: &Inventory, new: &Inventory) -> Inventory {
    let ids: HashSet<&str> = new.entries.iter().map(|entry| entry.id.as_str()).collect();
    let others = old
        .entries
        .iter()
        .filter(|entry| !ids.contains(entry.id.as_str()));
    Inventory {
        entries: new.entries.iter().chain(others).cloned().collect(),
    }
}

/// Worded as Flux words it.
fn dry_run_error(key: &ObjectKey, error: ClusterError) -> ApplyError {
    let retry = matches!(error, ClusterError::Unavailable { .. });
    let message = match &error {
        ClusterError::NotFound { .. } | ClusterError::NoNamespace { .. } => {
            format!("not found: {error}")
        }
        ClusterError::NoKind(_) => format!("dry-run failed: {error}"),
        ClusterError::Invalid { .. } => format!("dry-run failed (Invalid): {error}"),
        ClusterError::Forbidden { .. } => format!("dry-run failed (Forbidden): {error}"),
        ClusterError::Conflict { .. } => format!("dry-run failed (FieldManagerConflict): {error}"),
        ClusterError::Exists { .. } => format!("dry-run failed (AlreadyExists): {error}"),
        ClusterError::Expired(_) | ClusterError::Unavailable { .. } => {
            format!("dry-run failed: {error}")
        }
    };
    ApplyError::DryRun {
        key: key.clone(),
        message,
        retry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(ids: &[&str]) -> Inventory {
        Inventory {
            entries: ids
                .iter()
                .map(|id| InventoryEntry {
                    id: (*id).into(),
                    v: "v1".into(),
                })
                .collect(),
        }
    }

    #[test]
    fn the_union_loses_nothing_and_repeats_nothing() {
        assert_eq!(
            union(&inventory(&["a", "b"]), &inventory(&["b", "c"])),
            inventory(&["b", "c", "a"])
        );
    }
}
