//! `replacements`: a value of one object, put into fields of others.

pub(crate) mod path;
mod structured;

use weir_k8s_yaml::{Kind, Node};

use crate::build::Context;
use crate::decode::{Mode, Settings};
use crate::error::{Error, Problem, Result, did_you_mean, nearest};
use crate::id::ObjectId;
use crate::kustomization::{
    Replacement, ReplacementEntry, ReplacementOptions, SourceSelector, TargetSelector,
};
use crate::loader::{Filtered, Folder};
use crate::resource::Resource;
use crate::scalar::{self, Links};
use crate::selector::Selection;
use crate::set::ResourceSet;

/// All replacements of a kustomization, in order.
#[derive(Debug)]
pub(crate) struct Replacements {
    list: Vec<Ready>,
}

/// A replacement, and the file that it is from.
#[derive(Debug)]
struct Ready {
    replacement: Replacement,
    file: Option<String>,
}

const DEFAULT_PATH: &str = "metadata.name";
/// How large an object may become, in nodes and levels.
const MAX_NODES: usize = 1_000_000;
const MAX_DEPTH: usize = 400;

impl Replacements {
    pub(crate) fn new(
        entries: &[ReplacementEntry],
        folder: &Folder,
        context: &Context<'_>,
    ) -> Result<Self> {
        let mut list = Vec::with_capacity(entries.len());
        for entry in entries {
            let inline = &entry.replacement;
            if entry.path.is_empty() {
                list.push(Ready {
                    replacement: inline.clone(),
                    file: None,
                });
                continue;
            }
            if inline.source.is_some()
                || inline
                    .targets
                    .as_ref()
                    .is_some_and(|targets| !targets.is_empty())
            {
                return Err(Error::new(Problem::ReplacementTwice)
                    .help("remove `path`, or `source` and `targets`"));
            }
            let loaded = folder.load(context.host, context.options, &entry.path, Filtered::No)?;
            let settings = Settings::parse(&loaded.content, &loaded.name)?;
            let root = settings.root(Mode::Lenient);
            let read: Vec<Replacement> = if settings.value.is_array() {
                root.get()?
            } else if settings.value.is_object() {
                vec![root.get()?]
            } else {
                return Err(root.wrong_type("a replacement or a list of them"));
            };
            let file = Some(loaded.name.to_string());
            list.extend(read.into_iter().map(|replacement| Ready {
                replacement,
                file: file.clone(),
            }));
        }
        Ok(Self { list })
    }

    pub(crate) fn apply(&self, set: &mut ResourceSet, context: &Context<'_>) -> Result<()> {
        for (at, Ready { replacement, file }) in self.list.iter().enumerate() {
            apply_one(replacement, set, context).map_err(|error| match file {
                Some(file) => error.in_file(file),
                None => error.in_element(at),
            })?;
        }
        Ok(())
    }
}

fn apply_one(
    replacement: &Replacement,
    set: &mut ResourceSet,
    context: &Context<'_>,
) -> Result<()> {
    let (Some(targets), true) = (
        &replacement.targets,
        replacement.source.is_some() || replacement.source_value.is_some(),
    ) else {
        return Err(Error::new(Problem::ReplacementIncomplete)
            .help("a replacement has a `source` (or `sourceValue`) and `targets`"));
    };
    let value = match (&replacement.source, &replacement.source_value) {
        (Some(_), Some(_)) => {
            return Err(
                Error::new(Problem::ReplacementSources).help("remove `source` or `sourceValue`")
            );
        }
        (Some(source), None) => source_value(source, set)?,
        (None, value) => scalar::untagged(value.as_deref().unwrap_or_default()),
    };
    targets
        .iter()
        .try_for_each(|target| put_into(target, &value, set, context))
}

/// Reads the value of the one object that a source selects.
fn source_value(source: &SourceSelector, set: &ResourceSet) -> Result<Node> {
    let selects = |resource: &&Resource| {
        let id_fits = |id: &ObjectId| {
            (source.name.is_empty() || id.name == source.name.as_str())
                && (source.namespace.is_empty()
                    || effective(&id.namespace) == effective(&source.namespace))
                && id.gvk.selected_by(&source.gvk)
        };
        !resource.deleted() && resource.any_id(id_fits)
    };
    let mut found = set.iter().filter(selects);
    let described = describe(source);
    let Some(resource) = found.next() else {
        let names = set
            .iter()
            .filter(|it| it.gvk().selected_by(&source.gvk))
            .map(|it| it.name().as_str());
        return Err(Error::new(Problem::SourceUnmatched {
            selector: described,
        })
        .in_field("source")
        .help(did_you_mean(&nearest(&source.name, names))));
    };
    if let Some(other) = found.next() {
        return Err(Error::new(Problem::SourceAmbiguous {
            selector: described,
        })
        .in_field("source")
        .help(format!(
            "it selects {} and {}; add what tells them apart",
            resource.id(),
            other.id()
        )));
    }
    let field = if source.field_path.is_empty() {
        DEFAULT_PATH
    } else {
        &source.field_path
    };
    let node = path::lookup(&resource.node, &path::split(field)).map_err(|error| {
        error
            .in_object(resource.id())
            .in_field(format!("source.fieldPath {field}"))
    })?;
    let Some(node) = node.filter(|node| !scalar::nil_or_empty(node)) else {
        return Err(Error::new(Problem::SourceField {
            field: field.to_owned(),
            id: resource.id().to_string(),
        })
        .help(path::nearest_field(&resource.node, &path::split(field))));
    };
    refined(node, source.options.as_ref())
}

/// The part of a value that the options name.
fn refined(node: &Node, options: Option<&ReplacementOptions>) -> Result<Node> {
    let mut value = node.clone();
    value.set_anchor(None);
    let Some(options) = options.filter(|options| !options.delimiter.is_empty()) else {
        return Ok(value);
    };
    if node.kind() != Kind::Scalar {
        return Err(Error::new(Problem::DelimiterKind).in_field("source.options.delimiter"));
    }
    let text = node.as_str().unwrap_or_default();
    let part = usize::try_from(options.index)
        .ok()
        .and_then(|at| text.split(options.delimiter.as_str()).nth(at));
    let Some(part) = part else {
        return Err(Error::new(Problem::DelimiterIndex {
            index: options.index,
            text: text.to_owned(),
        })
        .in_field("source.options.index"));
    };
    value.set_text(part);
    Ok(value)
}

fn put_into(
    target: &TargetSelector,
    value: &Node,
    set: &mut ResourceSet,
    context: &Context<'_>,
) -> Result<()> {
    let Some(select) = &target.select else {
        return Err(Error::new(Problem::TargetSelect)
            .help("add `select` with the kind and name of the objects"));
    };
    let selection = Selection::new(select).map_err(|error| error.through("in `targets.select`"))?;
    let rejects: Vec<Selection> = target
        .reject
        .iter()
        .map(Selection::new)
        .collect::<Result<_>>()
        .map_err(|error| error.through("in `targets.reject`"))?;
    let default = [DEFAULT_PATH.to_owned()];
    let fields = if target.field_paths.is_empty() {
        &default[..]
    } else {
        &target.field_paths
    };
    let paths: Vec<(&str, Vec<String>)> = fields
        .iter()
        .map(|field| (field.as_str(), path::split(field)))
        .collect();
    for resource in set.items_mut() {
        if resource.deleted() || !is_target(resource, &selection, &rejects) {
            continue;
        }
        for (field, path) in &paths {
            put(resource, field, path, value, target.options.as_ref()).map_err(|error| {
                error
                    .in_object(resource.id())
                    .in_field(format!("fieldPaths {field}"))
            })?;
        }
        resource.refresh(context.schemas);
    }
    Ok(())
}

fn is_target(resource: &Resource, selection: &Selection, rejects: &[Selection]) -> bool {
    // The current namespace counts as written, cluster scope does not count.
    let any = |selection: &Selection| resource.any_id(|id| selection.id_fits(id));
    selection.metadata_fits(resource)
        && !rejects
            .iter()
            .any(|reject| reject.has_metadata() && reject.metadata_fits(resource))
        && !rejects.iter().any(|reject| reject.has_id() && any(reject))
        && any(selection)
}

/// Puts the value into one field of an object.
fn put(
    resource: &mut Resource,
    field: &str,
    path: &[String],
    value: &Node,
    options: Option<&ReplacementOptions>,
) -> Result<()> {
    let create = options
        .is_some_and(|options| options.create)
        .then(|| value.kind());
    let mut links = Links::default();
    if structured::put(&mut resource.node, path, value, create, &mut links).is_ok() {
        links.settle(&mut resource.node);
        return Ok(());
    }
    let found = path::visit(&mut resource.node, path, create, &mut |node| {
        set(node, value, options, &mut links)
    });
    match found {
        Ok(0) => {
            let doing = if create.is_some() {
                "found or made"
            } else {
                "found"
            };
            Err(Error::new(Problem::TargetField {
                field: field.to_owned(),
                doing,
            })
            .help(path::nearest_field(&resource.node, path))
            .help("check the path, or set `options.create: true`"))
        }
        Ok(_) => {
            links.settle(&mut resource.node);
            if value.kind() == Kind::Scalar {
                Ok(())
            } else {
                check_size(&resource.node)
            }
        }
        Err(error) => Err(error),
    }
}

/// A map that is put into itself again and again doubles each time.
fn check_size(node: &Node) -> Result<()> {
    let mut left = MAX_NODES;
    if !fits(node, MAX_DEPTH, &mut left) {
        return Err(Error::new(if left == 0 {
            Problem::TooLarge { limit: MAX_NODES }
        } else {
            Problem::TooNested { limit: MAX_DEPTH }
        }));
    }
    Ok(())
}

fn fits(node: &Node, depth: usize, left: &mut usize) -> bool {
    if *left == 0 || depth == 0 {
        return false;
    }
    *left -= 1;
    let values = node
        .as_mapping()
        .into_iter()
        .flatten()
        .map(|entry| &entry.value);
    values
        .chain(node.as_sequence().into_iter().flatten())
        .all(|child| fits(child, depth - 1, left))
}

fn set(
    node: &mut Node,
    value: &Node,
    options: Option<&ReplacementOptions>,
    links: &mut Links,
) -> Result<()> {
    links.refresh(node);
    let mut text = value.text().cloned().unwrap_or_default();
    if let Some(options) = options.filter(|options| !options.delimiter.is_empty()) {
        if node.kind() != Kind::Scalar {
            return Err(Error::new(Problem::DelimiterKind).in_field("targets.options.delimiter"));
        }
        let old = node.as_str().unwrap_or_default().to_owned();
        let mut parts: Vec<&str> = old.split(options.delimiter.as_str()).collect();
        match usize::try_from(options.index) {
            Err(_) => parts.insert(0, &text),
            Ok(at) if at >= parts.len() => parts.push(&text),
            Ok(at) => parts[at] = &text,
        }
        text = parts.join(&options.delimiter).into();
    }
    if node.kind() == Kind::Scalar {
        scalar::set_text(node, text, links);
    } else {
        let mut value = value.clone();
        if value.kind() == Kind::Scalar {
            value.set_text(text);
        }
        scalar::overwrite(node, value, links);
    }
    Ok(())
}

fn effective(namespace: &str) -> &str {
    if namespace.is_empty() {
        crate::id::DEFAULT_NAMESPACE
    } else {
        namespace
    }
}

fn describe(source: &SourceSelector) -> String {
    let id = ObjectId {
        gvk: source.gvk.clone(),
        name: source.name.as_str().into(),
        namespace: source.namespace.as_str().into(),
        cluster: false,
    };
    if source.field_path.is_empty() {
        id.to_string()
    } else {
        format!("{id}:{}", source.field_path)
    }
}
