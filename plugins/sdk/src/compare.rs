//! Comparing bytes: eight at a time. That of the C library goes byte by byte, and each turn of a loop counts fuel.

#![expect(
    unsafe_code,
    reason = "it takes the place of a function of the C library"
)]

use core::ffi::c_int;

const WORD: usize = size_of::<u64>();

/// Less than zero if the first byte that differs is smaller on the left, more than zero if it is larger.
///
/// # Safety
/// Both sides have at least so many bytes.
pub(crate) unsafe fn compare(left: *const u8, right: *const u8, length: usize) -> c_int {
    // SAFETY: the caller's, as all that is read lies within the length.
    let word = |at: usize| unsafe {
        let left = left.add(at).cast::<u64>().read_unaligned();
        let right = right.add(at).cast::<u64>().read_unaligned();
        (left.to_le(), right.to_le())
    };
    let mut at = 0;
    if length >= WORD {
        let last = length - WORD;
        loop {
            let (left, right) = word(at);
            if left != right {
                return order(left, right);
            }
            if at == last {
                return 0;
            }
            // The last word overlaps the one before, whose bytes are equal.
            at = last.min(at + WORD);
        }
    }
    while at < length {
        // SAFETY: as above.
        let (left, right) = unsafe { (left.add(at).read(), right.add(at).read()) };
        if left != right {
            return c_int::from(left) - c_int::from(right);
        }
        at += 1;
    }
    0
}

/// The order of two words that differ, by their first different byte.
fn order(left: u64, right: u64) -> c_int {
    let place = (left ^ right).trailing_zeros() & !7;
    let byte = |word: u64| c_int::from((word >> place) as u8);
    byte(left) - byte(right)
}

/// What compilers call for slices.
///
/// # Safety
/// As for [`compare`].
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, length: usize) -> c_int {
    // SAFETY: the caller's.
    unsafe { compare(left, right, length) }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    fn compared(left: &[u8], right: &[u8]) -> Ordering {
        assert_eq!(left.len(), right.len());
        // SAFETY: both have so many bytes.
        unsafe { compare(left.as_ptr(), right.as_ptr(), left.len()) }.cmp(&0)
    }

    #[test]
    fn the_first_different_byte_decides() {
        for length in 0..40 {
            let same: Vec<u8> = (0..length).map(|n| n as u8 | 0x80).collect();
            assert_eq!(compared(&same, &same.clone()), Ordering::Equal);
            for at in 0..length {
                for behind in [0, 1] {
                    let mut other = same.clone();
                    other[at] = 1;
                    if let Some(next) = other.get_mut(at + 1) {
                        *next = 0xff * behind;
                    }
                    assert_eq!(compared(&other, &same), Ordering::Less, "{length} {at}");
                    assert_eq!(compared(&same, &other), Ordering::Greater, "{length} {at}");
                }
            }
        }
    }
}
