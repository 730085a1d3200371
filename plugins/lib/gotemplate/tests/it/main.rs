//! Templates and what the original makes of them.

#![allow(clippy::unwrap_used)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test asks for one variant"
)]

mod errors;
mod hostile;
mod original;
mod support;
