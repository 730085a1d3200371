//! The kinds that a local cluster serves: Kubernetes' own, and those of the CRDs in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use weir_api::{ApiResource, GroupKind, Gvk};

use super::schema::built_in::BuiltIn;
use super::schema::{Schema, TypeId};
use crate::Discovery;

/// A kind in all its versions.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    pub(crate) group_kind: GroupKind,
    pub(crate) plural: String,
    pub(crate) namespaced: bool,
    /// Whether `metadata.generation` counts the changes of its spec.
    pub(crate) generation: bool,
    /// Whether a CRD defines it.
    pub(crate) custom: bool,
    /// The preferred one first; never empty.
    pub(crate) versions: Vec<Version>,
}

#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) name: String,
    pub(crate) types: Types,
    pub(crate) ty: TypeId,
    /// Whether `status` is a subresource.
    pub(crate) status: bool,
    /// The status of a new object. Only CRDs say so.
    pub(crate) first_status: Option<Value>,
}

/// Whose types a version has.
#[derive(Clone, Debug)]
pub(crate) enum Types {
    BuiltIn,
    Custom(Arc<Schema>),
}

/// All kinds.
#[derive(Debug)]
pub(crate) struct Kinds {
    built_in: BTreeMap<GroupKind, Arc<Kind>>,
    custom: BTreeMap<GroupKind, Arc<Kind>>,
    discovery: Arc<Discovery>,
}

impl Kind {
    pub(crate) fn version(&self, name: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.name == name)
    }

    /// `deployments.apps`, `configmaps`: what names the kind in folders and messages.
    pub(crate) fn resource(&self) -> String {
        let GroupKind { group, .. } = &self.group_kind;
        let dot = if group.is_empty() { "" } else { "." };
        format!("{}{dot}{group}", self.plural)
    }

    pub(crate) fn gvk(&self, version: &Version) -> Gvk {
        let GroupKind { group, kind } = &self.group_kind;
        Gvk::new(group.clone(), version.name.clone(), kind.clone())
    }

    fn api_resources(&self) -> impl Iterator<Item = ApiResource> {
        self.versions.iter().map(|version| ApiResource {
            gvk: self.gvk(version),
            plural: self.plural.clone(),
            namespaced: self.namespaced,
            status: version.status,
        })
    }
}

impl Version {
    pub(crate) fn schema(&self) -> &Schema {
        match &self.types {
            Types::BuiltIn => &BuiltIn::get().schema,
            Types::Custom(schema) => schema,
        }
    }
}

impl Kinds {
    pub(crate) fn new() -> Self {
        let mut built_in: BTreeMap<GroupKind, Kind> = BTreeMap::new();
        for kind in &BuiltIn::get().kinds {
            let ApiResource {
                gvk,
                plural,
                namespaced,
                status,
            } = &kind.resource;
            let entry = built_in.entry(gvk.group_kind()).or_insert_with(|| Kind {
                group_kind: gvk.group_kind(),
                plural: plural.clone(),
                namespaced: *namespaced,
                generation: kind.generation,
                custom: false,
                versions: Vec::new(),
            });
            let name = gvk.version.clone();
            entry.versions.push(Version {
                name,
                types: Types::BuiltIn,
                ty: kind.ty,
                status: *status,
                first_status: None,
            });
        }
        let built_in = built_in
            .into_iter()
            .map(|(key, kind)| (key, Arc::new(kind)))
            .collect();
        let mut kinds = Self {
            built_in,
            custom: BTreeMap::new(),
            discovery: Arc::default(),
        };
        kinds.discovery = kinds.discover();
        kinds
    }

    pub(crate) fn get(&self, kind: &GroupKind) -> Option<&Arc<Kind>> {
        self.built_in.get(kind).or_else(|| self.custom.get(kind))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.built_in.values().chain(self.custom.values())
    }

    /// Who else serves a kind, or the plural of one, that a CRD wants.
    pub(crate) fn taken(&self, wanted: &Kind) -> Option<&Arc<Kind>> {
        let same_group = |kind: &&Arc<Kind>| kind.group_kind.group == wanted.group_kind.group;
        let plural = |kind: &Kind| kind.plural == wanted.plural;
        let name = |kind: &Kind| kind.group_kind == wanted.group_kind;
        let built_in = self
            .built_in
            .values()
            .filter(same_group)
            .find(|kind| plural(kind) || name(kind));
        // A CRD may define its own kind again.
        built_in.or_else(|| {
            self.custom
                .values()
                .filter(same_group)
                .find(|kind| plural(kind) != name(kind))
        })
    }

    pub(crate) fn serve(&mut self, kind: Kind) {
        self.custom.insert(kind.group_kind.clone(), Arc::new(kind));
        self.discovery = self.discover();
    }

    /// Stops serving the kind of a CRD, named `PLURAL.GROUP`.
    pub(crate) fn stop(&mut self, crd: &str) {
        self.custom.retain(|_, kind| kind.resource() != crd);
        self.discovery = self.discover();
    }

    pub(crate) fn custom(&self, crd: &str) -> Option<&Arc<Kind>> {
        self.custom.values().find(|kind| kind.resource() == crd)
    }

    pub(crate) fn discovery(&self) -> Arc<Discovery> {
        self.discovery.clone()
    }

    fn discover(&self) -> Arc<Discovery> {
        let built_in = BuiltIn::get();
        let mut resources: Vec<ApiResource> = built_in
            .kinds
            .iter()
            .map(|kind| kind.resource.clone())
            .collect();
        resources.extend(
            self.custom
                .values()
                .flat_map(|kind| kind.api_resources().collect::<Vec<_>>()),
        );
        Arc::new(Discovery {
            resources,
            version: built_in.version.clone(),
        })
    }
}
