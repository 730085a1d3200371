//! `namespace`.

use weir_k8s_yaml::{Node, Tag};

use crate::build::Context;
use crate::config::Specs;
use crate::error::{Error, Problem, Result};
use crate::field_spec::{FieldSpec, Leaf};
use crate::id::Gvk;
use crate::resource::Resource;
use crate::scalar::{self, Links, string};
use crate::set::ResourceSet;

/// Moves objects into a namespace.
#[derive(Debug)]
pub(crate) struct NamespaceStep {
    pub(crate) namespace: String,
    pub(crate) specs: Specs,
    /// Whether fields that have a value keep it.
    pub(crate) unset_only: bool,
    pub(crate) subjects: Subjects,
}

/// Which subjects of role bindings are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Subjects {
    /// Those called `default`.
    #[default]
    NamedDefault,
    /// All service accounts.
    ServiceAccounts,
    None,
}

impl NamespaceStep {
    pub(crate) fn apply(&self, set: &mut ResourceSet, context: &Context<'_>) -> Result<()> {
        if self.namespace.is_empty() {
            return Ok(());
        }
        let own = FieldSpec::new(Gvk::default(), "metadata/namespace", true);
        for resource in set.items_mut() {
            if resource.deleted() || resource.from_chart {
                continue;
            }
            resource.push_previous();
            self.move_one(resource, &own)?;
            resource.refresh(context.schemas);
        }
        set.check_unique().map_err(|error| {
            error.in_field("namespace").help(format!(
                "setting the namespace `{}` makes two objects the same",
                self.namespace
            ))
        })
    }

    /// Moves one object.
    pub(crate) fn move_one(&self, resource: &mut Resource, own: &FieldSpec) -> Result<()> {
        let mut links = Links::default();
        if !resource.id().cluster {
            own.visit_node(
                resource,
                &mut links,
                Leaf::Scalar(Tag::None),
                &mut |node, links| self.set(node, links),
            )?;
        }
        let binding = matches!(resource.kind(), "RoleBinding" | "ClusterRoleBinding");
        if binding {
            self.move_subjects(resource)?;
        }
        let core = resource.gvk().group.is_empty() && resource.gvk().version == "v1";
        for spec in self.specs.iter() {
            let bindings_own = spec.path() == "subjects/namespace"
                && matches!(spec.gvk.kind.as_str(), "RoleBinding" | "ClusterRoleBinding");
            let unneeded = spec.path() == "metadata/namespace"
                || spec.path() == "metadata/name" && !core
                || binding && bindings_own;
            if !unneeded {
                spec.visit(
                    resource,
                    &mut links,
                    Leaf::Scalar(Tag::Str),
                    &mut |node, links| self.set(node, links),
                )?;
            }
        }
        Ok(())
    }

    fn set(&self, node: &mut Node, links: &mut Links) -> Result<()> {
        if self.unset_only
            && !scalar::nil_or_empty(node)
            && node.as_str().is_none_or(|text| !text.is_empty())
        {
            return Ok(());
        }
        scalar::set_scalar(node, string(self.namespace.as_str()), links)
    }

    fn move_subjects(&self, resource: &mut Resource) -> Result<()> {
        let (field, wanted) = match self.subjects {
            Subjects::NamedDefault => ("name", "default"),
            Subjects::ServiceAccounts => ("kind", "ServiceAccount"),
            Subjects::None => return Ok(()),
        };
        let object = resource.id().to_string();
        let Some(subjects) = resource.node.get_mut("subjects").filter(|it| !it.is_null()) else {
            return Ok(());
        };
        let Some(subjects) = subjects.as_sequence_mut() else {
            return Err(scalar::wrong_kind(subjects, "a list")
                .in_field("subjects")
                .in_object(object));
        };
        let mut links = Links::default();
        for subject in subjects.iter_mut() {
            if subject.get_str(field) != Some(wanted) {
                continue;
            }
            if let Some(subject) = subject.as_mapping_mut() {
                let place = subject.get_or_insert_with("namespace", || scalar::untagged(""));
                self.set(place, &mut links)?;
            }
        }
        links.settle(&mut resource.node);
        Ok(())
    }
}

impl Subjects {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "" | "defaultOnly" => Ok(Subjects::NamedDefault),
            "allServiceAccounts" => Ok(Subjects::ServiceAccounts),
            "none" => Ok(Subjects::None),
            other => Err(Error::new(Problem::WrongWord {
                found: other.to_owned(),
                known: "defaultOnly, allServiceAccounts, none",
            })
            .in_field("setRoleBindingSubjects")),
        }
    }
}
