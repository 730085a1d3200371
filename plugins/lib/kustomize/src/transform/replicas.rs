//! `replicas`.

use weir_k8s_yaml::{Node, Tag};

use crate::build::Context;
use crate::config::Specs;
use crate::error::{Error, Problem, Result, did_you_mean, nearest};
use crate::field_spec::Leaf;
use crate::kustomization::Replica;
use crate::scalar::{self, Links};
use crate::set::ResourceSet;

/// Sets the number of replicas.
#[derive(Debug)]
pub(crate) struct ReplicaStep {
    pub(crate) replica: Replica,
    pub(crate) specs: Specs,
}

impl ReplicaStep {
    pub(crate) fn apply(&self, set: &mut ResourceSet, _: &Context<'_>) -> Result<()> {
        let name = self.replica.name.as_str();
        let mut found = false;
        for resource in set.iter_mut().filter(|resource| !resource.deleted()) {
            if resource.name() != name
                && !resource
                    .previous()
                    .iter()
                    .any(|previous| previous.name == name)
            {
                continue;
            }
            let mut links = Links::default();
            for spec in self.specs.iter() {
                if !resource.any_id(|id| id.name == name && id.gvk.selected_by(&spec.gvk)) {
                    continue;
                }
                found = true;
                spec.visit(
                    resource,
                    &mut links,
                    Leaf::Scalar(Tag::Int),
                    &mut |node, links| {
                        scalar::set_scalar(node, Node::int(self.replica.count), links)
                    },
                )?;
            }
        }
        if found {
            return Ok(());
        }
        let kinds: Vec<String> = self.specs.iter().map(|spec| spec.gvk.to_string()).collect();
        let scaled = set.iter().filter(|it| {
            self.specs
                .iter()
                .any(|spec| it.gvk().selected_by(&spec.gvk))
        });
        let near = nearest(name, scaled.map(|resource| resource.name().as_str()));
        Err(Error::new(Problem::ReplicasUnmatched {
            name: name.to_owned(),
            kinds: kinds.join(" "),
        })
        .in_field("replicas")
        .help(did_you_mean(&near)))
    }
}
