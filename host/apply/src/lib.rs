//! Applies bundles: sets them against the cluster, writes what differs in stages, prunes what is gone, waits for health.
//!
//! Reading order: [`prepare`] makes the objects of a bundle ready, [`order`] decides the stages and the order within them
//! (**the order of an apply is decided there and nowhere else**), [`unchanged`] sees without asking that an object is as it
//! should be, [`plan`] decides what to do with each object, [`apply()`] does it, [`prune`] deletes, [`health`] reads statuses.
//!
//! Invariants: nothing is written before the whole stage was planned; the union of the old and the new inventory is recorded
//! before the first object is created; nothing is deleted that another owner's labels stand on. This crate knows no sources,
//! no plugins and no Flux kinds.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod apply;
pub mod health;
pub mod live;
pub mod order;
pub mod plan;
pub mod prepare;
pub mod prune;
pub mod unchanged;
mod wait;

pub use apply::{Applied, ApplyError, ApplyFailure, Journal, Request, apply};
pub use live::Live;
pub use plan::{Action, Change};
pub use prepare::{Owner, PrepareError, prepare, unpacked};
pub use wait::{HealthError, HealthRequest, wait_until_healthy};
