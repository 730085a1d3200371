//! The engine against recorded results of the original, and against anything.

#![allow(clippy::unwrap_used)]

mod cases;
mod properties;
