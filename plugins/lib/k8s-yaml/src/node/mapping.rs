//! Ordered mappings.

use super::{Content, Node, Text, tree};

/// The entries of a mapping, in the order of the source.
///
/// A key can stand twice, as in the source; looking one up finds the first. Look-ups compare the text of scalar keys and
/// ignore their type, as kustomize does: `1` and `"1"` are the same key.
#[derive(Debug, Default)]
pub struct Mapping {
    pub(super) entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: Node,
    /// The value.
    pub value: Node,
}

impl Mapping {
    /// An empty mapping.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.position(key).map(|at| &self.entries[at].value)
    }

    /// The value of a key.
    #[must_use]
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.position(key).map(|at| &mut self.entries[at].value)
    }

    /// The entry of a key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.position(key).map(|at| &self.entries[at])
    }

    /// The entry of a key.
    #[must_use]
    pub fn entry_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.position(key).map(|at| &mut self.entries[at])
    }

    /// The index of the first entry with a key.
    #[must_use]
    pub fn position(&self, key: &str) -> Option<usize> {
        self.entries.iter().position(|entry| entry.has_key(key))
    }

    /// Whether a key is there.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// Replaces the value of a key, or appends an entry; gives the old value back.
    pub fn set(&mut self, key: impl AsRef<str>, value: Node) -> Option<Node> {
        let key = key.as_ref();
        if let Some(place) = self.get_mut(key) {
            return Some(std::mem::replace(place, value));
        }
        self.push(Node::string(key), value);
        None
    }

    /// The value of a key, appended as made by `make` if the key is not there.
    pub fn get_or_insert_with(&mut self, key: &str, make: impl FnOnce() -> Node) -> &mut Node {
        let at = self.position(key).unwrap_or_else(|| {
            self.push(Node::string(key), make());
            self.entries.len() - 1
        });
        &mut self.entries[at].value
    }

    /// Appends an entry without looking for its key.
    pub fn push(&mut self, key: Node, value: Node) {
        self.entries.push(Entry { key, value });
    }

    /// Inserts an entry before the entry `at`, or at the end if there are fewer, without looking for its key.
    pub fn insert(&mut self, at: usize, key: Node, value: Node) {
        let at = at.min(self.entries.len());
        self.entries.insert(at, Entry { key, value });
    }

    /// Removes the first entry with a key and gives its value.
    pub fn remove(&mut self, key: &str) -> Option<Node> {
        let at = self.position(key)?;
        Some(self.entries.remove(at).value)
    }

    /// Removes the entry at an index.
    pub fn remove_at(&mut self, at: usize) -> Option<Entry> {
        (at < self.entries.len()).then(|| self.entries.remove(at))
    }

    /// Keeps the entries that `keep` says yes to.
    pub fn retain(&mut self, keep: impl FnMut(&Entry) -> bool) {
        self.entries.retain(keep);
    }

    /// Removes all entries.
    pub fn clear(&mut self) {
        *self = Mapping::new();
    }

    /// The entries.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.entries.iter()
    }

    /// The entries. Keys may be changed too.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Entry> {
        self.entries.iter_mut()
    }

    /// The entries as a slice.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries, to be reordered or replaced.
    pub fn entries_mut(&mut self) -> &mut Vec<Entry> {
        &mut self.entries
    }

    /// Takes the entries out.
    #[must_use]
    pub fn into_entries(mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// The texts of the scalar keys.
    pub fn keys(&self) -> impl Iterator<Item = &Text> {
        self.entries.iter().filter_map(|entry| entry.key.text())
    }
}

impl Entry {
    /// Whether the key is a scalar with this text.
    #[must_use]
    pub fn has_key(&self, key: &str) -> bool {
        matches!(&self.key.content, Content::Scalar(text) if text == key)
    }
}

impl FromIterator<(Node, Node)> for Mapping {
    fn from_iter<T: IntoIterator<Item = (Node, Node)>>(entries: T) -> Self {
        let entries = entries.into_iter().map(|(key, value)| Entry { key, value });
        Self {
            entries: entries.collect(),
        }
    }
}

impl From<Vec<Entry>> for Mapping {
    fn from(entries: Vec<Entry>) -> Self {
        Self { entries }
    }
}

impl<'a> IntoIterator for &'a Mapping {
    type Item = &'a Entry;
    type IntoIter = std::slice::Iter<'a, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Mapping {
    type Item = &'a mut Entry;
    type IntoIter = std::slice::IterMut<'a, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl IntoIterator for Mapping {
    type Item = Entry;
    type IntoIter = std::vec::IntoIter<Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_entries().into_iter()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        tree::dismantle_mapping(&mut self.entries);
    }
}
