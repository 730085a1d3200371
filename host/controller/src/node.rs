//! The nodes of the graph: sources, units and plugins.

use std::fmt;

use weir_api::kustomize::Kustomization;
use weir_api::names;
use weir_api::reference::{DependencyReference, SourceReference};
use weir_api::source::{
    Bucket, ExternalArtifact, GitRepository, HelmChart, HelmRepository, OCIRepository,
};
use weir_api::weir::{Pipeline, Plugin};
use weir_api::{Gvk, Object, ObjectKey, ObjectName};

/// The kinds that are reconciled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    GitRepository,
    HelmRepository,
    HelmChart,
    OCIRepository,
    Bucket,
    ExternalArtifact,
    Plugin,
    Kustomization,
    Pipeline,
}

/// Names a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId {
    pub kind: NodeKind,
    pub name: ObjectName,
}

/// An object of one of the kinds, read as its type.
#[derive(Clone, Debug)]
pub enum Typed {
    GitRepository(Box<GitRepository>),
    HelmRepository(Box<HelmRepository>),
    HelmChart(Box<HelmChart>),
    OCIRepository(Box<OCIRepository>),
    Bucket(Box<Bucket>),
    ExternalArtifact(Box<ExternalArtifact>),
    Plugin(Box<Plugin>),
    Kustomization(Box<Kustomization>),
    Pipeline(Box<Pipeline>),
}

impl NodeKind {
    pub const ALL: [Self; 9] = [
        Self::GitRepository,
        Self::HelmRepository,
        Self::HelmChart,
        Self::OCIRepository,
        Self::Bucket,
        Self::ExternalArtifact,
        Self::Plugin,
        Self::Kustomization,
        Self::Pipeline,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::GitRepository => "GitRepository",
            Self::HelmRepository => "HelmRepository",
            Self::HelmChart => "HelmChart",
            Self::OCIRepository => "OCIRepository",
            Self::Bucket => "Bucket",
            Self::ExternalArtifact => "ExternalArtifact",
            Self::Plugin => "Plugin",
            Self::Kustomization => "Kustomization",
            Self::Pipeline => "Pipeline",
        }
    }

    pub fn gvk(self) -> Gvk {
        let api_version = match self {
            Self::GitRepository
            | Self::HelmRepository
            | Self::HelmChart
            | Self::OCIRepository
            | Self::Bucket
            | Self::ExternalArtifact => names::SOURCE_V1,
            Self::Kustomization => names::KUSTOMIZE_V1,
            Self::Plugin | Self::Pipeline => names::WEIR_V1ALPHA1,
        };
        Gvk::from_api_version(api_version, self.as_str())
    }

    pub fn of(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == kind)
    }

    /// Whether nodes of this kind yield manifests.
    pub fn is_unit(self) -> bool {
        matches!(self, Self::Kustomization | Self::Pipeline)
    }

    /// Whether nodes of this kind yield trees.
    pub fn is_source(self) -> bool {
        matches!(
            self,
            Self::GitRepository
                | Self::HelmRepository
                | Self::HelmChart
                | Self::OCIRepository
                | Self::Bucket
                | Self::ExternalArtifact
        )
    }

    /// The field manager that writes its status.
    pub(crate) fn status_manager(self) -> &'static str {
        match self {
            Self::GitRepository
            | Self::HelmRepository
            | Self::HelmChart
            | Self::OCIRepository
            | Self::Bucket
            | Self::ExternalArtifact => names::SOURCE_STATUS_MANAGER,
            Self::Kustomization => names::KUSTOMIZE_STATUS_MANAGER,
            Self::Plugin | Self::Pipeline => names::WEIR_STATUS_MANAGER,
        }
    }
}

impl NodeId {
    pub fn new(kind: NodeKind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: ObjectName::new(namespace, name),
        }
    }

    /// The node that an object is, if it is of a kind that is reconciled.
    pub fn of(object: &Object) -> Option<Self> {
        let kind = NodeKind::of(object.kind())?;
        (kind.gvk() == object.gvk()).then(|| Self {
            kind,
            name: object.key().name,
        })
    }

    pub fn key(&self) -> ObjectKey {
        ObjectKey {
            gvk: self.kind.gvk(),
            name: self.name.clone(),
        }
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.name)
    }
}

impl Typed {
    /// The error says which field is not as the kind wants it.
    pub fn read(kind: NodeKind, object: &Object) -> Result<Self, serde_json::Error> {
        let value = object.value().clone();
        Ok(match kind {
            NodeKind::GitRepository => Self::GitRepository(serde_json::from_value(value)?),
            NodeKind::HelmRepository => Self::HelmRepository(serde_json::from_value(value)?),
            NodeKind::HelmChart => Self::HelmChart(serde_json::from_value(value)?),
            NodeKind::OCIRepository => Self::OCIRepository(serde_json::from_value(value)?),
            NodeKind::Bucket => Self::Bucket(serde_json::from_value(value)?),
            NodeKind::ExternalArtifact => Self::ExternalArtifact(serde_json::from_value(value)?),
            NodeKind::Plugin => Self::Plugin(serde_json::from_value(value)?),
            NodeKind::Kustomization => Self::Kustomization(serde_json::from_value(value)?),
            NodeKind::Pipeline => Self::Pipeline(serde_json::from_value(value)?),
        })
    }

    /// The sources that its work starts from, the unit's own first.
    pub fn sources(&self, namespace: &str) -> Vec<NodeId> {
        let node = |reference: &SourceReference| {
            let namespace = reference.namespace.as_deref().unwrap_or(namespace);
            NodeKind::of(reference.kind.as_str())
                .map(|kind| NodeId::new(kind, namespace, &reference.name))
        };
        match self {
            Self::GitRepository(object) => {
                let include = object.spec.include.iter();
                include
                    .map(|one| {
                        NodeId::new(NodeKind::GitRepository, namespace, &one.repository.name)
                    })
                    .collect()
            }
            Self::HelmChart(object) => {
                let reference = &object.spec.source_ref;
                NodeKind::of(reference.kind.as_str())
                    .map(|kind| NodeId::new(kind, namespace, &reference.name))
                    .into_iter()
                    .collect()
            }
            Self::HelmRepository(_)
            | Self::OCIRepository(_)
            | Self::Bucket(_)
            | Self::ExternalArtifact(_) => Vec::new(),
            Self::Plugin(plugin) => {
                let reference = &plugin.spec.component.source_ref;
                let kind = NodeKind::of(reference.kind.as_str());
                kind.map(|kind| NodeId::new(kind, &reference.namespace, &reference.name))
                    .into_iter()
                    .collect()
            }
            Self::Kustomization(object) => node(&object.spec.source_ref).into_iter().collect(),
            Self::Pipeline(object) => {
                let steps = object
                    .spec
                    .steps
                    .iter()
                    .flat_map(|step| step.trees.values());
                std::iter::once(&object.spec.source_ref)
                    .chain(steps)
                    .filter_map(node)
                    .collect()
            }
        }
    }

    /// The plugins that it names.
    pub fn plugins(&self) -> Vec<NodeId> {
        match self {
            Self::Pipeline(object) => object
                .spec
                .steps
                .iter()
                .map(|step| NodeId::new(NodeKind::Plugin, "", &step.plugin))
                .collect(),
            Self::GitRepository(_)
            | Self::HelmRepository(_)
            | Self::HelmChart(_)
            | Self::OCIRepository(_)
            | Self::Bucket(_)
            | Self::ExternalArtifact(_)
            | Self::Plugin(_)
            | Self::Kustomization(_) => Vec::new(),
        }
    }

    /// What has to be ready first. A dependency is of the unit's own kind, as with Flux.
    pub fn depends_on(&self, kind: NodeKind, namespace: &str) -> Vec<NodeId> {
        let node = |dependency: &DependencyReference| {
            NodeId::new(
                kind,
                dependency.namespace.as_deref().unwrap_or(namespace),
                &dependency.name,
            )
        };
        match self {
            Self::Kustomization(object) => object.spec.depends_on.iter().map(node).collect(),
            Self::Pipeline(object) => object.spec.depends_on.iter().map(node).collect(),
            Self::GitRepository(_)
            | Self::HelmRepository(_)
            | Self::HelmChart(_)
            | Self::OCIRepository(_)
            | Self::Bucket(_)
            | Self::ExternalArtifact(_)
            | Self::Plugin(_) => Vec::new(),
        }
    }

    /// The interval of a source; `None`: it has none, or is no source.
    pub(crate) fn interval(&self) -> Option<std::time::Duration> {
        const DEFAULT: std::time::Duration = std::time::Duration::from_secs(60);
        let interval = match self {
            Self::GitRepository(object) => &object.spec.interval,
            Self::HelmRepository(object) => match &object.spec.interval {
                Some(interval) => interval,
                None => return Some(DEFAULT),
            },
            Self::HelmChart(object) => &object.spec.interval,
            Self::OCIRepository(object) => &object.spec.interval,
            Self::Bucket(object) => &object.spec.interval,
            Self::ExternalArtifact(_)
            | Self::Plugin(_)
            | Self::Kustomization(_)
            | Self::Pipeline(_) => return None,
        };
        Some(interval.parse().unwrap_or(DEFAULT))
    }

    pub fn suspended(&self) -> bool {
        match self {
            Self::GitRepository(object) => object.spec.suspend,
            Self::HelmRepository(object) => object.spec.suspend,
            Self::HelmChart(object) => object.spec.suspend,
            Self::OCIRepository(object) => object.spec.suspend,
            Self::Bucket(object) => object.spec.suspend,
            Self::ExternalArtifact(_) => None,
            Self::Plugin(object) => object.spec.suspend,
            Self::Kustomization(object) => object.spec.suspend,
            Self::Pipeline(object) => object.spec.suspend,
        }
        .unwrap_or(false)
    }
}
