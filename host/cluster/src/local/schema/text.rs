//! Types as text: small, one definition a line, so that a new version of Kubernetes shows as a diff that can be read.
//!
//! ```text
//! s i n b u      text, integer, number, boolean, any scalar
//! * !            anything, merged key by key; anything, as one value
//! @NAME          a definition
//! [T] [T]#       a list as one value; a set
//! [T]#k,l=TCP    a list whose items are told apart by the fields k and l, l being TCP where it is left out
//! {T} {T}!       a mapping of any keys; the same as one value
//! (a:T b:T)      a mapping with these fields; `(a:T ..U)` has others as well, `)!` makes it one value
//! T?             takes an explicit null
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use smol_str::SmolStr;

use super::openapi::Builder;
use super::{
    FieldType, KeyDefault, KeyField, ListType, MapType, ScalarType, Schema, Topology, Type, TypeId,
};

/// How deep a text may nest types.
const DEPTH: usize = 64;

/// Where a text is no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected} at {found:?}")]
pub(crate) struct TextError {
    pub(crate) line: usize,
    pub(crate) expected: &'static str,
    pub(crate) found: String,
}

/// The definitions of a schema, a line each.
pub(crate) fn write(schema: &Schema, named: &BTreeMap<String, TypeId>) -> String {
    let writer = Writer {
        schema,
        names: named
            .iter()
            .map(|(name, id)| (*id, name.as_str()))
            .collect(),
    };
    let mut out = String::new();
    for (name, id) in named
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), ANYTHING | RAW))
    {
        let _ = write!(out, "type {name} ");
        writer.definition(schema.get(*id), &mut out);
        out.push('\n');
    }
    out
}

/// Reads `type` lines, each with the number that it has in its file.
pub(crate) fn read<'t>(
    lines: impl Iterator<Item = (usize, &'t str)> + Clone,
) -> Result<(Schema, BTreeMap<String, TypeId>), TextError> {
    let mut builder = Builder::default();
    builder.anything();
    let parts = |line: &'t str| {
        line.strip_prefix("type ")
            .and_then(|line| line.split_once(' '))
    };
    for (_, line) in lines.clone() {
        if let Some((name, _)) = parts(line) {
            builder.declare(name);
        }
    }
    for (number, line) in lines {
        let Some((name, text)) = parts(line) else {
            return Err(TextError {
                line: number,
                expected: "`type NAME TYPE`",
                found: line.into(),
            });
        };
        let mut reader = Reader {
            builder: &mut builder,
            rest: text,
            line: number,
        };
        let ty = reader.ty(DEPTH)?;
        reader.expect_end()?;
        builder.define(name, ty);
    }
    Ok(builder.finish())
}

const ANYTHING: &str = "anything";
const RAW: &str = "raw";

struct Writer<'s> {
    schema: &'s Schema,
    names: HashMap<TypeId, &'s str>,
}

impl Writer<'_> {
    fn reference(&self, id: TypeId, out: &mut String) {
        match self.names.get(&id) {
            Some(&ANYTHING) => out.push('*'),
            Some(&RAW) => out.push('!'),
            Some(name) => {
                out.push('@');
                out.push_str(name);
            }
            None => self.definition(self.schema.get(id), out),
        }
    }

    fn definition(&self, ty: &Type, out: &mut String) {
        if let Some(scalar) = ty.scalar {
            out.push(match scalar {
                ScalarType::Text => 's',
                ScalarType::Integer => 'i',
                ScalarType::Number => 'n',
                ScalarType::Boolean => 'b',
                ScalarType::Any => 'u',
            });
        }
        if let Some(list) = &ty.list {
            self.list(list, out);
        }
        if let Some(map) = &ty.map {
            self.map(map, out);
        }
        if ty.nullable {
            out.push('?');
        }
    }

    fn list(&self, list: &ListType, out: &mut String) {
        out.push('[');
        self.reference(list.item, out);
        out.push(']');
        let keys: &[KeyField] = match &list.topology {
            Topology::Atomic => return,
            Topology::Set => &[],
            Topology::Keyed(keys) => keys,
        };
        out.push('#');
        for (index, key) in keys.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(out, "{comma}{}", key.name);
            match &key.default {
                Some(KeyDefault::Text(text)) => drop(write!(out, "={text}")),
                Some(KeyDefault::Integer(value)) => drop(write!(out, "=#{value}")),
                Some(KeyDefault::Boolean(value)) => drop(write!(out, "=!{value}")),
                None => {}
            }
        }
    }

    fn map(&self, map: &MapType, out: &mut String) {
        if let (true, Some(rest)) = (map.fields.is_empty(), map.rest) {
            out.push('{');
            self.reference(rest, out);
            out.push('}');
        } else {
            out.push('(');
            for (index, field) in map.fields.iter().enumerate() {
                let space = if index == 0 { "" } else { " " };
                let _ = write!(out, "{space}{}:", field.name);
                self.reference(field.ty, out);
            }
            if let Some(rest) = map.rest {
                out.push_str(" ..");
                self.reference(rest, out);
            }
            out.push(')');
        }
        if map.atomic {
            out.push('!');
        }
    }
}

struct Reader<'b, 't> {
    builder: &'b mut Builder<'static>,
    rest: &'t str,
    line: usize,
}

impl<'t> Reader<'_, 't> {
    fn reference(&mut self, depth: usize) -> Result<TypeId, TextError> {
        if self.take('*') {
            return Ok(self.builder.anything());
        }
        if self.take('!') {
            return Ok(self.builder.raw_id());
        }
        if self.take('@') {
            let name = self.word(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
            return match self.builder.named(name) {
                Some(id) => Ok(id),
                None => Err(TextError {
                    line: self.line,
                    expected: "the name of a definition",
                    found: name.into(),
                }),
            };
        }
        let ty = self.ty(depth)?;
        Ok(self.builder.add(ty))
    }

    fn ty(&mut self, depth: usize) -> Result<Type, TextError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.error("less nesting"));
        };
        let mut ty = Type::default();
        for (letter, scalar) in [
            ('s', ScalarType::Text),
            ('i', ScalarType::Integer),
            ('n', ScalarType::Number),
            ('b', ScalarType::Boolean),
            ('u', ScalarType::Any),
        ] {
            if self.take(letter) {
                ty.scalar = Some(scalar);
                break;
            }
        }
        if self.take('[') {
            let item = self.reference(depth)?;
            self.expect(']', "]")?;
            ty.list = Some(ListType {
                item,
                topology: self.topology()?,
            });
        }
        if self.take('{') {
            let rest = Some(self.reference(depth)?);
            self.expect('}', "}")?;
            ty.map = Some(MapType {
                rest,
                atomic: self.take('!'),
                ..MapType::default()
            });
        } else if self.take('(') {
            ty.map = Some(self.fields(depth)?);
        }
        ty.nullable = self.take('?');
        if ty.scalar.is_none() && ty.list.is_none() && ty.map.is_none() {
            return Err(self.error("a type"));
        }
        Ok(ty)
    }

    fn topology(&mut self) -> Result<Topology, TextError> {
        if !self.take('#') {
            return Ok(Topology::Atomic);
        }
        let mut keys = Vec::new();
        let word = |c: char| c.is_ascii_alphanumeric() || "-_/.".contains(c);
        loop {
            let name = self.word(word);
            if name.is_empty() {
                break;
            }
            let mut default = None;
            if self.take('=') {
                let (number, flag) = (self.take('#'), self.take('!'));
                let value = self.word(word);
                default = Some(match (number, flag) {
                    (true, _) => {
                        KeyDefault::Integer(value.parse().map_err(|_| self.error("a number"))?)
                    }
                    (_, true) => KeyDefault::Boolean(value == "true"),
                    _ => KeyDefault::Text(SmolStr::new(value)),
                });
            }
            keys.push(KeyField {
                name: SmolStr::new(name),
                default,
            });
            if !self.take(',') {
                break;
            }
        }
        Ok(if keys.is_empty() {
            Topology::Set
        } else {
            Topology::Keyed(keys.into())
        })
    }

    fn fields(&mut self, depth: usize) -> Result<MapType, TextError> {
        let mut map = MapType::default();
        let mut fields = Vec::new();
        loop {
            self.rest = self.rest.trim_start_matches(' ');
            if self.take(')') {
                break;
            }
            if let Some(rest) = self.rest.strip_prefix("..") {
                self.rest = rest;
                map.rest = Some(self.reference(depth)?);
                continue;
            }
            let name = self.word(|c| !matches!(c, ':' | ' ' | ')'));
            self.expect(':', "a field")?;
            fields.push(FieldType {
                name: SmolStr::new(name),
                ty: self.reference(depth)?,
            });
        }
        map.fields = fields.into();
        map.atomic = self.take('!');
        Ok(map)
    }

    fn word(&mut self, part: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn take(&mut self, character: char) -> bool {
        let rest = self.rest.strip_prefix(character);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, character: char, expected: &'static str) -> Result<(), TextError> {
        if self.take(character) {
            Ok(())
        } else {
            Err(self.error(expected))
        }
    }

    fn expect_end(&self) -> Result<(), TextError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error("the end of the line"))
        }
    }

    fn error(&self, expected: &'static str) -> TextError {
        TextError {
            line: self.line,
            expected,
            found: self.rest.chars().take(40).collect(),
        }
    }
}
