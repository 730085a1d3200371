//! `examples/home-cluster`: the page that leads through it, and a run of it from servers.

mod page;
mod servers;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use weir_api::{Object, crd};
use weir_cluster::{Apply, Cluster as _, Local};
use weir_testing::git::{Change, GitServer};
use weir_testing::until;

use crate::lab::succeed;
use crate::weir;

use page::{Page, Session};
use servers::{Example, Servers};

/// What encrypted files of the example hold.
const PLAIN: &[&str] = &[
    "cottage.example.org",
    "correct-horse-battery-staple",
    "6f1ed002ab5595859014ebf0951522d9",
];

#[test]
fn every_command_of_the_page_says_what_the_page_says() -> Result<()> {
    let servers = Servers::start()?;
    let folder = tempfile::tempdir()?;
    let example = Example::copy(&servers, &folder.path().join("home"))?;
    let mut page = Page::read("docs/home-cluster.md")?;
    let commands = page.commands();
    let told = Session {
        folder: &example.folder,
        home: folder.path(),
    }
    .run(&commands)?;
    let differences = page.compare(&told, &servers);
    if std::env::var_os("WEIR_BLESS").is_some() {
        return page.write();
    }
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    // The page shows all that it has to show.
    for shown in [
        "weir build",
        "weir test",
        "weir diff HEAD~1 HEAD",
        "weir get units",
        "weir get sources",
        "weir get images",
        "weir get graph",
        "weir get values",
        "weir explain kubernetes/",
        "weir explain Deployment/",
        "weir run --local",
    ] {
        ensure!(
            commands.iter().any(|command| command.starts_with(shown)),
            "the page has no {shown}"
        );
    }
    Ok(())
}

/// One `weir run --local` over the folder, which knows nothing but what is in it.
fn run(cluster: &Path, cache: &Path) -> Result<Output> {
    let mut command = Command::new(weir());
    command.args(["run", "--once", "--local"]).arg(cluster);
    command.arg("--cache").arg(cache);
    command.env_remove("SOPS_AGE_KEY_FILE");
    Ok(command.output()?)
}

/// What a person does to a cluster before the first run: the definitions, the key, the source and the first Kustomization.
async fn bootstrap(folder: &Path, example: &Example, url: &str) -> Result<()> {
    let cluster = Local::open(folder)?;
    let how = Apply {
        manager: "kubectl".to_owned(),
        force: true,
        dry_run: false,
    };
    let mut objects: Vec<Value> = crd::all().into_iter().map(|(_, crd)| crd).collect();
    objects.push(
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}}),
    );
    for file in [
        "bootstrap/sops-age.yaml",
        "kubernetes/cluster/flux-system/gotk-sync.yaml",
    ] {
        let text = fs::read_to_string(example.folder.join(file))?.replace(servers::GIT, url);
        let documents = weir_plugin::Document::from_yaml(&text, None)?;
        objects.extend(documents.iter().map(weir_plugin::Document::to_value));
    }
    for object in objects {
        let object = Object::new(object)?;
        let applied = cluster.apply(&object, &how).await;
        applied.with_context(|| format!("applying {}", object.key()))?;
    }
    Ok(())
}

/// The units in the order in which they were applied for the first time.
fn order(told: &str) -> Vec<&str> {
    let mut units = Vec::new();
    for line in told.lines() {
        let unit = line
            .strip_prefix("unit    Kustomization/flux-system/")
            .and_then(|rest| rest.split_once(": "))
            .filter(|(_, what)| what.contains(" objects, "))
            .map(|(unit, _)| unit);
        if let Some(unit) = unit.filter(|unit| !units.contains(unit)) {
            units.push(unit);
        }
    }
    units
}

/// The object in a file of a local cluster.
fn object(cluster: &Path, file: &str) -> Result<Value> {
    let path = cluster.join(file);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    Ok(weir_k8s_yaml::from_str(&text, weir_k8s_yaml::Schema::Sigs)?)
}

/// The value of a Secret's key.
fn secret(object: &Value, key: &str) -> String {
    use base64::Engine as _;
    let encoded = object["data"][key].as_str().unwrap_or_default();
    let engine = base64::engine::general_purpose::STANDARD;
    String::from_utf8(engine.decode(encoded).unwrap_or_default()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_reconciled_from_git_and_its_charts_are_found() -> Result<()> {
    let servers = Servers::start()?;
    let git = GitServer::start()?;
    let repository = git.repository("cluster")?;
    let folder = tempfile::tempdir()?;
    let example = Example::copy(&servers, &folder.path().join("home"))?;
    let (cluster, cache) = (folder.path().join("cluster"), folder.path().join("cache"));
    let url = git.url("cluster");
    let files = example.files(&url)?;
    let changes: Vec<_> = files
        .iter()
        .map(|(path, content)| Change::File(path, content))
        .collect();
    let first = repository.change("main", "the example", &changes)?;
    bootstrap(&cluster, &example, &url).await?;
    let (out, told) = succeed(run(&cluster, &cache)?)?;
    assert!(
        out.contains("11 of 11 sources, plugins and units are ready"),
        "{out}{told}"
    );
    assert!(told.contains(&first.to_string()), "{told}");

    // cluster-settings before cluster-meta before cluster-apps, and what depends on another app after it.
    let units = order(&told);
    let place = |unit: &str| {
        units
            .iter()
            .position(|one| *one == unit)
            .context(told.clone())
    };
    let chain = [
        "flux-system",
        "cluster-settings",
        "cluster-meta",
        "cluster-apps",
        "database",
        "notes",
    ];
    for pair in chain.windows(2) {
        assert!(place(pair[0])? < place(pair[1])?, "{pair:?}: {units:?}");
    }
    // The charts were found before the apps came: cluster-meta waits for them.
    let line = |start: &str| {
        told.lines()
            .position(|line| line.starts_with(start))
            .context(told.clone())
    };
    let apps = line("unit    Kustomization/flux-system/cluster-apps: 5 objects")?;
    assert!(
        line("source  OCIRepository/flux-system/app: ")? < apps,
        "{told}"
    );
    assert!(
        line("source  HelmRepository/flux-system/home: ")? < apps,
        "{told}"
    );

    // Decrypted, substituted, patched by the parent.
    let at = |file: &str| object(&cluster, file);
    let secrets = at("flux-system/secrets/cluster-secrets.yaml")?;
    assert_eq!(secret(&secrets, "SECRET_DOMAIN"), PLAIN[0]);
    let login = at("home/secrets/database-login.yaml")?;
    assert_eq!(secret(&login, "password"), PLAIN[1]);
    let release = at("home/helmreleases.helm.toolkit.fluxcd.io/notes.yaml")?;
    assert_eq!(
        release["spec"]["values"]["host"],
        format!("notes.{}", PLAIN[0])
    );
    assert_eq!(release["spec"]["values"]["env"]["TZ"], "Europe/Zurich");
    assert_eq!(release["spec"]["upgrade"]["remediation"]["retries"], 3);
    let claim = at("home/persistentvolumeclaims/database.yaml")?;
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "20Gi");
    let receiver = at("flux-system/receivers.notification.toolkit.fluxcd.io/push.yaml")?;
    assert_eq!(receiver["spec"]["secretRef"]["name"], "webhook-token");
    let chart = at("flux-system/ocirepositories.source.toolkit.fluxcd.io/app.yaml")?;
    let revision = chart["status"]["artifact"]["revision"]
        .as_str()
        .unwrap_or_default();
    assert_eq!(revision, format!("1.2.0@{}", servers.app));

    // What is secret is in the folder of the cluster, and in nothing else that the run made or said.
    for plain in PLAIN {
        assert!(!format!("{out}{told}").contains(plain), "{out}{told}");
    }
    let mut kept = BTreeMap::new();
    servers::collect(&cache, &cache, &mut kept)?;
    for (path, content) in &kept {
        let found = PLAIN.iter().any(|plain| {
            content
                .windows(plain.len())
                .any(|window| window == plain.as_bytes())
        });
        assert!(!found, "{path} has a secret");
    }

    // A second run changes nothing; a commit changes what it is about.
    let (out, _) = succeed(run(&cluster, &cache)?)?;
    assert!(out.contains("nothing changed"), "{out}");
    let path = "kubernetes/apps/home/notes/app/helmrelease.yaml";
    let release = String::from_utf8(files[path].clone())?.replace("tag: 2.4.1", "tag: 2.5.0");
    repository.commit("main", &[(path, &release)])?;
    let (out, told) = until("the run that sees the commit", async || {
        let (out, told) = succeed(run(&cluster, &cache)?)?;
        Ok((!out.contains("nothing changed")).then_some((out, told)))
    })
    .await?;
    assert!(
        out.contains("0 created, 1 configured, 0 deleted"),
        "{out}{told}"
    );
    assert!(told.contains("configured HelmRelease/home/notes"), "{told}");
    Ok(())
}
