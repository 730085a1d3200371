//! Files in object stores with Amazon's S3 protocol, signed with static keys (Signature Version 4) or anonymously.

mod xml;

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::future::join_all;
use reqwest::Method;
use url::Url;
use weir_secrets::cloud::aws::{Credentials, Signed};
use weir_secrets::escape;
use weir_tree::{
    Digest, EmptyTree, IGNORE_FILE, IgnoreRules, OverlayTree, Tree, TreeError, TreePath,
};

use crate::http::{HttpError, patiently, read_body, reason};

/// The most objects of a bucket.
const MAX_OBJECTS: usize = 100_000;
/// The most bytes of one page of a listing.
const MAX_PAGE: u64 = 16 << 20;
/// Objects that are fetched at once.
const AT_ONCE: usize = 32;

/// Which objects of which bucket.
#[derive(Clone, Debug)]
pub struct BucketSpec {
    /// Host and port.
    pub endpoint: String,
    /// HTTP without TLS.
    pub insecure: bool,
    pub bucket: String,
    pub region: String,
    pub prefix: String,
    /// Without: anonymously.
    pub keys: Option<Credentials>,
    pub ignore: Option<String>,
    /// The most bytes of all objects together.
    pub limit: u64,
}

/// Why a bucket gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    #[error("the endpoint {endpoint:?} is not HOST or HOST:PORT")]
    Endpoint { endpoint: String },
    #[error("bucket '{bucket}' does not exist")]
    NoBucket { bucket: String },
    #[error("{what}: {reason}")]
    Connection { what: String, reason: String },
    #[error("{what}: the server answered with status {status}{}", detail(.code))]
    Status {
        what: String,
        status: u16,
        code: String,
    },
    #[error("{what}: {source}")]
    Body { what: String, source: HttpError },
    #[error("the list of objects is not valid: {0}")]
    Malformed(&'static str),
    #[error(
        "the bucket has more than {MAX_OBJECTS} objects; choose some with `prefix` or `ignore`"
    )]
    TooMany,
    #[error(
        "the objects have more than {limit} bytes together; choose some with `prefix` or `ignore`"
    )]
    TooLarge { limit: u64 },
    #[error("the object {key:?} cannot be a file: {reason}")]
    Key { key: String, reason: String },
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// What a bucket holds now, before anything of it is fetched.
#[derive(Debug)]
pub struct Listing {
    /// `sha256:…` over names and tags of all objects.
    pub revision: String,
    objects: Vec<Object>,
}

#[derive(Clone, Debug)]
struct Object {
    key: String,
    tag: String,
}

/// A bucket's files.
#[derive(Debug)]
pub struct BucketTree {
    pub tree: Arc<dyn Tree>,
    pub files: usize,
}

/// One bucket.
#[derive(Debug)]
pub struct Bucket {
    client: reqwest::Client,
    base: Url,
    spec: BucketSpec,
}

impl Bucket {
    /// Objects are addressed below the bucket's path, which every server understands.
    pub fn new(client: reqwest::Client, spec: BucketSpec) -> Result<Self, BucketError> {
        let scheme = if spec.insecure { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{}/", spec.endpoint));
        let base = base.ok().filter(|url| url.path() == "/" && url.has_host());
        let base = base.ok_or_else(|| BucketError::Endpoint {
            endpoint: spec
                .endpoint
                .rsplit('@')
                .next()
                .unwrap_or_default()
                .to_owned(),
        })?;
        Ok(Self { client, base, spec })
    }

    /// The objects that are not ignored, and the revision that they make up.
    pub async fn list(&self) -> Result<Listing, BucketError> {
        let rules = self.rules().await?;
        let mut objects = Vec::new();
        let mut token = None;
        loop {
            let page = self.page(token.as_deref()).await?;
            for object in page.objects {
                if object.key.ends_with('/') {
                    continue;
                }
                let path = path(&object.key)?;
                if path.as_str() != IGNORE_FILE && rules.ignores(&path, false) {
                    continue;
                }
                objects.push(object);
                if objects.len() > MAX_OBJECTS {
                    return Err(BucketError::TooMany);
                }
            }
            match page.next {
                Some(next) if token.as_ref() != Some(&next) => token = Some(next),
                Some(_) => return Err(BucketError::Malformed("its pages do not end")),
                None => break,
            }
        }
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        let mut lines = String::new();
        for object in &objects {
            lines.push_str(&object.key);
            lines.push(' ');
            lines.push_str(&object.tag);
            lines.push('\n');
        }
        Ok(Listing {
            revision: Digest::of(lines.as_bytes()).to_string(),
            objects,
        })
    }

    /// Fetches what was listed. An object that is gone meanwhile is left out.
    pub async fn fetch(&self, listing: &Listing) -> Result<BucketTree, BucketError> {
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        let (mut files, mut total) = (0, 0);
        for group in listing.objects.chunks(AT_ONCE) {
            let contents = join_all(group.iter().map(|object| self.object(&object.key))).await;
            for (object, content) in group.iter().zip(contents) {
                let Some(content) = content? else {
                    continue;
                };
                total += content.len() as u64;
                if total > self.spec.limit {
                    return Err(BucketError::TooLarge {
                        limit: self.spec.limit,
                    });
                }
                overlay.file(&path(&object.key)?, content)?;
                files += 1;
            }
        }
        Ok(BucketTree {
            tree: Arc::new(overlay.finish()?),
            files,
        })
    }

    /// As Flux: the `.sourceignore` at the top of the bucket, and the spec; nothing is ignored by itself.
    async fn rules(&self) -> Result<IgnoreRules, BucketError> {
        let mut texts = Vec::new();
        if let Some(content) = self.object(IGNORE_FILE).await? {
            let text = String::from_utf8_lossy(&content).into_owned();
            texts.push((TreePath::root(), text));
        }
        if let Some(text) = &self.spec.ignore {
            texts.push((TreePath::root(), text.clone()));
        }
        Ok(IgnoreRules::from_texts(&texts)?)
    }

    async fn page(&self, token: Option<&str>) -> Result<xml::Page, BucketError> {
        let what = format!("listing the bucket {}", self.spec.bucket);
        let mut query = vec![("list-type", "2")];
        if !self.spec.prefix.is_empty() {
            query.push(("prefix", &self.spec.prefix));
        }
        if let Some(token) = token {
            query.push(("continuation-token", token));
        }
        let response = self.send("", &query, &what).await?;
        let response = match response.status().as_u16() {
            200 => response,
            404 => {
                return Err(BucketError::NoBucket {
                    bucket: self.spec.bucket.clone(),
                });
            }
            _ => return Err(refused(response, what).await),
        };
        let body = body(response, MAX_PAGE, &what).await?;
        let text =
            std::str::from_utf8(&body).map_err(|_| BucketError::Malformed("it is not UTF-8"))?;
        xml::page(text)
    }

    /// `None`: there is no such object.
    async fn object(&self, key: &str) -> Result<Option<Bytes>, BucketError> {
        let what = format!("fetching the object {key}");
        let response = self.send(key, &[], &what).await?;
        match response.status().as_u16() {
            200 => Ok(Some(body(response, self.spec.limit, &what).await?)),
            404 => Ok(None),
            _ => Err(refused(response, what).await),
        }
    }

    async fn send(
        &self,
        key: &str,
        query: &[(&str, &str)],
        what: &str,
    ) -> Result<reqwest::Response, BucketError> {
        let path = if key.is_empty() {
            format!("/{}", self.spec.bucket)
        } else {
            format!("/{}/{key}", self.spec.bucket)
        };
        let url = address(&self.base, &path, query);
        let host = match (url.host_str().unwrap_or_default(), url.port()) {
            (host, Some(port)) => format!("{host}:{port}"),
            (host, None) => host.to_owned(),
        };
        let request = || {
            let request = self.client.request(Method::GET, url.clone());
            let Some(keys) = &self.spec.keys else {
                return request;
            };
            let signed = Signed {
                method: "GET",
                host: &host,
                path: url.path(),
                query: url.query().unwrap_or_default(),
                body: b"",
                region: &self.spec.region,
                service: "s3",
            };
            let headers = signed.headers(keys, SystemTime::now());
            headers.into_iter().fold(request, |request, (name, value)| {
                request.header(name, &*value)
            })
        };
        patiently(request)
            .await
            .map_err(|error| BucketError::Connection {
                what: what.to_owned(),
                reason: reason(&error),
            })
    }
}

/// The address of an object, its path and query escaped as they are signed.
fn address(base: &Url, path: &str, query: &[(&str, &str)]) -> Url {
    let mut url = base.clone();
    let parts: Vec<String> = path.split('/').map(escape).collect();
    let mut pairs: Vec<(String, String)> = query
        .iter()
        .map(|(name, value)| (escape(name), escape(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    url.set_path(&parts.join("/"));
    url.set_query((!pairs.is_empty()).then(|| pairs.join("&")).as_deref());
    url
}

fn path(key: &str) -> Result<TreePath, BucketError> {
    TreePath::parse(key).map_err(|error| BucketError::Key {
        key: key.chars().take(200).collect(),
        reason: error.to_string(),
    })
}

async fn refused(response: reqwest::Response, what: String) -> BucketError {
    let status = response.status().as_u16();
    let body = read_body(response, 64 << 10).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    BucketError::Status {
        what,
        status,
        code: xml::field(&text, "Code").unwrap_or_default(),
    }
}

async fn body(response: reqwest::Response, limit: u64, what: &str) -> Result<Bytes, BucketError> {
    read_body(response, limit)
        .await
        .map_err(|source| BucketError::Body {
            what: what.to_owned(),
            source,
        })
}

fn detail(code: &str) -> String {
    if code.is_empty() {
        String::new()
    } else {
        format!(" ({})", code.chars().take(100).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_once() {
        let base = Url::parse("http://127.0.0.1:9000/").unwrap();
        let url = address(&base, "/b/a b+c.yaml", &[("continuation-token", "x/y=")]);
        assert_eq!(
            url.as_str(),
            "http://127.0.0.1:9000/b/a%20b%2Bc.yaml?continuation-token=x%2Fy%3D"
        );
    }
}
