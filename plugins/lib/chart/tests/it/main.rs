//! Tests of charts as a whole: folders, archives, dependencies.

#![allow(clippy::unwrap_used)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "kinds of JSON are a closed set"
)]

mod archives;
mod dependencies;
mod folders;
mod laws;
mod properties;
mod support;
