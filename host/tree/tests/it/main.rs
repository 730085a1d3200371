//! All back ends answer alike.
#![allow(clippy::unwrap_used)]

mod backends;
mod files;
mod properties;
