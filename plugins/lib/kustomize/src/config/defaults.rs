//! The built-in field specs.

use super::{Config, NameReference, Specs, references};
use crate::field_spec::FieldSpec;
use crate::id::Gvk;
use crate::sort::Ranks;

/// Group, version, kind, path and whether to create.
type Row = (&'static str, &'static str, &'static str, &'static str, bool);

impl Config {
    /// What holds without any configuration.
    pub(crate) fn built_in() -> Self {
        let template: Vec<Row> = TEMPLATE_LABELS.to_vec();
        let mut labels: Vec<Row> = SELECTORS.to_vec();
        for kind in ["Deployment", "StatefulSet"] {
            labels.extend(AFFINITY.iter().map(|path| ("apps", "", kind, *path, false)));
        }
        labels.extend(&template);
        Self {
            name_prefix: sorted(&[NAME]),
            name_suffix: sorted(&[NAME]),
            namespace: sorted(&NAMESPACE),
            common_labels: sorted(&labels),
            labels: Specs::default(),
            template_labels: sorted(&template),
            common_annotations: sorted(&ANNOTATIONS),
            name_reference: name_references(),
            var_reference: sorted(&references::vars()),
            images: sorted(&IMAGES),
            replicas: sorted(&REPLICAS),
        }
    }
}

fn name_references() -> Vec<NameReference> {
    let ranks = Ranks::default();
    let mut all: Vec<NameReference> = references::names()
        .into_iter()
        .map(|(target, rows)| NameReference {
            target,
            referrers: rows.iter().map(spec).collect::<Specs>().settled(),
        })
        .collect();
    all.sort_by_cached_key(|reference| ranks.key(&reference.target));
    all
}

fn sorted(rows: &[Row]) -> Specs {
    let ranks = Ranks::default();
    let mut specs: Vec<FieldSpec> = rows.iter().map(spec).collect();
    specs.sort_by_cached_key(|spec| ranks.key(&spec.gvk));
    specs.into_iter().collect::<Specs>().settled()
}

fn spec(&(group, version, kind, path, create): &Row) -> FieldSpec {
    FieldSpec::new(
        Gvk {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        },
        path,
        create,
    )
}

const NAME: Row = ("", "", "", "metadata/name", false);

const NAMESPACE: [Row; 3] = [
    ("", "", "Namespace", "metadata/name", true),
    (
        "apiregistration.k8s.io",
        "",
        "APIService",
        "spec/service/namespace",
        true,
    ),
    (
        "apiextensions.k8s.io",
        "",
        "CustomResourceDefinition",
        "spec/conversion/webhook/clientConfig/service/namespace",
        false,
    ),
];

const SELECTORS: [Row; 12] = [
    ("", "v1", "Service", "spec/selector", true),
    ("", "v1", "ReplicationController", "spec/selector", true),
    ("", "", "Deployment", "spec/selector/matchLabels", true),
    ("", "", "ReplicaSet", "spec/selector/matchLabels", true),
    ("", "", "DaemonSet", "spec/selector/matchLabels", true),
    ("apps", "", "StatefulSet", "spec/selector/matchLabels", true),
    ("batch", "", "Job", "spec/selector/matchLabels", false),
    (
        "batch",
        "",
        "CronJob",
        "spec/jobTemplate/spec/selector/matchLabels",
        false,
    ),
    (
        "policy",
        "",
        "PodDisruptionBudget",
        "spec/selector/matchLabels",
        false,
    ),
    (
        "networking.k8s.io",
        "",
        "NetworkPolicy",
        "spec/podSelector/matchLabels",
        false,
    ),
    (
        "networking.k8s.io",
        "",
        "NetworkPolicy",
        "spec/ingress/from/podSelector/matchLabels",
        false,
    ),
    (
        "networking.k8s.io",
        "",
        "NetworkPolicy",
        "spec/egress/to/podSelector/matchLabels",
        false,
    ),
];

const AFFINITY: [&str; 5] = [
    "spec/template/spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "spec/template/spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "spec/template/spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "spec/template/spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels",
];

const TEMPLATE_LABELS: [Row; 10] = [
    ("", "", "", "metadata/labels", true),
    (
        "",
        "v1",
        "ReplicationController",
        "spec/template/metadata/labels",
        true,
    ),
    ("", "", "Deployment", "spec/template/metadata/labels", true),
    ("", "", "ReplicaSet", "spec/template/metadata/labels", true),
    ("", "", "DaemonSet", "spec/template/metadata/labels", true),
    (
        "apps",
        "",
        "StatefulSet",
        "spec/template/metadata/labels",
        true,
    ),
    (
        "apps",
        "",
        "StatefulSet",
        "spec/volumeClaimTemplates[]/metadata/labels",
        true,
    ),
    ("batch", "", "Job", "spec/template/metadata/labels", true),
    (
        "batch",
        "",
        "CronJob",
        "spec/jobTemplate/metadata/labels",
        true,
    ),
    (
        "batch",
        "",
        "CronJob",
        "spec/jobTemplate/spec/template/metadata/labels",
        true,
    ),
];

const ANNOTATIONS: [Row; 9] = [
    ("", "", "", "metadata/annotations", true),
    (
        "",
        "v1",
        "ReplicationController",
        "spec/template/metadata/annotations",
        true,
    ),
    (
        "",
        "",
        "Deployment",
        "spec/template/metadata/annotations",
        true,
    ),
    (
        "",
        "",
        "ReplicaSet",
        "spec/template/metadata/annotations",
        true,
    ),
    (
        "",
        "",
        "DaemonSet",
        "spec/template/metadata/annotations",
        true,
    ),
    (
        "",
        "",
        "StatefulSet",
        "spec/template/metadata/annotations",
        true,
    ),
    (
        "batch",
        "",
        "Job",
        "spec/template/metadata/annotations",
        true,
    ),
    (
        "batch",
        "",
        "CronJob",
        "spec/jobTemplate/metadata/annotations",
        true,
    ),
    (
        "batch",
        "",
        "CronJob",
        "spec/jobTemplate/spec/template/metadata/annotations",
        true,
    ),
];

const IMAGES: [Row; 6] = [
    ("", "", "", "spec/containers[]/image", true),
    ("", "", "", "spec/initContainers[]/image", true),
    ("", "", "", "spec/volumes[]/image/reference", true),
    ("", "", "", "spec/template/spec/containers[]/image", true),
    (
        "",
        "",
        "",
        "spec/template/spec/initContainers[]/image",
        true,
    ),
    (
        "",
        "",
        "",
        "spec/template/spec/volumes[]/image/reference",
        true,
    ),
];

const REPLICAS: [Row; 4] = [
    ("", "", "Deployment", "spec/replicas", true),
    ("", "", "ReplicationController", "spec/replicas", true),
    ("", "", "ReplicaSet", "spec/replicas", true),
    ("", "", "StatefulSet", "spec/replicas", true),
];
