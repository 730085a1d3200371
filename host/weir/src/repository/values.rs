//! The ConfigMaps and Secrets that `substituteFrom` and `valuesFrom` find.
//!
//! Those of a file that was named come first, then those that the repository itself makes, then those of a cluster, if one may
//! be asked. What is encrypted has a placeholder for each value, made of its key: lower case, `-` for `_`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};
use weir_api::kustomize::ConfigKind;
use weir_api::{Object, ObjectName};
use weir_cluster::ClusterError;
use weir_plugin::Document;
use weir_render::InputRef;

use crate::cluster::Live;

/// What stands in for an encrypted text without a key begins with this; a value of `data` is such a text, and a file that was
/// encrypted as a whole is one after it was decoded.
const PLACEHOLDER: &str = "SOPSplaceholder";
/// The same, as it begins in base64.
const ENCODED_PLACEHOLDER: &str = "U09QU3BsYWNlaG9sZGVy";

type Id = (ConfigKind, ObjectName);
/// Bytes by key.
type Entries = BTreeMap<String, Vec<u8>>;

/// What is known of ConfigMaps and Secrets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    given: BTreeMap<Id, Entries>,
    /// By this turn of the walk.
    made: BTreeMap<Id, Entries>,
    /// By the turn before it, for what comes before it is made.
    before: BTreeMap<Id, Entries>,
    /// Secrets have a placeholder for each value, whether they are encrypted or not.
    without_secrets: bool,
    live: Option<Arc<Live>>,
}

impl Values {
    /// Reads a file of ConfigMaps and Secrets, as YAML or JSON.
    pub(crate) fn give(&mut self, file: &Path) -> anyhow::Result<()> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
        let documents = Document::from_yaml(&text, None)
            .with_context(|| format!("reading {}", file.display()))?;
        for document in documents {
            let object = Object::new(document.to_value())
                .with_context(|| format!("reading {}", file.display()))?;
            if let Some((id, entries)) = entries_of(&object, "") {
                self.given.insert(id, entries);
            }
        }
        Ok(())
    }

    /// The same with placeholders for all values of Secrets, those that are learnt later included.
    pub(crate) fn without_secrets(mut self) -> Self {
        self.without_secrets = true;
        for (id, entries) in &mut self.given {
            hide(id, entries);
        }
        self
    }

    /// Keeps an object that a unit of a namespace made.
    pub(crate) fn learn(&mut self, object: &Object, namespace: &str) {
        if let Some((id, mut entries)) = entries_of(object, namespace) {
            if self.without_secrets {
                hide(&id, &mut entries);
            }
            self.made.insert(id, entries);
        }
    }

    /// The next turn starts with what this one made.
    pub(crate) fn turn(&mut self) {
        self.before = std::mem::take(&mut self.made);
    }

    /// Asks this cluster for what is not known.
    pub(crate) fn ask(&mut self, live: Arc<Live>) {
        self.live = Some(live);
    }

    /// Whether Secrets are placeholders.
    pub(crate) fn hides_secrets(&self) -> bool {
        self.without_secrets
    }

    /// The cluster that may be asked.
    pub(crate) fn live(&self) -> Option<&Arc<Live>> {
        self.live.as_ref()
    }

    /// Whether the object is there, whatever keys it has.
    pub(crate) fn holds(&self, reference: &InputRef) -> bool {
        matches!(self.entries(reference), Ok(Some(_)))
    }

    /// As [`Self::look_up`]; what the cluster does not tell is not there.
    pub(crate) fn get(&self, reference: &InputRef) -> Option<Bytes> {
        self.look_up(reference).ok().flatten()
    }

    /// The whole as a JSON object of base64 texts, or one key; `None` if it is not there.
    pub(crate) fn look_up(&self, reference: &InputRef) -> Result<Option<Bytes>, ClusterError> {
        let Some(entries) = self.entries(reference)? else {
            return Ok(None);
        };
        if let Some(key) = &reference.key {
            return Ok(entries.get(key).map(|value| Bytes::from(value.clone())));
        }
        let whole: Map<String, Value> = entries
            .iter()
            .map(|(key, value)| (key.clone(), STANDARD.encode(value).into()))
            .collect();
        Ok(Some(Bytes::from(Value::Object(whole).to_string())))
    }

    fn entries(&self, reference: &InputRef) -> Result<Option<Cow<'_, Entries>>, ClusterError> {
        let id = (reference.kind, reference.name.clone());
        let known = [&self.given, &self.made, &self.before]
            .into_iter()
            .find_map(|map| map.get(&id));
        if let Some(entries) = known {
            return Ok(Some(Cow::Borrowed(entries)));
        }
        let Some(live) = &self.live else {
            return Ok(None);
        };
        let found = live.input(reference.kind, &reference.name)?;
        Ok(found
            .and_then(|object| entries_of(&object, ""))
            .map(|(id, mut entries)| {
                if self.without_secrets {
                    hide(&id, &mut entries);
                }
                Cow::Owned(entries)
            }))
    }
}

/// Puts placeholders into a Secret. A mapping, as `valuesFrom` reads it, stays one with the same keys.
fn hide(id: &Id, entries: &mut Entries) {
    if id.0 != ConfigKind::Secret {
        return;
    }
    for (key, value) in entries {
        let text = std::str::from_utf8(value).unwrap_or_default();
        let inner = weir_k8s_yaml::from_str(text, weir_k8s_yaml::Schema::Sigs);
        *value = match inner {
            Ok(mut inner @ Value::Object(_)) => {
                hide_inner(key, &mut inner);
                inner.to_string().into_bytes()
            }
            Ok(_) | Err(_) => placeholder(key).into_bytes(),
        };
    }
}

/// Puts placeholders into a Secret.
pub(crate) fn hide_secret(secret: &mut Value) {
    for (field, encoded) in [("data", true), ("stringData", false)] {
        let entries = secret.get_mut(field).and_then(Value::as_object_mut);
        for (key, value) in entries.into_iter().flatten() {
            let text = placeholder(key);
            *value = match encoded {
                true => STANDARD.encode(text).into(),
                false => text.into(),
            };
        }
    }
}

/// The depth is that of parsed YAML, which is bounded.
fn hide_inner(key: &str, value: &mut Value) {
    match value {
        Value::Object(map) => map
            .iter_mut()
            .for_each(|(key, value)| hide_inner(key, value)),
        Value::Array(items) => items.iter_mut().for_each(|item| hide_inner(key, item)),
        Value::String(text) => *text = placeholder(key),
        Value::Number(number) => *number = 1.into(),
        Value::Null | Value::Bool(_) => {}
    }
}

fn entries_of(object: &Object, namespace: &str) -> Option<(Id, Entries)> {
    let kind = match (object.api_version(), object.kind()) {
        ("v1", "ConfigMap") => ConfigKind::ConfigMap,
        ("v1", "Secret") => ConfigKind::Secret,
        _ => return None,
    };
    let namespace = if object.namespace().is_empty() {
        namespace
    } else {
        object.namespace()
    };
    let encrypted = object.get("/sops").is_some();
    let mut entries = Entries::new();
    // A key of `stringData` replaces one of `data`, as in the API server.
    for (field, encoded) in [
        ("/data", kind == ConfigKind::Secret),
        ("/stringData", false),
    ] {
        let map = object.get(field).and_then(Value::as_object);
        for (key, value) in map.into_iter().flatten() {
            let Some(text) = value.as_str() else { continue };
            let stands_in = text.starts_with(PLACEHOLDER) || text.starts_with(ENCODED_PLACEHOLDER);
            let value = if encrypted || stands_in || text.starts_with("ENC[") {
                placeholder(key).into_bytes()
            } else if encoded {
                let Ok(value) = STANDARD.decode(text) else {
                    continue;
                };
                value
            } else {
                text.as_bytes().to_vec()
            };
            entries.insert(key.clone(), value);
        }
    }
    Some(((kind, ObjectName::new(namespace, object.name())), entries))
}

fn placeholder(key: &str) -> String {
    key.to_lowercase()
        .replace('_', "-")
        .trim_matches('-')
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reference(kind: ConfigKind, name: &str, key: Option<&str>) -> InputRef {
        InputRef {
            kind,
            name: ObjectName::new("ns", name),
            key: key.map(str::to_owned),
            optional: false,
        }
    }

    fn object(value: Value) -> Object {
        Object::new(value).unwrap()
    }

    #[test]
    fn without_secrets_there_are_placeholders_and_maps_stay_maps() {
        let text = "stringData:\n  user_name: bob\n  values.yaml: |\n    port: 8123\n    list: [{password: hush}]\n    debug: true\n";
        let mut value: Value = weir_k8s_yaml::from_str(text, weir_k8s_yaml::Schema::Sigs).unwrap();
        value["apiVersion"] = "v1".into();
        value["kind"] = "Secret".into();
        value["metadata"] = json!({"name": "s"});
        let mut values = Values::default().without_secrets();
        values.learn(&object(value.clone()), "ns");
        let get = |values: &Values, kind, key| {
            let bytes = values.get(&reference(kind, "s", Some(key))).unwrap();
            String::from_utf8(bytes.to_vec()).unwrap()
        };
        assert_eq!(get(&values, ConfigKind::Secret, "user_name"), "user-name");
        assert_eq!(
            get(&values, ConfigKind::Secret, "values.yaml"),
            r#"{"port":1,"list":[{"password":"password"}],"debug":true}"#
        );
        // What a ConfigMap says is no secret.
        value["kind"] = "ConfigMap".into();
        value["data"] = value["stringData"].take();
        values.learn(&object(value), "ns");
        assert_eq!(get(&values, ConfigKind::ConfigMap, "user_name"), "bob");
    }

    #[test]
    fn a_given_object_comes_before_a_made_one_and_a_made_one_before_that_of_the_last_turn() {
        let mut values = Values::default();
        let map = |value: &str| {
            object(
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": value}}),
            )
        };
        let k = reference(ConfigKind::ConfigMap, "a", Some("k"));
        values.learn(&map("one"), "ns");
        values.turn();
        assert_eq!(values.get(&k).as_deref(), Some(&b"one"[..]));
        values.learn(&map("two"), "ns");
        assert_eq!(values.get(&k).as_deref(), Some(&b"two"[..]));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: ns}\ndata: {k: three}\n").unwrap();
        values.give(file.path()).unwrap();
        assert_eq!(values.get(&k).as_deref(), Some(&b"three"[..]));
        assert_eq!(values.get(&reference(ConfigKind::Secret, "a", None)), None);
    }

    #[test]
    fn what_is_encrypted_has_placeholders() {
        let mut values = Values::default();
        values.learn(&object(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
            "data": {"plain": "eA=="}, "stringData": {"SECRET_DOMAIN_": "ENC[AES256_GCM,data:x]", "other": "y"}})), "ns");
        let key = |key| values.get(&reference(ConfigKind::Secret, "s", Some(key)));
        assert_eq!(
            key("SECRET_DOMAIN_").as_deref(),
            Some(&b"secret-domain"[..])
        );
        assert_eq!(key("plain").as_deref(), Some(&b"x"[..]));
        assert_eq!(key("other").as_deref(), Some(&b"y"[..]));
        let whole = values.get(&reference(ConfigKind::Secret, "s", None));
        assert_eq!(
            whole.as_deref(),
            Some(
                &br#"{"SECRET_DOMAIN_":"c2VjcmV0LWRvbWFpbg==","other":"eQ==","plain":"eA=="}"#[..]
            )
        );
    }
}
