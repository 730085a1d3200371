//! Large pages for the memories of guests.
//!
//! A guest of a short process touches nearly all of its memory for the first time, and the kernel hands it out page by page:
//! with large charts that is a quarter of the time. Where it may use large pages, there are 512 times fewer of them.

use std::fs;

use rustix::mm::{Advice, madvise};

/// Wasmtime reserves so much for a memory that has 32-bit addresses.
const RESERVED: usize = 4 << 30;

/// Asks for large pages wherever guests will have their memory. An engine says to nobody where that is, but nothing else in a
/// process has so much address space; and if it had, advice does not change what memory is.
#[expect(unsafe_code, reason = "gives the kernel advice on memory")]
pub(crate) fn advise() {
    // Without the advice, or without this list, all is as it was.
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for (start, size) in maps.lines().filter_map(reserved) {
        let start = std::ptr::with_exposed_provenance_mut(start);
        // SAFETY: it is advice on the size of pages, which no content of memory depends on.
        let _ = unsafe { madvise(start, size, Advice::LinuxHugepage) };
    }
}

/// The address and the size of what a line tells, if it is address space that was reserved for the memories of guests.
fn reserved(line: &str) -> Option<(usize, usize)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    let (start, end) = (address(start)?, address(end)?);
    let size = end.checked_sub(start)?;
    (size >= RESERVED && rest.starts_with("---p")).then_some((start, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_guests_will_have_is_found() {
        for (line, found) in [
            (
                "7f1594a00000-7f27baa00000 ---p 00000000 00:00 0 ",
                Some((0x7f15_94a0_0000, 0x12_2600_0000)),
            ),
            ("7f1594a00000-7f27baa00000 rw-p 00000000 00:00 0 ", None),
            ("7f157cb2f000-7f157cb30000 ---p 00000000 00:00 0 ", None),
            (
                "00400000-00411000 r--p 00000000 fe:00 10519  /bin/weir",
                None,
            ),
            ("", None),
        ] {
            assert_eq!(reserved(line), found, "{line}");
        }
    }

    #[test]
    fn an_engine_reserves_what_is_looked_for() {
        let host = crate::Host::new(crate::HostConfig::default()).unwrap();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        assert!(maps.lines().any(|line| reserved(line).is_some()));
        drop(host);
        advise();
    }
}
