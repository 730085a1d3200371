//! No text in a selector makes a build panic.
#![no_main]
#![allow(dead_code)]

#[path = "../../tests/it/laws.rs"]
mod laws;
#[path = "../../tests/it/memory.rs"]
mod memory;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str)| laws::selectors_survive(input.0.into(), input.1));
