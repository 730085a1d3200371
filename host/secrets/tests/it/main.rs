//! The vectors of sops, and files that the real program encrypts.

#![allow(clippy::unwrap_used)]

mod component;
mod keys;
mod real_sops;
mod services;
mod vectors;
