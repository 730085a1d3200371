//! Ahead-of-time compiled code. Besides this module only `pages` has unsafe blocks, and what it does is advice.
//!
//! Wasmtime checks that code fits its version and configuration, but it cannot check that nobody wrote other machine code
//! into it: to deserialise a file means to run it. So code is taken from two places only. One is the binary itself, into
//! which the build put it ([`EmbeddedCode`]): it is run where it lies, so that only the pages which a call needs are read,
//! and no process has a copy of its own. The other is a cache folder ([`cache`]), where each file carries a keyed digest
//! made with a random key which only this installation has: a file that somebody else wrote does not pass and is compiled
//! again from the component.

use std::collections::BTreeSet;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::mm::MprotectFlags;
use wasmtime::component::Component;
use wasmtime::{Config, CustomCodeMemory, Engine};

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

/// Code that the build embedded into this binary, at an address where it can be run. It is a `static` of its own, made as
/// `EmbeddedCode(*include_bytes!(…))`.
#[derive(Debug)]
// The largest page of the architectures that weir runs on.
#[repr(C, align(65536))]
pub struct EmbeddedCode<T: ?Sized = [u8]>(pub T);

/// Loads embedded code. The message says what is wrong with it.
///
/// Wasmtime finds a running function by its address, so that code can be run in place for one engine only; a second host in
/// the same process gets a copy.
#[expect(unsafe_code, reason = "runs ahead-of-time compiled code in place")]
pub(crate) fn embedded(engine: &Engine, code: &'static EmbeddedCode) -> Result<Component, String> {
    static IN_PLACE: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());
    let first = IN_PLACE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(code.0.as_ptr().addr());
    // SAFETY: the bytes are `'static` and never written, part of this binary, and what `precompile` made of a component at
    // build time. Whoever can write other bytes there can replace the rest of the program as well.
    let component = unsafe {
        if first {
            Component::deserialize_raw(engine, NonNull::from(&code.0))
        } else {
            Component::deserialize(engine, &code.0)
        }
    };
    component.map_err(|error| format!("{error:#}"))
}

/// Lets code be run: what was compiled or read into memory, and what lies in the binary, which wasmtime's own way does
/// not cover.
pub(crate) fn make_runnable(config: &mut Config) {
    config.with_custom_code_memory(Some(Arc::new(Runnable)));
}

struct Runnable;

impl CustomCodeMemory for Runnable {
    fn required_alignment(&self) -> usize {
        rustix::param::page_size()
    }

    #[expect(unsafe_code, reason = "changes the protection of memory")]
    fn publish_executable(&self, ptr: *const u8, len: usize) -> wasmtime::Result<()> {
        let flags = MprotectFlags::READ | MprotectFlags::EXEC;
        // SAFETY: wasmtime hands over the text section of an image that it owns, or of an `EmbeddedCode`. Sections begin at
        // pages, so that nothing else is in the range but what follows in the last page, which stays readable.
        unsafe {
            icache::clear_cache(ptr.cast(), len)?;
            rustix::mm::mprotect(ptr.cast_mut().cast(), len, flags)?;
        }
        icache::pipeline_flush_mt()?;
        Ok(())
    }

    /// An image that wasmtime owns is unmapped next; one in the binary stays as it is.
    fn unpublish_executable(&self, _: *const u8, _: usize) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// Loads code that [`cache::Cache`] found to be written by this installation.
#[expect(unsafe_code, reason = "deserialises ahead-of-time compiled code")]
fn authentic(engine: &Engine, code: cache::Authentic<'_>) -> wasmtime::Result<Component> {
    // SAFETY: `Authentic` is made in one place, after the keyed digest of these bytes was checked. The key is known to this
    // installation alone, which writes only what `Component::serialize` gave it.
    unsafe { Component::deserialize(engine, code.bytes()) }
}
