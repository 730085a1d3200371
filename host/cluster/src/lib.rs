//! Where objects go: a Kubernetes API server, or the embedded local one (a folder).
//!
//! Everything above talks to [`Cluster`] and cannot tell which one it is. Two implementations: [`Kube`] and [`Local`].
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! use serde_json::json;
//! use weir_api::Object;
//! use weir_cluster::{Apply, Cluster, Local};
//!
//! let cluster = Local::open(folder.path())?;
//! let object = Object::new(json!({
//!     "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app", "namespace": "default"}, "data": {"a": "1"},
//! }))?;
//! let how = Apply { manager: "example".into(), force: false, dry_run: false };
//! let applied = cluster.apply(&object, &how).await?;
//! assert_eq!(applied.get("/data/a"), Some(&json!("1")));
//! assert!(folder.path().join("default/configmaps/app.yaml").exists());
//! # Ok(())
//! # }
//! ```
//!
//! Invariants: this crate decides nothing about what to apply or delete; it knows no Flux kinds; a write that carries a
//! precondition either happens on exactly that state or fails with [`ClusterError::Conflict`]; nothing is tried twice here,
//! whoever asks decides that.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod cluster;
mod kube;
mod local;
mod selector;

pub use cluster::*;
pub use kube::{Kube, KubeError};
pub use local::{Local, OpenError, TableKind, table};
