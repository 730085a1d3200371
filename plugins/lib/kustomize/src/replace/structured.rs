//! Fields inside a text that is YAML or JSON itself, such as a file in a ConfigMap.

use serde_json::Value;
use weir_k8s_yaml::{
    Document, EmitOptions, Kind, Node, ParseOptions, Schema, emit_document, parse, resolve,
    to_go_json,
};

use super::path::{self, Create};
use crate::error::{Error, Problem, Result};
use crate::scalar::{self, Links};

/// Puts a value into a field inside a text on the way of a path. Fails if there is no such text or field; then nothing is changed.
pub(super) fn put(
    root: &mut Node,
    parts: &[String],
    value: &Node,
    create: Create,
    links: &mut Links,
) -> Result<()> {
    let (at, text, mut document) =
        find(root, parts).ok_or_else(|| Error::new(Problem::NoStructure))?;
    let found = path::visit(&mut document.root, &parts[at..], create, &mut |node| {
        if node.kind() == Kind::Scalar {
            node.set_text(value.text().cloned().unwrap_or_default());
        } else {
            *node = value.clone();
        }
        Ok(())
    })?;
    if found == 0 {
        return Err(Error::new(Problem::NoStructure));
    }
    if document.root.is_null() {
        return Ok(());
    }
    let written = write(&document, &text)?;
    match path::lookup_mut(root, &parts[..at])? {
        Some(place) => {
            scalar::set_text(place, written, links);
            Ok(())
        }
        None => Err(Error::new(Problem::NoStructure)),
    }
}

/// Visits the rest of a path inside a text, without effect on it: the original changes a copy there and drops it.
pub(super) fn visit_copy(
    field: &Node,
    rest: &[String],
    create: Create,
    change: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<usize> {
    let text = field.as_str().unwrap_or_default();
    let document = parse(text, &ParseOptions::default()).map_err(Error::yaml)?;
    let Some(mut document) = document else {
        return Err(scalar::wrong_kind(field, "a map or a list"));
    };
    path::visit(&mut document.root, rest, create, change)
}

/// The first text on the way of a path that can be read as YAML, and how many parts of the path lead to it.
fn find(root: &Node, parts: &[String]) -> Option<(usize, String, Document)> {
    let options = ParseOptions {
        comments: true,
        ..ParseOptions::default()
    };
    (1..parts.len()).find_map(|at| {
        let node = path::lookup(root, &parts[..at]).ok().flatten()?;
        if node.kind() != Kind::Scalar {
            return None;
        }
        let text = node.as_str().unwrap_or_default();
        let document = parse(text, &options).ok().flatten()?;
        Some((at, text.to_owned(), document))
    })
}

/// Writes the document as the text was written: as JSON if it began so, else as YAML.
fn write(document: &Document, before: &str) -> Result<String> {
    if !before.trim_start().starts_with(['{', '[']) {
        let text = emit_document(document, &EmitOptions::kyaml()).map_err(Error::yaml)?;
        return Ok(text.trim().to_owned());
    }
    let value: Value = resolve(&document.root, Schema::Kyaml).map_err(Error::yaml)?;
    let json = to_go_json(&value).map_err(Error::yaml)?;
    let indented = before.contains('\n') && before.contains("  ");
    Ok(if indented { indent(&json) } else { json })
}

/// Compact JSON on several lines, as Go indents it.
fn indent(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0;
    let mut in_string = false;
    let mut escaped = false;
    let mut fresh = false;
    for c in json.chars() {
        if in_string {
            out.push(c);
            (in_string, escaped) = (escaped || c != '"', c == '\\' && !escaped);
            continue;
        }
        let closes = matches!(c, '}' | ']');
        if fresh && !closes {
            depth += 1;
            line(&mut out, depth);
        }
        match c {
            '"' => in_string = true,
            ',' => {
                out.push(c);
                line(&mut out, depth);
                continue;
            }
            ':' => {
                out.push_str(": ");
                fresh = false;
                continue;
            }
            _ if closes && !fresh => {
                depth -= 1;
                line(&mut out, depth);
            }
            _ => {}
        }
        out.push(c);
        fresh = matches!(c, '{' | '[');
    }
    out
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, path: &str, expected: Option<&str>) {
        let mut root = Node::null();
        root.set("a", Node::string(text));
        let parts = path::split(path);
        let done = put(
            &mut root,
            &parts,
            &Node::string("X"),
            None,
            &mut Links::default(),
        );
        assert_eq!(
            done.ok().and_then(|()| root.get_str("a")),
            expected,
            "{text}"
        );
    }

    #[test]
    fn fields_inside_texts_are_set() {
        check(
            r#"{"c":1, "b":{"d":"y"}}"#,
            "a.b.d",
            Some(r#"{"b":{"d":"X"},"c":1}"#),
        );
        check(
            "{\n  \"b\": [],\n  \"c\": \"y\"\n}",
            "a.c",
            Some("{\n  \"b\": [],\n  \"c\": \"X\"\n}"),
        );
        check(
            "# top\nb: y # end\nc: [1]\n",
            "a.b",
            Some("# top\nb: X # end\nc: [1]"),
        );
        check("plain", "a.b", None);
        check("b: 1", "a.c", None);
    }

    #[test]
    fn json_is_indented_as_go_does() {
        assert_eq!(
            indent(r#"{"a":[1,{"b":"x,]"}],"c":{}}"#),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x,]\"\n    }\n  ],\n  \"c\": {}\n}"
        );
    }
}
