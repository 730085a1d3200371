//! The order of objects in the output.

use std::collections::HashMap;

use crate::id::Gvk;
use crate::resource::Resource;

/// Kinds that come first.
const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that come last.
const LAST: [&str; 2] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

/// What comes before what.
#[derive(Debug)]
pub(crate) struct Ranks {
    /// Ranks of kinds; 0 for what is not listed.
    ranks: HashMap<String, i64>,
}

impl Default for Ranks {
    fn default() -> Self {
        Self::new(
            FIRST.iter().map(|kind| (*kind).to_owned()),
            LAST.iter().map(|kind| (*kind).to_owned()),
        )
    }
}

impl Ranks {
    pub(crate) fn new(
        first: impl ExactSizeIterator<Item = String>,
        last: impl Iterator<Item = String>,
    ) -> Self {
        let count = first.len() as i64;
        let mut ranks: HashMap<String, i64> = first
            .enumerate()
            .map(|(at, kind)| (kind, at as i64 - count))
            .collect();
        ranks.extend(last.enumerate().map(|(at, kind)| (kind, at as i64 + 1)));
        Self { ranks }
    }

    /// A key by which types are sorted.
    pub(crate) fn key(&self, gvk: &Gvk) -> (i64, String) {
        (self.rank(&gvk.kind), gvk.sort_key())
    }

    fn rank(&self, kind: &str) -> i64 {
        self.ranks.get(kind).copied().unwrap_or(0)
    }

    /// Sorts objects by kind, then by type, then by namespace and name.
    pub(crate) fn sort(&self, resources: &mut Vec<Resource>) {
        let mut keyed: Vec<(Key, Resource)> = std::mem::take(resources)
            .into_iter()
            .map(|resource| (self.full_key(&resource), resource))
            .collect();
        keyed.sort_by(|a, b| a.0.compare(&b.0));
        resources.extend(keyed.into_iter().map(|(_, resource)| resource));
    }

    fn full_key(&self, resource: &Resource) -> Key {
        let id = resource.id();
        let namespace = if id.namespace.is_empty() {
            "~X"
        } else {
            &id.namespace
        };
        let name = if id.name.is_empty() { "~N" } else { &id.name };
        Key {
            rank: self.rank(&id.gvk.kind),
            gvk: id.gvk.sort_key(),
            core_namespace: id.gvk.kind == "Namespace" && id.gvk.group.is_empty(),
            namespace_kind: id.gvk.kind == "Namespace",
            id: format!("{}|{namespace}|{name}", id.gvk),
        }
    }
}

struct Key {
    rank: i64,
    gvk: String,
    namespace_kind: bool,
    core_namespace: bool,
    id: String,
}

impl Key {
    fn compare(&self, other: &Key) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank).then_with(|| {
            if self.gvk == other.gvk {
                return self.id.cmp(&other.id);
            }
            let order = self.gvk.cmp(&other.gvk);
            // Namespaces of the core group come before those of other groups.
            let turned = self.namespace_kind
                && other.namespace_kind
                && (self.core_namespace || other.core_namespace);
            if turned { order.reverse() } else { order }
        })
    }
}
