//! What people do to the files by hand.
//!
//! A file that was edited is an update of its object by another manager; a file that was removed is a deletion, and a new
//! one makes an object. It is noticed when the folder is opened, and while it is open when the object is read or written
//! next; telling takes one look at the file's time and length. A file that says nothing sensible changes nothing: the
//! object stays as it was, and a write to it is refused until the file is right again.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use weir_api::ObjectKey;

use super::fields::Set;
use super::folder::{self, Found, Stamp};
use super::kinds::{Kind, Version};
use super::names;
use super::ownership::{self, Context, Managers};
use super::record::{Digest, Id, Shared};
use super::state::{NAMESPACES, Shown, State};
use super::typed::{self, Duplicates};
use super::write::{invalid, restore_kept, spec_differs, strip_kept};
use crate::{ClusterError, Delete};

/// The manager of what people edit in files.
const MANAGER: &str = "file";

/// Why a file was not taken over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub(crate) struct EditError {
    pub(crate) path: PathBuf,
    pub(crate) reason: String,
}

impl State {
    /// Takes over what was done to the file of one object, before it is read or written.
    pub(crate) fn notice(&mut self, id: &Id) -> Result<(), ClusterError> {
        let path = self.folder.path(id);
        let stamp = self
            .folder
            .stamp(id)
            .map_err(|error| self.failed(&format!("looking at {}", path.display()), &error))?;
        if self.untouched(id, stamp) {
            return Ok(());
        }
        match stamp {
            Some(stamp) => {
                let Some((kind, version)) = self.kind_of(&id.resource) else {
                    return Ok(());
                };
                let key = id.key(&kind, &version);
                self.take_over(&Found {
                    id: id.clone(),
                    path,
                    stamp,
                })
                .map_err(|error| invalid(&key, error.to_string()))
            }
            None => self.removed_by_hand(id),
        }
    }

    /// As [`State::notice`] for all objects of a kind. Files that say nothing sensible are passed over with a warning.
    pub(crate) fn notice_kind(&mut self, kind: &Kind) -> Result<(), ClusterError> {
        let resource = kind.resource();
        let files = self
            .folder
            .files_of(&resource)
            .map_err(|error| self.failed(&format!("listing {resource}"), &error))?;
        for found in files
            .iter()
            .filter(|found| !self.untouched(&found.id, Some(found.stamp)))
            .collect::<Vec<_>>()
        {
            if let Err(error) = self.take_over(found) {
                tracing::warn!(%error, "a file was edited and is not an object now");
            }
        }
        let there: BTreeSet<&Id> = files.iter().map(|found| &found.id).collect();
        let filed = self
            .of_kind(kind, "")
            .filter(|record| record.file.is_some());
        let gone: Vec<Id> = filed
            .map(|record| record.id.clone())
            .filter(|id| !there.contains(id))
            .collect();
        gone.iter().try_for_each(|id| self.removed_by_hand(id))
    }

    /// Takes over a file that may have been edited.
    pub(crate) fn take_over(&mut self, found: &Found) -> Result<(), EditError> {
        let failed = |reason: String| EditError {
            path: found.path.clone(),
            reason,
        };
        let text = self
            .folder
            .text(&found.path)
            .map_err(|error| failed(error.to_string()))?;
        let digest = Digest::of(text.as_bytes());
        let live = self.records.get(&found.id).cloned();
        if live.as_ref().is_some_and(|live| live.file == Some(digest)) {
            self.stamps.insert(found.id.clone(), found.stamp);
            return Ok(());
        }
        let new = folder::read(&text).map_err(|error| failed(error.to_string()))?;
        let (kind, version) = self.stated_kind(&new, &found.id).map_err(failed)?;
        let (new, managers) = self
            .edited(&found.id, &kind, &version, live.as_ref(), new)
            .map_err(failed)?;
        self.adopt(found, digest, new, &managers)
            .map_err(|error| failed(error.to_string()))
    }

    /// Whether nobody touched a file since it was written or read.
    pub(crate) fn untouched(&self, id: &Id, stamp: Option<Stamp>) -> bool {
        let filed = self
            .records
            .get(id)
            .is_some_and(|record| record.file.is_some());
        match stamp {
            Some(stamp) => self.stamps.get(id) == Some(&stamp),
            None => !filed,
        }
    }

    fn removed_by_hand(&mut self, id: &Id) -> Result<(), ClusterError> {
        let Some((kind, version)) = self.kind_of(&id.resource) else {
            return Ok(());
        };
        tracing::info!(object = %id, "its file was removed by hand");
        if id.resource == "namespaces" && NAMESPACES.contains(&id.name.as_str()) {
            return self.write_back(id);
        }
        self.stamps.remove(id);
        let key: ObjectKey = id.key(&kind, &version);
        self.delete_noticed(&key, id, &Delete::default())?;
        // A finalizer holds it: it goes on to be there, and so does its file.
        if self.records.contains_key(id) {
            self.write_back(id)
        } else {
            Ok(())
        }
    }

    /// Writes a file again that should be there.
    fn write_back(&mut self, id: &Id) -> Result<(), ClusterError> {
        let Some(record) = self.records.get(id).cloned() else {
            return Ok(());
        };
        let text = folder::write(&record.value());
        self.write_file(id, &text)
            .map_err(|error| self.failed("writing a file back", &error))
    }

    /// The kind that a file's object states, if the file is in its place.
    fn stated_kind(
        &self,
        object: &Value,
        id: &Id,
    ) -> Result<(std::sync::Arc<Kind>, Version), String> {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let gvk = weir_api::Gvk::from_api_version(text("/apiVersion"), text("/kind"));
        let (kind, version) = self.kind(&gvk).map_err(|error| error.to_string())?;
        // A file need not repeat the namespace that its folder says.
        let namespace = Some(text("/metadata/namespace")).filter(|namespace| !namespace.is_empty());
        let stated = Id::new(
            &kind,
            namespace.unwrap_or(&id.namespace),
            text("/metadata/name"),
        );
        if stated != *id {
            let place = self.folder.path(&stated);
            let place = place
                .strip_prefix(self.folder.root())
                .unwrap_or(&place)
                .display()
                .to_string();
            return Err(format!(
                "the file says {stated}; the place of that is {place}"
            ));
        }
        names::check(&kind, &id.name)?;
        Ok((kind, version))
    }

    /// The object that an edited file makes, and its managers.
    fn edited(
        &self,
        id: &Id,
        kind: &Kind,
        version: &Version,
        live: Option<&Shared>,
        mut new: Value,
    ) -> Result<(Value, Managers), String> {
        let (schema, ty) = (version.schema(), version.ty);
        typed::prune(schema, ty, &mut new);
        typed::check(schema, ty, &new, Duplicates::Allowed).map_err(|errors| errors.to_string())?;
        if kind.namespaced {
            new["metadata"]["namespace"] = id.namespace.as_str().into();
        }
        let (now, api_version) = (names::now(), kind.gvk(version).api_version());
        let ctx = Context {
            schema,
            ty,
            reset: Set::default(),
            api_version: &api_version,
            subresource: "",
            now: &now,
        };
        let Some(live) = live else {
            strip_kept(&mut new);
            let managers = ownership::update(&ctx, None, &new, Managers::default(), MANAGER);
            new["metadata"]["uid"] = names::uid().into();
            new["metadata"]["creationTimestamp"] = now.as_str().into();
            if kind.generation {
                new["metadata"]["generation"] = 1.into();
            }
            return Ok((new, managers));
        };
        let mut old = live.value();
        old["apiVersion"] = api_version.as_str().into();
        if let Some(metadata) = old.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.shift_remove("resourceVersion");
        }
        restore_kept(&mut new, &old);
        if kind.generation && spec_differs(&old, &new, kind, version) {
            let generation = old
                .pointer("/metadata/generation")
                .and_then(Value::as_i64)
                .unwrap_or(0);
            new["metadata"]["generation"] = (generation + 1).into();
        }
        let managers = Managers::from_value(&live.managers()).unwrap_or_default();
        Ok((
            new.clone(),
            ownership::update(&ctx, Some(&old), &new, managers, MANAGER),
        ))
    }

    /// Makes what a file says the state of its object. The file stays as it is, comments and all.
    fn adopt(
        &mut self,
        found: &Found,
        digest: Digest,
        mut new: Value,
        managers: &Managers,
    ) -> Result<(), ClusterError> {
        let id = &found.id;
        if !id.namespace.is_empty() && self.namespace(&id.namespace).is_none() {
            self.make_namespace(&id.namespace, Shown::File)?;
        }
        let definition = self.definition_in(id, &mut new, &names::now());
        let definition =
            definition.map_err(|reason| ClusterError::Unavailable { message: reason })?;
        tracing::info!(object = %id, "taken over from its file");
        self.put(
            id.clone(),
            new,
            &managers.to_value(),
            Shown::AlreadyFile(digest, found.stamp),
        )?;
        if let Some(kind) = definition {
            self.serve(kind)?;
        }
        Ok(())
    }

    /// Serves the kind of a CRD, with what the folder already holds of it.
    pub(crate) fn serve(&mut self, kind: Kind) -> Result<(), ClusterError> {
        self.kinds.serve(kind.clone());
        self.notice_kind(&kind)
    }

    /// Makes a namespace that nobody applied.
    pub(crate) fn make_namespace(&mut self, name: &str, shown: Shown) -> Result<(), ClusterError> {
        let id = Id {
            resource: "namespaces".into(),
            namespace: "".into(),
            name: name.into(),
        };
        let object = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "uid": names::uid(), "creationTimestamp": names::now()},
        });
        self.put(id, object, &Value::Array(Vec::new()), shown)
            .map(drop)
    }
}

/// A file of an object whose kind nobody serves: it is left alone until a CRD comes.
pub(crate) fn without_kind(path: &Path) {
    tracing::warn!(path = %path.display(), "no CRD defines the kind of this file's object; it is left alone");
}
