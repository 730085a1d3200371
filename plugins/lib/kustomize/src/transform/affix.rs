//! `namePrefix` and `nameSuffix`.

use weir_k8s_yaml::Tag;

use crate::build::Context;
use crate::config::Specs;
use crate::error::Result;
use crate::field_spec::Leaf;
use crate::id::Gvk;
use crate::scalar::{self, Links, untagged};
use crate::set::ResourceSet;

/// Which end of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Affix {
    Prefix,
    Suffix,
}

/// Adds a text to the names of all objects.
#[derive(Debug)]
pub(crate) struct AffixStep {
    pub(crate) affix: Affix,
    pub(crate) text: String,
    pub(crate) specs: Specs,
}

impl AffixStep {
    pub(crate) fn apply(&self, set: &mut ResourceSet, context: &Context<'_>) -> Result<()> {
        for resource in set.items_mut() {
            let original = resource.original_gvk();
            if skipped(&original) || resource.deleted() {
                continue;
            }
            let mut links = Links::default();
            for spec in self
                .specs
                .iter()
                .filter(|spec| original.selected_by(&spec.gvk))
            {
                if spec.path() == "metadata/name" && !self.text.is_empty() {
                    let list = match self.affix {
                        Affix::Prefix => &mut resource.prefixes,
                        Affix::Suffix => &mut resource.suffixes,
                    };
                    list.push(self.text.as_str().into());
                    resource.push_previous();
                }
                spec.visit(
                    resource,
                    &mut links,
                    Leaf::Scalar(Tag::Str),
                    &mut |node, links| {
                        links.refresh(node);
                        let name = node.as_str().unwrap_or_default();
                        let changed = match self.affix {
                            Affix::Prefix => format!("{}{name}", self.text),
                            Affix::Suffix => format!("{name}{}", self.text),
                        };
                        scalar::set_scalar(node, untagged(changed), links)
                    },
                )?;
            }
            resource.refresh(context.schemas);
        }
        Ok(())
    }
}

/// Kinds whose names are left alone.
fn skipped(gvk: &Gvk) -> bool {
    match gvk.kind.as_str() {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => gvk.group == "apiregistration.k8s.io",
        _ => false,
    }
}
