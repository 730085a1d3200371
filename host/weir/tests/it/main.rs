//! The command, run as a person runs it.

#![allow(clippy::unwrap_used)]

mod build;
mod cluster;
mod mistakes;
mod revisions;
mod secrets;
mod watch;
