//! What one text may take. Flux has no such limits; nothing that people write comes near these.

/// How deep defaults may hold further expansions.
pub const DEPTH: usize = 100;
/// How long a result may become, in bytes.
pub const OUTPUT: usize = 32 << 20;
/// How many characters all patterns of one text may be compared with.
pub const STEPS: u64 = 200_000_000;
