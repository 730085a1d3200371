//! Secrets that a plugin may move but not read.
//!
//! A mark stands in for each value. It says nothing about the value: it is a digest of which object (a number within the
//! call) and which field it stands for, so that it is the same from run to run. Made of letters and digits, 48 of them, it
//! is valid base64 as well, and plugins that check that do not stumble.

use std::collections::HashMap;
use std::ops::Range;

use sha2::{Digest as _, Sha256};

use super::{Identity, json};

const PREFIX: &str = "weirSecretMark";
const LENGTH: usize = 48;

/// The object that a mark belongs to: it may be written back there and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// An object of the set.
    Slot(u32),
    /// An object that another plugin made and that is not in the set yet.
    Detached(u32),
}

/// The marks that were given out in one call.
#[derive(Debug, Default)]
pub(crate) struct Marks(HashMap<String, (Owner, String)>);

/// A mark stands where it may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a mark that stands for a Secret's value may only be written back into data or stringData of the same Secret, as the \
     whole value; to work with the values themselves, grant spec.grants.documents: [\"Secret\"]"
)]
pub(crate) struct Misplaced;

impl Marks {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The object with a mark in place of each secret value.
    pub(crate) fn seal(&mut self, body: &str, identity: &Identity, owner: Owner) -> String {
        let mut out = String::with_capacity(body.len());
        let mut from = 0;
        for spot in spots(body, identity) {
            let mark = mark(owner, &spot.field);
            out.push_str(&body[from..spot.value.start]);
            out.push('"');
            out.push_str(&mark);
            out.push('"');
            from = spot.value.end;
            self.0.insert(mark, (owner, body[spot.value].to_owned()));
        }
        out.push_str(&body[from..]);
        out
    }

    /// The object with the values in place of the marks. All marks must belong to one owner, and `allowed` must agree to it.
    pub(crate) fn unseal(
        &self,
        body: &str,
        identity: &Identity,
        allowed: impl Fn(Owner) -> bool,
    ) -> Result<String, Misplaced> {
        let mut left = count(body);
        let mut out = String::with_capacity(body.len());
        let mut from = 0;
        let mut whose = None;
        let spots = if left > 0 {
            spots(body, identity)
        } else {
            Vec::new()
        };
        for spot in spots {
            let inner = body[spot.value.clone()]
                .strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'));
            let Some(inner) = inner.filter(|inner| is_mark(inner)) else {
                continue;
            };
            let (owner, value) = self.0.get(inner).ok_or(Misplaced)?;
            if !allowed(*owner) || *whose.get_or_insert(*owner) != *owner {
                return Err(Misplaced);
            }
            out.push_str(&body[from..spot.value.start]);
            out.push_str(value);
            from = spot.value.end;
            left -= 1;
        }
        if left > 0 {
            return Err(Misplaced);
        }
        out.push_str(&body[from..]);
        Ok(out)
    }
}

impl Drop for Marks {
    fn drop(&mut self) {
        for (_, value) in self.0.values_mut() {
            zeroize::Zeroize::zeroize(value);
        }
    }
}

/// Whether a text that is no object has a mark in it.
pub(crate) fn has_mark(text: &[u8]) -> bool {
    memchr::memmem::find_iter(text, PREFIX).any(|at| {
        text.get(at..at + LENGTH)
            .is_some_and(|mark| mark[PREFIX.len()..].iter().all(u8::is_ascii_hexdigit))
    })
}

/// Whether the object has values that are opaque without a grant.
pub(crate) fn is_opaque(body: &str, identity: &Identity) -> bool {
    !spots(body, identity).is_empty()
}

/// The secret values of an object: JSON, with whether each is base64.
pub(crate) fn values<'a>(body: &'a str, identity: &Identity) -> Vec<&'a str> {
    spots(body, identity)
        .into_iter()
        .map(|spot| &body[spot.value])
        .collect()
}

struct Spot {
    field: String,
    value: Range<usize>,
}

/// Where an object in normal form has secret values, in order.
fn spots(body: &str, identity: &Identity) -> Vec<Spot> {
    if identity.api_version != "v1" {
        return Vec::new();
    }
    let mut found = Vec::new();
    match identity.kind.as_str() {
        "Secret" => {
            for member in json::members(body, 0) {
                let field = &body[member.key.clone()];
                if matches!(field, "data" | "stringData") {
                    spots_of_map(body, field, member.value, &mut found);
                }
            }
        }
        "SecretList" | "List" => {
            if let Some(items) = json::member(body, 0, "items")
                && (identity.kind == "SecretList" || has_secret(body, items.start))
            {
                push(body, "items".to_owned(), items, &mut found);
            }
        }
        _ => {}
    }
    found
}

fn spots_of_map(body: &str, field: &str, map: Range<usize>, found: &mut Vec<Spot>) {
    if body.as_bytes()[map.start] != b'{' {
        push(body, field.to_owned(), map, found);
        return;
    }
    for member in json::members(body, map.start) {
        push(
            body,
            format!("{field}/{}", &body[member.key]),
            member.value,
            found,
        );
    }
}

fn push(body: &str, field: String, value: Range<usize>, found: &mut Vec<Spot>) {
    if &body[value.clone()] != "null" {
        found.push(Spot { field, value });
    }
}

/// Whether the list at `open` may hold a Secret; a mark in its place counts as one.
fn has_secret(body: &str, open: usize) -> bool {
    let bytes = body.as_bytes();
    if bytes[open] != b'[' {
        return bytes[open] == b'"';
    }
    let mut at = open + 1;
    while bytes[at] != b']' {
        let end = json::skip(body, at);
        let kind = (bytes[at] == b'{')
            .then(|| json::member(body, at, "kind"))
            .flatten();
        let kind = kind.and_then(|range| json::string(body, range));
        if kind.is_some_and(|kind| kind == "Secret" || kind.ends_with("List")) {
            return true;
        }
        at = end + usize::from(bytes[end] == b',');
    }
    false
}

fn mark(owner: Owner, field: &str) -> String {
    let (kind, number) = match owner {
        Owner::Slot(number) => (0_u8, number),
        Owner::Detached(number) => (1, number),
    };
    let mut digest = Sha256::new();
    digest.update([kind]);
    digest.update(number.to_le_bytes());
    digest.update(field.as_bytes());
    let mut mark = format!("{PREFIX}{}", hex::encode(digest.finalize()));
    mark.truncate(LENGTH);
    mark
}

fn is_mark(text: &str) -> bool {
    text.len() == LENGTH && has_mark(text.as_bytes())
}

fn count(text: &str) -> usize {
    let bytes = text.as_bytes();
    memchr::memmem::find_iter(bytes, PREFIX)
        .filter(|at| has_mark(&bytes[*at..bytes.len().min(at + LENGTH)]))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    const SECRET: &str = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"a":"aHVudGVyMg==","b":null},"stringData":{"c":"plain \"x\"","d":7}}"#;

    fn sealed(marks: &mut Marks, body: &str, owner: Owner) -> String {
        let document = Document::parse(body).unwrap();
        marks.seal(document.body(), &document.identity, owner)
    }

    fn unsealed(marks: &Marks, body: &str, owner: Owner) -> Result<String, Misplaced> {
        let document = Document::parse(body).unwrap();
        marks.unseal(document.body(), &document.identity, |found| found == owner)
    }

    #[test]
    fn values_are_replaced_and_come_back() {
        let mut marks = Marks::default();
        let text = sealed(&mut marks, SECRET, Owner::Slot(3));
        for value in ["aHVudGVyMg==", "plain", ":7"] {
            assert!(!text.contains(value), "{text}");
        }
        assert!(text.contains(r#""b":null"#), "{text}");
        assert_eq!(text.matches(PREFIX).count(), 3);
        assert_eq!(unsealed(&marks, &text, Owner::Slot(3)).unwrap(), SECRET);
    }

    #[test]
    fn marks_are_the_same_every_time_and_differ_by_object_and_field() {
        let again = |owner| sealed(&mut Marks::default(), SECRET, owner);
        assert_eq!(again(Owner::Slot(3)), again(Owner::Slot(3)));
        assert_ne!(again(Owner::Slot(3)), again(Owner::Slot(4)));
        assert_ne!(again(Owner::Slot(3)), again(Owner::Detached(3)));
        assert_eq!(mark(Owner::Slot(0), "data/a").len() % 4, 0);
        assert_ne!(
            mark(Owner::Slot(0), "data/a"),
            mark(Owner::Slot(0), "data/b")
        );
    }

    #[test]
    fn a_value_may_move_to_another_key() {
        let mut marks = Marks::default();
        let text = sealed(&mut marks, SECRET, Owner::Slot(0));
        let moved = text.replace(r#""data":{"a""#, r#""data":{"renamed""#);
        assert!(
            unsealed(&marks, &moved, Owner::Slot(0))
                .unwrap()
                .contains(r#""renamed":"aHVudGVyMg==""#)
        );
    }

    #[test]
    fn marks_elsewhere_are_refused() {
        let mut marks = Marks::default();
        let text = sealed(&mut marks, SECRET, Owner::Slot(0));
        let mark = mark(Owner::Slot(0), "data/a");
        for bad in [
            text.replace(r#""name":"s""#, &format!(r#""name":"{mark}""#)),
            text.replace(&format!("\"{mark}\""), &format!("\"x{mark}\"")),
            text.replace(&format!("\"{mark}\""), &format!("[\"{mark}\"]")),
            text.replace("\"Secret\"", "\"ConfigMap\""),
            text.replace("\"v1\"", "\"v2\""),
            text.replace(r#""data":{"a""#, &format!(r#""data":{{"{mark}""#)),
        ] {
            assert_eq!(
                unsealed(&marks, &bad, Owner::Slot(0)),
                Err(Misplaced),
                "{bad}"
            );
        }
        assert_eq!(unsealed(&marks, &text, Owner::Slot(1)), Err(Misplaced));
        let forged = text.replace(&mark[PREFIX.len()..], &"0".repeat(LENGTH - PREFIX.len()));
        assert_eq!(unsealed(&marks, &forged, Owner::Slot(0)), Err(Misplaced));
    }

    #[test]
    fn marks_of_two_objects_do_not_mix() {
        let mut marks = Marks::default();
        let one = sealed(&mut marks, SECRET, Owner::Detached(0));
        sealed(&mut marks, SECRET, Owner::Detached(1));
        let other = mark(Owner::Detached(1), "data/a");
        let mixed = one.replace(&mark(Owner::Detached(0), "data/a"), &other);
        let document = Document::parse(&mixed).unwrap();
        assert_eq!(
            marks.unseal(document.body(), &document.identity, |_| true),
            Err(Misplaced)
        );
    }

    #[test]
    fn lists_of_secrets_are_opaque_as_a_whole() {
        let mut marks = Marks::default();
        for kind in ["List", "SecretList"] {
            let list = format!(
                r#"{{"apiVersion":"v1","kind":"{kind}","items":[{{"kind":"Service"}},{SECRET}]}}"#
            );
            let text = sealed(&mut marks, &list, Owner::Slot(0));
            assert!(!text.contains("aHVudGVyMg=="), "{text}");
            assert_eq!(unsealed(&marks, &text, Owner::Slot(0)).unwrap(), list);
        }
        let harmless = r#"{"apiVersion":"v1","kind":"List","items":[{"kind":"Service"},[],1]}"#;
        assert_eq!(sealed(&mut marks, harmless, Owner::Slot(0)), harmless);
    }

    #[test]
    fn data_that_is_no_map_is_opaque_as_a_whole() {
        let odd = r#"{"apiVersion":"v1","kind":"Secret","data":["x"],"stringData":"y"}"#;
        let mut marks = Marks::default();
        let text = sealed(&mut marks, odd, Owner::Slot(0));
        assert!(!text.contains("\"x\"") && !text.contains("\"y\""), "{text}");
        assert_eq!(unsealed(&marks, &text, Owner::Slot(0)).unwrap(), odd);
    }
}
