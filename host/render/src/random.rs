//! Randomness as a keyed function: the same unit asking the same in the same place gets the same bytes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::recipe::UnitId;

/// Stands in where there is no key. Public: what is made with it is marked as a placeholder.
pub const PUBLIC_KEY: [u8; 32] = *b"weir: no key here, a placeholder";
/// The second public key; values that differ between the two are the placeholders.
pub const SECOND_PUBLIC_KEY: [u8; 32] = *b"weir: no key here, a second time";

/// `length` bytes for the `nth` call from `place` for `purpose`. The key separates clusters, the rest separates calls.
pub fn bytes(
    key: &[u8; 32],
    unit: &UnitId,
    purpose: &str,
    place: &str,
    nth: u32,
    length: u32,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(length as usize);
    let mut block = 0u32;
    while out.len() < length as usize {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        for part in [
            unit.kind.as_str(),
            &unit.name.namespace,
            &unit.name.name,
            purpose,
            place,
        ] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        mac.update(&nth.to_le_bytes());
        mac.update(&block.to_le_bytes());
        out.extend_from_slice(&mac.finalize().into_bytes());
        block += 1;
    }
    out.truncate(length as usize);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_argument_counts() {
        let unit = UnitId::new("Pipeline", "a", "b");
        let base = bytes(&PUBLIC_KEY, &unit, "p", "f", 0, 40);
        assert_eq!(base, bytes(&PUBLIC_KEY, &unit, "p", "f", 0, 40));
        assert_eq!(base.len(), 40);
        let others = [
            bytes(&SECOND_PUBLIC_KEY, &unit, "p", "f", 0, 40),
            bytes(
                &PUBLIC_KEY,
                &UnitId::new("Pipeline", "a", "c"),
                "p",
                "f",
                0,
                40,
            ),
            bytes(&PUBLIC_KEY, &unit, "q", "f", 0, 40),
            bytes(&PUBLIC_KEY, &unit, "p", "g", 0, 40),
            bytes(&PUBLIC_KEY, &unit, "p", "f", 1, 40),
        ];
        assert!(others.iter().all(|other| *other != base));
    }
}
