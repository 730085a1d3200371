//! What the tests share: a Git server, a cluster, and a controller that runs beside the test.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use weir_api::{Gvk, Object, ObjectKey, crd};
use weir_cluster::{Apply, Cluster, Delete, Kube, Local, Selection};
use weir_controller::{Clock, Controller, Fact, Options, Summary};
use weir_plugin::{Host, HostConfig};
use weir_testing::git::Change::File;
use weir_testing::git::{GitServer, Repository};
use weir_testing::{ApiServer, until};

/// Where a test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Local,
    Kube,
}

/// One test's world. Everything of it is in one namespace.
pub(crate) struct Lab {
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) namespace: String,
    pub(crate) git: GitServer,
    pub(crate) repository: Repository,
    pub(crate) folder: TempDir,
    pub(crate) facts: Arc<Mutex<Vec<Fact>>>,
    /// On the real API server; keeps the namespace for the message of a failed test.
    pub(crate) space: Option<weir_testing::Namespace>,
}

/// A controller at work.
pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<Summary>,
}

impl Running {
    pub(crate) async fn stop(self) -> Summary {
        self.stop.cancel();
        self.task.await.unwrap()
    }
}

impl Lab {
    /// `None` if the API server's tools are not built, which was said loudly.
    pub(crate) async fn new(place: Place, name: &str) -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let git = GitServer::start()?;
        let repository = git.repository("fleet")?;
        let (cluster, namespace, space): (Arc<dyn Cluster>, _, _) = match place {
            Place::Local => {
                let cluster = Local::open(folder.path().join("cluster"))?;
                (Arc::new(cluster), name.to_owned(), None)
            }
            Place::Kube => {
                let Some(server) = tokio::task::spawn_blocking(ApiServer::shared).await? else {
                    return Ok(None);
                };
                let space = server.namespace(name).await?;
                let cluster = Kube::new(server.config()?)?;
                (Arc::new(cluster), space.name().to_owned(), Some(space))
            }
        };
        let lab = Self {
            cluster,
            namespace,
            git,
            repository,
            folder,
            facts: Arc::default(),
            space,
        };
        lab.install(place).await?;
        if place == Place::Local {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": lab.namespace}});
            lab.apply(namespace).await?;
        }
        lab.apply(lab.source()).await?;
        Ok(Some(lab))
    }

    /// Lets another process open the folder of a local cluster. Until it is opened again, the lab has an empty one.
    pub(crate) fn close(&mut self) -> Result<()> {
        let empty = self.folder.path().join("empty");
        self.cluster = Arc::new(Local::open(empty)?);
        Ok(())
    }

    /// Opens the folder again.
    pub(crate) fn reopen(&mut self) -> Result<()> {
        self.cluster = Arc::new(Local::open(self.folder.path().join("cluster"))?);
        Ok(())
    }

    async fn install(&self, place: Place) -> Result<()> {
        static ONCE: OnceLock<tokio::sync::Mutex<bool>> = OnceLock::new();
        let mut done = ONCE.get_or_init(Default::default).lock().await;
        if place == Place::Kube && std::mem::replace(&mut done, true) {
            return Ok(());
        }
        let mut keys = Vec::new();
        for (_, definition) in crd::all() {
            keys.push(self.apply(definition).await?.key());
        }
        for key in keys {
            until("the CRD to be established", async || {
                let object = self.cluster.get(&key).await?;
                let conditions = object
                    .and_then(|object| object.get("/status/conditions").cloned())
                    .unwrap_or_default();
                let established =
                    |one: &Value| one["type"] == "Established" && one["status"] == "True";
                Ok(conditions
                    .as_array()
                    .is_some_and(|list| list.iter().any(established))
                    .then_some(()))
            })
            .await?;
        }
        self.cluster.discover(true).await?;
        Ok(())
    }

    pub(crate) fn source(&self) -> Value {
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "metadata": {"namespace": self.namespace, "name": "fleet"},
            "spec": {"interval": "1h", "url": self.git.url("fleet"), "ref": {"branch": "main"}},
        })
    }

    pub(crate) fn kustomization(&self, name: &str, path: &str, depends_on: &[&str]) -> Value {
        let depends_on: Vec<_> = depends_on
            .iter()
            .map(|name| json!({"name": name}))
            .collect();
        json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"namespace": self.namespace, "name": name},
            "spec": {
                "interval": "1h", "retryInterval": "1h", "path": path, "prune": true, "targetNamespace": self.namespace,
                "sourceRef": {"kind": "GitRepository", "name": "fleet"}, "dependsOn": depends_on,
            },
        })
    }

    pub(crate) async fn start(&self) -> Result<Running> {
        self.start_with(self.options()).await
    }

    pub(crate) async fn start_with(&self, options: Options) -> Result<Running> {
        let facts = self.facts.clone();
        let observer = Arc::new(move |fact: &Fact| facts.lock().unwrap().push(fact.clone()));
        let controller = Controller::new(
            self.cluster.clone(),
            host(),
            options,
            Clock::system(),
            observer,
        )
        .await?;
        let stop = CancellationToken::new();
        let task = tokio::spawn({
            let stop = stop.clone();
            async move { controller.run(stop).await.unwrap() }
        });
        Ok(Running { stop, task })
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            once: false,
            concurrency: 8,
            events: false,
            root: None,
            namespace: self.namespace.clone(),
            only_namespace: Some(self.namespace.clone()),
            cache: self.folder.path().join("cache"),
            artifacts: None,
            ssh: weir_source::SshAlgorithms::default(),
            memo_bytes: 64 << 20,
        }
    }

    pub(crate) async fn apply(&self, value: Value) -> Result<Object> {
        let object = Object::new(value)?;
        let how = Apply {
            manager: "test".into(),
            force: true,
            dry_run: false,
        };
        self.cluster
            .apply(&object, &how)
            .await
            .with_context(|| format!("applying {}", object.key()))
    }

    pub(crate) async fn delete(&self, api_version: &str, kind: &str, name: &str) -> Result<()> {
        self.cluster
            .delete(&self.key(api_version, kind, name), &Delete::default())
            .await?;
        Ok(())
    }

    pub(crate) fn key(&self, api_version: &str, kind: &str, name: &str) -> ObjectKey {
        ObjectKey::new(
            Gvk::from_api_version(api_version, kind),
            self.namespace.clone(),
            name,
        )
    }

    pub(crate) async fn get(
        &self,
        api_version: &str,
        kind: &str,
        name: &str,
    ) -> Result<Option<Object>> {
        Ok(self.cluster.get(&self.key(api_version, kind, name)).await?)
    }

    /// Commits and asks the source for a reconciliation, as a webhook would; gives the revision.
    pub(crate) async fn commit(&self, changes: &[weir_testing::git::Change<'_>]) -> Result<String> {
        let id = self.repository.change("main", "a commit", changes)?;
        let mut source = self.source();
        source["metadata"]["annotations"] =
            json!({"reconcile.fluxcd.io/requestedAt": id.to_string()});
        self.apply(source).await?;
        Ok(format!("main@sha1:{id}"))
    }

    /// Waits until a unit is ready at a revision.
    pub(crate) async fn ready(&self, kind: &str, name: &str, revision: &str) -> Result<Object> {
        let api_version = if kind == "Pipeline" {
            "weir.dev/v1alpha1"
        } else {
            "kustomize.toolkit.fluxcd.io/v1"
        };
        let mut last = Value::Null;
        let found = until(&format!("{kind} {name} at {revision}"), async || {
            let Some(object) = self.get(api_version, kind, name).await? else {
                return Ok(None);
            };
            last = object.get("/status").cloned().unwrap_or_default();
            let applied = last["lastAppliedRevision"] == revision;
            let seen = last["observedGeneration"] == object.generation();
            Ok((applied && seen && condition(&object, "Ready").0 == "True").then_some(object))
        })
        .await;
        found.with_context(|| format!("its status: {last:#}"))
    }

    /// Waits until a unit's Ready condition has a reason.
    pub(crate) async fn not_ready(&self, kind: &str, name: &str, reason: &str) -> Result<Object> {
        let api_version = if kind == "Pipeline" {
            "weir.dev/v1alpha1"
        } else {
            "kustomize.toolkit.fluxcd.io/v1"
        };
        until(&format!("{kind} {name} to say {reason}"), async || {
            let object = self.get(api_version, kind, name).await?;
            Ok(object.filter(|object| condition(object, "Ready").1 == reason))
        })
        .await
    }

    pub(crate) async fn gone(&self, api_version: &str, kind: &str, name: &str) -> Result<()> {
        until(&format!("{kind} {name} to be gone"), async || {
            Ok(self
                .get(api_version, kind, name)
                .await?
                .is_none()
                .then_some(()))
        })
        .await
    }

    /// Makes a chain of units in the worst order, the last one first, and gives the time from the moment at which nothing
    /// but the chain is in the way until the last is ready.
    pub(crate) async fn chain(&self, length: usize) -> Result<Duration> {
        let files: Vec<(String, String)> = (0..length)
            .map(|n| (format!("u{n}/x.yaml"), config_map(&format!("x{n}"), "1")))
            .collect();
        let changes: Vec<_> = files
            .iter()
            .map(|(path, text)| File(path, text.as_bytes()))
            .collect();
        let revision = self.commit(&changes).await?;
        let mut start = Instant::now();
        for n in (0..length).rev() {
            start = Instant::now();
            let before = (n > 0).then(|| format!("u{}", n - 1));
            let depends_on: Vec<&str> = before.iter().map(String::as_str).collect();
            let unit = format!("u{n}");
            self.apply(self.kustomization(&unit, &unit, &depends_on))
                .await?;
        }
        let last = format!("u{}", length.saturating_sub(1));
        self.ready("Kustomization", &last, &revision).await?;
        Ok(start.elapsed())
    }

    /// Names and resource versions of the ConfigMaps that the tests apply.
    pub(crate) async fn versions(&self) -> Result<Vec<(String, String)>> {
        let by = Selection {
            namespace: self.namespace.clone(),
            ..Selection::default()
        };
        let list = self
            .cluster
            .list(&Gvk::new("", "v1", "ConfigMap"), &by)
            .await?;
        let mut versions: Vec<_> = list
            .objects
            .iter()
            .filter(|object| object.name() != "kube-root-ca.crt")
            .map(|object| {
                (
                    object.name().to_owned(),
                    object.resource_version().to_owned(),
                )
            })
            .collect();
        versions.sort();
        Ok(versions)
    }
}

/// Status, reason and message of a condition.
pub(crate) fn condition(object: &Object, kind: &str) -> (String, String, String) {
    let list = object
        .get("/status/conditions")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let found = list
        .into_iter()
        .find(|one| one["type"] == kind)
        .unwrap_or_default();
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    (text("status"), text("reason"), text("message"))
}

/// One host for all tests of this binary.
pub(crate) fn host() -> Arc<Host> {
    static HOST: OnceLock<Arc<Host>> = OnceLock::new();
    HOST.get_or_init(|| Arc::new(Host::new(HostConfig::default()).unwrap()))
        .clone()
}

pub(crate) fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: \"{value}\"\n"
    )
}

/// The top of the checkout.
pub(crate) fn checkout() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// Fails with what a program said.
pub(crate) fn succeed(output: std::process::Output) -> Result<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    if !output.status.success() {
        bail!("ended with {}:\n{out}{err}", output.status);
    }
    Ok((out, err))
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
