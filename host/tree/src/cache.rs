//! A bounded map that forgets what was not used for long.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

/// Two generations: when the young one is full it becomes the old one, and what nobody asked for since is dropped.
/// So a look-up costs one or two hash look-ups, and at most `limit` weight is held.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    weight: usize,
    /// What one generation may weigh.
    half: usize,
}

impl<K: Hash + Eq + Clone, V: Clone + Weigh> Cache<K, V> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            weight: 0,
            half: limit / 2,
        }
    }

    pub(crate) fn get<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let (key, value) = self.old.remove_entry(key)?;
        self.insert(key, value.clone());
        Some(value)
    }

    /// Keeps `value` unless it alone is over the limit.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        let weight = value.weight();
        if weight > self.half {
            return;
        }
        if self.weight + weight > self.half {
            self.old = mem::take(&mut self.young);
            self.weight = 0;
        }
        if let Some(before) = self.young.insert(key, value) {
            self.weight -= before.weight();
        }
        self.weight += weight;
    }
}

/// How much of a cache's limit a value takes.
pub(crate) trait Weigh {
    fn weight(&self) -> usize;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Load(usize);

    impl Weigh for Load {
        fn weight(&self) -> usize {
            self.0
        }
    }

    #[test]
    fn the_weight_stays_under_the_limit() {
        let mut cache = Cache::new(100);
        for key in 0..10_000_u32 {
            cache.insert(key, Load(7));
            let held: usize = cache
                .young
                .values()
                .chain(cache.old.values())
                .map(Weigh::weight)
                .sum();
            assert!(held <= 100, "{held}");
        }
    }

    #[test]
    fn what_is_used_again_stays() {
        let mut cache = Cache::new(100);
        cache.insert(u32::MAX, Load(1));
        for key in 0..1000 {
            cache.insert(key, Load(5));
            assert_eq!(cache.get(&u32::MAX), Some(Load(1)), "after {key}");
        }
        assert_eq!(cache.get(&0), None);
    }

    #[test]
    fn a_value_over_the_limit_is_not_kept() {
        let mut cache = Cache::new(100);
        cache.insert(1, Load(20));
        cache.insert(2, Load(51));
        assert_eq!(cache.get(&2), None);
        assert_eq!(cache.get(&1), Some(Load(20)));
    }

    #[test]
    fn replacing_counts_once() {
        let mut cache = Cache::new(100);
        for _ in 0..1000 {
            cache.insert(1, Load(10));
            assert!(cache.weight <= 50);
        }
        assert_eq!(cache.get(&1), Some(Load(10)));
    }
}
