//! JSON pointers as evanphx/json-patch reads them.

use serde_json::Value;

use crate::error::{Error, Problem, Result, did_you_mean, nearest};

/// A place in a document: the way to its container, and its key there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) text: String,
    way: Vec<String>,
    key: Option<String>,
}

impl Pointer {
    /// Whatever stands before the first slash is ignored.
    pub(super) fn parse(text: &str) -> Self {
        let mut parts: Vec<String> = text.split('/').skip(1).map(unescape).collect();
        let key = parts.pop();
        Self {
            text: text.to_owned(),
            way: parts,
            key,
        }
    }

    /// Whether it means the whole document.
    pub(super) fn is_root(&self) -> bool {
        self.text.is_empty()
    }

    /// How many steps it has.
    pub(super) fn depth(&self) -> usize {
        self.way.len() + 1
    }

    /// The key in the container.
    pub(super) fn key(&self) -> &str {
        self.key.as_deref().unwrap_or_default()
    }

    /// The map or list that holds the place.
    pub(super) fn container<'a>(&self, document: &'a mut Value) -> Option<&'a mut Value> {
        self.key.as_ref()?;
        let mut value = document;
        for step in &self.way {
            value = match value {
                Value::Object(map) => map.get_mut(step)?,
                Value::Array(items) => {
                    let at = index(step, items.len()).ok()?;
                    items.get_mut(at)?
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
            };
        }
        matches!(value, Value::Object(_) | Value::Array(_)).then_some(value)
    }

    /// Where the way to the container breaks off, in words.
    pub(super) fn stop(&self, document: &Value) -> Option<String> {
        let mut value = document;
        let mut passed = String::new();
        for step in &self.way {
            let next = match value {
                Value::Object(map) => map.get(step),
                Value::Array(items) => index(step, items.len()).ok().and_then(|at| items.get(at)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
            };
            let Some(next) = next else {
                return Some(match value {
                    Value::Object(map) => {
                        let near = nearest(step, map.keys().map(String::as_str));
                        match near.as_slice() {
                            [] if passed.is_empty() => format!("the object has no `{step}`"),
                            [] => format!("there is no `{step}` in `{passed}`"),
                            near => did_you_mean(near),
                        }
                    }
                    Value::Array(items) if items.len() == 1 => {
                        format!("the list at `{passed}` has 1 item")
                    }
                    Value::Array(items) => {
                        format!("the list at `{passed}` has {} items", items.len())
                    }
                    Value::Null => format!("there is nothing in `{passed}`"),
                    Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                        format!("`{passed}` is neither a map nor a list")
                    }
                });
            };
            passed.push('/');
            passed.push_str(step);
            value = next;
        }
        None
    }

    /// What stands at the key of a container: nothing for a missing key of a map, an error for a missing index.
    pub(super) fn value<'a>(&self, container: &'a Value) -> Result<Option<&'a Value>> {
        match container {
            Value::Object(map) => Ok(map.get(self.key())),
            Value::Array(items) => Ok(items.get(index(self.key(), items.len())?)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(None),
        }
    }
}

/// The index that a text means in a list; negative ones count from the end.
pub(super) fn index(text: &str, length: usize) -> Result<usize> {
    let wrong = || {
        Error::new(Problem::PointerIndex {
            index: text.to_owned(),
            length,
        })
    };
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: i64 = text.parse().map_err(|_| wrong())?;
    let at = if number < 0 {
        number + length as i64
    } else {
        number
    };
    usize::try_from(at)
        .ok()
        .filter(|at| *at < length)
        .ok_or_else(wrong)
}

fn unescape(part: &str) -> String {
    if !part.contains('~') {
        return part.to_owned();
    }
    let mut out = String::with_capacity(part.len());
    let mut rest = part;
    while let Some(at) = rest.find('~') {
        out.push_str(&rest[..at]);
        let (text, taken) = match rest.as_bytes().get(at + 1) {
            Some(b'0') => ("~", 2),
            Some(b'1') => ("/", 2),
            _ => ("~", 1),
        };
        out.push_str(text);
        rest = &rest[at + taken..];
    }
    out.push_str(rest);
    out
}
