//! The circumstances of the run. Each question is kept with the result: ask only what you need.

pub use crate::raw::context::{api_versions, has_api, kube_version, time};

/// One fact by name, such as "unit.name" or "source.revision"; `None` if it does not apply here.
pub fn fact(name: &str) -> Option<String> {
    crate::raw::context::fact(name)
}

/// Bytes to make passwords and keys of: the same from run to run for the same purpose and place, and not to be computed by
/// others. `purpose` says what for, `place` is the file that asks.
pub fn random(purpose: &str, place: &str, length: u32) -> Vec<u8> {
    crate::raw::context::random(purpose, place, length)
}
