//! One object of a build, with what the build remembers about it.
//!
//! The original keeps its memory in annotations of the object. Here it stands beside the object; annotations of those names
//! in an input file are taken over when the file is read, and [`Resource::has_memory`] says when a patch would have seen an
//! annotation map because of it.

use std::rc::Rc;

use weir_k8s_yaml::{Mapping, Node, Text};

use crate::annotations as keys;
use crate::id::{Gvk, ObjectId};
use crate::origin::Origin;
use crate::scalar::{self, Links, untagged};
use crate::schema::Schemas;

/// One object.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    /// The object; null once a patch has deleted it.
    pub(crate) node: Node,
    id: ObjectId,
    /// The ids that it had before, oldest first.
    previous: Vec<PreviousId>,
    /// Prefixes and suffixes that its name got, innermost first.
    pub(crate) prefixes: Vec<Text>,
    pub(crate) suffixes: Vec<Text>,
    /// Whether its name is to end in a hash of its content.
    pub(crate) needs_hash: bool,
    /// What a generator wants to do with an object of the same id.
    pub(crate) behavior: Option<Behavior>,
    /// As a patch: whether it may change the name or kind of what it is applied to.
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
    /// The vars that read from it.
    pub(crate) vars: Vec<Text>,
    /// What it went through, if that is recorded.
    pub(crate) transformations: Vec<Origin>,
    /// Whether it came out of a chart: the namespace transformer leaves it alone.
    pub(crate) from_chart: bool,
    /// The file that it was read from.
    pub(crate) file: Option<Rc<str>>,
    /// How many nodes of it were shared so far.
    links: u32,
}

/// An id that an object had. Group and version are always the current ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PreviousId {
    pub(crate) kind: Text,
    pub(crate) name: Text,
    /// The effective namespace.
    pub(crate) namespace: Text,
}

/// What a generator wants to do with an object of the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behavior {
    Unspecified,
    Create,
    Replace,
    Merge,
}

impl Resource {
    /// Wraps an object. Annotations that are the original's memory are taken out of it.
    pub(crate) fn new(node: Node, file: Option<Rc<str>>, schemas: &Schemas) -> Self {
        let mut resource = Self {
            node,
            id: ObjectId::default(),
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            needs_hash: false,
            behavior: None,
            allow_name_change: false,
            allow_kind_change: false,
            vars: Vec::new(),
            transformations: Vec::new(),
            from_chart: false,
            file,
            links: 0,
        };
        keys::take_memory(&mut resource);
        resource.refresh(schemas);
        resource
    }

    /// Reads the id from the object again. Whoever changes the object calls this.
    pub(crate) fn refresh(&mut self, schemas: &Schemas) {
        let api_version = self.node.get_str("apiVersion").unwrap_or_default();
        let kind = self.node.get_str("kind").unwrap_or_default();
        let metadata = self.node.get("metadata");
        let name = metadata.map(|it| meta_text(it, "name")).unwrap_or_default();
        let namespace = metadata
            .map(|it| meta_text(it, "namespace"))
            .unwrap_or_default();
        let same_type = {
            let gvk = &self.id.gvk;
            let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
            gvk.kind == kind && gvk.group == group && gvk.version == version && !kind.is_empty()
        };
        if !same_type {
            self.id.gvk = Gvk::new(api_version, kind);
            self.id.cluster = schemas.cluster_scoped(&self.id.gvk);
        }
        self.id.name = name;
        self.id.namespace = namespace;
    }

    /// The current id.
    pub(crate) fn id(&self) -> &ObjectId {
        &self.id
    }

    pub(crate) fn gvk(&self) -> &Gvk {
        &self.id.gvk
    }

    pub(crate) fn kind(&self) -> &str {
        &self.id.gvk.kind
    }

    pub(crate) fn name(&self) -> &Text {
        &self.id.name
    }

    /// The ids that it had before, oldest first.
    pub(crate) fn previous(&self) -> &[PreviousId] {
        &self.previous
    }

    pub(crate) fn set_previous(&mut self, previous: Vec<PreviousId>) {
        self.previous = previous;
    }

    /// A previous id in full.
    pub(crate) fn previous_id(&self, previous: &PreviousId) -> ObjectId {
        ObjectId {
            gvk: Gvk {
                kind: previous.kind.clone(),
                ..self.id.gvk.clone()
            },
            name: previous.name.clone(),
            namespace: previous.namespace.clone(),
            cluster: false,
        }
    }

    /// The oldest id.
    pub(crate) fn original_id(&self) -> ObjectId {
        self.previous
            .first()
            .map_or_else(|| self.id.clone(), |oldest| self.previous_id(oldest))
    }

    /// The type of the oldest id.
    pub(crate) fn original_gvk(&self) -> Gvk {
        match self.previous.first() {
            Some(oldest) => Gvk {
                kind: oldest.kind.clone(),
                ..self.id.gvk.clone()
            },
            None => self.id.gvk.clone(),
        }
    }

    /// Whether the current id or one that it had is the given one.
    pub(crate) fn had_id(&self, id: &ObjectId) -> bool {
        self.id.same(id)
            || self.previous.iter().any(|previous| {
                previous.name == id.name
                    && previous.kind == id.gvk.kind
                    && self.id.gvk.group == id.gvk.group
                    && self.id.gvk.version == id.gvk.version
                    && effective(&previous.namespace) == id.effective_namespace()
            })
    }

    /// Whether the current id or one that it had passes a test.
    pub(crate) fn any_id(&self, mut test: impl FnMut(&ObjectId) -> bool) -> bool {
        test(&self.id)
            || self
                .previous
                .iter()
                .any(|previous| test(&self.previous_id(previous)))
    }

    /// Remembers the current id as one that it had.
    pub(crate) fn push_previous(&mut self) {
        self.previous.push(PreviousId {
            kind: self.id.gvk.kind.clone(),
            name: self.id.name.clone(),
            namespace: Text::from(self.id.effective_namespace()),
        });
    }

    /// Whether the original would have annotations on the object at this moment because of what it remembers.
    pub(crate) fn has_memory(&self) -> bool {
        !self.previous.is_empty()
            || !self.prefixes.is_empty()
            || !self.suffixes.is_empty()
            || self.needs_hash
            || self.behavior.is_some()
            || self.from_chart
    }

    /// Whether a patch has deleted it.
    pub(crate) fn deleted(&self) -> bool {
        scalar::nil_or_empty(&self.node)
    }

    /// A new mark for nodes that are to be shared.
    pub(crate) fn new_link(&mut self) -> String {
        self.links += 1;
        self.links.to_string()
    }

    pub(crate) fn annotations(&self) -> Option<&Mapping> {
        self.node.get("metadata")?.get("annotations")?.as_mapping()
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations()?.get(key)?.as_str()
    }

    /// Sets name, kind or namespace as the original restores them after a patch.
    pub(crate) fn restore(&mut self, field: Restored, text: &str) {
        let mut links = Links::default();
        let Some(root) = self.node.as_mapping_mut() else {
            return;
        };
        match field {
            Restored::Kind => scalar::set_field(root, "kind", untagged(text), &mut links),
            Restored::Name => {
                let metadata = root
                    .get_or_insert_with("metadata", scalar::empty_map)
                    .make_mapping();
                scalar::set_field(metadata, "name", untagged(text), &mut links);
            }
            Restored::Namespace if text.is_empty() => {
                if let Some(metadata) = root.get_mut("metadata").and_then(Node::as_mapping_mut) {
                    metadata.remove("namespace");
                }
            }
            Restored::Namespace => {
                let metadata = root
                    .get_or_insert_with("metadata", scalar::empty_map)
                    .make_mapping();
                scalar::set_field(metadata, "namespace", untagged(text), &mut links);
            }
        }
        links.settle(&mut self.node);
    }
}

/// What [`Resource::restore`] sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restored {
    Kind,
    Name,
    Namespace,
}

impl Behavior {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "replace" => Behavior::Replace,
            "merge" => Behavior::Merge,
            "create" => Behavior::Create,
            _ => Behavior::Unspecified,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Behavior::Replace => "replace",
            Behavior::Merge => "merge",
            Behavior::Create => "create",
            Behavior::Unspecified => "unspecified",
        }
    }
}

fn effective(namespace: &str) -> &str {
    if namespace.is_empty() {
        crate::id::DEFAULT_NAMESPACE
    } else {
        namespace
    }
}

fn meta_text(metadata: &Node, field: &str) -> Text {
    match metadata.get(field) {
        Some(value) if !scalar::nil_or_empty(value) => value.text().cloned().unwrap_or_default(),
        _ => Text::default(),
    }
}
