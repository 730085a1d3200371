//! Tests against what Helm gave.

mod cases;
