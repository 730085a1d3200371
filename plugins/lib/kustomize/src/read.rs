//! From the text of a file to objects.

use std::rc::Rc;

use weir_k8s_yaml::{Limits, Node, ParseOptions, Span, decode, parse};

use crate::error::{Error, Problem, Result};
use crate::json;
use crate::resource::Resource;
use crate::scalar;
use crate::schema::Schemas;

/// Reads the objects of a file.
pub(crate) fn resources(
    content: &[u8],
    file: &Rc<str>,
    schemas: &Schemas,
) -> Result<Vec<Resource>> {
    let nodes = objects(content).map_err(|error| error.in_file(file))?;
    Ok(nodes
        .into_iter()
        .map(|node| Resource::new(node, Some(Rc::clone(file)), schemas))
        .collect())
}

/// Reads objects from a text that stands in a kustomization.
pub(crate) fn inline(text: &str, schemas: &Schemas) -> Result<Vec<Resource>> {
    let nodes = objects(text.as_bytes())?;
    Ok(nodes
        .into_iter()
        .map(|node| Resource::new(node, None, schemas))
        .collect())
}

/// The trees of all objects in a text: documents are split, lists are opened, aliases are expanded.
pub(crate) fn objects(content: &[u8]) -> Result<Vec<Node>> {
    let text = decode(content).map_err(Error::yaml)?;
    let pieces = split(&text)?;
    let alone = pieces.len() == 1;
    let mut nodes = Vec::with_capacity(pieces.len());
    for Piece { text, start } in pieces {
        let options = ParseOptions {
            start,
            ..ParseOptions::default()
        };
        let Some(mut document) = parse(text, &options).map_err(Error::yaml)? else {
            continue;
        };
        document
            .expand_aliases(&Limits::default())
            .map_err(Error::yaml)?;
        let root = document.root;
        if root.is_null() {
            continue;
        }
        if alone && is_wrapper(&root) {
            nodes.extend(unwrap_items(root));
        } else {
            nodes.push(root);
        }
    }
    nodes.retain(|node| !scalar::nil_or_empty(node));
    nodes.iter().try_for_each(check)?;
    open_lists(nodes)
}

/// Whether two documents were read where the whole file has to be one: a list of objects.
fn is_wrapper(root: &Node) -> bool {
    matches!(root.get_str("kind"), Some("List" | "ResourceList"))
        && (root.get("items").is_some() || root.get("functionConfig").is_some())
}

fn unwrap_items(mut root: Node) -> Vec<Node> {
    match root.remove("items") {
        Some(mut items) => match items.as_sequence_mut() {
            Some(items) => std::mem::take(items).into_items(),
            // The original takes the keys and values of a map for items.
            None => items
                .as_mapping_mut()
                .map(|map| {
                    std::mem::take(map)
                        .into_iter()
                        .flat_map(|entry| [entry.key, entry.value])
                        .collect()
                })
                .unwrap_or_default(),
        },
        None => Vec::new(),
    }
}

/// Kind and name have to be there.
pub(crate) fn check(node: &Node) -> Result<()> {
    let text = |node: Option<&Node>| {
        node.filter(|it| !scalar::nil_or_empty(it))
            .and_then(Node::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    if node.as_mapping().is_none() {
        return Err(Error::new(Problem::NotAnObject {
            found: scalar::describe(node),
        })
        .at(node.span()));
    }
    let kind = text(node.get("kind"));
    if kind.is_empty() {
        return Err(Error::new(Problem::MissingKind).at(node.span()));
    }
    let name = text(
        node.get("metadata")
            .and_then(|metadata| metadata.get("name")),
    );
    if name.is_empty() && !kind.ends_with("List") {
        return Err(Error::new(Problem::MissingName { kind })
            .at(node.span())
            .help("kustomize needs a `metadata.name`; `generateName` is not enough"));
    }
    Ok(())
}

/// Replaces every `…List` that has items by its items, which go to the end.
pub(crate) fn open_lists(nodes: Vec<Node>) -> Result<Vec<Node>> {
    if !nodes.iter().any(|node| {
        node.get_str("kind")
            .is_some_and(|kind| kind.ends_with("List"))
    }) {
        return Ok(nodes);
    }
    let mut opened = Vec::with_capacity(nodes.len());
    let mut queue = std::collections::VecDeque::from(nodes);
    while let Some(node) = queue.pop_front() {
        let is_list = node
            .get_str("kind")
            .is_some_and(|kind| kind.ends_with("List"));
        let Some(items) = node.get("items").filter(|_| is_list) else {
            opened.push(node);
            continue;
        };
        if items.is_null() {
            continue;
        }
        let Some(items) = items.as_sequence() else {
            return Err(Error::new(Problem::ListItems {
                found: scalar::describe(items),
            })
            .at(items.span())
            .in_field("items"));
        };
        for item in items {
            let item = through_json(item)?;
            if scalar::nil_or_empty(&item) {
                continue;
            }
            check(&item)?;
            queue.push_back(item);
        }
    }
    Ok(opened)
}

/// What is left of a tree after it was JSON for a moment.
fn through_json(node: &Node) -> Result<Node> {
    let mut made = json::tree(&json::of(node)?);
    made.set_span(node.span());
    Ok(made)
}

/// A part of a file between separators.
struct Piece<'a> {
    text: &'a str,
    start: Span,
}

/// Cuts a text at its separator lines, without regard to what YAML makes of them. A separator on the first line stays.
fn split(text: &str) -> Result<Vec<Piece<'_>>> {
    const SEPARATOR: &str = "\n---";
    let mut pieces = Vec::new();
    let mut begin = 0;
    let mut line = 1;
    let mut search = 0;
    while let Some(found) = text[search..].find(SEPARATOR) {
        let at = search + found;
        let rest = at + SEPARATOR.len();
        let Some(end) = text[rest..].find('\n').map(|length| rest + length) else {
            break;
        };
        let comment = text[rest..end].trim();
        let next_line = line + count_lines(&text[begin..=at]) + 1;
        if !comment.is_empty() && !comment.starts_with('#') {
            let place = Span {
                line: next_line - 1,
                column: 1,
                ..Span::NONE
            };
            return Err(
                Error::new(Problem::Separator(text[at + 1..end].trim().to_owned()))
                    .at(place)
                    .help("put the content on the line after `---`"),
            );
        }
        pieces.push(Piece {
            text: &text[begin..=at],
            start: place(begin, line),
        });
        begin = end + 1;
        line = next_line;
        // The line feed that ends a separator cannot begin the next one.
        search = begin;
    }
    if begin < text.len() || pieces.is_empty() && !text.is_empty() {
        pieces.push(Piece {
            text: &text[begin..],
            start: place(begin, line),
        });
    } else if !text.is_empty() {
        pieces.push(Piece {
            text: "",
            start: place(begin, line),
        });
    }
    Ok(pieces)
}

fn place(begin: usize, line: u32) -> Span {
    Span {
        start: begin as u32,
        end: begin as u32,
        line,
        column: 1,
    }
}

fn count_lines(text: &str) -> u32 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u32
}

#[cfg(test)]
mod tests;
