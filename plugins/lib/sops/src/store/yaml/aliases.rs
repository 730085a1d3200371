//! What aliases refer to.

use std::collections::HashMap;

use weir_k8s_yaml::{Content, Node};

use super::super::{LoadError, MAX_DEPTH};

/// The nodes that the aliases of a document stand for.
pub(super) struct Aliases<'a> {
    /// By the place of the alias's node in memory, which does not move while the document is borrowed.
    targets: HashMap<usize, &'a Node>,
}

struct Collector<'a> {
    anchors: HashMap<&'a str, &'a Node>,
    targets: HashMap<usize, &'a Node>,
}

impl<'a> Aliases<'a> {
    /// An alias refers to the last anchor of its name before it.
    pub(super) fn of(root: &'a Node) -> Result<Self, LoadError> {
        let mut collector = Collector {
            anchors: HashMap::new(),
            targets: HashMap::new(),
        };
        collector.visit(root, 0)?;
        Ok(Self {
            targets: collector.targets,
        })
    }

    pub(super) fn target(&self, alias: &Node) -> Option<&'a Node> {
        self.targets.get(&place(alias)).copied()
    }
}

impl<'a> Collector<'a> {
    fn visit(&mut self, node: &'a Node, depth: usize) -> Result<(), LoadError> {
        if depth > MAX_DEPTH {
            return Err(LoadError::Depth);
        }
        if let Some(name) = node.anchor() {
            self.anchors.insert(name, node);
        }
        match node.content() {
            Content::Scalar(_) => {}
            Content::Alias(name) => {
                let Some(target) = self.anchors.get(name.as_str()) else {
                    return Err(LoadError::YamlAnchor(name.to_string()));
                };
                self.targets.insert(place(node), target);
            }
            Content::Sequence(items) => {
                for item in items {
                    self.visit(item, depth + 1)?;
                }
            }
            Content::Mapping(mapping) => {
                for entry in mapping {
                    self.visit(&entry.key, depth + 1)?;
                    self.visit(&entry.value, depth + 1)?;
                }
            }
        }
        Ok(())
    }
}

fn place(node: &Node) -> usize {
    std::ptr::from_ref(node) as usize
}
