//! A map in the order of its keys, made for many small ones: values of charts and the maps that templates work on.
//!
//! Up to [`FEW`] entries stand in one piece of memory and are found by halving; what has more is a tree, so that no number
//! of keys makes a change expensive. It knows nothing of what it holds.
//!
//! ```
//! use weir_sorted_map::SortedMap;
//!
//! let mut ports: SortedMap<String, u16> = [("http".to_owned(), 80), ("dns".to_owned(), 53)].into_iter().collect();
//! ports.insert("https".to_owned(), 443);
//! assert_eq!(ports.get("http"), Some(&80));
//! assert_eq!(ports.keys().collect::<Vec<_>>(), ["dns", "http", "https"]);
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::borrow::Borrow;
use std::collections::{BTreeMap, btree_map};
use std::fmt;

/// How many entries stand in one piece of memory.
pub const FEW: usize = 64;

/// Entries in the order of their keys, each key once.
#[derive(Clone)]
pub struct SortedMap<K, V> {
    /// All entries, unless they are in `many`.
    few: Vec<(K, V)>,
    /// All entries, once there were more than [`FEW`]; one of the two is empty.
    many: BTreeMap<K, V>,
}

impl<K: Ord, V> SortedMap<K, V> {
    /// A map of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            few: Vec::new(),
            many: BTreeMap::new(),
        }
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.few.len() + self.many.len()
    }

    /// True if there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.few.binary_search_by(|entry| entry.0.borrow().cmp(key))
    }

    /// The value of a key.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        if !self.many.is_empty() {
            return self.many.get(key);
        }
        let at = self.place(key).ok()?;
        Some(&self.few[at].1)
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        if !self.many.is_empty() {
            return self.many.get_mut(key);
        }
        let at = self.place(key).ok()?;
        Some(&mut self.few[at].1)
    }

    /// True if the key is there.
    #[must_use]
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// Sets the value of a key and gives the old one.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        if !self.many.is_empty() {
            return self.many.insert(key, value);
        }
        match self.place(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.few[at].1, value)),
            Err(_) if self.few.len() == FEW => {
                self.many = std::mem::take(&mut self.few).into_iter().collect();
                self.many.insert(key, value)
            }
            Err(at) => {
                self.few.insert(at, (key, value));
                None
            }
        }
    }

    /// Removes a key and gives its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        if !self.many.is_empty() {
            return self.many.remove(key);
        }
        let at = self.place(key).ok()?;
        Some(self.few.remove(at).1)
    }

    /// Removes what does not fit.
    pub fn retain(&mut self, mut fits: impl FnMut(&K, &mut V) -> bool) {
        self.few.retain_mut(|entry| fits(&entry.0, &mut entry.1));
        self.many.retain(fits);
    }

    /// The same keys with what is made of their values, as long as that goes well.
    ///
    /// # Errors
    /// The first one that `make` gives.
    pub fn try_map<W, E>(
        &self,
        mut make: impl FnMut(&V) -> Result<W, E>,
    ) -> Result<SortedMap<K, W>, E>
    where
        K: Clone,
    {
        let mut few = Vec::with_capacity(self.few.len());
        for (key, value) in &self.few {
            few.push((key.clone(), make(value)?));
        }
        let many = self.many.iter();
        let many = many.map(|(key, value)| Ok((key.clone(), make(value)?)));
        Ok(SortedMap {
            few,
            many: many.collect::<Result<_, _>>()?,
        })
    }

    /// The entries in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let few = self.few.iter().map(|entry| (&entry.0, &entry.1));
        few.chain(&self.many)
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|entry| entry.0)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|entry| entry.1)
    }

    /// The values in the order of their keys.
    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.into_iter().map(|entry| entry.1)
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::iter::Chain<std::vec::IntoIter<(K, V)>, btree_map::IntoIter<K, V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.few.into_iter().chain(self.many)
    }
}

/// Of two values for a key the later counts.
impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut few: Vec<(K, V)> = entries.into_iter().collect();
        if few.len() > FEW {
            return Self {
                few: Vec::new(),
                many: few.into_iter().collect(),
            };
        }
        if !few.is_sorted_by(|a, b| a.0 < b.0) {
            few.sort_by(|a, b| a.0.cmp(&b.0));
            few.dedup_by(|later, kept| {
                let same = later.0 == kept.0;
                if same {
                    std::mem::swap(later, kept);
                }
                same
            });
        }
        Self {
            few,
            many: BTreeMap::new(),
        }
    }
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self {
            few: Vec::new(),
            many: BTreeMap::new(),
        }
    }
}

impl<K: Ord + PartialEq, V: PartialEq> PartialEq for SortedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<K: Ord + fmt::Debug, V: fmt::Debug> fmt::Debug for SortedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does the same to a tree, and compares.
    fn check(steps: impl Iterator<Item = (u8, u32)>) {
        let (mut map, mut tree) = (SortedMap::new(), BTreeMap::new());
        for (at, (key, value)) in steps.enumerate() {
            if value % 3 == 0 {
                assert_eq!(map.remove(&key), tree.remove(&key));
            } else {
                assert_eq!(map.insert(key, value), tree.insert(key, value));
            }
            assert_eq!(map.len(), tree.len(), "step {at}");
            assert!(map.iter().eq(&tree), "step {at}");
            assert_eq!(map.get(&key), tree.get(&key));
        }
        map.retain(|key, _| key % 2 == 0);
        tree.retain(|key, _| key % 2 == 0);
        assert!(map.iter().eq(&tree));
        let doubled = map.try_map(|value| value.checked_mul(2).ok_or(()));
        let doubled: Vec<u32> = doubled.unwrap().into_values().collect();
        assert!(
            doubled
                .iter()
                .eq(&tree.values().map(|value| value * 2).collect::<Vec<_>>())
        );
        assert!(map.is_empty() || map.try_map(|_| Err::<(), _>(())).is_err());
        assert!(map.into_values().eq(tree.into_values()));
    }

    #[test]
    fn is_a_map_small_or_large() {
        for keys in [5, 60, 70, 200] {
            let mut state = 1_u32;
            check((0..1000).map(move |_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let key = u8::try_from((state >> 8) % keys).unwrap_or(0);
                (key, state >> 16)
            }));
        }
    }

    #[test]
    fn of_two_values_the_later_counts() {
        let few: SortedMap<_, _> = [(2, "a"), (1, "b"), (2, "c"), (2, "d")]
            .into_iter()
            .collect();
        assert!(few.iter().eq([(&1, &"b"), (&2, &"d")]));
        let many: SortedMap<_, _> = (0..200).map(|at| (at % 100, at)).collect();
        assert_eq!((many.len(), many.get(&99)), (100, Some(&199)));
    }
}
