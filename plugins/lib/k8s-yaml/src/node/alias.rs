//! Expanding aliases and merge keys in a tree, as kyaml's `DeAnchor` does.

use std::collections::{HashMap, HashSet};

use super::{Content, Entry, Kind, Mapping, Node, Tag, Text};
use crate::error::{ErrorKind, Limit, YamlError};
use crate::limits::Limits;

impl Node {
    /// Replaces every alias by a copy of what it refers to, merges the mappings below merge keys, and removes the names
    /// of anchors.
    ///
    /// Explicit entries win over merged ones wherever they stand, earlier sources of a list over later ones; merged entries
    /// come after explicit ones.
    ///
    /// # Errors
    ///
    /// When an alias has no anchor or stands in what it refers to, when a merge key stands twice or has a value that is neither a mapping nor
    /// a list of mappings, or when a limit is hit.
    pub fn expand_aliases(&mut self, limits: &Limits) -> Result<(), YamlError> {
        let depth_limit = limits.depth.min(Limits::MAX_DEPTH);
        let mut expander = Expander {
            anchors: HashMap::new(),
            open: HashSet::new(),
            depth_limit,
            left: limits.alias_nodes,
        };
        expander.node(self, 0)?;
        Ok(())
    }
}

/// The size of a tree.
#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    height: usize,
    nodes: usize,
}

impl Extent {
    fn include(&mut self, child: Extent) {
        self.height = self.height.max(child.height + 1);
        self.nodes += child.nodes;
    }
}

struct Expander {
    /// What the anchors seen so far name, already expanded.
    anchors: HashMap<Text, (Node, Extent)>,
    /// The anchors of the nodes that are being expanded.
    open: HashSet<Text>,
    depth_limit: usize,
    /// How many more nodes may be copied.
    left: usize,
}

impl Expander {
    fn node(&mut self, node: &mut Node, depth: usize) -> Result<Extent, YamlError> {
        if depth > self.depth_limit {
            return Err(self.too_deep(node));
        }
        let anchor = node.anchor().map(Text::new);
        if let Some(name) = &anchor {
            node.set_anchor(None);
            self.open.insert(name.clone());
        }
        let extent = self.content(node, depth)?;
        if let Some(name) = anchor {
            self.open.remove(&name);
            self.anchors.insert(name, (node.clone(), extent));
        }
        Ok(extent)
    }

    fn content(&mut self, node: &mut Node, depth: usize) -> Result<Extent, YamlError> {
        if let Content::Alias(name) = &node.content {
            let name = name.clone();
            let (copy, extent) = self.copy(node, &name)?;
            if depth + extent.height > self.depth_limit {
                return Err(self.too_deep(node));
            }
            *node = copy;
            return Ok(extent);
        }
        if let Content::Mapping(mapping) = &mut node.content
            && let Some(value) = take_merge_value(mapping)?
        {
            self.merge(mapping, value)?;
        }
        let mut extent = Extent {
            height: 0,
            nodes: 1,
        };
        match &mut node.content {
            Content::Mapping(mapping) => {
                for entry in mapping {
                    extent.include(self.node(&mut entry.key, depth + 1)?);
                    extent.include(self.node(&mut entry.value, depth + 1)?);
                }
            }
            Content::Sequence(sequence) => {
                for item in sequence {
                    extent.include(self.node(item, depth + 1)?);
                }
            }
            Content::Scalar(_) | Content::Alias(_) => {}
        }
        Ok(extent)
    }

    fn copy(&mut self, alias: &Node, name: &Text) -> Result<(Node, Extent), YamlError> {
        if self.open.contains(name) {
            let message = format!("anchor '{name}' value contains itself");
            return Err(YamlError::new(ErrorKind::Reference, message).at(alias.span));
        }
        let Some((node, extent)) = self.anchors.get(name) else {
            let message = format!("unknown anchor '{name}' referenced");
            return Err(YamlError::new(ErrorKind::Reference, message)
                .at(alias.span)
                .with_hint(format!(
                    "define it before its use in the same document: &{name}"
                )));
        };
        self.left = self.left.checked_sub(extent.nodes).ok_or_else(|| {
            YamlError::limit(Limit::Aliases, "document contains excessive aliasing")
                .at(alias.span)
                .with_hint("write the repeated parts out, or split the document")
        })?;
        Ok((node.clone(), *extent))
    }

    /// Adds the entries of the sources below a merge key that the mapping does not have itself.
    fn merge(&mut self, mapping: &mut Mapping, value: Node) -> Result<(), YamlError> {
        let mut sources = Vec::new();
        self.collect_sources(value, &mut sources)?;
        let explicit: HashSet<Text> = mapping.keys().cloned().collect();
        let mut merged: HashMap<Text, usize> = HashMap::new();
        // The first source of a list wins, so it is put in last.
        for source in sources.into_iter().rev() {
            for Entry { key, value } in source {
                let Some(name) = key.text().cloned() else {
                    mapping.push(key, value);
                    continue;
                };
                if explicit.contains(&name) {
                    continue;
                }
                match merged.get(&name) {
                    Some(&at) => mapping.entries[at] = Entry { key, value },
                    None => {
                        merged.insert(name, mapping.len());
                        mapping.push(key, value);
                    }
                }
            }
        }
        Ok(())
    }

    fn collect_sources(
        &mut self,
        value: Node,
        sources: &mut Vec<Mapping>,
    ) -> Result<(), YamlError> {
        let span = value.span;
        let wrong = |message: &str| Err(YamlError::bare(ErrorKind::Reference, message).at(span));
        match value.content {
            Content::Mapping(mapping) => sources.push(mapping),
            Content::Alias(ref name) => match self.copy(&value, name)?.0.content {
                Content::Mapping(mapping) => sources.push(mapping),
                Content::Scalar(_) | Content::Sequence(_) | Content::Alias(_) => {
                    return wrong("invalid map merge: received alias for a non-map value");
                }
            },
            Content::Sequence(items) => {
                for item in items {
                    if item.kind() == Kind::Sequence {
                        return wrong("invalid map merge: received a nested sequence");
                    }
                    self.collect_sources(item, sources)?;
                }
            }
            Content::Scalar(_) => {
                return wrong("map merge requires map or sequence of maps as the value");
            }
        }
        Ok(())
    }

    fn too_deep(&self, node: &Node) -> YamlError {
        let message = format!(
            "aliases nest the document more than {} levels deep",
            self.depth_limit
        );
        YamlError::limit(Limit::Depth, message).at(node.span)
    }
}

fn take_merge_value(mapping: &mut Mapping) -> Result<Option<Node>, YamlError> {
    let is_merge = |entry: &Entry| entry.key.tag == Tag::Merge;
    let Some(at) = mapping.entries.iter().position(is_merge) else {
        return Ok(None);
    };
    if let Some(second) = mapping.entries[at + 1..]
        .iter()
        .find(|entry| is_merge(entry))
    {
        return Err(
            YamlError::bare(ErrorKind::DuplicateKey, "duplicate merge key")
                .at(second.key.span)
                .with_hint("put the sources into one list: <<: [*a, *b]"),
        );
    }
    Ok(Some(mapping.entries.remove(at).value))
}
