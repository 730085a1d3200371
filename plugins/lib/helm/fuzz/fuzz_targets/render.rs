//! Random templates of all functions on random values: no panic, every render ends, and two give the same.
#![no_main]

#[path = "../../tests/it/laws.rs"]
mod laws;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| laws::random_charts_survive(bytes));
