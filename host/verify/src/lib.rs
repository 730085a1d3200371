//! Whether somebody who is trusted has signed what a source fetched.
//!
//! Bytes, public keys and certificates come in, and who signed comes out. Nothing is fetched here, and nobody but who is given is
//! trusted.
//!
//! ```
//! use std::time::SystemTime;
//! use weir_verify::git::{self, Keys, SignatureError};
//!
//! let keys = Keys { pgp: Vec::new(), ssh: vec!["ssh-ed25519 AAAA…".to_owned()] };
//! let unsigned = git::verify("", b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904", &keys, SystemTime::now());
//! assert!(matches!(unsigned, Err(SignatureError::Empty)));
//! ```
//!
//! Invariants: no I/O, no clock (who calls says what time it is), no Kubernetes; only public keys.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod certificate;
pub mod cosign;
pub mod git;
pub mod key;
pub mod notation;
pub mod pem;
pub mod ssh;
mod stamp;
pub mod wire;
