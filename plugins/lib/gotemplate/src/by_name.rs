//! Maps by names that a template says, with a hash that costs little.
//!
//! Whoever writes a template can choose names that collide. That costs its own render time, of which it can waste as much as
//! it is allowed by a loop.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::Text;

/// What belongs to names.
pub type ByName<V> = HashMap<Text, V, Build>;
pub(crate) type Build = BuildHasherDefault<NameHasher>;

/// Takes eight bytes at a time.
#[derive(Debug, Clone, Copy, Default)]
pub struct NameHasher(u64);

impl NameHasher {
    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for NameHasher {
    fn finish(&self) -> u64 {
        // The table takes its buckets from the low bits, and the high ones are the best.
        self.0.rotate_left(26)
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((word, behind)) = rest.split_first_chunk() {
            self.add(u64::from_le_bytes(*word));
            rest = behind;
        }
        let word = match (rest.first_chunk(), rest.last_chunk()) {
            // They overlap, unless there are eight.
            (Some(first), Some(last)) => {
                u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
            }
            _ => rest
                .iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        self.add(word);
    }

    /// The length comes first.
    fn write_usize(&mut self, length: usize) {
        self.0 ^= length as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::BuildHasher as _;

    use super::*;

    #[test]
    fn names_that_differ_a_little_have_hashes_of_their_own() {
        let hash = |text: &str| Build::default().hash_one(Text::from(text));
        let mut names: Vec<String> = Vec::new();
        for first in 'a'..='z' {
            for second in "abcxyz_019".chars() {
                for length in 0..20 {
                    names.push(format!("{first}{}{second}", "n".repeat(length)));
                }
            }
        }
        let hashes: HashSet<u64> = names.iter().map(|name| hash(name)).collect();
        assert_eq!(hashes.len(), names.len());
        // Buckets and tags are well spread.
        for part in [|hash: u64| hash & 0x3ff, |hash: u64| hash >> 54] {
            let different: HashSet<u64> = names.iter().map(|name| part(hash(name))).collect();
            assert!(different.len() > 900, "{}", different.len());
        }
    }
}
