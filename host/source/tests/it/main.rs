//! Sources against a real Git server on the loopback interface.
#![allow(clippy::unwrap_used)]

mod bucket;
mod faults;
mod folder;
mod git;
mod github;
mod lab;
mod registry;
mod remote;
mod signed;
mod ssh;
mod transports;
