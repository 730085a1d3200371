//! What tests run against: a real kube-apiserver with its etcd, and the parts that a cluster's own controllers play.
//!
//! ```no_run
//! # async fn test() -> anyhow::Result<()> {
//! use weir_testing::ApiServer;
//!
//! let Some(server) = ApiServer::shared() else { return Ok(()) };
//! let space = server.namespace("example").await?;
//! let before = server.requests();
//! // … what is tested …
//! let writes = before.writes(&space)?;
//! assert_eq!(writes.len(), 1, "{writes:#?}");
//! # Ok(())
//! # }
//! ```
//!
//! Invariants: everything listens on the loopback interface and on free ports; no process and no file of a test run is
//! left when the test binary is gone, however it ended; a tool that is not built is a loud skip on a developer's machine
//! and an error with `CI=true`.

pub mod apiserver;
pub mod buckets;
pub mod distribution;
pub mod doubles;
pub mod flux;
pub mod git;
mod http;
pub mod moto;
mod objects;
#[cfg(feature = "plugin")]
pub mod plugin;
mod process;
pub mod proxy;
pub mod registry;
pub mod roles;
pub mod source_controller;
pub mod ssh;
pub mod tls;
pub mod tools;
pub mod wait;
pub mod web;

pub use apiserver::{ApiServer, Namespace, Request, Requests, Settings};
pub use flux::flux_crds;
pub use wait::until;
