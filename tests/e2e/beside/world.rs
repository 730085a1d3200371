//! The servers that both ask: real ones, whose content is the same at each run.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use weir_testing::buckets::Buckets as _;
use weir_testing::buckets::versity::ObjectStore;
use weir_testing::distribution::{Artifact, DockerRegistry};
use weir_testing::git::Change::{Executable, File, Link, Remove, Submodule};
use weir_testing::git::{GitServer, Repository, Signer};
use weir_testing::registry::CHART_LAYER;
use weir_testing::ssh::{KeyKind, SshKey, SshServer};
use weir_testing::tls::{Authority, TlsServer};
use weir_testing::web::{WebAnswer, WebServer};

use crate::buckets::gzip;
use crate::lab::Lab;
use crate::source_hostile::{TarEntry, tar};
use crate::sources::{MARK, archive, basic, digest};

const LAYER: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";

/// Everything that is asked.
pub(super) struct World {
    pub(super) git: String,
    pub(super) closed_git: GitServer,
    pub(super) token_git: GitServer,
    pub(super) tls_git: TlsServer,
    pub(super) authority: Authority,
    pub(super) ssh: SshServer,
    pub(super) keys: [SshKey; 3],
    pub(super) signer: Signer,
    pub(super) registry: DockerRegistry,
    pub(super) closed_registry: DockerRegistry,
    pub(super) charts: ChartServer,
    pub(super) store: ObjectStore,
    /// What is another text at each run, and what stands for it.
    pub(super) names: Vec<(String, String)>,
    pub(super) commits: Commits,
    /// Those that move between the rounds.
    repositories: BTreeMap<&'static str, Repository>,
    /// The manifest of `fleet/app:1.0.0`.
    pub(super) digest: String,
}

/// Commits of `fleet` that scenarios name.
pub(super) struct Commits {
    pub(super) first: String,
    /// On `side` alone.
    pub(super) side: String,
}

impl World {
    /// `None` if a server is not there, which was said.
    pub(super) fn start(lab: &Lab) -> Result<Option<Self>> {
        let keys = [
            SshKey::generate(KeyKind::Ed25519, None)?,
            SshKey::generate(KeyKind::Rsa, Some(MARK))?,
            SshKey::generate(KeyKind::Ecdsa, None)?,
        ];
        let ssh = SshServer::start(&[&keys[0], &keys[1]], &[KeyKind::Ed25519])?;
        let registry = unmistakable(
            || DockerRegistry::start(false),
            |registry| {
                registry
                    .as_ref()
                    .map_or_else(String::new, DockerRegistry::host)
            },
        )?;
        let closed_registry = DockerRegistry::start(true)?;
        let store = ObjectStore::start()?;
        let (Some(ssh), Some(registry), Some(closed_registry), Some(store)) =
            (ssh, registry, closed_registry, store)
        else {
            return Ok(None);
        };
        let mut names = Vec::new();
        let mut repositories = BTreeMap::new();
        let commits = git(lab, &mut repositories)?;
        let signer = signed(lab, &mut names)?;
        let (closed_git, token_git) = (GitServer::start()?, GitServer::start()?);
        closed_git.require_login("ann", MARK);
        token_git.require_bearer(MARK);
        for server in [&closed_git, &token_git] {
            server
                .repository("fleet")?
                .commit("main", &[("a.yaml", "a: 1\n")])?;
        }
        let repository = ssh.repository("fleet")?;
        repository.commit("main", &[("a.yaml", "a: 1\n")])?;
        let authority = Authority::new()?;
        let tls_git = TlsServer::start(&lab.git.base(), &authority.server(30)?, None)?;
        let digest = registry_content(&registry, &mut names)?;
        registry_content(&closed_registry, &mut Vec::new())?;
        let charts = ChartServer::start()?;
        buckets(&store)?;
        for (text, name) in [
            (lab.git.base().replace("http://", ""), "<git>"),
            (closed_git.base().replace("http://", ""), "<closed-git>"),
            (token_git.base().replace("http://", ""), "<token-git>"),
            (tls_git.host(), "<tls-git>"),
            (registry.host(), "<registry>"),
            (closed_registry.host(), "<closed-registry>"),
            (charts.server.host(), "<charts>"),
            (charts.closed.host(), "<closed-charts>"),
            (store.host(), "<store>"),
            (ssh.url("fleet"), "<ssh-fleet>"),
            (lab.namespace.clone(), "<namespace>"),
        ] {
            names.push((text, name.to_owned()));
        }
        Ok(Some(Self {
            git: lab.git.base(),
            closed_git,
            token_git,
            tls_git,
            authority,
            ssh,
            keys,
            signer,
            registry,
            closed_registry,
            charts,
            store,
            names,
            commits,
            repositories,
            digest,
        }))
    }

    /// What happens between the two rounds.
    pub(super) fn move_on(&mut self) -> Result<()> {
        let moving = &self.repositories["moving"];
        moving.commit("main", &[("a.yaml", "a: 2\n")])?;
        let included = &self.repositories["included"];
        included.commit("main", &[("deploy/a.yaml", "a: 2\n")])?;
        let forced = &self.repositories["forced"];
        forced.delete("refs/heads/main")?;
        forced.commit("main", &[("other.yaml", "b: 1\n")])?;
        let tags = &self.repositories["tags"];
        tags.delete("refs/tags/gone")?;
        let newer = tags.commit("main", &[("a.yaml", "a: 2\n")])?;
        tags.tag("moved", newer)?;
        tags.tag("v1.1.0", newer)?;
        self.repositories["charts"].change(
            "main",
            "a new version",
            &[File(
                "charts/web/Chart.yaml",
                b"apiVersion: v2\nname: web\nversion: 0.2.0\n",
            )],
        )?;
        let layer = archive(&[("map.yaml", "a: moved\n")]);
        let artifact = Artifact {
            layers: vec![(LAYER, &layer)],
            ..Artifact::default()
        };
        let id = self.registry.push("fleet/moving", "latest", &artifact)?;
        self.names.push((id, "<digest of moving:2>".to_owned()));
        self.charts
            .publish(&["1.0.0", "1.2.0", "1.3.0", "2.0.0-rc.1"]);
        self.store
            .fill("moving", &[("a.yaml", "a: 2\n"), ("b.yaml", "b: 1\n")])
    }
}

/// The repositories that everybody may read.
fn git(lab: &Lab, moving: &mut BTreeMap<&'static str, Repository>) -> Result<Commits> {
    let fleet = &lab.repository;
    let first = fleet.change(
        "main",
        "the first",
        &[
            File("apps/web/map.yaml", b"kind: ConfigMap\n"),
            File("apps/db/map.yaml", b"kind: ConfigMap\n"),
            File("infra/a.yaml", b"a: 1\n"),
            File("README.md", b"# fleet\n"),
            File("logo.png", b"no picture"),
            File("apps/web/photo.jpeg", b"no picture"),
            File("apps/web/files.tar.gz", b"no archive"),
            File(".github/workflows/ci.yaml", b"on: push\n"),
            File(".gitignore", b"*.log\n"),
            File(".gitattributes", b"* text\n"),
            File(".goreleaser.yml", b"a: 1\n"),
            File("infra/.sops.yaml", b"a: 1\n"),
            File("infra/appveyor.yml", b"a: 1\n"),
            Executable("bin/run", b"#!/bin/sh\n"),
            Link("apps/link", "web"),
            Link("outside", "/etc/passwd"),
        ],
    )?;
    fleet.tag("v1.0.0", first)?;
    fleet.tag("1.2.0+build.1", first)?;
    let second = fleet.commit("main", &[("apps/web/map.yaml", "kind: Secret\n")])?;
    fleet.annotated_tag("v1.1.0", second)?;
    fleet.tag("1.2.0+build.2", second)?;
    fleet.tag("v2.0.0-rc.1", second)?;
    fleet.tag("v3", second)?;
    fleet.branch("master", first)?;
    fleet.branch("side", first)?;
    let side = fleet.commit("side", &[("side.yaml", "a: 1\n")])?;
    fleet.reference("refs/pull/1/head", side)?;
    fleet.allow_any_commit()?;
    lab.git.repository("empty")?;
    lab.git.repository("ignoring")?.change(
        "main",
        "with rules",
        &[
            File(
                ".sourceignore",
                b"# nothing of the docs\n/docs\n*.txt\n!keep.txt\n",
            ),
            File("docs/a.yaml", b"a: 1\n"),
            File("a.txt", b"a\n"),
            File("keep.txt", b"a\n"),
            File("logo.png", b"no picture"),
            File(".github/ci.yaml", b"a: 1\n"),
            File("apps/.sourceignore", b"/secret\nb.*\n"),
            File("apps/secret/a.yaml", b"a: 1\n"),
            File("apps/other/secret/a.yaml", b"a: 1\n"),
            File("apps/other/b.yaml", b"a: 1\n"),
            File("apps/a.yaml", b"a: 1\n"),
            File("secret/a.yaml", b"a: 1\n"),
            File("b.yaml", b"a: 1\n"),
        ],
    )?;
    lab.git.repository("cases")?.change(
        "main",
        "names that differ by case",
        &[
            File("A.yaml", b"a: 1\n"),
            File("a.yaml", b"a: 2\n"),
            File("X/a.yaml", b"a: 3\n"),
            File("x/a.yaml", b"a: 4\n"),
        ],
    )?;
    let library = lab.git.repository("library")?;
    let commit = library.commit("main", &[("lib.yaml", "a: 1\n"), ("docs/a.md", "a\n")])?;
    lab.git.repository("super")?.change(
        "main",
        "with a part of another",
        &[
            File(
                ".gitmodules",
                b"[submodule \"lib\"]\n\tpath = vendor/lib\n\turl = ../library.git\n",
            ),
            Submodule("vendor/lib", commit),
            File("a.yaml", b"a: 1\n"),
        ],
    )?;
    for name in ["moving", "forced", "tags"] {
        let repository = lab.git.repository(name)?;
        let tip = repository.commit("main", &[("a.yaml", "a: 1\n"), ("b/c.yaml", "c: 1\n")])?;
        for tag in ["gone", "moved", "v1.0.0"] {
            repository.tag(tag, tip)?;
        }
        moving.insert(name, repository);
    }
    let included = lab.git.repository("included")?;
    included.commit(
        "main",
        &[
            ("deploy/a.yaml", "a: 1\n"),
            ("deploy/sub/b.yaml", "b: 1\n"),
            ("c.yaml", "c: 1\n"),
        ],
    )?;
    moving.insert("included", included);
    moving.insert("charts", chart_sources(lab)?);
    Ok(Commits {
        first: first.to_string(),
        side: side.to_string(),
    })
}

fn chart_sources(lab: &Lab) -> Result<Repository> {
    let charts = lab.git.repository("charts")?;
    charts.change(
        "main",
        "charts",
        &[
            File("charts/web/Chart.yaml", b"apiVersion: v2\nname: web\nversion: 0.1.0\n"),
            File("charts/web/values.yaml", b"# of the chart\na: 1\nb: {c: 2}\n"),
            File("charts/web/prod.yaml", b"b: {d: 3}\n"),
            File("charts/web/templates/map.yaml", b"kind: ConfigMap\n"),
            File("charts/web/.helmignore", b"*.md\n"),
            File("charts/web/README.md", b"# web\n"),
            File("charts/web/logo.png", b"no picture"),
            File("charts/whole/Chart.yaml", b"apiVersion: v2\nname: whole\nversion: 1.0.0\ndependencies:\n- {name: web, version: '>=0', repository: 'file://../web'}\n"),
            File("charts/whole/values.yaml", b"a: 1\n"),
            File("charts/lost/Chart.yaml", b"apiVersion: v2\nname: lost\nversion: 1.0.0\ndependencies:\n- {name: none, version: '1', repository: 'file://../none'}\n"),
            File("charts/broken/Chart.yaml", b"apiVersion: v2\nname: [broken\n"),
            File("charts/nameless/Chart.yaml", b"apiVersion: v2\nversion: 1.0.0\n"),
            File("values/prod.yaml", b"b: {d: 4}\n"),
            File("old.txt", b"a\n"),
        ],
    )?;
    charts.change("main", "less", &[Remove("old.txt")])?;
    Ok(charts)
}

/// A repository whose commit and tag are signed, and who signed.
fn signed(lab: &Lab, names: &mut Vec<(String, String)>) -> Result<Signer> {
    let repository = lab.git.repository("signed")?;
    repository.commit("main", &[("a.yaml", "a: 1\n")])?;
    let (signer, at) = (Signer::new()?, repository.path());
    let commit = signer.commit(at)?;
    signer.git(at, &["tag", "-s", "-m", "a release", "v1.0.0", &commit])?;
    let tag = signer.git(at, &["rev-parse", "v1.0.0"])?;
    names.push((commit, "<signed>".to_owned()));
    names.push((tag, "<signed-tag>".to_owned()));
    Ok(signer)
}

/// Fills a registry, and gives the digest of one manifest.
fn registry_content(
    registry: &DockerRegistry,
    names: &mut Vec<(String, String)>,
) -> Result<String> {
    let app = |value: &str| {
        archive(&[
            ("map.yaml", value),
            ("docs/a.md", "a\n"),
            ("logo.png", "no picture"),
            (".sourceignore", "/docs\n"),
            ("bin/run", "#!/bin/sh\n"),
        ])
    };
    let plain = archive(&[
        ("a.yaml", "a: 1\n"),
        ("logo.png", "no picture"),
        ("x/.sops.yaml", "a: 1\n"),
    ]);
    let moving = archive(&[("map.yaml", "a: 1\n")]);
    let chart_of = |version: &str| chart("web", version);
    let mut first = String::new();
    let made = [
        ("app", "1.0.0"),
        ("app", "1.1.0"),
        ("app", "2.0.0-rc.1"),
        ("app", "1.5.0-dev"),
        ("app", "latest"),
        ("app", "no-version"),
    ];
    let mut push = |repository: &str, tag: &str, artifact: &Artifact<'_>| -> Result<String> {
        let id = registry.push(&format!("fleet/{repository}"), tag, artifact)?;
        names.push((id.clone(), format!("<digest of {repository}:{tag}>")));
        Ok(id)
    };
    for (repository, tag) in made {
        let layer = app(&format!("a: {tag}\n"));
        let artifact = Artifact {
            config: Some(("application/vnd.cncf.flux.config.v1+json", b"{}")),
            layers: vec![(LAYER, &layer)],
            annotations: vec![
                ("org.opencontainers.image.revision", "main@sha1:1234"),
                (
                    "org.opencontainers.image.source",
                    "https://example.org/fleet",
                ),
                ("org.opencontainers.image.created", "2024-01-02T03:04:05Z"),
            ],
        };
        let id = push(repository, tag, &artifact)?;
        if tag == "1.0.0" {
            first = id;
        }
    }
    let several = Artifact {
        layers: vec![("application/x.first", b"not an archive"), (LAYER, &plain)],
        ..Artifact::default()
    };
    push("several", "latest", &several)?;
    let plain = Artifact {
        layers: vec![(LAYER, &plain)],
        ..Artifact::default()
    };
    push("plain", "latest", &plain)?;
    for (repository, entries) in HOSTILE {
        let layer = tar(entries)?;
        let artifact = Artifact {
            layers: vec![(LAYER, &layer)],
            ..Artifact::default()
        };
        push(repository, "latest", &artifact)?;
    }
    let moving = Artifact {
        layers: vec![(LAYER, &moving)],
        ..Artifact::default()
    };
    push("moving", "latest", &moving)?;
    for version in ["1.0.0", "1.2.0", "2.0.0-rc.1", "1.3.0_build.1"] {
        let real = version.replace('_', "+");
        let layer = chart_of(&real);
        let config = format!("{{\"name\":\"web\",\"version\":\"{real}\",\"apiVersion\":\"v2\"}}");
        let artifact = Artifact {
            config: Some((
                "application/vnd.cncf.helm.config.v1+json",
                config.as_bytes(),
            )),
            layers: vec![(CHART_LAYER, &layer)],
            ..Artifact::default()
        };
        push("web", version, &artifact)?;
    }
    Ok(first)
}

/// Archives as no well-meaning tool writes them: what kind of entry, its name, its content or what it links to.
pub(super) const HOSTILE: &[(&str, &[TarEntry<'_>])] = &[
    (
        "above",
        &[(b'0', "a.yaml", "a: 1\n"), (b'0', "../b.yaml", "b: 1\n")],
    ),
    (
        "above-inside",
        &[
            (b'0', "a.yaml", "a: 1\n"),
            (b'0', "x/../../b.yaml", "b: 1\n"),
        ],
    ),
    (
        "dots-inside",
        &[(b'0', "a.yaml", "a: 1\n"), (b'0', "x/../b.yaml", "b: 1\n")],
    ),
    (
        "absolute",
        &[(b'0', "a.yaml", "a: 1\n"), (b'0', "/b.yaml", "b: 1\n")],
    ),
    (
        "backslash",
        &[(b'0', "a.yaml", "a: 1\n"), (b'0', "x\\b.yaml", "b: 1\n")],
    ),
    (
        "link-out",
        &[(b'0', "a.yaml", "a: 1\n"), (b'2', "b.yaml", "/etc/passwd")],
    ),
    (
        "link-through",
        &[(b'2', "x", "/tmp"), (b'0', "x/b.yaml", "b: 1\n")],
    ),
    (
        "hard-link",
        &[(b'0', "a.yaml", "a: 1\n"), (b'1', "b.yaml", "a.yaml")],
    ),
    ("device", &[(b'0', "a.yaml", "a: 1\n"), (b'3', "null", "")]),
    ("pipe", &[(b'0', "a.yaml", "a: 1\n"), (b'6', "pipe", "")]),
    (
        "cases",
        &[
            (b'0', "A.yaml", "a: 1\n"),
            (b'0', "a.yaml", "a: 2\n"),
            (b'0', "X/a.yaml", ""),
            (b'0', "x/a.yaml", "x"),
        ],
    ),
    (
        "twice",
        &[(b'0', "a.yaml", "a: 1\n"), (b'0', "a.yaml", "a: 2\n")],
    ),
    (
        "file-and-folder",
        &[(b'0', "a", "a: 1\n"), (b'0', "a/b.yaml", "b: 1\n")],
    ),
    (
        "git-folder",
        &[(b'0', "a.yaml", "a: 1\n"), (b'0', ".git/config", "x\n")],
    ),
];

/// An archive of a chart.
fn chart(name: &str, version: &str) -> Vec<u8> {
    let meta = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    let path = |file: &str| format!("{name}/{file}");
    archive(&[
        (&path("Chart.yaml"), &meta),
        (&path("values.yaml"), "# of the chart\na: 1\nb: {c: 2}\n"),
        (&path("prod.yaml"), "b: {d: 3}\n"),
        (&path("templates/map.yaml"), "kind: ConfigMap\n"),
    ])
}

/// A server whose port has no "401" in it, which source-controller takes for a refused login wherever it stands.
fn unmistakable<T>(start: impl Fn() -> Result<T>, host: impl Fn(&T) -> String) -> Result<T> {
    for _ in 0..20 {
        let server = start()?;
        if !host(&server).contains("401") {
            return Ok(server);
        }
    }
    anyhow::bail!("no free port without 401 in it")
}

/// A repository of charts over HTTP, once for everybody and once for who has a login.
pub(super) struct ChartServer {
    pub(super) server: WebServer,
    pub(super) closed: WebServer,
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl ChartServer {
    fn start() -> Result<Self> {
        let files: Arc<Mutex<BTreeMap<String, Vec<u8>>>> = Arc::default();
        let answer = |files: &Mutex<BTreeMap<String, Vec<u8>>>, path: &str| {
            let files = files.lock().unwrap_or_else(PoisonError::into_inner);
            match files.get(path) {
                Some(file) => WebAnswer::ok(file.clone()),
                None => WebAnswer::status(404),
            }
        };
        let open = files.clone();
        let server = unmistakable(
            || {
                let open = open.clone();
                WebServer::start(move |request| answer(&open, &request.path))
            },
            WebServer::host,
        )?;
        let behind = files.clone();
        let closed = WebServer::start(move |request| {
            match request.authorization == Some(basic("ann", MARK)) {
                true => answer(&behind, &request.path),
                false => WebAnswer::status(401),
            }
        })?;
        let charts = Self {
            server,
            closed,
            files,
        };
        charts.publish(&["1.0.0", "1.2.0", "2.0.0-rc.1"]);
        Ok(charts)
    }

    /// Replaces what there is by these versions of `web`.
    fn publish(&self, versions: &[&str]) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut index =
            "apiVersion: v1\ngenerated: \"2024-01-02T03:04:05Z\"\nentries:\n  web:\n".to_owned();
        for version in versions {
            let content = chart("web", version);
            let hex = digest(&content).replace("sha256:", "");
            index += &format!(
                "  - apiVersion: v2\n    name: web\n    version: {version}\n    created: \"2024-01-02T03:04:05Z\"\n    digest: {hex}\n    urls: [web-{version}.tgz]\n"
            );
            files.insert(format!("/web-{version}.tgz"), content);
        }
        // Both leave out what is no version.
        index += "  - {apiVersion: v2, name: web, version: not-a-version, urls: [x.tgz]}\n";
        index +=
            "  lost:\n  - {apiVersion: v2, name: lost, version: 1.0.0, urls: [lost-1.0.0.tgz]}\n";
        index += "  lying:\n  - {apiVersion: v2, name: lying, version: 1.0.0, urls: [web-1.0.0.tgz], digest: abcd}\n";
        files.insert("/index.yaml".to_owned(), index.into_bytes());
        files.insert("/text/index.yaml".to_owned(), b"this is no index".to_vec());
        files.insert(
            "/empty/index.yaml".to_owned(),
            b"apiVersion: v1\nentries: {}\n".to_vec(),
        );
        files.insert("/old/index.yaml".to_owned(), b"entries: {}\n".to_vec());
    }
}

fn buckets(store: &ObjectStore) -> Result<()> {
    store.fill(
        "files",
        &[
            ("apps/a.yaml", "a: 1\n"),
            ("apps/b.txt", "b\n"),
            ("infra/c.yaml", "c: 1\n"),
            ("logo.png", "no picture"),
            (".github/ci.yaml", "a: 1\n"),
            ("README.md", "# files\n"),
        ],
    )?;
    store.fill(
        "ignoring",
        &[
            (".sourceignore", "/docs\n*.txt\n"),
            ("docs/a.yaml", "a: 1\n"),
            ("a.txt", "a\n"),
            ("a.yaml", "a: 1\n"),
            ("apps/.sourceignore", "*.yaml\n"),
            ("apps/b.yaml", "b: 1\n"),
        ],
    )?;
    store.fill(
        "charts",
        &[
            (
                "web/Chart.yaml",
                "apiVersion: v2\nname: web\nversion: 0.1.0\n",
            ),
            ("web/values.yaml", "a: 1\n"),
            ("web/templates/map.yaml", "kind: ConfigMap\n"),
        ],
    )?;
    store.bucket("compressed")?;
    store.put("compressed", "a.yaml", &gzip(b"a: 1\n")?, Some("gzip"))?;
    store.fill("empty", &[])?;
    store
        .fill("moving", &[("a.yaml", "a: 1\n")])
        .context("filling the buckets")
}
