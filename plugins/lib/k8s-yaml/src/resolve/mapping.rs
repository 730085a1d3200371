//! Mappings: keys, duplicates, merge keys.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::Resolver;
use super::scalar;
use crate::data::Data;
use crate::emit::{check_depth, go_float_text, go_float32_text};
use crate::error::{ErrorKind, YamlError};
use crate::node::{Content, Entry, Kind, Mapping, Node, Style, Tag};
use crate::resolve::Duplicates;
use crate::scalar::Schema;
use crate::span::Span;

/// Below this many keys, comparing each with each is faster than hashing.
const FEW: usize = 12;

type Entries<'a> = Vec<(Cow<'a, str>, Data<'a>)>;

/// A key as text, or what it is if it cannot be one.
type SigsKey<'a> = Result<Cow<'a, str>, Data<'a>>;

/// The entries of a mapping as they come.
struct InOrder<'a> {
    entries: Entries<'a>,
    /// The keys so far, if none may come twice.
    seen: Option<HashSet<Cow<'a, str>>>,
}

impl<'a> Resolver<'a> {
    pub(super) fn mapping(
        &mut self,
        mapping: &'a Mapping,
        depth: usize,
    ) -> Result<Data<'a>, YamlError> {
        let mut entries = Vec::with_capacity(mapping.len());
        match self.options.schema {
            Schema::Sigs => {
                let seen = (self.options.duplicates == Duplicates::Error).then(HashSet::new);
                let mut out = InOrder { entries, seen };
                self.sigs_entries(mapping, depth, &mut out)?;
                entries = out.entries;
                keep_last(&mut entries);
            }
            Schema::Kyaml => {
                if depth > 0 {
                    self.check_string_keys(mapping)?;
                }
                self.kyaml_entries(mapping, depth, &mut entries)?;
            }
        }
        Ok(Data::Map(entries))
    }

    /// go-yaml v2: in order, merged entries at the place of their merge key. Strictly read, no key may come twice, be it
    /// merged or not.
    fn sigs_entries(
        &mut self,
        mapping: &'a Mapping,
        depth: usize,
        out: &mut InOrder<'a>,
    ) -> Result<(), YamlError> {
        for Entry { key, value } in mapping {
            if is_merge(key) {
                self.sigs_merge(value, depth, out)?;
                continue;
            }
            let name = self.sigs_key(key, depth)?;
            let data = self.node(value, depth + 1)?;
            let name = match name {
                Ok(name) => name,
                Err(unsupported) => return Err(unsupported_key(key, &unsupported, &data)),
            };
            if let Some(seen) = &mut out.seen
                && !seen.insert(name.clone())
            {
                self.report(
                    value.span(),
                    format!("key {} already set in map", go_quote(&name)),
                );
                continue;
            }
            out.entries.push((name, data));
        }
        Ok(())
    }

    /// An earlier source of a merge list wins, so the list is gone through backwards.
    fn sigs_merge(
        &mut self,
        value: &'a Node,
        depth: usize,
        out: &mut InOrder<'a>,
    ) -> Result<(), YamlError> {
        let Content::Sequence(sequence) = value.content() else {
            return self.sigs_merge_one(value, depth, out);
        };
        for source in sequence.iter().rev() {
            self.sigs_merge_one(source, depth + 1, out)?;
        }
        Ok(())
    }

    fn sigs_merge_one(
        &mut self,
        source: &'a Node,
        depth: usize,
        out: &mut InOrder<'a>,
    ) -> Result<(), YamlError> {
        check_depth(depth)?;
        self.aliases.count(source)?;
        match source.content() {
            Content::Mapping(mapping) => self.sigs_entries(mapping, depth + 1, out),
            Content::Alias(name) => {
                let target = self.aliases.enter(source, name)?;
                let Content::Mapping(mapping) = target.content() else {
                    return Err(cannot_merge(source));
                };
                self.aliases.count(target)?;
                self.sigs_entries(mapping, depth + 1, out)?;
                self.aliases.leave();
                Ok(())
            }
            Content::Scalar(_) | Content::Sequence(_) => Err(cannot_merge(source)),
        }
    }

    /// The text of a key: what is no string becomes one.
    fn sigs_key(&mut self, key: &'a Node, depth: usize) -> Result<SigsKey<'a>, YamlError> {
        if let Some(value) = scalar::float(key) {
            self.aliases.count(key)?;
            return Ok(Ok(float_key(value).into()));
        }
        Ok(Ok(match self.node(key, depth + 1)? {
            Data::Str(text) => text,
            Data::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            Data::Int(value) => value.to_string().into(),
            Data::Float(value) => float_key(value).into(),
            data @ (Data::Uint(_) | Data::Null) => return Ok(Err(data)),
            data @ (Data::Seq(_) | Data::Map(_)) => {
                return Err(invalid_key(key, &data, Schema::Sigs));
            }
        }))
    }

    /// Remembers a key that stands twice; go-yaml tells all, here the list has an end.
    fn report(&mut self, span: Span, message: String) {
        const MOST: usize = 20;
        if self.duplicates.len() < MOST {
            self.duplicates.push((span, message));
        }
    }

    /// go-yaml v3: explicit entries first, then those of the last merge key that are not there yet.
    fn kyaml_entries(
        &mut self,
        mapping: &'a Mapping,
        depth: usize,
        entries: &mut Entries<'a>,
    ) -> Result<(), YamlError> {
        let merged = self.explicit_entries(mapping, depth, None, entries)?;
        if let Some(source) = merged {
            let mut seen: HashSet<Cow<'a, str>> =
                entries.iter().map(|(key, _)| key.clone()).collect();
            self.kyaml_merge(source, depth, &mut seen, entries)?;
        }
        Ok(())
    }

    /// Adds the entries of a mapping, without those already seen, and gives the value of its merge key.
    fn explicit_entries(
        &mut self,
        mapping: &'a Mapping,
        depth: usize,
        mut seen: Option<&mut HashSet<Cow<'a, str>>>,
        entries: &mut Entries<'a>,
    ) -> Result<Option<&'a Node>, YamlError> {
        let replaces = match self.options.duplicates {
            Duplicates::Error => {
                if self.report_duplicates(mapping) {
                    return Ok(None);
                }
                false
            }
            Duplicates::LastWins => true,
        };
        let first = entries.len();
        let mut merge = None;
        for Entry { key, value } in mapping {
            if is_merge(key) {
                merge = Some(value);
                continue;
            }
            let Some(name) = self.kyaml_key(key)? else {
                continue;
            };
            if let Some(seen) = &mut seen
                && !seen.insert(name.clone())
            {
                continue;
            }
            let data = self.node(value, depth + 1)?;
            entries.push((name, data));
        }
        if replaces && first == 0 {
            keep_last(entries);
        }
        Ok(merge)
    }

    fn kyaml_merge(
        &mut self,
        source: &'a Node,
        depth: usize,
        seen: &mut HashSet<Cow<'a, str>>,
        entries: &mut Entries<'a>,
    ) -> Result<(), YamlError> {
        check_depth(depth)?;
        self.aliases.count(source)?;
        match source.content() {
            Content::Mapping(mapping) => {
                self.kyaml_merge_mapping(mapping, depth + 1, seen, entries)
            }
            Content::Alias(name) => {
                let target = self.aliases.enter(source, name)?;
                let Content::Mapping(mapping) = target.content() else {
                    return Err(cannot_merge(source));
                };
                self.kyaml_merge_mapping(mapping, depth + 1, seen, entries)?;
                self.aliases.leave();
                Ok(())
            }
            Content::Sequence(sequence) => {
                for item in sequence {
                    if item.kind() == Kind::Sequence {
                        return Err(cannot_merge(item));
                    }
                    self.kyaml_merge(item, depth + 1, seen, entries)?;
                }
                Ok(())
            }
            Content::Scalar(_) => Err(cannot_merge(source)),
        }
    }

    fn kyaml_merge_mapping(
        &mut self,
        mapping: &'a Mapping,
        depth: usize,
        seen: &mut HashSet<Cow<'a, str>>,
        entries: &mut Entries<'a>,
    ) -> Result<(), YamlError> {
        match self.explicit_entries(mapping, depth, Some(seen), entries)? {
            Some(source) => self.kyaml_merge(source, depth + 1, seen, entries),
            None => Ok(()),
        }
    }

    /// The text of a key, or nothing for a null key, whose entry go-yaml drops.
    fn kyaml_key(&mut self, key: &'a Node) -> Result<Option<Cow<'a, str>>, YamlError> {
        self.aliases.count(key)?;
        let node = match key.content() {
            Content::Alias(name) => self.aliases.target(key, name)?,
            Content::Scalar(_) | Content::Mapping(_) | Content::Sequence(_) => key,
        };
        let Some(text) = node.text() else {
            let key_data = self.node(node, 1)?;
            return Err(invalid_key(key, &key_data, Schema::Kyaml));
        };
        if node.explicit_tag() && node.tag() != Tag::Binary {
            // The tag has to fit the text, also of a key.
            scalar::resolve(node, text, Schema::Kyaml)?;
        }
        Ok(match node.written_tag() {
            Tag::Null => None,
            Tag::Binary => Some(scalar::binary(node, text)?.into()),
            Tag::Str | Tag::Int | Tag::Float | Tag::Bool | Tag::Timestamp | Tag::Merge => {
                Some(text.as_str().into())
            }
            Tag::Map | Tag::Seq | Tag::Other | Tag::None => Some(text.as_str().into()),
        })
    }

    /// Whether keys stand twice in a mapping.
    fn report_duplicates(&mut self, mapping: &Mapping) -> bool {
        let before = self.duplicates.len();
        let entries = mapping.entries();
        if entries.len() <= FEW {
            for (at, first) in entries.iter().enumerate() {
                for second in entries[at + 1..]
                    .iter()
                    .filter(|second| same_key(&first.key, &second.key))
                {
                    self.report_duplicate(first, second);
                }
            }
        } else {
            let mut seen: HashMap<(Kind, &str), &Entry> = HashMap::with_capacity(entries.len());
            for entry in entries {
                if let Some(first) = seen.insert((entry.key.kind(), key_text(&entry.key)), entry) {
                    self.report_duplicate(first, entry);
                }
            }
        }
        self.duplicates.len() > before
    }

    fn report_duplicate(&mut self, first: &Entry, second: &Entry) {
        let line = first.key.span().line;
        let message = format!(
            "mapping key {} already defined at line {line}",
            go_quote(key_text(&second.key))
        );
        self.report(second.key.span(), message);
    }

    /// Below the top level go-yaml makes a map that JSON refuses as soon as one key is no string.
    fn check_string_keys(&mut self, mapping: &'a Mapping) -> Result<(), YamlError> {
        for Entry { key, .. } in mapping {
            let node = match key.content() {
                Content::Alias(name) => self.aliases.target(key, name)?,
                Content::Scalar(_) | Content::Mapping(_) | Content::Sequence(_) => key,
            };
            if !matches!(node.written_tag(), Tag::Str | Tag::Merge) && node.kind() == Kind::Scalar {
                return Err(not_a_key(key));
            }
        }
        Ok(())
    }
}

pub(crate) fn is_merge(key: &Node) -> bool {
    key.tag() == Tag::Merge && key.as_str() == Some("<<")
}

pub(crate) fn cannot_merge(value: &Node) -> YamlError {
    YamlError::new(
        ErrorKind::Reference,
        "map merge requires map or sequence of maps as the value",
    )
    .at(value.span())
}

const KEY_HINT: &str = "put quotes around the key if a string is meant";

fn invalid_key(key: &Node, data: &Data<'_>, schema: Schema) -> YamlError {
    let hint = if key.style() == Style::Flow {
        "put quotes around a template expression, or around the key if a string is meant"
    } else {
        KEY_HINT
    };
    let message = format!("invalid map key: {}", go_syntax(data, schema));
    YamlError::new(ErrorKind::Unrepresentable, message)
        .at(key.span())
        .with_hint(hint)
}

fn unsupported_key(key: &Node, data: &Data<'_>, value: &Data<'_>) -> YamlError {
    let (kind, text) = if let Data::Uint(value) = data {
        ("uint64", format!("{value:#x}"))
    } else {
        ("%!s(<nil>)", "<nil>".into())
    };
    let value = if *value == Data::Null {
        "<nil>".into()
    } else {
        go_syntax(value, Schema::Sigs)
    };
    let message = format!("unsupported map key of type: {kind}, key: {text}, value: {value}");
    YamlError::bare(ErrorKind::Unrepresentable, message)
        .at(key.span())
        .with_hint(KEY_HINT)
}

/// A value as Go's `%#v` prints it.
fn go_syntax(data: &Data<'_>, schema: Schema) -> String {
    match data {
        Data::Null => "interface {}(nil)".into(),
        Data::Bool(value) => value.to_string(),
        Data::Int(value) => value.to_string(),
        Data::Uint(value) => format!("{value:#x}"),
        Data::Float(value) => go_float_text(*value),
        Data::Str(text) => go_quote(text),
        Data::Seq(items) => {
            let items: Vec<String> = items.iter().map(|item| go_syntax(item, schema)).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Data::Map(entries) => {
            let key_type = if schema == Schema::Sigs {
                "interface {}"
            } else {
                "string"
            };
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            let entries = entries
                .iter()
                .map(|(key, value)| format!("{}:{}", go_quote(key), go_syntax(value, schema)));
            format!(
                "map[{key_type}]interface {{}}{{{}}}",
                entries.collect::<Vec<_>>().join(", ")
            )
        }
    }
}

fn not_a_key(key: &Node) -> YamlError {
    YamlError::json("unsupported type: map[interface {}]interface {}")
        .at(key.span())
        .with_hint("only strings can be keys here; quote the key")
}

/// `sigs.k8s.io/yaml` writes floats that are keys with the digits of a 32-bit float.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the original does the same"
)]
fn float_key(value: f64) -> String {
    match go_float32_text(value as f32).as_str() {
        "+Inf" => ".inf".into(),
        "-Inf" => "-.inf".into(),
        "NaN" => ".nan".into(),
        text => text.into(),
    }
}

fn same_key(a: &Node, b: &Node) -> bool {
    a.kind() == b.kind() && key_text(a) == key_text(b)
}

/// go-yaml compares the text alone, which collections do not have.
fn key_text(key: &Node) -> &str {
    key.as_str().or_else(|| key.as_alias()).unwrap_or_default()
}

/// Of entries with the same key, leaves the last value at the first place.
pub(crate) fn keep_last(entries: &mut Entries<'_>) {
    if !has_duplicates(entries, |entry| entry.0.as_ref()) {
        return;
    }
    let mut places: HashMap<String, usize> = HashMap::with_capacity(entries.len());
    let mut kept: Entries<'_> = Vec::with_capacity(entries.len());
    for (key, value) in entries.drain(..) {
        match places.get(key.as_ref()) {
            Some(&at) => kept[at].1 = value,
            None => {
                places.insert(key.to_string(), kept.len());
                kept.push((key, value));
            }
        }
    }
    *entries = kept;
}

/// Whether two entries have the same key.
pub(crate) fn has_duplicates<T>(entries: &[T], key: impl Fn(&T) -> &str) -> bool {
    if entries.len() <= FEW {
        return entries.iter().enumerate().any(|(at, entry)| {
            let before = &entries[..at];
            before.iter().any(|other| key(other) == key(entry))
        });
    }
    let mut seen = HashSet::with_capacity(entries.len());
    !entries.iter().all(|entry| seen.insert(key(entry)))
}

/// A string as Go's `%q` prints it.
fn go_quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}
