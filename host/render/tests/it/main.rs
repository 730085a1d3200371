//! The built-in plugins as they are embedded: components in the host that weir itself uses.

#![allow(clippy::unwrap_used)]

mod helm;
mod helm_cases;
mod helm_charts;
mod helm_hostile;
mod helm_prepared;
mod helm_random;
mod kustomize;
mod post_renderer;
mod sops;
mod substitute;
