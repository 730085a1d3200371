//! Who waits for whom: what the graph knows of each node, and what may run. Plain data and pure functions.

pub(crate) mod inputs;

use std::collections::{BTreeSet, HashMap};

use weir_api::{Object, names};

use crate::node::{NodeId, Typed};
use inputs::Inputs;

/// All nodes.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    nodes: HashMap<NodeId, Node>,
    /// Who names a node as a source, a plugin or a dependency; the node itself need not be there.
    named_by: HashMap<NodeId, BTreeSet<NodeId>>,
    pub(crate) inputs: Inputs,
}

/// One node: its object as last seen, and what the graph knows beyond the object's status.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) object: Object,
    /// Whether the object can be read as its type.
    pub(crate) readable: bool,
    pub(crate) suspended: bool,
    pub(crate) sources: Vec<NodeId>,
    pub(crate) plugins: Vec<NodeId>,
    pub(crate) depends_on: Vec<NodeId>,
    /// The unit that applied this object.
    pub(crate) parent: Option<NodeId>,
    pub(crate) state: State,
}

/// What is known from the runs of this process; better than a status, which lags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) ready: bool,
    /// The generation that the last run saw.
    pub(crate) generation: i64,
    /// The revision that it is ready at.
    pub(crate) revision: Option<String>,
    /// The source's revision for which this node's plan is decided, whatever came of it.
    pub(crate) decided: Option<String>,
    /// The value of the annotation that the last run handled.
    pub(crate) requested: Option<String>,
    /// The last run ended because a dependency was not ready.
    pub(crate) waiting: bool,
    pub(crate) failed: bool,
}

/// Whether a node may run now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    Open,
    /// Not before this one moved.
    Held(NodeId),
}

/// What a new version of an object means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    New,
    /// A person asked for a run.
    Requested,
    /// The spec changed, or the object is being deleted.
    Changed,
    /// Nothing that matters here, such as our own status.
    Same,
}

impl Graph {
    /// Takes in an object as it stands now. Who owns which of its fields is not kept.
    pub(crate) fn see(&mut self, id: &NodeId, mut object: Object) -> Seen {
        object.metadata_mut().shift_remove("managedFields");
        let seen = match self.nodes.get(id) {
            None => Seen::New,
            Some(node) => compare(&node.object, &object),
        };
        if let Some(node) = self.nodes.get_mut(id)
            && seen == Seen::Same
        {
            node.object = object;
            return seen;
        }
        let typed = Typed::read(id.kind, &object);
        let namespace = id.name.namespace.as_str();
        let (sources, plugins, depends_on) = match &typed {
            Ok(typed) => (
                typed.sources(namespace),
                typed.plugins(),
                typed.depends_on(id.kind, namespace),
            ),
            Err(_) => Default::default(),
        };
        let (readable, suspended) = (typed.is_ok(), typed.is_ok_and(|typed| typed.suspended()));
        let parent = other_parent(&object);
        self.inputs.name(id, &object);
        self.unlink(id);
        for named in sources
            .iter()
            .chain(&plugins)
            .chain(&depends_on)
            .chain(&parent)
        {
            self.named_by
                .entry(named.clone())
                .or_default()
                .insert(id.clone());
        }
        let state = self
            .nodes
            .remove(id)
            .map(|node| node.state)
            .unwrap_or_default();
        let node = Node {
            object,
            readable,
            suspended,
            sources,
            plugins,
            depends_on,
            parent,
            state,
        };
        self.nodes.insert(id.clone(), node);
        seen
    }

    pub(crate) fn remove(&mut self, id: &NodeId) {
        self.unlink(id);
        self.inputs.forget(id);
        self.nodes.remove(id);
    }

    pub(crate) fn get(&self, id: &NodeId) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// Puts the object as a run left it in place, unless a newer one was seen meanwhile.
    pub(crate) fn update(&mut self, id: &NodeId, mut object: Object) {
        object.metadata_mut().shift_remove("managedFields");
        if let Some(node) = self.nodes.get_mut(id)
            && compare(&node.object, &object) == Seen::Same
            && node.object.annotation(names::REQUESTED_AT) == object.annotation(names::REQUESTED_AT)
        {
            node.object = object;
        }
    }

    pub(crate) fn state_mut(&mut self, id: &NodeId) -> Option<&mut State> {
        self.nodes.get_mut(id).map(|node| &mut node.state)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = &NodeId> {
        self.nodes.keys()
    }

    /// Who names this node as a source, a plugin, a dependency or a parent.
    pub(crate) fn named_by(&self, id: &NodeId) -> Vec<NodeId> {
        self.named_by
            .get(id)
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// A new revision reaches a child only after its parent's plan for that revision is decided. A parent that fails, is
    /// suspended or is not there releases its children.
    pub(crate) fn gate(&self, id: &NodeId) -> Gate {
        let Some(node) = self.nodes.get(id) else {
            return Gate::Open;
        };
        let Some(parent_id) = &node.parent else {
            return Gate::Open;
        };
        let Some(parent) = self.nodes.get(parent_id) else {
            return Gate::Open;
        };
        if node.object.deleting() || node.sources.first() != parent.sources.first() {
            return Gate::Open;
        }
        let Some(revision) = self.source_revision(id) else {
            return Gate::Open;
        };
        let released = parent.state.failed
            || parent.state.waiting
            || parent.state.decided == Some(revision)
            || parent.suspended
            || !parent.readable;
        if released {
            Gate::Open
        } else {
            Gate::Held(parent_id.clone())
        }
    }

    /// The first dependency that is not ready, in the words of Flux.
    pub(crate) fn unready_dependency(&self, id: &NodeId) -> Option<(NodeId, String)> {
        let node = self.nodes.get(id)?;
        node.depends_on.iter().find_map(|dependency| {
            let shown = dependency.name.to_string();
            let problem = match self.nodes.get(dependency) {
                None => format!("dependency '{shown}' not found"),
                Some(other) if !other.is_ready() => format!("dependency '{shown}' is not ready"),
                Some(other)
                    if other.sources.first() == node.sources.first()
                        && other.state.revision != self.source_revision(id) =>
                {
                    format!("dependency '{shown}' revision is not up to date")
                }
                Some(_) => return None,
            };
            Some((dependency.clone(), problem))
        })
    }

    /// The revision of the unit's own source, as the graph knows it.
    pub(crate) fn source_revision(&self, id: &NodeId) -> Option<String> {
        let source = self.nodes.get(id)?.sources.first()?;
        self.nodes.get(source)?.state.revision.clone()
    }

    /// The cycle of dependencies that a node is in, starting and ending with it.
    pub(crate) fn cycle(&self, id: &NodeId) -> Option<Vec<NodeId>> {
        let mut path = vec![id.clone()];
        let mut seen = BTreeSet::new();
        let mut stack: Vec<Vec<NodeId>> = vec![self.depends_on(id)];
        while let Some(next) = stack.last_mut().map(Vec::pop) {
            match next {
                None => {
                    stack.pop();
                    path.pop();
                }
                Some(next) if next == *id => {
                    path.push(next);
                    return Some(path);
                }
                Some(next) if seen.insert(next.clone()) => {
                    stack.push(self.depends_on(&next));
                    path.push(next);
                }
                Some(_) => {}
            }
        }
        None
    }

    fn depends_on(&self, id: &NodeId) -> Vec<NodeId> {
        self.nodes
            .get(id)
            .map(|node| node.depends_on.clone())
            .unwrap_or_default()
    }

    fn unlink(&mut self, id: &NodeId) {
        let Some(node) = self.nodes.get(id) else {
            return;
        };
        for named in node
            .sources
            .iter()
            .chain(&node.plugins)
            .chain(&node.depends_on)
            .chain(&node.parent)
        {
            if let Some(by) = self.named_by.get_mut(named) {
                by.remove(id);
                if by.is_empty() {
                    self.named_by.remove(named);
                }
            }
        }
    }
}

impl Node {
    /// Ready, as far as this process knows, for the object as it stands.
    pub(crate) fn is_ready(&self) -> bool {
        self.state.ready
            && self.state.generation == self.object.generation()
            && !self.object.deleting()
    }
}

fn compare(old: &Object, new: &Object) -> Seen {
    let requested = new.annotation(names::REQUESTED_AT);
    if old.uid() != new.uid() {
        return Seen::New;
    }
    if requested.is_some() && requested != old.annotation(names::REQUESTED_AT) {
        return Seen::Requested;
    }
    if old.generation() != new.generation()
        || old.deleting() != new.deleting()
        || other_parent(old) != other_parent(new)
        || made_by_others(old) != made_by_others(new)
    {
        return Seen::Changed;
    }
    Seen::Same
}

/// The artifact of an ExternalArtifact stands in its status.
fn made_by_others(object: &Object) -> Option<&serde_json::Value> {
    (object.kind() == "ExternalArtifact")
        .then(|| object.get("/status/artifact"))
        .flatten()
}

/// The entry of a repository makes itself, and does not wait for that.
fn other_parent(object: &Object) -> Option<NodeId> {
    parent_of(object).filter(|parent| NodeId::of(object).as_ref() != Some(parent))
}

fn parent_of(object: &Object) -> Option<NodeId> {
    let by = |kind, name, namespace| {
        Some(NodeId::new(
            kind,
            object.label(namespace)?,
            object.label(name)?,
        ))
    };
    by(
        crate::NodeKind::Kustomization,
        names::OWNER_NAME,
        names::OWNER_NAMESPACE,
    )
    .or_else(|| {
        by(
            crate::NodeKind::Pipeline,
            names::PIPELINE_NAME,
            names::PIPELINE_NAMESPACE,
        )
    })
}

#[cfg(test)]
mod tests;
