//! The one place that writes what belongs to weir in a reconciled object: its status and its finalizer.

use serde_json::{Map, Value, json};
use weir_api::{Object, names};
use weir_cluster::{Cluster, ClusterError, Part};

use crate::node::NodeId;

/// How often a write is tried again after somebody else wrote the object in between.
const TRIES: usize = 4;

/// Writes to one object, always on top of its newest version.
#[derive(Debug)]
pub(crate) struct StatusWriter<'a> {
    cluster: &'a dyn Cluster,
    id: &'a NodeId,
    object: Object,
}

impl<'a> StatusWriter<'a> {
    pub(crate) fn new(cluster: &'a dyn Cluster, id: &'a NodeId, object: Object) -> Self {
        Self {
            cluster,
            id,
            object,
        }
    }

    /// The object as of the last write or read.
    pub(crate) fn object(&self) -> &Object {
        &self.object
    }

    pub(crate) fn into_object(self) -> Object {
        self.object
    }

    /// Writes the status if it differs from what stands there. Says whether it did.
    pub(crate) async fn write(&mut self, status: &Value) -> Result<bool, ClusterError> {
        self.patch(Part::Status, &|object| {
            let old = object.get("/status").cloned().unwrap_or_else(|| json!({}));
            difference(&old, status).map(|status| json!({ "status": status }))
        })
        .await
    }

    pub(crate) async fn add_finalizer(&mut self) -> Result<bool, ClusterError> {
        self.patch(Part::Object, &|object| {
            let mut list: Vec<&str> = object.finalizers().collect();
            if list.contains(&names::FINALIZER) {
                return None;
            }
            list.push(names::FINALIZER);
            Some(json!({"metadata": {"finalizers": list}}))
        })
        .await
    }

    pub(crate) async fn remove_finalizer(&mut self) -> Result<bool, ClusterError> {
        self.patch(Part::Object, &|object| {
            let list: Vec<&str> = object
                .finalizers()
                .filter(|finalizer| *finalizer != names::FINALIZER)
                .collect();
            (list.len() != object.finalizers().count())
                .then(|| json!({"metadata": {"finalizers": list}}))
        })
        .await
    }

    /// Makes the patch for the object as it stands and applies it to exactly that version.
    async fn patch(
        &mut self,
        part: Part,
        make: &(dyn Fn(&Object) -> Option<Value> + Send + Sync),
    ) -> Result<bool, ClusterError> {
        let key = self.id.key();
        let mut tries = 0;
        loop {
            let Some(mut patch) = make(&self.object) else {
                return Ok(false);
            };
            patch["metadata"]["resourceVersion"] = self.object.resource_version().into();
            match self
                .cluster
                .merge(&key, part, &patch, self.id.kind.status_manager())
                .await
            {
                Ok(object) => {
                    self.object = object;
                    return Ok(true);
                }
                Err(ClusterError::Conflict { .. }) if tries < TRIES => {
                    tries += 1;
                    let newest = self.cluster.get(&key).await?;
                    let newest = newest.filter(|newest| newest.uid() == self.object.uid());
                    self.object = newest.ok_or(ClusterError::NotFound { key: key.clone() })?;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// The merge patch that makes `new` out of `old`; `None` if they are equal.
fn difference(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let mut patch = Map::new();
    for (key, value) in new {
        match old.get(key) {
            None => {
                patch.insert(key.clone(), value.clone());
            }
            Some(before) => {
                if let Some(change) = difference(before, value) {
                    patch.insert(key.clone(), change);
                }
            }
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_patched() {
        let check = |old, new, expected| assert_eq!(difference(&old, &new), expected);
        check(json!({"a": 1, "b": [1]}), json!({"a": 1, "b": [1]}), None);
        check(
            json!({"a": 1, "b": [1], "c": 2}),
            json!({"a": 1, "b": [2]}),
            Some(json!({"b": [2], "c": null})),
        );
        check(
            json!({"a": {"x": 1, "y": 2}}),
            json!({"a": {"x": 1, "y": 3}}),
            Some(json!({"a": {"y": 3}})),
        );
        check(json!({}), json!({"a": {}}), Some(json!({"a": {}})));
    }
}
