//! What a render can know in a running controller: sources as of now, registered plugins, and the cluster.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use bytes::Bytes;
use serde_json::Value;
use tokio::runtime::Handle;
use weir_api::kustomize::ConfigKind;
use weir_api::{Gvk, Object, ObjectKey};
use weir_cluster::{Cluster, ClusterError, Discovery, Selection};
use weir_plugin::Refusal;
use weir_plugin::ask::Budget;
use weir_render::{InputRef, InputValue, Registered, SourceId, SourceTree, World};

use crate::remote::{Place, RunRemotes};
use weir_secrets::Keyring;

use crate::decryption;

/// A snapshot for one run; the maps are shared.
#[derive(Clone, Debug)]
pub(crate) struct ControllerWorld {
    pub(crate) sources: Arc<HashMap<SourceId, SourceTree>>,
    pub(crate) plugins: Arc<HashMap<String, Registered>>,
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) served: Arc<Served>,
    pub(crate) random_key: [u8; 32],
    /// What opens the encrypted files and objects of this unit.
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) runtime: Handle,
    pub(crate) remotes: Arc<RunRemotes>,
}

/// What the cluster serves, as renders ask for it.
#[derive(Debug)]
pub(crate) struct Served {
    version: String,
    apis: Arc<[String]>,
}

impl Served {
    pub(crate) fn of(discovery: &Discovery) -> Self {
        let mut apis: Vec<String> = Vec::with_capacity(discovery.resources.len() * 2);
        for resource in &discovery.resources {
            let version = resource.gvk.api_version();
            apis.push(format!("{version}/{}", resource.gvk.kind));
            apis.push(version);
        }
        apis.sort();
        apis.dedup();
        Self {
            version: discovery.version.clone(),
            apis: apis.into(),
        }
    }
}

impl World for ControllerWorld {
    fn source(&self, id: &SourceId) -> Result<SourceTree, Refusal> {
        self.sources
            .get(id)
            .cloned()
            .ok_or_else(|| Refusal::Unavailable(format!("{id} has no tree yet")))
    }

    fn plugin(&self, name: &str) -> Result<Registered, Refusal> {
        self.plugins.get(name).cloned().ok_or_else(|| {
            let mut known: Vec<&str> = self.plugins.keys().map(String::as_str).collect();
            known.sort_unstable();
            Refusal::Unavailable(format!(
                "no plugin is registered as {name:?}; there are: {}",
                known.join(", ")
            ))
        })
    }

    fn input(&self, reference: &InputRef) -> Result<InputValue, Refusal> {
        let kind = reference.kind.as_str();
        let secret = reference.kind == ConfigKind::Secret;
        let key = ObjectKey {
            gvk: reference.kind.gvk(),
            name: reference.name.clone(),
        };
        let object = self
            .runtime
            .block_on(self.cluster.get(&key))
            .map_err(refused)?;
        let found = object.and_then(|object| value_of(&object, reference.key.as_deref()));
        match found {
            Some(bytes) => Ok(InputValue { bytes, secret }),
            None if reference.optional => Err(Refusal::Absent),
            // In the words of the API server, which is how people know it from Flux.
            None => Err(Refusal::Unavailable(match &reference.key {
                None => format!(
                    "{}s {:?} not found",
                    kind.to_lowercase(),
                    reference.name.name
                ),
                Some(key) => format!("there is no {kind} {} with the key {key:?}", reference.name),
            })),
        }
    }

    fn kube_version(&self) -> String {
        self.served.version.clone()
    }

    fn api_versions(&self) -> Arc<[String]> {
        self.served.apis.clone()
    }

    fn random_key(&self) -> Option<[u8; 32]> {
        Some(self.random_key)
    }

    fn object(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<String, Refusal> {
        let key = ObjectKey::new(Gvk::from_api_version(api_version, kind), namespace, name);
        let object = self
            .runtime
            .block_on(self.cluster.get(&key))
            .map_err(refused)?
            .ok_or(Refusal::Absent)?;
        Ok(object.value().to_string())
    }

    fn objects(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        labels: &str,
    ) -> Result<String, Refusal> {
        let by = Selection {
            namespace: namespace.to_owned(),
            labels: labels.to_owned(),
            ..Selection::default()
        };
        let gvk = Gvk::from_api_version(api_version, kind);
        let list = self
            .runtime
            .block_on(self.cluster.list(&gvk, &by))
            .map_err(refused)?;
        let values: Vec<&Value> = list.objects.iter().map(Object::value).collect();
        serde_json::to_string(&values).map_err(|error| Refusal::Unavailable(error.to_string()))
    }

    fn open_url(&self, url: &str, budget: &Budget) -> Result<SourceTree, Refusal> {
        self.remotes.open(Place::Url(url.to_owned()), budget)
    }

    fn open_chart(
        &self,
        repository: &str,
        name: &str,
        version: &str,
        budget: &Budget,
    ) -> Result<SourceTree, Refusal> {
        let place = Place::Chart {
            repository: repository.to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
        };
        self.remotes.open(place, budget)
    }

    fn unwrap_key(
        &self,
        scheme: &str,
        key: &[(String, String)],
        wrapped: &[u8],
    ) -> Result<Bytes, Refusal> {
        decryption::unwrap_key(&self.keyring, scheme, key, wrapped)
    }
}

/// One key, or the whole `data` as a JSON object of base64 texts.
fn value_of(object: &Object, key: Option<&str>) -> Option<Bytes> {
    let engine = base64::engine::general_purpose::STANDARD;
    let secret = object.kind() == "Secret";
    let bytes_of = |text: &str, encoded: bool| {
        if encoded {
            engine.decode(text).ok()
        } else {
            Some(text.as_bytes().to_vec())
        }
    };
    let maps = [("/data", secret), ("/binaryData", true)];
    match key {
        Some(key) => maps.iter().find_map(|(pointer, encoded)| {
            let text = object.get(pointer)?.get(key)?.as_str()?;
            bytes_of(text, *encoded).map(Bytes::from)
        }),
        None => {
            let mut whole = serde_json::Map::new();
            for (pointer, encoded) in maps {
                for (key, value) in object
                    .get(pointer)
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                {
                    let bytes = bytes_of(value.as_str()?, encoded)?;
                    whole.insert(key.clone(), engine.encode(bytes).into());
                }
            }
            Some(Bytes::from(Value::Object(whole).to_string()))
        }
    }
}

fn refused(error: ClusterError) -> Refusal {
    match error {
        ClusterError::Forbidden { .. } => Refusal::Denied(error.to_string()),
        ClusterError::NoKind(_)
        | ClusterError::NotFound { .. }
        | ClusterError::NoNamespace { .. }
        | ClusterError::Exists { .. } => Refusal::Absent,
        ClusterError::Invalid { .. } => Refusal::Invalid(error.to_string()),
        ClusterError::Conflict { .. }
        | ClusterError::Expired(_)
        | ClusterError::Unavailable { .. } => Refusal::Unavailable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_or_the_whole_of_it() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "eA=="}});
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}, "data": {"a": "x"}, "binaryData": {"b": "eQ=="}});
        let (secret, map) = (Object::new(secret).unwrap(), Object::new(map).unwrap());
        assert_eq!(value_of(&secret, Some("a")).as_deref(), Some(&b"x"[..]));
        assert_eq!(value_of(&map, Some("b")).as_deref(), Some(&b"y"[..]));
        assert_eq!(value_of(&map, Some("c")), None);
        assert_eq!(
            value_of(&map, None).as_deref(),
            Some(&br#"{"a":"eA==","b":"eQ=="}"#[..])
        );
    }
}
