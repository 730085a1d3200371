//! The short way through block documents, line by line.
//!
//! Nearly all manifests consist of lines `key: value` and `- item`, with quoted texts, block scalars and lists in brackets
//! for values. What such a line says shows on the line, and one pass over it tells. Whatever else YAML allows, and whatever
//! is wrong, is left to the long way, [`super::grammar`]: this one never says anything else than that would. Comments are
//! passed over.

use std::borrow::Cow;

use super::scanner::{Cursor, Mark, TokenKind};
use crate::node::Style;

/// What takes the nodes of a document as they come. Gives `false` if it cannot take one.
pub(super) trait Sink<'a> {
    fn scalar(&mut self, text: Cow<'a, str>, style: Style, start: Mark, end: u32) -> bool;
    fn begin(&mut self, kind: Kind, style: Style, start: Mark, end: u32) -> bool;
    fn end(&mut self, end: u32) -> bool;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Mapping,
    Sequence,
}

/// What was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    Document,
    End,
}

/// Reads the documents of a text for as long as they are plain.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    cursor: Cursor<'a>,
    open: Vec<Level>,
    /// Where an empty scalar stands if the key or dash that was read last has nothing behind it.
    waiting: Option<Mark>,
}

/// A collection that is open.
#[derive(Debug, Clone, Copy)]
struct Level {
    kind: Kind,
    column: u32,
}

/// How far a key without `?` may reach; the scanner counts characters.
const LONGEST_KEY: u32 = 1000;

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            cursor: Cursor::new(text),
            open: Vec::new(),
            waiting: None,
        }
    }

    /// Reads one document into a sink. Gives nothing where the long way has to be taken, from the start of the text.
    pub(super) fn document(&mut self, sink: &mut impl Sink<'a>) -> Option<Met> {
        self.open.clear();
        self.waiting = None;
        if !self.start()? && self.cursor.at_end() {
            return Some(Met::End);
        }
        let mut empty = true;
        while self.next_line()? {
            if self.cursor.bytes_in_line() == 0 {
                match self.cursor.document_marker() {
                    Some(TokenKind::DocumentStart) => break,
                    Some(_) => return None,
                    None if self.cursor.byte(0) == b'%' => return None,
                    None => {}
                }
            }
            self.line(sink, empty)?;
            empty = false;
        }
        if empty {
            // Nothing but a marker.
            if self.cursor.at_end() {
                self.cursor.force_new_line();
            }
            let here = self.cursor.mark();
            accept(sink.scalar(Cow::Borrowed(""), Style::Default, here, here.offset))?;
        }
        self.close(-1, sink)?;
        Some(Met::Document)
    }

    /// Goes over the marker of a document if there is one.
    fn start(&mut self) -> Option<bool> {
        let found = self.next_line()?;
        if !found || self.cursor.bytes_in_line() > 0 {
            return Some(false);
        }
        match self.cursor.document_marker() {
            Some(TokenKind::DocumentStart) => {}
            Some(_) => return None,
            None => return Some(false),
        }
        self.cursor.advance(3);
        self.ends(true)?.then_some(true)
    }

    /// Moves to the first character of the next line that has one, and says whether there is one.
    fn next_line(&mut self) -> Option<bool> {
        loop {
            self.cursor.skip_blanks(false);
            match self.cursor.byte(0) {
                b'#' => self.cursor.skip_line_text(),
                b'\t' => return None,
                _ => {}
            }
            if !self.cursor.skip_break() {
                return Some(!self.cursor.at_end());
            }
        }
    }

    /// Reads what begins here, at the start of a line.
    fn line(&mut self, sink: &mut impl Sink<'a>, first: bool) -> Option<()> {
        let column = self.cursor.column();
        let entry = self.at_entry();
        if first {
            return self.node(sink, column, entry);
        }
        let top = *self.open.last()?;
        if column > top.column {
            self.waiting.take()?;
            if matches!(self.cursor.byte(0), b'[' | b'{') {
                // What templates make of an empty map below its key.
                self.brackets(sink)?;
                return self.ends(true)?.then_some(());
            }
            return self.node(sink, column, entry);
        }
        if self.waiting.is_some() && entry && top.kind == Kind::Mapping && column == top.column {
            // A list may stand at the column of its key.
            self.waiting = None;
            return self.node(sink, column, entry);
        }
        self.close(i64::from(column), sink)?;
        let mut top = *self.open.last()?;
        if top.kind == Kind::Sequence && !entry {
            self.end_level(sink)?;
            top = *self.open.last()?;
        }
        if top.column != column || entry != (top.kind == Kind::Sequence) {
            return None;
        }
        if entry {
            self.entry(sink)
        } else {
            self.pair(sink)
        }
    }

    /// Reads a node that begins a line, or stands behind a dash.
    fn node(&mut self, sink: &mut impl Sink<'a>, column: u32, entry: bool) -> Option<()> {
        if entry {
            self.begin_level(sink, Kind::Sequence, column)?;
            return self.entry(sink);
        }
        self.begin_level(sink, Kind::Mapping, column)?;
        self.pair(sink)
    }

    fn begin_level(&mut self, sink: &mut impl Sink<'a>, kind: Kind, column: u32) -> Option<()> {
        let start = self.cursor.mark();
        self.open.push(Level { kind, column });
        accept(sink.begin(kind, Style::Default, start, start.offset))
    }

    /// Ends the collections that stand further to the right than a column.
    fn close(&mut self, column: i64, sink: &mut impl Sink<'a>) -> Option<()> {
        self.nothing(sink)?;
        while let Some(level) = self.open.last()
            && i64::from(level.column) > column
        {
            self.end_level(sink)?;
        }
        Some(())
    }

    fn end_level(&mut self, sink: &mut impl Sink<'a>) -> Option<()> {
        self.open.pop();
        accept(sink.end(self.cursor.offset()))
    }

    /// The key or dash before has nothing behind it.
    fn nothing(&mut self, sink: &mut impl Sink<'a>) -> Option<()> {
        match self.waiting.take() {
            Some(at) => accept(sink.scalar(Cow::Borrowed(""), Style::Default, at, at.offset)),
            None => Some(()),
        }
    }

    /// `- ` and what is behind it.
    fn entry(&mut self, sink: &mut impl Sink<'a>) -> Option<()> {
        loop {
            self.cursor.advance(1);
            let behind = self.cursor.mark();
            if self.ends(false)? {
                self.waiting = Some(behind);
                return Some(());
            }
            let column = self.cursor.column();
            if !self.at_entry() {
                return self.item(sink, column);
            }
            self.begin_level(sink, Kind::Sequence, column)?;
        }
    }

    /// What stands behind a dash: the first pair of a mapping, or a value.
    fn item(&mut self, sink: &mut impl Sink<'a>, column: u32) -> Option<()> {
        if matches!(self.cursor.byte(0), b'|' | b'>' | b'[' | b'{') {
            return self.value(sink);
        }
        let before = self.cursor;
        let scalar = self.scalar()?;
        if self.cursor.byte(0) == b':' {
            self.open.push(Level {
                kind: Kind::Mapping,
                column,
            });
            let (start, end) = (scalar.start, scalar.start.offset);
            accept(sink.begin(Kind::Mapping, Style::Default, start, end))?;
            return self.behind_key(sink, scalar);
        }
        self.alone(scalar, before)?.give(sink)
    }

    /// `key: value`
    fn pair(&mut self, sink: &mut impl Sink<'a>) -> Option<()> {
        let key = self.scalar()?;
        self.behind_key(sink, key)
    }

    fn behind_key(&mut self, sink: &mut impl Sink<'a>, key: Piece<'a>) -> Option<()> {
        let short = key.end - key.start.offset < LONGEST_KEY;
        let colon = self.cursor.byte(0) == b':' && self.cursor.blank_or_end(1);
        (short && colon && self.cursor.line() == key.start.line).then_some(())?;
        key.give(sink)?;
        self.cursor.advance(1);
        let behind = self.cursor.mark();
        if self.ends(true)? {
            self.waiting = Some(behind);
            return Some(());
        }
        self.value(sink)
    }

    fn value(&mut self, sink: &mut impl Sink<'a>) -> Option<()> {
        match self.cursor.byte(0) {
            b'|' => return self.block(sink, Style::Literal),
            b'>' => return self.block(sink, Style::Folded),
            b'[' | b'{' => self.brackets(sink)?,
            _ if self.at_entry() => return None,
            _ => {
                let before = self.cursor;
                let scalar = self.scalar()?;
                return self.alone(scalar, before)?.give(sink);
            }
        }
        self.ends(true)?.then_some(())
    }

    /// A scalar with nothing but blanks and a comment behind it; or that and the lines on which it goes on.
    fn alone(&mut self, scalar: Piece<'a>, before: Cursor<'a>) -> Option<Piece<'a>> {
        let behind = self.cursor.at();
        self.ends(true)?.then_some(())?;
        let column = self.open.last().map_or(0, |level| level.column) as usize;
        let commented = self.cursor.slice(behind, self.cursor.at()).contains('#');
        let whole = commented || scalar.style != Style::Default || !self.cursor.may_go_on(column);
        if whole {
            return Some(scalar);
        }
        self.cursor = before;
        let plain = self
            .cursor
            .scan_plain(column + 1, false, scalar.start)
            .ok()?;
        let ended = self.cursor.at_end() || self.cursor.byte(0) == b'#';
        (ended || self.cursor.bytes_in_line() <= column).then_some(Piece {
            text: plain.text,
            end: plain.end,
            ..scalar
        })
    }

    /// Goes over blanks and a comment, and says whether the line ends there. Tabs are blanks unless columns count.
    fn ends(&mut self, tabs: bool) -> Option<bool> {
        let from = self.cursor.at();
        self.cursor.skip_blanks(tabs);
        if self.cursor.byte(0) == b'\t' {
            return None;
        }
        if self.cursor.byte(0) == b'#' && self.cursor.at() > from {
            self.cursor.skip_line_text();
        }
        Some(self.cursor.break_or_end(0))
    }

    fn at_entry(&self) -> bool {
        self.cursor.byte(0) == b'-' && self.cursor.blank_or_end(1)
    }

    /// A scalar that is plain or quoted; not empty if it is plain.
    fn scalar(&mut self) -> Option<Piece<'a>> {
        let start = self.cursor.mark();
        let quote = self.cursor.byte(0);
        if matches!(quote, b'\'' | b'"') {
            let single = quote == b'\'';
            let (text, end) = self.cursor.scan_quoted(start, single).ok()?;
            let style = if single {
                Style::SingleQuoted
            } else {
                Style::DoubleQuoted
            };
            return Some(Piece {
                text,
                style,
                start,
                end,
            });
        }
        let from = self.cursor.at();
        let to = self.cursor.plain_line_end()?;
        self.cursor.advance_to(to);
        Some(Piece {
            text: Cow::Borrowed(self.cursor.slice(from, to)),
            style: Style::Default,
            start,
            end: self.cursor.offset(),
        })
    }

    fn block(&mut self, sink: &mut impl Sink<'a>, style: Style) -> Option<()> {
        let start = self.cursor.mark();
        let header = self.cursor.scan_block_header(start).ok()?;
        self.ends(true)?.then_some(())?;
        self.cursor.skip_break();
        let parent = self.open.last().map_or(-1, |level| i64::from(level.column));
        let (text, end) = self
            .cursor
            .scan_block_text(style, &header, parent, start)
            .ok()?;
        accept(sink.scalar(Cow::Owned(text), style, start, end))
    }

    /// Scalars in square brackets, or pairs of them in curly ones, on one line.
    fn brackets(&mut self, sink: &mut impl Sink<'a>) -> Option<()> {
        let (kind, last) = match self.cursor.byte(0) {
            b'[' => (Kind::Sequence, b']'),
            _ => (Kind::Mapping, b'}'),
        };
        let start = self.cursor.mark();
        self.cursor.advance(1);
        accept(sink.begin(kind, Style::Flow, start, self.cursor.offset()))?;
        self.cursor.skip_blanks(true);
        while self.cursor.byte(0) != last {
            let mut item = self.flow_scalar()?;
            if kind == Kind::Mapping {
                let short = item.end - item.start.offset < LONGEST_KEY;
                (short && self.cursor.byte(0) == b':' && self.cursor.blank_or_end(1))
                    .then_some(())?;
                item.give(sink)?;
                self.cursor.advance(1);
                self.cursor.skip_blanks(true);
                item = self.flow_scalar()?;
            }
            self.cursor.skip_blanks(true);
            match self.cursor.byte(0) {
                b',' => {
                    self.cursor.advance(1);
                    self.cursor.skip_blanks(true);
                }
                end if end == last => {}
                _ => return None,
            }
            item.give(sink)?;
        }
        self.cursor.advance(1);
        accept(sink.end(self.cursor.offset()))
    }

    /// Letters, digits and a few signs between brackets, or something in quotes.
    fn flow_scalar(&mut self) -> Option<Piece<'a>> {
        let start = self.cursor.mark();
        if matches!(self.cursor.byte(0), b'\'' | b'"') {
            let scalar = self.scalar()?;
            return (self.cursor.line() == start.line).then_some(scalar);
        }
        let from = self.cursor.at();
        let mut length = 0;
        while matches!(self.cursor.byte(length), b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'/' | b'.')
            || (length > 0 && self.cursor.byte(length) == b'-')
        {
            length += 1;
        }
        (length > 0).then_some(())?;
        self.cursor.advance(length);
        Some(Piece {
            text: Cow::Borrowed(self.cursor.slice(from, from + length)),
            style: Style::Default,
            start,
            end: self.cursor.offset(),
        })
    }
}

/// A scalar that may turn out to be a key.
struct Piece<'a> {
    text: Cow<'a, str>,
    style: Style,
    start: Mark,
    end: u32,
}

impl<'a> Piece<'a> {
    fn give(self, sink: &mut impl Sink<'a>) -> Option<()> {
        accept(sink.scalar(self.text, self.style, self.start, self.end))
    }
}

fn accept(taken: bool) -> Option<()> {
    taken.then_some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ParseOptions;
    use super::super::builder::Builder;
    use crate::error::YamlError;

    /// All documents, places and all, or what is wrong. (How many come before a mistake depends on how far ahead a reader
    /// looks.)
    fn read(builder: &mut Builder<'_>) -> Result<String, YamlError> {
        let mut all = String::new();
        while let Some(document) = builder.document()? {
            all.push_str(&format!("{document:?}\n"));
        }
        Ok(all)
    }

    /// Whether the short way was enough without comments.
    fn same_both_ways(text: &str) -> bool {
        let mut short = false;
        for comments in [true, false] {
            let options = ParseOptions {
                comments,
                ..ParseOptions::default()
            };
            let mut builder = Builder::new(text, &options).unwrap();
            let mut long = Builder::without_short_way(text, &options);
            assert_eq!(read(&mut builder), read(&mut long), "{text:?}, {comments}");
            short = builder.stayed_on_short_way();
        }
        short
    }

    #[test]
    fn plain_documents_go_the_short_way() {
        for text in [
            "",
            "a: 1\n",
            "---\na:\n  b: c d\n  e:\n  - f\n  - g: h\n    i:\n    - - j\n      - k\n---\n---\n- l\n- m: |\n    n\n\n    o\n- p\n",
            "a: 'it''s'\n\"b\": \"c\\n\"\nd: {}\ne: [f, \"g\", 1.5]\nh: []\ni: >-\n  j\n  k\nl:\n",
            "a: \"b\n  c\"\nd: http://e:1/f#g\nh: - i\n".trim_end_matches("h: - i\n"),
            "-\n-\n  a: b\n- - -\n---\n",
            "a: é: \n".replace(": \n", "\n").as_str(),
            "a: b\r\nc:\r\n  d: e\r\n",
            "# a\nb: c # d\n  # e\nf: # g\n- h\n# i\n- j\n",
            "a: b\n  c\n\n   d\ne:\n- f\n  g\n- h: i\n   j\n  k: l\n\n",
            "a:\n  {}\nb:\n- c:\n    []  # d\n  e: {f: g, 'h': 1 }\n- {i: j}\n",
        ] {
            assert!(same_both_ways(text), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_plain_is_left() {
        for text in [
            "a: &b c\n",
            "a: *b\n",
            "!!str a: b\n",
            "? a\n: b\n",
            "a: b\n  c: d\n",
            "a: b # c\n  d\n",
            "{a: b}\n",
            "a: {b: {c: d}}\n",
            "a: {b, c: d}\n",
            "a: {b: }\n",
            "a: {'b':c}\n",
            "a:\n  {}: b\n",
            "a:\n  {}\n  b: c\n",
            "a:\n{}\n",
            "a: b: c\n",
            "a\n",
            "a: - b\n",
            "-\tb\n",
            "\ta: b\n",
            "a: b\n c: d\n",
            "- a\nb: c\n",
            "a: b\n...\n",
            "%YAML 1.1\n---\na: b\n",
            "--- a\n",
            "a: [b\n",
            "a: [b: c]\n",
            "a: 'b\n",
            "a: @b\n",
            "a : b\n",
        ] {
            assert!(!same_both_ways(text), "{text:?}");
        }
    }

    /// Lines of pieces that mean something to YAML, at columns that fit more often than not.
    fn lines() -> impl Strategy<Value = String> {
        let indent = prop_oneof![
            6 => (0..4_usize).prop_map(|level| " ".repeat(level * 2)),
            1 => (0..9_usize).prop_map(|column| " ".repeat(column)),
            1 => Just("\t".to_owned()),
        ];
        let dashes = prop_oneof![6 => Just(""), 4 => Just("- "), 1 => Just("- - "), 1 => Just("-   "), 1 => Just("-\t")];
        let key = prop_oneof![
            12 => "[a-c]{1,2}: ".prop_map(String::from),
            2 => "[a-c]:".prop_map(String::from),
            1 => Just("'k k': ".to_owned()),
            1 => Just("\"k\\\"\": ".to_owned()),
            1 => Just("é:  ".to_owned()),
            1 => Just("a : ".to_owned()),
            1 => Just("<<: ".to_owned()),
            1 => Just("? ".to_owned()),
            2 => Just(String::new()),
        ];
        let words = [
            "",
            "",
            "",
            "",
            "1",
            "x y",
            "true",
            "~",
            "'it''s'",
            "\"t\\n\"",
            "\"open",
            "'open",
            "|",
            "|-",
            ">+",
            "|2",
            "> #c",
            "{}",
            "[]",
            "[a, 'b' ,1.5]",
            "[a,]",
            "[,]",
            "[a: b]",
            "[ a\n",
            "{a: b}",
            "{a: b, \"c\": 'd' , e: 1}",
            "{a: b,}",
            "{a: [b]}",
            "\n  {}",
            "\n    [a]",
            "&x y",
            "*x",
            "!t z",
            "-1",
            "- i",
            "-",
            ":x",
            "?x",
            "x: y",
            "x:",
            "x#y",
            "x #c",
            "#c",
            "%x",
            "@x",
            "é",
            "a\tb",
            "b \t",
            "\u{85}",
            "x\u{2028}y",
            "---",
            "...",
            "--- x",
            "<<",
        ];
        let value = prop::sample::select(words.as_slice().to_vec());
        let end = prop_oneof![12 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\n\n"), 1 => Just(" \n"), 1 => Just("\n  x\n"), 1 => Just("\n\n      y z\n"), 1 => Just(""), 1 => Just("\n---\n"), 1 => Just("\n# c\n")];
        let line =
            (indent, dashes, key, value, end).prop_map(|(indent, dashes, key, value, end)| {
                format!("{indent}{dashes}{key}{value}{end}")
            });
        prop::collection::vec(line, 0..9).prop_map(|lines| lines.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1500))]
        #[test]
        fn both_ways_say_the_same(text in lines()) {
            same_both_ways(&text);
        }
    }
}
