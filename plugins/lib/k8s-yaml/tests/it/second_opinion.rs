//! An independent parser must see the same trees, so that a mistake of ours is not missed because ours is the only parser.

use granit_parser::{Event, Parser};
use weir_k8s_yaml::{Content, Node, ParseOptions, documents};

use crate::{cases, report};

/// The structure and the texts of all documents as granit sees them, or nothing if it sees an error.
fn theirs(text: &str) -> Option<String> {
    let mut out = String::new();
    for event in Parser::new_from_str(text) {
        match event.ok()? {
            // granit says `~` for nothing; an empty place tells it apart.
            (Event::Scalar(..), span) if span.is_empty() => out.push_str("=\n"),
            (Event::Scalar(text, ..), _) => out.push_str(&format!("={text}\n")),
            (Event::Alias(_), _) => out.push_str("*\n"),
            (Event::MappingStart(..), _) => out.push_str("{\n"),
            (Event::SequenceStart(..), _) => out.push_str("[\n"),
            (Event::MappingEnd | Event::SequenceEnd, _) => out.push_str("end\n"),
            (Event::DocumentStart(..), _) => out.push_str("---\n"),
            _ => {}
        }
    }
    Some(out)
}

fn ours(text: &str) -> Option<String> {
    let mut out = String::new();
    for document in documents(text, &ParseOptions::default()) {
        out.push_str("---\n");
        write(&document.ok()?.root, &mut out);
    }
    Some(out)
}

fn write(node: &Node, out: &mut String) {
    match node.content() {
        Content::Scalar(text) => out.push_str(&format!("={text}\n")),
        Content::Alias(_) => out.push_str("*\n"),
        Content::Mapping(mapping) => {
            out.push_str("{\n");
            for entry in mapping {
                write(&entry.key, out);
                write(&entry.value, out);
            }
            out.push_str("end\n");
        }
        Content::Sequence(sequence) => {
            out.push_str("[\n");
            sequence.iter().for_each(|item| write(item, out));
            out.push_str("end\n");
        }
    }
}

#[test]
fn texts_that_both_parsers_accept_have_one_tree() {
    let mut wrong = Vec::new();
    let mut both = 0;
    for case in cases("k8s-yaml/documents.jsonl") {
        // Line breaks beyond ASCII are such only in YAML 1.1, and granit ends an unended block scalar with a line feed.
        let text = case["text"]
            .as_str()
            .unwrap()
            .replace(['\u{85}', '\u{2028}', '\u{2029}'], "")
            + "\n";
        let (Some(theirs), Some(ours)) = (theirs(&text), ours(&text)) else {
            continue;
        };
        both += 1;
        if theirs != ours {
            wrong.push(format!("{text:?}\ntheirs {theirs:?}\nours   {ours:?}"));
        }
    }
    report(&wrong, both, 150);
}
