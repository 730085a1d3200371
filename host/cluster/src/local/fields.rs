//! Sets of fields: what a manager owns, in memory and in Kubernetes' `fieldsV1` form.
//!
//! A set is a tree of path elements in the order in which Kubernetes writes them. A node without a mark of its own exists
//! only because something below it is owned; such a node with nothing below it never stays in a set.

mod element;
mod v1;

pub(crate) use element::{Element, Scalar};
pub(crate) use v1::FieldsError;

use super::schema::{Schema, TypeId};

/// A set of fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    /// Sorted by element, each element once.
    nodes: Vec<Node>,
}

/// An element of a path with what is owned at it and below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) element: Element,
    /// Whether the path up to here is in the set.
    pub(crate) member: bool,
    pub(crate) children: Set,
}

impl Set {
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Adds a path; the empty path is the object itself, which nobody owns.
    pub(crate) fn insert(&mut self, path: &[Element]) {
        let [first, rest @ ..] = path else { return };
        let node = self.descend(first);
        if rest.is_empty() {
            node.member = true;
        } else {
            node.children.insert(rest);
        }
    }

    pub(crate) fn has(&self, element: &Element) -> bool {
        self.get(element).is_some_and(|node| node.member)
    }

    pub(crate) fn get(&self, element: &Element) -> Option<&Node> {
        self.nodes
            .binary_search_by(|node| node.element.cmp(element))
            .ok()
            .map(|index| &self.nodes[index])
    }

    /// What is in the set below an element.
    pub(crate) fn below(&self, element: &Element) -> Option<&Set> {
        self.get(element)
            .map(|node| &node.children)
            .filter(|children| !children.is_empty())
    }

    pub(crate) fn union(&self, other: &Set) -> Set {
        self.zip(other, |left, right| match (left, right) {
            (Some(left), Some(right)) => Some((
                left.member || right.member,
                left.children.union(&right.children),
            )),
            (Some(only), None) | (None, Some(only)) => Some((only.member, only.children.clone())),
            (None, None) => None,
        })
    }

    pub(crate) fn intersection(&self, other: &Set) -> Set {
        self.zip(other, |left, right| {
            let (left, right) = (left?, right?);
            Some((
                left.member && right.member,
                left.children.intersection(&right.children),
            ))
        })
    }

    /// Without the paths of the other set; what is below them stays.
    pub(crate) fn difference(&self, other: &Set) -> Set {
        self.zip(other, |left, right| {
            let left = left?;
            Some(match right {
                Some(right) => (
                    left.member && !right.member,
                    left.children.difference(&right.children),
                ),
                None => (left.member, left.children.clone()),
            })
        })
    }

    /// Without the paths of the other set and all that is below them.
    pub(crate) fn without(&self, other: &Set) -> Set {
        self.zip(other, |left, right| {
            let left = left?;
            match right {
                Some(right) if right.member => None,
                Some(right) => Some((left.member, left.children.without(&right.children))),
                None => Some((left.member, left.children.clone())),
            }
        })
    }

    /// The same set in which a field that a struct declares is owned where anything below it is. The set of somebody who
    /// owns `spec.replicas` does not say that `spec` is owned; when things are removed it has to count.
    pub(crate) fn with_declared_fields(&self, schema: &Schema, id: Option<TypeId>) -> Set {
        let ty = id.map(|id| schema.get(id));
        let nodes = self.nodes.iter().map(|node| {
            let mut member = node.member;
            let mut below = None;
            match &node.element {
                Element::Field(name) => {
                    if let Some(map) = ty.and_then(|ty| ty.map.as_ref()) {
                        let declared = map.field(name);
                        member |= declared.is_some() && !node.children.is_empty();
                        below = declared.or(map.rest);
                    }
                }
                Element::Key(_) => below = ty.and_then(|ty| ty.list.as_ref()).map(|list| list.item),
                Element::Value(_) | Element::Index(_) => {}
            }
            let children = node.children.with_declared_fields(schema, below);
            Node {
                element: node.element.clone(),
                member,
                children,
            }
        });
        Set {
            nodes: nodes.collect(),
        }
    }

    /// Every path in the set.
    pub(crate) fn paths(&self) -> Vec<Vec<Element>> {
        fn collect(set: &Set, prefix: &mut Vec<Element>, paths: &mut Vec<Vec<Element>>) {
            for node in &set.nodes {
                prefix.push(node.element.clone());
                if node.member {
                    paths.push(prefix.clone());
                }
                collect(&node.children, prefix, paths);
                prefix.pop();
            }
        }
        let mut paths = Vec::new();
        collect(self, &mut Vec::new(), &mut paths);
        paths
    }

    fn descend(&mut self, element: &Element) -> &mut Node {
        let found = self
            .nodes
            .binary_search_by(|node| node.element.cmp(element));
        let index = found.unwrap_or_else(|index| {
            self.nodes.insert(
                index,
                Node {
                    element: element.clone(),
                    member: false,
                    children: Set::default(),
                },
            );
            index
        });
        &mut self.nodes[index]
    }

    /// Walks both sets in order; `keep` says what becomes of each element.
    fn zip(
        &self,
        other: &Set,
        keep: impl Fn(Option<&Node>, Option<&Node>) -> Option<(bool, Set)>,
    ) -> Set {
        let mut nodes = Vec::new();
        let (mut left, mut right) = (self.nodes.iter().peekable(), other.nodes.iter().peekable());
        loop {
            let order = match (left.peek(), right.peek()) {
                (Some(one), Some(two)) => one.element.cmp(&two.element),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => return Set { nodes },
            };
            let one = if order.is_le() { left.next() } else { None };
            let two = if order.is_ge() { right.next() } else { None };
            let Some(element) = one.or(two).map(|node| &node.element) else {
                continue;
            };
            if let Some((member, children)) = keep(one, two)
                && (member || !children.is_empty())
            {
                nodes.push(Node {
                    element: element.clone(),
                    member,
                    children,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
