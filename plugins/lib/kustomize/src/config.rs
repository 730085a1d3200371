//! The transformer configuration: which fields prefixes, labels, images and references are looked for in.

mod crds;
mod defaults;
mod file;
mod references;

use std::rc::Rc;

use crate::error::{Error, Problem, Result};
use crate::field_spec::FieldSpec;
use crate::id::Gvk;
use crate::sort::Ranks;

pub(crate) use crds::from_definitions;
pub(crate) use file::from_file;

/// The lists of field specs of a level. It flows upwards: what a base configures holds for all above it too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    pub(crate) name_prefix: Specs,
    pub(crate) name_suffix: Specs,
    pub(crate) namespace: Specs,
    pub(crate) common_labels: Specs,
    pub(crate) labels: Specs,
    pub(crate) template_labels: Specs,
    pub(crate) common_annotations: Specs,
    pub(crate) name_reference: Vec<NameReference>,
    pub(crate) var_reference: Specs,
    pub(crate) images: Specs,
    pub(crate) replicas: Specs,
}

/// An ordered list of field specs in which no two are effectively the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Specs {
    list: Rc<Vec<FieldSpec>>,
    /// Whether adding the specs one by one to an empty list gives the same list.
    settled: bool,
}

/// The fields that hold the name of an object of some kind.
#[derive(Debug, Clone)]
pub(crate) struct NameReference {
    /// The kind that is named.
    pub(crate) target: Gvk,
    /// Where its name stands.
    pub(crate) referrers: Specs,
}

impl Config {
    /// Adds what another configuration has.
    pub(crate) fn merge(&mut self, other: &Config) -> Result<()> {
        self.name_prefix.merge(&other.name_prefix, "namePrefix")?;
        self.name_suffix.merge(&other.name_suffix, "nameSuffix")?;
        self.namespace.merge(&other.namespace, "namespace")?;
        self.common_annotations
            .merge(&other.common_annotations, "commonAnnotations")?;
        self.common_labels
            .merge(&other.common_labels, "commonLabels")?;
        self.labels.merge(&other.labels, "labels")?;
        self.template_labels
            .merge(&other.template_labels, "templateLabels")?;
        self.var_reference
            .merge(&other.var_reference, "varReference")?;
        self.images.merge(&other.images, "images")?;
        self.replicas.merge(&other.replicas, "replicas")?;
        if self.name_reference.is_empty() {
            self.name_reference.clone_from(&other.name_reference);
            return Ok(());
        }
        let before = self.name_reference.len();
        for reference in &other.name_reference {
            match self
                .name_reference
                .iter_mut()
                .find(|it| it.target == reference.target)
            {
                Some(present) => present
                    .referrers
                    .extend(&reference.referrers)
                    .map_err(|error| error.in_field("nameReference"))?,
                None => self.name_reference.push(reference.clone()),
            }
        }
        if self.name_reference.len() > before {
            let ranks = Ranks::default();
            self.name_reference
                .sort_by_cached_key(|it| ranks.key(&it.target));
        }
        Ok(())
    }
}

impl Specs {
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, FieldSpec> {
        self.list.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The specs that select a kind.
    pub(crate) fn selecting(&self, gvk: &Gvk) -> Vec<FieldSpec> {
        self.iter()
            .filter(|spec| gvk.selected_by(&spec.gvk))
            .cloned()
            .collect()
    }

    /// Adds a spec, unless it is there. It counts as there if its path is and the kinds of that are among its own, so a
    /// general spec whose path is there for one kind is *not* added.
    pub(crate) fn add(&mut self, spec: FieldSpec) -> Result<()> {
        match self
            .iter()
            .find(|present| present.same_path(&spec) && present.gvk.selected_by(&spec.gvk))
        {
            None => Rc::make_mut(&mut self.list).push(spec),
            Some(present) if present.create == spec.create => {}
            Some(present) => {
                return Err(Error::new(Problem::ConflictingSpecs {
                    path: spec.path().to_owned(),
                })
                .help(format!(
                    "it is configured twice, for {} with `create: {}` and for {} with `create: {}`",
                    present.gvk, present.create, spec.gvk, spec.create
                )));
            }
        }
        Ok(())
    }

    /// Says that no two specs are effectively the same.
    fn settled(mut self) -> Self {
        self.settled = true;
        self
    }

    /// Adds a spec as it is.
    pub(crate) fn push(&mut self, spec: FieldSpec) {
        Rc::make_mut(&mut self.list).push(spec);
    }

    /// Adds what another list has, without sorting.
    pub(crate) fn extend(&mut self, other: &Specs) -> Result<()> {
        if Rc::ptr_eq(&self.list, &other.list) {
            return Ok(());
        }
        other.iter().try_for_each(|spec| self.add(spec.clone()))
    }

    /// Sorts by kind.
    fn sort(&mut self, ranks: &Ranks) {
        Rc::make_mut(&mut self.list).sort_by_cached_key(|spec| ranks.key(&spec.gvk));
    }

    /// Adds what another list has, and sorts by kind.
    pub(crate) fn merge(&mut self, other: &Specs, name: &'static str) -> Result<()> {
        if self.is_empty() && other.settled {
            *self = other.clone();
            return Ok(());
        }
        if Rc::ptr_eq(&self.list, &other.list) && self.settled {
            return Ok(());
        }
        // Added in their order, a general spec after a special one of the same path is left out.
        self.settled = self.is_empty();
        other
            .iter()
            .try_for_each(|spec| self.add(spec.clone()))
            .map_err(|error| error.in_field(name))?;
        self.sort(&Ranks::default());
        Ok(())
    }
}

impl FromIterator<FieldSpec> for Specs {
    /// A list as it is.
    fn from_iter<T: IntoIterator<Item = FieldSpec>>(specs: T) -> Self {
        Self {
            list: Rc::new(specs.into_iter().collect()),
            settled: false,
        }
    }
}
