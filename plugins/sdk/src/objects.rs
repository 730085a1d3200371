//! Objects that live in the target cluster. Using them makes the result depend on the cluster.

use serde::de::DeserializeOwned;

use crate::Result;
use crate::documents::ObjectRef;
use crate::error::asked;
use crate::raw::objects as raw;
use crate::raw::types::Refusal;

/// One object; `None` if it is not there. `namespace` is empty for cluster-scoped kinds.
pub fn get<T: DeserializeOwned>(
    api_version: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Result<Option<T>> {
    let what = ObjectRef {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    match raw::get(&what) {
        Err(Refusal::Absent) => Ok(None),
        answer => Ok(Some(serde_json::from_str(&asked(answer, || {
            format!("looking up {kind} {name}")
        })?)?)),
    }
}

/// All objects of a kind. An empty namespace asks for all; `labels` is a Kubernetes label selector.
pub fn query<T: DeserializeOwned>(
    api_version: &str,
    kind: &str,
    namespace: &str,
    labels: &str,
) -> Result<Vec<T>> {
    let text = asked(raw::query(api_version, kind, namespace, labels), || {
        format!("looking up {kind} objects")
    })?;
    Ok(serde_json::from_str(&text)?)
}
