//! How much one run may use. A chart is somebody else's program: it may loop, recurse and grow without end.

/// The bounds of one [`crate::Run`]. Passing one ends the run with an [`crate::ErrorKind::Limit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all output that lives at one time: of the file being written and of the includes inside of it.
    pub output: usize,
    /// Nodes visited and loop passes made, plus what functions spend ([`crate::Call::spend`]), over the life of a run.
    pub steps: u64,
    /// Templates inside of templates, by `template`, `include` and `tpl` together. Go allows 100,000 (1,000 on wasm), Helm
    /// 1,000 includes of one name.
    pub template_depth: u32,
    /// Blocks, parentheses and templates inside of each other, over all templates that run. Each takes up to 2 KiB of stack in an
    /// optimised build: this is the bound that keeps a stack of known size from running over.
    pub nesting: u32,
    /// Bytes of text parsed by `tpl` that stay cached in a [`crate::TemplateSet`].
    pub cached_text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            output: 64 << 20,
            steps: 100_000_000,
            template_depth: 1_100,
            nesting: 4_000,
            cached_text: 8 << 20,
        }
    }
}
