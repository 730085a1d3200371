//! `patches`, `patchesStrategicMerge` and `patchesJson6902`.

mod json;
mod pointer;

use weir_k8s_yaml::{Mapping, Node};

use crate::annotations;
use crate::build::Context;
use crate::error::{Error, Problem, Result, did_you_mean, nearest};
use crate::id::ObjectId;
use crate::kustomization::{PatchEntry, PatchOptions, Selector};
use crate::loader::{Filtered, Folder};
use crate::merge;
use crate::read;
use crate::resource::{Resource, Restored};
use crate::selector::Selection;
use crate::set::ResourceSet;

use json::Operations;

/// An entry of `patches`.
#[derive(Debug)]
pub(crate) struct PatchStep {
    kind: PatchKind,
    target: Option<Selection>,
    /// The file of the patch, unless it stands in the kustomization.
    file: Option<String>,
}

#[derive(Debug)]
enum PatchKind {
    Strategic(Vec<Resource>),
    Json(Operations),
}

/// All entries of `patchesStrategicMerge`.
#[derive(Debug)]
pub(crate) struct StrategicPatches {
    patches: Vec<Resource>,
}

/// An entry of `patchesJson6902`.
#[derive(Debug)]
pub(crate) struct JsonPatch {
    operations: Operations,
    target: Selection,
}

impl PatchStep {
    /// Reads the patch and finds out which kind it is.
    pub(crate) fn new(entry: &PatchEntry, folder: &Folder, context: &Context<'_>) -> Result<Self> {
        let inline = entry.patch.trim();
        let (text, file) = match (inline, entry.path.as_str()) {
            ("", "") => {
                return Err(Error::new(Problem::PatchMissing)
                    .help("write the patch under `patch`, or its file under `path`"));
            }
            ("", path) => {
                let loaded = folder.load(
                    context.host,
                    context.options,
                    path,
                    context.filtered_patch(),
                )?;
                (loaded.content, Some(loaded.name))
            }
            (patch, "") => (patch.as_bytes().to_vec(), None),
            (_, _) => return Err(Error::new(Problem::PatchTwice).help("remove `patch` or `path`")),
        };
        let kind = PatchKind::read(&text, entry.options, context)
            .map_err(|error| in_text(error, file.as_deref()))?;
        let target = entry
            .target
            .as_ref()
            .map(Selection::new)
            .transpose()
            .map_err(|error| error.through("in `target`"))?;
        let step = Self {
            kind,
            target,
            file: file.map(|file| file.to_string()),
        };
        step.check()?;
        Ok(step)
    }

    fn check(&self) -> Result<()> {
        match (&self.kind, &self.target) {
            (PatchKind::Json(_), None) => Err(Error::new(Problem::JsonPatchTarget).help(
                "add a `target` with the kind and name of the object that the operations apply to",
            )),
            (PatchKind::Json(_) | PatchKind::Strategic(_), _) => Ok(()),
        }
    }

    pub(crate) fn apply(&self, set: &mut ResourceSet, context: &Context<'_>) -> Result<()> {
        match (&self.kind, &self.target) {
            (PatchKind::Json(operations), Some(target)) => {
                for at in selected(set, target) {
                    set.get_mut(at).push_previous();
                    patch_json(set, at, operations, context)?;
                }
                Ok(())
            }
            (PatchKind::Json(_), None) => Ok(()),
            (PatchKind::Strategic(patches), Some(target)) => match patches.as_slice() {
                [] => Ok(()),
                [patch] => {
                    let targets = selected(set, target);
                    patch_all(set, &targets, patch, context)
                }
                _ => Err(Error::new(Problem::ManyPatchesOneTarget)
                    .help("make one entry of `patches` for each document, or remove `target`")),
            },
            (PatchKind::Strategic(patches), None) => {
                for patch in patches {
                    let at = one_target(set, patch)
                        .map_err(|error| in_text(error, self.file.as_deref()))?;
                    patch_one(set, at, patch.node.clone(), patch, context)?;
                }
                Ok(())
            }
        }
    }
}

impl PatchKind {
    fn read(text: &[u8], options: PatchOptions, context: &Context<'_>) -> Result<Self> {
        let strategic = match read::objects(text) {
            Ok(nodes) => {
                let resources = nodes.into_iter().map(|node| {
                    let mut patch = Resource::new(node, None, context.schemas);
                    patch.allow_name_change |= options.allow_name_change;
                    patch.allow_kind_change |= options.allow_kind_change;
                    patch
                });
                return Ok(PatchKind::Strategic(resources.collect()));
            }
            Err(error) => error,
        };
        match Operations::read(text) {
            Ok(operations) => Ok(PatchKind::Json(operations)),
            Err(json) => {
                let list = matches!(strategic.problem(), Problem::NotAnObject { .. })
                    || text.starts_with(b"[");
                let reason = if list { json } else { strategic };
                Err(reason.help("a patch is an object with apiVersion, kind and metadata.name, or a list of JSON patch operations"))
            }
        }
    }
}

/// An error about a patch: its place is in the patch's file, or in the text that stands in the kustomization.
fn in_text(error: Error, file: Option<&str>) -> Error {
    match file {
        Some(file) => error.in_file(file),
        None => error.inline(),
    }
}

impl StrategicPatches {
    pub(crate) fn new(entries: &[String], folder: &Folder, context: &Context<'_>) -> Result<Self> {
        Self::of(Self::read(entries, folder, context)?)
    }

    /// Reads entries, which are patches or the files that hold them.
    pub(crate) fn read(
        entries: &[String],
        folder: &Folder,
        context: &Context<'_>,
    ) -> Result<Vec<Resource>> {
        let mut patches = Vec::new();
        for entry in entries {
            if let Ok(inline) = read::inline(entry, context.schemas) {
                patches.extend(inline);
                continue;
            }
            let loaded = folder.load(context.host, context.options, entry, Filtered::No)?;
            patches.extend(read::resources(
                &loaded.content,
                &loaded.name,
                context.schemas,
            )?);
        }
        Ok(patches)
    }

    /// From patches that are read already.
    pub(crate) fn of(patches: Vec<Resource>) -> Result<Self> {
        if patches.is_empty() {
            return Err(Error::new(Problem::PatchEmpty));
        }
        Ok(Self { patches })
    }

    pub(crate) fn apply(&self, set: &mut ResourceSet, context: &Context<'_>) -> Result<()> {
        for patch in &self.patches {
            let at = one_target(set, patch)?;
            patch_all(set, &[at], patch, context)?;
        }
        Ok(())
    }
}

impl JsonPatch {
    pub(crate) fn new(entry: &PatchEntry, folder: &Folder, context: &Context<'_>) -> Result<Self> {
        let target = entry.target.clone().unwrap_or_default();
        if target.name.is_empty() {
            return Err(Error::new(Problem::JsonPatchTarget).help("`target.name` is required here"));
        }
        let (text, file) = match (entry.patch.as_str(), entry.path.as_str()) {
            ("", "") => return Err(Error::new(Problem::PatchMissing)),
            ("", path) => {
                let loaded = folder.load(context.host, context.options, path, Filtered::No)?;
                (loaded.content, Some(loaded.name))
            }
            (patch, "") => (patch.as_bytes().to_vec(), None),
            (_, _) => return Err(Error::new(Problem::PatchTwice)),
        };
        Self::read(&text, &target).map_err(|error| in_text(error, file.as_deref()))
    }

    fn read(text: &[u8], target: &Selector) -> Result<Self> {
        let operations = Operations::read(text)?;
        if operations.is_empty() {
            return Err(Error::new(Problem::PatchEmpty));
        }
        Ok(Self {
            operations,
            target: Selection::new(target)?,
        })
    }

    pub(crate) fn apply(&self, set: &mut ResourceSet, context: &Context<'_>) -> Result<()> {
        for at in selected(set, &self.target) {
            patch_json(set, at, &self.operations, context)?;
        }
        Ok(())
    }
}

fn selected(set: &ResourceSet, target: &Selection) -> Vec<usize> {
    let fits = |(at, resource): (usize, &Resource)| {
        (!resource.deleted() && target.selects(resource)).then_some(at)
    };
    set.iter().enumerate().filter_map(fits).collect()
}

/// The object that a patch without a target is for.
fn one_target(set: &mut ResourceSet, patch: &Resource) -> Result<usize> {
    let id = patch.original_id();
    match set.any(&id).as_slice() {
        [at] => Ok(*at),
        [] => {
            let error =
                Error::new(Problem::PatchUnmatched { id: id.to_string() }).at(patch.node.span());
            let error = match &patch.file {
                Some(file) => error.in_file(file),
                None => error,
            };
            Err(error.help(unmatched_help(set, &id)))
        }
        many => Err(Error::new(Problem::PatchAmbiguous {
            id: id.to_string(),
            count: many.len(),
        })
        .help("add a `target`, or the namespace that tells them apart")),
    }
}

fn unmatched_help(set: &ResourceSet, id: &ObjectId) -> String {
    let same_kind = |resource: &&Resource| resource.gvk() == &id.gvk;
    if let Some(other) = set
        .iter()
        .find(|resource| same_kind(resource) && resource.name() == &id.name)
    {
        let namespace = other.id().effective_namespace();
        return format!(
            "there is one in namespace `{namespace}`; name that in the patch, or use a `target`"
        );
    }
    if let Some(other) = set
        .iter()
        .find(|other| other.kind() == id.gvk.kind && other.name() == &id.name)
    {
        return format!("there is one of apiVersion `{}`", other.gvk().api_version());
    }
    let names = set
        .iter()
        .filter(same_kind)
        .map(|resource| resource.name().as_str());
    let near = nearest(&id.name, names);
    if !near.is_empty() {
        return did_you_mean(&near);
    }
    let known: Vec<&str> = set
        .iter()
        .filter(same_kind)
        .map(|resource| resource.name().as_str())
        .take(5)
        .collect();
    match known.as_slice() {
        [] => format!("there is no {} here", id.gvk.kind),
        known => format!(
            "the {} objects here are called {}",
            id.gvk.kind,
            known.join(", ")
        ),
    }
}

/// Lays a patch over several objects, then checks that their ids still differ.
fn patch_all(
    set: &mut ResourceSet,
    targets: &[usize],
    patch: &Resource,
    context: &Context<'_>,
) -> Result<()> {
    for at in targets {
        let mut node = patch.node.clone();
        // The version of the target counts, not the one that the patch was written for.
        let api_version = set.get(*at).gvk().api_version();
        if let Some(root) = node.as_mapping_mut() {
            match root.get_mut("apiVersion") {
                Some(place) => place.set_text(api_version),
                None => root.push(Node::string("apiVersion"), Node::string(api_version)),
            }
        }
        patch_one(set, *at, node, patch, context)?;
    }
    set.drop_deleted();
    set.check_unique()
}

/// Lays a patch over one object.
fn patch_one(
    set: &mut ResourceSet,
    at: usize,
    node: Node,
    patch: &Resource,
    context: &Context<'_>,
) -> Result<()> {
    let target = set.get_mut(at);
    let before = target.id().clone();
    if patch.allow_name_change || patch.allow_kind_change {
        target.push_previous();
    }
    let merged = merge::merge(&mut target.node, node, context.schemas).map_err(|error| {
        let error = error.in_object(&before);
        match &patch.file {
            Some(file) => error.in_file(file),
            None => error,
        }
    });
    if !merged? {
        target.node = Node::null();
        return Ok(());
    }
    if !patch.allow_kind_change {
        target.restore(Restored::Kind, &before.gvk.kind);
    }
    if !patch.allow_name_change {
        target.restore(Restored::Name, &before.name);
    }
    target.restore(Restored::Namespace, &before.namespace);
    annotations::take_memory(target);
    target.refresh(context.schemas);
    if !target.id().same(&before) {
        set.renamed(at);
    }
    Ok(())
}

/// Runs operations on one object.
fn patch_json(
    set: &mut ResourceSet,
    at: usize,
    operations: &Operations,
    context: &Context<'_>,
) -> Result<()> {
    let resource = set.get_mut(at);
    if resource.has_memory() {
        // The original's memory is in the annotations, so that a patch always finds them.
        if let Some(root) = resource.node.as_mapping_mut() {
            let metadata = root
                .get_or_insert_with("metadata", crate::scalar::empty_map)
                .make_mapping();
            let annotations = metadata.get_or_insert_with("annotations", crate::scalar::empty_map);
            if annotations.is_null() {
                *annotations = crate::scalar::empty_map();
            }
        }
    }
    let before = resource.id().clone();
    let mut value = crate::json::of(&resource.node).map_err(|error| error.in_object(&before))?;
    operations
        .apply(&mut value)
        .map_err(|error| error.in_object(&before))?;
    if !value.is_object() {
        return Err(Error::new(Problem::PatchedAway).in_object(&before));
    }
    let span = resource.node.span();
    resource.node = crate::json::patched_tree(&value);
    resource.node.set_span(span);
    if let Some(metadata) = resource
        .node
        .get_mut("metadata")
        .and_then(Node::as_mapping_mut)
        && let Some(annotations) = metadata
            .get_mut("annotations")
            .and_then(Node::as_mapping_mut)
            .map(std::mem::take)
    {
        let strings: Mapping = annotations::strings(annotations.into_iter());
        metadata.remove("annotations");
        if !strings.is_empty() {
            metadata.push(Node::string("annotations"), Node::mapping(strings));
        }
    }
    resource.refresh(context.schemas);
    if !resource.id().same(&before) {
        set.renamed(at);
    }
    Ok(())
}
