//! The short way from text to data, for documents that say what they mean with scalars, mappings and lists alone.
//!
//! Nearly all manifests and values files are such documents. No tree is made of them, and strings are borrowed from the
//! text where they stand in one piece.

use std::borrow::Cow;

use super::encoding::check_characters;
use super::grammar::{EventKind, Grammar};
use super::lines::{Kind, Lines, Met, Sink};
use super::scanner::Mark;
use crate::data::Data;
use crate::limits::Limits;
use crate::node::Style;
use crate::resolve::keep_last;
use crate::scalar::{Scalar, Schema};
use crate::span::Span;

/// A collection that has begun.
struct Open {
    kind: Kind,
    /// Where its finished children begin: keys and values in turn, or items.
    first_child: usize,
}

/// Reads the first document of a text by the rules of [`Schema::Sigs`]. Gives nothing where tags, anchors, merge keys, keys
/// that are no strings, mistakes or limits come in: then the long way has to be taken, which knows what to make of them.
pub(crate) fn plain<'a>(text: &'a str, limits: &Limits) -> Option<Data<'a>> {
    let mut made = read_into(text, limits, || Making::new(limits))?;
    Some(made.finished.pop().unwrap_or(Data::Null))
}

/// Gives the first document of a text to a sink, which is made anew if the text has to be read a second time. The sink of an
/// empty text has got nothing. See [`plain`] for what is not read.
pub(super) fn read_into<'a, S: Sink<'a>>(
    text: &'a str,
    limits: &Limits,
    new: impl Fn() -> S,
) -> Option<S> {
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > limits.input || check_characters(bare, Span::NONE).is_err() {
        return None;
    }
    let mut sink = new();
    if let Some(Met::Document | Met::End) = Lines::new(bare).document(&mut sink) {
        return Some(sink);
    }
    let mut sink = new();
    let mut grammar = Grammar::new(bare, false, Schema::Sigs);
    loop {
        let event = grammar.next().ok()?;
        if event.anchor.is_some() || event.tag.is_some() {
            return None;
        }
        let (start, end) = (event.start, event.end);
        let taken = match event.kind {
            EventKind::StreamEnd | EventKind::DocumentEnd => return Some(sink),
            EventKind::DocumentStart => true,
            EventKind::Alias(_) => false,
            EventKind::Scalar { text, style } => sink.scalar(text, style, start, end),
            EventKind::MappingStart { style } => sink.begin(Kind::Mapping, style, start, end),
            EventKind::SequenceStart { style } => sink.begin(Kind::Sequence, style, start, end),
            EventKind::MappingEnd | EventKind::SequenceEnd => sink.end(end),
        };
        if !taken {
            return None;
        }
    }
}

/// The data that is being made.
struct Making<'a> {
    depth: usize,
    nodes_left: usize,
    open: Vec<Open>,
    finished: Vec<Data<'a>>,
}

impl Making<'_> {
    fn new(limits: &Limits) -> Self {
        Self {
            depth: limits.depth.min(Limits::MAX_DEPTH),
            nodes_left: limits.nodes,
            open: Vec::new(),
            finished: Vec::new(),
        }
    }

    /// Whether what comes now is a key.
    fn at_key(&self) -> bool {
        self.open.last().is_some_and(|top| {
            top.kind == Kind::Mapping && (self.finished.len() - top.first_child).is_multiple_of(2)
        })
    }

    fn count(&mut self) -> bool {
        let fits = self.nodes_left > 0;
        self.nodes_left = self.nodes_left.saturating_sub(1);
        fits
    }
}

impl<'a> Sink<'a> for Making<'a> {
    fn scalar(&mut self, text: Cow<'a, str>, style: Style, _: Mark, _: u32) -> bool {
        let Some(data) = scalar(text, style, self.at_key()) else {
            return false;
        };
        self.finished.push(data);
        self.count()
    }

    fn begin(&mut self, kind: Kind, _: Style, _: Mark, _: u32) -> bool {
        if self.at_key() || self.open.len() >= self.depth {
            return false;
        }
        self.open.push(Open {
            kind,
            first_child: self.finished.len(),
        });
        true
    }

    fn end(&mut self, _: u32) -> bool {
        let Some(open) = self.open.pop() else {
            return false;
        };
        let collection = close(&mut self.finished, &open);
        self.finished.push(collection);
        self.count()
    }
}

fn close<'a>(finished: &mut Vec<Data<'a>>, open: &Open) -> Data<'a> {
    let mut children = finished.drain(open.first_child.min(finished.len())..);
    if open.kind == Kind::Sequence {
        return Data::Seq(children.collect());
    }
    let mut entries = Vec::with_capacity(children.len() / 2);
    while let (Some(Data::Str(key)), Some(value)) = (children.next(), children.next()) {
        entries.push((key, value));
    }
    drop(children);
    keep_last(&mut entries);
    Data::Map(entries)
}

/// A scalar without a tag. A key must be a string.
pub(super) fn scalar(text: Cow<'_, str>, style: Style, is_key: bool) -> Option<Data<'_>> {
    if style != Style::Default {
        return Some(Data::Str(text));
    }
    Some(match Schema::Sigs.classify(&text) {
        Scalar::Str | Scalar::Timestamp => Data::Str(text),
        _ if is_key => return None,
        Scalar::Merge => Data::Str(text),
        Scalar::Null => Data::Null,
        Scalar::Bool(value) => Data::Bool(value),
        Scalar::Int(value) => Data::Int(value),
        Scalar::Uint(value) => Data::Uint(value),
        Scalar::Float(value) if value.is_finite() => Data::from_float(value),
        Scalar::Float(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resolve::from_yaml;

    #[test]
    fn says_what_the_long_way_says() {
        for text in [
            "",
            "---\n",
            "a: 1\nb:\n- x\n- {z: [1.5, ~, on]}\n---\nc: [\n",
            "a: |\n  b\n\n  c\nd: 'e'\n\"<<\": f\n",
            "a: 1\nb: 2\na: 3\n",
            "a: 1_000\nb: 0x1f\nc: 2020-01-01\nd: <<\ne: 1e3\nf: 18446744073709551615\n",
        ] {
            let read = plain(text, &Limits::default()).expect(text);
            let expected = from_yaml(text, Schema::Sigs).unwrap();
            assert_eq!(read.into_value(), expected, "{text}");
        }
    }

    #[test]
    fn leaves_what_needs_more() {
        for text in [
            "a: &b 1\n",
            "a: !!str 1\n",
            "<<: {a: 1}\n",
            "1: a\n",
            "y: a\n",
            "[a]: b\n",
            "a: .inf\n",
            "a: [\n",
            "a: \u{1}\n",
        ] {
            assert_eq!(plain(text, &Limits::default()), None, "{text}");
        }
    }
}
