//! `labels`, `commonLabels` and `commonAnnotations`.

use std::collections::{BTreeMap, HashMap};

use crate::build::Context;
use crate::config::{Config, Specs};
use crate::error::Result;
use crate::field_spec::{FieldSpec, Leaf};
use crate::id::Gvk;
use crate::kustomization::Label;
use crate::scalar::{self, Links, string, untagged};
use crate::set::ResourceSet;

/// Sets keys of maps of strings.
#[derive(Debug)]
pub(crate) struct MetadataStep {
    pub(crate) pairs: BTreeMap<String, String>,
    pub(crate) specs: Specs,
}

impl MetadataStep {
    pub(crate) fn apply(&self, set: &mut ResourceSet, context: &Context<'_>) -> Result<()> {
        if self.pairs.is_empty() {
            return Ok(());
        }
        let mut by_kind: HashMap<Gvk, Vec<FieldSpec>> = HashMap::new();
        for resource in set.iter_mut().filter(|resource| !resource.deleted()) {
            let specs = match by_kind.get(resource.gvk()) {
                Some(specs) => specs,
                None => by_kind
                    .entry(resource.gvk().clone())
                    .or_insert_with_key(|gvk| self.specs.selecting(gvk)),
            };
            let mut links = Links::default();
            for (key, value) in &self.pairs {
                // What is new in several places is one node for the original.
                let link = (specs.len() > 1).then(|| resource.new_link());
                for spec in specs {
                    spec.visit_node(resource, &mut links, Leaf::Map, &mut |node, links| {
                        let map = scalar::mapping_mut(node)?;
                        let mut new = string(value.as_str());
                        if map.contains_key(key) {
                            scalar::set_field(map, key, new, links);
                        } else {
                            new.set_anchor(link.as_deref());
                            map.push(untagged(key.as_str()), new);
                        }
                        Ok(())
                    })?;
                }
            }
            resource.refresh(context.schemas);
        }
        Ok(())
    }
}

/// The fields that an entry of `labels` sets.
pub(crate) fn label_specs(label: &Label, config: &Config) -> Result<Specs> {
    let mut specs = Specs::default();
    for entry in &label.fields {
        specs.push(entry.spec());
    }
    specs.extend(&config.labels)?;
    if label.include_selectors {
        specs.extend(&config.common_labels)?;
        return Ok(specs);
    }
    if label.include_templates {
        specs.extend(&config.template_labels)?;
    }
    specs.add(FieldSpec::new(Gvk::default(), "metadata/labels", true))?;
    Ok(specs)
}
