//! Tests against what Helm gave.

mod behaviour;
mod cases;
mod laws;
mod properties;
