//! No bytes make loading an archive panic, and nothing of a chart stands outside of it.
#![no_main]
#![allow(dead_code)]

#[path = "../../tests/it/laws.rs"]
mod laws;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| laws::archives_survive(bytes));
