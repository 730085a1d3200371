//! Deleting, and what follows from it.
//!
//! The parts that controllers play in a cluster happen here within the call: what a namespace holds goes with it, and so do
//! the objects of a CRD, and what is owned only by what is gone.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use smol_str::SmolStr;
use weir_api::{Object, ObjectKey};

use super::crd;
use super::kinds::Kind;
use super::names;
use super::record::{Id, Record, Shared};
use super::state::{NAMESPACES, Shown, State};
use super::write::modified;
use crate::{ClusterError, Delete, Detail, Propagation};

/// Holds an object until all that it owns is gone.
const FOREGROUND: &str = "foregroundDeletion";
/// How CRDs are called in folders.
const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// Something that follows from a deletion.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Goes because what it belongs to goes.
    Delete(Id),
    /// May go now, if it waited for what is gone.
    Release(Id),
}

impl State {
    pub(crate) fn delete(
        &mut self,
        key: &ObjectKey,
        how: &Delete,
    ) -> Result<Option<Object>, ClusterError> {
        let (kind, version) = self.kind(&key.gvk)?;
        let id = self.id(&kind, key)?;
        self.notice(&id)?;
        let Some(live) = self.delete_noticed(key, &id, how)? else {
            return Ok(None);
        };
        Ok(Some(live.object(&kind, &version, Detail::Whole)))
    }

    /// Deletes an object whose file was looked at. Gives its last state.
    pub(crate) fn delete_noticed(
        &mut self,
        key: &ObjectKey,
        id: &Id,
        how: &Delete,
    ) -> Result<Option<Shared>, ClusterError> {
        let Some(live) = self.records.get(id).cloned() else {
            return Ok(None);
        };
        if !how.uid.is_empty() && how.uid != live.uid {
            let message = format!(
                "Precondition failed: UID in precondition: {}, UID in object meta: {}",
                how.uid, live.uid
            );
            return Err(ClusterError::Conflict {
                key: key.clone(),
                message,
            });
        }
        if !how.resource_version.is_empty() && how.resource_version != live.version.to_string() {
            return Err(modified(&id.resource, key));
        }
        if id.resource == "namespaces" && NAMESPACES.contains(&id.name.as_str()) {
            let message = format!(
                "namespaces {:?} is forbidden: this namespace may not be deleted",
                id.name
            );
            return Err(ClusterError::Forbidden { message });
        }
        self.begin_deletion(id, how.propagation)?;
        self.run_steps()?;
        Ok(Some(self.records.get(id).cloned().unwrap_or(live)))
    }

    /// Does all that follows from deletions. A list of steps and no recursion: chains of owners can be long.
    pub(crate) fn run_steps(&mut self) -> Result<(), ClusterError> {
        while let Some(step) = self.steps.pop_front() {
            match step {
                Step::Delete(id) => self.begin_deletion(&id, Propagation::Background)?,
                Step::Release(id) => self.release(&id)?,
            }
        }
        Ok(())
    }

    /// Deletes an object, or, if something holds it, marks it as deleting.
    fn begin_deletion(&mut self, id: &Id, propagation: Propagation) -> Result<(), ClusterError> {
        let Some(live) = self.records.get(id).cloned() else {
            return Ok(());
        };
        let mut finalizers = finalizers_of(&live.value());
        match propagation {
            Propagation::Background => {}
            Propagation::Orphan => self.orphan(&live.uid)?,
            Propagation::Foreground => {
                if !self.owned_by(&live.uid).is_empty()
                    && !finalizers.iter().any(|name| name == FOREGROUND)
                {
                    finalizers.push(FOREGROUND.into());
                }
            }
        }
        let holds = match id.resource.as_str() {
            "namespaces" => self.contents(&id.name).next().is_some(),
            DEFINITIONS => self.has_objects(id),
            _ => false,
        };
        if finalizers.is_empty() && !holds {
            return self.finish_deletion(id);
        }
        if live
            .value()
            .pointer("/metadata/deletionTimestamp")
            .is_none()
        {
            self.mark_deleting(&live, &finalizers)?;
        }
        let before = self.to_delete_with(id, &live.uid, &finalizers);
        self.steps.extend(before.into_iter().map(Step::Delete));
        self.steps.push_back(Step::Release(id.clone()));
        Ok(())
    }

    /// Removes an object that nothing holds any more, and goes on with what waited for that.
    pub(crate) fn finish_deletion(&mut self, id: &Id) -> Result<(), ClusterError> {
        let Some(gone) = self.records.get(id).cloned() else {
            return Ok(());
        };
        self.remove(id)?;
        if id.resource == DEFINITIONS {
            self.kinds.stop(&id.name);
        }
        for dependent in self.owned_by(&gone.uid) {
            let alive = self.records.get(&dependent).is_some_and(|record| {
                record
                    .owners
                    .iter()
                    .any(|owner| self.uids.contains_key(owner))
            });
            if !alive {
                self.steps.push_back(Step::Delete(dependent));
            }
        }
        let mut waiting: BTreeSet<Id> = gone
            .owners
            .iter()
            .filter_map(|owner| self.uids.get(owner).cloned())
            .collect();
        if !id.namespace.is_empty() {
            waiting.extend(
                self.namespace(&id.namespace)
                    .map(|namespace| namespace.id.clone()),
            );
        }
        if let Some(definition) = self.kinds.custom(&id.resource).map(|kind| kind.resource()) {
            waiting.insert(Id {
                resource: DEFINITIONS.into(),
                namespace: SmolStr::default(),
                name: definition.into(),
            });
        }
        self.steps.extend(waiting.into_iter().map(Step::Release));
        Ok(())
    }

    /// Whether an object is only there because nobody has removed it yet.
    pub(crate) fn released(&self, record: &Record) -> bool {
        let value = record.value();
        let holds = match record.id.resource.as_str() {
            "namespaces" => self.contents(&record.id.name).next().is_some(),
            DEFINITIONS => self.has_objects(&record.id),
            _ => false,
        };
        value.pointer("/metadata/deletionTimestamp").is_some()
            && finalizers_of(&value).is_empty()
            && !holds
    }

    /// Goes on with every deletion that was going on when the folder was closed.
    pub(crate) fn resume_deletions(&mut self) -> Result<(), ClusterError> {
        let deleting: Vec<Id> = self
            .records
            .values()
            .filter(|record| record.content.contains("\"deletionTimestamp\""))
            .filter(|record| {
                record
                    .value()
                    .pointer("/metadata/deletionTimestamp")
                    .is_some()
            })
            .map(|record| record.id.clone())
            .collect();
        self.steps.extend(deleting.into_iter().map(Step::Delete));
        self.run_steps()
    }

    /// The kind that a CRD defines, and the CRD with the status by which others see it; nothing for other objects.
    pub(crate) fn definition_in(
        &self,
        id: &Id,
        object: &mut Value,
        now: &str,
    ) -> Result<Option<Kind>, String> {
        if id.resource != DEFINITIONS {
            return Ok(None);
        }
        let kind = crd::kind_of(object).map_err(|error| error.to_string())?;
        if let Some(other) = self.kinds.taken(&kind) {
            return Err(format!(
                "{} is already served as {}",
                other.group_kind,
                other.resource()
            ));
        }
        let new = crd::established(object, now);
        let same = |part: &str| object.pointer(&format!("/status/{part}")) == new.get(part);
        // Its times tell when it was established first.
        if !(same("acceptedNames") && same("storedVersions")) {
            object["status"] = new;
        }
        Ok(Some(kind))
    }

    fn mark_deleting(&mut self, live: &Record, finalizers: &[String]) -> Result<(), ClusterError> {
        let mut value = live.value();
        let metadata = &mut value["metadata"];
        metadata["deletionTimestamp"] = names::now().into();
        metadata["deletionGracePeriodSeconds"] = 0.into();
        if !finalizers.is_empty() {
            metadata["finalizers"] = finalizers.into();
        }
        if let Some(generation) = metadata.get("generation").and_then(Value::as_i64) {
            metadata["generation"] = (generation + 1).into();
        }
        self.put(live.id.clone(), value, &live.managers(), Shown::File)
            .map(drop)
    }

    /// What goes before the object itself.
    fn to_delete_with(&self, id: &Id, uid: &SmolStr, finalizers: &[String]) -> Vec<Id> {
        let not_yet = |record: &&Shared| {
            record
                .value()
                .pointer("/metadata/deletionTimestamp")
                .is_none()
        };
        match id.resource.as_str() {
            "namespaces" => self
                .contents(&id.name)
                .filter(not_yet)
                .map(|record| record.id.clone())
                .collect(),
            DEFINITIONS => {
                let Some(kind) = self.kinds.custom(&id.name) else {
                    return Vec::new();
                };
                self.of_kind(kind, "")
                    .filter(not_yet)
                    .map(|record| record.id.clone())
                    .collect()
            }
            _ if finalizers.iter().any(|name| name == FOREGROUND) => {
                let mut owned = self.owned_by(uid);
                owned.retain(|id| self.records.get(id).as_ref().is_some_and(not_yet));
                owned
            }
            _ => Vec::new(),
        }
    }

    /// Lets go of an object that waited for others, if they are gone.
    fn release(&mut self, id: &Id) -> Result<(), ClusterError> {
        let Some(record) = self.records.get(id).cloned() else {
            return Ok(());
        };
        let mut value = record.value();
        if value.pointer("/metadata/deletionTimestamp").is_none() {
            return Ok(());
        }
        let mut finalizers = finalizers_of(&value);
        if finalizers.iter().any(|name| name == FOREGROUND) && self.owned_by(&record.uid).is_empty()
        {
            finalizers.retain(|name| name != FOREGROUND);
            let metadata = value.get_mut("metadata").and_then(Value::as_object_mut);
            set_finalizers(metadata, &finalizers);
            self.put(id.clone(), value, &record.managers(), Shown::File)?;
        }
        match self.records.get(id).cloned() {
            Some(record) if self.released(&record) => self.finish_deletion(id),
            _ => Ok(()),
        }
    }

    /// Takes an owner away from what it owns.
    fn orphan(&mut self, uid: &SmolStr) -> Result<(), ClusterError> {
        for id in self.owned_by(uid) {
            let Some(record) = self.records.get(&id).cloned() else {
                continue;
            };
            let mut value = record.value();
            if let Some(owners) = value
                .pointer_mut("/metadata/ownerReferences")
                .and_then(Value::as_array_mut)
            {
                owners.retain(|owner| owner.get("uid").and_then(Value::as_str) != Some(uid));
                if owners.is_empty()
                    && let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut)
                {
                    metadata.shift_remove("ownerReferences");
                }
            }
            self.put(id, value, &record.managers(), Shown::File)?;
        }
        Ok(())
    }

    fn owned_by(&self, uid: &SmolStr) -> Vec<Id> {
        self.records
            .values()
            .filter(|record| record.owners.contains(uid))
            .map(|record| record.id.clone())
            .collect()
    }

    fn contents<'s>(&'s self, namespace: &'s str) -> impl Iterator<Item = &'s Shared> {
        self.records
            .values()
            .filter(move |record| record.id.namespace == namespace)
    }

    fn has_objects(&self, definition: &Id) -> bool {
        self.kinds
            .custom(&definition.name)
            .is_some_and(|kind| self.of_kind(kind, "").next().is_some())
    }
}

fn finalizers_of(object: &Value) -> Vec<String> {
    let list = object
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn set_finalizers(metadata: Option<&mut Map<String, Value>>, finalizers: &[String]) {
    let Some(metadata) = metadata else { return };
    if finalizers.is_empty() {
        metadata.shift_remove("finalizers");
    } else {
        metadata.insert("finalizers".into(), finalizers.into());
    }
}
