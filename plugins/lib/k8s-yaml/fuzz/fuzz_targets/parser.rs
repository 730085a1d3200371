//! No bytes make the parser, the resolver or the emitter panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_k8s_yaml::properties::parser_survives;

fuzz_target!(|bytes: &[u8]| parser_survives(bytes));
