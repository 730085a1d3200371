//! No bytes make the parser or the evaluator panic, and every run ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_gotemplate::properties::template_survives;

fuzz_target!(|bytes: &[u8]| template_survives(bytes));
