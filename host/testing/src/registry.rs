//! Doubles of the servers that charts and artifacts come from: a registry, and a chart repository with an index. Anybody may
//! read, nobody may write but the test.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::web::{WebAnswer, WebRequest, WebServer};

/// What Helm calls a chart's archive in a manifest.
pub const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A registry, as far as the distribution API is read from.
#[derive(Debug)]
pub struct Registry {
    server: WebServer,
    content: Arc<Mutex<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    /// Whether it tells what refers to an artifact.
    tells: bool,
    blobs: BTreeMap<String, Vec<u8>>,
    /// Manifests by repository, and by tag or digest.
    manifests: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
}

impl Registry {
    /// Starts an empty one.
    pub fn start() -> Result<Self> {
        Self::start_as(false)
    }

    /// Starts an empty one that tells what refers to an artifact.
    pub fn start_with_referrers() -> Result<Self> {
        Self::start_as(true)
    }

    fn start_as(tells: bool) -> Result<Self> {
        let content = Content {
            tells,
            ..Content::default()
        };
        let content = Arc::new(Mutex::new(content));
        let server = {
            let content = content.clone();
            WebServer::start(move |request| {
                let content = content.lock().unwrap_or_else(PoisonError::into_inner);
                content.answer(request)
            })?
        };
        Ok(Self { server, content })
    }

    /// Puts an artifact of one layer under a tag, and gives the digest of its manifest.
    pub fn push(&self, repository: &str, tag: &str, layer: &str, blob: &[u8]) -> String {
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": digest(b"{}"), "size": 2},
            "layers": [{"mediaType": layer, "digest": digest(blob), "size": blob.len()}],
        });
        self.put(repository, tag, manifest.to_string().as_bytes(), &[blob])
    }

    /// Puts a manifest under a tag, with its blobs and the empty configuration, and gives its digest.
    pub fn put(&self, repository: &str, tag: &str, manifest: &[u8], blobs: &[&[u8]]) -> String {
        let id = digest(manifest);
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        for blob in [b"{}".as_slice()].iter().chain(blobs) {
            content.blobs.insert(digest(blob), blob.to_vec());
        }
        let manifests = content.manifests.entry(repository.to_owned()).or_default();
        manifests.insert(tag.to_owned(), manifest.to_vec());
        manifests.insert(id.clone(), manifest.to_vec());
        id
    }

    /// Host and port.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<WebRequest> {
        self.server.requests()
    }
}

impl Content {
    fn answer(&self, request: &WebRequest) -> WebAnswer {
        let Some(path) = request.path.strip_prefix("/v2/") else {
            return WebAnswer::status(404);
        };
        if path.is_empty() {
            return WebAnswer::ok("{}");
        }
        let path = path.split('?').next().unwrap_or_default();
        if let Some(name) = path.strip_suffix("/tags/list") {
            let Some(manifests) = self.manifests.get(name) else {
                return WebAnswer::status(404);
            };
            let tags: Vec<&String> = manifests.keys().filter(|tag| !tag.contains(':')).collect();
            return WebAnswer::ok(json!({"name": name, "tags": tags}).to_string());
        }
        if self.tells
            && let Some((name, subject)) = path.split_once("/referrers/")
        {
            return WebAnswer::ok(self.referrers(name, subject).to_string())
                .header("Content-Type", "application/vnd.oci.image.index.v1+json");
        }
        if let Some((name, reference)) = path.split_once("/manifests/") {
            let found = self.manifests.get(name).and_then(|all| all.get(reference));
            return found.map_or_else(
                || WebAnswer::status(404),
                |manifest| {
                    WebAnswer::ok(manifest.clone())
                        .header("Content-Type", MANIFEST)
                        .header("Docker-Content-Digest", &digest(manifest))
                },
            );
        }
        let blob = path
            .split_once("/blobs/")
            .and_then(|(_, id)| self.blobs.get(id));
        blob.map_or_else(
            || WebAnswer::status(404),
            |blob| WebAnswer::ok(blob.clone()),
        )
    }
}

impl Content {
    /// The manifests whose subject has a digest.
    fn referrers(&self, repository: &str, subject: &str) -> serde_json::Value {
        let manifests = self.manifests.get(repository).into_iter().flatten();
        let referrers: Vec<serde_json::Value> = manifests
            .filter(|(reference, _)| reference.starts_with("sha256:"))
            .filter_map(|(id, manifest)| {
                let parsed: serde_json::Value = serde_json::from_slice(manifest).ok()?;
                (parsed["subject"]["digest"] == subject).then(|| {
                    json!({
                        "mediaType": MANIFEST, "digest": id, "size": manifest.len(),
                        "artifactType": parsed["artifactType"],
                    })
                })
            })
            .collect();
        json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": referrers,
        })
    }
}

/// A chart repository with an `index.yaml`.
#[derive(Debug)]
pub struct ChartRepository {
    server: WebServer,
}

/// One version of a chart, packaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackagedChart {
    pub name: String,
    pub version: String,
    pub archive: Vec<u8>,
}

impl ChartRepository {
    /// Starts one with these charts.
    pub fn start(charts: &[PackagedChart]) -> Result<Self> {
        let mut entries: BTreeMap<&str, String> = BTreeMap::new();
        let mut files = BTreeMap::new();
        for PackagedChart {
            name,
            version,
            archive,
        } in charts
        {
            let file = format!("{name}-{version}.tgz");
            let id = digest(archive).replace("sha256:", "");
            let _ = writeln!(
                entries.entry(name).or_default(),
                "  - {{apiVersion: v2, name: {name}, version: {version}, urls: [{file}], digest: {id}}}"
            );
            files.insert(format!("/{file}"), archive.clone());
        }
        let mut index = "apiVersion: v1\nentries:\n".to_owned();
        for (name, versions) in entries {
            let _ = write!(index, "  {name}:\n{versions}");
        }
        files.insert("/index.yaml".to_owned(), index.into_bytes());
        let server = WebServer::start(move |request| {
            let found = files.get(&request.path);
            found.map_or_else(
                || WebAnswer::status(404),
                |file| WebAnswer::ok(file.clone()),
            )
        })?;
        Ok(Self { server })
    }

    /// Host and port.
    pub fn host(&self) -> String {
        self.server.host()
    }
}

pub(crate) fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(content)))
}
