//! JSON as Go's `encoding/json` reads and writes it.

mod read;
mod write;

pub(crate) use read::{Target, parse};
pub(crate) use write::{Style, write};

/// Values nested in each other that are written; a map that contains itself ends here.
const MAX_DEPTH: usize = 256;
