//! Values without tags, anchors, comments and styles.

use std::borrow::Cow;

use super::analysis::{Analysis, is_word};
use super::check_depth;
use super::keys::{self, KeyOrder};
use super::numbers::go_float_text;
use super::writer::{Place, Step, Writer};
use crate::data::Data;
use crate::error::{ErrorKind, YamlError};
use crate::node::Style;
use crate::scalar::{Scalar, Schema, base_60, old_bool};

/// Whose way to write values is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    /// `sigs.k8s.io/yaml`: JSON read and written by go-yaml v2.
    Sigs,
    /// go-yaml v3 on plain Go values.
    Version3,
}

/// The longest key that may stand on one line with its value, in bytes.
pub(super) const LONGEST_SIMPLE_KEY: usize = 128;

/// What can be written where it stands, as if it were [`Data`].
pub trait Tree: Sized {
    /// A key of a map.
    type Key: AsRef<str>;

    /// What it is.
    fn view(&self) -> View<'_, Self>;
}

/// What a [`Tree`] is, with what is below it.
#[derive(Debug)]
pub enum View<'a, T: Tree> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`.
    Uint(u64),
    /// A finite number that is no 64-bit integer.
    Float(f64),
    /// A string.
    Str(&'a str),
    /// A list.
    Seq(Vec<T>),
    /// A map. Keys are unique.
    Map(Vec<(T::Key, T)>),
}

impl<'d> Tree for &'d Data<'_> {
    type Key = &'d str;

    fn view(&self) -> View<'_, Self> {
        match self {
            Data::Null => View::Null,
            Data::Bool(value) => View::Bool(*value),
            Data::Int(value) => View::Int(*value),
            Data::Uint(value) => View::Uint(*value),
            Data::Float(value) => View::Float(*value),
            Data::Str(text) => View::Str(text),
            Data::Seq(items) => View::Seq(items.iter().collect()),
            Data::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.as_ref(), value));
                View::Map(entries.collect())
            }
        }
    }
}

pub(super) fn write(
    writer: &mut Writer,
    tree: &impl Tree,
    flavour: Flavour,
) -> Result<(), YamlError> {
    let mut emitter = Emitter { writer, flavour };
    emitter.node(tree, Place::Root, 0)?;
    emitter.writer.write_indent();
    Ok(())
}

struct Emitter<'w> {
    writer: &'w mut Writer,
    flavour: Flavour,
}

impl Emitter<'_> {
    fn node(&mut self, tree: &impl Tree, place: Place, depth: usize) -> Result<(), YamlError> {
        match tree.view() {
            View::Null => self.writer.word("null"),
            View::Bool(true) => self.writer.word("true"),
            View::Bool(false) => self.writer.word("false"),
            View::Int(value) => self.writer.word(&value.to_string()),
            View::Uint(value) => self.writer.word(&value.to_string()),
            View::Float(value) => self.writer.word(&go_float_text(value)),
            View::Str(text) if self.stands_as_it_is(text) => self.writer.word(text),
            View::Str(text) => {
                let text = self.readable(text)?;
                let analysis = Analysis::of(&text, self.writer.tabs_in_blocks());
                self.string(&text, &analysis, place);
            }
            View::Seq(items) if items.is_empty() => self.empty("[", "]"),
            View::Map(entries) if entries.is_empty() => self.empty("{", "}"),
            View::Seq(items) => self.sequence(&items, place, depth)?,
            View::Map(entries) => self.mapping(entries, place, depth)?,
        }
        Ok(())
    }

    fn sequence(
        &mut self,
        items: &[impl Tree],
        place: Place,
        depth: usize,
    ) -> Result<(), YamlError> {
        check_depth(depth)?;
        let before = self.writer.deeper(place, Step::BlockSequence);
        for item in items {
            self.writer.write_indent();
            self.writer.indenting_indicator("-");
            self.node(item, Place::BlockItem, depth + 1)?;
        }
        self.writer.indent = before;
        Ok(())
    }

    fn mapping<T: Tree>(
        &mut self,
        mut entries: Vec<(T::Key, T)>,
        place: Place,
        depth: usize,
    ) -> Result<(), YamlError> {
        check_depth(depth)?;
        let order = match self.flavour {
            Flavour::Sigs => KeyOrder::Version2,
            Flavour::Version3 => KeyOrder::Version3,
        };
        keys::sort(&mut entries, order, |entry| entry.0.as_ref());
        let before = self.writer.deeper(place, Step::BlockMapping);
        for (key, value) in &entries {
            let key = key.as_ref();
            if key.len() <= LONGEST_SIMPLE_KEY && self.stands_as_it_is(key) {
                self.writer.write_indent();
                self.writer.word(key);
                self.writer.indicator(":", false);
                self.node(value, Place::Value, depth + 1)?;
                continue;
            }
            if self.flavour == Flavour::Sigs && key.contains('\u{85}') {
                return Err(broken_key(key));
            }
            let key = self.readable(key)?;
            let analysis = Analysis::of(&key, self.writer.tabs_in_blocks());
            self.writer.write_indent();
            if !analysis.multiline && key.len() <= LONGEST_SIMPLE_KEY {
                self.string(&key, &analysis, Place::SimpleKey);
                self.writer.indicator(":", false);
            } else {
                self.writer.indenting_indicator("?");
                self.string(&key, &analysis, Place::Key);
                self.writer.write_indent();
                self.writer.indenting_indicator(":");
            }
            self.node(value, Place::Value, depth + 1)?;
        }
        self.writer.indent = before;
        Ok(())
    }

    fn empty(&mut self, open: &str, close: &str) {
        self.writer.opening_indicator(open);
        self.writer.indicator(close, false);
    }

    /// Whether no style but the plain one comes into question, as for most texts, and lines need not be folded.
    fn stands_as_it_is(&self, text: &str) -> bool {
        is_word(text.as_bytes()) && self.reads_back(text)
    }

    fn string(&mut self, text: &str, analysis: &Analysis, place: Place) {
        let style = if text.contains('\n') {
            Style::Literal
        } else if self.reads_back(text) {
            Style::Default
        } else {
            Style::DoubleQuoted
        };
        self.writer.scalar(text, style, analysis, place);
    }

    /// Whether the text, written plain, is a string to the reader.
    fn reads_back(&self, text: &str) -> bool {
        let schema = match self.flavour {
            Flavour::Sigs => Schema::Sigs,
            Flavour::Version3 => Schema::Kyaml,
        };
        let is_string = matches!(schema.classify(text), Scalar::Str | Scalar::Merge);
        is_string && !base_60(text) && old_bool(text).is_none()
    }

    /// What is left of a string after it was written as JSON and read by go-yaml: it takes U+0085 for a line break and refuses other control
    /// characters that JSON does not escape.
    fn readable<'a>(&self, text: &'a str) -> Result<Cow<'a, str>, YamlError> {
        if self.flavour != Flavour::Sigs || text.is_ascii() && !text.contains('\u{7f}') {
            return Ok(Cow::Borrowed(text));
        }
        let refused = |character: char| matches!(character, '\u{7f}' | '\u{80}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
        if let Some(character) = text.chars().find(|character| refused(*character)) {
            let message = "control characters are not allowed";
            let hint = format!(
                "remove U+{:04X} from the text that starts with {:?}",
                u32::from(character),
                start(text)
            );
            return Err(YamlError::new(ErrorKind::Encoding, message).with_hint(hint));
        }
        Ok(if text.contains('\u{85}') {
            Cow::Owned(fold_next_lines(text))
        } else {
            Cow::Borrowed(text)
        })
    }
}

/// As a double-quoted scalar folds its line breaks: one becomes a space, of several all but the first stay, and the spaces
/// around them go.
fn fold_next_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{85}') {
        out.push_str(rest[..at].trim_end_matches(' '));
        let after = rest[at..].trim_start_matches(['\u{85}', ' ']);
        let breaks = rest[at..rest.len() - after.len()].matches('\u{85}').count();
        match breaks {
            1 => out.push(' '),
            _ => out.extend(std::iter::repeat_n('\n', breaks - 1)),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// In JSON text a key with U+0085 is a key that goes on to the next line.
fn broken_key(key: &str) -> YamlError {
    let hint = format!(
        "remove U+0085 from the key that starts with {:?}",
        start(key)
    );
    YamlError::new(ErrorKind::Encoding, "did not find expected ',' or '}'").with_hint(hint)
}

fn start(text: &str) -> String {
    text.chars().take(20).collect()
}
