//! Operations with keys that stay in the host.

use crate::Result;
use crate::error::asked;
use crate::raw::keys as raw;

/// Recovers a wrapped data key. `key` has the fields of the SOPS entry other than "enc".
pub fn unwrap(scheme: &str, key: &[(String, String)], wrapped: &[u8]) -> Result<Vec<u8>> {
    asked(raw::unwrap(scheme, key, wrapped), || {
        format!("unwrapping a key with {scheme}")
    })
}
