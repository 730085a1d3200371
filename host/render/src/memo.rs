//! The memo: traces and what came out, kept by content and bounded in bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use weir_plugin::{Diagnostic, Document, LogLine, Usage};
use weir_tree::Digest;

use crate::trace::Trace;

/// What a step made.
#[derive(Clone, Debug, Default)]
pub struct Output {
    pub documents: Vec<Document>,
    pub attachments: Vec<(String, Bytes)>,
    /// What a filter or a preparer made.
    pub made: Option<Bytes>,
    pub diagnostics: Vec<Diagnostic>,
    pub logs: Vec<LogLine>,
    pub usage: Usage,
    pub tainted: bool,
}

/// A run that can be used again while its trace holds.
#[derive(Clone, Debug)]
pub struct Kept {
    pub trace: Arc<Trace>,
    pub output: Arc<Output>,
}

/// Kept runs by step key. Bounded: over its budget the longest unused go first.
#[derive(Debug)]
pub struct Memo {
    budget: usize,
    /// Of one key so many runs are kept.
    variants: usize,
    used: usize,
    clock: u64,
    slots: HashMap<Digest, Vec<Slot>>,
    by_age: BTreeMap<u64, Digest>,
}

#[derive(Debug)]
struct Slot {
    kept: Kept,
    weight: usize,
    age: u64,
}

impl Memo {
    pub fn new(budget: usize, variants: usize) -> Self {
        Self {
            budget,
            variants,
            used: 0,
            clock: 0,
            slots: HashMap::new(),
            by_age: BTreeMap::new(),
        }
    }

    /// The runs of a step, newest first.
    pub fn candidates(&self, key: &Digest) -> Vec<Kept> {
        self.slots
            .get(key)
            .into_iter()
            .flatten()
            .rev()
            .map(|slot| slot.kept.clone())
            .collect()
    }

    /// Marks a run as used.
    pub fn touch(&mut self, key: &Digest, trace: &Arc<Trace>) {
        let age = self.tick();
        let Some(slots) = self.slots.get_mut(key) else {
            return;
        };
        let Some(at) = slots
            .iter()
            .position(|slot| Arc::ptr_eq(&slot.kept.trace, trace))
        else {
            return;
        };
        let mut slot = slots.remove(at);
        self.by_age.remove(&slot.age);
        slot.age = age;
        slots.push(slot);
        self.by_age.insert(age, *key);
    }

    pub fn insert(&mut self, key: Digest, kept: Kept) {
        let weight = weight(&kept);
        if weight > self.budget {
            return;
        }
        let age = self.tick();
        let slots = self.slots.entry(key).or_default();
        slots.push(Slot { kept, weight, age });
        let surplus = if slots.len() > self.variants {
            Some(slots.remove(0))
        } else {
            None
        };
        self.used += weight;
        self.by_age.insert(age, key);
        if let Some(old) = surplus {
            self.used -= old.weight;
            self.by_age.remove(&old.age);
        }
        while self.used > self.budget {
            let Some((age, key)) = self.by_age.pop_first() else {
                break;
            };
            self.drop_slot(&key, age);
        }
    }

    /// Bytes in use, about.
    pub fn used(&self) -> usize {
        self.used
    }

    fn drop_slot(&mut self, key: &Digest, age: u64) {
        let Some(slots) = self.slots.get_mut(key) else {
            return;
        };
        if let Some(at) = slots.iter().position(|slot| slot.age == age) {
            self.used -= slots.remove(at).weight;
        }
        if slots.is_empty() {
            self.slots.remove(key);
        }
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

fn weight(kept: &Kept) -> usize {
    let output = &kept.output;
    let documents: usize = output
        .documents
        .iter()
        .map(|document| 200 + document.body().len())
        .sum();
    let attachments: usize = output
        .attachments
        .iter()
        .map(|(name, body)| name.len() + body.len())
        .sum();
    let texts: usize = output
        .diagnostics
        .iter()
        .map(|finding| 200 + finding.message.len())
        .sum::<usize>()
        + output
            .logs
            .iter()
            .map(|line| 50 + line.message.len())
            .sum::<usize>();
    500 + kept.trace.weight()
        + documents
        + attachments
        + texts
        + output.made.as_ref().map_or(0, Bytes::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(bytes: usize) -> Kept {
        let output = Output {
            made: Some(Bytes::from(vec![0; bytes])),
            ..Output::default()
        };
        Kept {
            trace: Arc::new(Trace::default()),
            output: Arc::new(output),
        }
    }

    #[test]
    fn the_longest_unused_goes_first() {
        let keys: Vec<Digest> = (0..3u8).map(|n| Digest::of(&[n])).collect();
        let mut memo = Memo::new(3200, 4);
        memo.insert(keys[0], kept(1000));
        memo.insert(keys[1], kept(1000));
        let first = memo.candidates(&keys[0]).remove(0);
        memo.touch(&keys[0], &first.trace);
        memo.insert(keys[2], kept(1000));
        assert_eq!(memo.candidates(&keys[1]).len(), 0);
        assert_eq!(
            (
                memo.candidates(&keys[0]).len(),
                memo.candidates(&keys[2]).len()
            ),
            (1, 1)
        );
        assert!(memo.used() <= 3200);
    }

    #[test]
    fn one_key_keeps_few_variants_and_what_is_too_large_is_not_kept() {
        let key = Digest::of(b"k");
        let mut memo = Memo::new(100_000, 4);
        for _ in 0..10 {
            memo.insert(key, kept(10));
        }
        assert_eq!(memo.candidates(&key).len(), 4);
        memo.insert(Digest::of(b"large"), kept(200_000));
        assert!(memo.candidates(&Digest::of(b"large")).is_empty());
    }
}
