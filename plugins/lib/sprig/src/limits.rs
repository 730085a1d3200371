//! What one call may make. The budget of the run ([`weir_gotemplate::Limits`]) ends what many calls make together.

use weir_gotemplate::{Call, FuncError, Text, Value};

/// Bytes of a text that one call makes.
pub(crate) const TEXT: usize = 32 << 20;
/// Elements of a list that one call makes.
pub(crate) const ITEMS: usize = 2_000_000;
/// Values nested in each other that `merge` walks.
pub(crate) const DEPTH: usize = 256;
/// Characters that one call draws at random.
pub(crate) const RANDOM: usize = 1 << 20;

/// The error of a text that grows too long.
pub(crate) fn too_long(function: &str) -> FuncError {
    FuncError::limit(format!(
        "{function}: the result would be longer than {} MiB",
        TEXT >> 20
    ))
}

/// Pays for a text and wraps it.
pub(crate) fn paid(call: &mut Call<'_>, text: Vec<u8>) -> Result<Value, FuncError> {
    call.spend(text.len() as u64 / 16)?;
    Ok(Text::from(text).into())
}

/// Pays for the elements of a list before it is made.
pub(crate) fn pay_items(
    call: &mut Call<'_>,
    function: &str,
    count: usize,
) -> Result<(), FuncError> {
    if count > ITEMS {
        return Err(FuncError::limit(format!(
            "{function}: the result would have more than {ITEMS} elements"
        )));
    }
    call.spend(count as u64)
}
