//! From YAML to documents.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use weir_k8s_yaml::{
    Content, Document, Mapping, Node, ParseOptions, Scalar, Schema, Sequence, Tag, Timestamp,
    decode, documents,
};

use super::aliases::Aliases;
use crate::store::{LoadError, MAX_DEPTH};
use crate::tree::{Branch, Comment, Entry, Key, Value};

/// How many nodes a document may have once aliases are copies.
const MOST_NODES: usize = 1_000_000;

pub(in crate::store) fn load(content: &[u8]) -> Result<Vec<Branch>, LoadError> {
    let text = decode(content).map_err(LoadError::Yaml)?;
    let options = ParseOptions {
        comments: true,
        words: Schema::Kyaml,
        ..ParseOptions::default()
    };
    let mut branches = Vec::new();
    for document in documents(&text, &options) {
        let document = document.map_err(LoadError::Yaml)?;
        if branches.is_empty() {
            check_first(&document.root)?;
        }
        branches.push(read_document(&document)?);
    }
    Ok(branches)
}

/// The first document is a map without duplicate keys at any depth; sops does not look at the others.
fn check_first(root: &Node) -> Result<(), LoadError> {
    let what = match root.content() {
        Content::Mapping(_) => return check_duplicates(root),
        Content::Scalar(_) if root.is_null() => return Ok(()),
        Content::Sequence(_) => "!!seq",
        Content::Scalar(_) | Content::Alias(_) => "a scalar",
    };
    Err(LoadError::YamlRoot {
        line: root.span().line,
        what,
    })
}

fn check_duplicates(root: &Node) -> Result<(), LoadError> {
    let mut found = Ok(());
    root.visit(&mut |node| {
        let Some(mapping) = node.as_mapping() else {
            return;
        };
        let mut lines = HashMap::new();
        for entry in mapping {
            let (Some(text), line) = (entry.key.as_str(), entry.key.span().line) else {
                continue;
            };
            let first = *lines.entry(text).or_insert(line);
            if found.is_ok() && !std::ptr::eq(first_key(mapping, text), &entry.key) {
                found = Err(LoadError::YamlDuplicate {
                    line,
                    key: text.to_owned(),
                    first,
                });
            }
        }
    });
    found
}

fn read_document(document: &Document) -> Result<Branch, LoadError> {
    let mut reader = Reader {
        aliases: Aliases::of(&document.root)?,
        left: MOST_NODES,
    };
    let mut branch = Branch::new();
    push_comments(&mut branch, &document.comments.head, false);
    push_comments(&mut branch, &document.comments.line, false);
    reader.root(&document.root, &mut branch)?;
    push_comments(&mut branch, &document.comments.foot, false);
    Ok(branch)
}

struct Reader<'a> {
    aliases: Aliases<'a>,
    left: usize,
}

/// Whether the comments of a node were taken by what it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    Yes,
    No,
}

impl Reader<'_> {
    fn root(&mut self, root: &Node, branch: &mut Branch) -> Result<(), LoadError> {
        match root.content() {
            Content::Mapping(mapping) => self.mapping(root, mapping, Taken::No, 0, branch),
            Content::Scalar(_) if root.is_null() => {
                let comments = root.comments();
                push_comments(branch, &comments.head, false);
                push_comments(branch, &comments.line, false);
                Ok(())
            }
            Content::Sequence(_) => Err(LoadError::YamlDocument("sequences")),
            Content::Scalar(_) | Content::Alias(_) => Err(LoadError::YamlDocument("values")),
        }
    }

    fn value(&mut self, node: &Node, taken: Taken, depth: usize) -> Result<Value, LoadError> {
        if depth > MAX_DEPTH {
            return Err(LoadError::Depth);
        }
        self.left = self.left.checked_sub(1).ok_or(LoadError::YamlAliases(
            "document contains excessive aliasing",
        ))?;
        match node.content() {
            Content::Scalar(text) => Ok(scalar(node, text)),
            Content::Mapping(mapping) => {
                let mut branch = Branch::with_capacity(mapping.len());
                self.mapping(node, mapping, taken, depth, &mut branch)?;
                Ok(Value::Map(branch))
            }
            Content::Sequence(sequence) => self.sequence(node, sequence, taken, depth),
            // One that stands in what it refers to ends at the bound on depth.
            Content::Alias(name) => match self.aliases.target(node) {
                Some(target) => self.value(target, Taken::No, depth + 1),
                None => Err(LoadError::YamlAnchor(name.to_string())),
            },
        }
    }

    fn sequence(
        &mut self,
        node: &Node,
        sequence: &Sequence,
        taken: Taken,
        depth: usize,
    ) -> Result<Value, LoadError> {
        let mut list = Vec::with_capacity(sequence.len());
        let own = node.comments();
        if taken == Taken::No {
            push_list_comments(&mut list, &own.head, false);
            push_list_comments(&mut list, &own.line, false);
        }
        for item in sequence {
            let comments = item.comments();
            push_list_comments(&mut list, &comments.head, false);
            push_list_comments(&mut list, &comments.line, true);
            list.push(self.value(item, Taken::Yes, depth + 1)?);
            push_list_comments(&mut list, &comments.foot, false);
        }
        if taken == Taken::No {
            push_list_comments(&mut list, &own.foot, false);
        }
        Ok(Value::List(list))
    }

    fn mapping(
        &mut self,
        node: &Node,
        mapping: &Mapping,
        taken: Taken,
        depth: usize,
        branch: &mut Branch,
    ) -> Result<(), LoadError> {
        let own = node.comments();
        if taken == Taken::No {
            push_comments(branch, &own.head, false);
            push_comments(branch, &own.line, false);
        }
        for entry in mapping {
            let key_comments = entry.key.comments();
            let value_comments = entry.value.comments();
            let with_value = matches!(
                entry.value.content(),
                Content::Scalar(_) | Content::Alias(_)
            );
            push_comments(branch, &key_comments.head, false);
            push_comments(branch, &key_comments.line, false);
            if with_value {
                push_comments(branch, &value_comments.head, false);
                push_comments(branch, &value_comments.line, true);
            }
            let taken = if with_value { Taken::Yes } else { Taken::No };
            let value = self.value(&entry.value, taken, depth + 1)?;
            branch.push(Entry {
                key: key(&entry.key),
                value,
            });
            if with_value {
                push_comments(branch, &value_comments.foot, false);
            }
            push_comments(branch, &key_comments.foot, false);
        }
        if taken == Taken::No {
            push_comments(branch, &own.foot, false);
        }
        Ok(())
    }
}

fn first_key<'a>(mapping: &'a Mapping, text: &str) -> &'a Node {
    let found = mapping
        .iter()
        .find(|entry| entry.key.as_str() == Some(text));
    found.map_or_else(|| &mapping.entries()[0].key, |entry| &entry.key)
}

/// The lines of a comment, without their signs.
fn lines(comment: &str) -> impl Iterator<Item = &str> {
    comment
        .split('\n')
        .filter(|line| !line.is_empty())
        .map(|line| line.strip_prefix('#').unwrap_or(line))
}

fn push_comments(branch: &mut Branch, comment: &str, inline: bool) {
    branch.extend(lines(comment).map(|line| Entry::comment(line, inline)));
}

fn push_list_comments(list: &mut Vec<Value>, comment: &str, inline: bool) {
    list.extend(lines(comment).map(|line| {
        Value::Comment(Comment {
            text: line.to_owned(),
            inline,
        })
    }));
}

fn key(node: &Node) -> Key {
    let Some(text) = node.text() else {
        return Key::Other {
            kind: "map[string]interface {}",
            text: "a collection".to_owned(),
        };
    };
    let value = scalar(node, text);
    if let Value::Text(name) = value {
        return Key::Name(name);
    }
    Key::Other {
        kind: value.go_type(),
        text: text.to_string(),
    }
}

/// A scalar as go-yaml v3 decodes it. What does not fit a tag that is written is null, as sops ignores the error.
fn scalar(node: &Node, text: &str) -> Value {
    match node.written_tag() {
        Tag::Str | Tag::Merge | Tag::Other | Tag::None | Tag::Map | Tag::Seq => {
            Value::Text(text.to_owned())
        }
        Tag::Null => Value::Null,
        Tag::Bool | Tag::Int | Tag::Float => {
            number(Schema::Kyaml.classify(text), node.written_tag())
        }
        Tag::Timestamp => {
            Timestamp::parse(text).map_or(Value::Null, |time| Value::Time(time.to_string()))
        }
        Tag::Binary => {
            let packed: String = text.split_ascii_whitespace().collect();
            STANDARD
                .decode(packed)
                .map_or(Value::Null, Value::from_bytes)
        }
    }
}

/// What a text says under a tag.
#[expect(
    clippy::cast_precision_loss,
    reason = "an integer that is tagged as a float"
)]
fn number(scalar: Scalar, tag: Tag) -> Value {
    match (scalar, tag == Tag::Float) {
        (Scalar::Bool(value), _) if tag == Tag::Bool => Value::Bool(value),
        (Scalar::Int(value), false) if tag == Tag::Int => Value::Int(value),
        (Scalar::Uint(value), false) if tag == Tag::Int => Value::Uint(value),
        (Scalar::Float(value), true) => Value::Float(value),
        (Scalar::Int(value), true) => Value::Float(value as f64),
        (Scalar::Uint(value), true) => Value::Float(value as f64),
        _ => Value::Null,
    }
}
