//! The annotations that kustomize gives a meaning.

use std::collections::HashMap;

use weir_k8s_yaml::{Entry, Mapping, Node, Text};

use crate::resource::{Behavior, PreviousId, Resource};
use crate::scalar::{self, untagged};

const PREVIOUS_KINDS: &str = "internal.config.kubernetes.io/previousKinds";
const PREVIOUS_NAMES: &str = "internal.config.kubernetes.io/previousNames";
const PREVIOUS_NAMESPACES: &str = "internal.config.kubernetes.io/previousNamespaces";
const PREFIXES: &str = "internal.config.kubernetes.io/prefixes";
const SUFFIXES: &str = "internal.config.kubernetes.io/suffixes";
const ALLOW_NAME_CHANGE: &str = "internal.config.kubernetes.io/allowNameChange";
const ALLOW_KIND_CHANGE: &str = "internal.config.kubernetes.io/allowKindChange";
const GENERATOR_BEHAVIOR: &str = "internal.config.kubernetes.io/generatorBehavior";
const NEEDS_HASH: &str = "internal.config.kubernetes.io/needsHashSuffix";
const HELM_GENERATED: &str = "internal.config.kubernetes.io/helm-generated";

/// Where an object came from.
pub(crate) const ORIGIN: &str = "config.kubernetes.io/origin";
/// Which transformers it went through.
pub(crate) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";
/// Marks an object that is only for the build.
pub(crate) const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";
/// Names the plugin that an object in `generators`, `transformers` or `validators` is the config of.
pub(crate) const PLUGIN: &str = "weir.dev/plugin";

/// Annotations without a meaning here that are removed at the end as well.
const REMOVED: [&str; 9] = [
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
];

const MEMORY: [&str; 10] = [
    PREVIOUS_KINDS,
    PREVIOUS_NAMES,
    PREVIOUS_NAMESPACES,
    PREFIXES,
    SUFFIXES,
    ALLOW_NAME_CHANGE,
    ALLOW_KIND_CHANGE,
    GENERATOR_BEHAVIOR,
    NEEDS_HASH,
    HELM_GENERATED,
];

/// Whether the key is one that [`take_memory`] takes.
fn remembered(key: &Node) -> bool {
    key.as_str()
        .is_some_and(|key| key.starts_with("internal.config.") && MEMORY.contains(&key))
}

/// Moves annotations that are the original's memory from the object into the resource.
pub(crate) fn take_memory(resource: &mut Resource) {
    let Some(annotations) = annotations_mut(&mut resource.node) else {
        return;
    };
    if !annotations.iter().any(|entry| remembered(&entry.key)) {
        return;
    }
    let mut found = Mapping::new();
    for entry in std::mem::take(annotations) {
        let place = if remembered(&entry.key) {
            &mut found
        } else {
            &mut *annotations
        };
        place.push(entry.key, entry.value);
    }
    let list = |key: &str| -> Vec<Text> {
        let text = found.get(key).and_then(Node::as_str);
        text.map(|text| text.split(',').map(Text::from).collect())
            .unwrap_or_default()
    };
    let enabled = |key: &str| found.get(key).and_then(Node::as_str) == Some("enabled");
    let (names, namespaces, kinds) = (
        list(PREVIOUS_NAMES),
        list(PREVIOUS_NAMESPACES),
        list(PREVIOUS_KINDS),
    );
    if names.len() == namespaces.len() && names.len() == kinds.len() {
        let parts = names.into_iter().zip(namespaces).zip(kinds);
        resource.set_previous(
            parts
                .map(|((name, namespace), kind)| PreviousId {
                    kind,
                    name,
                    namespace,
                })
                .collect(),
        );
    }
    resource.prefixes = list(PREFIXES);
    resource.suffixes = list(SUFFIXES);
    resource.needs_hash = enabled(NEEDS_HASH);
    resource.allow_name_change = enabled(ALLOW_NAME_CHANGE);
    resource.allow_kind_change = enabled(ALLOW_KIND_CHANGE);
    resource.behavior = found
        .get(GENERATOR_BEHAVIOR)
        .and_then(Node::as_str)
        .map(Behavior::parse);
    resource.from_chart = found.get(HELM_GENERATED).and_then(Node::as_str) == Some("true");
}

/// Rewrites the annotations as every build does at its end: internal ones go, all values are strings, and a map without
/// entries is dropped.
pub(crate) fn finish(node: &mut Node, keep_origin: bool, keep_transformations: bool) {
    let Some(root) = node.as_mapping_mut() else {
        return;
    };
    if !keep_origin || !keep_transformations {
        root.get_or_insert_with("metadata", scalar::empty_map);
    }
    let Some(metadata) = root.get_mut("metadata").and_then(Node::as_mapping_mut) else {
        return;
    };
    let Some(at) = metadata.position("annotations") else {
        return;
    };
    let entries = match metadata.entries_mut()[at].value.as_mapping_mut() {
        Some(annotations) => std::mem::take(annotations),
        None => Mapping::new(),
    };
    let kept = strings(
        entries
            .into_iter()
            .filter(|entry| match entry.key.as_str() {
                None => false,
                Some(ORIGIN) => keep_origin,
                Some(TRANSFORMATIONS) => keep_transformations,
                Some(key) => !REMOVED.contains(&key) && !remembered(&entry.key),
            }),
    );
    if kept.is_empty() {
        metadata.remove_at(at);
    } else {
        metadata.entries_mut()[at].value = Node::mapping(kept);
    }
}

/// A map of strings by the texts of keys and values. The last of equal keys counts, and keys forget their quotes.
pub(crate) fn strings(entries: impl Iterator<Item = Entry>) -> Mapping {
    let mut kept = Mapping::new();
    let mut seen: HashMap<Text, usize> = HashMap::new();
    for Entry { key, value } in entries {
        let Some(name) = key.text() else {
            continue;
        };
        let value = if value.is_string() {
            value
        } else {
            Node::string(value.text().cloned().unwrap_or_default())
        };
        match seen.get(name) {
            Some(at) => kept.entries_mut()[*at].value = value,
            None => {
                seen.insert(name.clone(), kept.len());
                kept.push(untagged(name.clone()), value);
            }
        }
    }
    kept
}

/// Sets one annotation as a string.
pub(crate) fn set(node: &mut Node, key: &str, value: impl Into<Text>) {
    let Some(root) = node.as_mapping_mut() else {
        return;
    };
    let metadata = root
        .get_or_insert_with("metadata", scalar::empty_map)
        .make_mapping();
    let annotations = metadata
        .get_or_insert_with("annotations", scalar::empty_map)
        .make_mapping();
    annotations.set(key, Node::string(value));
}

/// The annotations of an object.
pub(crate) fn annotations_mut(node: &mut Node) -> Option<&mut Mapping> {
    node.get_mut("metadata")?
        .get_mut("annotations")?
        .as_mapping_mut()
}
