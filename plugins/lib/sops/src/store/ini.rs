//! INI as go-ini reads and writes it, with repeated sections.

mod read;
mod write;

pub(super) use read::load;
pub(super) use write::emit;

/// The section of what stands before any section.
const DEFAULT: &str = "DEFAULT";

/// What separates a key from its value.
const DELIMITERS: [char; 2] = ['=', ':'];
