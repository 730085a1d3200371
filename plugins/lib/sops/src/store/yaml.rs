//! YAML, with its comments as entries of the tree.
//!
//! sops works on go-yaml's nodes: a comment before an entry, behind it or below it becomes an entry of its own, aliases
//! become copies, and merge keys stay keys.

mod aliases;
mod read;
mod write;

pub(super) use read::load;
pub(super) use write::emit;
