//! Walking whole trees without the call stack.
//!
//! Parsed trees are never deeper than [`crate::Limits::depth`], but code can nest one tree in another any number of times.
//! Dropping and cloning cannot report an error, so they must work at any depth; a recursive version would overflow the
//! stack of a plugin at a few thousand levels.

use std::mem;

use super::{Content, Entry, Mapping, Node, Sequence};

/// Clones deeper than this leave the call stack for the heap.
const RECURSIVE_CLONE: usize = 64;

enum Emptied {
    Entries(Vec<Entry>),
    Items(Vec<Node>),
}

pub(super) fn dismantle_mapping(entries: &mut Vec<Entry>) {
    let mut pending = Vec::new();
    for entry in entries {
        take_children(&mut entry.key, &mut pending);
        take_children(&mut entry.value, &mut pending);
    }
    dismantle(pending);
}

pub(super) fn dismantle_sequence(items: &mut Vec<Node>) {
    let mut pending = Vec::new();
    for item in items {
        take_children(item, &mut pending);
    }
    dismantle(pending);
}

/// Drops trees whose every collection was emptied before its turn, so that no drop sees a nested collection.
fn dismantle(mut pending: Vec<Emptied>) {
    while let Some(next) = pending.pop() {
        match next {
            Emptied::Entries(mut entries) => {
                for entry in &mut entries {
                    take_children(&mut entry.key, &mut pending);
                    take_children(&mut entry.value, &mut pending);
                }
            }
            Emptied::Items(mut items) => {
                for item in &mut items {
                    take_children(item, &mut pending);
                }
            }
        }
    }
}

fn take_children(node: &mut Node, pending: &mut Vec<Emptied>) {
    match &mut node.content {
        Content::Mapping(mapping) if !mapping.entries.is_empty() => {
            pending.push(Emptied::Entries(mem::take(&mut mapping.entries)));
        }
        Content::Sequence(sequence) if !sequence.items.is_empty() => {
            pending.push(Emptied::Items(mem::take(&mut sequence.items)));
        }
        Content::Mapping(_) | Content::Sequence(_) | Content::Scalar(_) | Content::Alias(_) => {}
    }
}

impl Clone for Node {
    fn clone(&self) -> Self {
        clone_shallow(self, RECURSIVE_CLONE)
    }
}

impl Clone for Mapping {
    fn clone(&self) -> Self {
        clone_mapping(self, RECURSIVE_CLONE)
    }
}

impl Clone for Sequence {
    fn clone(&self) -> Self {
        clone_sequence(self, RECURSIVE_CLONE)
    }
}

fn clone_shallow(node: &Node, depth: usize) -> Node {
    let content = match &node.content {
        Content::Scalar(text) => Content::Scalar(text.clone()),
        Content::Alias(name) => Content::Alias(name.clone()),
        Content::Mapping(_) | Content::Sequence(_) if depth == 0 => return clone_deep(node),
        Content::Mapping(mapping) => Content::Mapping(clone_mapping(mapping, depth - 1)),
        Content::Sequence(sequence) => Content::Sequence(clone_sequence(sequence, depth - 1)),
    };
    shell(node, content)
}

fn clone_mapping(mapping: &Mapping, depth: usize) -> Mapping {
    let entries = mapping.entries.iter().map(|entry| Entry {
        key: clone_shallow(&entry.key, depth),
        value: clone_shallow(&entry.value, depth),
    });
    Mapping {
        entries: entries.collect(),
    }
}

fn clone_sequence(sequence: &Sequence, depth: usize) -> Sequence {
    let items = sequence.items.iter().map(|item| clone_shallow(item, depth));
    Sequence {
        items: items.collect(),
    }
}

/// A collection whose children are being cloned; keys and values of a mapping alternate.
struct Open<'a> {
    node: &'a Node,
    children: Vec<Node>,
}

impl<'a> Open<'a> {
    fn next_child(&self) -> Option<&'a Node> {
        let at = self.children.len();
        match &self.node.content {
            Content::Mapping(mapping) => {
                let entry = mapping.entries.get(at / 2)?;
                Some(if at.is_multiple_of(2) {
                    &entry.key
                } else {
                    &entry.value
                })
            }
            Content::Sequence(sequence) => sequence.items.get(at),
            Content::Scalar(_) | Content::Alias(_) => None,
        }
    }

    fn close(self) -> Node {
        let content = match &self.node.content {
            Content::Mapping(_) => {
                let mut children = self.children.into_iter();
                let mut entries = Vec::with_capacity(children.len() / 2);
                while let (Some(key), Some(value)) = (children.next(), children.next()) {
                    entries.push(Entry { key, value });
                }
                Content::Mapping(Mapping { entries })
            }
            Content::Sequence(_) => Content::Sequence(Sequence {
                items: self.children,
            }),
            Content::Scalar(text) => Content::Scalar(text.clone()),
            Content::Alias(name) => Content::Alias(name.clone()),
        };
        shell(self.node, content)
    }
}

fn clone_deep(root: &Node) -> Node {
    let mut parents: Vec<Open<'_>> = Vec::new();
    let mut open = Open {
        node: root,
        children: Vec::new(),
    };
    loop {
        if let Some(child) = open.next_child() {
            parents.push(mem::replace(
                &mut open,
                Open {
                    node: child,
                    children: Vec::new(),
                },
            ));
            continue;
        }
        let done = open.close();
        match parents.pop() {
            Some(mut parent) => {
                parent.children.push(done);
                open = parent;
            }
            None => return done,
        }
    }
}

fn shell(node: &Node, content: Content) -> Node {
    Node {
        content,
        style: node.style,
        tag: node.tag,
        explicit_tag: node.explicit_tag,
        in_flow: node.in_flow,
        span: node.span,
        extra: node.extra.clone(),
    }
}

/// Visiting.
impl Node {
    /// Calls `visit` for this node and every node below it, parents first, in the order of the source.
    pub fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Node)) {
        let mut pending = vec![self];
        while let Some(node) = pending.pop() {
            visit(node);
            match &node.content {
                Content::Mapping(mapping) => {
                    for entry in mapping.entries.iter().rev() {
                        pending.push(&entry.value);
                        pending.push(&entry.key);
                    }
                }
                Content::Sequence(sequence) => pending.extend(sequence.items.iter().rev()),
                Content::Scalar(_) | Content::Alias(_) => {}
            }
        }
    }

    /// As [`Node::visit`], for changing nodes.
    pub fn visit_mut(&mut self, visit: &mut dyn FnMut(&mut Node)) {
        let mut pending = vec![self];
        while let Some(node) = pending.pop() {
            visit(node);
            match &mut node.content {
                Content::Mapping(mapping) => {
                    for entry in mapping.entries.iter_mut().rev() {
                        pending.push(&mut entry.value);
                        pending.push(&mut entry.key);
                    }
                }
                Content::Sequence(sequence) => pending.extend(sequence.items.iter_mut().rev()),
                Content::Scalar(_) | Content::Alias(_) => {}
            }
        }
    }
}
