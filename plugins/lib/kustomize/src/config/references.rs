//! Where the built-in kinds name other objects, and where vars are looked for.
//!
//! The gaps are kustomize's: a ReplicationController names no ConfigMap, nothing looks at `ephemeralContainers`, and the group of
//! IngressClass is a text that no object has.

use crate::id::Gvk;

type Row = (&'static str, &'static str, &'static str, &'static str, bool);

/// The kinds with a pod in them and the way to it, where ConfigMaps and Secrets are named.
const PODS: [(&str, &str, PodPath); 8] = [
    ("v1", "Pod", PodPath::Pod),
    ("", "PodTemplate", PodPath::PodTemplate),
    ("", "Deployment", PodPath::Template),
    ("", "ReplicaSet", PodPath::Template),
    ("", "DaemonSet", PodPath::Template),
    ("", "StatefulSet", PodPath::Template),
    ("", "Job", PodPath::Template),
    ("", "CronJob", PodPath::JobTemplate),
];

/// The kinds with a pod in them, where ServiceAccounts, claims and priorities are named.
const WORKLOADS: [(&str, PodPath); 7] = [
    ("Pod", PodPath::Pod),
    ("StatefulSet", PodPath::Template),
    ("Deployment", PodPath::Template),
    ("ReplicationController", PodPath::Template),
    ("CronJob", PodPath::JobTemplate),
    ("Job", PodPath::Template),
    ("DaemonSet", PodPath::Template),
];

/// The way to the spec of a pod.
#[derive(Debug, Clone, Copy)]
enum PodPath {
    Pod,
    PodTemplate,
    Template,
    JobTemplate,
}

/// One path below each way to a pod.
macro_rules! below {
    ($($rest:literal),+ $(,)?) => {
        [$(|way: PodPath| match way {
            PodPath::Pod => concat!("spec/", $rest),
            PodPath::PodTemplate => concat!("template/spec/", $rest),
            PodPath::Template => concat!("spec/template/spec/", $rest),
            PodPath::JobTemplate => concat!("spec/jobTemplate/spec/template/spec/", $rest),
        }),+]
    };
}

/// The kinds that are named, each with the fields that name it.
pub(super) fn names() -> Vec<(Gvk, Vec<Row>)> {
    const RBAC: &str = "rbac.authorization.k8s.io";
    let core = |kind: &str| Gvk::new("v1", kind);
    let any = Gvk::of_kind;
    let group = |group: &str, kind: &str| Gvk {
        group: group.into(),
        ..Gvk::of_kind(kind)
    };
    let scaled = || vec![row("HorizontalPodAutoscaler", "spec/scaleTargetRef/name")];
    let workloads = |path: fn(PodPath) -> &'static str| -> Vec<Row> {
        WORKLOADS
            .iter()
            .map(|(kind, way)| row(kind, path(*way)))
            .collect()
    };
    let [account, claim, priority] = below![
        "serviceAccountName",
        "volumes/persistentVolumeClaim/claimName",
        "priorityClassName"
    ];
    vec![
        (any("Deployment"), scaled()),
        (any("ReplicationController"), scaled()),
        (any("ReplicaSet"), scaled()),
        (any("StatefulSet"), scaled()),
        (core("ConfigMap"), config_maps()),
        (core("Secret"), secrets()),
        (core("Service"), SERVICES.to_vec()),
        (
            group(RBAC, "Role"),
            vec![(RBAC, "", "RoleBinding", "roleRef/name", false)],
        ),
        (
            group(RBAC, "ClusterRole"),
            vec![
                (RBAC, "", "RoleBinding", "roleRef/name", false),
                (RBAC, "", "ClusterRoleBinding", "roleRef/name", false),
            ],
        ),
        (core("ServiceAccount"), {
            let mut rows = vec![
                (RBAC, "", "RoleBinding", "subjects", false),
                (RBAC, "", "ClusterRoleBinding", "subjects", false),
            ];
            rows.extend(workloads(account));
            rows
        }),
        (core("PersistentVolumeClaim"), workloads(claim)),
        (
            core("PersistentVolume"),
            vec![
                row("PersistentVolumeClaim", "spec/volumeName"),
                row("ClusterRole", "rules/resourceNames"),
            ],
        ),
        (
            Gvk::new("storage.k8s.io/v1", "StorageClass"),
            vec![
                row("PersistentVolume", "spec/storageClassName"),
                row("PersistentVolumeClaim", "spec/storageClassName"),
                row(
                    "StatefulSet",
                    "spec/volumeClaimTemplates/spec/storageClassName",
                ),
            ],
        ),
        (
            Gvk::new("scheduling.k8s.io/v1", "PriorityClass"),
            workloads(priority),
        ),
        (
            Gvk {
                group: "networking.k8s.io/v1".into(),
                version: "v1".into(),
                kind: "IngressClass".into(),
            },
            vec![row("Ingress", "spec/ingressClassName")],
        ),
        (
            group("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
            vec![(
                "admissionregistration.k8s.io",
                "",
                "ValidatingAdmissionPolicyBinding",
                "spec/policyName",
                false,
            )],
        ),
    ]
}

fn config_maps() -> Vec<Row> {
    let paths = below![
        "volumes/configMap/name",
        "containers/env/valueFrom/configMapKeyRef/name",
        "initContainers/env/valueFrom/configMapKeyRef/name",
        "containers/envFrom/configMapRef/name",
        "initContainers/envFrom/configMapRef/name",
        "volumes/projected/sources/configMap/name",
    ];
    let mut rows = pods(&paths);
    rows.extend([
        row("Node", "spec/configSource/configMap"),
        row("Role", "rules/resourceNames"),
        row("ClusterRole", "rules/resourceNames"),
        row(
            "Ingress",
            r"metadata/annotations/nginx.ingress.kubernetes.io\/fastcgi-params-configmap",
        ),
    ]);
    rows
}

fn secrets() -> Vec<Row> {
    let paths = below![
        "volumes/secret/secretName",
        "containers/env/valueFrom/secretKeyRef/name",
        "initContainers/env/valueFrom/secretKeyRef/name",
        "containers/envFrom/secretRef/name",
        "initContainers/envFrom/secretRef/name",
        "imagePullSecrets/name",
        "volumes/projected/sources/secret/name",
    ];
    let mut rows = pods(&paths);
    rows.extend([
        row("Ingress", "spec/tls/secretName"),
        row(
            "Ingress",
            r"metadata/annotations/ingress.kubernetes.io\/auth-secret",
        ),
        row(
            "Ingress",
            r"metadata/annotations/nginx.ingress.kubernetes.io\/auth-secret",
        ),
        row(
            "Ingress",
            r"metadata/annotations/nginx.ingress.kubernetes.io\/auth-tls-secret",
        ),
        row("ServiceAccount", "imagePullSecrets/name"),
        row("StorageClass", "parameters/secretName"),
        row("StorageClass", "parameters/adminSecretName"),
        row("StorageClass", "parameters/userSecretName"),
        row("StorageClass", "parameters/secretRef"),
        row("Role", "rules/resourceNames"),
        row("ClusterRole", "rules/resourceNames"),
        (
            "serving.knative.dev",
            "v1",
            "Service",
            "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
            false,
        ),
        row("PersistentVolume", "spec/azureFile/secretName"),
    ]);
    rows
}

const SERVICES: [Row; 8] = [
    ("apps", "", "StatefulSet", "spec/serviceName", false),
    row("Ingress", "spec/rules/http/paths/backend/serviceName"),
    row("Ingress", "spec/backend/serviceName"),
    row("Ingress", "spec/rules/http/paths/backend/service/name"),
    row("Ingress", "spec/defaultBackend/service/name"),
    (
        "apiregistration.k8s.io",
        "",
        "APIService",
        "spec/service/name",
        false,
    ),
    (
        "admissionregistration.k8s.io",
        "",
        "ValidatingWebhookConfiguration",
        "webhooks/clientConfig/service",
        false,
    ),
    (
        "admissionregistration.k8s.io",
        "",
        "MutatingWebhookConfiguration",
        "webhooks/clientConfig/service",
        false,
    ),
];

/// Where vars are looked for.
pub(super) fn vars() -> Vec<Row> {
    let paths = below![
        "containers/args",
        "containers/command",
        "containers/env/value",
        "containers/volumeMounts/mountPath",
        "initContainers/args",
        "initContainers/command",
        "initContainers/env/value",
        "initContainers/volumeMounts/mountPath",
    ];
    let mut rows = Vec::new();
    for (kind, way) in [
        ("CronJob", PodPath::JobTemplate),
        ("DaemonSet", PodPath::Template),
        ("Deployment", PodPath::Template),
        ("Job", PodPath::Template),
        ("Pod", PodPath::Pod),
        ("ReplicaSet", PodPath::Template),
        ("StatefulSet", PodPath::Template),
    ] {
        rows.extend(paths.iter().map(|path| row(kind, path(way))));
    }
    rows.extend([
        row(
            "CronJob",
            "spec/jobTemplate/spec/template/volumes/nfs/server",
        ),
        row("DaemonSet", "spec/template/spec/volumes/nfs/server"),
        row("Deployment", "spec/template/spec/volumes/nfs/server"),
        row("Deployment", "spec/template/metadata/annotations"),
        row("Ingress", "spec/rules/host"),
        row("Ingress", "spec/tls/hosts"),
        row("Ingress", "spec/tls/secretName"),
        row("Job", "spec/template/spec/volumes/nfs/server"),
        row("Pod", "spec/volumes/nfs/server"),
        row("ReplicaSet", "spec/template/spec/volumes/nfs/server"),
        row("Service", "spec/ports/port"),
        row("Service", "spec/ports/targetPort"),
        row("StatefulSet", "spec/volumeClaimTemplates/spec/nfs/server"),
        row("PersistentVolume", "spec/nfs/server"),
        row("", "metadata/labels"),
        row("", "metadata/annotations"),
    ]);
    rows
}

fn pods(paths: &[fn(PodPath) -> &'static str]) -> Vec<Row> {
    PODS.iter()
        .flat_map(|(version, kind, way)| {
            paths
                .iter()
                .map(move |path| ("", *version, *kind, path(*way), false))
        })
        .collect()
}

const fn row(kind: &'static str, path: &'static str) -> Row {
    ("", "", kind, path, false)
}
