//! Strategic merges are idempotent, and a merge of nothing is nothing.
#![no_main]
#![allow(dead_code)]

mod any;
#[path = "../../tests/it/laws.rs"]
mod laws;
#[path = "../../tests/it/memory.rs"]
mod memory;

use any::Any;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Any, Any, bool)| {
    let (target, patch, known) = input;
    laws::a_merge_is_idempotent(
        if known { "Deployment" } else { "Foo" },
        &target.0,
        &patch.0,
    );
    laws::merging_nothing_changes_nothing(&target.0);
});
