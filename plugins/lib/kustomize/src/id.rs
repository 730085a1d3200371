//! How objects are told apart: group, version, kind, name and namespace.

use std::fmt;

use weir_k8s_yaml::Text;

/// What stands for the namespace of an object that has none by its kind.
pub(crate) const CLUSTER: &str = "_non_namespaceable_";
/// The namespace of an object that names none.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// Group, version and kind. As a selector, an empty part matches anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Gvk {
    pub(crate) group: Text,
    pub(crate) version: Text,
    pub(crate) kind: Text,
}

/// The identity of an object at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ObjectId {
    pub(crate) gvk: Gvk,
    pub(crate) name: Text,
    /// As written, or what a previous id has kept: the effective one.
    pub(crate) namespace: Text,
    /// Whether objects of this kind certainly have no namespace.
    pub(crate) cluster: bool,
}

impl Gvk {
    pub(crate) fn new(api_version: &str, kind: &str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }
    }

    pub(crate) fn of_kind(kind: &str) -> Self {
        Self {
            kind: kind.into(),
            ..Self::default()
        }
    }

    /// `apps/v1`
    pub(crate) fn api_version(&self) -> Text {
        if self.group.is_empty() {
            return self.version.clone();
        }
        weir_k8s_yaml::Text::from(format!("{}/{}", self.group, self.version))
    }

    /// Whether every part that the selector names is the same here.
    pub(crate) fn selected_by(&self, selector: &Gvk) -> bool {
        let fits = |wanted: &Text, found: &Text| wanted.is_empty() || wanted == found;
        fits(&selector.kind, &self.kind)
            && fits(&selector.group, &self.group)
            && fits(&selector.version, &self.version)
    }

    /// The text by which objects of the same rank are ordered.
    pub(crate) fn sort_key(&self) -> String {
        let or = |text: &Text, none: &str| {
            if text.is_empty() {
                none.to_owned()
            } else {
                text.to_string()
            }
        };
        format!(
            "{}_{}_{}",
            or(&self.group, "~G"),
            or(&self.version, "~V"),
            or(&self.kind, "~K")
        )
    }
}

impl ObjectId {
    /// The namespace that counts when ids are compared.
    pub(crate) fn effective_namespace(&self) -> &str {
        if self.cluster {
            CLUSTER
        } else if self.namespace.is_empty() {
            DEFAULT_NAMESPACE
        } else {
            &self.namespace
        }
    }

    /// Whether both name the same object.
    pub(crate) fn same(&self, other: &ObjectId) -> bool {
        self.name == other.name
            && self.gvk == other.gvk
            && self.effective_namespace() == other.effective_namespace()
    }
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &'_ Text, none: &'static str| {
            if text.is_empty() {
                Text::new_static(none)
            } else {
                text.clone()
            }
        };
        write!(
            f,
            "{}.{}.{}",
            or(&self.kind, "[noKind]"),
            or(&self.version, "[noVer]"),
            or(&self.group, "[noGrp]")
        )
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &'_ Text, none: &'static str| {
            if text.is_empty() {
                Text::new_static(none)
            } else {
                text.clone()
            }
        };
        write!(
            f,
            "{}/{}.{}",
            self.gvk,
            or(&self.name, "[noName]"),
            or(&self.namespace, "[noNs]")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(namespace: &str, cluster: bool) -> ObjectId {
        ObjectId {
            gvk: Gvk::new("v1", "ConfigMap"),
            name: "a".into(),
            namespace: namespace.into(),
            cluster,
        }
    }

    #[test]
    fn api_versions_split_at_the_first_slash() {
        let gvk = Gvk::new("a.b/v1/x", "K");
        assert_eq!((gvk.group.as_str(), gvk.version.as_str()), ("a.b", "v1/x"));
        assert_eq!(gvk.api_version(), "a.b/v1/x");
        assert_eq!(Gvk::new("v1", "Pod").api_version(), "v1");
    }

    #[test]
    fn no_namespace_is_the_default_one_and_cluster_scope_is_its_own() {
        assert!(id("", false).same(&id("default", false)));
        assert!(!id("", false).same(&id("", true)));
        assert!(!id("a", false).same(&id("b", false)));
    }

    #[test]
    fn empty_parts_show_as_placeholders() {
        assert_eq!(id("", false).to_string(), "ConfigMap.v1.[noGrp]/a.[noNs]");
        assert_eq!(Gvk::default().to_string(), "[noKind].[noVer].[noGrp]");
    }

    #[test]
    fn blank_parts_of_a_selector_match_anything() {
        let gvk = Gvk::new("apps/v1", "Deployment");
        assert!(gvk.selected_by(&Gvk::of_kind("Deployment")));
        assert!(gvk.selected_by(&Gvk::default()));
        assert!(!gvk.selected_by(&Gvk {
            version: "v2".into(),
            ..Gvk::default()
        }));
    }
}
