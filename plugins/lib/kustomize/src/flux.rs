//! What kustomize-controller does around a build: it makes the kustomization file where there is none, changes it by the fields of the
//! Flux Kustomization, and sets common metadata at the end.

mod file;

use std::rc::Rc;

use serde_json::{Map, Value, json};

use crate::accumulate::Level;
use crate::annotations;
use crate::build::Context;
use crate::decode::{Mode, Settings};
use crate::error::{Error, Problem, Result};
use crate::files::EntryKind;
use crate::loader::Folder;
use crate::options::FluxFields;
use crate::resource::Resource;
use crate::scalar;

/// Reads or makes the kustomization of a folder, with the fields of the Flux Kustomization in it.
pub(crate) fn open(
    folder: Rc<Folder>,
    fields: &FluxFields,
    context: &Context<'_>,
) -> Result<Level> {
    let (file, mut settings) = match folder.kustomization() {
        Ok((file, loaded)) => (file, Settings::parse(&loaded.content, &loaded.name)?),
        Err(error) if matches!(error.problem(), Problem::NoKustomization { .. }) => {
            let name = crate::kustomization::NAMES[0];
            (
                name,
                Settings::made(file::generate(&folder)?, &format!("{name} (generated)")),
            )
        }
        Err(error) => return Err(error),
    };
    // A file that says nothing is read as an empty one here.
    if settings.value.is_null() {
        settings.value = json!({});
    }
    let root = settings.root(Mode::Lenient);
    let Some(map) = settings.value.as_object() else {
        return Err(root.wrong_type("a map"));
    };
    let mut map = map.clone();
    if list_of(&map, "resources").is_none_or(Vec::is_empty) {
        set(&mut map, "buildMetadata", json!(["originAnnotations"]));
    }
    add_fields(&mut map, fields, &folder)?;
    settings.value = Value::Object(map);
    Level::of(folder, file, settings, context, Mode::Lenient)
}

/// Sets the common metadata, and checks what the controller needs of every object.
pub(crate) fn finish(resources: &mut [Resource], flux: &FluxFields) -> Result<()> {
    for resource in resources {
        if resource.gvk().version.is_empty() {
            let error = Error::new(Problem::MissingApiVersion).in_object(resource.id());
            return Err(match &resource.file {
                Some(file) => error.in_file(file).at(resource.node.span()),
                None => error,
            });
        }
        for (key, value) in &flux.common_annotations {
            annotations::set(&mut resource.node, key, value.as_str());
        }
        for (key, value) in &flux.common_labels {
            let Some(root) = resource.node.as_mapping_mut() else {
                continue;
            };
            let metadata = root
                .get_or_insert_with("metadata", scalar::empty_map)
                .make_mapping();
            let labels = metadata
                .get_or_insert_with("labels", scalar::empty_map)
                .make_mapping();
            labels.set(key, scalar::string(value.as_str()));
        }
    }
    Ok(())
}

/// Puts the fields of the Flux Kustomization into the file.
fn add_fields(map: &mut Map<String, Value>, flux: &FluxFields, folder: &Folder) -> Result<()> {
    for (name, text) in [
        ("namespace", &flux.target_namespace),
        ("namePrefix", &flux.name_prefix),
        ("nameSuffix", &flux.name_suffix),
    ] {
        if !text.is_empty() {
            set(map, name, text.as_str().into());
        }
    }
    append(map, "patches", &flux.patches);
    append(map, "components", &components(flux, folder)?);
    append(
        map,
        "patchesStrategicMerge",
        &legacy_merges(&flux.patches_strategic_merge),
    );
    append(
        map,
        "patchesJson6902",
        &legacy_operations(&flux.patches_json6902),
    );
    for image in &flux.images {
        merge_image(map, image);
    }
    if !flux.build_metadata.is_empty() {
        set(map, "buildMetadata", json!(flux.build_metadata));
    }
    Ok(())
}

/// Components have to be folders of the source.
fn components(flux: &FluxFields, folder: &Folder) -> Result<Vec<Value>> {
    let mut kept = Vec::new();
    for path in &flux.components {
        if path.starts_with('/')
            || crate::git_url::GitUrl::parse(path).is_some()
            || crate::git_url::is_http(path)
        {
            return Err(Error::new(Problem::ComponentPath { path: path.clone() })
                .in_field("spec.components"));
        }
        let there = folder.kind(path) == Some(EntryKind::Directory);
        if there || !flux.ignore_missing_components {
            kept.push(path.as_str().into());
        }
    }
    Ok(kept)
}

/// A patch object stands in the file as its text.
fn legacy_merges(patches: &[Value]) -> Vec<Value> {
    patches
        .iter()
        .map(|patch| {
            if patch.is_string() {
                patch.clone()
            } else {
                patch.to_string().into()
            }
        })
        .collect()
}

fn legacy_operations(patches: &[Value]) -> Vec<Value> {
    let each = patches.iter().map(|patch| {
        let mut entry = patch.clone();
        if let Some(operations) = patch
            .get("patch")
            .filter(|operations| !operations.is_string())
        {
            entry["patch"] = operations.to_string().into();
        }
        entry
    });
    each.collect()
}

/// An image of the same name is changed, tag and digest together; another one is added.
fn merge_image(map: &mut Map<String, Value>, image: &Value) {
    let text = |value: &Value, name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let name = text(image, "name");
    let list = list_mut(map, "images");
    let Some(present) = list
        .iter_mut()
        .find(|present| text(present, "name") == name)
    else {
        list.push(image.clone());
        return;
    };
    let new_name = text(image, "newName");
    if !new_name.is_empty() {
        present["newName"] = new_name.into();
    }
    let (tag, digest) = (text(image, "newTag"), text(image, "digest"));
    if !tag.is_empty() || !digest.is_empty() {
        present["newTag"] = tag.into();
        present["digest"] = digest.into();
    }
}

fn append(map: &mut Map<String, Value>, name: &str, values: &[Value]) {
    if !values.is_empty() {
        list_mut(map, name).extend(values.iter().cloned());
    }
}

fn list_of<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Vec<Value>> {
    map.get(&own_name(map, name)).and_then(Value::as_array)
}

fn list_mut<'a>(map: &'a mut Map<String, Value>, name: &str) -> &'a mut Vec<Value> {
    let own = own_name(map, name);
    let place = map.entry(own).or_insert_with(|| json!([]));
    if !place.is_array() {
        *place = json!([]);
    }
    match place {
        Value::Array(list) => list,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            unreachable!("it was made a list")
        }
    }
}

fn set(map: &mut Map<String, Value>, name: &str, value: Value) {
    let own = own_name(map, name);
    map.insert(own, value);
}

/// How a field is spelled in the file: names ignore case.
fn own_name(map: &Map<String, Value>, name: &str) -> String {
    map.keys()
        .find(|key| key.eq_ignore_ascii_case(name))
        .map_or_else(|| name.to_owned(), Clone::clone)
}
