use std::cell::RefCell;

use super::*;
use crate::metadata::Metadata;
use crate::tree::{Branch, Entry, Value};

/// Unwraps what begins with `ok:`, and writes down who was asked.
#[derive(Default)]
struct Fake {
    asked: RefCell<Vec<String>>,
}

impl Keys for Fake {
    fn unwrap(
        &self,
        scheme: &str,
        fields: &[(String, String)],
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, UnwrapError> {
        self.asked
            .borrow_mut()
            .push(format!("{scheme} {}", fields[0].1));
        match wrapped.strip_prefix(b"ok:") {
            Some(key) => Ok(Zeroizing::new(key.to_vec())),
            None if wrapped == b"later" => Err(UnwrapError::Unavailable("no answer".to_owned())),
            None => Err(UnwrapError::NoKey("no key fits".to_owned())),
        }
    }
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn map(entries: &[(&str, &str)]) -> Value {
    Value::Map(
        entries
            .iter()
            .map(|(name, value)| Entry::new(*name, text(value)))
            .collect(),
    )
}

fn age(recipient: &str, enc: &str) -> Value {
    map(&[("recipient", recipient), ("enc", enc)])
}

fn metadata(entries: Vec<(&str, Value)>) -> Metadata {
    let mut branch: Branch = entries
        .into_iter()
        .map(|(name, value)| Entry::new(name, value))
        .collect();
    branch.push(Entry::new("lastmodified", text("2024-01-02T03:04:05Z")));
    Metadata::read(&branch).unwrap()
}

fn groups(threshold: i64, wrapped: &[&str]) -> Metadata {
    let group = |(at, enc): (usize, &&str)| {
        let list = Value::List(vec![age(&format!("age1{at}"), enc)]);
        Value::Map(vec![Entry::new("age", list)])
    };
    metadata(vec![
        ("shamir_threshold", Value::Int(threshold)),
        (
            "key_groups",
            Value::List(wrapped.iter().enumerate().map(group).collect()),
        ),
    ])
}

#[test]
fn age_is_asked_first_then_pgp_then_the_others() {
    let time = ("created_at", "2024-01-02T03:04:05Z");
    let metadata = metadata(vec![
        ("kms", map(&[("arn", "A"), time])),
        ("gcp_kms", map(&[("resource_id", "G"), time])),
        ("pgp", map(&[("fp", "F"), time])),
        ("age", Value::List(vec![age("age1a", ""), age("age1b", "")])),
    ]);
    let keys = Fake::default();
    let error = data_key(&metadata, &keys).unwrap_err();
    assert_eq!(
        *keys.asked.borrow(),
        ["age age1a", "age age1b", "pgp F", "aws-kms A", "gcp-kms G"]
    );
    assert_eq!(
        error.recipients().collect::<Vec<_>>(),
        ["age1a", "age1b", "F", "A", "G"]
    );
    assert!(!error.unavailable());
}

#[test]
fn the_first_key_that_opens_ends_the_search() {
    let list = Value::List(vec![
        age("age1a", ""),
        age("age1b", "ok:k"),
        age("age1c", "ok:x"),
    ]);
    let keys = Fake::default();
    assert_eq!(
        &data_key(&metadata(vec![("age", list)]), &keys).unwrap()[..],
        b"k"
    );
    assert_eq!(keys.asked.borrow().len(), 2);
}

#[test]
fn an_error_names_what_was_tried() {
    let metadata = metadata(vec![(
        "age",
        Value::List(vec![age("age1a", "later"), age("age1b", "ok:")]),
    )]);
    let error = data_key(&metadata, &Fake::default()).unwrap_err();
    assert!(error.unavailable());
    assert_eq!(
        error.to_string(),
        "Failed to get the data key required to decrypt the SOPS file.

Group 0: FAILED
  age1a: FAILED
    - | no answer

  age1b: FAILED
    - | the unwrapped key is empty

Recovery failed because no master key was able to decrypt the file. In
order for SOPS to recover the file, at least one key has to be successful,
but none were."
    );
}

#[test]
fn shares_are_put_together() {
    let keys = Fake::default();
    let two = data_key(&groups(2, &["ok:AA\u{1}", "", "ok:BB\u{2}"]), &keys).unwrap();
    assert_eq!(two.len(), 2);
    assert_eq!(two[0], two[1]);
    let error = data_key(&groups(2, &["ok:AA\u{1}", ""]), &keys).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("Group 0: SUCCESS\n\nGroup 1: FAILED\n"),
        "{error}"
    );
    let error = data_key(&groups(0, &["ok:AA\u{1}", "ok:B\u{2}"]), &keys).unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not get data key from shamir parts: all parts must be the same length"
    );
}
