//! The plugin host: loads WebAssembly components, limits them, grants them what they may have, and calls them.
//!
//! A call is a pure function of its [`Call`] and of the answers that its [`Environment`] gives: every question a guest can
//! ask goes through the one door [`Environment::ask`], after grants and limits were checked here.
//!
//! Invariants: this crate knows no Kubernetes kinds but Secret (whose data it hides), does no network or file I/O for a
//! guest by itself, and keeps nothing of a guest from one call to the next.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod ask;
pub mod call;
mod code;
pub mod document;
mod engine;
mod execute;
pub mod grant;
mod guest;
mod host;
pub mod limit;
mod load;
mod mask;
#[cfg(target_os = "linux")]
mod pages;
mod run;
mod schema;
mod slice;

pub use ask::{Answer, Environment, Given, Question, Refusal, Role, TreeId};
pub use call::{Call, CallError, Diagnostic, Kind, LogLine, Outcome, Severity};
pub use code::{EmbeddedCode, cache::CacheError};
pub use document::{Document, DocumentError, Identity, JsonError, Place};
pub use engine::TARGET;
pub use grant::{GrantError, Grants};
pub use host::{Host, HostConfig, HostError, Precompiled, precompile};
pub use limit::{LimitError, Limits, Usage};
pub use load::{About, AboutError, CONTRACT, Capability, LoadError, Loaded, MAX_COMPONENT, Offer};
pub use mask::Secrets;
pub use schema::ConfigError;
