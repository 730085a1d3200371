//! A generator whose seed comes from the host.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};

/// Bytes of a seed.
pub(crate) const SEED: usize = 32;

/// A stream of bytes that only the seed determines.
#[derive(Debug)]
pub(crate) struct Generator(ChaCha20Rng);

impl Generator {
    /// Starts with what the host gave. Fewer bytes than [`SEED`] are filled up with zeros.
    pub(crate) fn new(seed: &[u8]) -> Self {
        let mut full = [0; SEED];
        for (to, from) in full.iter_mut().zip(seed) {
            *to = *from;
        }
        Self(ChaCha20Rng::from_seed(full))
    }

    pub(crate) fn rng(&mut self) -> &mut ChaCha20Rng {
        &mut self.0
    }

    pub(crate) fn fill<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A number below `bound`, each equally likely. 0 if the bound is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            return 0;
        }
        // Numbers from the largest multiple of the bound on would favour small results.
        let fair = u64::MAX - (u64::MAX % bound);
        loop {
            let number = self.0.next_u64();
            if number < fair {
                return number % bound;
            }
        }
    }

    /// Characters of an alphabet, each equally likely.
    pub(crate) fn text(&mut self, alphabet: &[u8], count: usize) -> Vec<u8> {
        let size = alphabet.len() as u64;
        (0..count)
            .map(|_| alphabet[self.below(size) as usize])
            .collect()
    }

    /// Brings items into any order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_determines_everything() {
        let draw = |seed: &[u8]| Generator::new(seed).text(b"abc", 40);
        assert_eq!(draw(b"seed"), draw(b"seed"));
        assert_ne!(draw(b"seed"), draw(b"deed"));
    }

    #[test]
    fn all_numbers_below_the_bound_occur() {
        let mut generator = Generator::new(b"x");
        let mut seen = [false; 7];
        for _ in 0..200 {
            seen[generator.below(7) as usize] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(generator.below(0), 0);
    }
}
