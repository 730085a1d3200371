//! Changing a text without rewriting it.
//!
//! Whoever updates one image in a file wants a diff of one line. An edit replaces the bytes of one scalar, found through
//! the spans of a tree that was parsed from that very text, and leaves every other byte alone.

use std::ops::Range;

use crate::emit::{EmitOptions, emit, emit_inline};
use crate::error::{ErrorKind, YamlError};
use crate::node::{Entry, Kind, Mapping, Node, Style};
use crate::parse::{ParseOptions, documents};

/// Edits of one text, collected and then applied together.
///
/// ```
/// use weir_k8s_yaml::{Edits, Node, parse};
///
/// let text = "image: web:1.0  # the tag is updated by a robot\n";
/// let document = parse(text, &Default::default())?.expect("the text has a document");
/// let mut edits = Edits::new(text);
/// edits.replace_scalar(document.root.get("image").expect("the key is there"), &Node::string("web:1.1"))?;
/// assert_eq!(edits.apply()?, "image: web:1.1  # the tag is updated by a robot\n");
/// # Ok::<(), weir_k8s_yaml::YamlError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Edits<'a> {
    source: &'a str,
    edits: Vec<(Range<usize>, String)>,
}

impl<'a> Edits<'a> {
    /// No edits yet. The trees given to the other functions must have been parsed from this text.
    #[must_use]
    pub fn new(source: &'a str) -> Self {
        Self {
            source,
            edits: Vec::new(),
        }
    }

    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Replaces a scalar that stands in the text. The quotes of the old one are kept where they can hold the new text.
    ///
    /// # Errors
    ///
    /// When one of the nodes is no scalar, or the old one has no text in the source (`key:`; use [`Edits::set_entry`]).
    pub fn replace_scalar(&mut self, old: &Node, new: &Node) -> Result<(), YamlError> {
        if old.kind() != Kind::Scalar || new.kind() != Kind::Scalar {
            return Err(refused(old, "only a scalar can be replaced by a scalar"));
        }
        let range = self.range(old)?;
        if range.is_empty() {
            return Err(refused(
                old,
                "the value is empty and has no place of its own",
            ));
        }
        let mut wanted = new.clone();
        if new.is_string() && matches!(old.style(), Style::SingleQuoted | Style::DoubleQuoted) {
            wanted.set_style(old.style());
        }
        let mut text = emit_inline(&wanted, old.in_flow())?;
        let block = matches!(old.style(), Style::Literal | Style::Folded);
        if block && self.source[range.clone()].ends_with('\n') {
            text.push('\n');
        }
        self.edits.push((range, text));
        Ok(())
    }

    /// Sets a key of a mapping that stands in the text: replaces a scalar, fills an empty value, or adds an entry at the end.
    ///
    /// # Errors
    ///
    /// When the node is no mapping, or the key has a value that is no scalar.
    pub fn set_entry(&mut self, mapping: &Node, key: &str, value: &Node) -> Result<(), YamlError> {
        let Some(entries) = mapping.as_mapping() else {
            return Err(refused(mapping, "only a mapping has keys"));
        };
        match entries.entry(key) {
            Some(entry) if self.range(&entry.value)?.is_empty() => self.fill(entry, value),
            Some(entry) => self.replace_scalar(&entry.value, value),
            None if mapping.style() == Style::Flow => {
                self.add_flow_entry(mapping, entries, key, value)
            }
            None => self.add_block_entry(mapping, entries, key, value),
        }
    }

    /// The text with all edits.
    ///
    /// # Errors
    ///
    /// When two edits touch the same bytes, or the result does not parse.
    pub fn apply(mut self) -> Result<String, YamlError> {
        self.edits
            .sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = String::with_capacity(self.source.len() + 64);
        let mut done = 0;
        for (range, text) in &self.edits {
            if range.start < done {
                return Err(YamlError::new(
                    ErrorKind::Edit,
                    format!("two edits overlap at byte {}", range.start),
                ));
            }
            out.push_str(&self.source[done..range.start]);
            out.push_str(text);
            done = range.end;
        }
        out.push_str(&self.source[done..]);
        for document in documents(&out, &ParseOptions::default()) {
            document?;
        }
        Ok(out)
    }

    fn fill(&mut self, entry: &Entry, value: &Node) -> Result<(), YamlError> {
        let after_key = self.range(&entry.key)?.end;
        let rest = &self.source[after_key..];
        let Some(colon) = rest.find(':').filter(|at| rest[..*at].trim().is_empty()) else {
            return Err(refused(&entry.key, "the colon of the key is not beside it"));
        };
        let at = after_key + colon + 1;
        self.edits.push((
            at..at,
            format!(" {}", emit_inline(value, entry.key.in_flow())?),
        ));
        Ok(())
    }

    fn add_flow_entry(
        &mut self,
        mapping: &Node,
        entries: &Mapping,
        key: &str,
        value: &Node,
    ) -> Result<(), YamlError> {
        let range = self.range(mapping)?;
        let text = format!(
            "{}: {}",
            emit_inline(&Node::string(key), true)?,
            emit_inline(value, true)?
        );
        let (at, text) = match entries.entries().last() {
            Some(last) => (
                self.range(&last.value)?.end.max(self.range(&last.key)?.end),
                format!(", {text}"),
            ),
            None => (range.start + 1, text),
        };
        self.edits.push((at..at, text));
        Ok(())
    }

    fn add_block_entry(
        &mut self,
        mapping: &Node,
        entries: &Mapping,
        key: &str,
        value: &Node,
    ) -> Result<(), YamlError> {
        let Some(first) = entries.entries().first() else {
            return Err(refused(mapping, "an empty mapping has no place for a key"));
        };
        let indent = " ".repeat(first.key.span().column.saturating_sub(1) as usize);
        let mut entry = Node::null();
        entry.set(key, value.clone());
        let text = emit(&entry, &EmitOptions::kyaml())?;
        let end = self.range(mapping)?.end;
        let starts_line = self.source[..end].ends_with('\n');
        let (at, lead) = match self.source[end..].find('\n') {
            _ if starts_line => (end, ""),
            Some(newline) => (end + newline + 1, ""),
            None => (self.source.len(), "\n"),
        };
        let mut lines = String::from(lead);
        for line in text.lines() {
            if !line.is_empty() {
                lines.push_str(&indent);
            }
            lines.push_str(line);
            lines.push('\n');
        }
        if !lead.is_empty() {
            lines.pop();
        }
        self.edits.push((at..at, lines));
        Ok(())
    }

    fn range(&self, node: &Node) -> Result<Range<usize>, YamlError> {
        let range = node.span().range();
        if node.span().is_none() || self.source.get(range.clone()).is_none() {
            return Err(refused(node, "the node does not come from this text"));
        }
        Ok(range)
    }
}

fn refused(node: &Node, why: &str) -> YamlError {
    YamlError::new(ErrorKind::Edit, format!("cannot edit: {why}")).at_line(node.span())
}
