//! Builds trees from events, without recursion.

use std::borrow::Cow;
use std::collections::HashSet;

use super::encoding::check_characters;
use super::grammar::{Event, EventKind, Grammar};
use super::lines::{Kind, Lines, Met, Sink};
use super::scanner::Mark;
use super::syntax::{explain, place};
use super::{Document, ParseOptions};
use crate::error::{ErrorKind, Limit, YamlError};
use crate::limits::Limits;
use crate::node::{Comments, Content, Entry, Mapping, Node, Sequence, Style, Tag, Text};
use crate::scalar::Schema;
use crate::span::Span;

/// Reads documents from one text.
#[derive(Debug)]
pub(super) struct Builder<'a> {
    text: &'a str,
    words: Schema,
    reader: Reader<'a>,
    /// How many documents were read.
    count: usize,
    tree: Tree<'a>,
}

/// Where nodes come from.
#[derive(Debug)]
enum Reader<'a> {
    Lines(Lines<'a>),
    Grammar(Box<Grammar<'a>>),
}

impl<'a> Reader<'a> {
    fn long(text: &'a str, keep_comments: bool, words: Schema) -> Self {
        Self::Grammar(Box::new(Grammar::new(text, keep_comments, words)))
    }
}

/// The document that is being made.
#[derive(Debug)]
struct Tree<'a> {
    start: Span,
    limits: Limits,
    keep_comments: bool,
    open: Vec<Open>,
    /// Finished nodes whose collection is still open. Those of one collection stand together, which lets a collection be
    /// made with exactly the memory that it needs.
    finished: Vec<Node>,
    nodes: usize,
    /// How many of the open collections are flow collections.
    flow_level: usize,
    anchors: HashSet<&'a str>,
    aliases: bool,
}

/// A collection that has begun.
#[derive(Debug)]
struct Open {
    shell: Node,
    first_child: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(text: &'a str, options: &ParseOptions) -> Result<Self, YamlError> {
        let limits = Limits {
            depth: options.limits.depth.min(Limits::MAX_DEPTH),
            ..options.limits
        };
        let limit = limits.input.min(i32::MAX as usize);
        if text.len() > limit {
            let message = format!(
                "text has {} bytes, more than the {limit} allowed",
                text.len()
            );
            return Err(YamlError::limit(Limit::Input, message));
        }
        let mut start = options.start;
        if start.is_none() {
            start = Span {
                start: 0,
                end: 0,
                line: 1,
                column: 1,
            };
        }
        let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
        start.start += u32::try_from(text.len() - bare.len()).unwrap_or_default();
        check_characters(bare, start)?;
        // What a comment belongs to depends on all around it.
        let reader = if options.comments && bare.contains('#') {
            Reader::long(bare, true, options.words)
        } else {
            Reader::Lines(Lines::new(bare))
        };
        Ok(Self {
            text: bare,
            words: options.words,
            reader,
            count: 0,
            tree: Tree {
                start,
                limits,
                keep_comments: options.comments,
                open: Vec::new(),
                finished: Vec::new(),
                nodes: 0,
                flow_level: 0,
                anchors: HashSet::new(),
                aliases: false,
            },
        })
    }

    /// The next document.
    pub(super) fn document(&mut self) -> Result<Option<Document>, YamlError> {
        let document = match self.short_way() {
            Some(document) => document,
            None => self.long_way()?,
        };
        self.count += 1;
        Ok(document)
    }

    /// Reads nothing the short way.
    #[cfg(test)]
    pub(super) fn without_short_way(text: &'a str, options: &ParseOptions) -> Self {
        let mut builder = Self::new(text, options).unwrap();
        builder.reader = Reader::long(builder.text, options.comments, options.words);
        builder
    }

    #[cfg(test)]
    pub(super) fn stayed_on_short_way(&self) -> bool {
        matches!(self.reader, Reader::Lines(_))
    }

    /// Gives nothing from the first document on that is not plain.
    fn short_way(&mut self) -> Option<Option<Document>> {
        let Reader::Lines(lines) = &mut self.reader else {
            return None;
        };
        self.tree.clear();
        Some(match lines.document(&mut self.tree)? {
            Met::Document => Some(self.tree.take(Comments::default())),
            Met::End => None,
        })
    }

    fn long_way(&mut self) -> Result<Option<Document>, YamlError> {
        if matches!(self.reader, Reader::Lines(_)) {
            self.reader = Reader::long(self.text, self.tree.keep_comments, self.words);
            for _ in 0..self.count {
                self.long_way()?;
            }
        }
        let Reader::Grammar(grammar) = &mut self.reader else {
            return Ok(None);
        };
        let tree = &mut self.tree;
        tree.clear();
        let mut comments = Comments::default();
        loop {
            let event = grammar
                .next()
                .map_err(|problem| explain(&problem, self.words, tree.start, self.text))?;
            match event.kind {
                EventKind::StreamEnd => return Ok(None),
                EventKind::DocumentStart => comments = grammar.take_comments(),
                EventKind::DocumentEnd => {
                    comments.foot = grammar.take_comments().foot;
                    return Ok(Some(tree.take(comments)));
                }
                EventKind::MappingEnd | EventKind::SequenceEnd => {
                    tree.end(event.end, grammar.take_comments())?;
                }
                EventKind::Alias(_)
                | EventKind::Scalar { .. }
                | EventKind::MappingStart { .. }
                | EventKind::SequenceStart { .. } => tree.add(event, grammar.take_comments())?,
            }
        }
    }
}

impl<'a> Tree<'a> {
    fn clear(&mut self) {
        self.open.clear();
        self.finished.clear();
        self.nodes = 0;
        self.flow_level = 0;
        self.anchors.clear();
        self.aliases = false;
    }

    fn take(&mut self, comments: Comments) -> Document {
        let root = self.finished.pop().unwrap_or_else(Node::null);
        Document {
            root,
            comments,
            aliases: self.aliases,
        }
    }

    /// Adds a node or begins a collection.
    fn add(&mut self, event: Event<'a>, comments: Comments) -> Result<(), YamlError> {
        let span = self.span(event.start, event.end);
        let mut node = match event.kind {
            EventKind::Alias(name) => {
                if !self.anchors.contains(name) {
                    return Err(unknown_anchor(name, span));
                }
                self.aliases = true;
                Node::from_content(Content::Alias(Text::new(name)), Tag::None)
            }
            EventKind::Scalar { ref text, style } => scalar(text, style),
            EventKind::MappingStart { style } => collection(Kind::Mapping, style),
            EventKind::SequenceStart { style } => collection(Kind::Sequence, style),
            EventKind::MappingEnd
            | EventKind::SequenceEnd
            | EventKind::StreamEnd
            | EventKind::DocumentStart
            | EventKind::DocumentEnd => return Ok(()),
        };
        node.set_span(span);
        self.add_properties(&mut node, &event);
        if self.keep_comments {
            set_comments(&mut node, comments);
        }
        let begins = matches!(
            event.kind,
            EventKind::MappingStart { .. } | EventKind::SequenceStart { .. }
        );
        if begins {
            self.begin(node)
        } else {
            self.leaf(node)
        }
    }

    fn leaf(&mut self, node: Node) -> Result<(), YamlError> {
        self.aliases |= node.tag() == Tag::Merge;
        self.finish(node)
    }

    fn begin(&mut self, shell: Node) -> Result<(), YamlError> {
        if self.open.len() >= self.limits.depth {
            let message = format!("exceeded max depth of {}", self.limits.depth);
            return Err(YamlError::limit(Limit::Depth, message)
                .at_line(shell.span())
                .with_hint("a mapping or list is nested too deeply"));
        }
        self.flow_level += usize::from(shell.style() == Style::Flow);
        self.open.push(Open {
            shell,
            first_child: self.finished.len(),
        });
        Ok(())
    }

    fn end(&mut self, end: u32, comments: Comments) -> Result<(), YamlError> {
        let Some(Open {
            mut shell,
            first_child,
        }) = self.open.pop()
        else {
            return Ok(());
        };
        self.flow_level -= usize::from(shell.style() == Style::Flow);
        if self.keep_comments {
            self.end_comments(&mut shell, first_child, comments);
        }
        let mut children = self.finished.drain(first_child.min(self.finished.len())..);
        match shell.content_mut() {
            Content::Mapping(mapping) => {
                let mut entries = Vec::with_capacity(children.len() / 2);
                while let (Some(key), Some(value)) = (children.next(), children.next()) {
                    entries.push(Entry { key, value });
                }
                *mapping = Mapping::from(entries);
            }
            Content::Sequence(sequence) => {
                *sequence = Sequence::from(children.by_ref().collect::<Vec<_>>())
            }
            Content::Scalar(_) | Content::Alias(_) => {}
        }
        drop(children);
        let end = if shell.style() == Style::Flow {
            self.start.start + end
        } else {
            last_byte(&shell).unwrap_or(shell.span().end)
        };
        shell.set_span(Span {
            end,
            ..shell.span()
        });
        self.finish(shell)
    }

    fn finish(&mut self, mut node: Node) -> Result<(), YamlError> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            let message = format!("document has more than {} nodes", self.limits.nodes);
            return Err(YamlError::limit(Limit::Nodes, message).at_line(node.span()));
        }
        if self.flow_level > 0 {
            node.set_in_flow();
        }
        self.finished.push(node);
        if self.keep_comments {
            self.move_foot_comments();
        }
        Ok(())
    }

    fn add_properties(&mut self, node: &mut Node, event: &Event<'a>) {
        if let Some(name) = event.anchor {
            self.anchors.insert(name);
            self.aliases = true;
            node.set_anchor(Some(name));
        }
        match event.tag.as_deref() {
            Some("!") => node.set_non_specific(),
            Some(tag) => node.set_explicit_tag(tag),
            None => {}
        }
    }

    /// A foot comment that was met at a key of a block mapping belongs to the entry before, and one met at a value is kept
    /// at its key.
    fn move_foot_comments(&mut self) {
        let Some(open) = self.open.last() else {
            return;
        };
        if open.shell.as_mapping().is_none() {
            return;
        }
        let block = open.shell.style() != Style::Flow;
        let count = self.finished.len() - open.first_child;
        let last = self.finished.len() - 1;
        let (from, to) = match (count % 2, block) {
            (1, true) if count > 2 => (last, last - 2),
            (0, _) => (last, last - 1),
            _ => return,
        };
        let keeps = count.is_multiple_of(2) && !self.finished[to].comments().foot.is_empty();
        if self.finished[from].comments().foot.is_empty() || keeps {
            return;
        }
        let foot = std::mem::take(&mut self.finished[from].comments_mut().foot);
        self.finished[to].comments_mut().foot = foot;
    }

    /// The end of a collection brings its line and foot comments; the foot of a block mapping is its last key's.
    fn end_comments(&mut self, shell: &mut Node, first_child: usize, comments: Comments) {
        let Comments { line, mut foot, .. } = comments;
        let count = self.finished.len() - first_child;
        let block_mapping = shell.as_mapping().is_some() && shell.style() != Style::Flow;
        if block_mapping && !foot.is_empty() && count > 1 {
            let key = self.finished.len() - 2;
            self.finished[key].comments_mut().foot = std::mem::take(&mut foot);
        }
        let head = shell.comments().head.clone();
        set_comments(shell, Comments { head, line, foot });
    }

    fn span(&self, start: Mark, end: u32) -> Span {
        Span {
            end: self.start.start + end,
            ..place(start, self.start)
        }
    }
}

/// Mistakes and limits are told by the long way, which meets them again.
impl<'a> Sink<'a> for Tree<'a> {
    fn scalar(&mut self, text: Cow<'a, str>, style: Style, start: Mark, end: u32) -> bool {
        let mut node = scalar(&text, style);
        node.set_span(self.span(start, end));
        self.leaf(node).is_ok()
    }

    fn begin(&mut self, kind: Kind, style: Style, start: Mark, end: u32) -> bool {
        let mut shell = collection(kind, style);
        shell.set_span(self.span(start, end));
        Tree::begin(self, shell).is_ok()
    }

    fn end(&mut self, end: u32) -> bool {
        Tree::end(self, end, Comments::default()).is_ok()
    }
}

fn scalar(text: &str, style: Style) -> Node {
    let implied = if style == Style::Default {
        Schema::Kyaml.tag(text)
    } else {
        Tag::Str
    };
    let mut node = Node::tagged(Text::new(text), implied);
    node.set_style(style);
    node
}

fn collection(kind: Kind, style: Style) -> Node {
    let mut shell = match kind {
        Kind::Mapping => Node::from_content(Content::Mapping(Mapping::new()), Tag::Map),
        Kind::Sequence => Node::from_content(Content::Sequence(Sequence::new()), Tag::Seq),
    };
    shell.set_style(style);
    shell
}

fn set_comments(node: &mut Node, comments: Comments) {
    if !comments.is_empty() || !node.comments().is_empty() {
        *node.comments_mut() = comments;
    }
}

fn unknown_anchor(name: &str, span: Span) -> YamlError {
    YamlError::new(
        ErrorKind::Reference,
        format!("unknown anchor '{name}' referenced"),
    )
    .at(span)
    .with_hint(format!(
        "define it before its use in the same document: &{name}"
    ))
}

/// A block collection ends where its last child does: its own end event stands at the next token.
fn last_byte(node: &Node) -> Option<u32> {
    let last = match node.content() {
        Content::Mapping(mapping) => mapping
            .entries()
            .last()
            .map(|entry| (entry.key.span(), entry.value.span())),
        Content::Sequence(sequence) => sequence
            .items()
            .last()
            .map(|item| (item.span(), item.span())),
        Content::Scalar(_) | Content::Alias(_) => None,
    }?;
    Some(last.0.end.max(last.1.end))
}
