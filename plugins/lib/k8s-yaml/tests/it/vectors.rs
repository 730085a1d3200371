//! Strings and scalars recorded from kustomize v5.8.1 (`tests/cases/kustomize-vectors`).

use serde_json::json;
use weir_k8s_yaml::{ResolveOptions, Schema, parse, resolve_data, to_yaml};

use crate::{cases, report};

#[test]
fn every_recorded_string_is_written_with_the_same_bytes() {
    let mut wrong = Vec::new();
    let cases = cases("kustomize-vectors/emit.jsonl");
    for case in &cases {
        let expected = format!("data:\n{}", case["yaml"].as_str().unwrap());
        let found = to_yaml(&json!({"data": {"k": case["value"]}})).unwrap();
        if found != expected {
            wrong.push(format!(
                "{}\nexpected {expected:?}\nfound    {found:?}",
                case["value"]
            ));
        }
    }
    report(&wrong, cases.len(), 1892);
}

#[test]
fn every_recorded_scalar_is_read_as_the_same_value() {
    let mut wrong = Vec::new();
    let cases = cases("kustomize-vectors/scalars.jsonl");
    for case in &cases {
        let text = format!("spec:\n  k: {}\n", case["in"].as_str().unwrap());
        let found = parse(&text, &Default::default()).and_then(|document| {
            let root = document.unwrap().root;
            resolve_data(&root, &ResolveOptions::new(Schema::Kyaml))?.to_yaml()
        });
        let right = match (&found, case["out"].as_str()) {
            (Ok(found), Some(out)) => found == &format!("spec:\n{out}"),
            (Err(_), None) => true,
            _ => false,
        };
        if !right {
            wrong.push(format!("{case}: {found:?}"));
        }
    }
    report(&wrong, cases.len(), 155);
}
