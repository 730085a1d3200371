//! What the Go originals say, limits, edits and properties.
#![allow(clippy::unwrap_used)]

mod edits;
mod errors;
mod limits;
mod nodes;
mod properties;
mod recorded;
mod second_opinion;
mod vectors;

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use weir_k8s_yaml::{Document, ParseOptions, parse};

/// The lines of a file of recorded cases.
fn cases(file: &str) -> Vec<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../tests/cases")
        .join(file);
    let text =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Fails with the first of the cases that came out wrong.
fn report(wrong: &[String], of: usize, at_least: usize) {
    assert!(of >= at_least, "only {of} cases were found");
    let shown = wrong
        .iter()
        .take(5)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join("\n");
    assert!(wrong.is_empty(), "{} of {of} differ:\n{shown}", wrong.len());
}

fn first(text: &str) -> Document {
    parse(text, &ParseOptions::default()).unwrap().unwrap()
}
