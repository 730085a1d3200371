//! The order of an apply: stages, and kinds within a stage, as Flux has them.

use std::cmp::Ordering;

use weir_api::{Gvk, ObjectKey};

/// Stages are applied one after another; the next one starts when the objects of this one are there for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// CustomResourceDefinitions, Namespaces, ClusterRoles.
    Definitions,
    /// Kinds whose name ends in `Class`.
    Classes,
    Rest,
}

impl Stage {
    pub const ALL: [Self; 3] = [Self::Definitions, Self::Classes, Self::Rest];

    pub fn of(gvk: &Gvk) -> Self {
        let is =
            |group: &str, kind: &str| gvk.group == group && gvk.kind.eq_ignore_ascii_case(kind);
        if is("apiextensions.k8s.io", "CustomResourceDefinition")
            || is("", "Namespace")
            || is("rbac.authorization.k8s.io", "ClusterRole")
        {
            Self::Definitions
        } else if gvk.kind.ends_with("Class") {
            Self::Classes
        } else {
            Self::Rest
        }
    }
}

/// Kinds that come first within a stage, in this order. The group does not count.
const FIRST: [&str; 23] = [
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
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

/// The order within a stage.
pub fn compare(a: &ObjectKey, b: &ObjectKey) -> Ordering {
    rank(a)
        .cmp(&rank(b))
        .then_with(|| match rank(a) {
            Rank::Middle => (&a.gvk.group, &a.gvk.kind).cmp(&(&b.gvk.group, &b.gvk.kind)),
            Rank::First(_) | Rank::Last(_) => Ordering::Equal,
        })
        .then_with(|| a.name.cmp(&b.name))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    First(usize),
    Middle,
    Last(usize),
}

fn rank(key: &ObjectKey) -> Rank {
    let at = |list: &[&str]| list.iter().position(|kind| *kind == key.gvk.kind);
    match (at(&FIRST), at(&LAST)) {
        (Some(place), _) => Rank::First(place),
        (None, Some(place)) => Rank::Last(place),
        (None, None) => Rank::Middle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(api_version: &str, kind: &str, namespace: &str, name: &str) -> ObjectKey {
        ObjectKey::new(Gvk::from_api_version(api_version, kind), namespace, name)
    }

    #[test]
    fn definitions_come_before_classes_before_the_rest() {
        for (api_version, kind, stage) in [
            (
                "apiextensions.k8s.io/v1",
                "CustomResourceDefinition",
                Stage::Definitions,
            ),
            ("v1", "Namespace", Stage::Definitions),
            (
                "rbac.authorization.k8s.io/v1",
                "ClusterRole",
                Stage::Definitions,
            ),
            ("storage.k8s.io/v1", "StorageClass", Stage::Classes),
            ("example.com/v1", "MyClass", Stage::Classes),
            ("example.com/v1", "Namespace", Stage::Rest),
            ("v1", "ConfigMap", Stage::Rest),
            (
                "rbac.authorization.k8s.io/v1",
                "ClusterRoleBinding",
                Stage::Rest,
            ),
        ] {
            assert_eq!(
                Stage::of(&Gvk::from_api_version(api_version, kind)),
                stage,
                "{kind}"
            );
        }
    }

    #[test]
    fn within_a_stage_the_order_is_that_of_flux() {
        let mut keys = [
            key(
                "admissionregistration.k8s.io/v1",
                "ValidatingWebhookConfiguration",
                "",
                "w",
            ),
            key("example.com/v1", "Alpha", "a", "x"),
            key("batch/v1", "Job", "a", "x"),
            key("apps/v1", "Deployment", "a", "x"),
            key("v1", "Service", "b", "x"),
            key("v1", "Service", "a", "y"),
            key("v1", "Service", "a", "x"),
            key("v1", "ServiceAccount", "a", "x"),
            key("v1", "ConfigMap", "a", "x"),
        ];
        keys.sort_by(compare);
        let shown: Vec<_> = keys.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "ServiceAccount/a/x",
                "ConfigMap/a/x",
                "Service/a/x",
                "Service/a/y",
                "Service/b/x",
                "Deployment/a/x",
                "Job/a/x",
                "Alpha/a/x",
                "ValidatingWebhookConfiguration/w"
            ]
        );
    }
}
