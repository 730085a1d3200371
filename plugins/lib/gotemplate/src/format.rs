//! Printing: what `{{ }}`, `print` and `printf` make of values. Follows Go's fmt, mistakes of the format included: they are
//! part of the output (`%!d(float64=8080)`).

mod directive;
mod float;
mod print;
mod quote;

use print::Printer;
pub(crate) use quote::is_print;
pub use quote::quote;

use crate::error::FuncError;
use crate::{Text, Value};

/// `%v` of one value, for messages: never fails, cuts what is larger than a mebibyte.
pub fn display(value: &Value) -> Text {
    let mut out = Vec::new();
    let mut printer = Printer::new(&mut out, 1 << 20);
    printer.argument(value, 'v');
    Text::from(out)
}

/// Appends `%v` of a value: what an action prints.
///
/// # Errors
/// If the text is larger than `limit` bytes, or the value nests too deeply (a map that contains itself).
pub fn display_into(out: &mut Vec<u8>, value: &Value, limit: usize) -> Result<(), FuncError> {
    match value {
        Value::Str(text) => out.extend_from_slice(text.as_bytes()),
        _ => {
            let mut printer = Printer::new(out, limit);
            printer.argument(value, 'v');
            printer.finish()?;
        }
    }
    Ok(())
}

/// The text of a value as sprig's `toString` sees it: strings and bytes as they are, anything else by `%v`.
///
/// # Errors
/// If the text grows out of bounds.
pub fn strval(value: &Value) -> Result<Text, FuncError> {
    match value {
        Value::Str(text) | Value::Bytes(text) => Ok(text.clone()),
        _ => collect(|printer| printer.argument(value, 'v')),
    }
}

/// fmt.Sprint: a blank only between two operands neither of which is a string.
///
/// # Errors
/// If the text grows out of bounds.
pub fn sprint(values: &[Value]) -> Result<Text, FuncError> {
    if let [Value::Str(text)] = values {
        return Ok(text.clone());
    }
    collect(|printer| printer.operands(values))
}

/// fmt.Sprintln: blanks between all operands and a line feed.
///
/// # Errors
/// If the text grows out of bounds.
pub fn sprintln(values: &[Value]) -> Result<Text, FuncError> {
    collect(|printer| printer.line(values))
}

/// fmt.Sprintf.
///
/// # Errors
/// If the text grows out of bounds.
pub fn sprintf(format: impl AsRef<[u8]>, values: &[Value]) -> Result<Text, FuncError> {
    collect(|printer| printer.formatted(format.as_ref(), values))
}

/// Bytes that one call may print.
const MAX_BYTES: usize = 64 << 20;

fn collect(print: impl FnOnce(&mut Printer<'_>)) -> Result<Text, FuncError> {
    let mut out = Vec::new();
    let mut printer = Printer::new(&mut out, MAX_BYTES);
    print(&mut printer);
    printer.finish()?;
    Ok(Text::from(out))
}

#[cfg(test)]
mod tests;
