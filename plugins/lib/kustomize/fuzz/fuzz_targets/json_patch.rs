//! No operations make a build panic, and what was added can be removed again.
#![no_main]
#![allow(dead_code)]

mod any;
#[path = "../../tests/it/laws.rs"]
mod laws;
#[path = "../../tests/it/memory.rs"]
mod memory;

use any::Any;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

type Operation<'a> = (u8, &'a str, &'a str, Any);

fuzz_target!(|input: (Any, Any, Vec<Operation<'_>>, &str)| {
    let (target, added, operations, text) = input;
    let operations = operations
        .into_iter()
        .map(|(kind, path, from, value)| laws::operation(kind.into(), path, from, value.0));
    laws::operations_survive(&target.0, &Value::from_iter(operations).to_string());
    laws::operations_survive(&target.0, text);
    laws::an_added_value_is_found_and_removed_again(&target.0, &added.0);
});
