//! Substitution in an object: through its text, as Flux does it.

use serde_json::Value;
use weir_k8s_yaml::{Schema, from_str, to_yaml};

use crate::error::SubstituteError;
use crate::expand::{Mode, expand};
use crate::{ExpandError, Variables};

/// A label or annotation of this name with the value `disabled` keeps an object as it is.
pub const ANNOTATION: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Whether an object does not want substitution.
#[must_use]
pub fn opted_out(object: &Value) -> bool {
    ["/metadata/labels", "/metadata/annotations"]
        .iter()
        .any(|map| {
            let value = object.pointer(map).and_then(|map| map.get(ANNOTATION));
            value.and_then(Value::as_str) == Some("disabled")
        })
}

/// The object with all values put in. It is written as YAML, expanded, and read as YAML 1.1, so that `"${port}"` becomes a
/// number and a value `yes` becomes true. [`opted_out`] and [`Variables::check`] are the caller's to ask.
///
/// # Errors
///
/// When the object cannot be written as YAML, a `${` does not begin an expansion, or the result is no object.
pub fn substitute(
    object: &Value,
    variables: &Variables,
    mode: Mode,
) -> Result<Value, SubstituteError> {
    let text = to_yaml(object).map_err(SubstituteError::Write)?;
    let text = expand(&text, variables, mode)?;
    let value = from_str(&text, Schema::Sigs).map_err(SubstituteError::Read)?;
    match value {
        Value::Object(_) => Ok(value),
        Value::Null => Err(SubstituteError::NotAnObject { found: "nothing" }),
        Value::Array(_) => Err(SubstituteError::NotAnObject { found: "a list" }),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Err(SubstituteError::NotAnObject {
            found: "a plain value",
        }),
    }
}

/// Where in an object an expansion fails: a JSON pointer, and the text at fault from its `${` on. `None` if no key and no
/// value fails by itself.
#[must_use]
pub fn find_error(object: &Value, variables: &Variables, mode: Mode) -> Option<(String, String)> {
    let mut pointer = String::new();
    let found = search(object, variables, mode, &mut pointer)?;
    Some((pointer, found))
}

/// The values come from parsed JSON, whose depth is bounded.
fn search(
    value: &Value,
    variables: &Variables,
    mode: Mode,
    pointer: &mut String,
) -> Option<String> {
    match value {
        Value::String(text) => failing(text, variables, mode),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| below(&index.to_string(), item, variables, mode, pointer)),
        Value::Object(map) => map.iter().find_map(|(key, item)| {
            failing(key, variables, mode).or_else(|| below(key, item, variables, mode, pointer))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn below(
    key: &str,
    value: &Value,
    variables: &Variables,
    mode: Mode,
    pointer: &mut String,
) -> Option<String> {
    let length = pointer.len();
    pointer.push('/');
    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
    let found = search(value, variables, mode, pointer);
    if found.is_none() {
        pointer.truncate(length);
    }
    found
}

/// The shortest piece of a text that fails alone, a line at most.
fn failing(text: &str, variables: &Variables, mode: Mode) -> Option<String> {
    const LONGEST: usize = 60;
    if !text.contains("${") {
        return None;
    }
    let error = expand(text, variables, mode).err()?;
    let fails = |piece: &str| {
        expand(piece, variables, mode)
            .err()
            .is_some_and(|other| other == error)
    };
    // An expansion can go over many lines; where no line fails by itself the first one with an expansion is shown.
    let line = text.lines().find(|line| line.contains("${") && fails(line));
    let line = line.or_else(|| text.lines().find(|line| line.contains("${")))?;
    let at = if let ExpandError::NotSet(name) = &error {
        line.find(&format!("${{{name}"))
    } else {
        let starts = line.match_indices("${").map(|(at, _)| at);
        starts.filter(|at| fails(&line[*at..])).last()
    };
    let shown = &line[at.or_else(|| line.find("${")).unwrap_or_default()..];
    let end = shown.find('}').map_or(shown.len(), |at| at + 1);
    Some(shown[..end].chars().take(LONGEST).collect())
}
