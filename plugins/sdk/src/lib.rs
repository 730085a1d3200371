//! Write weir plugins in Rust.
//!
//! A plugin says what it is ([`Plugin`]), does something ([`Generator`], [`Transformer`], [`Validator`] or [`Filter`]), and
//! is exported with [`export!`]. What many of its calls have in common it can do once ([`Preparer`]). Built for the target `wasm32-wasip2` as a `cdylib` it is a component that weir can load:
//!
//! ```no_run
//! use serde::Deserialize;
//! use weir_sdk::{About, Plugin, Result, Transformer, documents};
//!
//! #[derive(Deserialize)]
//! struct Config {
//!     team: String,
//! }
//!
//! struct SetTeam;
//!
//! impl Plugin for SetTeam {
//!     type Config = Config;
//!
//!     fn about() -> About {
//!         About::new("set-team", "1.0.0")
//!             .summary("labels everything with the team that owns it")
//!             .config_schema(r#"{"type": "object", "properties": {"team": {"type": "string"}}, "required": ["team"]}"#)
//!     }
//! }
//!
//! impl Transformer for SetTeam {
//!     fn transform(config: Config) -> Result<()> {
//!         for document in documents::all()? {
//!             document.label("team", &config.team)?;
//!         }
//!         Ok(())
//!     }
//! }
//!
//! weir_sdk::export!(SetTeam: transformer);
//! # fn main() {}
//! ```
//!
//! What a plugin can ask for is in the modules: [`documents`] it works on, [`trees`] of files, [`context`], [`inputs`],
//! [`objects`] in the cluster, [`keys`], [`fetch`] and other plugins ([`delegate`]); what it has to say goes through
//! [`report`]. A component imports only what it uses. Everything but documents, context and report has to be granted, and a
//! question that is not granted gives a [`Refusal`], which `?` turns into an error that says which grant is missing.
//!
//! With the feature `heap` (a default) a plugin has an allocator that is made for instances which live for one call, and
//! compares bytes faster than the C library does.
//!
//! Invariants: this crate has no state but the memory's, and keeps nothing from the host back. It does what the contract in `wit/` says and
//! adds only convenience; [`raw`] is the contract itself.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod about;
#[cfg(any(test, all(target_arch = "wasm32", feature = "heap")))]
mod compare;
pub mod context;
pub mod delegate;
pub mod documents;
mod error;
pub mod fetch;
#[cfg(any(test, all(target_arch = "wasm32", feature = "heap")))]
mod heap;
pub mod inputs;
mod json;
pub mod keys;
pub mod objects;
mod plugin;
pub mod raw;
pub mod report;
pub mod trees;

pub use about::{About, Capability};
pub use documents::{Document, Select};
pub use error::{Error, Refusal, Result};
pub use json::{AsRead, Json, Number};
#[doc(hidden)]
pub use plugin::glue;
pub use plugin::{Filter, Generator, NoConfig, Plugin, Preparer, Transformer, Validator};
pub use report::Finding;
pub use trees::Tree;
