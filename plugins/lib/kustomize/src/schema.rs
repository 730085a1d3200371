//! What is known about types: which lists merge by which keys, and which kinds have no namespace.
//!
//! kustomize takes this from the OpenAPI document of Kubernetes 1.21.2 whatever the cluster runs, so kinds and versions that are
//! newer than that merge like custom resources. The document's part that matters is a static table; `openapi.path` adds
//! to it or takes its place.

mod custom;
mod tables;

use std::cell::{Cell, RefCell};

use weir_k8s_yaml::Text;

use self::custom::CustomTypes;
use crate::error::{Error, Problem, Result};
use crate::id::Gvk;

/// The place of a missing type.
const NONE: u16 = u16::MAX;

/// The only version of the built-in document.
const BUILT_IN_VERSION: &str = "v1.21.2";

/// A map or a list of the built-in document.
struct Type {
    merge: bool,
    keys: &'static [&'static str],
    items: u16,
    values: u16,
    fields: &'static [(&'static str, u16)],
}

/// A type, to be asked about by [`Schemas`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TypeRef {
    BuiltIn(u16),
    Custom(u32),
}

/// The types that a build knows. It is set once per build: the first kustomization that has an `openapi` field decides.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    custom: RefCell<Option<CustomTypes>>,
    /// Whether the field was seen.
    chosen: Cell<bool>,
    /// Whether the built-in types were needed before custom ones came; if so, they count beside those.
    built_in: Cell<BuiltIn>,
}

/// What the built-in types were needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum BuiltIn {
    /// Nothing so far.
    #[default]
    Unused,
    /// The scope of a kind that is not in the fixed list. The original then reads them later, over custom ones.
    Scope,
    /// A type. They are read, and custom ones come over them.
    Types,
}

impl Schemas {
    /// Types for a build as Flux does it, which has the built-in ones loaded from the start.
    pub(crate) fn preloaded() -> Self {
        let schemas = Self::default();
        schemas.built_in.set(BuiltIn::Types);
        schemas
    }

    /// Takes the `openapi` field of a kustomization. `root` is the one that the build began with.
    pub(crate) fn choose(
        &self,
        version: Option<&str>,
        file: Option<(&str, &[u8])>,
        root: bool,
    ) -> Result<()> {
        if self.chosen.get() && !root {
            return Ok(());
        }
        match (version, file) {
            (Some(_), Some(_)) => return Err(Error::new(Problem::OpenApiBoth)),
            (Some(version), None) if version != BUILT_IN_VERSION && !version.is_empty() => {
                return Err(Error::new(Problem::OpenApiVersion(version.to_owned()))
                    .help(format!("the only built-in version is {BUILT_IN_VERSION}")));
            }
            (Some(version), None) => self.chosen.set(!version.is_empty()),
            (None, Some((name, content))) => {
                *self.custom.borrow_mut() = Some(
                    CustomTypes::read(content, self.built_in.get())
                        .map_err(|error| error.in_file(name))?,
                );
                self.chosen.set(true);
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// The type of an object.
    pub(crate) fn object(&self, api_version: &str, kind: &str) -> Option<TypeRef> {
        let custom = self.custom.borrow();
        let Some(custom) = &*custom else {
            self.built_in.set(BuiltIn::Types);
            return built_in_object(api_version, kind);
        };
        let own = || custom.object(api_version, kind).map(TypeRef::Custom);
        match self.built_in.get() {
            BuiltIn::Types => own().or_else(|| built_in_object(api_version, kind)),
            BuiltIn::Scope => built_in_object(api_version, kind).or_else(own),
            BuiltIn::Unused if api_version.starts_with("kustomize.config.k8s.io/") => {
                built_in_object(api_version, kind)
            }
            BuiltIn::Unused => own(),
        }
    }

    /// The type of a field of a map.
    pub(crate) fn field(&self, of: TypeRef, name: &str) -> Option<TypeRef> {
        match of {
            TypeRef::BuiltIn(at) => {
                let of = &tables::TYPES[usize::from(at)];
                match of.fields.binary_search_by(|field| field.0.cmp(name)) {
                    Ok(found) => known(of.fields[found].1),
                    Err(_) => known(of.values),
                }
            }
            TypeRef::Custom(at) => self.custom.borrow().as_ref()?.field(at, name),
        }
    }

    /// The type of the items of a list.
    pub(crate) fn items(&self, of: TypeRef) -> Option<TypeRef> {
        match of {
            TypeRef::BuiltIn(at) => known(tables::TYPES[usize::from(at)].items),
            TypeRef::Custom(at) => self.custom.borrow().as_ref()?.items(at),
        }
    }

    /// The keys by which items of a list are matched: none if the list is replaced as a whole, an empty list if its
    /// items are scalars.
    pub(crate) fn merge_keys(&self, of: TypeRef) -> Option<Vec<Text>> {
        match of {
            TypeRef::BuiltIn(at) => {
                let of = &tables::TYPES[usize::from(at)];
                of.merge
                    .then(|| of.keys.iter().map(|key| Text::new_static(key)).collect())
            }
            TypeRef::Custom(at) => self.custom.borrow().as_ref()?.merge_keys(at),
        }
    }

    /// Whether objects of this kind certainly have no namespace.
    pub(crate) fn cluster_scoped(&self, gvk: &Gvk) -> bool {
        if let Some(scope) = fixed_scope(&gvk.group, &gvk.version, &gvk.kind) {
            return scope == Scope::Cluster;
        }
        match &*self.custom.borrow() {
            Some(custom) => custom.cluster_scoped(&gvk.api_version(), &gvk.kind),
            None => {
                if self.built_in.get() == BuiltIn::Unused {
                    self.built_in.set(BuiltIn::Scope);
                }
                false
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    Cluster,
    Namespace,
}

/// The scope of the kinds of Kubernetes 1.21.
fn fixed_scope(group: &str, version: &str, kind: &str) -> Option<Scope> {
    let old = matches!(version, "v1" | "v1beta1");
    let cluster: &[&str] = match group {
        "" if version == "v1" => &[
            "ComponentStatus",
            "Namespace",
            "Node",
            "NodeProxyOptions",
            "PersistentVolume",
        ],
        "admissionregistration.k8s.io" if old => &[
            "MutatingWebhookConfiguration",
            "ValidatingWebhookConfiguration",
        ],
        "apiextensions.k8s.io" if old => &["CustomResourceDefinition"],
        "apiregistration.k8s.io" if old => &["APIService"],
        "certificates.k8s.io" if old => &["CertificateSigningRequest"],
        "flowcontrol.apiserver.k8s.io" if version == "v1beta1" => {
            &["FlowSchema", "PriorityLevelConfiguration"]
        }
        "networking.k8s.io" if old => &["IngressClass"],
        "node.k8s.io" if old => &["RuntimeClass"],
        "policy" if version == "v1beta1" => &["PodSecurityPolicy"],
        "rbac.authorization.k8s.io" if old => &["ClusterRole", "ClusterRoleBinding"],
        "scheduling.k8s.io" if old => &["PriorityClass"],
        "storage.k8s.io" if old => &["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"],
        _ => &[],
    };
    if cluster.contains(&kind) {
        return Some(Scope::Cluster);
    }
    NAMESPACED
        .contains(&(group, version, kind))
        .then_some(Scope::Namespace)
}

/// Kinds that certainly have a namespace. What is in neither list counts as having one too, but asking about it loads
/// the built-in types.
#[rustfmt::skip]
const NAMESPACED: [(&str, &str, &str); 46] = [
    ("", "v1", "ConfigMap"), ("", "v1", "Endpoints"), ("", "v1", "Event"), ("", "v1", "LimitRange"),
    ("", "v1", "PersistentVolumeClaim"), ("", "v1", "Pod"), ("", "v1", "PodAttachOptions"), ("", "v1", "PodExecOptions"),
    ("", "v1", "PodPortForwardOptions"), ("", "v1", "PodProxyOptions"), ("", "v1", "PodTemplate"),
    ("", "v1", "ReplicationController"), ("", "v1", "ResourceQuota"), ("", "v1", "Secret"), ("", "v1", "Service"),
    ("", "v1", "ServiceAccount"), ("", "v1", "ServiceProxyOptions"),
    ("apps", "v1", "ControllerRevision"), ("apps", "v1", "DaemonSet"), ("apps", "v1", "Deployment"),
    ("apps", "v1", "ReplicaSet"), ("apps", "v1", "StatefulSet"),
    ("autoscaling", "v1", "HorizontalPodAutoscaler"), ("autoscaling", "v1", "Scale"),
    ("autoscaling", "v2beta1", "HorizontalPodAutoscaler"), ("autoscaling", "v2beta2", "HorizontalPodAutoscaler"),
    ("batch", "v1", "CronJob"), ("batch", "v1", "Job"), ("batch", "v1beta1", "CronJob"),
    ("coordination.k8s.io", "v1", "Lease"), ("coordination.k8s.io", "v1beta1", "Lease"),
    ("discovery.k8s.io", "v1", "EndpointSlice"), ("discovery.k8s.io", "v1beta1", "EndpointSlice"),
    ("events.k8s.io", "v1", "Event"), ("events.k8s.io", "v1beta1", "Event"), ("extensions", "v1beta1", "Ingress"),
    ("networking.k8s.io", "v1", "Ingress"), ("networking.k8s.io", "v1", "NetworkPolicy"),
    ("networking.k8s.io", "v1beta1", "Ingress"), ("policy", "v1", "PodDisruptionBudget"),
    ("policy", "v1beta1", "PodDisruptionBudget"), ("rbac.authorization.k8s.io", "v1", "Role"),
    ("rbac.authorization.k8s.io", "v1", "RoleBinding"), ("rbac.authorization.k8s.io", "v1beta1", "Role"),
    ("rbac.authorization.k8s.io", "v1beta1", "RoleBinding"), ("storage.k8s.io", "v1beta1", "CSIStorageCapacity"),
];

fn built_in_object(api_version: &str, kind: &str) -> Option<TypeRef> {
    let at = tables::KINDS
        .binary_search_by(|row| (row.0, row.1).cmp(&(api_version, kind)))
        .ok()?;
    known(tables::KINDS[at].2)
}

/// The built-in type of a definition.
fn built_in_definition(name: &str) -> Option<TypeRef> {
    let at = tables::NAMES.binary_search_by(|row| row.0.cmp(name)).ok()?;
    known(tables::NAMES[at].1)
}

fn known(at: u16) -> Option<TypeRef> {
    (at != NONE).then_some(TypeRef::BuiltIn(at))
}

#[cfg(test)]
mod tests;
