//! JSON 6902 operations, as evanphx/json-patch v4 runs them.

use serde_json::{Map, Value};
use weir_k8s_yaml::{Schema, decode, from_str};

use super::pointer::{Pointer, index};
use crate::error::{Error, Problem, Result};

/// How deeply a document may be nested.
const MAX_DEPTH: usize = 500;
/// How many values `copy` may make in one document.
const MAX_COPIED: usize = 2_000_000;

/// The operations of one patch.
#[derive(Debug)]
pub(super) struct Operations {
    list: Vec<Operation>,
}

#[derive(Debug)]
struct Operation {
    action: Action,
    path: Pointer,
}

#[derive(Debug)]
enum Action {
    Add(Value),
    Remove,
    Replace(Value),
    Move(Pointer),
    Copy(Pointer),
    Test(Value),
}

impl Operations {
    /// Reads operations: JSON if the text begins with a bracket, else YAML 1.1.
    pub(super) fn read(text: &[u8]) -> Result<Self> {
        let text = decode(text).map_err(Error::yaml)?;
        let value: Value = if text.starts_with('[') {
            serde_json::from_str(&text).map_err(|error| {
                let place = weir_k8s_yaml::Span {
                    line: error.line() as u32,
                    column: error.column() as u32,
                    ..weir_k8s_yaml::Span::NONE
                };
                Error::new(Problem::JsonText(error.to_string())).at(place)
            })?
        } else {
            from_str(&text, Schema::Sigs).map_err(Error::yaml)?
        };
        match value {
            Value::Null if !text.is_empty() => Ok(Self { list: Vec::new() }),
            Value::Array(items) => {
                let list = items.into_iter().enumerate().map(|(at, item)| {
                    Operation::read(item)
                        .map_err(|error| error.in_field(format!("operation {}", at + 1)))
                });
                Ok(Self {
                    list: list.collect::<Result<_>>()?,
                })
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => Err(Error::new(Problem::NotOperations)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Runs all operations on a document.
    pub(super) fn apply(&self, document: &mut Value) -> Result<()> {
        let mut left = MAX_COPIED;
        for (at, operation) in self.list.iter().enumerate() {
            operation.apply(document, &mut left).map_err(|error| {
                let name = operation.action.name();
                error.set_field(format!(
                    "operation {} ({name} {})",
                    at + 1,
                    operation.path.text
                ))
            })?;
        }
        Ok(())
    }
}

impl Operation {
    fn read(item: Value) -> Result<Self> {
        let Value::Object(mut fields) = item else {
            return Err(Error::new(Problem::NotOperations));
        };
        let name = text(&fields, "op")?;
        let path = Pointer::parse(&text(&fields, "path")?);
        let value = fields.remove("value").unwrap_or_default();
        let from = || text(&fields, "from").map(|from| Pointer::parse(&from));
        let action = match name.as_str() {
            "add" => Action::Add(value),
            "remove" => Action::Remove,
            "replace" => Action::Replace(value),
            "move" => Action::Move(from()?),
            "copy" => Action::Copy(from()?),
            "test" => Action::Test(value),
            _ => {
                return Err(Error::new(Problem::OperationKind(name))
                    .help("operations are add, remove, replace, move, copy and test"));
            }
        };
        Ok(Self { action, path })
    }

    fn apply(&self, document: &mut Value, left: &mut usize) -> Result<()> {
        match &self.action {
            Action::Add(value) => add(document, &self.path, value.clone()),
            Action::Remove => remove(document, &self.path).map(drop),
            Action::Replace(value) => replace(document, &self.path, value),
            Action::Move(from) => {
                let value = remove(document, from)?;
                add(document, &self.path, value)
            }
            Action::Copy(from) => {
                let container = from.container(document).ok_or_else(|| missing(from))?;
                let value = from.value(container)?;
                *left = left
                    .checked_sub(value.map_or(1, count))
                    .ok_or_else(|| Error::new(Problem::TooLarge { limit: MAX_COPIED }))?;
                let value = value.cloned().unwrap_or_default();
                add(document, &self.path, value)
            }
            Action::Test(expected) => {
                if self.path.is_root() {
                    return check(document, expected);
                }
                let container = self
                    .path
                    .container(document)
                    .ok_or_else(|| missing(&self.path))?;
                let found = self.path.value(container)?.cloned().unwrap_or_default();
                check(&found, expected)
            }
        }
    }
}

impl Action {
    fn name(&self) -> &'static str {
        match self {
            Action::Add(_) => "add",
            Action::Remove => "remove",
            Action::Replace(_) => "replace",
            Action::Move(_) => "move",
            Action::Copy(_) => "copy",
            Action::Test(_) => "test",
        }
    }
}

fn add(document: &mut Value, path: &Pointer, value: Value) -> Result<()> {
    check_depth(path, &value)?;
    let key = path.key();
    match path.container(document) {
        Some(Value::Object(map)) => {
            map.insert(key.to_owned(), value);
            Ok(())
        }
        Some(Value::Array(items)) => {
            let at = if key == "-" {
                items.len()
            } else {
                index(key, items.len() + 1)?
            };
            items.insert(at, value);
            Ok(())
        }
        _ => Err(missing(path).help(match path.stop(document) {
            Some(stop) => {
                format!("{stop}; `add` does not make the maps on the way, add the parent first")
            }
            None => "`add` does not make the maps on the way; add the parent first".to_owned(),
        })),
    }
}

fn remove(document: &mut Value, path: &Pointer) -> Result<Value> {
    let key = path.key();
    match path.container(document) {
        Some(Value::Object(map)) => map.remove(key).ok_or_else(|| {
            let near = crate::error::nearest(key, map.keys().map(String::as_str));
            missing(path).help(crate::error::did_you_mean(&near))
        }),
        Some(Value::Array(items)) => {
            let at = index(key, items.len())?;
            Ok(items.remove(at))
        }
        _ => Err(lost(path, document)),
    }
}

fn replace(document: &mut Value, path: &Pointer, value: &Value) -> Result<()> {
    check_depth(path, value)?;
    if path.is_root() {
        document.clone_from(value);
        return Ok(());
    }
    let key = path.key();
    match path.container(document) {
        // A missing key is set, as by `add`.
        Some(Value::Object(map)) => {
            map.insert(key.to_owned(), value.clone());
            Ok(())
        }
        Some(Value::Array(items)) => {
            let at = index(key, items.len())?;
            value.clone_into(&mut items[at]);
            Ok(())
        }
        _ => Err(lost(path, document)),
    }
}

/// A document that is nested too deeply could not even be dropped.
fn check_depth(path: &Pointer, value: &Value) -> Result<()> {
    if path.depth() + depth(value) > MAX_DEPTH {
        return Err(Error::new(Problem::TooNested { limit: MAX_DEPTH }));
    }
    Ok(())
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(count).sum::<usize>(),
        Value::String(text) => 1 + text.len() / 64,
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
    }
}

fn check(found: &Value, expected: &Value) -> Result<()> {
    if equal(found, expected) {
        return Ok(());
    }
    let shown = |value: &Value| value.to_string().chars().take(120).collect::<String>();
    Err(Error::new(Problem::TestFailed {
        expected: shown(expected),
        found: shown(found),
    }))
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| equal(value, other)))
        }
        (a, b) => a == b,
    }
}

fn missing(path: &Pointer) -> Error {
    Error::new(Problem::PointerMissing(path.text.clone()))
}

/// The same where the way to the place breaks off.
fn lost(path: &Pointer, document: &mut Value) -> Error {
    missing(path).help(path.stop(document).unwrap_or_default())
}

fn text(fields: &Map<String, Value>, name: &'static str) -> Result<String> {
    match fields.get(name) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) | None => Err(Error::new(Problem::OperationField(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(patch: &str, document: Value, expected: Value) {
        let mut document = document;
        match Operations::read(patch.as_bytes())
            .and_then(|operations| operations.apply(&mut document))
        {
            Ok(()) => assert_eq!(document, expected, "{patch}"),
            Err(error) => assert_eq!(json!("error"), expected, "{patch}: {error}"),
        }
    }

    #[test]
    fn operations_change_maps_and_lists() {
        check(
            "- {op: add, path: /a/-, value: 3}",
            json!({"a": [1]}),
            json!({"a": [1, 3]}),
        );
        check(
            "- {op: add, path: /a/-1, value: 3}",
            json!({"a": [1]}),
            json!({"a": [1, 3]}),
        );
        check(
            "- {op: add, path: /a/00, value: 3}",
            json!({"a": [1]}),
            json!({"a": [3, 1]}),
        );
        check(
            "- {op: remove, path: /a/-1}",
            json!({"a": [1, 2]}),
            json!({"a": [1]}),
        );
        check(
            "- {op: replace, path: /x, value: on}",
            json!({}),
            json!({"x": true}),
        );
        check("- {op: add, path: x/y}", json!({}), json!({"y": null}));
        check(
            "- {op: move, from: /a, path: /b~1c}",
            json!({"a": 1}),
            json!({"b/c": 1}),
        );
        check(
            "- {op: copy, from: /a, path: /b}",
            json!({"a": [1]}),
            json!({"a": [1], "b": [1]}),
        );
        check(
            "- {op: test, path: /a, value: 1.0}",
            json!({"a": 1}),
            json!({"a": 1}),
        );
        check(
            "- {op: test, path: /none, value: null}",
            json!({}),
            json!({}),
        );
        check(
            r#"[{"op": "replace", "path": "", "value": {"a": 1}}]"#,
            json!({"b": 1}),
            json!({"a": 1}),
        );
    }

    #[test]
    fn copies_cannot_grow_without_bound() {
        let line = "- {op: copy, from: /l, path: /l/-}\n";
        let mut document = json!({"l": [1, 2]});
        assert!(
            Operations::read(line.repeat(100).as_bytes())
                .unwrap()
                .apply(&mut document)
                .is_err()
        );
    }

    #[test]
    fn what_does_not_apply_is_an_error() {
        for patch in [
            "- {op: add, path: /a/b, value: 1}",
            "- {op: remove, path: /a}",
            "- {op: replace, path: /l/5, value: 1}",
            "- {op: replace, path: /l/-, value: 1}",
            "- {op: test, path: /l, value: 2}",
            "- {op: frob, path: /l}",
            "- {op: add}",
            "op: add",
            "[{op: add}]",
        ] {
            check(patch, json!({"l": [1]}), json!("error"));
        }
    }
}
