//! What changes the objects of a level, one step after another.

mod affix;
mod images;
mod labels;
mod namespace;
mod replicas;
mod value_add;

use crate::build::Context;
use crate::error::Result;
use crate::hash;
use crate::origin::Origin;
use crate::patch::{JsonPatch, PatchStep, StrategicPatches};
use crate::plugin::Foreign;
use crate::replace::Replacements;
use crate::set::ResourceSet;

pub(crate) use affix::{Affix, AffixStep};
pub(crate) use images::ImageStep;
pub(crate) use labels::{MetadataStep, label_specs};
pub(crate) use namespace::{NamespaceStep, Subjects};
pub(crate) use replicas::ReplicaStep;
pub(crate) use value_add::{ValueAddStep, ValueTarget};

/// One step that is ready to run.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) action: Action,
    /// What the objects are told to have gone through, if that is recorded.
    pub(crate) origin: Option<Origin>,
}

/// What a step does.
#[derive(Debug)]
pub(crate) enum Action {
    StrategicPatches(StrategicPatches),
    Patch(PatchStep),
    JsonPatch(JsonPatch),
    Namespace(NamespaceStep),
    Affix(AffixStep),
    Labels(MetadataStep),
    Annotations(MetadataStep),
    Replicas(ReplicaStep),
    Image(ImageStep),
    Replacements(Replacements),
    ValueAdd(ValueAddStep),
    Hash,
    Foreign(Foreign),
    /// One after the other.
    Both(Box<Action>, Box<Action>),
}

impl Action {
    /// Changes the objects.
    pub(crate) fn apply(&self, set: &mut ResourceSet, context: &Context<'_>) -> Result<()> {
        match self {
            Action::StrategicPatches(step) => step.apply(set, context),
            Action::Patch(step) => step.apply(set, context),
            Action::JsonPatch(step) => step.apply(set, context),
            Action::Namespace(step) => step.apply(set, context),
            Action::Affix(step) => step.apply(set, context),
            Action::Labels(step) | Action::Annotations(step) => step.apply(set, context),
            Action::Replicas(step) => step.apply(set, context),
            Action::Image(step) => step.apply(set, context),
            Action::Replacements(step) => step.apply(set, context),
            Action::ValueAdd(step) => step.apply(set, context),
            Action::Hash => hash::append(set, context),
            Action::Foreign(step) => step.apply(set, context),
            Action::Both(first, second) => {
                first.apply(set, context)?;
                second.apply(set, context)
            }
        }
    }
}
