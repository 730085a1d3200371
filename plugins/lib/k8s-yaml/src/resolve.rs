//! From trees to plain data, by the rules of a schema.

mod aliases;
mod base64;
mod json;
mod mapping;
mod scalar;

use serde_json::Value;

use crate::data::Data;
use crate::emit::check_depth;
use crate::error::YamlError;
use crate::limits::Limits;
use crate::node::{Content, Node};
use crate::parse::{ParseOptions, parse, plain, written};
use crate::scalar::Schema;
use crate::span::Span;

use aliases::Aliases;
pub(crate) use mapping::{has_duplicates, keep_last};

/// How a tree is resolved.
#[derive(Debug, Clone, Copy)]
pub struct ResolveOptions {
    /// The rules for scalars, merge keys and keys.
    pub schema: Schema,
    /// What a key that stands twice means.
    pub duplicates: Duplicates,
    /// What it may cost.
    pub limits: Limits,
}

/// What a key that stands twice in a mapping means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Duplicates {
    /// The last value counts.
    LastWins,
    /// It is an error.
    Error,
}

impl ResolveOptions {
    /// What the library of that schema does by default.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        let duplicates = match schema {
            Schema::Sigs => Duplicates::LastWins,
            Schema::Kyaml => Duplicates::Error,
        };
        Self {
            schema,
            duplicates,
            limits: Limits::default(),
        }
    }
}

/// Resolves a tree to JSON, with the defaults of the schema.
///
/// # Errors
///
/// See [`resolve_data`].
pub fn resolve(node: &Node, schema: Schema) -> Result<Value, YamlError> {
    Ok(resolve_data(node, &ResolveOptions::new(schema))?.into_value())
}

/// Resolves a tree to data that borrows the tree's strings.
///
/// # Errors
///
/// When the tree says something that JSON cannot (`.inf`, a mapping as a key), contradicts itself (`!!int abc`, a duplicate key where
/// that is an error), uses aliases wrongly, or hits a limit.
pub fn resolve_data<'a>(node: &'a Node, options: &ResolveOptions) -> Result<Data<'a>, YamlError> {
    let aliases = Aliases::new(node, options.limits);
    let mut resolver = Resolver {
        options: *options,
        aliases,
        duplicates: Vec::new(),
    };
    let data = resolver.node(node, 0)?;
    match YamlError::duplicates(&resolver.duplicates) {
        Some(error) => Err(error),
        None => Ok(data),
    }
}

/// Reads the first document of a text and resolves it, as `yaml.YAMLToJSON` of `sigs.k8s.io/yaml` does for
/// [`Schema::Sigs`]. An empty text is null. JSON takes a shorter way to the same result.
///
/// # Errors
///
/// See [`parse`] and [`resolve_data`].
pub fn from_str(text: &str, schema: Schema) -> Result<Value, YamlError> {
    if schema == Schema::Sigs {
        let limits = Limits::default();
        if let Some(value) = json::read(text, &limits) {
            return Ok(value);
        }
        if let Some(data) = plain(text, &limits) {
            return Ok(data.into_value());
        }
    }
    from_yaml(text, schema)
}

/// Reads a text as [`from_str`] does, for those who make something else of the data than JSON: they are spared the way
/// through it.
///
/// # Errors
///
/// See [`from_str`].
pub fn read_str<R>(
    text: &str,
    schema: Schema,
    take: impl FnOnce(Data<'_>) -> R,
) -> Result<R, YamlError> {
    if schema == Schema::Sigs {
        let limits = Limits::default();
        if let Some(value) = json::read(text, &limits) {
            return Ok(take(Data::from_value(&value)?));
        }
        if let Some(data) = plain(text, &limits) {
            return Ok(take(data));
        }
    }
    let options = ParseOptions {
        words: schema,
        ..ParseOptions::default()
    };
    match parse(text, &options)? {
        Some(document) => {
            let data = resolve_data(&document.root, &ResolveOptions::new(schema))?;
            Ok(take(data))
        }
        None => Ok(take(Data::Null)),
    }
}

/// Reads a text as [`read_str`] does with [`Schema::Sigs`], for those who want it as JSON ([`Data::to_json`]) and look at no
/// more than the scalars at its top and in the maps along a path of keys: elsewhere the data may have empty collections.
///
/// # Errors
///
/// See [`from_str`].
pub fn read_json<R>(
    text: &str,
    path: &[&str],
    take: impl FnOnce(String, Data<'_>) -> R,
) -> Result<R, YamlError> {
    let limits = Limits::default();
    if !json::begins(text)
        && let Some(written) = written(text, path, &limits)
    {
        return Ok(take(written.json, written.part));
    }
    read_str(text, Schema::Sigs, |data| take(data.to_json(), data))
}

pub(crate) fn from_yaml(text: &str, schema: Schema) -> Result<Value, YamlError> {
    match parse(
        text,
        &ParseOptions {
            words: schema,
            ..ParseOptions::default()
        },
    )? {
        Some(document) => resolve(&document.root, schema),
        None => Ok(Value::Null),
    }
}

struct Resolver<'a> {
    options: ResolveOptions,
    aliases: Aliases<'a>,
    /// Where keys stand twice, with what go-yaml says about it. It tells all of them at once.
    duplicates: Vec<(Span, String)>,
}

impl<'a> Resolver<'a> {
    fn node(&mut self, node: &'a Node, depth: usize) -> Result<Data<'a>, YamlError> {
        self.aliases.count(node)?;
        match node.content() {
            Content::Scalar(text) => scalar::resolve(node, text, self.options.schema),
            Content::Sequence(sequence) => {
                check_depth(depth)?;
                let mut items = Vec::with_capacity(sequence.len());
                for item in sequence {
                    items.push(self.node(item, depth + 1)?);
                }
                Ok(Data::Seq(items))
            }
            Content::Mapping(mapping) => {
                check_depth(depth)?;
                self.mapping(mapping, depth)
            }
            Content::Alias(name) => {
                check_depth(depth)?;
                let target = self.aliases.enter(node, name)?;
                let data = self.node(target, depth + 1)?;
                self.aliases.leave();
                Ok(data)
            }
        }
    }
}
