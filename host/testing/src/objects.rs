//! Everything that stands in a namespace, of every kind.

use anyhow::{Context, Result};
use http::Request;
use kube::Client;
use serde_json::Value;

/// An object with the path at which it is served.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) path: String,
    pub(crate) object: Value,
}

/// Every object in a namespace but Events, each once, in the preferred version of its kind.
pub(crate) async fn in_namespace(client: &Client, namespace: &str) -> Result<Vec<Found>> {
    let groups = client
        .list_api_groups_aggregated()
        .await
        .context("discovery")?
        .items;
    let core = client
        .list_core_api_versions_aggregated()
        .await
        .context("discovery")?
        .items;
    let mut found = Vec::new();
    for group in core.into_iter().chain(groups) {
        let name = group
            .metadata
            .and_then(|meta| meta.name)
            .unwrap_or_default();
        let root = if name.is_empty() {
            "/api".to_owned()
        } else {
            format!("/apis/{name}")
        };
        // The first version is the preferred one; the others show the same objects again.
        let Some(version) = group.versions.into_iter().next() else {
            continue;
        };
        let version_name = version.version.unwrap_or_default();
        let api_version = if name.is_empty() {
            version_name.clone()
        } else {
            format!("{name}/{version_name}")
        };
        for resource in version.resources {
            let listed = resource.verbs.iter().any(|verb| verb == "list");
            let namespaced = resource.scope.as_deref() == Some("Namespaced");
            let Some(plural) = resource
                .resource
                .filter(|plural| listed && namespaced && plural != "events")
            else {
                continue;
            };
            let kind = resource
                .response_kind
                .and_then(|kind| kind.kind)
                .unwrap_or_default();
            let path = format!("{root}/{version_name}/namespaces/{namespace}/{plural}");
            let Some(list) = list(client, &path).await? else {
                continue;
            };
            for mut object in list["items"].as_array().cloned().unwrap_or_default() {
                // Items of a list do not say what they are.
                object["apiVersion"] = api_version.as_str().into();
                object["kind"] = kind.as_str().into();
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                found.push(Found {
                    path: format!("{path}/{name}"),
                    object,
                });
            }
        }
    }
    Ok(found)
}

/// A list, or `None` if its kind is gone since discovery. A kind that was just defined is not ready to be listed at once.
async fn list(client: &Client, path: &str) -> Result<Option<Value>> {
    crate::until(&format!("{path} to be listed"), async || {
        match client
            .request::<Value>(Request::get(path).body(Vec::new())?)
            .await
        {
            Ok(list) => Ok(Some(Some(list))),
            Err(kube::Error::Api(status)) if status.is_not_found() => Ok(Some(None)),
            Err(kube::Error::Api(status)) if status.code == 429 => Ok(None),
            Err(error) => Err(error).with_context(|| format!("GET {path}")),
        }
    })
    .await
}
