//! SOPS files as sops 3.13 and Flux's kustomize-controller 1.9 decrypt them.
//!
//! A file has values of the form `ENC[AES256_GCM,…]` and an entry `sops` that says which values these are and who can
//! unwrap the data key. Five stores (YAML, JSON, dotenv, INI, binary) read and write files to the byte as sops does; private
//! keys stay behind the trait [`Keys`]. [`decrypt_file`] and [`decrypt_object`] are what Flux does before and after a
//! build.
//!
//! What it refuses to do: it encrypts nothing; it holds no private key and knows no key service; it reads no file, no
//! environment and no clock; it has no unsafe code, never panics on input, and no error shows a plain text.
//!
//! ```
//! use weir_sops::{Format, Keys, Options, SopsError, UnwrapError, WithoutKey, Zeroizing, decrypt_file};
//!
//! struct NoKeys;
//!
//! impl Keys for NoKeys {
//!     fn unwrap(&self, scheme: &str, _: &[(String, String)], _: &[u8]) -> Result<Zeroizing<Vec<u8>>, UnwrapError> {
//!         Err(UnwrapError::NoKey(format!("there is no key of the scheme {scheme}")))
//!     }
//! }
//!
//! // What does not look encrypted passes.
//! assert_eq!(decrypt_file("a.yaml", "", b"a: 1\n", &NoKeys, &Options::default())?, None);
//!
//! let file = br#"{
//!     "password": "ENC[AES256_GCM,data:eA==,iv:AAAA,tag:AAAA,type:str]",
//!     "sops": {
//!         "age": [{"recipient": "age1example", "enc": "wrapped"}],
//!         "lastmodified": "2024-01-02T03:04:05Z",
//!         "mac": "ENC[x]"
//!     }
//! }"#;
//! let error = decrypt_file("a.json", "", file, &NoKeys, &Options::default()).unwrap_err();
//! assert!(error.to_string().contains("age1example: FAILED"));
//!
//! // On a laptop without the key everything else can still be looked at.
//! let options = Options { without_key: WithoutKey::Placeholders, ..Options::default() };
//! let shown = decrypt_file("a.json", "", file, &NoKeys, &options)?.expect("the file is encrypted");
//! assert_eq!(shown.placeholders, ["/password"]);
//! # Ok::<(), SopsError>(())
//! ```

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cipher;
mod decrypt;
mod error;
mod flux;
mod format;
mod go_regex;
mod keys;
mod metadata;
mod number;
mod rules;
mod shamir;
mod store;
mod time;
mod tree;
mod walk;

pub use cipher::CipherError;
pub use decrypt::{Decrypted, MacCheck, Options, WithoutKey, decrypt};
pub use error::SopsError;
pub use flux::{
    ANNOTATION, DecryptedObject, LARGEST_FILE, ObjectError, decrypt_file, decrypt_object,
    encrypted, opted_out,
};
pub use format::Format;
pub use keys::{DataKeyError, Keys, UnwrapError};
pub use metadata::MetadataError;
pub use store::{EmitError, LoadError};
pub use walk::{WalkError, WalkProblem};
pub use zeroize::Zeroizing;

/// What a text begins with that stands in for one which could not be decrypted.
pub const PLACEHOLDER: &str = "SOPSplaceholder";

use walk::placeholder_of;
