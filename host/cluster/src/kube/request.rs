//! Requests to an API server.

use std::fmt::Write as _;

use futures::AsyncReadExt as _;
use http::{Method, Request, header};
use serde_json::Value;
use weir_api::{ApiResource, ObjectName};

pub(super) const JSON: &str = "application/json";
pub(super) const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
pub(super) const METADATA_LIST: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
pub(super) const DISCOVERY: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// No answer is larger. A page of 500 objects of the largest size that etcd takes is.
const MAX_ANSWER: u64 = 1 << 30;

/// A request.
#[derive(Debug)]
pub(super) struct Call<'b> {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Query,
    /// In which form the answer is wanted.
    pub(super) accept: &'static str,
    pub(super) body: Body<'b>,
}

#[derive(Debug)]
pub(super) enum Body<'b> {
    None,
    Json(&'b Value),
    Merge(&'b Value),
    Apply(&'b Value),
}

/// The part of a URL after the question mark.
#[derive(Debug, Default)]
pub(super) struct Query(String);

/// Why there is no answer to a call.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error(transparent)]
    Kube(#[from] kube::Error),
    #[error(transparent)]
    Http(#[from] http::Error),
    #[error("reading the answer: {0}")]
    Read(#[from] std::io::Error),
    #[error("the answer has more than {MAX_ANSWER} bytes")]
    TooLarge,
    #[error("the answer is no JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl Query {
    /// Adds a parameter, unless it is empty.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            let and = if self.0.is_empty() { "?" } else { "&" };
            let _ = write!(self.0, "{and}{name}={}", Encoded(value));
        }
    }
}

/// Where a kind, an object or a part of it is served.
pub(super) fn path(resource: &ApiResource, name: &ObjectName, subresource: &str) -> String {
    let ApiResource {
        gvk,
        plural,
        namespaced,
        ..
    } = resource;
    let mut path = match gvk.group.as_str() {
        "" => format!("/api/{}", gvk.version),
        group => format!("/apis/{group}/{}", gvk.version),
    };
    if *namespaced && !name.namespace.is_empty() {
        let _ = write!(path, "/namespaces/{}", Encoded(&name.namespace));
    }
    let _ = write!(path, "/{plural}");
    for part in [name.name.as_str(), subresource] {
        if !part.is_empty() {
            let _ = write!(path, "/{}", Encoded(part));
        }
    }
    path
}

/// Sends a call and reads the whole answer.
pub(super) async fn send(client: &kube::Client, call: Call<'_>) -> Result<Value, CallError> {
    let answer = client.request_stream(request(call)?).await?;
    let mut bytes = Vec::new();
    answer.take(MAX_ANSWER + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > MAX_ANSWER {
        return Err(CallError::TooLarge);
    }
    Ok(serde_json::from_slice(&bytes)?)
}

pub(super) fn request(call: Call<'_>) -> Result<Request<Vec<u8>>, CallError> {
    let Call {
        method,
        path,
        query,
        accept,
        body,
    } = call;
    let mut request = Request::builder()
        .method(method)
        .uri(path + &query.0)
        .header(header::ACCEPT, accept);
    let content = match body {
        Body::None => None,
        Body::Json(value) => Some((JSON, value)),
        Body::Merge(value) => Some(("application/merge-patch+json", value)),
        // JSON is YAML.
        Body::Apply(value) => Some(("application/apply-patch+yaml", value)),
    };
    let mut bytes = Vec::new();
    if let Some((kind, value)) = content {
        request = request.header(header::CONTENT_TYPE, kind);
        bytes = serde_json::to_vec(value)?;
    }
    Ok(request.body(bytes)?)
}

/// Text as a part of a URL.
struct Encoded<'t>(&'t str);

impl std::fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    f.write_char(char::from(byte))?
                }
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use weir_api::Gvk;

    use super::*;

    #[test]
    fn paths_and_queries_are_encoded() {
        let role = ApiResource {
            gvk: Gvk::new("rbac.authorization.k8s.io", "v1", "Role"),
            plural: "roles".into(),
            namespaced: true,
            status: false,
        };
        assert_eq!(
            path(&role, &ObjectName::new("a", "system:b c?"), "status"),
            "/apis/rbac.authorization.k8s.io/v1/namespaces/a/roles/system%3Ab%20c%3F/status"
        );
        assert_eq!(
            path(&role, &ObjectName::new("", ""), ""),
            "/apis/rbac.authorization.k8s.io/v1/roles"
        );
        let mut query = Query::default();
        query.set("labelSelector", "a in (b,c),d=e&f");
        query.set("continue", "");
        query.set("limit", "1");
        assert_eq!(
            query.0,
            "?labelSelector=a%20in%20%28b%2Cc%29%2Cd%3De%26f&limit=1"
        );
    }
}
