//! Taking in what generators make: an object is new, replaces one, or is merged into one.

use weir_k8s_yaml::{Mapping, Node};

use super::ResourceSet;
use crate::annotations;
use crate::error::{Error, Problem, Result};
use crate::resource::{Behavior, Resource, Restored};
use crate::scalar::untagged;
use crate::schema::Schemas;

impl ResourceSet {
    /// Takes in an object from a generator.
    pub(crate) fn absorb(&mut self, resource: Resource, schemas: &Schemas) -> Result<()> {
        let behavior = resource.behavior.unwrap_or(Behavior::Unspecified);
        let matches = self.any(resource.id());
        let id = resource.id().to_string();
        match (matches.as_slice(), behavior) {
            ([], Behavior::Merge | Behavior::Replace) => {
                let names = self
                    .iter()
                    .filter(|it| it.kind() == resource.kind())
                    .map(|it| it.name().as_str());
                let near = crate::error::nearest(resource.name(), names);
                let error = Error::new(Problem::NothingToMerge {
                    id,
                    behavior: behavior.text(),
                });
                Err(error.help(match near.as_slice() {
                    [] => "it needs an object of the same kind, name and namespace from `resources` or a base".to_owned(),
                    near => crate::error::did_you_mean(near),
                }))
            }
            ([], Behavior::Create | Behavior::Unspecified) => self.append(resource),
            ([at], Behavior::Merge) => self.take_place(*at, resource, true, schemas),
            ([at], Behavior::Replace) => self.take_place(*at, resource, false, schemas),
            ([_], Behavior::Create | Behavior::Unspecified) => {
                Err(Error::new(Problem::AlreadyGenerated {
                    id,
                    behavior: behavior.text(),
                })
                .help("set `behavior: merge` or `behavior: replace`, or choose another name"))
            }
            (many, _) => Err(Error::new(Problem::ManyToMerge {
                id,
                count: many.len(),
            })),
        }
    }

    /// Puts a generated object in the place of an old one, whose name, namespace and memory it takes over.
    fn take_place(
        &mut self,
        at: usize,
        mut new: Resource,
        merge: bool,
        schemas: &Schemas,
    ) -> Result<()> {
        let old = self.get(at);
        let origin = old.annotation(annotations::ORIGIN).map(str::to_owned);
        merge_metadata(&mut new, old);
        if merge {
            merge_texts(&mut new, old, "data");
            merge_texts(&mut new, old, "binaryData");
            if let Some(origin) = origin {
                annotations::set(&mut new.node, annotations::ORIGIN, origin);
            }
        }
        new.set_previous(old.previous().to_vec());
        new.prefixes.clone_from(&old.prefixes);
        new.suffixes.clone_from(&old.suffixes);
        new.vars.clone_from(&old.vars);
        new.transformations.clone_from(&old.transformations);
        new.behavior = old.behavior;
        new.needs_hash &= old.needs_hash;
        new.from_chart = old.from_chart;
        new.refresh(schemas);
        *self.get_mut(at) = new;
        Ok(())
    }
}

fn merge_metadata(new: &mut Resource, old: &Resource) {
    for field in ["labels", "annotations"] {
        let merged = union(meta_map(&old.node, field), meta_map(&new.node, field));
        if let Some(metadata) = new.node.get_mut("metadata").and_then(Node::as_mapping_mut) {
            put(metadata, field, merged);
        }
    }
    new.restore(Restored::Name, old.name());
    new.restore(Restored::Namespace, &old.id().namespace);
}

/// The union of a map of texts in both objects.
fn merge_texts(new: &mut Resource, old: &Resource, field: &str) {
    let merged = union(
        old.node.get(field).and_then(Node::as_mapping),
        new.node.get(field).and_then(Node::as_mapping),
    );
    if let Some(root) = new.node.as_mapping_mut() {
        put(root, field, merged);
    }
}

fn put(place: &mut Mapping, field: &str, value: Mapping) {
    place.remove(field);
    if !value.is_empty() {
        place.push(untagged(field), Node::mapping(value));
    }
}

fn meta_map<'a>(node: &'a Node, field: &str) -> Option<&'a Mapping> {
    node.get("metadata")?.get(field)?.as_mapping()
}

/// Both maps as strings; values of the second win.
fn union(first: Option<&Mapping>, second: Option<&Mapping>) -> Mapping {
    annotations::strings(first.into_iter().chain(second).flatten().cloned())
}
