//! No format string makes printf panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_gotemplate::properties::printf_survives;

fuzz_target!(|bytes: &[u8]| printf_survives(bytes));
