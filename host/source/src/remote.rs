//! Trees that a unit names by their address instead of by a source: remote bases of kustomizations, single files, charts.
//!
//! They are fetched anonymously. An address is one of
//!
//! - `git::https://host/repository?ref=v1`: a repository at a branch, tag or commit, `HEAD` without `ref`. The prefix may
//!   be left out where the address cannot be that of a file: it has a `ref`, a path after `//`, or ends in `.git`.
//! - `https://host/path/file.yaml`: one file, which becomes a tree with that file alone.
//!
//! A chart comes from a repository with an index (`https://…`, see [`index`]) or from a registry (`oci://…`,
//! see [`crate::oci`]).

pub(crate) mod archive;
pub(crate) mod index;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;
use url::Url;
use weir_tree::{Digest, EmptyTree, OverlayTree, Tree, TreePath, without_links};

use crate::address::Address;
use crate::error::SourceError;
use crate::git::{GitFetcher, GitReference, GitSpec};
use crate::http::{ClientSpec, HttpFactory};
use crate::oci::{OciReference, Registry};
use crate::store::Store;

/// Fetches trees by address. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RemoteFetcher {
    git: GitFetcher,
    http: HttpFactory,
    options: RemoteOptions,
    /// Where archives of charts are kept by their digest.
    store: Option<Arc<Store>>,
}

/// What a fetch may take.
#[derive(Clone, Copy, Debug)]
pub struct RemoteOptions {
    /// For the whole of one fetch.
    pub timeout: Duration,
    /// The most bytes of a single file.
    pub file: u64,
    /// The most bytes of the index of a chart repository.
    pub index: u64,
    /// The most bytes of a chart's archive.
    pub archive: u64,
    /// Whether registries are spoken to without TLS.
    pub plain_registries: bool,
}

/// What was found at an address.
#[derive(Clone, Debug)]
pub struct RemoteTree {
    /// The files.
    pub tree: Arc<dyn Tree>,
    /// `main@sha1:…` for a repository, `VERSION@sha256:…` for a chart, `sha256:…` for a file.
    pub revision: String,
    /// When it was made, in seconds since 1970; 0 if the server does not tell.
    pub time: u64,
}

/// What an address is that of.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Repository { url: String, reference: String },
    File { url: String },
}

impl Default for RemoteOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(60),
            file: 16 << 20,
            index: 128 << 20,
            archive: 64 << 20,
            plain_registries: false,
        }
    }
}

impl RemoteFetcher {
    /// Repositories go through `git` and are kept in its cache.
    pub fn new(git: GitFetcher, http: HttpFactory, options: RemoteOptions) -> Self {
        Self {
            git,
            http,
            options,
            store: None,
        }
    }

    /// The same, keeping archives of charts in a store: what its digest is known of is not downloaded again.
    pub fn with_store(mut self, store: Arc<Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// The tree at an address.
    pub async fn open(
        &self,
        address: &str,
        cancel: &CancellationToken,
    ) -> Result<RemoteTree, SourceError> {
        match Place::parse(address) {
            Place::Repository { url, reference } => self.repository(url, &reference, cancel).await,
            Place::File { url } => self.limited(&url, cancel, self.file(&url)).await,
        }
    }

    /// The chart of a name in a repository, in the latest version that the range admits (an empty range: the latest
    /// release). The root of the tree is the chart's folder.
    pub async fn chart(
        &self,
        repository: &str,
        name: &str,
        range: &str,
        cancel: &CancellationToken,
    ) -> Result<RemoteTree, SourceError> {
        let fetch = async {
            match repository.strip_prefix("oci://") {
                Some(path) => self.registry_chart(path, name, range).await,
                None => self.indexed_chart(repository, name, range).await,
            }
        };
        self.limited(repository, cancel, fetch).await
    }

    async fn repository(
        &self,
        url: String,
        reference: &str,
        cancel: &CancellationToken,
    ) -> Result<RemoteTree, SourceError> {
        let reference = if reference.is_empty() {
            "HEAD"
        } else {
            reference
        };
        let spec = GitSpec {
            reference: GitReference::any(reference),
            timeout: self.options.timeout,
            ..GitSpec::new(url)
        };
        let fetched = self.git.fetch(&spec, None, cancel).await?;
        Ok(RemoteTree {
            // As `git clone` gives it: nothing is ignored.
            tree: Arc::new(without_links(fetched.checkout)),
            revision: fetched.revision,
            time: u64::try_from(fetched.commit.committer.time).unwrap_or_default(),
        })
    }

    async fn file(&self, url: &str) -> Result<RemoteTree, SourceError> {
        let (address, content) = self.get(url, self.options.file).await?;
        let name = address
            .url()
            .path_segments()
            .and_then(|mut parts| parts.next_back().map(str::to_owned));
        let name = name.filter(|name| !name.is_empty());
        let path = name
            .as_deref()
            .and_then(|name| TreePath::parse(name).ok())
            .ok_or_else(|| unusable(&address, "its path names no file"))?;
        let place = |source| SourceError::Tree {
            place: address.to_string(),
            source,
        };
        let revision = weir_tree::Digest::of(&content).to_string();
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        overlay.file(&path, content).map_err(place)?;
        Ok(RemoteTree {
            tree: Arc::new(overlay.finish().map_err(place)?),
            revision,
            time: 0,
        })
    }

    async fn indexed_chart(
        &self,
        repository: &str,
        name: &str,
        range: &str,
    ) -> Result<RemoteTree, SourceError> {
        let base = repository.trim_end_matches('/');
        let (address, index) = self
            .get(&format!("{base}/index.yaml"), self.options.index)
            .await?;
        let found = index::find(&index, name, range)
            .map_err(|problem| unusable(&address, &problem.to_string()))?;
        let url = index::archive_url(&address, &found.url)
            .map_err(|problem| unusable(&address, &problem.to_string()))?;
        let known = found.digest.as_deref().and_then(digest_of);
        let (address, archive) = match self.stored(known).await {
            Some(archive) => {
                let (address, _) =
                    Address::parse(url.as_str()).map_err(|reason| SourceError::Address {
                        url: found.url.clone(),
                        reason,
                    })?;
                (address, archive)
            }
            None => {
                let (address, archive) = self.get(url.as_str(), self.options.archive).await?;
                self.keep(&archive).await;
                (address, archive)
            }
        };
        archive::chart(
            &address.to_string(),
            archive,
            found.digest.as_deref(),
            &found.version,
        )
    }

    async fn registry_chart(
        &self,
        path: &str,
        name: &str,
        range: &str,
    ) -> Result<RemoteTree, SourceError> {
        let shown = format!("oci://{path}/{name}");
        let place = OciReference::parse(&format!("{}/{name}", path.trim_end_matches('/')))
            .map_err(|reason| SourceError::Registry {
                url: shown.clone(),
                reason: reason.to_string(),
            })?;
        let client = self.client(&shown)?;
        let registry = Registry::new(client, &place, self.options.plain_registries);
        let failed = |error: crate::oci::OciError| SourceError::Registry {
            url: shown.clone(),
            reason: error.to_string(),
        };
        let version = registry.chart_version(range).await.map_err(failed)?;
        let layer = registry.chart_layer(&version).await.map_err(failed)?;
        let content = match self.stored(digest_of(&layer.digest)).await {
            Some(content) => content,
            None => {
                let content = registry.blob(&layer, self.options.archive).await;
                let content = content.map_err(failed)?;
                self.keep(&content).await;
                content
            }
        };
        archive::chart(&shown, content, None, &version)
    }

    /// A store that does not answer is as good as none: what it would hold is fetched.
    async fn stored(&self, digest: Option<Digest>) -> Option<Bytes> {
        let (store, digest) = (self.store.clone()?, digest?);
        let found = tokio::task::spawn_blocking(move || store.get(&digest)).await;
        found.ok()?.ok()?
    }

    async fn keep(&self, content: &Bytes) {
        let Some(store) = self.store.clone() else {
            return;
        };
        let content = content.clone();
        // What cannot be kept is fetched again next time.
        let _ = tokio::task::spawn_blocking(move || {
            store.put(&content)?;
            store.collect(SystemTime::now())
        })
        .await;
    }

    /// The body of what an address answers, redirects followed.
    async fn get(&self, url: &str, limit: u64) -> Result<(Address, Bytes), SourceError> {
        let client = self.client(url.rsplit('@').next().unwrap_or_default())?;
        crate::download::download(&client, url, None, limit).await
    }

    fn client(&self, shown: &str) -> Result<reqwest::Client, SourceError> {
        self.http
            .client(&ClientSpec::default())
            .map_err(|source| SourceError::Client {
                url: shown.to_owned(),
                source,
            })
    }

    /// Within the time limit, and until cancelled.
    async fn limited<T>(
        &self,
        url: &str,
        cancel: &CancellationToken,
        work: impl Future<Output = Result<T, SourceError>>,
    ) -> Result<T, SourceError> {
        let (url, reference) = (url.to_owned(), "it".to_owned());
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(SourceError::Cancelled { url, reference }),
            () = tokio::time::sleep(self.options.timeout) => Err(SourceError::TimedOut {
                url,
                reference,
                limit: self.options.timeout,
            }),
            done = work => done,
        }
    }
}

impl Place {
    fn parse(address: &str) -> Self {
        let (address, forced) = match address.strip_prefix("git::") {
            Some(rest) => (rest, true),
            None => (address, false),
        };
        let (url, query) = address.split_once('?').unwrap_or((address, ""));
        let reference = url::form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == "ref" || key == "version")
            .map(|(_, value)| value.into_owned());
        let after_scheme = url.find("://").map_or(0, |at| at + 3);
        let inside = url[after_scheme..].find("//");
        if forced || reference.is_some() || inside.is_some() || url.ends_with(".git") {
            let repository = inside.map_or(url, |at| &url[..after_scheme + at]);
            return Self::Repository {
                url: repository.to_owned(),
                reference: reference.unwrap_or_default(),
            };
        }
        Self::File {
            url: address.to_owned(),
        }
    }
}

/// With or without its algorithm.
fn digest_of(text: &str) -> Option<Digest> {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    format!("sha256:{hex}").parse().ok()
}

fn unusable(address: &Address, reason: &str) -> SourceError {
    SourceError::Registry {
        url: address.to_string(),
        reason: reason.to_owned(),
    }
}

/// Where a relative or absolute address in an index leads.
fn resolve(base: &Url, url: &str) -> Option<Url> {
    match Url::parse(url) {
        Ok(absolute) => Some(absolute),
        Err(url::ParseError::RelativeUrlWithoutBase) => base.join(url).ok(),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_a_repository_or_of_a_file() {
        let repository = |url: &str, reference: &str| Place::Repository {
            url: url.to_owned(),
            reference: reference.to_owned(),
        };
        for (address, expected) in [
            ("git::https://a/b", repository("https://a/b", "")),
            ("git::https://a/b?ref=v1", repository("https://a/b", "v1")),
            ("https://a/b//c/d?ref=v%31", repository("https://a/b", "v1")),
            ("https://a/b.git", repository("https://a/b.git", "")),
            ("https://a/b?version=2", repository("https://a/b", "2")),
        ] {
            assert_eq!(Place::parse(address), expected, "{address}");
        }
        let file = "https://a/b/c.yaml?token=x";
        let expected = Place::File {
            url: file.to_owned(),
        };
        assert_eq!(Place::parse(file), expected);
    }
}
