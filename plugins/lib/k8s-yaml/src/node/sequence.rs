//! Sequences.

use std::ops::{Index, IndexMut};

use super::{Node, tree};

/// The items of a sequence.
#[derive(Debug, Default)]
pub struct Sequence {
    pub(super) items: Vec<Node>,
}

impl Sequence {
    /// An empty sequence.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The item at an index.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<&Node> {
        self.items.get(at)
    }

    /// The item at an index.
    #[must_use]
    pub fn get_mut(&mut self, at: usize) -> Option<&mut Node> {
        self.items.get_mut(at)
    }

    /// Appends an item.
    pub fn push(&mut self, item: Node) {
        self.items.push(item);
    }

    /// Inserts an item before the item `at`, or at the end if there are fewer.
    pub fn insert(&mut self, at: usize, item: Node) {
        self.items.insert(at.min(self.items.len()), item);
    }

    /// Removes the item at an index.
    pub fn remove(&mut self, at: usize) -> Option<Node> {
        (at < self.items.len()).then(|| self.items.remove(at))
    }

    /// Keeps the items that `keep` says yes to.
    pub fn retain(&mut self, keep: impl FnMut(&Node) -> bool) {
        self.items.retain(keep);
    }

    /// Removes all items.
    pub fn clear(&mut self) {
        *self = Sequence::new();
    }

    /// The items.
    pub fn iter(&self) -> std::slice::Iter<'_, Node> {
        self.items.iter()
    }

    /// The items.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Node> {
        self.items.iter_mut()
    }

    /// The items as a slice.
    #[must_use]
    pub fn items(&self) -> &[Node] {
        &self.items
    }

    /// The items, to be reordered or replaced.
    pub fn items_mut(&mut self) -> &mut Vec<Node> {
        &mut self.items
    }

    /// Takes the items out.
    #[must_use]
    pub fn into_items(mut self) -> Vec<Node> {
        std::mem::take(&mut self.items)
    }
}

impl Index<usize> for Sequence {
    type Output = Node;

    fn index(&self, at: usize) -> &Node {
        &self.items[at]
    }
}

impl IndexMut<usize> for Sequence {
    fn index_mut(&mut self, at: usize) -> &mut Node {
        &mut self.items[at]
    }
}

impl FromIterator<Node> for Sequence {
    fn from_iter<T: IntoIterator<Item = Node>>(items: T) -> Self {
        Self {
            items: items.into_iter().collect(),
        }
    }
}

impl From<Vec<Node>> for Sequence {
    fn from(items: Vec<Node>) -> Self {
        Self { items }
    }
}

impl<'a> IntoIterator for &'a Sequence {
    type Item = &'a Node;
    type IntoIter = std::slice::Iter<'a, Node>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Sequence {
    type Item = &'a mut Node;
    type IntoIter = std::slice::IterMut<'a, Node>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl IntoIterator for Sequence {
    type Item = Node;
    type IntoIter = std::vec::IntoIter<Node>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_items().into_iter()
    }
}

impl Drop for Sequence {
    fn drop(&mut self) {
        tree::dismantle_sequence(&mut self.items);
    }
}
