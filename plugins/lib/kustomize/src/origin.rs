//! What `buildMetadata` asks for: where objects came from and what they went through.

use std::rc::Rc;

use weir_k8s_yaml::{EmitOptions, Mapping, Node, ParseOptions, emit, parse};

use crate::annotations;
use crate::git_url::GitUrl;
use crate::path;
use crate::resource::Resource;
use crate::scalar::string;
use crate::set::ResourceSet;

/// A place in this tree or another one, and what is configured there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    path: String,
    repository: String,
    reference: String,
    configured_in: String,
    configured_by: Option<Rc<ConfiguredBy>>,
}

/// The object that configures a generator or a transformer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ConfiguredBy {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

impl Origin {
    /// The origin of what an entry of a kustomization names.
    pub(crate) fn append(&self, entry: &str) -> Self {
        let mut origin = self.clone();
        let mut relative = entry.to_owned();
        if let Some(url) = GitUrl::parse(entry) {
            origin.repository = url.repository;
            origin.reference = url.reference;
            origin.path = String::new();
            // The original takes the path from a place where nothing is cloned yet, and its name is left if there is no other.
            relative = if url.path.is_empty() {
                "notCloned".to_owned()
            } else {
                url.path
            };
        }
        origin.path = path::clean(&format!(
            "{}/{relative}",
            if origin.path.is_empty() {
                "."
            } else {
                &origin.path
            }
        ));
        if origin.path == "." {
            origin.path = String::new();
        }
        origin
    }

    /// The origin of what a field of a kustomization makes.
    pub(crate) fn built_in(&self, file: &str, kind: &str) -> Self {
        let by = ConfiguredBy {
            api_version: "builtin".to_owned(),
            kind: kind.to_owned(),
            ..ConfiguredBy::default()
        };
        Self {
            path: String::new(),
            configured_in: self.append(file).path,
            configured_by: Some(Rc::new(by)),
            ..self.clone()
        }
    }

    /// The origin of what a config object makes; none if that has none itself.
    pub(crate) fn of_config(config: &Resource) -> Option<Self> {
        let origin = Self::read(config.annotation(annotations::ORIGIN)?);
        let id = config.id();
        let by = ConfiguredBy {
            api_version: id.gvk.api_version().to_string(),
            kind: id.gvk.kind.to_string(),
            name: id.name.to_string(),
            namespace: id.namespace.to_string(),
        };
        Some(Self {
            configured_in: origin.path,
            path: String::new(),
            configured_by: Some(Rc::new(by)),
            repository: origin.repository,
            reference: origin.reference,
        })
    }

    /// The origin as the text of an annotation.
    pub(crate) fn text(&self) -> String {
        let node = Node::mapping(self.mapping());
        emit(&node, &EmitOptions::kyaml()).unwrap_or_default()
    }

    fn mapping(&self) -> Mapping {
        let mut map = Mapping::new();
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                map.push(string(name), string(value));
            }
        };
        add("path", &self.path);
        add("repo", &self.repository);
        add("ref", &self.reference);
        add("configuredIn", &self.configured_in);
        if let Some(by) = &self.configured_by {
            let fields = [
                ("apiVersion", &by.api_version),
                ("kind", &by.kind),
                ("name", &by.name),
                ("namespace", &by.namespace),
            ];
            let fields = fields.into_iter().filter(|(_, value)| !value.is_empty());
            let inner: Mapping = fields
                .map(|(name, value)| (string(name), string(value.as_str())))
                .collect();
            map.push(string("configuredBy"), Node::mapping(inner));
        }
        map
    }

    fn read(text: &str) -> Self {
        let root = parse(text, &ParseOptions::default())
            .ok()
            .flatten()
            .map(|document| document.root);
        let get = |name: &str| {
            root.as_ref()
                .and_then(|root| root.get_str(name))
                .unwrap_or_default()
                .to_owned()
        };
        Self {
            path: get("path"),
            repository: get("repo"),
            reference: get("ref"),
            configured_in: get("configuredIn"),
            configured_by: None,
        }
    }
}

/// Gives an object an origin.
pub(crate) fn set(resource: &mut Resource, origin: &Origin) {
    annotations::set(&mut resource.node, annotations::ORIGIN, origin.text());
}

/// Tells all objects what they went through. One without an origin was made by it.
pub(crate) fn add_transformation(set_of: &mut ResourceSet, origin: &Origin) {
    for resource in set_of.iter_mut().filter(|resource| !resource.deleted()) {
        if resource.annotation(annotations::ORIGIN).is_none() {
            set(resource, origin);
            continue;
        }
        resource.transformations.push(origin.clone());
        // The original writes all annotations anew here, so that none is shared with another place any more.
        if let Some(all) = annotations::annotations_mut(&mut resource.node) {
            for entry in all
                .iter_mut()
                .filter(|entry| entry.value.anchor().is_some())
            {
                entry.value.set_anchor(None);
            }
        }
    }
}

/// Writes what an object went through into its annotation.
pub(crate) fn write_transformations(resource: &mut Resource) {
    if resource.transformations.is_empty() {
        return;
    }
    let before = resource
        .annotation(annotations::TRANSFORMATIONS)
        .and_then(|text| {
            let document = parse(text, &ParseOptions::default()).ok().flatten()?;
            document.root.as_sequence().cloned()
        });
    let mut list = before.unwrap_or_default();
    for origin in &resource.transformations {
        list.push(Node::mapping(origin.mapping()));
    }
    let text = emit(&Node::sequence(list), &EmitOptions::kyaml()).unwrap_or_default();
    annotations::set(&mut resource.node, annotations::TRANSFORMATIONS, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_follow_entries_through_bases_and_repositories() {
        let origin = Origin::default().append("base").append("./a.yaml");
        assert_eq!(origin.text(), "path: base/a.yaml\n");
        let origin = Origin::default()
            .append("https://github.com/a/b//c?ref=v1")
            .append("x.yaml");
        assert_eq!(
            origin.text(),
            "path: c/x.yaml\nrepo: https://github.com/a/b\nref: v1\n"
        );
    }

    #[test]
    fn what_a_field_makes_names_the_field() {
        let origin = Origin::default()
            .append("base")
            .built_in("kustomization.yaml", "ConfigMapGenerator");
        assert_eq!(
            origin.text(),
            "configuredIn: base/kustomization.yaml\nconfiguredBy:\n  apiVersion: builtin\n  kind: ConfigMapGenerator\n"
        );
    }
}
