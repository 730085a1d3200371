//! What selects objects: patterns for the parts of their ids, and label selectors.

pub(crate) mod go_regex;
mod labels;

use weir_go_regexp::Regexp;
use weir_k8s_yaml::Mapping;

use crate::error::Result;
use crate::id::{Gvk, ObjectId};
use crate::kustomization::Selector;
use crate::resource::Resource;

use labels::LabelSelector;

/// A selector that is ready to be used.
#[derive(Debug)]
pub(crate) struct Selection {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    labels: LabelSelector,
    annotations: LabelSelector,
}

/// A regular expression for a whole text.
#[derive(Debug)]
enum Pattern {
    Any,
    Literal(String),
    Expression(Regexp),
}

impl Selection {
    pub(crate) fn new(selector: &Selector) -> Result<Self> {
        let Gvk {
            group,
            version,
            kind,
        } = &selector.gvk;
        Ok(Self {
            group: Pattern::new(group).map_err(|error| error.in_field("group"))?,
            version: Pattern::new(version).map_err(|error| error.in_field("version"))?,
            kind: Pattern::new(kind).map_err(|error| error.in_field("kind"))?,
            name: Pattern::new(&selector.name).map_err(|error| error.in_field("name"))?,
            namespace: Pattern::new(&selector.namespace)
                .map_err(|error| error.in_field("namespace"))?,
            labels: LabelSelector::parse(&selector.labels)
                .map_err(|error| error.in_field("labelSelector"))?,
            annotations: LabelSelector::parse(&selector.annotations)
                .map_err(|error| error.in_field("annotationSelector"))?,
        })
    }

    /// Whether a patch with this target applies to an object: names and namespaces count as they are and as they were at first.
    pub(crate) fn selects(&self, resource: &Resource) -> bool {
        if !self.gvk_fits(resource.gvk()) {
            return false;
        }
        let id = resource.id();
        let oldest = resource.previous().first();
        let name = self.name.matches(&id.name)
            || oldest.is_some_and(|oldest| self.name.matches(&oldest.name));
        name && (self.namespace.matches(id.effective_namespace())
            || oldest.is_some_and(|oldest| self.namespace.matches(effective(&oldest.namespace))))
            && self.metadata_fits(resource)
    }

    /// Whether an id has the parts.
    pub(crate) fn id_fits(&self, id: &ObjectId) -> bool {
        self.gvk_fits(&id.gvk)
            && self.name.matches(&id.name)
            && self.namespace.matches(&id.namespace)
    }

    /// Whether labels and annotations fit.
    pub(crate) fn metadata_fits(&self, resource: &Resource) -> bool {
        self.annotations.matches(resource.annotations()) && self.labels.matches(labels_of(resource))
    }

    /// Whether it says something about labels or annotations.
    pub(crate) fn has_metadata(&self) -> bool {
        !self.labels.is_empty() || !self.annotations.is_empty()
    }

    /// Whether it says something about ids.
    pub(crate) fn has_id(&self) -> bool {
        [
            &self.group,
            &self.version,
            &self.kind,
            &self.name,
            &self.namespace,
        ]
        .iter()
        .any(|pattern| !matches!(pattern, Pattern::Any))
    }

    fn gvk_fits(&self, gvk: &Gvk) -> bool {
        self.kind.matches(&gvk.kind)
            && self.group.matches(&gvk.group)
            && self.version.matches(&gvk.version)
    }
}

impl Pattern {
    fn new(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Pattern::Any);
        }
        if go_regex::is_literal(text) {
            return Ok(Pattern::Literal(text.to_owned()));
        }
        go_regex::compile(&format!("^(?:{text})$")).map(Pattern::Expression)
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Pattern::Any => true,
            Pattern::Literal(literal) => literal == text,
            Pattern::Expression(expression) => expression.is_match(text.as_bytes()),
        }
    }
}

fn effective(namespace: &str) -> &str {
    if namespace.is_empty() {
        crate::id::DEFAULT_NAMESPACE
    } else {
        namespace
    }
}

fn labels_of(resource: &Resource) -> Option<&Mapping> {
    resource.node.get("metadata")?.get("labels")?.as_mapping()
}
