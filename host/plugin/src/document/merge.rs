//! JSON merge patches (RFC 7396), applied to text in normal form without parsing it: what the patch does not name is
//! copied as it stands.

use std::collections::HashMap;
use std::ops::Range;

use super::json::{self, JsonError};

/// A parsed patch. Its top level is an object.
#[derive(Debug)]
pub(crate) struct Patch(Members);

/// Why a text is not a patch of an object.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PatchError {
    #[error("the patch is not valid JSON: {0}")]
    Json(#[from] JsonError),
    #[error("the patch is not a JSON object")]
    NotAnObject,
}

impl Patch {
    pub(crate) fn parse(text: &str) -> Result<Self, PatchError> {
        let text = json::normal(text)?;
        match Change::of(&text, 0..text.len()) {
            Change::Merge(members) => Ok(Self(members)),
            Change::Remove | Change::Set(_) => Err(PatchError::NotAnObject),
        }
    }

    /// The object `target` (normal text) with this patch applied to it.
    pub(crate) fn apply(&self, target: &str) -> String {
        let mut out = String::with_capacity(target.len() + self.0.size);
        let at = merge_object(target, 0, &self.0, &mut out);
        out.push_str(&target[at..]);
        out
    }
}

#[derive(Debug)]
enum Change {
    Remove,
    /// A value in normal form that is no object.
    Set(String),
    Merge(Members),
}

#[derive(Debug)]
struct Members {
    /// Keys are escaped as in normal form.
    list: Vec<(String, Change)>,
    /// Where each key stands in `list`; only for many.
    index: Option<HashMap<String, usize>>,
    /// About how long the patch is as text.
    size: usize,
}

impl Change {
    fn of(text: &str, range: Range<usize>) -> Self {
        match text.as_bytes()[range.start] {
            b'{' => Self::Merge(Members::of(text, range)),
            b'n' => Self::Remove,
            _ => Self::Set(text[range].to_owned()),
        }
    }
}

impl Members {
    fn of(text: &str, range: Range<usize>) -> Self {
        const FEW: usize = 16;
        let list: Vec<_> = json::members(text, range.start)
            .map(|member| (text[member.key].to_owned(), Change::of(text, member.value)))
            .collect();
        let index = (list.len() > FEW).then(|| {
            list.iter()
                .enumerate()
                .map(|(at, (key, _))| (key.clone(), at))
                .collect()
        });
        Self {
            list,
            index,
            size: range.len(),
        }
    }

    fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.list.iter().position(|(name, _)| name == key),
        }
    }
}

/// Writes the object at `open` with `patch` applied up to where nothing changes any more, and says where that is in the
/// text: the caller copies from there.
fn merge_object(text: &str, open: usize, patch: &Members, out: &mut String) -> usize {
    let mut found = vec![false; patch.list.len()];
    let mut left = patch.list.len();
    let mut members = json::members(text, open);
    let mut list = List::open(text, open, out);
    while left > 0
        && let Some(member) = members.next()
    {
        let Some(at) = patch.position(&text[member.key.clone()]) else {
            list.keep(member.key.start - 1, member.value.end);
            continue;
        };
        found[at] = true;
        left -= 1;
        match &patch.list[at].1 {
            Change::Remove => list.flush(),
            Change::Set(value) => list.write(&text[member.key], |out| out.push_str(value)),
            Change::Merge(inner) => {
                list.write(&text[member.key.clone()], |out| {
                    merge_value(text, member.value, inner, out)
                });
            }
        }
    }
    if left == 0 {
        return list.rest(members.position());
    }
    for ((key, change), _) in patch.list.iter().zip(found).filter(|(_, found)| !found) {
        match change {
            Change::Remove => {}
            Change::Set(value) => list.write(key, |out| out.push_str(value)),
            Change::Merge(inner) => list.write(key, |out| write_new(inner, out)),
        }
    }
    list.rest(members.position())
}

fn merge_value(text: &str, value: Range<usize>, patch: &Members, out: &mut String) {
    if text.as_bytes()[value.start] != b'{' {
        write_new(patch, out);
        return;
    }
    let at = merge_object(text, value.start, patch, out);
    out.push_str(&text[at..value.end]);
}

/// An object made of a patch alone: its nulls have nothing to remove.
fn write_new(patch: &Members, out: &mut String) {
    out.push('{');
    let mut first = true;
    for (key, change) in &patch.list {
        if matches!(change, Change::Remove) {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(',');
        }
        push_key(key, out);
        match change {
            Change::Remove => {}
            Change::Set(value) => out.push_str(value),
            Change::Merge(inner) => write_new(inner, out),
        }
    }
    out.push('}');
}

fn push_key(key: &str, out: &mut String) {
    out.push('"');
    out.push_str(key);
    out.push_str("\":");
}

/// The members of an object as they are written, with the commas between them. Members that stay are copied in one go for
/// as long as they stand side by side.
struct List<'a, 'out> {
    text: &'a str,
    out: &'out mut String,
    kept: Range<usize>,
    empty: bool,
}

impl<'a, 'out> List<'a, 'out> {
    fn open(text: &'a str, open: usize, out: &'out mut String) -> Self {
        out.push('{');
        Self {
            text,
            out,
            kept: open + 1..open + 1,
            empty: true,
        }
    }

    fn keep(&mut self, start: usize, end: usize) {
        if self.kept.is_empty() {
            self.kept = start..end;
        } else {
            self.kept.end = end;
        }
    }

    fn flush(&mut self) {
        if !self.kept.is_empty() {
            self.comma();
            self.out.push_str(&self.text[self.kept.clone()]);
            self.kept = 0..0;
        }
    }

    fn comma(&mut self) {
        if !std::mem::take(&mut self.empty) {
            self.out.push(',');
        }
    }

    fn write(&mut self, key: &str, value: impl FnOnce(&mut String)) {
        self.flush();
        self.comma();
        push_key(key, self.out);
        value(self.out);
    }

    /// Ends the part of the object that is written here: `at` is a comma or the closing brace.
    fn rest(mut self, at: usize) -> usize {
        self.flush();
        // After nothing, what follows must not begin with its comma.
        if self.empty && self.text.as_bytes()[at] == b',' {
            at + 1
        } else {
            at
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::*;

    fn check(target: &str, patch: &str, merged: &str) {
        assert_eq!(
            Patch::parse(patch).unwrap().apply(target),
            merged,
            "{target} + {patch}"
        );
    }

    #[test]
    fn keys_are_set_removed_and_added_in_place() {
        check(
            r#"{"a":1,"b":2,"c":3}"#,
            r#"{"b":9}"#,
            r#"{"a":1,"b":9,"c":3}"#,
        );
        check(
            r#"{"a":1,"b":2,"c":3}"#,
            r#"{"a":null}"#,
            r#"{"b":2,"c":3}"#,
        );
        check(
            r#"{"a":1,"b":2,"c":3}"#,
            r#"{"c":null}"#,
            r#"{"a":1,"b":2}"#,
        );
        check(r#"{"a":1,"b":2}"#, r#"{"b":null,"a":null}"#, "{}");
        check(
            r#"{"a":1}"#,
            r#"{"z":{"x":null,"y":[null]}}"#,
            r#"{"a":1,"z":{"y":[null]}}"#,
        );
        check("{}", r#"{"z":1}"#, r#"{"z":1}"#);
        check(r#"{"a":1}"#, r#"{"a":null,"z":1}"#, r#"{"z":1}"#);
        check(r#"{"a":1}"#, "{}", r#"{"a":1}"#);
        check(r#"{"a":1}"#, r#"{"z":null}"#, r#"{"a":1}"#);
    }

    #[test]
    fn objects_are_merged_and_everything_else_is_replaced() {
        check(
            r#"{"m":{"l":{"a":"b"},"n":"x"}}"#,
            r#"{"m":{"l":{"c":"d"}}}"#,
            r#"{"m":{"l":{"a":"b","c":"d"},"n":"x"}}"#,
        );
        check(r#"{"a":[1,2],"b":1}"#, r#"{"a":[3]}"#, r#"{"a":[3],"b":1}"#);
        check(
            r#"{"a":"text","b":1}"#,
            r#"{"a":{"x":1,"y":null}}"#,
            r#"{"a":{"x":1},"b":1}"#,
        );
    }

    #[test]
    fn patches_must_be_objects() {
        assert_eq!(
            Patch::parse("[]").unwrap_err().to_string(),
            "the patch is not a JSON object"
        );
        assert_eq!(
            Patch::parse("null").unwrap_err().to_string(),
            "the patch is not a JSON object"
        );
        assert_eq!(
            Patch::parse("{").unwrap_err().to_string(),
            "the patch is not valid JSON: a key in quotes was expected at byte 1"
        );
    }

    /// RFC 7396, section 2, word for word.
    fn rfc(target: Value, patch: &Value) -> Value {
        let Value::Object(patch) = patch else {
            return patch.clone();
        };
        let mut target = match target {
            Value::Object(map) => map,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Map::new(),
        };
        for (key, value) in patch {
            if value.is_null() {
                target.shift_remove(key);
            } else {
                let old = target.get(key).cloned().unwrap_or(Value::Null);
                target.insert(key.clone(), rfc(old, value));
            }
        }
        Value::Object(target)
    }

    fn object() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            Just(json!(1)),
            Just(json!("x\"y")),
            Just(json!([{"a": null}]))
        ];
        let value = leaf.prop_recursive(4, 40, 5, |inner| {
            prop::collection::vec(("[a-d\"]", inner), 0..5)
                .prop_map(|list| Value::Object(list.into_iter().collect()))
        });
        prop::collection::vec(("[a-d\"]", value), 0..5)
            .prop_map(|list| Value::Object(list.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn it_is_what_the_rfc_says(target in object(), patch in object()) {
            let merged = Patch::parse(&patch.to_string()).unwrap().apply(&target.to_string());
            prop_assert_eq!(merged, rfc(target, &patch).to_string());
        }

        #[test]
        fn large_patches_too(keys in prop::collection::vec(0..60_u8, 0..60), other in prop::collection::vec(0..60_u8, 0..60)) {
            let patch: Map<_, _> = keys.iter().map(|k| (k.to_string(), if k % 3 == 0 { json!(null) } else { json!(k) })).collect();
            let target: Map<_, _> = other.iter().map(|k| (k.to_string(), json!({"v": k}))).collect();
            let (target, patch) = (Value::Object(target), Value::Object(patch));
            let merged = Patch::parse(&patch.to_string()).unwrap().apply(&target.to_string());
            prop_assert_eq!(merged, rfc(target, &patch).to_string());
        }
    }
}
