//! What a new revision of a source, or a new component of a plugin, means for those that use it.

use std::sync::Arc;

use weir_render::{Registered, SourceTree};
use weir_tree::Change;

use super::{Engine, source_id, unit_id};
use crate::fact::Fact;
use crate::node::{NodeId, NodeKind};
use crate::queue::Priority;

impl Engine {
    /// A commit dirties only the units whose trace it breaks; the reported revision of the others moves on by itself.
    pub(super) async fn take_tree(&mut self, id: &NodeId, tree: SourceTree) {
        let source = source_id(id);
        let old = self.trees.get(&source).cloned();
        let same_revision = old
            .as_ref()
            .is_some_and(|old| old.revision == tree.revision);
        if same_revision
            && old
                .as_ref()
                .is_some_and(|old| Arc::ptr_eq(&old.tree, &tree.tree))
        {
            return;
        }
        let changes = match &old {
            Some(old) => difference(old, &tree).await,
            None => None,
        };
        // The same revision can hold other files, when the source leaves out others than before.
        if same_revision && changes.as_ref().is_some_and(Vec::is_empty) {
            return;
        }
        let mut trees = (*self.trees).clone();
        let revision = tree.revision.clone();
        trees.insert(source.clone(), tree);
        self.trees = Arc::new(trees);
        let touched = changes
            .as_ref()
            .map(|changes| self.index.touched_by_tree(&source, changes));
        let (mut dirty, mut untouched) = (0, 0);
        for user in self.graph.named_by(id) {
            let unit = unit_id(&user);
            let spared = touched
                .as_ref()
                .is_some_and(|touched| self.index.contains(&unit) && !touched.contains(&unit));
            let old_revision = old.as_ref().map(|old| old.revision.as_str());
            if user.kind.is_unit() && spared && self.spare(&user, id, old_revision, &revision) {
                untouched += 1;
                continue;
            }
            dirty += 1;
            if let Some(token) = self.running.get(&user) {
                token.cancel();
            }
            self.queue.push(user, Priority::Change);
        }
        self.ctx.tell(Fact::Untouched {
            source: id.clone(),
            revision,
            units: untouched,
            touched: dirty,
        });
    }

    /// Moves a unit's revision on without running it. Only a unit that is ready at the previous revision, with its
    /// generation observed and nothing pending, is spared.
    fn spare(&mut self, user: &NodeId, source: &NodeId, old: Option<&str>, new: &str) -> bool {
        if self.queue.is_busy(user) && !self.advance.contains_key(user)
            || self.queue.is_running(user)
        {
            return false;
        }
        let Some(node) = self.graph.get(user) else {
            return false;
        };
        if node.suspended
            || !node.is_ready()
            || node.state.failed
            || node.state.revision.as_deref() != old
        {
            return false;
        }
        if node.sources.first() != Some(source) {
            return true;
        }
        if let Some(state) = self.graph.state_mut(user) {
            state.revision = Some(new.to_owned());
            state.decided = Some(new.to_owned());
        }
        self.advance.insert(user.clone(), new.to_owned());
        self.queue.push(user.clone(), Priority::Advance);
        self.release(user);
        self.wake_waiting(user);
        true
    }

    pub(super) fn take_plugin(&mut self, id: &NodeId, registered: Registered) {
        self.registry.set(&id.name.name, registered);
        for user in self.graph.named_by(id) {
            if user.kind == NodeKind::Pipeline {
                self.queue.push(user, Priority::Change);
            }
        }
    }
}

/// The changed paths; `None` if they cannot be told, and then everything counts as touched.
async fn difference(old: &SourceTree, new: &SourceTree) -> Option<Vec<Change>> {
    let (old, new) = (old.tree.clone(), new.tree.clone());
    let changes = tokio::task::spawn_blocking(move || weir_tree::changed(&*old, &*new)).await;
    match changes {
        Ok(Ok(changes)) => Some(changes),
        Ok(Err(error)) => {
            tracing::warn!(error = %error, "two revisions could not be compared; all units of the source run");
            None
        }
        Err(error) => {
            tracing::error!(error = %error, "comparing two revisions crashed; all units of the source run");
            None
        }
    }
}
