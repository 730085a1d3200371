//! Texts and values recorded from go-yaml, sigs.k8s.io/yaml and kyaml (`tests/cases/k8s-yaml`).

use serde_json::{Value, json};
use weir_k8s_yaml::{
    Content, Document, Duplicates, EmitOptions, Kind, Limits, Node, ParseOptions, ResolveOptions,
    Schema, Style, YamlError, documents, emit_document, parse, resolve_data, to_go_json, to_yaml,
    to_yaml_pretty,
};

use crate::{cases, report};

/// Compares an outcome with what was recorded under a key, or under `KEY_error`.
fn check(case: &Value, key: &str, found: &Result<String, YamlError>, wrong: &mut Vec<String>) {
    let expected = case[key].as_str();
    let error = case[format!("{key}_error")].as_str();
    let right = match (found, expected, error) {
        (_, None, None) => true,
        (Ok(found), Some(expected), _) => found == expected,
        (Err(_), None, Some("any")) => true,
        (Err(found), None, Some(expected)) => found.to_string() == expected,
        _ => false,
    };
    if !right {
        let input = case.get("text").unwrap_or(&case["value"]);
        wrong.push(format!(
            "{key} of {input}\nexpected {expected:?} {error:?}\nfound    {found:?}"
        ));
    }
}

#[test]
fn values_are_written_as_go_writes_them() {
    let mut wrong = Vec::new();
    let cases = cases("k8s-yaml/values.jsonl");
    for case in &cases {
        let value = &case["value"];
        check(case, "sigs", &to_yaml(value), &mut wrong);
        check(case, "pretty", &to_yaml_pretty(value), &mut wrong);
        check(case, "json", &to_go_json(value), &mut wrong);
    }
    report(&wrong, cases.len(), 300);
}

#[test]
fn scalars_are_read_as_go_reads_them() {
    let mut wrong = Vec::new();
    let cases = cases("k8s-yaml/scalars.jsonl");
    for case in &cases {
        let text = case["text"].as_str().unwrap();
        check(
            case,
            "sigs",
            &json_of(text, Schema::Sigs, Duplicates::LastWins),
            &mut wrong,
        );
        check(
            case,
            "kyaml",
            &json_of(text, Schema::Kyaml, Duplicates::Error),
            &mut wrong,
        );
    }
    report(&wrong, cases.len(), 400);
}

#[test]
fn documents_are_read_and_written_as_go_does() {
    let mut wrong = Vec::new();
    let cases = cases("k8s-yaml/documents.jsonl");
    for case in &cases {
        let text = case["text"].as_str().unwrap();
        check(
            case,
            "sigs",
            &json_of(text, Schema::Sigs, Duplicates::LastWins),
            &mut wrong,
        );
        check(
            case,
            "strict",
            &json_of(text, Schema::Sigs, Duplicates::Error),
            &mut wrong,
        );
        check(
            case,
            "kyaml",
            &json_of(text, Schema::Kyaml, Duplicates::Error),
            &mut wrong,
        );
        check(case, "nodes", &dump(text), &mut wrong);
        let Ok(Some(mut document)) = parse(text, &with_comments()) else {
            continue;
        };
        check(
            case,
            "compact",
            &emit_document(&document, &EmitOptions::kyaml()),
            &mut wrong,
        );
        check(
            case,
            "wide",
            &emit_document(&document, &EmitOptions::wide()),
            &mut wrong,
        );
        check(
            case,
            "four",
            &emit_document(&document, &EmitOptions::go_yaml()),
            &mut wrong,
        );
        let expanded = document.expand_aliases(&Limits::default());
        let expanded = expanded.and_then(|()| emit_document(&document, &EmitOptions::kyaml()));
        check(case, "anchors", &expanded, &mut wrong);
    }
    report(&wrong, cases.len(), 400);
}

fn json_of(text: &str, schema: Schema, duplicates: Duplicates) -> Result<String, YamlError> {
    let document = parse(
        text,
        &ParseOptions {
            words: schema,
            ..ParseOptions::default()
        },
    )?;
    let Some(Document { root, .. }) = &document else {
        return Ok("null".into());
    };
    let options = ResolveOptions {
        duplicates,
        ..ResolveOptions::new(schema)
    };
    Ok(resolve_data(root, &options)?.to_go_json())
}

fn with_comments() -> ParseOptions {
    ParseOptions {
        comments: true,
        words: Schema::Kyaml,
        ..ParseOptions::default()
    }
}

/// A line for each node: kind, tag, style, text, anchor, two unused numbers, comments.
fn dump(text: &str) -> Result<String, YamlError> {
    let mut out = String::new();
    for document in documents(text, &with_comments()) {
        let document = document?;
        let comments = &document.comments;
        let line = json!([
            1,
            "",
            0,
            "",
            "",
            0,
            0,
            comments.head.as_str(),
            comments.line.as_str(),
            comments.foot.as_str()
        ]);
        out.push_str(&to_go_json(&line)?);
        out.push('\n');
        dump_node(&document.root, 1, &mut out)?;
    }
    Ok(out)
}

fn dump_node(node: &Node, depth: usize, out: &mut String) -> Result<(), YamlError> {
    let kind = match node.kind() {
        Kind::Sequence => 2,
        Kind::Mapping => 4,
        Kind::Scalar => 8,
        Kind::Alias => 16,
    };
    let style = match node.style() {
        Style::Default => 0,
        Style::DoubleQuoted => 2,
        Style::SingleQuoted => 4,
        Style::Literal => 8,
        Style::Folded => 16,
        Style::Flow => 32,
    } + i32::from(node.explicit_tag());
    let text = node
        .as_str()
        .or_else(|| node.as_alias())
        .unwrap_or_default();
    let comments = node.comments();
    let (head, line, foot) = (
        comments.head.as_str(),
        comments.line.as_str(),
        comments.foot.as_str(),
    );
    let anchor = node.anchor().unwrap_or_default();
    out.push_str(&" ".repeat(depth));
    out.push_str(&to_go_json(&json!([
        kind,
        node.tag_text(),
        style,
        text,
        anchor,
        0,
        0,
        head,
        line,
        foot
    ]))?);
    out.push('\n');
    match node.content() {
        Content::Mapping(mapping) => {
            for entry in mapping {
                dump_node(&entry.key, depth + 1, out)?;
                dump_node(&entry.value, depth + 1, out)?;
            }
        }
        Content::Sequence(sequence) => {
            for item in sequence {
                dump_node(item, depth + 1, out)?;
            }
        }
        Content::Scalar(_) | Content::Alias(_) => {}
    }
    Ok(())
}
