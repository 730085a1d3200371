//! Sees without a dry run that an object is as it should be: all its rendered fields stand in the live object with equal
//! values, and the manager owns exactly these fields.

use serde_json::{Map, Value};
use weir_api::Object;

/// Whether applying `desired` as `manager` would change nothing. `false` says nothing: ask the server.
pub fn unchanged(desired: &Object, live: &Object, manager: &str) -> bool {
    if desired.gvk() != live.gvk() || live.deleting() {
        return false;
    }
    let Some(owned) = owned_fields(live, manager, desired.api_version()) else {
        return false;
    };
    covers(desired.value(), live.value(), owned, Level::Root)
}

/// The one set of fields that the manager applied.
fn owned_fields<'a>(live: &'a Object, manager: &str, api_version: &str) -> Option<&'a Value> {
    let entries = live.get("/metadata/managedFields")?.as_array()?;
    let mut found = None;
    for entry in entries {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
        if text("manager") != manager || !text("subresource").is_empty() {
            continue;
        }
        if text("operation") != "Apply" || text("apiVersion") != api_version || found.is_some() {
            return None;
        }
        found = entry.get("fieldsV1");
    }
    found
}

/// Some fields name the object and are owned by nobody.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Metadata,
    Below,
}

/// Walks the three in step. Their depth is bounded by the JSON parser that made them.
fn covers(desired: &Value, live: &Value, owned: &Value, level: Level) -> bool {
    let Some(owned) = owned.as_object() else {
        return false;
    };
    if owned.keys().all(|key| key == ".") {
        return desired == live
            || (owned.contains_key(".") && empty(desired) && same_kind(desired, live));
    }
    match (desired, live) {
        (Value::Object(desired), Value::Object(live)) => covers_map(desired, live, owned, level),
        (Value::Array(desired), Value::Array(live)) => covers_list(desired, live, owned),
        _ => false,
    }
}

fn covers_map(
    desired: &Map<String, Value>,
    live: &Map<String, Value>,
    owned: &Map<String, Value>,
    level: Level,
) -> bool {
    let mut covered = 0;
    for (key, below) in owned {
        if key == "." {
            continue;
        }
        let Some(name) = key.strip_prefix("f:") else {
            return false;
        };
        let (Some(desired), Some(live)) = (desired.get(name), live.get(name)) else {
            return false;
        };
        let next = if level == Level::Root && name == "metadata" {
            Level::Metadata
        } else {
            Level::Below
        };
        if !covers(desired, live, below, next) {
            return false;
        }
        covered += 1;
    }
    let nameless = |key: &str| match level {
        Level::Root => {
            matches!(key, "apiVersion" | "kind")
                || (key == "metadata" && !owned.contains_key("f:metadata"))
        }
        Level::Metadata => matches!(key, "name" | "namespace"),
        Level::Below => false,
    };
    covered == desired.keys().filter(|key| !nameless(key)).count()
}

fn covers_list(desired: &[Value], live: &[Value], owned: &Map<String, Value>) -> bool {
    let mut covered = 0;
    for (key, below) in owned {
        if key == "." {
            continue;
        }
        if let Some(keys) = key.strip_prefix("k:") {
            let Ok(Value::Object(keys)) = serde_json::from_str(keys) else {
                return false;
            };
            let matches = |item: &&Value| {
                keys.iter()
                    .all(|(name, value)| item.get(name) == Some(value))
            };
            let (Some(desired), Some(live)) =
                (desired.iter().find(matches), live.iter().find(matches))
            else {
                return false;
            };
            if !covers(desired, live, below, Level::Below) {
                return false;
            }
        } else if let Some(value) = key.strip_prefix("v:") {
            let Ok(value) = serde_json::from_str::<Value>(value) else {
                return false;
            };
            if !desired.contains(&value) || !live.contains(&value) {
                return false;
            }
        } else {
            return false;
        }
        covered += 1;
    }
    covered == desired.len()
}

fn empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

fn same_kind(a: &Value, b: &Value) -> bool {
    a.is_object() == b.is_object() && a.is_array() == b.is_array()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn live() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "web", "namespace": "a", "uid": "1", "labels": {"x": "y", "other": "z"},
                "managedFields": [
                    {"manager": "m", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": {
                        "f:metadata": {"f:labels": {"f:x": {}}},
                        "f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
                            "k:{\"name\":\"c\"}": {".": {}, "f:name": {}, "f:image": {}, "f:args": {},
                                "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}, "f:protocol": {}}}}}}}}}},
                    {"manager": "controller", "operation": "Update", "apiVersion": "apps/v1", "subresource": "status", "fieldsV1": {"f:status": {}}}
                ]},
            "spec": {"replicas": 2, "revisionHistoryLimit": 10, "template": {"spec": {"containers": [
                {"name": "c", "image": "i:1", "args": ["a", "b"], "imagePullPolicy": "Always",
                 "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}}},
            "status": {"replicas": 2},
        })
    }

    fn desired() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "a", "labels": {"x": "y"}},
            "spec": {"replicas": 2, "template": {"spec": {"containers": [
                {"name": "c", "image": "i:1", "args": ["a", "b"], "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}}},
        })
    }

    fn check(edit: impl FnOnce(&mut Value, &mut Value)) -> bool {
        let (mut desired, mut live) = (desired(), live());
        edit(&mut desired, &mut live);
        unchanged(
            &Object::new(desired).unwrap(),
            &Object::new(live).unwrap(),
            "m",
        )
    }

    #[test]
    fn equal_values_and_exact_ownership_are_unchanged() {
        assert!(check(|_, _| {}));
    }

    #[test]
    fn any_difference_asks_the_server() {
        let container = "/spec/template/spec/containers/0";
        assert!(!check(|desired, _| desired["spec"]["replicas"] = json!(3)));
        assert!(!check(|_, live| live["spec"]["replicas"] = json!(3)));
        assert!(!check(|desired, _| desired["spec"]["paused"] = json!(true)));
        assert!(!check(|desired, _| drop(
            desired["spec"].as_object_mut().unwrap().remove("replicas")
        )));
        assert!(!check(
            |desired, _| desired["metadata"]["labels"]["new"] = json!("1")
        ));
        assert!(!check(
            |desired, _| desired["metadata"]["annotations"] = json!({"a": "b"})
        ));
        assert!(!check(
            |_, live| live["metadata"]["labels"]["x"] = json!("drifted")
        ));
        assert!(!check(|desired, _| desired
            .pointer_mut(container)
            .unwrap()["args"] =
            json!(["b", "a"])));
        assert!(!check(|desired, _| desired
            .pointer_mut(container)
            .unwrap()["ports"][0]["containerPort"] =
            json!(81)));
        assert!(!check(|desired, _| {
            let item = json!({"name": "d"});
            desired
                .pointer_mut("/spec/template/spec/containers")
                .unwrap()
                .as_array_mut()
                .unwrap()
                .push(item);
        }));
    }

    #[test]
    fn other_owners_and_versions_ask_the_server() {
        assert!(!check(
            |_, live| live["metadata"]["managedFields"][0]["manager"] = json!("someone")
        ));
        assert!(!check(
            |_, live| live["metadata"]["managedFields"][0]["operation"] = json!("Update")
        ));
        assert!(!check(
            |_, live| live["metadata"]["managedFields"][0]["apiVersion"] = json!("apps/v1beta1")
        ));
        assert!(!check(|_, live| drop(
            live["metadata"]
                .as_object_mut()
                .unwrap()
                .remove("managedFields")
        )));
        assert!(!check(
            |_, live| live["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z")
        ));
    }
}
