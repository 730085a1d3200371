//! The ConfigMaps and Secrets that nodes name, whether they exist or not: a change of one is a change of those that name it.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;
use weir_api::kustomize::ConfigKind;
use weir_api::{Object, ObjectName};

use crate::node::NodeId;

/// Names a ConfigMap or a Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct InputId {
    pub(crate) kind: ConfigKind,
    pub(crate) name: ObjectName,
}

/// Which inputs there are, by their resource versions, and who names which.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    versions: HashMap<InputId, Box<str>>,
    named_by: HashMap<InputId, BTreeSet<NodeId>>,
    names: HashMap<NodeId, BTreeSet<InputId>>,
}

impl InputId {
    /// The input that an object is, if it is one.
    pub(crate) fn of(object: &Object) -> Option<Self> {
        let kind = ConfigKind::of(object.kind())?;
        (kind.gvk() == object.gvk()).then(|| Self {
            kind,
            name: object.key().name,
        })
    }
}

impl Inputs {
    /// Notes what a node's object names now.
    pub(crate) fn name(&mut self, node: &NodeId, object: &Object) {
        self.forget(node);
        let mut found = BTreeSet::new();
        if let Some(spec) = object.get("/spec") {
            collect(spec, &node.name.namespace, &mut found);
        }
        for input in &found {
            let by = self.named_by.entry(input.clone()).or_default();
            by.insert(node.clone());
        }
        if !found.is_empty() {
            self.names.insert(node.clone(), found);
        }
    }

    /// The node is gone.
    pub(crate) fn forget(&mut self, node: &NodeId) {
        for input in self.names.remove(node).unwrap_or_default() {
            if let Some(by) = self.named_by.get_mut(&input) {
                by.remove(node);
                if by.is_empty() {
                    self.named_by.remove(&input);
                }
            }
        }
    }

    /// An input as it stands now. Gives the nodes that name it, if it is another than before.
    pub(crate) fn set(&mut self, input: InputId, version: &str) -> Vec<NodeId> {
        if self.versions.get(&input).map(Box::as_ref) == Some(version) {
            return Vec::new();
        }
        let named_by = self.named_by(&input);
        self.versions.insert(input, version.into());
        named_by
    }

    /// An input was deleted.
    pub(crate) fn delete(&mut self, input: &InputId) -> Vec<NodeId> {
        match self.versions.remove(input) {
            Some(_) => self.named_by(input),
            None => Vec::new(),
        }
    }

    /// All inputs of a kind. Gives the nodes that name one that is another than before, or gone.
    pub(crate) fn set_all(&mut self, kind: ConfigKind, objects: &[Object]) -> BTreeSet<NodeId> {
        let there = objects.iter().filter_map(|object| {
            let input = InputId::of(object).filter(|input| input.kind == kind)?;
            Some((input, object.resource_version()))
        });
        let there: HashMap<InputId, &str> = there.collect();
        let known = self.versions.keys();
        let gone = known.filter(|input| input.kind == kind && !there.contains_key(*input));
        let gone: Vec<InputId> = gone.cloned().collect();
        let mut changed = BTreeSet::new();
        for input in gone {
            changed.extend(self.delete(&input));
        }
        for (input, version) in there {
            changed.extend(self.set(input, version));
        }
        changed
    }

    fn named_by(&self, input: &InputId) -> Vec<NodeId> {
        let by = self.named_by.get(input).into_iter().flatten();
        by.cloned().collect()
    }
}

/// Finds references by how all kinds write them: `secretRef: {name}` and its like (`certSecretRef`, `configMapRef`), and
/// `{kind: ConfigMap, name}` as in `substituteFrom` and the inputs of a Pipeline. They stand for objects of the namespace of
/// who names them.
fn collect(value: &Value, namespace: &str, into: &mut BTreeSet<InputId>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, namespace, into)),
        Value::Object(fields) => {
            let mut found = |kind, of: &Value| {
                if let Some(name) = of.get("name").and_then(Value::as_str) {
                    let name = ObjectName::new(namespace, name);
                    into.insert(InputId { kind, name });
                }
            };
            let kind = fields.get("kind").and_then(Value::as_str);
            // With an apiVersion it is a reference to something else that is said in full, such as a health check.
            if let Some(kind) = kind.and_then(ConfigKind::of)
                && !fields.contains_key("apiVersion")
            {
                found(kind, value);
            }
            for (key, value) in fields {
                if key.ends_with("ecretRef") {
                    found(ConfigKind::Secret, value);
                } else if key == "configMapRef" {
                    found(ConfigKind::ConfigMap, value);
                }
            }
            for value in fields.values() {
                collect(value, namespace, into);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::node::NodeKind;

    fn object(kind: &str, name: &str, version: &str, spec: Value) -> Object {
        let api_version = if kind == "Kustomization" {
            "kustomize.toolkit.fluxcd.io/v1"
        } else {
            "v1"
        };
        Object::new(json!({"apiVersion": api_version, "kind": kind,
            "metadata": {"namespace": "a", "name": name, "resourceVersion": version}, "spec": spec}))
        .unwrap()
    }

    fn unit(name: &str) -> NodeId {
        NodeId::new(NodeKind::Kustomization, "a", name)
    }

    fn input(kind: ConfigKind, name: &str) -> InputId {
        let name = ObjectName::new("a", name);
        InputId { kind, name }
    }

    #[test]
    fn a_change_reaches_those_that_name_it() {
        let mut inputs = Inputs::default();
        let spec = json!({
            "decryption": {"provider": "sops", "secretRef": {"name": "keys"}},
            "kubeConfig": {"configMapRef": {"name": "cluster"}},
            "postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "settings"}, {"kind": "Secret", "name": "more"}]},
            "healthChecks": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "not-this"}],
        });
        inputs.name(&unit("apps"), &object("Kustomization", "apps", "1", spec));
        let reached = |inputs: &mut Inputs, kind, name: &str, version| {
            !inputs.set(input(kind, name), version).is_empty()
        };
        for (kind, name, named) in [
            (ConfigKind::Secret, "keys", true),
            (ConfigKind::ConfigMap, "keys", false),
            (ConfigKind::ConfigMap, "cluster", true),
            (ConfigKind::ConfigMap, "settings", true),
            (ConfigKind::Secret, "more", true),
            (ConfigKind::ConfigMap, "not-this", false),
        ] {
            assert_eq!(reached(&mut inputs, kind, name, "1"), named, "{name}");
            assert!(!reached(&mut inputs, kind, name, "1"), "{name} is the same");
            assert_eq!(reached(&mut inputs, kind, name, "2"), named, "{name}");
        }
        let keys = input(ConfigKind::Secret, "keys");
        assert_eq!(inputs.delete(&keys), [unit("apps")]);
        assert!(inputs.delete(&keys).is_empty());

        let other = json!({"decryption": {"secretRef": {"name": "other"}}});
        inputs.name(&unit("apps"), &object("Kustomization", "apps", "2", other));
        assert!(!reached(&mut inputs, ConfigKind::Secret, "more", "3"));
        assert!(reached(&mut inputs, ConfigKind::Secret, "other", "1"));
        inputs.forget(&unit("apps"));
        assert!(!reached(&mut inputs, ConfigKind::Secret, "other", "2"));
        assert!(inputs.named_by.is_empty() && inputs.names.is_empty());
    }

    #[test]
    fn a_list_tells_what_a_broken_watch_has_missed() {
        let mut inputs = Inputs::default();
        for name in ["same", "changed", "gone", "new"] {
            let spec = json!({"inputs": {"values": {"kind": "ConfigMap", "name": name}}});
            inputs.name(&unit(name), &object("Kustomization", name, "1", spec));
        }
        let map = |name, version| object("ConfigMap", name, version, Value::Null);
        let before = [map("same", "1"), map("changed", "1"), map("gone", "1")];
        assert_eq!(inputs.set_all(ConfigKind::ConfigMap, &before).len(), 3);
        inputs.set(input(ConfigKind::Secret, "gone"), "1");

        let after = [map("same", "1"), map("changed", "2"), map("new", "3")];
        let reached = inputs.set_all(ConfigKind::ConfigMap, &after);
        assert_eq!(
            reached,
            BTreeSet::from(["changed", "gone", "new"].map(unit))
        );
        assert_eq!(
            inputs.versions.len(),
            4,
            "Secrets are not in a list of ConfigMaps"
        );
    }
}
