//! Ahead-of-time compiled code: the only module here with unsafe blocks.
//!
//! Wasmtime checks that code fits its version and configuration, but it cannot check that nobody wrote other machine code
//! into it: to deserialise a file means to run it. So code is taken from two places only. One is the binary itself, into
//! which the build put it ([`embedded`]). The other is a cache folder ([`cache`]), where each file carries a keyed digest
//! made with a random key which only this installation has: a file that somebody else wrote does not pass and is compiled
//! again from the component.

use sha2::{Digest as _, Sha256};
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

pub(crate) mod cache;

/// Turns on features of the target's CPU.
#[expect(
    unsafe_code,
    reason = "flags of the code generator are unchecked in wasmtime's API"
)]
pub(crate) fn enable_cpu_features(config: &mut Config, features: &[&str]) {
    for feature in features {
        // SAFETY: these flags only say which instructions may be used. Before it runs or loads any code, wasmtime checks
        // that the CPU has each of them.
        unsafe { config.cranelift_flag_enable(feature) };
    }
}

/// Code as the build embeds it: a digest against damage, then what wasmtime made.
pub(crate) fn seal(code: &[u8]) -> Vec<u8> {
    let mut sealed = Sha256::digest(code).to_vec();
    sealed.extend_from_slice(code);
    sealed
}

/// Loads code that the build embedded into this binary. The message says what is wrong with it.
#[expect(unsafe_code, reason = "deserialises ahead-of-time compiled code")]
pub(crate) fn embedded(engine: &Engine, sealed: &'static [u8]) -> Result<Component, String> {
    let Some((digest, code)) = sealed.split_at_checked(32) else {
        return Err("it is shorter than its digest".to_owned());
    };
    if Sha256::digest(code).as_slice() != digest {
        return Err("it does not have the digest that the build gave it".to_owned());
    }
    // SAFETY: the bytes are `'static`, part of this binary, and end in what `precompile` made of a component at build time,
    // as their digest shows. Whoever can write other bytes there can replace the rest of the program as well.
    unsafe { Component::deserialize(engine, code) }.map_err(|error| error.to_string())
}

/// Loads code that [`cache::Cache`] found to be written by this installation.
#[expect(unsafe_code, reason = "deserialises ahead-of-time compiled code")]
fn authentic(engine: &Engine, code: cache::Authentic<'_>) -> wasmtime::Result<Component> {
    // SAFETY: `Authentic` is made in one place, after the keyed digest of these bytes was checked. The key is known to this
    // installation alone, which writes only what `Component::serialize` gave it.
    unsafe { Component::deserialize(engine, code.bytes()) }
}
