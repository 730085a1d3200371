//! The objects that can be referred to by an old name.

use std::collections::{HashMap, HashSet};

use weir_k8s_yaml::Text;

use crate::id::{CLUSTER, DEFAULT_NAMESPACE, Gvk};
use crate::resource::Resource;
use crate::set::ResourceSet;

/// What is known about such an object. It does not change while references are repaired.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Its current name and namespace.
    pub(super) name: Text,
    pub(super) own_namespace: Text,
    /// Its current effective namespace.
    pub(super) namespace: Text,
    pub(super) cluster: bool,
    /// The effective namespace that it had first.
    pub(super) original_namespace: Text,
    pub(super) original_cluster: bool,
    pub(super) service_account: bool,
    pub(super) prefixes: Vec<Text>,
    pub(super) suffixes: Vec<Text>,
    pub(super) id: String,
    /// The types that it was of.
    kinds: Vec<Gvk>,
}

/// All of them, by every name that they had.
#[derive(Debug)]
pub(super) struct Candidates {
    all: Vec<Candidate>,
    by_name: HashMap<Text, Vec<u32>>,
    /// The same by name and current effective namespace.
    by_place: HashMap<(Text, Text), Vec<u32>>,
    /// Positions by the namespace that an object had first, renamed or not.
    by_original: HashMap<Text, Vec<Reach>>,
}

/// Where an object is, for the question who can refer to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Reach {
    namespace: Text,
    own_namespace: Text,
    cluster: bool,
}

impl Candidates {
    pub(super) fn new(set: &ResourceSet) -> Self {
        let mut made = Self {
            all: Vec::new(),
            by_name: HashMap::new(),
            by_place: HashMap::new(),
            by_original: HashMap::new(),
        };
        let mut seen: HashSet<(Text, Reach)> = HashSet::new();
        for resource in set.iter() {
            let original = resource.original_id();
            let original_namespace = Text::from(original.effective_namespace());
            let reach = Reach {
                namespace: resource.id().effective_namespace().into(),
                own_namespace: resource.id().namespace.clone(),
                cluster: resource.id().cluster,
            };
            if original_namespace != CLUSTER
                && seen.insert((original_namespace.clone(), reach.clone()))
            {
                made.by_original
                    .entry(original_namespace)
                    .or_default()
                    .push(reach);
            }
            if !resource.previous().is_empty() {
                made.add(resource);
            }
        }
        made
    }

    fn add(&mut self, resource: &Resource) {
        let at = self.all.len() as u32;
        let mut kinds: Vec<Gvk> = Vec::new();
        for previous in resource.previous() {
            let place = (
                previous.name.clone(),
                Text::from(resource.id().effective_namespace()),
            );
            for places in [
                self.by_name.entry(previous.name.clone()).or_default(),
                self.by_place.entry(place).or_default(),
            ] {
                if places.last() != Some(&at) {
                    places.push(at);
                }
            }
            if kinds.iter().all(|gvk| gvk.kind != previous.kind) {
                kinds.push(Gvk {
                    kind: previous.kind.clone(),
                    ..resource.gvk().clone()
                });
            }
        }
        let id = resource.id();
        let first = resource.previous().first();
        let original_namespace = match first.map(|first| first.namespace.as_str()) {
            Some("") | None => DEFAULT_NAMESPACE,
            Some(namespace) => namespace,
        };
        self.all.push(Candidate {
            name: id.name.clone(),
            own_namespace: id.namespace.clone(),
            namespace: id.effective_namespace().into(),
            cluster: id.cluster,
            original_cluster: original_namespace == CLUSTER,
            original_namespace: original_namespace.into(),
            service_account: id.gvk.kind == "ServiceAccount",
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
            id: id.to_string(),
            kinds,
        });
    }

    /// Those that had a name, in any namespace or in given ones.
    pub(super) fn called(&self, name: &str, namespaces: Option<&[Text]>) -> Vec<&Candidate> {
        let mut found: Vec<u32> = match namespaces {
            None => self.by_name.get(name).cloned().unwrap_or_default(),
            Some(namespaces) => {
                let places = namespaces
                    .iter()
                    .filter_map(|place| self.by_place.get(&(name.into(), place.clone())));
                places.flatten().copied().collect()
            }
        };
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|at| &self.all[at as usize]).collect()
    }

    /// Whether any object that passes a test was in a namespace at first.
    pub(super) fn in_original_namespace(
        &self,
        namespace: &str,
        passes: impl Fn(&Candidate) -> bool,
    ) -> bool {
        let reaches = self.by_original.get(namespace).into_iter().flatten();
        reaches
            .into_iter()
            .any(|reach| passes(&Candidate::at(reach)))
    }
}

impl Candidate {
    /// Whether it was of a type that a selector selects.
    pub(super) fn was(&self, selector: &Gvk) -> bool {
        self.kinds.iter().any(|gvk| gvk.selected_by(selector))
    }

    /// Something at a place, for tests that look at places only.
    fn at(reach: &Reach) -> Self {
        Self {
            name: Text::default(),
            own_namespace: reach.own_namespace.clone(),
            namespace: reach.namespace.clone(),
            cluster: reach.cluster,
            original_namespace: Text::default(),
            original_cluster: false,
            service_account: false,
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            id: String::new(),
            kinds: Vec::new(),
        }
    }
}
