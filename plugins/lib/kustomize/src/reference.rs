//! Names that other objects refer to, repaired after objects were renamed.

mod candidates;

use std::collections::HashMap;

use weir_k8s_yaml::{Kind, Node, Sequence, Text};

use crate::build::Context;
use crate::config::NameReference;
use crate::error::{Error, Problem, Result};
use crate::field_spec::{FieldSpec, Leaf};
use crate::id::{CLUSTER, Gvk};
use crate::resource::Resource;
use crate::scalar::{self, Links, untagged};
use crate::set::ResourceSet;

use candidates::{Candidate, Candidates};

/// Repairs all references in all objects.
pub(crate) fn repair(
    set: &mut ResourceSet,
    references: &[NameReference],
    context: &Context<'_>,
) -> Result<()> {
    let candidates = Candidates::new(set);
    let mut by_kind: HashMap<Gvk, Vec<(Gvk, FieldSpec)>> = HashMap::new();
    for resource in set.items_mut() {
        let original = resource.original_gvk();
        let fields = by_kind
            .entry(original)
            .or_insert_with_key(|original| fields_of(original, references));
        if !fields.is_empty() && !resource.deleted() {
            repair_one(resource, fields, &candidates)?;
            resource.refresh(context.schemas);
        }
    }
    Ok(())
}

/// The fields of a kind that name others, each with the kind that it names.
fn fields_of(kind: &Gvk, references: &[NameReference]) -> Vec<(Gvk, FieldSpec)> {
    let each = references.iter().flat_map(|reference| {
        let referrers = reference
            .referrers
            .iter()
            .filter(|spec| kind.selected_by(&spec.gvk));
        referrers.map(|spec| (reference.target.clone(), spec.clone()))
    });
    each.collect()
}

fn repair_one(
    resource: &mut Resource,
    fields: &[(Gvk, FieldSpec)],
    candidates: &Candidates,
) -> Result<()> {
    let referrer = Referrer::new(resource)?;
    let mut links = Links::default();
    for (target, spec) in fields {
        let by_role = spec.path().ends_with("roleRef/name");
        let role = if by_role {
            referrer.role.as_ref()
        } else {
            None
        };
        let search = Search {
            referrer: &referrer,
            target,
            role,
            candidates,
        };
        let visited = spec.visit_node(resource, &mut links, Leaf::Existing, &mut |node, links| {
            search.repair(node, links)
        });
        visited
            .map_err(|error| error.help(format!("`{}` names a {}", spec.path(), target.kind)))?;
    }
    Ok(())
}

/// What is known about the object whose references are repaired.
struct Referrer {
    cluster: bool,
    namespace: Text,
    prefixes: Vec<Text>,
    suffixes: Vec<Text>,
    /// The kind that its `roleRef` names.
    role: Option<Gvk>,
    /// Namespaces of the service accounts that it binds.
    bound: Vec<Text>,
    /// The namespaces of what it can refer to; `None` for any.
    places: Option<Vec<Text>>,
}

impl Referrer {
    fn new(resource: &Resource) -> Result<Self> {
        let role = resource.node.get("roleRef").and_then(|role| {
            let text = |name: &str| role.get(name).and_then(Node::text).cloned();
            Some(Gvk {
                group: text("apiGroup")?,
                version: Text::default(),
                kind: text("kind")?,
            })
        });
        let namespace = Text::from(resource.id().effective_namespace());
        let bound = bound_namespaces(resource)?;
        let cluster = resource.id().cluster;
        let places = [namespace.clone(), Text::new_static(CLUSTER)]
            .into_iter()
            .chain(bound.iter().cloned());
        Ok(Self {
            cluster,
            places: (!cluster).then(|| places.collect()),
            namespace,
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
            role,
            bound,
        })
    }

    /// Whether it could refer to an object at all.
    fn reaches(&self, other: &Candidate) -> bool {
        self.cluster
            || other.cluster
            || other.namespace == self.namespace
            || self.bound.contains(&other.own_namespace)
    }
}

fn bound_namespaces(resource: &Resource) -> Result<Vec<Text>> {
    let mut bound = Vec::new();
    if resource.kind() != "RoleBinding" || resource.id().cluster {
        return Ok(bound);
    }
    let subjects = resource.node.get("subjects").and_then(Node::as_sequence);
    for subject in subjects
        .into_iter()
        .flatten()
        .filter(|subject| subject.get_str("kind") == Some("ServiceAccount"))
    {
        match subject.get("namespace") {
            None => {}
            Some(namespace) if scalar::is_string(namespace) => {
                bound.extend(namespace.text().cloned())
            }
            Some(namespace) => {
                return Err(scalar::wrong_kind(namespace, "the name of a namespace")
                    .in_field("subjects.namespace")
                    .in_object(resource.id())
                    .help("name the namespace of the service account, or remove the field"));
            }
        }
    }
    Ok(bound)
}

/// A search for the object that a name means.
struct Search<'a> {
    referrer: &'a Referrer,
    target: &'a Gvk,
    role: Option<&'a Gvk>,
    candidates: &'a Candidates,
}

impl Search<'_> {
    fn repair(&self, node: &mut Node, links: &mut Links) -> Result<()> {
        if node.is_null() {
            return Ok(());
        }
        match node.kind() {
            Kind::Scalar | Kind::Alias => self.repair_name(node, links),
            Kind::Mapping => self.repair_map(node, links),
            Kind::Sequence => {
                for item in node
                    .as_sequence_mut()
                    .map(Sequence::items_mut)
                    .into_iter()
                    .flatten()
                {
                    match item.kind() {
                        _ if item.is_null() => {}
                        Kind::Scalar | Kind::Alias => self.repair_name(item, links)?,
                        Kind::Mapping => self.repair_map(item, links)?,
                        Kind::Sequence => return Err(scalar::wrong_kind(item, "a name or a map")),
                    }
                }
                Ok(())
            }
        }
    }

    /// A field that holds only the name.
    fn repair_name(&self, node: &mut Node, links: &mut Links) -> Result<()> {
        links.refresh(node);
        let name = node.text().cloned().unwrap_or_default();
        let found = self.find(&name, |_| true, |a, b| a.name == b.name)?;
        match found {
            Some(found) if found.name != name => {
                scalar::set_scalar(node, untagged(found.name.clone()), links)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A map with a name and perhaps a namespace.
    fn repair_map(&self, node: &mut Node, links: &mut Links) -> Result<()> {
        let map = scalar::mapping_mut(node)?;
        let Some(name) = map
            .get("name")
            .map(|name| name.text().cloned().unwrap_or_default())
        else {
            return Err(
                Error::new(Problem::ReferenceWithoutName).help("every entry here needs a `name`")
            );
        };
        let namespace = map
            .get("namespace")
            .map(|namespace| namespace.text().cloned().unwrap_or_default());
        let same =
            |a: &Candidate, b: &Candidate| a.name == b.name && a.own_namespace == b.own_namespace;
        let found = match &namespace {
            None => self.find(&name, |_| true, same)?,
            Some(namespace) => {
                let in_original = self
                    .candidates
                    .in_original_namespace(namespace, |other| self.referrer.reaches(other));
                self.find(
                    &name,
                    |other| {
                        if in_original {
                            !other.original_cluster && other.original_namespace == *namespace
                        } else {
                            !other.cluster && other.namespace == *namespace
                        }
                    },
                    same,
                )?
            }
        };
        let Some(found) = found else {
            return Ok(());
        };
        if found.name == name && found.own_namespace.is_empty() {
            return Ok(());
        }
        scalar::set_field(map, "name", untagged(found.name.clone()), links);
        if !found.own_namespace.is_empty() {
            scalar::set_field(
                map,
                "namespace",
                untagged(found.own_namespace.clone()),
                links,
            );
        }
        Ok(())
    }

    /// The object that an old name means, if that is one.
    fn find(
        &self,
        name: &str,
        allowed: impl Fn(&Candidate) -> bool,
        same: impl Fn(&Candidate, &Candidate) -> bool,
    ) -> Result<Option<&Candidate>> {
        let mut found: Vec<&Candidate> = self
            .candidates
            .called(name, self.referrer.places.as_deref())
            .into_iter()
            .filter(|other| self.referrer.reaches(other) && allowed(other))
            .filter(|other| other.was(self.target) && self.role.is_none_or(|role| other.was(role)))
            .filter(|other| self.in_namespace(other))
            .collect();
        if found.len() != 1 {
            found.retain(|other| {
                fits_or_empty(&self.referrer.prefixes, &other.prefixes)
                    && fits_or_empty(&self.referrer.suffixes, &other.suffixes)
            });
        }
        if found.len() > 1 {
            found.retain(|other| {
                same_end(&self.referrer.prefixes, &other.prefixes)
                    && same_end(&self.referrer.suffixes, &other.suffixes)
            });
        }
        match found.as_slice() {
            [] => Ok(None),
            [first, rest @ ..] if rest.iter().all(|other| same(first, other)) => Ok(Some(first)),
            many => {
                let ids: Vec<&str> = many.iter().map(|candidate| candidate.id.as_str()).collect();
                Err(Error::new(Problem::ReferenceAmbiguous {
                    name: name.to_owned(),
                    ids: ids.join(", "),
                })
                .help("give the objects different names before they are renamed"))
            }
        }
    }

    fn in_namespace(&self, other: &Candidate) -> bool {
        self.referrer.cluster
            || other.cluster
            || other.service_account
            || other.namespace == self.referrer.namespace
    }
}

/// Whether lists of prefixes can belong together: one has none, or the shorter is the end of the longer.
fn fits_or_empty(a: &[Text], b: &[Text]) -> bool {
    a.is_empty() || b.is_empty() || same_end(a, b)
}

fn same_end(a: &[Text], b: &[Text]) -> bool {
    if a.is_empty() || b.is_empty() {
        return a.is_empty() && b.is_empty();
    }
    a.iter().rev().zip(b.iter().rev()).all(|(a, b)| a == b)
}
