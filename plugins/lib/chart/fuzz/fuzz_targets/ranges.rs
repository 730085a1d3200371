//! No text makes the reader of versions and ranges panic, and versions have one order.
#![no_main]
#![allow(dead_code)]

#[path = "../../tests/it/laws.rs"]
mod laws;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(4, '\n');
    let [range, a, b, c] = [(); 4].map(|()| lines.next().unwrap_or_default());
    laws::ranges_survive(range, a);
    laws::versions_are_ordered([a, b, c]);
});
