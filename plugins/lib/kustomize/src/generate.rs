//! `configMapGenerator` and `secretGenerator`.

mod base64;
mod env;
pub(crate) mod helm;
pub(crate) mod iam;

use std::collections::{BTreeMap, HashSet};

use weir_k8s_yaml::{Mapping, Node, Style, Text};

use crate::build::Context;
use crate::error::{Error, Problem, Result};
use crate::kustomization::MapGenerator;
use crate::loader::Folder;
use crate::path;
use crate::resource::{Behavior, Resource};
use crate::scalar::{string, untagged};

/// What is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MapKind {
    ConfigMap,
    Secret,
}

/// Makes the ConfigMap or Secret of one entry.
pub(crate) fn map(
    kind: MapKind,
    entry: &MapGenerator,
    folder: &Folder,
    context: &Context<'_>,
) -> Result<Resource> {
    if entry.name.is_empty() {
        return Err(Error::new(Problem::GeneratorName { kind: kind.name() }).help("add a `name`"));
    }
    let pairs = pairs(kind, entry, folder, context)
        .map_err(|error| error.in_object(format!("{} {}", kind.name(), entry.name)))?;
    let mut root = Mapping::new();
    root.push(string("apiVersion"), string("v1"));
    root.push(string("kind"), string(kind.name()));
    root.push(string("metadata"), Node::mapping(metadata(entry)));
    match kind {
        MapKind::ConfigMap => {
            let mut data = Mapping::new();
            let mut binary = Mapping::new();
            for (key, value) in pairs {
                match String::from_utf8(value) {
                    Ok(text) => data.push(untagged(key), text_node(text)),
                    Err(error) => {
                        binary.push(untagged(key), text_node(base64::encode(error.as_bytes())))
                    }
                }
            }
            for (field, map) in [("data", data), ("binaryData", binary)] {
                if !map.is_empty() {
                    root.push(string(field), Node::mapping(map));
                }
            }
        }
        MapKind::Secret => {
            let kind = if entry.secret_type.is_empty() {
                "Opaque"
            } else {
                &entry.secret_type
            };
            root.push(string("type"), string(kind));
            let data = pairs
                .into_iter()
                .map(|(key, value)| (untagged(key), text_node(base64::encode(&value))));
            root.push(string("data"), Node::mapping(data.collect()));
        }
    }
    if entry.options.immutable {
        root.push(string("immutable"), Node::bool(true));
    }
    let mut resource = Resource::new(Node::mapping(root), None, context.schemas);
    resource.needs_hash = !entry.options.disable_name_suffix_hash;
    resource.behavior = Some(Behavior::parse(&entry.behavior));
    Ok(resource)
}

impl MapKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            MapKind::ConfigMap => "ConfigMap",
            MapKind::Secret => "Secret",
        }
    }

    /// The field of the kustomization.
    pub(crate) fn field(self) -> &'static str {
        match self {
            MapKind::ConfigMap => "configMapGenerator",
            MapKind::Secret => "secretGenerator",
        }
    }

    pub(crate) fn generator(self) -> &'static str {
        match self {
            MapKind::ConfigMap => "ConfigMapGenerator",
            MapKind::Secret => "SecretGenerator",
        }
    }
}

fn metadata(entry: &MapGenerator) -> Mapping {
    let mut metadata = Mapping::new();
    metadata.push(string("name"), string(entry.name.as_str()));
    if !entry.namespace.is_empty() {
        metadata.push(string("namespace"), string(entry.namespace.as_str()));
    }
    for (field, map) in [
        ("labels", &entry.options.labels),
        ("annotations", &entry.options.annotations),
    ] {
        if !map.is_empty() {
            let pairs = map.iter().map(|(key, value)| {
                let mut value = string(value.as_str());
                value.set_style(Style::SingleQuoted);
                (untagged(key.as_str()), value)
            });
            metadata.push(string(field), Node::mapping(pairs.collect()));
        }
    }
    metadata
}

/// Keys and values, sorted by key: first those of `envs`, then `literals`, then `files`, and none twice.
fn pairs(
    kind: MapKind,
    entry: &MapGenerator,
    folder: &Folder,
    context: &Context<'_>,
) -> Result<BTreeMap<Text, Vec<u8>>> {
    let mut all: BTreeMap<Text, Vec<u8>> = BTreeMap::new();
    let mut seen: HashSet<Text> = HashSet::new();
    let mut add = |key: &str, value: Vec<u8>| {
        if !seen.insert(key.into()) {
            return Err(Error::new(Problem::GeneratorKey {
                key: key.to_owned(),
            })
            .help("keys of envs, literals and files must differ"));
        }
        all.insert(key.into(), value);
        Ok(())
    };
    for file in &entry.envs {
        let loaded = folder.load(
            context.host,
            context.options,
            file,
            context.filtered_source(kind, file, true),
        )?;
        let lines = env::pairs(&loaded.content).map_err(|error| error.in_file(&loaded.name))?;
        lines
            .into_iter()
            .try_for_each(|(key, value)| add(&key, value.into_bytes()))?;
    }
    for literal in &entry.literals {
        match literal.split_once('=') {
            Some((key, value)) if !key.is_empty() => add(key, unquoted(value).as_bytes().to_vec())?,
            _ => {
                return Err(Error::new(Problem::Literal(literal.clone())).help("write `key=value`"));
            }
        }
    }
    for source in &entry.files {
        let (key, file) = file_source(source)?;
        let loaded = folder.load(
            context.host,
            context.options,
            file,
            context.filtered_source(kind, key, false),
        )?;
        add(key, loaded.content)?;
    }
    Ok(all)
}

/// The key and the file of `[key=]file`.
fn file_source(source: &str) -> Result<(&str, &str)> {
    let wrong = |problem: &'static str| {
        Error::new(Problem::FileSource {
            given: source.to_owned(),
            problem,
        })
        .help("write `file` or `key=file`")
    };
    match source.split('=').collect::<Vec<_>>().as_slice() {
        [file] => Ok((base(file), file)),
        ["", _] => Err(wrong("the key is missing")),
        [_, ""] => Err(wrong("the file is missing")),
        [key, file] => Ok((key, file)),
        _ => Err(wrong("it has more than one `=`")),
    }
}

fn base(file: &str) -> &str {
    match path::name(file.trim_end_matches('/')) {
        "" => "/",
        name => name,
    }
}

/// A value without one pair of quotes around it.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner;
        }
    }
    value
}

fn text_node(text: String) -> Node {
    let literal = text.contains('\n');
    let mut node = string(text);
    if literal {
        node.set_style(Style::Literal);
    }
    node
}
