//! No text behind `--set` and its kin makes the parser panic, and what is escaped is read back.
#![no_main]
#![allow(dead_code)]

#[path = "../../tests/it/laws.rs"]
mod laws;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    laws::overrides_survive(text);
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    laws::an_escaped_assignment_is_read_back(key, value);
});
