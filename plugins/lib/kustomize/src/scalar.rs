//! Setting scalars and fields in place, as kyaml's setters do.
//!
//! Two things about them are visible in results. A new value takes over the *style* of what it replaces, so a quoted
//! number stays a string. And a label that one transformer puts into several places is one node in the original, so that a later
//! change in one place changes all of them ([`Links`]).

use weir_k8s_yaml::{Kind, Mapping, Node, Style, Tag, Text};

use crate::error::{Error, Problem, Result};

/// The places of one object that share a node.
///
/// The tree here has values, not pointers, so places that share carry the same anchor (anchors of the source are gone once
/// a file is read). Whoever changes such a place records it here, and [`Links::settle`] brings the change to the others.
#[derive(Debug, Default)]
pub(crate) struct Links {
    changed: Vec<Node>,
}

impl Links {
    /// Brings a place up to date that shares with one already changed.
    pub(crate) fn refresh(&self, node: &mut Node) {
        if self.changed.is_empty() {
            return;
        }
        let Some(link) = node.anchor() else {
            return;
        };
        if let Some(changed) = self
            .changed
            .iter()
            .rev()
            .find(|changed| changed.anchor() == Some(link))
        {
            *node = changed.clone();
        }
    }

    /// Remembers a place that was changed.
    pub(crate) fn record(&mut self, node: &Node) {
        if let Some(link) = node.anchor() {
            self.changed
                .retain(|changed| changed.anchor() != Some(link));
            self.changed.push(node.clone());
        }
    }

    /// Brings all changes to all places that share.
    pub(crate) fn settle(&mut self, root: &mut Node) {
        if self.changed.is_empty() {
            return;
        }
        let changed = std::mem::take(&mut self.changed);
        root.visit_mut(&mut |node| {
            let Some(link) = node.anchor() else {
                return;
            };
            if let Some(new) = changed
                .iter()
                .find(|changed| changed.anchor() == Some(link))
            {
                *node = new.clone();
            }
        });
    }
}

/// A scalar without a tag: what it is follows from its text when it is written.
pub(crate) fn untagged(text: impl Into<Text>) -> Node {
    Node::tagged(text.into(), Tag::None)
}

/// A string that stays one.
pub(crate) fn string(text: impl Into<Text>) -> Node {
    Node::string(text)
}

/// Whether a node is null, an empty map or an empty list.
pub(crate) fn nil_or_empty(node: &Node) -> bool {
    node.is_null()
        || node.as_mapping().is_some_and(Mapping::is_empty)
        || node
            .as_sequence()
            .is_some_and(weir_k8s_yaml::Sequence::is_empty)
}

/// Whether a node counts as a string: tagged so, or without a tag.
pub(crate) fn is_string(node: &Node) -> bool {
    node.kind() == Kind::Scalar && matches!(node.tag(), Tag::Str | Tag::None)
}

/// Replaces a scalar in place; the style stays.
pub(crate) fn set_scalar(node: &mut Node, mut value: Node, links: &mut Links) -> Result<()> {
    links.refresh(node);
    if node.kind() != Kind::Scalar && !node.is_null() {
        return Err(wrong_kind(node, "a scalar"));
    }
    if value.is_null() {
        return Ok(());
    }
    value.set_style(node.style());
    overwrite(node, value, links);
    Ok(())
}

/// Sets a field of a map: an existing value is replaced in place and keeps its style, a new one is appended. A null value removes the field.
pub(crate) fn set_field(map: &mut Mapping, name: &str, mut value: Node, links: &mut Links) {
    if value.is_null() {
        map.remove(name);
        return;
    }
    match map.get_mut(name) {
        Some(place) => {
            value.set_style(place.style());
            overwrite(place, value, links);
        }
        None => map.push(untagged(name), value),
    }
}

/// Puts a value into a place, for all that share it.
pub(crate) fn overwrite(place: &mut Node, mut value: Node, links: &mut Links) {
    match place.anchor() {
        None => {
            if value.anchor().is_some() {
                value.set_anchor(None);
            }
            *place = value;
        }
        Some(link) => {
            let link = link.to_owned();
            value.set_anchor(Some(&link));
            *place = value;
            links.record(place);
        }
    }
}

/// Changes only the text of a scalar, for all that share it.
pub(crate) fn set_text(place: &mut Node, text: impl Into<Text>, links: &mut Links) {
    links.refresh(place);
    place.set_text(text);
    links.record(place);
}

/// The map of a node, or an error that says what stands there.
pub(crate) fn mapping_mut(node: &mut Node) -> Result<&mut Mapping> {
    if node.as_mapping().is_none() {
        return Err(wrong_kind(node, "a map"));
    }
    Ok(node.make_mapping())
}

/// "found a list, expected a map"
pub(crate) fn wrong_kind(node: &Node, expected: &'static str) -> Error {
    Error::new(Problem::WrongKind {
        expected,
        found: describe(node),
    })
    .at(node.span())
}

/// What a node is, in words.
pub(crate) fn describe(node: &Node) -> String {
    match node.kind() {
        Kind::Mapping => "a map".to_owned(),
        Kind::Sequence => "a list".to_owned(),
        Kind::Alias => "an alias".to_owned(),
        Kind::Scalar if node.is_null() => "nothing".to_owned(),
        Kind::Scalar => {
            let text: String = node.as_str().unwrap_or_default().chars().take(60).collect();
            let name = match node.tag() {
                Tag::Int | Tag::Float => "the number",
                Tag::Bool => "the boolean",
                Tag::Timestamp => "the timestamp",
                Tag::Str
                | Tag::Null
                | Tag::Binary
                | Tag::Merge
                | Tag::Map
                | Tag::Seq
                | Tag::Other
                | Tag::None => "the text",
            };
            format!("{name} `{text}`")
        }
    }
}

/// An empty block map.
pub(crate) fn empty_map() -> Node {
    Node::mapping(Mapping::new())
}

/// Whether a style makes a scalar a string whatever its text.
pub(crate) fn quoted(style: Style) -> bool {
    match style {
        Style::SingleQuoted | Style::DoubleQuoted | Style::Literal | Style::Folded => true,
        Style::Default | Style::Flow => false,
    }
}
