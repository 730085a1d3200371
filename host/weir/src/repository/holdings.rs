//! What charts see when they look objects up and there is no cluster: the objects that the repository's own units make, those
//! of HelmReleases aside, which come after all of them. With a cluster, what stands there comes after these.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use weir_api::{Gvk, Object, ObjectKey};
use weir_apply::live::get;
use weir_cluster::{ClusterError, Selection};
use weir_plugin::{Document, Refusal};

use crate::cluster::Live;
use crate::repository::values::{Values, hide_secret};

/// Group and kind.
type Kind = (String, String);
/// The objects of a kind by name.
type Named = BTreeMap<String, Vec<Held>>;

/// The objects of a walk. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holdings {
    objects: Arc<BTreeMap<Kind, Named>>,
    /// Secrets have placeholders.
    without_secrets: bool,
    live: Option<Arc<Live>>,
    /// Which objects were asked for, and whether they were there.
    asked: Arc<Mutex<BTreeMap<String, bool>>>,
}

#[derive(Clone, Debug)]
struct Held {
    /// Whether the object states its namespace; else it is that of its unit.
    stated: bool,
    namespace: String,
    document: Document,
}

impl Holdings {
    /// Nothing yet, to be seen as values are.
    pub(crate) fn beside(values: &Values) -> Self {
        Self {
            without_secrets: values.hides_secrets(),
            live: values.live().cloned(),
            ..Self::default()
        }
    }

    /// Keeps an object that a unit of a namespace made.
    pub(crate) fn learn(&mut self, document: &Document, namespace: &str) {
        let identity = document.identity();
        let kind = kind(&identity.api_version, &identity.kind);
        let stated = !identity.namespace.is_empty();
        let held = Held {
            stated,
            namespace: if stated {
                &identity.namespace
            } else {
                namespace
            }
            .to_owned(),
            document: document.clone(),
        };
        let kinds = Arc::make_mut(&mut self.objects);
        let named = kinds.entry(kind).or_default();
        let same = named.entry(identity.name.clone()).or_default();
        same.retain(|other| other.namespace != held.namespace);
        same.push(held);
    }

    /// One object as JSON.
    pub(crate) fn object(
        &self,
        api_version: &str,
        kind_name: &str,
        namespace: &str,
        name: &str,
    ) -> Result<String, Refusal> {
        let found = self.objects.get(&kind(api_version, kind_name));
        let found = found.and_then(|named| named.get(name));
        let found = found
            .into_iter()
            .flatten()
            .find(|held| held.is_in(namespace));
        let found = match (found, &self.live) {
            (Some(held), _) => Some(self.shown(held)),
            (None, Some(live)) => {
                let gvk = Gvk::from_api_version(api_version, kind_name);
                let key = ObjectKey::new(gvk, namespace, name);
                let found = live.wait(get(&*live.cluster, &key)).map_err(unavailable)?;
                found.map(|object| self.of_cluster(object))
            }
            (None, None) => None,
        };
        let shown = [kind_name, namespace, name].join("/").replace("//", "/");
        self.note(shown, found.is_some());
        found.ok_or(Refusal::Absent)
    }

    /// All objects of a kind as a JSON array.
    pub(crate) fn objects(
        &self,
        api_version: &str,
        kind_name: &str,
        namespace: &str,
        labels: &str,
    ) -> Result<String, Refusal> {
        if !labels.is_empty() {
            return Err(Refusal::Invalid(format!(
                "{kind_name}s are not to be had by their labels: the command runs on a folder, without a cluster"
            )));
        }
        let named = self.objects.get(&kind(api_version, kind_name));
        let held = named.into_iter().flat_map(BTreeMap::values).flatten();
        let mut found: BTreeMap<(String, String), String> = held
            .filter(|held| namespace.is_empty() || held.namespace == namespace)
            .map(|held| {
                let name = held.document.identity().name.clone();
                ((held.namespace.clone(), name), self.shown(held))
            })
            .collect();
        if let Some(live) = &self.live {
            let by = Selection {
                namespace: namespace.to_owned(),
                ..Selection::default()
            };
            let gvk = Gvk::from_api_version(api_version, kind_name);
            let list = match live.wait(live.cluster.list(&gvk, &by)) {
                Ok(list) => list.objects,
                Err(ClusterError::NoKind(_)) => Vec::new(),
                Err(error) => return Err(unavailable(error)),
            };
            for object in list {
                let id = (object.namespace().to_owned(), object.name().to_owned());
                found.entry(id).or_insert_with(|| self.of_cluster(object));
            }
        }
        self.note(
            format!("all {kind_name}s of {namespace}"),
            !found.is_empty(),
        );
        let texts: Vec<String> = found.into_values().collect();
        Ok(format!("[{}]", texts.join(",")))
    }

    /// What was asked for and answered from the repository, in words.
    pub(crate) fn asked(&self) -> Option<String> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.is_empty() || self.live.is_some() {
            return None;
        }
        let told: Vec<String> = asked
            .iter()
            .map(|(what, there)| match there {
                true => what.clone(),
                false => format!("{what} (not there)"),
            })
            .collect();
        Some(format!(
            "charts look objects up; without a cluster they see what the repository holds: {}",
            told.join(", ")
        ))
    }

    fn note(&self, what: String, there: bool) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(what, there);
    }

    fn shown(&self, held: &Held) -> String {
        let identity = held.document.identity();
        let hides = self.without_secrets && identity.kind == "Secret";
        // What states no namespace has one in a cluster.
        if held.stated && !hides {
            return held.document.body().to_owned();
        }
        let mut value = held.document.to_value();
        if !held.stated && !held.namespace.is_empty() {
            value["metadata"]["namespace"] = held.namespace.as_str().into();
        }
        if hides {
            hide_secret(&mut value);
        }
        value.to_string()
    }

    fn of_cluster(&self, object: Object) -> String {
        let hides = self.without_secrets && object.kind() == "Secret";
        let mut value = object.into_value();
        if hides {
            hide_secret(&mut value);
        }
        value.to_string()
    }
}

impl Held {
    /// An empty namespace is asked for by who looks for what has none.
    fn is_in(&self, namespace: &str) -> bool {
        match namespace {
            "" => !self.stated,
            namespace => self.namespace == namespace,
        }
    }
}

fn kind(api_version: &str, kind: &str) -> Kind {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    (group.to_owned(), kind.to_owned())
}

fn unavailable(error: ClusterError) -> Refusal {
    Refusal::Unavailable(format!("the cluster: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn learnt(values: &Values) -> Holdings {
        let mut holdings = Holdings::beside(values);
        for object in [
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"KEY": "hush"}}),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "b"}, "data": {"KEY": "aHVzaA=="}}),
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "c"}}),
        ] {
            holdings.learn(&Document::from_value(&object).unwrap(), "a");
        }
        holdings
    }

    #[test]
    fn objects_are_found_by_namespace_and_group() {
        let holdings = learnt(&Values::default());
        let get = |version: &str, kind: &str, namespace: &str, name: &str| {
            let text = holdings.object(version, kind, namespace, name).ok()?;
            let value: Value = serde_json::from_str(&text).unwrap();
            Some(value["metadata"]["namespace"].clone())
        };
        assert_eq!(get("v1", "Secret", "a", "s"), Some(json!("a")));
        assert_eq!(get("v1", "Secret", "b", "s"), Some(json!("b")));
        assert_eq!(get("v1", "Secret", "c", "s"), None);
        // Another version of the same group is the same object.
        assert!(get("networking.k8s.io/v1beta1", "IngressClass", "", "c").is_some());
        assert_eq!(get("v1", "IngressClass", "", "c"), None);
        let list = holdings.objects("v1", "Secret", "", "").unwrap();
        assert_eq!(serde_json::from_str::<Vec<Value>>(&list).unwrap().len(), 2);
        assert!(holdings.objects("v1", "Secret", "", "a=b").is_err());
        let asked = holdings.asked().unwrap();
        assert!(
            asked.contains("Secret/a/s, Secret/b/s, Secret/c/s (not there)"),
            "{asked}"
        );
    }

    #[test]
    fn secrets_can_be_hidden() {
        let holdings = learnt(&Values::default().without_secrets());
        let list = holdings.objects("v1", "Secret", "", "").unwrap();
        assert!(
            !list.contains("hush") && !list.contains("aHVzaA=="),
            "{list}"
        );
        assert!(
            list.contains("\"KEY\":\"key\"") && list.contains("\"KEY\":\"a2V5\""),
            "{list}"
        );
    }
}
