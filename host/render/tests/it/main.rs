//! The built-in plugins as they are embedded: components in the host that weir itself uses.

#![allow(clippy::unwrap_used)]

mod helm_charts;
mod kustomize;
