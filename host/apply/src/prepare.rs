//! Makes the objects of a bundle ready to be applied.

use serde_json::{Map, Value};
use weir_api::{Object, ObjectError};
use weir_cluster::Discovery;

/// Who applies: its mark on each object and its field manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Two labels that together name the unit.
    pub name_label: &'static str,
    pub namespace_label: &'static str,
    pub name: String,
    pub namespace: String,
    pub manager: &'static str,
}

impl Owner {
    /// Whether an object bears this owner's mark.
    pub fn owns(&self, object: &Object) -> bool {
        object.label(self.name_label) == Some(&self.name)
            && object.label(self.namespace_label) == Some(&self.namespace)
    }
}

/// Why a document of a bundle cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    #[error(transparent)]
    NotAnObject(#[from] ObjectError),
    #[error("failed to decode Kubernetes apiVersion, kind and name from: {kind} without a name")]
    NoName { kind: String },
}

/// Unpacks lists, drops kustomize's own documents, normalises the rest and marks it with its owner.
pub fn prepare(
    documents: impl IntoIterator<Item = Value>,
    owner: &Owner,
) -> Result<Vec<Object>, PrepareError> {
    let mut objects = unpacked(documents)?;
    for object in &mut objects {
        normalise(object);
        mark(object, owner);
    }
    Ok(objects)
}

/// The objects as they were rendered: lists are unpacked, and kustomize's own documents are left out.
pub fn unpacked(documents: impl IntoIterator<Item = Value>) -> Result<Vec<Object>, PrepareError> {
    let mut objects = Vec::new();
    for document in documents {
        unpack(document, &mut objects)?;
    }
    Ok(objects)
}

/// Puts an object where its kind belongs: cluster-scoped kinds have no namespace. Unknown kinds stay as they are; applying
/// them tells what is wrong.
pub fn place(object: &mut Object, discovery: &Discovery) {
    if discovery
        .find(&object.gvk())
        .is_some_and(|resource| !resource.namespaced)
    {
        object.metadata_mut().shift_remove("namespace");
    }
}

/// A list within a list is unpacked too; the depth is bounded by what the JSON parser accepts.
fn unpack(document: Value, objects: &mut Vec<Object>) -> Result<(), PrepareError> {
    let mut object = Object::new(document)?;
    if object.kind().ends_with("List") && object.get("/items").is_some_and(Value::is_array) {
        if let Some(Value::Array(items)) = object.fields_mut().shift_remove("items") {
            for item in items {
                unpack(item, objects)?;
            }
        }
        return Ok(());
    }
    if object.gvk().group == "kustomize.config.k8s.io" {
        return Ok(());
    }
    if object.name().is_empty() {
        return Err(PrepareError::NoName {
            kind: object.kind().to_owned(),
        });
    }
    objects.push(object);
    Ok(())
}

fn mark(object: &mut Object, owner: &Owner) {
    let labels = object.metadata_mut().entry("labels").or_insert(Value::Null);
    if !labels.is_object() {
        *labels = Value::Object(Map::new());
    }
    let labels = labels
        .as_object_mut()
        .expect("was made an object just above");
    labels.insert(owner.name_label.to_owned(), owner.name.clone().into());
    labels.insert(
        owner.namespace_label.to_owned(),
        owner.namespace.clone().into(),
    );
}

/// Removes what only a server says of an object.
pub fn drop_server_metadata(object: &mut Object) {
    let metadata = object.metadata_mut();
    for field in [
        "creationTimestamp",
        "managedFields",
        "resourceVersion",
        "uid",
        "generation",
        "selfLink",
    ] {
        metadata.shift_remove(field);
    }
}

/// What Flux does to every object before it is applied: no status, no server-made metadata, `stringData` folded into `data`,
/// ports with their protocol.
fn normalise(object: &mut Object) {
    let gvk = object.gvk();
    if gvk.kind != "CustomResourceDefinition" {
        object.fields_mut().shift_remove("status");
    }
    drop_server_metadata(object);
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Secret") => fold_string_data(object.fields_mut()),
        ("", "Service") => {
            let ports = object
                .fields_mut()
                .get_mut("spec")
                .and_then(|spec| spec.get_mut("ports"));
            name_protocols(ports);
        }
        ("", "Pod") => pod_protocols(object.fields_mut().get_mut("spec")),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet") | ("batch", "Job") => {
            pod_protocols(object_at(
                object.fields_mut(),
                &["spec", "template", "spec"],
            ));
        }
        ("batch", "CronJob") => {
            pod_protocols(object_at(
                object.fields_mut(),
                &["spec", "jobTemplate", "spec", "template", "spec"],
            ));
        }
        _ => {}
    }
}

fn object_at<'a>(fields: &'a mut Map<String, Value>, path: &[&str]) -> Option<&'a mut Value> {
    let (first, rest) = path.split_first()?;
    rest.iter()
        .try_fold(fields.get_mut(*first)?, |value, key| value.get_mut(*key))
}

fn pod_protocols(spec: Option<&mut Value>) {
    let Some(spec) = spec else { return };
    for list in ["containers", "initContainers"] {
        for container in spec
            .get_mut(list)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            name_protocols(container.get_mut("ports"));
        }
    }
}

/// Ports are told apart by number and protocol; a server that defaults the protocol would see another port.
fn name_protocols(ports: Option<&mut Value>) {
    for port in ports.and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(port) = port.as_object_mut()
            && port.get("protocol").is_none_or(Value::is_null)
        {
            port.insert("protocol".to_owned(), "TCP".into());
        }
    }
}

fn fold_string_data(secret: &mut Map<String, Value>) {
    let Some(Value::Object(plain)) = secret.get("stringData") else {
        return;
    };
    if !plain.values().all(Value::is_string) {
        return;
    }
    let Some(Value::Object(plain)) = secret.shift_remove("stringData") else {
        return;
    };
    let data = secret.entry("data").or_insert(Value::Null);
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    let Some(data) = data.as_object_mut() else {
        return;
    };
    for (key, value) in plain {
        let text = value.as_str().unwrap_or_default();
        data.insert(key, base64(text.as_bytes()).into());
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn owner() -> Owner {
        Owner {
            name_label: "o/name",
            namespace_label: "o/ns",
            name: "web".into(),
            namespace: "apps".into(),
            manager: "m",
        }
    }

    fn check(input: Value, expected: Value) {
        let made: Vec<Value> = prepare([input], &owner())
            .unwrap()
            .into_iter()
            .map(Object::into_value)
            .collect();
        assert_eq!(Value::Array(made), expected);
    }

    #[test]
    fn lists_are_unpacked_and_marked() {
        check(
            json!({"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}]}),
            json!([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"o/name": "web", "o/ns": "apps"}}}]),
        );
    }

    #[test]
    fn string_data_is_folded_and_wins() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"},
            "data": {"x": "b2xk"}, "stringData": {"x": "new", "y": "z"}});
        let made = prepare([secret], &owner()).unwrap();
        assert_eq!(
            made[0].get("/data"),
            Some(&json!({"x": "bmV3", "y": "eg=="}))
        );
        assert_eq!(made[0].get("/stringData"), None);
    }

    #[test]
    fn ports_get_their_protocol_and_statuses_go() {
        let made = prepare(
            [
                json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"ports": [{"port": 1}, {"port": 2, "protocol": "UDP"}]}, "status": {}}),
                json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"},
                    "spec": {"template": {"spec": {"containers": [{"name": "c", "ports": [{"containerPort": 1}]}]}}}}),
            ],
            &owner(),
        )
        .unwrap();
        assert_eq!(made[0].get("/spec/ports/0/protocol"), Some(&json!("TCP")));
        assert_eq!(made[0].get("/spec/ports/1/protocol"), Some(&json!("UDP")));
        assert_eq!(made[0].get("/status"), None);
        assert_eq!(
            made[1].get("/spec/template/spec/containers/0/ports/0/protocol"),
            Some(&json!("TCP"))
        );
    }

    #[test]
    fn what_is_no_object_is_refused() {
        assert!(prepare([json!([])], &owner()).is_err());
        assert!(prepare([json!({"kind": "ConfigMap"})], &owner()).is_err());
        assert!(matches!(
            prepare([json!({"apiVersion": "v1", "kind": "ConfigMap"})], &owner()),
            Err(PrepareError::NoName { .. })
        ));
    }
}
