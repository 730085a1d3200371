//! The whole path on both clusters: a commit reaches objects through a plugin.

#![allow(clippy::unwrap_used)]

mod beside;
mod buckets;
mod chain;
mod clouds;
mod crds;
mod docs;
mod home_cluster;
mod inputs;
mod kill;
mod lab;
mod look_in;
mod pipeline;
mod quickstart;
mod restart;
mod scenario;
mod secrets;
mod signatures;
mod source_faults;
mod source_hostile;
mod source_logins;
mod sources;

/// The `weir` program of this build.
pub(crate) fn weir() -> std::path::PathBuf {
    std::path::PathBuf::from(env!("CARGO_BIN_EXE_weir"))
}
