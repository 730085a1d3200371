//! What an API server serves, in three requests.

use http::Method;
use serde::Deserialize;
use weir_api::{ApiResource, Gvk, ObjectKey};

use super::Kube;
use super::answer::Asked;
use super::request::{Body, Call, DISCOVERY, JSON, Query};
use crate::{ClusterError, Discovery};

/// Asks by the aggregated form of discovery, in which a group is one document.
pub(super) async fn discover(kube: &Kube) -> Result<Discovery, ClusterError> {
    let mut resources = Vec::new();
    for root in ["/api", "/apis"] {
        let groups: Groups = ask(kube, root, DISCOVERY).await?;
        for group in groups.items {
            group.collect(&mut resources);
        }
    }
    let version: Version = ask(kube, "/version", JSON).await?;
    Ok(Discovery {
        resources,
        version: version.git_version,
    })
}

async fn ask<T: for<'d> Deserialize<'d>>(
    kube: &Kube,
    path: &str,
    accept: &'static str,
) -> Result<T, ClusterError> {
    let call = Call {
        method: Method::GET,
        path: path.into(),
        query: Query::default(),
        accept,
        body: Body::None,
    };
    let failed = |message: String| ClusterError::Unavailable {
        message: format!("discovery at {path}: {message}"),
    };
    let key = ObjectKey::default();
    match kube
        .ask_directly(
            call,
            &Asked {
                doing: "discover",
                key: &key,
            },
        )
        .await
    {
        Ok(value) => serde_json::from_value(value).map_err(|error| failed(error.to_string())),
        // There is no kind that could be missing here.
        Err(ClusterError::NoKind(_) | ClusterError::NotFound { .. }) => {
            Err(failed("not found".into()))
        }
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "gitVersion")]
    git_version: String,
}

#[derive(Deserialize)]
struct Groups {
    #[serde(default)]
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: Named,
    #[serde(default)]
    versions: Vec<GroupVersion>,
}

#[derive(Default, Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct GroupVersion {
    version: String,
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    resource: String,
    response_kind: Option<Kind>,
    scope: String,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    subresources: Vec<Subresource>,
}

#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    kind: String,
}

#[derive(Deserialize)]
struct Subresource {
    subresource: String,
}

impl Group {
    /// What can be read and has a kind. The server puts the preferred version first.
    fn collect(self, into: &mut Vec<ApiResource>) {
        for GroupVersion { version, resources } in self.versions {
            for resource in resources
                .into_iter()
                .filter(|resource| resource.verbs.iter().any(|verb| verb == "get"))
            {
                let Some(kind) = resource
                    .response_kind
                    .map(|kind| kind.kind)
                    .filter(|kind| !kind.is_empty())
                else {
                    continue;
                };
                into.push(ApiResource {
                    gvk: Gvk::new(self.metadata.name.clone(), version.clone(), kind),
                    plural: resource.resource,
                    namespaced: resource.scope == "Namespaced",
                    status: resource
                        .subresources
                        .iter()
                        .any(|sub| sub.subresource == "status"),
                });
            }
        }
    }
}
