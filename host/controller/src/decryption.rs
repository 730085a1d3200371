//! The private keys of one run: those of the Secret that a unit names for decryption.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use weir_api::{Gvk, Object, ObjectKey, ObjectName, names};
use weir_cluster::{Cluster, ClusterError};
use weir_plugin::Refusal;
use weir_secrets::cloud::Cloud;
use weir_secrets::services::Logins;
use weir_secrets::{Keyring, UnwrapError, WrappedKey, flux};

/// Why a unit has no keys, in the words of kustomize-controller 1.9.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecryptionError {
    #[error("secrets {name:?} not found")]
    NotFound { name: String },
    #[error("cannot get sops decryption Secret '{secret}': {source}")]
    Unreadable {
        secret: String,
        source: ClusterError,
    },
    #[error(transparent)]
    Entry(#[from] flux::EntryError),
}

/// The keys in a Secret, and the key services. Without a Secret they are asked as whoever this process is there.
pub(crate) async fn keyring(
    cluster: &dyn Cluster,
    secret: Option<&ObjectName>,
    cloud: &Cloud,
) -> Result<Keyring, DecryptionError> {
    let Some(name) = secret else {
        return Ok(Keyring::default().with_services(cloud, Logins::default()));
    };
    let key = ObjectKey {
        gvk: Gvk::new("", "v1", "Secret"),
        name: name.clone(),
    };
    let object = match cluster.get(&key).await {
        Ok(Some(object)) => object,
        Ok(None) => {
            let name = name.name.clone();
            return Err(DecryptionError::NotFound { name });
        }
        Err(source) => {
            let secret = name.to_string();
            return Err(DecryptionError::Unreadable { secret, source });
        }
    };
    Ok(flux::keyring(&name.to_string(), &data_of(&object), cloud)?)
}

/// Asks the keys for a data key.
pub fn unwrap_key(
    keyring: &Keyring,
    scheme: &str,
    fields: &[(String, String)],
    wrapped: &[u8],
) -> Result<Bytes, Refusal> {
    let key = WrappedKey {
        scheme,
        fields,
        wrapped,
    };
    match keyring.unwrap(&key) {
        Ok(secret) => Ok(Bytes::copy_from_slice(&secret)),
        Err(UnwrapError::Unavailable(text)) => Err(Refusal::Unavailable(text)),
        Err(UnwrapError::NoKey(text) | UnwrapError::Damaged(text)) => Err(Refusal::Invalid(text)),
    }
}

/// What a Secret that is still encrypted says when it is about to be applied. The annotation
/// `kustomize.toolkit.fluxcd.io/decrypt: disabled` lets it pass.
pub(crate) fn still_encrypted(objects: &[Object]) -> Option<String> {
    let found = objects.iter().find(|object| {
        object.api_version() == "v1"
            && object.kind() == "Secret"
            && object.get("/sops").is_some()
            && !object
                .annotation(names::DECRYPT)
                .is_some_and(|value| value.eq_ignore_ascii_case("disabled"))
    })?;
    Some(format!(
        "{} is SOPS encrypted, configuring decryption is required for this secret to be reconciled",
        found.key()
    ))
}

/// The bytes of `data`; what is no base64 the API server would not have taken.
fn data_of(object: &Object) -> BTreeMap<String, Vec<u8>> {
    let data = object.get("/data").and_then(Value::as_object);
    data.into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), STANDARD.decode(value.as_str()?).ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_that_is_still_encrypted_is_not_applied() {
        let secret = |annotations: Value| {
            let secret = json!({
                "apiVersion": "v1", "kind": "Secret", "sops": {"mac": "ENC[]"},
                "metadata": {"namespace": "a", "name": "b", "annotations": annotations},
            });
            Object::new(secret).unwrap()
        };
        let found = still_encrypted(&[secret(json!({}))]).unwrap();
        assert!(found.starts_with("Secret/a/b is SOPS encrypted"), "{found}");
        let kept = secret(json!({"kustomize.toolkit.fluxcd.io/decrypt": "Disabled"}));
        assert_eq!(still_encrypted(&[kept]), None);
    }
}
