//! The short way from text to JSON: what [`super::plain`] reads is written as it is read, and no data is made of it.
//!
//! Somebody who wants to know what kind of object a document is has a part of it beside: see [`Written`].

use std::borrow::Cow;

use super::lines::{Kind, Sink};
use super::plain::{read_into, scalar};
use super::scanner::Mark;
use crate::data::Data;
use crate::go_json::{self, Form};
use crate::limits::Limits;
use crate::node::Style;
use crate::resolve::has_duplicates;

/// What a document says.
#[derive(Debug)]
pub(crate) struct Written<'a> {
    /// As [`Data::to_json`] writes it.
    pub(crate) json: String,
    /// Its scalars at the top and in the maps that lie along a path of keys, upper or lower case. Every other collection is
    /// there, but empty.
    pub(crate) part: Data<'a>,
}

/// Reads the first document of a text by the rules of [`crate::Schema::Sigs`]. Gives nothing where [`super::plain()`] gives
/// nothing, and where a key stands twice.
pub(crate) fn written<'a>(text: &'a str, path: &[&str], limits: &Limits) -> Option<Written<'a>> {
    let mut writing = read_into(text, limits, || Writing {
        depth: limits.depth.min(Limits::MAX_DEPTH),
        nodes_left: limits.nodes,
        // Quotes and escapes take the place of indentation.
        json: Vec::with_capacity(text.len()),
        open: Vec::new(),
        keys: Vec::new(),
        path,
        part: Vec::new(),
    })?;
    if writing.json.is_empty() {
        writing.json.extend_from_slice(b"null");
    }
    Some(Written {
        json: go_json::finished(writing.json),
        part: writing.part.pop().unwrap_or(Data::Null),
    })
}

struct Writing<'a, 'p> {
    depth: usize,
    nodes_left: usize,
    json: Vec<u8>,
    open: Vec<Open>,
    /// Keys of the open mappings.
    keys: Vec<Cow<'a, str>>,
    path: &'p [&'p str],
    /// The part: finished data, keys and values in turn.
    part: Vec<Data<'a>>,
}

/// A collection that has begun.
struct Open {
    kind: Kind,
    /// Keys and values, or items.
    children: usize,
    first_key: usize,
    place: Place,
}

/// Where a collection stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// On the path. Its part begins at this place.
    On(usize),
    /// In a collection on the path.
    Beside,
    Below,
}

impl Writing<'_, '_> {
    /// Writes what stands before the next node, and says whether that is a key.
    fn separate(&mut self) -> bool {
        let Some(top) = self.open.last_mut() else {
            return false;
        };
        let behind_key = top.kind == Kind::Mapping && !top.children.is_multiple_of(2);
        match top.children {
            _ if behind_key => self.json.push(b':'),
            0 => {}
            _ => self.json.push(b','),
        }
        top.children += 1;
        top.kind == Kind::Mapping && !behind_key
    }

    /// Where a collection stands that begins now.
    fn place(&self, kind: Kind) -> Place {
        let on = Place::On(self.part.len());
        match self.open.last().map(|top| top.place) {
            None if kind == Kind::Mapping => on,
            None => Place::Beside,
            Some(Place::On(_)) => {
                let key = match self.part.last() {
                    Some(Data::Str(key)) => key,
                    _ => return Place::Beside,
                };
                let step = self.path.get(self.open.len() - 1);
                if kind == Kind::Mapping && step.is_some_and(|step| key.eq_ignore_ascii_case(step))
                {
                    on
                } else {
                    Place::Beside
                }
            }
            Some(Place::Beside | Place::Below) => Place::Below,
        }
    }

    fn count(&mut self) -> bool {
        let fits = self.nodes_left > 0;
        self.nodes_left = self.nodes_left.saturating_sub(1);
        fits
    }
}

impl<'a> Sink<'a> for Writing<'a, '_> {
    fn scalar(&mut self, text: Cow<'a, str>, style: Style, _: Mark, _: u32) -> bool {
        let is_key = self.separate();
        let Some(data) = scalar(text, style, is_key) else {
            return false;
        };
        go_json::write(&data, Form::Short, &mut self.json);
        let on_path = match self.open.last() {
            Some(top) => matches!(top.place, Place::On(_)),
            None => true,
        };
        if on_path {
            self.part.push(data.clone());
        }
        if let Data::Str(key) = data
            && is_key
        {
            self.keys.push(key);
        }
        self.count()
    }

    fn begin(&mut self, kind: Kind, _: Style, _: Mark, _: u32) -> bool {
        if self.separate() || self.open.len() >= self.depth {
            return false;
        }
        let place = self.place(kind);
        self.json.push(match kind {
            Kind::Mapping => b'{',
            Kind::Sequence => b'[',
        });
        self.open.push(Open {
            kind,
            children: 0,
            first_key: self.keys.len(),
            place,
        });
        true
    }

    fn end(&mut self, _: u32) -> bool {
        let Some(open) = self.open.pop() else {
            return false;
        };
        if has_duplicates(&self.keys[open.first_key..], |key| key.as_ref()) {
            return false;
        }
        self.keys.truncate(open.first_key);
        self.json.push(match open.kind {
            Kind::Mapping => b'}',
            Kind::Sequence => b']',
        });
        match open.place {
            Place::On(first) => {
                let mut children = self.part.drain(first..);
                let mut entries = Vec::with_capacity(children.len() / 2);
                while let (Some(Data::Str(key)), Some(value)) = (children.next(), children.next()) {
                    entries.push((key, value));
                }
                drop(children);
                self.part.push(Data::Map(entries));
            }
            Place::Beside => self.part.push(match open.kind {
                Kind::Mapping => Data::Map(Vec::new()),
                Kind::Sequence => Data::Seq(Vec::new()),
            }),
            Place::Below => {}
        }
        self.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::plain;

    #[test]
    fn writes_what_data_says() {
        for text in [
            "",
            "---\n",
            "x\n",
            "- 1\n- [a, {}]\n",
            "a: 1\nb:\n- x\n- {z: [1.5, ~, on]}\n---\nc: [\n",
            "a: |\n  b\n\n  c\nd: 'e\"'\n\"<<\": f\n",
            "a: 1_000\nb: 0x1f\nc: 2020-01-01\nd: <<\ne: 1e3\nf: 18446744073709551615\ng:\n",
        ] {
            let data = plain(text, &Limits::default()).expect(text);
            let written = written(text, &[], &Limits::default()).expect(text);
            assert_eq!(written.json, data.to_json(), "{text}");
        }
    }

    #[test]
    fn keeps_what_lies_on_the_path() {
        let text = "kind: A\nspec: {b: c}\nlist: [d]\nMetadata:\n  name: e\n  labels:\n    f: g\n  annotations:\n    h: i\n    j: [k]\n";
        let part = written(text, &["metadata", "annotations"], &Limits::default())
            .expect(text)
            .part;
        assert_eq!(
            part.to_json(),
            r#"{"kind":"A","spec":{},"list":[],"Metadata":{"name":"e","labels":{},"annotations":{"h":"i","j":[]}}}"#
        );
    }

    #[test]
    fn leaves_what_needs_more() {
        for text in ["a: 1\nb: 2\na: 3\n", "a: &b 1\n", "1: a\n", "a: .inf\n"] {
            assert!(written(text, &[], &Limits::default()).is_none(), "{text}");
        }
    }
}
