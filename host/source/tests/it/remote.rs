//! What a unit names by address: repositories, files, charts from indexes and registries.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use weir_source::store::Store;
use weir_source::{
    GitFetcher, GitOptions, HttpFactory, HttpOptions, RemoteFetcher, RemoteOptions, RemoteTree,
    SourceError,
};
use weir_testing::git::GitServer;
use weir_testing::web::{WebAnswer, WebServer};
use weir_tree::{Digest, Tree, TreePath};

/// A fetcher with a cache of its own.
struct Lab {
    fetcher: RemoteFetcher,
    _cache: tempfile::TempDir,
}

impl Lab {
    fn new(options: RemoteOptions) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let http = HttpFactory::new(HttpOptions::default());
        let git = GitFetcher::new(GitOptions::new(cache.path()), http.clone());
        Self {
            fetcher: RemoteFetcher::new(git, http, options),
            _cache: cache,
        }
    }

    fn plain() -> Self {
        Self::new(RemoteOptions {
            plain_registries: true,
            ..RemoteOptions::default()
        })
    }

    async fn open(&self, address: &str) -> Result<RemoteTree, SourceError> {
        self.fetcher.open(address, &CancellationToken::new()).await
    }

    async fn chart(&self, repository: &str, range: &str) -> Result<RemoteTree, SourceError> {
        self.fetcher
            .chart(repository, "web", range, &CancellationToken::new())
            .await
    }
}

fn text(found: &RemoteTree, path: &str) -> Option<String> {
    let path = TreePath::parse(path).unwrap();
    let content = found.tree.read(&path).unwrap()?;
    Some(String::from_utf8(content.to_vec()).unwrap())
}

/// What `helm package` makes.
fn archive(version: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::fast(),
    ));
    for (name, content) in [
        ("web/Chart.yaml", format!("name: web\nversion: {version}\n")),
        ("web/templates/a.yaml", "kind: ConfigMap\n".to_owned()),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder
            .append_data(&mut header, name, content.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

#[tokio::test]
async fn a_repository_is_opened_at_a_branch_a_tag_a_commit_or_its_head() {
    let server = GitServer::start().unwrap();
    let repository = server.repository("bases").unwrap();
    let first = repository
        .commit("main", &[("app/a.yaml", "a: 1\n")])
        .unwrap();
    repository.tag("v1", first).unwrap();
    repository
        .commit("main", &[("app/a.yaml", "a: 2\n")])
        .unwrap();
    let lab = Lab::plain();
    let url = server.url("bases");
    for (reference, expected) in [
        ("", "a: 2\n"),
        ("?ref=main", "a: 2\n"),
        ("?ref=v1", "a: 1\n"),
        (&format!("?ref={first}"), "a: 1\n"),
    ] {
        let found = lab.open(&format!("git::{url}{reference}")).await.unwrap();
        assert_eq!(text(&found, "app/a.yaml").as_deref(), Some(expected));
        assert!(found.revision.contains("sha1:"), "{}", found.revision);
    }
    let error = lab.open(&format!("{url}?ref=v2")).await.unwrap_err();
    assert!(error.to_string().contains("\"v2\""), "{error}");
}

#[tokio::test]
async fn a_chart_that_is_in_the_store_is_not_downloaded_again() {
    let content = archive("1.0.0");
    let digest = Digest::of(&content).hex();
    let index =
        format!("entries:\n  web:\n  - {{version: 1.0.0, urls: [web.tgz], digest: {digest}}}\n");
    let server = WebServer::start(move |request| match request.path.as_str() {
        "/index.yaml" => WebAnswer::ok(index.clone()),
        "/web.tgz" => WebAnswer::ok(content.clone()),
        _ => WebAnswer::status(404),
    })
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let store = Store::open(folder.path(), 1 << 20).unwrap();
        let mut lab = Lab::plain();
        lab.fetcher = lab.fetcher.with_store(Arc::new(store));
        let found = lab.chart(&server.url(""), "1.x").await.unwrap();
        assert!(text(&found, "Chart.yaml").is_some());
    }
    let archives = server.requests();
    let archives = archives.iter().filter(|one| one.path == "/web.tgz");
    assert_eq!(archives.count(), 1);
}

#[tokio::test]
async fn a_server_that_has_no_time_is_asked_again() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let server =
        WebServer::start(
            move |_| match asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => WebAnswer::status(429).header("Retry-After", "0"),
                1 => WebAnswer::status(503).header("Retry-After", "0"),
                _ => WebAnswer::ok("kind: A\n"),
            },
        )
        .unwrap();
    let found = Lab::plain().open(&server.url("/a.yaml")).await.unwrap();
    assert_eq!(text(&found, "a.yaml").as_deref(), Some("kind: A\n"));
    // One that asks for more patience than that is taken at its word.
    let server =
        WebServer::start(|_| WebAnswer::status(429).header("Retry-After", "3600")).unwrap();
    let error = Lab::plain().open(&server.url("/a.yaml")).await.unwrap_err();
    assert!(error.to_string().contains("429"), "{error}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_file_is_a_tree_of_that_file() {
    let server = WebServer::start(|request| match request.path.as_str() {
        "/crds/all.yaml?x=1" => WebAnswer::ok("kind: A\n"),
        _ => WebAnswer::status(404),
    })
    .unwrap();
    let lab = Lab::plain();
    let found = lab.open(&server.url("/crds/all.yaml?x=1")).await.unwrap();
    assert_eq!(text(&found, "all.yaml").as_deref(), Some("kind: A\n"));
    assert_eq!(
        found
            .tree
            .entries(&TreePath::root())
            .unwrap()
            .unwrap()
            .len(),
        1
    );
    let error = lab.open(&server.url("/none.yaml")).await.unwrap_err();
    assert!(error.to_string().contains("404"), "{error}");
    let small = Lab::new(RemoteOptions {
        file: 4,
        ..RemoteOptions::default()
    });
    let error = small
        .open(&server.url("/crds/all.yaml?x=1"))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("more than 4 bytes"), "{error}");
}

#[tokio::test]
async fn a_chart_comes_from_an_index() {
    let content = archive("1.2.0");
    let digest = Digest::of(&content).to_string();
    let digest = digest.strip_prefix("sha256:").unwrap().to_owned();
    let server = WebServer::start(move |request| match request.path.as_str() {
        "/charts/index.yaml" => WebAnswer::ok(format!(
            "entries:\n  web:\n  - {{version: 1.2.0, urls: [web-1.2.0.tgz], digest: {digest}}}\n  - {{version: 1.1.0, urls: [web-1.1.0.tgz], digest: aa}}\n"
        )),
        "/charts/web-1.2.0.tgz" | "/charts/web-1.1.0.tgz" => WebAnswer::ok(content.clone()),
        _ => WebAnswer::status(404),
    })
    .unwrap();
    let lab = Lab::plain();
    let found = lab.chart(&server.url("/charts/"), "^1.0.0").await.unwrap();
    assert!(text(&found, "Chart.yaml").unwrap().contains("1.2.0"));
    assert!(found.revision.starts_with("1.2.0@sha256:"));
    let error = lab
        .chart(&server.url("/charts"), "1.1.0")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("was changed after"), "{error}");
    let error = lab.chart(&server.url("/charts"), "2.x").await.unwrap_err();
    assert!(error.to_string().contains("\"2.x\""), "{error}");
}

/// A double of a registry: manifests, tags and blobs, for who has a token.
fn registry(blob: Vec<u8>, layer: String) -> WebServer {
    let digest = Digest::of(&blob).to_string();
    let manifest = format!(
        r#"{{"schemaVersion":2,"layers":[{{"mediaType":"{layer}","digest":"{digest}","size":{}}}]}}"#,
        blob.len()
    );
    let answers: Arc<HashMap<String, Vec<u8>>> = Arc::new(HashMap::from([
        (
            "/v2/charts/web/tags/list".to_owned(),
            br#"{"tags":["1.2.0_b1","1.0.0","latest","2.0.0-rc1"]}"#.to_vec(),
        ),
        (
            "/v2/charts/web/manifests/1.2.0_b1".to_owned(),
            manifest.into_bytes(),
        ),
        (format!("/v2/charts/web/blobs/{digest}"), blob),
    ]));
    let realm = Arc::new(std::sync::Mutex::new(String::new()));
    let told = Arc::clone(&realm);
    let server = WebServer::start(move |request| {
        if request.path.starts_with("/token?") {
            return WebAnswer::ok(r#"{"token":"t0ken"}"#);
        }
        if request.authorization.as_deref() != Some("Bearer t0ken") {
            let realm = told.lock().unwrap().clone();
            return WebAnswer::status(401).header(
                "WWW-Authenticate",
                &format!("Bearer realm=\"{realm}\",service=\"double\",scope=\"repository:charts/web:pull\""),
            );
        }
        match answers.get(&request.path) {
            Some(body) => WebAnswer::ok(body.clone()),
            None => WebAnswer::status(404),
        }
    })
    .unwrap();
    *realm.lock().unwrap() = server.url("/token");
    server
}

#[tokio::test]
async fn a_chart_comes_from_a_registry() {
    let chart = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    let server = registry(archive("1.2.0+b1"), chart.to_owned());
    let lab = Lab::plain();
    let repository = format!("oci://{}/charts", server.host());
    for range in ["1.x", "", "1.2.0+b1"] {
        let found = lab.chart(&repository, range).await.unwrap();
        assert!(text(&found, "Chart.yaml").unwrap().contains("1.2.0+b1"));
        assert!(found.revision.starts_with("1.2.0+b1@sha256:"));
    }
    let tokens = server
        .requests()
        .iter()
        .filter(|request| request.path.starts_with("/token?"))
        .map(|request| request.path.clone())
        .collect::<Vec<_>>();
    assert_eq!(tokens.len(), 3, "one for each fetch: {tokens:?}");
    assert!(tokens[0].contains("scope=repository%3Acharts%2Fweb%3Apull"));
    let error = lab.chart(&repository, "3.x").await.unwrap_err();
    assert!(error.to_string().contains("out of 4 tags"), "{error}");
    let other = registry(archive("1.2.0+b1"), "text/plain".to_owned());
    let repository = format!("oci://{}/charts", other.host());
    let error = lab.chart(&repository, "1.x").await.unwrap_err();
    assert!(error.to_string().contains("holds no Helm chart"), "{error}");
}

#[tokio::test]
async fn an_archive_that_is_none_is_an_error() {
    let chart = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    let server = registry(b"no archive".to_vec(), chart.to_owned());
    let repository = format!("oci://{}/charts", server.host());
    let error = Lab::plain().chart(&repository, "1.x").await.unwrap_err();
    assert!(error.to_string().contains("oci://"), "{error}");
}
