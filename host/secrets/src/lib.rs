//! Private keys that never leave the host.
//!
//! A [`Keyring`] holds what can unwrap the data keys of SOPS files: age identities ([`AgeKeys`]: X25519, hybrid
//! post-quantum, SSH), OpenPGP keys ([`PgpKeys`]), a `gpg` program ([`Gpg`]), key services of Amazon, Google, Microsoft and
//! Vault ([`services`]), and any other [`KeyService`]. [`cloud`] logs in at the first three of them, for whoever needs a
//! login there. [`flux::keyring`] makes a keyring from the data of a decryption Secret as kustomize-controller reads it, [`laptop::keyring`]
//! from where the `sops` tool looks.
//!
//! Invariants: it reads no environment variable and no file of its own accord and opens no connection: whoever knows where
//! keys are passes their contents in, and [`Surroundings`] stands for the rest. What is secret is wiped when it is dropped, and neither a `Debug` text nor an error has any part of it.
//!
//! ```
//! use weir_secrets::{AgeKeys, Keyring, WrappedKey};
//!
//! let mut age = AgeKeys::default();
//! assert!(age.add_identities(b"# a comment only\n")?.eq(&0));
//!
//! let keyring = Keyring::default().with(age);
//! let key = WrappedKey { scheme: "pgp", fields: &[], wrapped: b"" };
//! assert_eq!(keyring.unwrap(&key).unwrap_err().to_string(), "there is no key of the scheme pgp");
//! # Ok::<(), weir_secrets::ImportError>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod age;
pub mod cloud;
pub mod flux;
mod gpg;
mod keyring;
pub mod laptop;
pub mod pem;
mod pgp;
mod secret;
pub mod services;
mod surroundings;

pub use age::AgeKeys;
pub use gpg::Gpg;
pub use keyring::{ImportError, KeyService, Keyring, UnwrapError, WrappedKey};
pub use pgp::PgpKeys;
pub use secret::Secret;
pub use surroundings::{Surroundings, Trust, WebAnswer, WebRequest, beginning, escape};
