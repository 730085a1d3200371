//! Builds over the file system and in memory, compared with what kustomize made of the same input.

#![allow(clippy::unwrap_used)]

mod cases;
mod docs;
mod errors;
mod flux;
mod folder;
mod helm;
mod laws;
mod limits;
mod memory;
mod plugins;
mod properties;
mod vectors;
