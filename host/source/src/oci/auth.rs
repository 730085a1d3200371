//! Tokens for registries that want one: `WWW-Authenticate: Bearer realm="…",service="…",scope="…"`.

use serde::Deserialize;
use url::Url;

use crate::address::Login;
use crate::http::{patiently, read_body, reason};

use super::{MAX_DOCUMENT, OciError};

/// What a registry asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// A name and a password.
    Basic,
    Bearer(Bearer),
}

/// Where a token is to be had.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bearer {
    realm: String,
    service: Option<String>,
    scope: Option<String>,
}

impl Challenge {
    /// Reads a challenge; `None` for another kind than `Basic` and `Bearer`.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let (kind, mut rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if kind.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !kind.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut scope) = (None, None, None);
        while let Some((name, after)) = rest.split_once('=') {
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_at(after.find(',').unwrap_or(after.len())),
            };
            match name.trim_matches([' ', ',']).to_ascii_lowercase().as_str() {
                "realm" => realm = Some(value.to_owned()),
                "service" => service = Some(value.to_owned()),
                "scope" => scope = Some(value.to_owned()),
                _ => {}
            }
            rest = after;
        }
        Some(Self::Bearer(Bearer {
            realm: realm?,
            service,
            scope,
        }))
    }
}

/// A token for reading one repository, with a login or as anybody.
pub(super) async fn token(
    client: &reqwest::Client,
    challenge: &Bearer,
    repository: &str,
    login: Option<&Login>,
    plain: bool,
) -> Result<String, OciError> {
    #[derive(Deserialize)]
    struct Answer {
        token: Option<String>,
        access_token: Option<String>,
    }
    let what = format!("a token from {}", challenge.realm);
    let malformed = |reason: String| OciError::Malformed {
        what: what.clone(),
        reason,
    };
    let mut url = Url::parse(&challenge.realm).map_err(|error| malformed(error.to_string()))?;
    if url.scheme() != "https" && !(plain && url.scheme() == "http") {
        return Err(malformed(
            "the service is not spoken to over TLS".to_owned(),
        ));
    }
    let scope = challenge
        .scope
        .clone()
        .unwrap_or_else(|| format!("repository:{repository}:pull"));
    url.query_pairs_mut().append_pair("scope", &scope);
    if let Some(service) = &challenge.service {
        url.query_pairs_mut().append_pair("service", service);
    }
    let request = || {
        let request = client.get(url.clone());
        match login {
            Some(login) => request.basic_auth(&login.user, Some(login.password.expose())),
            None => request,
        }
    };
    let response = patiently(request)
        .await
        .map_err(|error| OciError::Connection {
            what: what.clone(),
            reason: reason(&error),
        })?;
    if !response.status().is_success() {
        let status = response.status().as_u16();
        return Err(OciError::Unauthorized(format!(
            "its token service answered with status {status}"
        )));
    }
    let body = read_body(response, MAX_DOCUMENT)
        .await
        .map_err(|source| OciError::Body {
            what: what.clone(),
            source,
        })?;
    let answer: Answer =
        serde_json::from_slice(&body).map_err(|error| malformed(error.to_string()))?;
    answer
        .token
        .or(answer.access_token)
        .filter(|token| !token.is_empty())
        .ok_or_else(|| malformed("there is no token in the answer".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let header = r#"Bearer realm="https://auth.example.org/token",service="reg",scope="repository:a/b:pull,push""#;
        assert_eq!(
            Challenge::parse(header),
            Some(Challenge::Bearer(Bearer {
                realm: "https://auth.example.org/token".to_owned(),
                service: Some("reg".to_owned()),
                scope: Some("repository:a/b:pull,push".to_owned()),
            }))
        );
        assert_eq!(
            Challenge::parse("Bearer realm=x, service=y"),
            Some(Challenge::Bearer(Bearer {
                realm: "x".to_owned(),
                service: Some("y".to_owned()),
                scope: None,
            }))
        );
        assert_eq!(
            Challenge::parse("Basic realm=\"x\""),
            Some(Challenge::Basic)
        );
        for other in [
            "Digest realm=\"x\"",
            "Bearer",
            "Bearer service=\"x\"",
            "Bearer realm=\"x",
        ] {
            assert_eq!(Challenge::parse(other), None, "{other}");
        }
    }
}
