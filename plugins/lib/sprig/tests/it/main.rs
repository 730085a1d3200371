//! The functions in templates, and what the original makes of them.

#![allow(clippy::unwrap_used)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test asks for one variant"
)]

mod arguments;
mod certificates;
mod limits;
mod randomness;
mod support;
