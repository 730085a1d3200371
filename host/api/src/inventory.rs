//! What a unit has applied, as Flux keeps it in a status: ids of objects and their versions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Gvk, ObjectKey};

/// The inventory of a unit, in the order in which the objects were applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Inventory {
    pub entries: Vec<InventoryEntry>,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct InventoryEntry {
    /// `<namespace>_<name>_<group>_<kind>`
    pub id: String,
    /// The version of the API through which it was applied.
    pub v: String,
}

/// The id has not the form `<namespace>_<name>_<group>_<kind>`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the inventory entry {0:?} is not of the form <namespace>_<name>_<group>_<kind>")]
pub struct InventoryError(String);

impl InventoryEntry {
    pub fn of(key: &ObjectKey) -> Self {
        Self {
            id: id(key),
            v: key.gvk.version.clone(),
        }
    }

    pub fn key(&self) -> Result<ObjectKey, InventoryError> {
        let bad = || InventoryError(self.id.clone());
        let (namespace, rest) = self.id.split_once('_').ok_or_else(bad)?;
        let (rest, kind) = rest.rsplit_once('_').ok_or_else(bad)?;
        let (name, group) = rest.rsplit_once('_').ok_or_else(bad)?;
        if name.is_empty() || kind.is_empty() {
            return Err(bad());
        }
        let name = name.replace("__", ":");
        Ok(ObjectKey::new(
            Gvk::new(group, self.v.clone(), kind),
            namespace,
            name,
        ))
    }
}

/// The id of an object. Names of RBAC kinds may contain colons, which are written as two underscores.
pub fn id(key: &ObjectKey) -> String {
    let name = match key.gvk.kind.as_str() {
        "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding" => {
            key.name.name.replace(':', "__")
        }
        _ => key.name.name.clone(),
    };
    format!(
        "{}_{}_{}_{}",
        key.name.namespace, name, key.gvk.group, key.gvk.kind
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_flux() {
        for (gvk, namespace, name, id) in [
            (
                Gvk::new("apps", "v1", "Deployment"),
                "default",
                "web",
                "default_web_apps_Deployment",
            ),
            (
                Gvk::new("", "v1", "Service"),
                "default",
                "web",
                "default_web__Service",
            ),
            (
                Gvk::new("", "v1", "Namespace"),
                "",
                "apps",
                "_apps__Namespace",
            ),
            (
                Gvk::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
                "",
                "foos.example.com",
                "_foos.example.com_apiextensions.k8s.io_CustomResourceDefinition",
            ),
            (
                Gvk::new("rbac.authorization.k8s.io", "v1", "ClusterRole"),
                "",
                "system:foo",
                "_system__foo_rbac.authorization.k8s.io_ClusterRole",
            ),
        ] {
            let key = ObjectKey::new(gvk, namespace, name);
            let entry = InventoryEntry::of(&key);
            assert_eq!(entry.id, id);
            assert_eq!(entry.key(), Ok(key));
        }
    }

    #[test]
    fn broken_ids_are_refused() {
        for id in ["", "a", "a_b", "a_b_c", "___", "a___B"] {
            assert!(
                InventoryEntry {
                    id: id.into(),
                    v: "v1".into()
                }
                .key()
                .is_err(),
                "{id}"
            );
        }
    }
}
