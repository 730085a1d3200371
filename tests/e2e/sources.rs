//! Every kind of source, from its server to a Kustomization that uses it, on the local cluster.

use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use base64::Engine as _;
use serde_json::{Value, json};
use weir_api::Object;
use weir_controller::{ArtifactOptions, Fact, NodeKind};
use weir_source::pack;
use weir_testing::git::Change::File;
use weir_testing::until;
use weir_testing::web::{WebAnswer, WebServer};
use weir_tree::{ArchiveLimits, Digest, EmptyTree, OverlayTree, TarTree, Tree as _, TreePath};

use crate::lab::{Lab, Place, checkout, condition, config_map};

pub(crate) const SOURCE: &str = "source.toolkit.fluxcd.io/v1";
/// Must be found nowhere but in the Secrets of the tests.
pub(crate) const MARK: &str = "hush-3f9a1c";
pub(crate) const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

pub(crate) fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut overlay = OverlayTree::on(EmptyTree::shared());
    for (path, text) in files {
        let path = TreePath::parse(path).unwrap();
        overlay.file(&path, text.to_string()).unwrap();
    }
    pack(&overlay.finish().unwrap()).unwrap().to_vec()
}

pub(crate) fn chart(version: &str) -> Vec<u8> {
    let meta = format!("apiVersion: v2\nname: web\nversion: {version}\n");
    archive(&[
        ("web/Chart.yaml", &meta),
        ("web/values.yaml", "a: 1\n"),
        ("web/prod.yaml", "a: 2\n"),
    ])
}

pub(crate) fn digest(content: &[u8]) -> String {
    Digest::of(content).to_string()
}

pub(crate) fn basic(user: &str, password: &str) -> String {
    let engine = base64::engine::general_purpose::STANDARD;
    format!("Basic {}", engine.encode(format!("{user}:{password}")))
}

impl Lab {
    pub(crate) async fn put(&self, kind: &str, name: &str, spec: Value) -> Result<()> {
        self.apply(json!({
            "apiVersion": SOURCE, "kind": kind,
            "metadata": {"namespace": self.namespace, "name": name}, "spec": spec,
        }))
        .await?;
        Ok(())
    }

    pub(crate) async fn secret(&self, name: &str, values: &[(&str, &str)]) -> Result<()> {
        let engine = base64::engine::general_purpose::STANDARD;
        let data: serde_json::Map<String, Value> = values
            .iter()
            .map(|(key, value)| ((*key).to_owned(), engine.encode(value).into()))
            .collect();
        self.apply(json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"namespace": self.namespace, "name": name}, "data": data,
        }))
        .await?;
        Ok(())
    }

    /// Waits until a source's Ready condition has a status and reason.
    pub(crate) async fn says(
        &self,
        kind: &str,
        name: &str,
        status: &str,
        reason: &str,
    ) -> Result<Object> {
        let mut last = Value::Null;
        let found = until(&format!("{kind} {name} to say {reason}"), async || {
            let object = self.get(SOURCE, kind, name).await?;
            last = object
                .as_ref()
                .and_then(|object| object.get("/status").cloned())
                .unwrap_or_default();
            Ok(object.filter(|object| {
                let (is, why, _) = condition(object, "Ready");
                is == status && why == reason
            }))
        })
        .await;
        found.with_context(|| format!("its status: {last:#}"))
    }

    /// A Kustomization of everything in a source, and the wait until it is applied.
    pub(crate) async fn applied(&self, kind: &str, source: &str, revision: &str) -> Result<()> {
        let mut unit = self.kustomization(source, "./", &[]);
        unit["spec"]["sourceRef"] = json!({"kind": kind, "name": source});
        self.apply(unit).await?;
        self.ready("Kustomization", source, revision).await?;
        Ok(())
    }

    pub(crate) async fn assert_quiet(&self) -> Result<()> {
        let facts = format!("{:?}", self.facts.lock().unwrap());
        assert!(!facts.contains(MARK), "{facts}");
        for kind in [
            "GitRepository",
            "HelmRepository",
            "HelmChart",
            "OCIRepository",
            "Bucket",
        ] {
            let gvk = weir_api::Gvk::from_api_version(SOURCE, kind);
            let list = self
                .cluster
                .list(&gvk, &weir_cluster::Selection::default())
                .await?;
            for object in list.objects {
                assert!(
                    !object.value().to_string().contains(MARK),
                    "{}",
                    object.value()
                );
            }
        }
        Ok(())
    }
}

pub(crate) fn text<'a>(object: &'a Object, path: &str) -> &'a str {
    object.get(path).and_then(Value::as_str).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_base_is_fetched_and_follows_its_branch() -> Result<()> {
    let lab = Lab::new(Place::Local, "remote").await?.unwrap();
    let base = lab.git.repository("base")?;
    base.commit(
        "main",
        &[
            ("app/kustomization.yaml", "resources: [map.yaml]\n"),
            ("app/map.yaml", &config_map("remote", "1")),
        ],
    )?;
    let kustomization = format!("resources:\n- {}//app?ref=main\n", lab.git.url("base"));
    let running = lab.start().await?;
    let revision = lab
        .commit(&[File("app/kustomization.yaml", kustomization.as_bytes())])
        .await?;
    lab.apply(lab.kustomization("app", "./app", &[])).await?;
    lab.ready("Kustomization", "app", &revision).await?;
    let map = lab.get("v1", "ConfigMap", "remote").await?.unwrap();
    assert_eq!(text(&map, "/data/value"), "1");
    // A run that a commit causes asks the other server for nothing.
    base.commit("main", &[("app/map.yaml", &config_map("remote", "2"))])?;
    let listings = lab.git.requests().listings;
    let revision = lab.commit(&[File("app/more.yaml", b"a: b\n")]).await?;
    lab.ready("Kustomization", "app", &revision).await?;
    assert_eq!(lab.git.requests().listings, listings + 1, "the fleet's own");
    // A person's request finds what the branch is now.
    let mut unit = lab.kustomization("app", "./app", &[]);
    unit["metadata"]["annotations"] = json!({"reconcile.fluxcd.io/requestedAt": "now"});
    lab.apply(unit).await?;
    until("the new content of the base", async || {
        let map = lab.get("v1", "ConfigMap", "remote").await?;
        Ok(map.filter(|map| text(map, "/data/value") == "2"))
    })
    .await?;
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn artifacts_are_served_at_the_address_in_the_status() -> Result<()> {
    let lab = Lab::new(Place::Local, "served").await?.unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mut options = lab.options();
    options.artifacts = Some(ArtifactOptions {
        listen: free,
        advertised: free.to_string(),
    });
    let running = lab.start_with(options).await?;
    let revision = lab
        .commit(&[File("app/map.yaml", config_map("map", "1").as_bytes())])
        .await?;
    let object = until("the artifact of the commit", async || {
        let object = lab.get(SOURCE, "GitRepository", "fleet").await?;
        Ok(object.filter(|object| text(object, "/status/artifact/revision") == revision))
    })
    .await?;
    let hash = revision.rsplit(':').next().unwrap();
    let path = format!("gitrepository/{}/fleet/{hash}.tar.gz", lab.namespace);
    assert_eq!(text(&object, "/status/artifact/path"), path);
    let url = text(&object, "/status/artifact/url").to_owned();
    assert_eq!(url, format!("http://{free}/{path}"));
    let http = weir_source::HttpFactory::new(weir_source::HttpOptions::default());
    let client = weir_source::ClientSpec::default();
    let (_, content) = weir_source::download_file(&http, &client, &url, None, 1 << 20).await?;
    assert_eq!(digest(&content), text(&object, "/status/artifact/digest"));
    let tree = TarTree::read_from(&*content, ArchiveLimits::default())?;
    assert!(tree.read(&TreePath::parse("app/map.yaml")?)?.is_some());
    // What is damaged is not served, and made again at the next look.
    let blob = digest(&content).replace("sha256:", "");
    let blob = lab.options().cache.join("store/blobs").join(blob);
    std::fs::write(&blob, b"damaged")?;
    let failed = weir_source::download_file(&http, &client, &url, None, 1 << 20).await;
    assert!(failed.is_err());
    let mut source = lab.source();
    source["metadata"]["annotations"] = json!({"reconcile.fluxcd.io/requestedAt": "again"});
    lab.apply(source).await?;
    until("the artifact to be whole again", async || {
        let found = weir_source::download_file(&http, &client, &url, None, 1 << 20).await;
        Ok(found.ok().filter(|(_, found)| *found == content))
    })
    .await?;
    // Another controller's object can lead to it.
    lab.put("ExternalArtifact", "other", json!({})).await?;
    let key = lab.key(SOURCE, "ExternalArtifact", "other");
    let artifact = object.get("/status/artifact").cloned().unwrap();
    let status = json!({"status": {"artifact": artifact}});
    lab.cluster
        .merge(&key, weir_cluster::Part::Status, &status, "test")
        .await?;
    let mut unit = lab.kustomization("other", "./app", &[]);
    unit["spec"]["sourceRef"] = json!({"kind": "ExternalArtifact", "name": "other"});
    lab.apply(unit).await?;
    lab.ready("Kustomization", "other", &revision).await?;
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_asks_for_a_login() -> Result<()> {
    let lab = Lab::new(Place::Local, "login").await?.unwrap();
    lab.repository
        .commit("main", &[("a/x.yaml", "a: 1\n"), ("b/y.yaml", "b: 1\n")])?;
    lab.git.require_login("ann", MARK);
    let spec = |secret: &str| json!({"interval": "1h", "url": lab.git.url("fleet"), "ref": {"branch": "main"}, "secretRef": {"name": secret}, "sparseCheckout": ["./a"]});
    let running = lab.start().await?;
    lab.put("GitRepository", "private", spec("login")).await?;
    let object = lab
        .says("GitRepository", "private", "False", "AuthenticationFailed")
        .await?;
    let (_, _, message) = condition(&object, "FetchFailed");
    assert_eq!(
        message,
        "failed to get secret 'login/login': failed to get secret 'login/login': secrets \"login\" not found"
    );
    lab.secret("login", &[("username", "ann"), ("password", "wrong")])
        .await?;
    lab.says("GitRepository", "private", "False", "GitOperationFailed")
        .await?;
    lab.secret("half", &[("password", MARK)]).await?;
    lab.put("GitRepository", "private", spec("half")).await?;
    lab.says("GitRepository", "private", "False", "AuthenticationFailed")
        .await?;
    lab.secret("good", &[("username", "ann"), ("password", MARK)])
        .await?;
    lab.put("GitRepository", "private", spec("good")).await?;
    let object = lab
        .says("GitRepository", "private", "True", "Succeeded")
        .await?;
    assert_eq!(
        object.get("/status/observedSparseCheckout"),
        Some(&json!(["./a"]))
    );
    lab.put(
        "GitRepository",
        "both",
        json!({
            "interval": "1h", "url": lab.git.url("fleet"), "ref": {"branch": "main"}, "secretRef": {"name": "good"},
            "include": [{"repository": {"name": "private"}, "fromPath": "a", "toPath": "from/other"}],
        }),
    )
    .await?;
    let object = lab
        .says("GitRepository", "both", "True", "Succeeded")
        .await?;
    assert_eq!(
        object
            .get("/status/includedArtifacts")
            .and_then(Value::as_array)
            .map(Vec::len),
        Some(1)
    );
    lab.assert_quiet().await?;
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_comes_from_a_repository_with_an_index() -> Result<()> {
    let lab = Lab::new(Place::Local, "charts").await?.unwrap();
    let archives: Vec<Vec<u8>> = ["1.0.0", "1.2.0", "2.0.0-rc.1"].map(chart).to_vec();
    let elsewhere = {
        let archive = archives[1].clone();
        WebServer::start(move |_| WebAnswer::ok(archive.clone()))?
    };
    let mut index = "apiVersion: v1\nentries:\n  web:\n".to_owned();
    for (version, content) in ["1.0.0", "1.2.0", "2.0.0-rc.1"].iter().zip(&archives) {
        let url = match *version {
            "1.2.0" => elsewhere.url("/web.tgz"),
            version => format!("charts/web-{version}.tgz"),
        };
        let hex = digest(content).replace("sha256:", "");
        index.push_str(&format!(
            "  - {{name: web, version: {version}, urls: ['{url}'], digest: {hex}}}\n"
        ));
    }
    let web = WebServer::start(move |request| {
        if request.authorization != Some(basic("ann", MARK)) {
            return WebAnswer::status(401);
        }
        match request.path.as_str() {
            "/index.yaml" => WebAnswer::ok(index.clone()),
            "/charts/web-1.0.0.tgz" => WebAnswer::ok(archives[0].clone()),
            _ => WebAnswer::status(404),
        }
    })?;
    let running = lab.start().await?;
    lab.secret("login", &[("username", "ann"), ("password", MARK)])
        .await?;
    let spec = |secret: Value| json!({"interval": "1h", "url": web.url(""), "secretRef": secret});
    lab.put("HelmRepository", "closed", json!({"url": web.url("")}))
        .await?;
    lab.says("HelmRepository", "closed", "False", "Failed")
        .await?;
    lab.put("HelmRepository", "repo", spec(json!({"name": "login"})))
        .await?;
    lab.says("HelmRepository", "repo", "True", "Succeeded")
        .await?;
    let chart = |version: &str, files: &[&str]| json!({"interval": "1h", "chart": "web", "version": version, "valuesFiles": files, "sourceRef": {"kind": "HelmRepository", "name": "repo"}});
    lab.put("HelmChart", "old", chart("~1.0", &[])).await?;
    let object = lab
        .says("HelmChart", "old", "True", "ChartPullSucceeded")
        .await?;
    let (_, _, message) = condition(&object, "Ready");
    assert_eq!(message, "pulled 'web' chart with version '1.0.0'");
    lab.put("HelmChart", "new", chart("", &["values.yaml", "prod.yaml"]))
        .await?;
    let object = lab
        .says("HelmChart", "new", "True", "ChartPackageSucceeded")
        .await?;
    assert_eq!(text(&object, "/status/artifact/revision"), "1.2.0+1");
    let (_, _, message) = condition(&object, "Ready");
    assert_eq!(
        message,
        "packaged 'web' chart with version '1.2.0+1' and merged values files [values.yaml prod.yaml]"
    );
    // The login stays with the repository's host.
    assert!(
        elsewhere
            .requests()
            .iter()
            .all(|request| request.authorization.is_none())
    );
    lab.put("HelmChart", "none", chart("9.x", &[])).await?;
    lab.says("HelmChart", "none", "False", "InvalidChartReference")
        .await?;
    lab.assert_quiet().await?;
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_is_packed_out_of_a_repository() -> Result<()> {
    let lab = Lab::new(Place::Local, "packed").await?.unwrap();
    let running = lab.start().await?;
    let revision = lab
        .commit(&[
            File(
                "charts/web/Chart.yaml",
                b"apiVersion: v2\nname: web\nversion: 0.1.0\n",
            ),
            File("charts/web/values.yaml", b"a: 1\n"),
            File("prod.yaml", b"a: 2\n"),
        ])
        .await?;
    let spec = |chart: &str| json!({"interval": "1h", "chart": chart, "reconcileStrategy": "Revision", "valuesFiles": ["charts/web/values.yaml", "prod.yaml"], "sourceRef": {"kind": "GitRepository", "name": "fleet"}});
    lab.put("HelmChart", "web", spec("./charts/web")).await?;
    let object = lab
        .says("HelmChart", "web", "True", "ChartPackageSucceeded")
        .await?;
    let hash = revision.rsplit(':').next().unwrap();
    let version = format!("0.1.0+{}.1", &hash[..12]);
    assert_eq!(text(&object, "/status/artifact/revision"), version);
    assert_eq!(
        text(&object, "/status/observedSourceArtifactRevision"),
        revision
    );
    // A new commit makes a new chart, without waiting for the interval.
    let revision = lab.commit(&[File("other.yaml", b"x: y\n")]).await?;
    until("the chart of the new commit", async || {
        let object = lab.get(SOURCE, "HelmChart", "web").await?;
        Ok(object
            .filter(|object| text(object, "/status/observedSourceArtifactRevision") == revision))
    })
    .await?;
    lab.put("HelmChart", "none", spec("./charts/none")).await?;
    lab.says("HelmChart", "none", "False", "InvalidChartReference")
        .await?;
    running.stop().await;
    Ok(())
}

/// Manifests by their tag.
type Tags = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A double of a registry: one repository, a login, tags that point to manifests.
struct Registry {
    server: WebServer,
    tags: Tags,
    blobs: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Registry {
    fn start() -> Result<Self> {
        let tags = Tags::default();
        let blobs: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
        let server = {
            let (tags, blobs) = (tags.clone(), blobs.clone());
            WebServer::start(move |request| {
                if request.authorization != Some(basic("ann", MARK)) {
                    return WebAnswer::status(401)
                        .header("WWW-Authenticate", "Basic realm=\"registry\"");
                }
                let path = request.path.strip_prefix("/v2/fleet/app/").unwrap_or("");
                let tags = tags.lock().unwrap();
                if path == "tags/list" {
                    let names: Vec<&str> = tags.iter().map(|(tag, _)| tag.as_str()).collect();
                    return WebAnswer::ok(json!({"name": "fleet/app", "tags": names}).to_string());
                }
                if let Some(reference) = path.strip_prefix("manifests/") {
                    let found = tags
                        .iter()
                        .find(|(tag, body)| tag == reference || digest(body) == reference);
                    return match found {
                        Some((_, body)) => WebAnswer::ok(body.clone())
                            .header("Docker-Content-Digest", &digest(body)),
                        None => WebAnswer::status(404),
                    };
                }
                let blobs = blobs.lock().unwrap();
                let found = path
                    .strip_prefix("blobs/")
                    .and_then(|wanted| blobs.iter().find(|blob| digest(blob) == wanted));
                match found {
                    Some(blob) => WebAnswer::ok(blob.clone()),
                    None => WebAnswer::status(404),
                }
            })?
        };
        Ok(Self {
            server,
            tags,
            blobs,
        })
    }

    /// Gives the digest of the manifest.
    fn push(&self, tag: &str, kind: &str, blob: Vec<u8>) -> String {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.cncf.flux.config.v1+json", "digest": digest(b"{}"), "size": 2},
            "layers": [{"mediaType": kind, "digest": digest(&blob), "size": blob.len()}],
            "annotations": {"org.opencontainers.image.revision": "main@sha1:1234"},
        });
        let manifest = manifest.to_string().into_bytes();
        let id = digest(&manifest);
        self.blobs.lock().unwrap().push(blob);
        self.tags.lock().unwrap().push((tag.to_owned(), manifest));
        id
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn artifacts_and_charts_come_from_a_registry() -> Result<()> {
    let lab = Lab::new(Place::Local, "oci").await?.unwrap();
    let registry = Registry::start()?;
    let layer = "application/vnd.cncf.flux.content.v1.tar+gzip";
    let files = |value: &str| archive(&[("map.yaml", &config_map("from-oci", value))]);
    registry.push("1.0.0", layer, files("1"));
    let newest = registry.push("1.1.0", layer, files("2"));
    registry.push("2.0.0-rc.1", layer, files("3"));
    registry.push("9.0.0_x", CHART, chart("9.0.0+x"));
    let host = registry.server.host();
    let config =
        json!({"auths": {host.clone(): {"username": "ann", "password": MARK}}}).to_string();
    lab.secret("login", &[(".dockerconfigjson", &config)])
        .await?;
    let spec = |reference: Value| json!({"interval": "1h", "url": format!("oci://{host}/fleet/app"), "insecure": true, "ref": reference, "secretRef": {"name": "login"}});
    let running = lab.start().await?;
    lab.put("OCIRepository", "app", spec(json!({"semver": "1.x"})))
        .await?;
    let object = lab
        .says("OCIRepository", "app", "True", "Succeeded")
        .await?;
    let revision = format!("1.1.0@{newest}");
    let (_, _, message) = condition(&object, "Ready");
    assert_eq!(message, format!("stored artifact for digest '{revision}'"));
    let metadata = object.get("/status/artifact/metadata").cloned();
    assert_eq!(
        metadata,
        Some(json!({"org.opencontainers.image.revision": "main@sha1:1234"}))
    );
    lab.applied("OCIRepository", "app", &revision).await?;
    let map = lab.get("v1", "ConfigMap", "from-oci").await?.unwrap();
    assert_eq!(text(&map, "/data/value"), "2");
    lab.put("OCIRepository", "none", spec(json!({"semver": ">=50"})))
        .await?;
    let object = lab
        .says("OCIRepository", "none", "False", "ReadOperationFailed")
        .await?;
    let (_, _, message) = condition(&object, "FetchFailed");
    assert_eq!(
        message,
        format!(
            "failed to determine the artifact tag for 'oci://{host}/fleet/app': no match found for semver: >=50"
        )
    );
    let mut copied = spec(json!({"tag": "9.0.0_x"}));
    copied["layerSelector"] = json!({"mediaType": CHART, "operation": "copy"});
    lab.put("OCIRepository", "copied", copied).await?;
    let object = lab
        .says("OCIRepository", "copied", "True", "Succeeded")
        .await?;
    assert_eq!(
        text(&object, "/status/artifact/digest"),
        digest(&chart("9.0.0+x"))
    );
    let mut tagged = spec(json!({}));
    tagged["url"] = format!("oci://{host}/fleet/app:1").into();
    lab.put("OCIRepository", "tagged", tagged).await?;
    let object = lab
        .says("OCIRepository", "tagged", "False", "URLInvalid")
        .await?;
    assert_eq!(condition(&object, "Stalled").0, "True");
    // A restart asks the registry what the tag is now, and downloads nothing.
    let blobs = |registry: &Registry| {
        let asked = registry.server.requests();
        asked
            .iter()
            .filter(|one| one.path.contains("/blobs/"))
            .count()
    };
    running.stop().await;
    let before = blobs(&registry);
    lab.facts.lock().unwrap().clear();
    let running = lab.start().await?;
    until("both to be found again", async || {
        let facts = lab.facts.lock().unwrap();
        let found = facts.iter().filter(|fact| {
            matches!(fact, Fact::Fetched { source, .. } if source.kind == NodeKind::OCIRepository)
        });
        Ok((found.count() == 2).then_some(()))
    })
    .await?;
    assert_eq!(blobs(&registry), before);
    // The same registry as a repository of charts has no status.
    lab.put(
        "HelmRepository",
        "charts",
        json!({"type": "oci", "insecure": true, "url": format!("oci://{host}/fleet"), "secretRef": {"name": "login"}}),
    )
    .await?;
    lab.put(
        "HelmChart",
        "app",
        json!({"interval": "1h", "chart": "app", "version": "9.0.0+x", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}),
    )
    .await?;
    let object = lab
        .says("HelmChart", "app", "True", "ChartPullSucceeded")
        .await?;
    assert_eq!(text(&object, "/status/artifact/revision"), "9.0.0+x");
    let repository = lab.get(SOURCE, "HelmRepository", "charts").await?.unwrap();
    assert!(repository.finalizers().next().is_none());
    lab.assert_quiet().await?;
    running.stop().await;
    Ok(())
}

/// The bucket is a double that looks at nothing but who signed: whether a signature is right is tested where it is made.
#[tokio::test(flavor = "multi_thread")]
async fn files_come_from_a_bucket() -> Result<()> {
    let lab = Lab::new(Place::Local, "bucket").await?.unwrap();
    let server = WebServer::start(|request| {
        let signed = request
            .authorization
            .as_deref()
            .is_some_and(|text| text.starts_with("AWS4-HMAC-SHA256 Credential=ann/"));
        if !signed {
            return WebAnswer::status(403);
        }
        match request.path.split('?').next().unwrap_or_default() {
            "/files" => WebAnswer::ok(
                "<ListBucketResult><IsTruncated>false</IsTruncated>\
                 <Contents><Key>app/map.yaml</Key><ETag>\"1\"</ETag></Contents>\
                 <Contents><Key>app/</Key><ETag>\"2\"</ETag></Contents>\
                 <Contents><Key>skip/x.yaml</Key><ETag>\"3\"</ETag></Contents></ListBucketResult>",
            ),
            "/files/app/map.yaml" => WebAnswer::ok(config_map("from-bucket", "1")),
            _ => WebAnswer::status(404),
        }
    })?;
    let spec = |bucket: &str, secret: &str| json!({"interval": "1h", "endpoint": server.host(), "insecure": true, "bucketName": bucket, "ignore": "/skip", "secretRef": {"name": secret}});
    lab.secret("keys", &[("accesskey", "ann"), ("secretkey", MARK)])
        .await?;
    lab.secret("wrong", &[("accesskey", "bob"), ("secretkey", MARK)])
        .await?;
    let running = lab.start().await?;
    lab.put("Bucket", "files", spec("files", "keys")).await?;
    lab.says("Bucket", "files", "True", "Succeeded").await?;
    let revision = digest(b"app/map.yaml 1\n");
    lab.applied("Bucket", "files", &revision).await?;
    lab.put("Bucket", "none", spec("none", "keys")).await?;
    let object = lab
        .says("Bucket", "none", "False", "BucketOperationFailed")
        .await?;
    let (_, _, message) = condition(&object, "FetchFailed");
    assert_eq!(message, "bucket 'none' not found");
    lab.put("Bucket", "refused", spec("files", "wrong")).await?;
    lab.says("Bucket", "refused", "False", "BucketOperationFailed")
        .await?;
    lab.assert_quiet().await?;
    running.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_documentation_is_accepted() -> Result<()> {
    let page = std::fs::read_to_string(checkout().join("docs/sources.md"))?;
    let lab = Lab::new(Place::Local, "docs").await?.unwrap();
    let mut objects = 0;
    for block in page.split("```yaml\n").skip(1) {
        let block = block.split("```").next().unwrap_or_default();
        for document in block.split("\n---\n") {
            let object: Value = weir_k8s_yaml::from_str(document, weir_k8s_yaml::Schema::Sigs)?;
            let kind = object["kind"].as_str().unwrap_or_default().to_owned();
            lab.apply(object.clone()).await?;
            if kind != "Secret" {
                let kind = weir_controller::NodeKind::of(&kind).context(kind)?;
                let object = Object::new(object)?;
                weir_controller::node::Typed::read(kind, &object)?;
            }
            objects += 1;
        }
    }
    assert_eq!(objects, 30);
    Ok(())
}
