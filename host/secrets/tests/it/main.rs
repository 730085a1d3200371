//! The vectors of sops, and files that the real program encrypts.

mod keys;
mod real_sops;
mod vectors;
