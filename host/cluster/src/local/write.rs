//! Creating, applying and patching.
//!
//! What an API server does around the merge: names and namespaces are checked, what the cluster keeps by itself (uid,
//! times, generation) cannot be written, `status` is written only through its own door, and a write that changes nothing
//! is none.

use base64::Engine as _;
use serde_json::{Map, Value};
use weir_api::{Object, ObjectKey};

use super::fields::{Element, Set};
use super::kinds::{Kind, Version};
use super::names;
use super::ownership::{self, Context, Managers};
use super::record::{Id, Record, Shared};
use super::state::{Shown, State};
use super::typed::{self, Duplicates};
use crate::{Apply, ClusterError, Detail, Part};

/// What of `metadata` the cluster keeps by itself.
const KEPT: [&str; 8] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
];

/// How deep an object may be nested. What is kept as JSON text has to be read again.
const DEPTH: usize = 100;

/// An object on its way in.
struct Incoming<'s> {
    kind: &'s Kind,
    version: &'s Version,
    key: ObjectKey,
    id: Id,
    api_version: String,
    now: String,
}

impl State {
    pub(crate) fn create(
        &mut self,
        object: &Object,
        manager: &str,
    ) -> Result<Object, ClusterError> {
        let (kind, version) = self.kind(&object.gvk())?;
        let mut new = object.value().clone();
        name_generated(&mut new);
        let named =
            Object::new(new.clone()).map_err(|error| invalid(&object.key(), error.to_string()))?;
        let key = key_in(&kind, &named);
        let id = self
            .id(&kind, &key)
            .map_err(|_| invalid(&key, "the object has no name or no namespace".into()))?;
        let incoming = Incoming::new(&kind, &version, key, id);
        if !object.resource_version().is_empty() {
            return Err(
                incoming.invalid("resourceVersion should not be set on objects to be created")
            );
        }
        self.notice(&incoming.id)?;
        self.check_place(&incoming)?;
        if self.records.contains_key(&incoming.id) {
            return Err(ClusterError::Exists { key: incoming.key });
        }
        incoming.check_depth(&new)?;
        typed::prune(version.schema(), version.ty, &mut new);
        incoming.check_types(&new, Duplicates::Allowed)?;
        strip_kept(&mut new);
        incoming.finish(&mut new)?;
        if version.status {
            drop_status(&mut new);
        }
        let managers = ownership::update(
            &incoming.context(Part::Object),
            None,
            &new,
            Managers::default(),
            manager,
        );
        incoming.found(&mut new);
        let record = self.commit(&incoming, new, &managers)?;
        Ok(record.object(&kind, &version, Detail::Whole))
    }

    pub(crate) fn apply(&mut self, object: &Object, how: &Apply) -> Result<Object, ClusterError> {
        let (kind, version) = self.kind(&object.gvk())?;
        let key = key_in(&kind, object);
        let id = self.id(&kind, &key)?;
        let incoming = Incoming::new(&kind, &version, key, id);
        if how.manager.is_empty() {
            return Err(
                incoming.invalid("fieldManager: Required value: is required for apply patch")
            );
        }
        if object
            .get("/metadata/managedFields")
            .is_some_and(|fields| !fields.is_null())
        {
            return Err(incoming.invalid("metadata.managedFields must be nil"));
        }
        self.notice(&incoming.id)?;
        let live = self.records.get(&incoming.id).cloned();
        match &live {
            Some(live) => incoming.check_preconditions(object.value(), live)?,
            None => self.check_place(&incoming)?,
        }
        incoming.check_depth(object.value())?;
        incoming
            .check_types(object.value(), Duplicates::Refused)
            .map_err(|error| incoming.untyped(&error))?;
        let mut applied = object.value().clone();
        strip_kept(&mut applied);
        let (old, managers) = match &live {
            Some(live) => (Some(incoming.live_value(live)), incoming.managers(live)?),
            None => (None, Managers::default()),
        };
        let before = managers.clone();
        let context = incoming.context(Part::Object);
        let (mut new, managers) = ownership::apply(
            &context,
            old.as_ref(),
            managers,
            &applied,
            &how.manager,
            how.force,
        )
        .map_err(|conflicts| ClusterError::Conflict {
            key: incoming.key.clone(),
            message: conflicts.to_string(),
        })?;
        incoming.finish(&mut new)?;
        let changed = self.settle(&incoming, old.as_ref(), &mut new, Part::Object)?;
        if let Some(live) = live
            .as_ref()
            .filter(|_| !changed && before.same_fields(&managers))
        {
            return Ok(live.object(&kind, &version, Detail::Whole));
        }
        if how.dry_run {
            self.definition_in(&incoming.id, &mut new, &incoming.now)
                .map_err(|error| incoming.invalid(&error))?;
            return Ok(incoming.would_be(new, &managers, live.as_deref()));
        }
        let record = self.commit(&incoming, new, &managers)?;
        Ok(record.object(&kind, &version, Detail::Whole))
    }

    pub(crate) fn merge(
        &mut self,
        key: &ObjectKey,
        part: Part,
        patch: &Value,
        manager: &str,
    ) -> Result<Object, ClusterError> {
        let (kind, version) = self.kind(&key.gvk)?;
        let id = self.id(&kind, key)?;
        let incoming = Incoming::new(&kind, &version, key.clone(), id);
        self.notice(&incoming.id)?;
        let not_found = || ClusterError::NotFound { key: key.clone() };
        let live = self
            .records
            .get(&incoming.id)
            .cloned()
            .ok_or_else(not_found)?;
        if part == Part::Status && !version.status {
            return Err(not_found());
        }
        if !patch.is_object() {
            return Err(incoming.invalid("a merge patch of an object is a mapping"));
        }
        incoming.check_preconditions(patch, &live)?;
        let old = incoming.live_value(&live);
        let before = incoming.managers(&live)?;
        let mut new = old.clone();
        incoming.check_depth(patch)?;
        let stated = merge_patch(&mut new, patch, &before);
        typed::prune(version.schema(), version.ty, &mut new);
        incoming.check_types(&new, Duplicates::Allowed)?;
        incoming.check_identity(&new)?;
        if part == Part::Status {
            // Only the status goes through this door.
            let status = new.get_mut("status").map(Value::take);
            new = old.clone();
            set_or_remove(&mut new, "status", status);
        }
        restore_kept(&mut new, &old);
        incoming.finish(&mut new)?;
        let context = incoming.context(part);
        let managers = match stated
            .filter(|_| part == Part::Object)
            .map(|stated| Managers::from_value(&stated))
        {
            Some(Ok(stated)) => stated,
            Some(Err(_)) | None => before.clone(),
        };
        let changed = self.settle(&incoming, Some(&old), &mut new, part)?;
        // An object that nobody manages stays so until somebody applies it.
        let managers = if managers.is_empty() {
            managers
        } else {
            ownership::update(&context, Some(&old), &new, managers, manager)
        };
        if !changed && before.same_fields(&managers) {
            return Ok(live.object(&kind, &version, Detail::Whole));
        }
        let record = self.commit(&incoming, new, &managers)?;
        Ok(record.object(&kind, &version, Detail::Whole))
    }

    /// Where a new object goes has to be there, and its name has to be one.
    fn check_place(&self, incoming: &Incoming<'_>) -> Result<(), ClusterError> {
        names::check(incoming.kind, &incoming.id.name)
            .map_err(|reason| incoming.invalid(&reason))?;
        if !incoming.kind.namespaced {
            return Ok(());
        }
        let namespace = incoming.id.namespace.to_string();
        let Some(record) = self.namespace(&namespace) else {
            return Err(ClusterError::NoNamespace {
                key: incoming.key.clone(),
                namespace,
            });
        };
        if record
            .value()
            .pointer("/metadata/deletionTimestamp")
            .is_some()
        {
            let (resource, name) = (incoming.kind.resource(), &incoming.id.name);
            return Err(ClusterError::Forbidden {
                message: format!(
                    "{resource} {name:?} is forbidden: unable to create new content in namespace {namespace} because it is being terminated"
                ),
            });
        }
        Ok(())
    }

    /// Puts in order what a write may not touch, and counts the generation; whether anything is changed.
    fn settle(
        &self,
        incoming: &Incoming<'_>,
        old: Option<&Value>,
        new: &mut Value,
        part: Part,
    ) -> Result<bool, ClusterError> {
        let status = incoming.version.status;
        let Some(old) = old else {
            if status {
                drop_status(new);
            }
            incoming.found(new);
            return Ok(true);
        };
        restore_kept(new, old);
        if !incoming.kind.custom
            && old.get("spec").is_some()
            && new.get("spec").is_none_or(Value::is_null)
        {
            // Of Kubernetes' own kinds a spec does not go, it gets empty.
            new["spec"] = Value::Object(Map::new());
        }
        if status && part == Part::Object {
            set_or_remove(new, "status", old.get("status").cloned());
        }
        if old.pointer("/metadata/deletionTimestamp").is_some() {
            let finalizers = |object: &Value| {
                let list = object
                    .pointer("/metadata/finalizers")
                    .and_then(Value::as_array)
                    .cloned();
                list.unwrap_or_default()
            };
            let before = finalizers(old);
            if finalizers(new)
                .iter()
                .any(|finalizer| !before.contains(finalizer))
            {
                return Err(incoming.invalid("metadata.finalizers: no new finalizers can be added if the object is being deleted"));
            }
        }
        if *new == *old {
            return Ok(false);
        }
        if incoming.kind.generation && spec_differs(old, new, incoming.kind, incoming.version) {
            let generation = old
                .pointer("/metadata/generation")
                .and_then(Value::as_i64)
                .unwrap_or(0);
            new["metadata"]["generation"] = (generation + 1).into();
        }
        Ok(true)
    }

    /// Writes an object, with what follows from it: a CRD's kind is served, and what was only held by its finalizers goes
    /// when they are gone.
    fn commit(
        &mut self,
        incoming: &Incoming<'_>,
        mut new: Value,
        managers: &Managers,
    ) -> Result<Shared, ClusterError> {
        let definition = self
            .definition_in(&incoming.id, &mut new, &incoming.now)
            .map_err(|error| incoming.invalid(&error))?;
        let managers = managers.to_value();
        if let Some(live) = self.records.get(&incoming.id).cloned() {
            let last = Record::new(incoming.id.clone(), live.version, new.clone(), &managers);
            if self.released(&last) {
                // Its last finalizer went. Nobody sees it without: it is gone.
                self.finish_deletion(&incoming.id)?;
                self.run_steps()?;
                return Ok(last.into());
            }
        }
        let record = self.put(incoming.id.clone(), new, &managers, Shown::File)?;
        if let Some(kind) = definition {
            self.serve(kind)?;
        }
        Ok(record)
    }
}

impl<'s> Incoming<'s> {
    fn new(kind: &'s Kind, version: &'s Version, key: ObjectKey, id: Id) -> Self {
        Self {
            kind,
            version,
            key,
            id,
            api_version: kind.gvk(version).api_version(),
            now: names::now(),
        }
    }

    fn context(&self, part: Part) -> Context<'_> {
        let mut reset = Set::default();
        let (subresource, untouchable) = match part {
            Part::Object => ("", self.version.status.then_some("status")),
            Part::Status => ("status", Some("spec")),
        };
        if let Some(field) = untouchable {
            reset.insert(&[Element::field(field)]);
        }
        Context {
            schema: self.version.schema(),
            ty: self.version.ty,
            reset,
            api_version: &self.api_version,
            subresource,
            now: &self.now,
        }
    }

    /// A live object in the version that is asked for, without what a write does not see.
    fn live_value(&self, live: &Record) -> Value {
        let mut value = live.value();
        value["apiVersion"] = self.api_version.as_str().into();
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.shift_remove("resourceVersion");
        }
        value
    }

    fn managers(&self, live: &Record) -> Result<Managers, ClusterError> {
        Managers::from_value(&live.managers()).map_err(|error| self.invalid(&error.to_string()))
    }

    fn check_preconditions(&self, written: &Value, live: &Record) -> Result<(), ClusterError> {
        let stated = |pointer: &str| {
            written
                .pointer(pointer)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        if stated("/metadata/uid").is_some_and(|uid| uid != live.uid) {
            return Err(self.invalid("metadata.uid: field is immutable"));
        }
        if stated("/metadata/resourceVersion")
            .is_some_and(|version| version != live.version.to_string())
        {
            return Err(modified(&self.id.resource, &self.key));
        }
        Ok(())
    }

    fn check_identity(&self, new: &Value) -> Result<(), ClusterError> {
        let text = |pointer: &str| {
            new.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let same = text("/metadata/name") == self.id.name
            && text("/metadata/namespace") == self.id.namespace
            && text("/kind") == self.kind.group_kind.kind
            && text("/apiVersion") == self.api_version;
        if same {
            Ok(())
        } else {
            Err(self.invalid("a patch cannot change what an object is or what it is called"))
        }
    }

    fn check_depth(&self, value: &Value) -> Result<(), ClusterError> {
        if deeper_than(value, DEPTH) {
            return Err(self.invalid(&format!("the object is nested more than {DEPTH} deep")));
        }
        Ok(())
    }

    fn check_types(&self, value: &Value, duplicates: Duplicates) -> Result<(), ClusterError> {
        typed::check(self.version.schema(), self.version.ty, value, duplicates)
            .map_err(|errors| self.invalid(&errors.to_string()))
    }

    /// In the form in which an object leaves the API server.
    fn finish(&self, new: &mut Value) -> Result<(), ClusterError> {
        let (schema, ty) = (self.version.schema(), self.version.ty);
        if self.kind.custom {
            // Its metadata is of Kubernetes' own types all the same.
            let metadata = schema
                .get(ty)
                .map
                .as_ref()
                .and_then(|map| map.field("metadata"));
            if let (Some(ty), Some(metadata)) = (metadata, new.get_mut("metadata")) {
                typed::normalize(schema, ty, metadata);
            }
            if let Some(path) = typed::first_null(schema, ty, new) {
                return Err(self.invalid(&format!("{path}: must not be null")));
            }
        } else {
            typed::normalize(schema, ty, new);
        }
        let gvk = self.kind.gvk(self.version);
        let Value::Object(fields) = new else {
            return Err(self.invalid("nothing is left of the object"));
        };
        if gvk.group.is_empty() && gvk.kind == "Secret" {
            fold_string_data(fields);
        }
        fields.insert("apiVersion".into(), gvk.api_version().into());
        fields.insert("kind".into(), gvk.kind.into());
        let metadata = fields
            .entry("metadata")
            .or_insert_with(|| Value::Object(Map::new()));
        if !metadata.is_object() {
            *metadata = Value::Object(Map::new());
        }
        metadata["name"] = self.id.name.as_str().into();
        if self.kind.namespaced {
            metadata["namespace"] = self.id.namespace.as_str().into();
        } else if let Value::Object(metadata) = metadata {
            metadata.shift_remove("namespace");
        }
        Ok(())
    }

    /// What a new object gets from the cluster.
    fn found(&self, new: &mut Value) {
        let metadata = &mut new["metadata"];
        metadata["uid"] = names::uid().into();
        metadata["creationTimestamp"] = self.now.as_str().into();
        if self.kind.generation {
            metadata["generation"] = 1.into();
        }
        if let Some(status) = &self.version.first_status {
            new["status"] = status.clone();
        }
    }

    /// What a dry run answers: the object as it would be, at the version at which it is, if it is.
    fn would_be(&self, new: Value, managers: &Managers, live: Option<&Record>) -> Object {
        let version = live.map(|live| live.version);
        let record = Record::new(
            self.id.clone(),
            version.unwrap_or_default(),
            new,
            &managers.to_value(),
        );
        let mut object = record.object(self.kind, self.version, Detail::Whole);
        if version.is_none() {
            object.metadata_mut().shift_remove("resourceVersion");
        }
        object
    }

    fn untyped(&self, error: &ClusterError) -> ClusterError {
        let gvk = self.kind.gvk(self.version);
        let (namespace, name) = (&self.id.namespace, &self.id.name);
        let (group, version, kind) = (&gvk.group, &gvk.version, &gvk.kind);
        self.invalid(&format!(
            "failed to create typed patch object ({namespace}/{name}; {group}/{version}, Kind={kind}): {error}"
        ))
    }

    fn invalid(&self, message: &str) -> ClusterError {
        invalid(&self.key, message.to_owned())
    }
}

pub(crate) fn invalid(key: &ObjectKey, message: String) -> ClusterError {
    ClusterError::Invalid {
        key: key.clone(),
        message,
    }
}

/// The error of a precondition that does not hold.
pub(crate) fn modified(resource: &str, key: &ObjectKey) -> ClusterError {
    let name = &key.name.name;
    let message = format!(
        "Operation cannot be fulfilled on {resource} {name:?}: the object has been modified; please apply your changes to the latest version and try again"
    );
    ClusterError::Conflict {
        key: key.clone(),
        message,
    }
}

/// The key of an object; of a cluster-scoped one without the namespace that it may state.
fn key_in(kind: &Kind, object: &Object) -> ObjectKey {
    let mut key = object.key();
    if !kind.namespaced {
        key.name.namespace.clear();
    }
    key
}

/// `generateName` becomes a name.
fn name_generated(object: &mut Value) {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    if text("/metadata/name").is_empty() && !text("/metadata/generateName").is_empty() {
        let name = names::generate(text("/metadata/generateName"));
        object["metadata"]["name"] = name.into();
    }
}

fn deeper_than(value: &Value, depth: usize) -> bool {
    let Some(below) = depth.checked_sub(1) else {
        return true;
    };
    match value {
        Value::Array(items) => items.iter().any(|item| deeper_than(item, below)),
        Value::Object(fields) => fields.values().any(|value| deeper_than(value, below)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

pub(crate) fn strip_kept(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        KEPT.iter()
            .for_each(|name| drop(metadata.shift_remove(*name)));
    }
}

pub(crate) fn restore_kept(new: &mut Value, old: &Value) {
    strip_kept(new);
    for name in KEPT {
        if let Some(value) = old.get("metadata").and_then(|metadata| metadata.get(name)) {
            new["metadata"][name] = value.clone();
        }
    }
}

fn drop_status(object: &mut Value) {
    set_or_remove(object, "status", None);
}

fn set_or_remove(object: &mut Value, name: &str, value: Option<Value>) {
    let Value::Object(fields) = object else {
        return;
    };
    match value {
        Some(value) => drop(fields.insert(name.to_owned(), value)),
        None => drop(fields.shift_remove(name)),
    }
}

/// Whether something changed that the generation counts: of a custom resource all but metadata and status, of
/// Kubernetes' own kinds the spec.
pub(crate) fn spec_differs(old: &Value, new: &Value, kind: &Kind, version: &Version) -> bool {
    let counted = |name: &str| {
        name != "metadata"
            && name != "apiVersion"
            && (name != "status" || kind.custom && !version.status)
    };
    let part = |object: &Value| -> Map<String, Value> {
        let fields = object.as_object().into_iter().flatten();
        fields
            .filter(|(name, _)| counted(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    part(old) != part(new)
}

/// RFC 7396. `managedFields` are patched as well, and given back if the patch states them.
fn merge_patch(object: &mut Value, patch: &Value, managers: &Managers) -> Option<Value> {
    let stated = patch.pointer("/metadata/managedFields").is_some();
    if stated && object["metadata"].is_object() {
        object["metadata"]["managedFields"] = managers.to_value();
    }
    patch_value(object, patch);
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
    let patched = metadata.and_then(|metadata| metadata.shift_remove("managedFields"));
    // An empty list, or a list of one empty entry, resets; null leaves everything as it is.
    let reset = |list: &Value| {
        list.as_array()
            .is_some_and(|list| list.len() == 1 && list[0] == Value::Object(Map::new()))
    };
    let list = patched.filter(|list| stated && !list.is_null())?;
    Some(if reset(&list) {
        Value::Array(Vec::new())
    } else {
        list
    })
}

fn patch_value(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            target.shift_remove(name);
        } else {
            patch_value(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// `stringData` of a Secret is only another way to write `data`: it is never kept, and wins over it.
fn fold_string_data(secret: &mut Map<String, Value>) {
    let Some(Value::Object(plain)) = secret.shift_remove("stringData") else {
        return;
    };
    let data = secret
        .entry("data")
        .or_insert_with(|| Value::Object(Map::new()));
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    let Some(data) = data.as_object_mut() else {
        return;
    };
    for (key, value) in plain {
        let text = value.as_str().unwrap_or_default();
        let encoded = base64::engine::general_purpose::STANDARD.encode(text);
        data.insert(key, encoded.into());
    }
}
