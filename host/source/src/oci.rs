//! OCI registries: manifests, tags and blobs over the distribution protocol.
//!
//! Every blob is checked against its digest before anybody sees it. A registry that asks for a token (as public ones do
//! of anonymous readers) gets one from the service that it names, over TLS unless the registry itself is spoken to without.

mod auth;
mod login;
mod manifest;
mod reference;
mod signatures;

use bytes::Bytes;
use regex::Regex;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LINK, WWW_AUTHENTICATE};
use reqwest::{Method, Response, StatusCode};
use tokio::sync::Mutex;
use url::Url;
use weir_chart::version::{Constraints, Version, VersionError};
use weir_tree::Digest;

use crate::address::Login;
use crate::http::{HttpError, patiently, read_body, reason};
use crate::secret::SecretText;

pub use login::{DockerConfig, DockerConfigError};
pub use manifest::{Descriptor, Manifest};
pub use reference::{OciReference, ReferenceError};
pub use signatures::NotationSignature;

/// The most bytes of a manifest, a list of tags or a token.
const MAX_DOCUMENT: u64 = 4 << 20;
/// The most pages of a list of tags.
const MAX_PAGES: usize = 1000;
/// The most tags that are looked at.
const MAX_TAGS: usize = 100_000;
/// Says which manifest an answer is about.
const CONTENT_DIGEST: &str = "docker-content-digest";
/// What a chart's archive is called in a manifest.
pub const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// One repository of a registry.
#[derive(Debug)]
pub struct Registry {
    client: reqwest::Client,
    base: String,
    repository: String,
    /// The `Authorization` header that the registry accepted last.
    token: Mutex<Option<SecretText>>,
    /// For the registry, or for the service that gives out its tokens.
    login: Option<Login>,
    plain: bool,
}

/// Why a registry gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    #[error("{what}: {reason}")]
    Connection { what: String, reason: String },
    #[error("{what}: the registry answered with status {status}{}", detail(.message))]
    Status {
        what: String,
        status: u16,
        message: String,
    },
    #[error("the registry asks for a login{}", detail(.0))]
    Unauthorized(String),
    #[error("{what}: {source}")]
    Body { what: String, source: HttpError },
    #[error("{what} is not valid: {reason}")]
    Malformed { what: String, reason: String },
    #[error("{what} has the digest {found}, but {expected} was expected")]
    Digest {
        what: String,
        expected: String,
        found: String,
    },
    #[error("the version range {range:?}: {source}")]
    Range { range: String, source: VersionError },
    #[error("no tag is a version that fits {range:?}, out of {tags} tags")]
    NoVersion { range: String, tags: usize },
    #[error("the artifact holds no Helm chart; its layers are {0}")]
    NoChart(String),
    #[error("the list of tags has more than {MAX_TAGS}")]
    TooManyTags,
}

impl Registry {
    /// A repository, read through `client`.
    pub fn new(client: reqwest::Client, place: &OciReference, plain: bool) -> Self {
        let scheme = if plain { "http" } else { "https" };
        Self {
            client,
            base: format!("{scheme}://{}/v2/{}", place.host(), place.repository),
            repository: place.repository.clone(),
            token: Mutex::default(),
            login: None,
            plain,
        }
    }

    /// The same, logging in.
    pub fn with_login(mut self, login: Option<Login>) -> Self {
        self.login = login;
        self
    }

    /// The digest of the manifest that a tag points to now. The registry is not asked for the manifest if it tells without.
    pub async fn digest(&self, tag: &str) -> Result<String, OciError> {
        let what = format!("the manifest {tag}");
        let url = format!("{}/manifests/{tag}", self.base);
        let response = self.ask(Method::HEAD, &url, MANIFESTS, &what).await;
        if let Ok(response) = &response {
            let told = response.headers().get(CONTENT_DIGEST);
            let told = told.and_then(|value| value.to_str().ok());
            if let Some(digest) = told.filter(|digest| digest.starts_with("sha256:")) {
                return Ok(digest.to_owned());
            }
        }
        let response = self.get(&url, MANIFESTS, &what).await?;
        let body = body(response, MAX_DOCUMENT, &what).await?;
        Ok(Digest::of(&body).to_string())
    }

    /// The tag of the highest version in a range, among those that the filter lets through.
    pub async fn latest_tag(
        &self,
        range: &str,
        filter: Option<&Regex>,
    ) -> Result<String, OciError> {
        let parsed = Constraints::parse(range).map_err(|source| OciError::Range {
            range: range.to_owned(),
            source,
        })?;
        let tags = self.tags().await?;
        let strict = |tag: &str| Version::parse(tag.strip_prefix('v').unwrap_or(tag)).is_ok();
        let best = tags
            .iter()
            .filter(|tag| filter.is_none_or(|filter| filter.is_match(tag)))
            .filter_map(|tag| {
                let text = tag.replace('_', "+");
                let version = strict(&text).then(|| Version::loose(&text).ok())??;
                Some((version, tag))
            })
            .filter(|(version, _)| parsed.check(version))
            .max_by(|(a, _), (b, _)| a.order(b));
        best.map(|(_, tag)| tag.clone())
            .ok_or_else(|| OciError::NoVersion {
                range: range.to_owned(),
                tags: tags.len(),
            })
    }

    /// The tag of the latest version of a chart that the range admits: an exact version is taken as it is.
    pub async fn chart_version(&self, range: &str) -> Result<String, OciError> {
        if Version::parse(range).is_ok() {
            return Ok(range.to_owned());
        }
        let parsed = Constraints::parse(if range.is_empty() { "*" } else { range });
        let parsed = parsed.map_err(|source| OciError::Range {
            range: range.to_owned(),
            source,
        })?;
        let tags = self.tags().await?;
        let best = tags
            .iter()
            // A tag cannot hold a `+`: Helm writes `_` in its place.
            .filter_map(|tag| Version::parse(&tag.replace('_', "+")).ok())
            .filter(|version| parsed.check(version))
            .max_by(Version::order);
        best.map(|version| version.original)
            .ok_or_else(|| OciError::NoVersion {
                range: range.to_owned(),
                tags: tags.len(),
            })
    }

    /// The archive of a chart's version.
    pub async fn chart(&self, version: &str, limit: u64) -> Result<Bytes, OciError> {
        let layer = self.chart_layer(version).await?;
        self.blob(&layer, limit).await
    }

    /// What holds a chart's version.
    pub async fn chart_layer(&self, version: &str) -> Result<Descriptor, OciError> {
        let manifest = self.manifest(&version.replace('+', "_")).await?;
        let layer = manifest
            .layers
            .iter()
            .find(|layer| layer.media_type == CHART);
        layer.cloned().ok_or_else(|| {
            let types: Vec<&str> = manifest
                .layers
                .iter()
                .map(|layer| layer.media_type.as_str())
                .collect();
            OciError::NoChart(types.join(", "))
        })
    }

    /// The manifest of a tag or digest.
    pub async fn manifest(&self, reference: &str) -> Result<Manifest, OciError> {
        let what = format!("the manifest {reference}");
        let url = format!("{}/manifests/{reference}", self.base);
        let response = self.get(&url, MANIFESTS, &what).await?;
        let body = body(response, MAX_DOCUMENT, &what).await?;
        if reference.starts_with("sha256:") {
            check(&what, reference, &body)?;
        }
        Manifest::parse(&body).map_err(|reason| OciError::Malformed { what, reason })
    }

    /// The content of a layer.
    pub async fn blob(&self, layer: &Descriptor, limit: u64) -> Result<Bytes, OciError> {
        let what = format!("the blob {}", layer.digest);
        let url = format!("{}/blobs/{}", self.base, layer.digest);
        let response = self.get(&url, "*/*", &what).await?;
        let body = body(response, limit, &what).await?;
        check(&what, &layer.digest, &body)?;
        Ok(body)
    }

    /// All tags, in the registry's order.
    pub async fn tags(&self) -> Result<Vec<String>, OciError> {
        #[derive(serde::Deserialize)]
        struct Page {
            tags: Option<Vec<String>>,
        }
        let what = "the list of tags".to_owned();
        let mut url = format!("{}/tags/list", self.base);
        let mut tags = Vec::new();
        for _ in 0..MAX_PAGES {
            let response = self.get(&url, "application/json", &what).await?;
            let next = next_page(&response);
            let body = body(response, MAX_DOCUMENT, &what).await?;
            let page: Page =
                serde_json::from_slice(&body).map_err(|error| OciError::Malformed {
                    what: what.clone(),
                    reason: error.to_string(),
                })?;
            tags.extend(page.tags.unwrap_or_default());
            if tags.len() > MAX_TAGS {
                return Err(OciError::TooManyTags);
            }
            match next {
                Some(next) => url = next,
                None => return Ok(tags),
            }
        }
        Err(OciError::TooManyTags)
    }

    async fn get(&self, url: &str, accept: &str, what: &str) -> Result<Response, OciError> {
        self.ask(Method::GET, url, accept, what).await
    }

    /// One answer, with a login or token if the registry wants one.
    async fn ask(
        &self,
        method: Method,
        url: &str,
        accept: &str,
        what: &str,
    ) -> Result<Response, OciError> {
        let known = self.token.lock().await.clone();
        let send = |authorization: Option<SecretText>| {
            self.send(method.clone(), url, accept, what, authorization)
        };
        let response = send(known).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return answered(response, what).await;
        }
        let challenge = response
            .headers()
            .get(WWW_AUTHENTICATE)
            .and_then(|value| value.to_str().ok())
            .and_then(auth::Challenge::parse);
        let header = match (challenge, &self.login) {
            (Some(auth::Challenge::Bearer(challenge)), login) => {
                let token = auth::token(
                    &self.client,
                    &challenge,
                    &self.repository,
                    login.as_ref(),
                    self.plain,
                )
                .await?;
                SecretText::new(format!("Bearer {token}"))
            }
            (Some(auth::Challenge::Basic), Some(login)) => basic(login),
            (Some(auth::Challenge::Basic) | None, _) => {
                return Err(OciError::Unauthorized(error_text(response).await));
            }
        };
        *self.token.lock().await = Some(header.clone());
        let response = send(Some(header)).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            return Err(OciError::Unauthorized(error_text(response).await));
        }
        answered(response, what).await
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        accept: &str,
        what: &str,
        authorization: Option<SecretText>,
    ) -> Result<Response, OciError> {
        let request = || {
            let mut request = self
                .client
                .request(method.clone(), url)
                .header(ACCEPT, accept);
            if let Some(authorization) = &authorization {
                request = request.header(AUTHORIZATION, authorization.expose());
            }
            request
        };
        patiently(request)
            .await
            .map_err(|error| OciError::Connection {
                what: what.to_owned(),
                reason: reason(&error),
            })
    }
}

fn basic(login: &Login) -> SecretText {
    use base64::Engine as _;
    let pair = format!("{}:{}", login.user, login.password.expose());
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
    SecretText::new(format!("Basic {encoded}"))
}

async fn answered(response: Response, what: &str) -> Result<Response, OciError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    Err(OciError::Status {
        what: what.to_owned(),
        status: status.as_u16(),
        message: error_text(response).await,
    })
}

/// What a registry says about an error, as far as it says it in the form of the protocol.
async fn error_text(response: Response) -> String {
    let json = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.contains("json"));
    if !json {
        return String::new();
    }
    let Ok(body) = read_body(response, 64 << 10).await else {
        return String::new();
    };
    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let message = answer
        .pointer("/errors/0/message")
        .and_then(serde_json::Value::as_str);
    weir_secrets::beginning(message.unwrap_or_default(), 200).to_owned()
}

async fn body(response: Response, limit: u64, what: &str) -> Result<Bytes, OciError> {
    read_body(response, limit)
        .await
        .map_err(|source| OciError::Body {
            what: what.to_owned(),
            source,
        })
}

fn check(what: &str, expected: &str, content: &[u8]) -> Result<(), OciError> {
    let found = Digest::of(content).to_string();
    if found == expected {
        return Ok(());
    }
    Err(OciError::Digest {
        what: what.to_owned(),
        expected: expected.to_owned(),
        found,
    })
}

/// `Link: </v2/…?last=x>; rel="next"`. A link to another host is not followed.
fn next_page(response: &Response) -> Option<String> {
    let link = response.headers().get(LINK)?.to_str().ok()?;
    let (target, parameters) = link.strip_prefix('<')?.split_once('>')?;
    if !parameters.contains("next") {
        return None;
    }
    let base = response.url();
    let next: Url = base.join(target).ok()?;
    (next.origin() == base.origin()).then(|| next.to_string())
}

fn detail(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    }
}
