//! Files in object stores: those with Amazon's protocol, Google's and Azure's.
//!
//! What the three have in common stands here: a list of objects in pages, what is ignored, the revision, and the objects
//! themselves. `s3`, `google` and `azure` say how a request looks and what an answer means; they do no I/O.
//! A request that shows who asks is not sent on to another server: the caller's client has to see to that
//! ([`Redirects::SameServer`](crate::Redirects::SameServer)), and to whether a compressed object stays so
//! ([`Bodies`](crate::Bodies)).

mod azure;
mod google;
mod s3;
mod xml;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use futures::future::join_all;
use url::Url;
use weir_secrets::cloud::aws::Credentials;
use weir_secrets::{Secret, escape};
use weir_tree::{
    Digest, EmptyTree, IGNORE_FILE, IgnoreRules, OverlayTree, Tree, TreeError, TreePath,
};

use crate::http::{HttpError, patiently, read_body, reason};

pub use azure::AzureLogin;

/// The most objects of a bucket.
const MAX_OBJECTS: usize = 100_000;
/// The most pages of a listing; an empty one counts as well.
const MAX_PAGES: usize = 10_000;
/// The most bytes of one page of a listing.
const MAX_PAGE: u64 = 16 << 20;
/// Objects that are fetched at once.
const AT_ONCE: usize = 32;

/// Which objects of which bucket.
#[derive(Clone, Debug)]
pub struct BucketSpec {
    /// Host and port; Azure's and Google's may be an address.
    pub endpoint: String,
    /// HTTP without TLS, if the endpoint does not say.
    pub insecure: bool,
    /// Azure calls it a container.
    pub bucket: String,
    pub prefix: String,
    pub access: Access,
    pub ignore: Option<String>,
    /// The most bytes of all objects together.
    pub limit: u64,
}

/// How a bucket is spoken to, and as whom.
#[derive(Clone, Debug)]
pub enum Access {
    /// Amazon's protocol, which most servers know. Without keys: anonymously.
    S3 {
        region: String,
        keys: Option<Credentials>,
    },
    /// Google's JSON interface. Without a token: anonymously.
    Google {
        token: Option<Secret>,
    },
    Azure(AzureLogin),
}

/// Why a bucket gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    #[error("the endpoint {endpoint:?} is not {expected}")]
    Endpoint {
        endpoint: String,
        expected: &'static str,
    },
    #[error("a token is sent over TLS only; the endpoint has to begin with https://")]
    PlainToken,
    #[error("bucket '{bucket}' not found")]
    NoBucket { bucket: String },
    #[error("failed to confirm existence of '{bucket}' bucket: {source}")]
    Unconfirmed {
        bucket: String,
        source: Box<BucketError>,
    },
    #[error(
        "the specified bucket name may be incorrect, nonexistent, or the caller might lack sufficient permissions to access it: {source}"
    )]
    Doubtful { source: Box<BucketError> },
    #[error("failed to get Etag for '{IGNORE_FILE}' object: {source}")]
    IgnoreFile { source: Box<BucketError> },
    #[error(
        "indexation of objects from bucket '{bucket}' failed: listing objects from bucket '{bucket}' failed: {source}"
    )]
    Listing {
        bucket: String,
        source: Box<BucketError>,
    },
    #[error("fetch from bucket '{bucket}' failed: failed to get '{key}' object: {source}")]
    Object {
        bucket: String,
        key: String,
        source: Box<BucketError>,
    },
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
    /// The file with what is ignored. As in Flux it is part of the tree, but not of the revision.
    ignore: Option<Bytes>,
}

#[derive(Clone, Debug)]
struct Object {
    key: String,
    tag: String,
}

/// One page of a listing.
#[derive(Debug)]
struct Page {
    objects: Vec<Object>,
    /// What asks for the next page.
    next: Option<String>,
}

/// What a server is asked for.
#[derive(Clone, Copy, Debug)]
enum Question<'a> {
    /// A page of the listing: the first, or the one that the page before names.
    Page(Option<&'a str>),
    /// The content of an object.
    Object(&'a str),
}

/// A request: always `GET`.
struct Asked {
    url: Url,
    headers: Vec<(&'static str, Secret)>,
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
    server: Server,
    spec: BucketSpec,
}

#[derive(Debug)]
enum Server {
    S3(s3::Server),
    Google(google::Server),
    Azure(azure::Server),
}

impl Bucket {
    /// Nothing is asked yet.
    pub fn new(client: reqwest::Client, spec: BucketSpec) -> Result<Self, BucketError> {
        let server = match &spec.access {
            Access::S3 { region, keys } => {
                Server::S3(s3::Server::new(&spec, region.clone(), keys.clone())?)
            }
            Access::Google { token } => Server::Google(google::Server::new(&spec, token.clone())?),
            Access::Azure(login) => Server::Azure(azure::Server::new(&spec, login.clone())?),
        };
        Ok(Self {
            client,
            server,
            spec,
        })
    }

    /// The objects that are not ignored, and the revision that they make up.
    pub async fn list(&self) -> Result<Listing, BucketError> {
        let mut page = self.page(None).await.map_err(|source| {
            if matches!(source, BucketError::NoBucket { .. }) {
                return source;
            }
            BucketError::Unconfirmed {
                bucket: self.spec.bucket.clone(),
                source: Box::new(source),
            }
        })?;
        let ignore = self.object(IGNORE_FILE).await;
        let ignore = ignore.map_err(|source| BucketError::IgnoreFile {
            source: Box::new(source),
        })?;
        let rules = self.rules(ignore.as_deref())?;
        let mut objects = Vec::new();
        for _ in 0..MAX_PAGES {
            for object in page.objects {
                if object.key.ends_with('/') || object.key == IGNORE_FILE {
                    continue;
                }
                if rules.ignores(&path(&object.key)?, false) {
                    continue;
                }
                objects.push(object);
                if objects.len() > MAX_OBJECTS {
                    return Err(BucketError::TooMany);
                }
            }
            let Some(next) = page.next else {
                check_folders(&objects)?;
                return Ok(Listing::new(objects, ignore));
            };
            page = self.page(Some(&next)).await.map_err(|source| {
                let bucket = self.spec.bucket.clone();
                let source = Box::new(source);
                BucketError::Listing { bucket, source }
            })?;
        }
        Err(BucketError::Malformed("its pages do not end"))
    }

    /// Fetches what was listed. An object that is gone meanwhile is left out.
    pub async fn fetch(&self, listing: &Listing) -> Result<BucketTree, BucketError> {
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        let (mut files, mut total) = (0, 0);
        if let Some(content) = &listing.ignore {
            overlay.file(&path(IGNORE_FILE)?, content.clone())?;
        }
        for group in listing.objects.chunks(AT_ONCE) {
            let contents = join_all(group.iter().map(|object| self.object(&object.key))).await;
            for (object, content) in group.iter().zip(contents) {
                let content = content.map_err(|source| BucketError::Object {
                    bucket: self.spec.bucket.clone(),
                    key: object.key.clone(),
                    source: Box::new(source),
                })?;
                let Some(content) = content else {
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
    fn rules(&self, file: Option<&[u8]>) -> Result<IgnoreRules, BucketError> {
        let mut texts = Vec::new();
        if let Some(content) = file {
            let text = String::from_utf8_lossy(content).into_owned();
            texts.push((TreePath::root(), text));
        }
        if let Some(text) = &self.spec.ignore {
            texts.push((TreePath::root(), text.clone()));
        }
        Ok(IgnoreRules::only(&texts)?)
    }

    async fn page(&self, token: Option<&str>) -> Result<Page, BucketError> {
        let what = format!("listing the bucket {}", self.spec.bucket);
        let response = self.send(Question::Page(token), &what).await?;
        let response = match response.status().as_u16() {
            200 => response,
            status => {
                let refused = self.refused(response, what).await;
                // Some servers answer so when they do not know the key.
                let of_other = match (&self.server, &refused) {
                    (Server::S3(_), BucketError::Status { code, .. }) => {
                        !code.is_empty() && code != "NoSuchBucket"
                    }
                    _ => false,
                };
                return Err(match status {
                    404 if !of_other => BucketError::NoBucket {
                        bucket: self.spec.bucket.clone(),
                    },
                    _ => refused,
                });
            }
        };
        let body = body(response, MAX_PAGE, &what).await?;
        let text =
            std::str::from_utf8(&body).map_err(|_| BucketError::Malformed("it is not UTF-8"))?;
        match &self.server {
            Server::S3(_) => s3::page(text),
            Server::Google(_) => google::page(text),
            Server::Azure(_) => azure::page(text),
        }
    }

    /// `None`: there is no such object.
    async fn object(&self, key: &str) -> Result<Option<Bytes>, BucketError> {
        let what = format!("fetching the object {key}");
        let response = self.send(Question::Object(key), &what).await?;
        match response.status().as_u16() {
            200 => Ok(Some(body(response, self.spec.limit, &what).await?)),
            404 => Ok(None),
            _ => Err(self.refused(response, what).await),
        }
    }

    async fn send(
        &self,
        question: Question<'_>,
        what: &str,
    ) -> Result<reqwest::Response, BucketError> {
        let request = || {
            let now = SystemTime::now();
            let asked = match &self.server {
                Server::S3(server) => server.ask(question, now),
                Server::Google(server) => server.ask(question),
                Server::Azure(server) => server.ask(question, now),
            };
            let request = self.client.get(asked.url);
            let headers = asked.headers.into_iter();
            headers.fold(request, |request, (name, value)| {
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

    async fn refused(&self, response: reqwest::Response, what: String) -> BucketError {
        let status = response.status().as_u16();
        let body = read_body(response, 64 << 10).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&body);
        let code = match &self.server {
            Server::S3(_) | Server::Azure(_) => xml::field(&text, "Code"),
            Server::Google(_) => google::code(&text),
        };
        let code = code.filter(|code| is_code(code)).unwrap_or_default();
        let error = BucketError::Status { what, status, code };
        match &self.server {
            Server::Azure(server) => server.explain(error),
            Server::S3(_) | Server::Google(_) => error,
        }
    }
}

impl Listing {
    fn new(mut objects: Vec<Object>, ignore: Option<Bytes>) -> Self {
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        let mut lines = String::new();
        for object in &objects {
            lines.push_str(&object.key);
            lines.push(' ');
            lines.push_str(&object.tag);
            lines.push('\n');
        }
        Self {
            revision: Digest::of(lines.as_bytes()).to_string(),
            objects,
            ignore,
        }
    }
}

/// An object that others lie below is no file.
fn check_folders(objects: &[Object]) -> Result<(), BucketError> {
    let keys: HashSet<&str> = objects.iter().map(|one| one.key.as_str()).collect();
    for object in objects {
        let mut ends = object.key.match_indices('/').map(|(end, _)| end);
        if let Some(end) = ends.find(|end| keys.contains(&object.key[..*end])) {
            return Err(BucketError::Key {
                key: object.key[..end].to_owned(),
                reason: format!(
                    "{:?} lies below it; leave out one of them with `ignore`",
                    object.key
                ),
            });
        }
    }
    Ok(())
}

/// The address of a server that is named by host and port, or by an address where `named` says so.
fn base(spec: &BucketSpec, named: bool) -> Result<Url, BucketError> {
    let text = if named && spec.endpoint.contains("://") {
        spec.endpoint.clone()
    } else {
        let scheme = if spec.insecure { "http" } else { "https" };
        format!("{scheme}://{}/", spec.endpoint)
    };
    let url = Url::parse(&text).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    // A login in it would be shown.
    url.filter(|url| url.username().is_empty() && url.password().is_none())
        .ok_or_else(|| wrong_endpoint(spec, named))
}

fn wrong_endpoint(spec: &BucketSpec, named: bool) -> BucketError {
    let shown = spec.endpoint.rsplit('@').next().unwrap_or_default();
    BucketError::Endpoint {
        endpoint: shown.split('?').next().unwrap_or_default().to_owned(),
        expected: if named {
            "an address without a login"
        } else {
            "HOST or HOST:PORT"
        },
    }
}

/// The address of something below the base, its path and query escaped as they are signed.
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
    let below = base.path().trim_end_matches('/');
    url.set_path(&format!("{below}{}", parts.join("/")));
    url.set_query((!pairs.is_empty()).then(|| pairs.join("&")).as_deref());
    url
}

fn path(key: &str) -> Result<TreePath, BucketError> {
    TreePath::parse(key).map_err(|error| BucketError::Key {
        key: key.chars().take(200).collect(),
        reason: error.to_string(),
    })
}

async fn body(response: reqwest::Response, limit: u64, what: &str) -> Result<Bytes, BucketError> {
    read_body(response, limit)
        .await
        .map_err(|source| BucketError::Body {
            what: what.to_owned(),
            source,
        })
}

/// Codes are words. Something else may be what was sent, said back, and a part of a secret is not known for one.
fn is_code(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.len() <= 100 && text.bytes().all(plain)
}

fn detail(code: &str) -> String {
    if code.is_empty() {
        String::new()
    } else {
        format!(" ({code})")
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
