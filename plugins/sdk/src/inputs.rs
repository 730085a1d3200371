//! The named inputs of the step.

use crate::error::asked;
use crate::raw::inputs as raw;
use crate::raw::types::Refusal;
use crate::{Error, Result};

/// The input that the step binds to this name.
pub fn value(name: &str) -> Result<Vec<u8>> {
    asked(raw::value(name), || format!("the input {name}"))
}

/// The input as text.
pub fn text(name: &str) -> Result<String> {
    String::from_utf8(value(name)?)
        .map_err(|_| Error::new(format!("the input {name} is not UTF-8")))
}

/// The input, or `None` if it is optional and not there.
pub fn optional(name: &str) -> Result<Option<Vec<u8>>> {
    match raw::value(name) {
        Err(Refusal::Absent) => Ok(None),
        answer => asked(answer, || format!("the input {name}")).map(Some),
    }
}
