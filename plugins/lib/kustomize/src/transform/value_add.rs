//! The transformer that puts one value into fields of selected objects.

use weir_k8s_yaml::{Kind, Node, Tag};

use super::namespace::{NamespaceStep, Subjects};
use crate::build::Context;
use crate::config::Specs;
use crate::error::Result;
use crate::field_spec::{self, FieldSpec};
use crate::id::Gvk;
use crate::kustomization::Selector;
use crate::scalar::{self, Links, untagged};
use crate::selector::Selection;
use crate::set::ResourceSet;

/// Puts a value into fields.
#[derive(Debug)]
pub(crate) struct ValueAddStep {
    pub(crate) value: String,
    pub(crate) targets: Vec<ValueTarget>,
}

/// One field of some objects.
#[derive(Debug, Default, Clone)]
pub(crate) struct ValueTarget {
    pub(crate) selector: Option<Selector>,
    pub(crate) field_path: String,
    /// The part of a path that the value becomes, from 1; 0 for the whole field.
    pub(crate) position: usize,
}

impl ValueAddStep {
    pub(crate) fn apply(&self, set: &mut ResourceSet, context: &Context<'_>) -> Result<()> {
        let own = FieldSpec::new(Gvk::default(), "metadata/namespace", true);
        let namespace = NamespaceStep {
            namespace: self.value.clone(),
            specs: Specs::default(),
            unset_only: false,
            subjects: Subjects::NamedDefault,
        };
        for target in &self.targets {
            let selection = target.selector.as_ref().map(Selection::new).transpose()?;
            for resource in set.items_mut() {
                if resource.deleted()
                    || !selection
                        .as_ref()
                        .is_none_or(|selection| selection.selects(resource))
                {
                    continue;
                }
                if target.field_path == "metadata/namespace" {
                    namespace.move_one(resource, &own)?;
                } else {
                    let mut links = Links::default();
                    self.put(target, &mut resource.node, &mut links)
                        .map_err(|error| {
                            error
                                .in_field(target.field_path.as_str())
                                .in_object(resource.id())
                        })?;
                    links.settle(&mut resource.node);
                }
                resource.refresh(context.schemas);
            }
        }
        Ok(())
    }

    fn put(&self, target: &ValueTarget, root: &mut Node, links: &mut Links) -> Result<()> {
        let path = field_spec::split(&target.field_path, '/');
        let mut node = root;
        for (at, name) in path
            .iter()
            .filter(|name| !name.trim().is_empty())
            .enumerate()
        {
            let last = at + 1 == path.len();
            let map = scalar::mapping_mut(node)?;
            node = map.get_or_insert_with(name, || {
                if last {
                    untagged("")
                } else {
                    scalar::empty_map()
                }
            });
        }
        if node.kind() != Kind::Scalar {
            return Err(scalar::wrong_kind(node, "a scalar"));
        }
        links.refresh(node);
        let value = match target.position {
            0 => self.value.clone(),
            position => insert_part(node.as_str().unwrap_or_default(), position - 1, &self.value),
        };
        scalar::set_scalar(node, Node::tagged(value.into(), Tag::None), links)
    }
}

/// A path with a part inserted at a position.
fn insert_part(path: &str, at: usize, part: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    parts.insert(at.min(parts.len()), part);
    let joined = parts.join("/");
    if absolute {
        format!("/{joined}")
    } else {
        joined
    }
}
