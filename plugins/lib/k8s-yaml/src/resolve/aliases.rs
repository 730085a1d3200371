//! What aliases refer to, and how much they may cost.

use std::collections::HashMap;

use crate::error::{ErrorKind, Limit, YamlError};
use crate::limits::Limits;
use crate::node::{Content, Node, Text};

/// Follows aliases through one tree.
///
/// go-yaml refuses documents of which too large a share comes from aliases; the share that is allowed falls as the
/// document grows. The limit on nodes from aliases holds besides.
pub(super) struct Aliases<'a> {
    root: &'a Node,
    /// For the address of each alias node the node it refers to. Made when the first alias is met: few trees have one.
    targets: Option<HashMap<*const Node, &'a Node>>,
    /// The aliases that are being followed.
    active: Vec<*const Node>,
    nodes: usize,
    alias_nodes: usize,
    limit: usize,
}

impl<'a> Aliases<'a> {
    pub(super) fn new(root: &'a Node, limits: Limits) -> Self {
        Self {
            root,
            targets: None,
            active: Vec::new(),
            nodes: 0,
            alias_nodes: 0,
            limit: limits.alias_nodes,
        }
    }

    /// Counts a node that is resolved.
    pub(super) fn count(&mut self, node: &Node) -> Result<(), YamlError> {
        self.nodes += 1;
        if self.active.is_empty() {
            return Ok(());
        }
        self.alias_nodes += 1;
        if self.alias_nodes > self.limit {
            let message = format!("aliases add more than {} nodes to the document", self.limit);
            return Err(YamlError::limit(Limit::Aliases, message).at(node.span()));
        }
        if self.alias_nodes > 100
            && self.nodes > 1000
            && share(self.alias_nodes, self.nodes) > allowed_share(self.nodes)
        {
            let error = YamlError::limit(Limit::Aliases, "document contains excessive aliasing");
            return Err(error
                .at(node.span())
                .with_hint("write the repeated parts out, or split the document"));
        }
        Ok(())
    }

    /// The node that an alias refers to; what is resolved until [`Aliases::leave`] counts as its work.
    pub(super) fn enter(&mut self, alias: &'a Node, name: &Text) -> Result<&'a Node, YamlError> {
        let target = self.target(alias, name)?;
        if self.active.contains(&std::ptr::from_ref(alias)) {
            let message = format!("anchor '{name}' value contains itself");
            return Err(YamlError::new(ErrorKind::Reference, message).at(alias.span()));
        }
        self.active.push(std::ptr::from_ref(alias));
        Ok(target)
    }

    pub(super) fn leave(&mut self) {
        self.active.pop();
    }

    /// The node that an alias refers to.
    pub(super) fn target(&mut self, alias: &'a Node, name: &Text) -> Result<&'a Node, YamlError> {
        let targets = self.targets.get_or_insert_with(|| bind(self.root));
        targets
            .get(&std::ptr::from_ref(alias))
            .copied()
            .ok_or_else(|| unknown_anchor(alias, name))
    }
}

pub(crate) fn unknown_anchor(alias: &Node, name: &str) -> YamlError {
    YamlError::new(
        ErrorKind::Reference,
        format!("unknown anchor '{name}' referenced"),
    )
    .at(alias.span())
    .with_hint(format!(
        "define it before its use in the same document: &{name}"
    ))
}

/// An alias refers to the last anchor of its name before it.
fn bind(root: &Node) -> HashMap<*const Node, &Node> {
    let mut anchors: HashMap<&str, &Node> = HashMap::new();
    let mut targets = HashMap::new();
    root.visit(&mut |node| {
        if let Some(name) = node.anchor() {
            anchors.insert(name, node);
        }
        if let Content::Alias(name) = node.content()
            && let Some(target) = anchors.get(name.as_str())
        {
            targets.insert(std::ptr::from_ref(node), *target);
        }
    });
    targets
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

fn allowed_share(nodes: usize) -> f64 {
    const LOW: usize = 400_000;
    const HIGH: usize = 4_000_000;
    match nodes {
        ..=LOW => 0.99,
        HIGH.. => 0.10,
        _ => 0.99 - 0.89 * share(nodes - LOW, HIGH - LOW),
    }
}
