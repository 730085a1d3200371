//! Decides when sources are fetched and units are rendered and applied, and says how it went.
//!
//! Reading order: [`node`] is what the graph is made of, `graph` and `queue` decide what may run and what runs next (pure,
//! tested with tables), `engine` is the one task that owns both, `reconcile` has one function for each kind that reads from
//! top to bottom, `status` is the one place that writes a status, [`fact`] the one list of things that happen.
//!
//! Invariants: this crate decides *when*; *what* is rendered and applied is decided by `weir-render` and `weir-apply`.
//! Only the engine's task changes the graph. Nothing is polled: intervals are a safety net.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod clock;
mod decryption;
mod engine;
pub mod fact;
mod graph;
mod machine;
pub mod node;
mod queue;
mod reconcile;
mod registry;
mod remote;
mod status;
mod unit;
mod watch;
mod world;

pub use clock::Clock;
pub use decryption::unwrap_key;
pub use engine::{ArtifactOptions, Controller, ControllerError, Options, RootBinding, Summary};
pub use fact::{Fact, Observer};
pub use machine::Machine;
pub use node::{NodeId, NodeKind};
