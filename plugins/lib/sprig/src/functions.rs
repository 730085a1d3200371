//! The functions, family by family: each unpacks its arguments and calls a module that knows nothing of values.

mod certificates;
mod dates;
mod dicts;
mod encoding;
mod lists;
mod logic;
mod numbers;
mod passwords;
mod paths;
mod regexps;
mod strings;
mod versions;
mod words;

use weir_gotemplate::{FuncError, Functions, Signature, Type, Value, display};

use crate::circumstances::Options;

pub(crate) use logic::is_empty;

const ANY: Type = Type::Any;
const INT: Type = Type::Int;
const TEXT: Type = Type::String;

/// Adds all of them.
pub(crate) fn add_all(functions: &mut Functions, options: Options) {
    strings::add(functions);
    words::add(functions, options);
    numbers::add(functions, options);
    logic::add(functions);
    lists::add(functions);
    dicts::add(functions);
    encoding::add(functions);
    dates::add(functions, options);
    versions::add(functions, options);
    regexps::add(functions);
    paths::add(functions);
    passwords::add(functions, options);
    certificates::add(functions, options);
}

const fn fixed(params: &'static [Type]) -> Signature {
    Signature::fixed(params)
}

const fn variadic(params: &'static [Type], rest: Type) -> Signature {
    Signature::variadic(params, rest)
}

/// Go's panic for a nil where something is needed.
fn nil_pointer() -> FuncError {
    FuncError::panic("runtime error: invalid memory address or nil pointer dereference")
}

/// Go's panic for a value of another type than was asserted.
fn not_a(value: &Value, expected: &str) -> FuncError {
    let found = if value.is_nil() {
        "nil"
    } else {
        value.type_name()
    };
    FuncError::panic(format!(
        "interface conversion: interface {{}} is {found}, not {expected}"
    ))
}

/// The kind of a value as reflect names it; nil has none.
fn kind_name(value: &Value) -> &'static str {
    if value.is_nil() {
        "invalid"
    } else {
        value.kind().name()
    }
}

/// The texts of the elements of a list, without nils; anything else is one text, nil is none.
fn text_list(value: &Value) -> Result<Vec<weir_gotemplate::Text>, FuncError> {
    match value.slice_items() {
        Some(items) => items
            .iter()
            .filter(|item| !item.is_nil())
            .map(weir_gotemplate::strval)
            .collect(),
        None if value.is_nil() => Ok(Vec::new()),
        None => Ok(vec![weir_gotemplate::strval(value)?]),
    }
}

/// What a value is called in a message.
fn shown(value: &Value) -> String {
    display(value).to_string()
}
