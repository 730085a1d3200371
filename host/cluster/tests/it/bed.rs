//! A cluster to test, with a namespace in it.

use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use weir_api::{Gvk, Object, ObjectKey};
use weir_cluster::{Apply, Cluster, ClusterError, Detail, Kube, List, Local, Part, Selection};
use weir_testing::{ApiServer, Namespace};

pub(crate) struct Bed {
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) namespace: String,
    pub(crate) place: Place,
}

/// What keeps the cluster there.
pub(crate) enum Place {
    Local { _folder: TempDir },
    Kube(Namespace),
}

impl Bed {
    pub(crate) fn local_one() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cluster = Arc::new(Local::open(folder.path()).unwrap());
        Self {
            cluster,
            namespace: "default".into(),
            place: Place::Local { _folder: folder },
        }
    }

    /// `None` where the API server is not built.
    pub(crate) async fn kube_one() -> Option<Self> {
        let server = ApiServer::shared()?;
        let namespace = server.namespace("it").await.unwrap();
        let cluster = Arc::new(Kube::new(server.config().unwrap()).unwrap());
        Some(Self {
            cluster,
            namespace: namespace.name().to_owned(),
            place: Place::Kube(namespace),
        })
    }

    /// Whether this is the local cluster, which is simpler in places.
    pub(crate) fn local(&self) -> bool {
        matches!(self.place, Place::Local { .. })
    }

    /// An object in the namespace of the bed, or a cluster-scoped one.
    pub(crate) fn object(&self, api_version: &str, kind: &str, name: &str, rest: Value) -> Object {
        let mut value =
            json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}});
        if !matches!(
            kind,
            "Namespace" | "CustomResourceDefinition" | "ClusterRole"
        ) {
            value["metadata"]["namespace"] = self.namespace.as_str().into();
        }
        for (field, given) in rest.as_object().unwrap() {
            match (field.as_str(), given) {
                ("metadata", Value::Object(fields)) => {
                    for (name, given) in fields {
                        value["metadata"][name] = given.clone();
                    }
                }
                _ => value[field] = given.clone(),
            }
        }
        Object::new(value).unwrap()
    }

    pub(crate) fn config_map(&self, name: &str, rest: Value) -> Object {
        self.object("v1", "ConfigMap", name, rest)
    }

    pub(crate) fn key(&self, name: &str) -> ObjectKey {
        ObjectKey::new(config_maps(), self.namespace.as_str(), name)
    }

    pub(crate) async fn apply(
        &self,
        manager: &str,
        object: &Object,
    ) -> Result<Object, ClusterError> {
        self.cluster.apply(object, &how(manager)).await
    }

    pub(crate) async fn force(
        &self,
        manager: &str,
        object: &Object,
    ) -> Result<Object, ClusterError> {
        self.cluster
            .apply(
                object,
                &Apply {
                    force: true,
                    ..how(manager)
                },
            )
            .await
    }

    pub(crate) async fn dry_run(
        &self,
        manager: &str,
        object: &Object,
    ) -> Result<Object, ClusterError> {
        self.cluster
            .apply(
                object,
                &Apply {
                    dry_run: true,
                    ..how(manager)
                },
            )
            .await
    }

    pub(crate) async fn merge(
        &self,
        manager: &str,
        key: &ObjectKey,
        patch: Value,
    ) -> Result<Object, ClusterError> {
        self.cluster.merge(key, Part::Object, &patch, manager).await
    }

    /// Changes a ConfigMap, made if it is not there.
    pub(crate) async fn merge_or_make(&self, name: &str, rest: Value) {
        self.force("m", &self.config_map(name, rest)).await.unwrap();
    }

    pub(crate) async fn get(&self, key: &ObjectKey) -> Option<Object> {
        self.cluster.get(key).await.unwrap()
    }

    pub(crate) async fn list(&self, gvk: &Gvk, labels: &str, detail: Detail) -> List {
        let by = Selection {
            namespace: self.namespace.clone(),
            labels: labels.into(),
            detail,
        };
        self.cluster.list(gvk, &by).await.unwrap()
    }
}

pub(crate) fn how(manager: &str) -> Apply {
    Apply {
        manager: manager.into(),
        force: false,
        dry_run: false,
    }
}

pub(crate) fn config_maps() -> Gvk {
    Gvk::new("", "v1", "ConfigMap")
}

pub(crate) fn names(objects: &[Object]) -> Vec<&str> {
    objects.iter().map(Object::name).collect()
}

/// `managedFields` as `(manager, operation, subresource, fields)`, sorted.
pub(crate) fn managers(object: &Object) -> Vec<(String, String, String, Value)> {
    let entries = object
        .get("/metadata/managedFields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let mut found: Vec<_> = entries
        .map(|entry| {
            let names = (
                text(entry, "manager"),
                text(entry, "operation"),
                text(entry, "subresource"),
            );
            (names.0, names.1, names.2, entry["fieldsV1"].clone())
        })
        .collect();
    found.sort_by(|one, two| (&one.0, &one.1, &one.2).cmp(&(&two.0, &two.1, &two.2)));
    found
}

/// What one manager owns by applying.
pub(crate) fn applied_by(object: &Object, manager: &str) -> Value {
    let found = managers(object)
        .into_iter()
        .find(|(name, operation, ..)| name == manager && operation == "Apply");
    found.map(|(.., fields)| fields).unwrap_or_default()
}
