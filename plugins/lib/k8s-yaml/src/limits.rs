//! What a text may cost at most.

/// Bounds on reading, resolving and writing.
///
/// The defaults hold for any real manifest with a wide margin, and are small enough for a plugin with a stack of 1 MiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one text.
    pub input: usize,
    /// Collections nested in each other. Values above [`Limits::MAX_DEPTH`] count as that.
    pub depth: usize,
    /// Documents in one text.
    pub documents: usize,
    /// Nodes of one document, before aliases are expanded.
    pub nodes: usize,
    /// Nodes that aliases and merge keys may add to one document. go-yaml's own rule about the share of aliases
    /// (`document contains excessive aliasing`) holds in any case.
    pub alias_nodes: usize,
}

impl Limits {
    /// The deepest nesting that the crate handles: deeper trees are refused by everything that walks a tree. At this depth
    /// nothing needs more than 400 KiB of stack. Real manifests stay below 50.
    pub const MAX_DEPTH: usize = 256;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            input: 64 << 20,
            depth: 200,
            documents: 100_000,
            nodes: 2_000_000,
            alias_nodes: 1_000_000,
        }
    }
}
