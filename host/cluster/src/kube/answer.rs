//! What answers and errors of an API server mean.

use std::fmt;

use kube::core::Status;
use serde_json::{Value, json};
use weir_api::{Gvk, Object, ObjectKey};

use super::request::CallError;
use crate::ClusterError;

/// What a request was about, for errors.
#[derive(Debug)]
pub(super) struct Asked<'k> {
    pub(super) doing: &'static str,
    pub(super) key: &'k ObjectKey,
}

/// An object of an answer. Items of lists do not say what they are, and metadata says that it is metadata.
pub(super) fn object(mut value: Value, gvk: &Gvk) -> Result<Object, ClusterError> {
    if let Value::Object(fields) = &mut value {
        let mut named = serde_json::Map::new();
        named.insert("apiVersion".into(), gvk.api_version().into());
        named.insert("kind".into(), gvk.kind.as_str().into());
        for (name, value) in std::mem::take(fields) {
            named.entry(name).or_insert(value);
        }
        *fields = named;
    }
    let not_an_object = |error| ClusterError::Unavailable {
        message: format!("the answer about a {gvk}: {error}"),
    };
    Object::new(value).map_err(not_an_object)
}

/// What a deletion answers: the object if something holds it, else only what it was.
pub(super) fn deleted(value: Value, key: &ObjectKey) -> Result<Object, ClusterError> {
    if value.get("kind").and_then(Value::as_str) != Some("Status") || key.gvk.kind == "Status" {
        return object(value, &key.gvk);
    }
    let mut metadata = json!({"name": key.name.name});
    if !key.name.namespace.is_empty() {
        metadata["namespace"] = key.name.namespace.as_str().into();
    }
    if let Some(uid) = value.pointer("/details/uid") {
        metadata["uid"] = uid.clone();
    }
    object(json!({"metadata": metadata}), &key.gvk)
}

/// Why a call did not do what it was to do.
pub(super) fn error(error: CallError, asked: &Asked<'_>) -> ClusterError {
    if let CallError::Kube(kube::Error::Api(status)) = &error {
        return refusal(status, asked);
    }
    ClusterError::Unavailable {
        message: format!("{asked}: {}", chain(&error)),
    }
}

/// How messages of status 500 start that blame the object.
const MISTAKES: [&str; 2] = [
    "failed to create typed patch object",
    "resourceVersion should not be set on objects to be created",
];

/// What a status means. By its reason first: that is what the API promises.
pub(super) fn refusal(status: &Status, asked: &Asked<'_>) -> ClusterError {
    let Asked { key, .. } = asked;
    let key = || (*key).clone();
    let message = status.message.clone();
    match (status.reason.as_str(), status.code) {
        ("AlreadyExists", _) => ClusterError::Exists { key: key() },
        ("Conflict", _) | (_, 409) => ClusterError::Conflict {
            key: key(),
            message,
        },
        ("Expired" | "Gone", _) | (_, 410) => ClusterError::Expired(message),
        ("Forbidden" | "Unauthorized", _) | (_, 401 | 403) => ClusterError::Forbidden { message },
        ("NotFound", _) | (_, 404) => missing(status, asked),
        (
            "Invalid"
            | "BadRequest"
            | "MethodNotAllowed"
            | "NotAcceptable"
            | "UnsupportedMediaType",
            _,
        )
        | ("RequestEntityTooLarge", _)
        | (_, 400 | 405 | 406 | 413 | 415 | 422) => ClusterError::Invalid {
            key: key(),
            message,
        },
        // The server takes some mistakes of its callers for failures of its own.
        (_, 500) if MISTAKES.iter().any(|mistake| message.starts_with(mistake)) => {
            ClusterError::Invalid {
                key: key(),
                message,
            }
        }
        _ => {
            let message = if message.is_empty() {
                format!("the server answered {}", status.code)
            } else {
                message
            };
            ClusterError::Unavailable {
                message: format!("{asked}: {message}"),
            }
        }
    }
}

/// What is missing: the object, its namespace, or its kind.
fn missing(status: &Status, asked: &Asked<'_>) -> ClusterError {
    let key = asked.key.clone();
    let Some(details) = status
        .details
        .as_ref()
        .filter(|details| !details.name.is_empty())
    else {
        return ClusterError::NoKind(key.gvk);
    };
    if details.kind == "namespaces"
        && details.name == key.name.namespace
        && key.gvk.kind != "Namespace"
    {
        return ClusterError::NoNamespace {
            key,
            namespace: details.name.clone(),
        };
    }
    ClusterError::NotFound { key }
}

/// An error with its causes, for a reader who has only this line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    // Bounded: sources can be a ring.
    for _ in 0..8 {
        let Some(cause) = source else { break };
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

impl fmt::Display for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.doing, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: Value, expected: &str) {
        let status: Status = serde_json::from_value(status).unwrap();
        let key = ObjectKey::new(Gvk::new("", "v1", "ConfigMap"), "apps", "web");
        let error = refusal(
            &status,
            &Asked {
                doing: "apply",
                key: &key,
            },
        );
        assert_eq!(
            format!("{error:?}").split([' ', '(']).next().unwrap(),
            expected,
            "{error:?}"
        );
    }

    #[test]
    fn statuses_become_what_callers_decide_by() {
        check(json!({"reason": "AlreadyExists", "code": 409}), "Exists");
        check(json!({"reason": "Conflict", "code": 409}), "Conflict");
        check(json!({"reason": "Expired", "code": 410}), "Expired");
        check(json!({"reason": "Unauthorized", "code": 401}), "Forbidden");
        check(
            json!({"reason": "NotFound", "code": 404, "details": {"name": "web", "kind": "configmaps"}}),
            "NotFound",
        );
        check(
            json!({"reason": "NotFound", "code": 404, "details": {"name": "apps", "kind": "namespaces"}}),
            "NoNamespace",
        );
        check(
            json!({"reason": "NotFound", "code": 404, "details": {}}),
            "NoKind",
        );
        check(
            json!({"message": "404 page not found", "code": 404}),
            "NoKind",
        );
        check(json!({"reason": "Invalid", "code": 422}), "Invalid");
        check(
            json!({"message": "failed to create typed patch object (a/b; v1, Kind=C): .x", "code": 500}),
            "Invalid",
        );
        check(
            json!({"reason": "InternalError", "code": 500}),
            "Unavailable",
        );
        check(
            json!({"reason": "TooManyRequests", "code": 429}),
            "Unavailable",
        );
        check(
            json!({"reason": "ServiceUnavailable", "code": 503}),
            "Unavailable",
        );
        check(json!({"reason": "Timeout", "code": 504}), "Unavailable");
    }
}
