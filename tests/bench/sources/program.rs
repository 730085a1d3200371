//! The two that are measured, each at work in a namespace of its own.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use weir_api::Object;
use weir_testing::source_controller::SourceController;

use crate::lab::{Lab, Place};
use crate::process;

const SOURCE: &str = "source.toolkit.fluxcd.io/v1";
/// For whatever is waited for.
const DEADLINE: Duration = Duration::from_secs(180);
/// How often is looked.
const PAUSE: Duration = Duration::from_millis(1);

/// One of them.
pub(crate) struct Program {
    pub(crate) lab: Lab,
    running: Running,
}

enum Running {
    Weir(Child),
    Original(SourceController),
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Running::Weir(child) = &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Program {
    /// `None` if there is no API server, which was said.
    pub(crate) async fn weir() -> Result<Option<Self>> {
        let Some(lab) = Lab::new(Place::Kube, "weir").await? else {
            return Ok(None);
        };
        let space = lab.space.as_ref().context("a namespace")?;
        let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let child = Command::new(process::weir()?)
            .args([
                "run",
                "--namespace",
                space.name(),
                "--only-namespace",
                space.name(),
            ])
            .args(["--storage-addr", &free, "--storage-adv-addr", &free])
            .arg("--cache")
            .arg(lab.folder.path().join("cache"))
            .env("KUBECONFIG", space.server().kubeconfig())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("starting weir")?;
        let program = Self {
            lab,
            running: Running::Weir(child),
        };
        program.begin().await
    }

    /// `None` if it is not built.
    pub(crate) async fn original() -> Result<Option<Self>> {
        let Some(lab) = Lab::new(Place::Kube, "flux").await? else {
            return Ok(None);
        };
        let space = lab.space.as_ref().context("a namespace")?;
        let Some(original) = SourceController::start(space)? else {
            return Ok(None);
        };
        let program = Self {
            lab,
            running: Running::Original(original),
        };
        program.begin().await
    }

    /// Waits until it works.
    async fn begin(self) -> Result<Option<Self>> {
        self.lab
            .repository
            .commit("main", &[("a.yaml", "a: 1\n")])?;
        self.ask("fleet", "begin").await?;
        self.ready("GitRepository", "fleet").await?;
        Ok(Some(self))
    }

    fn id(&self) -> Result<u32> {
        match &self.running {
            Running::Weir(child) => Ok(child.id()),
            Running::Original(original) => original.id(),
        }
    }

    pub(crate) async fn put_git(&self, name: &str, url: &str, interval: &str) -> Result<()> {
        self.put(
            "GitRepository",
            name,
            json!({"interval": interval, "url": url, "ref": {"branch": "main"}}),
        )
        .await
    }

    pub(crate) async fn put_charts(&self, name: &str, url: &str) -> Result<()> {
        self.put(
            "HelmRepository",
            name,
            json!({"interval": "1h", "url": url}),
        )
        .await
    }

    async fn put(&self, kind: &str, name: &str, spec: Value) -> Result<()> {
        let object = json!({
            "apiVersion": SOURCE, "kind": kind,
            "metadata": {"namespace": self.lab.namespace, "name": name}, "spec": spec,
        });
        self.lab.apply(object).await.map(drop)
    }

    /// Asks for a reconciliation of a GitRepository, and waits until it was done.
    pub(crate) async fn ask(&self, name: &str, request: &str) -> Result<()> {
        let key = self.lab.key(SOURCE, "GitRepository", name);
        let patch =
            json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": request}}});
        let whole = weir_cluster::Part::Object;
        self.lab.cluster.merge(&key, whole, &patch, "test").await?;
        self.wait("GitRepository", name, |object| {
            object.get("/status/lastHandledReconcileAt") == Some(&request.into())
        })
        .await
    }

    pub(crate) async fn at(&self, name: &str, revision: &str) -> Result<()> {
        self.wait("GitRepository", name, |object| {
            object.get("/status/artifact/revision") == Some(&revision.into())
        })
        .await
    }

    pub(crate) async fn ready(&self, kind: &str, name: &str) -> Result<()> {
        self.wait(kind, name, |object| {
            crate::lab::condition(object, "Ready").0 == "True"
        })
        .await
    }

    async fn wait(&self, kind: &str, name: &str, done: impl Fn(&Object) -> bool) -> Result<()> {
        let started = Instant::now();
        loop {
            let object = self.lab.get(SOURCE, kind, name).await?;
            if object.as_ref().is_some_and(&done) {
                return Ok(());
            }
            if started.elapsed() > DEADLINE {
                let status = object.as_ref().and_then(|object| object.get("/status"));
                bail!("{kind} {name} did not come so far: {status:#?}");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The memory that it holds, in MiB.
    pub(crate) fn resident(&self) -> Result<f64> {
        self.memory("VmRSS:")
    }

    /// The most memory that it held, in MiB.
    pub(crate) fn peak(&self) -> Result<f64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()?))?;
        process::field(&status, field).with_context(|| format!("no {field} in a process's status"))
    }

    /// What all its threads took of the processors.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        /// Linux counts in these, whatever the machine.
        const TICKS: u64 = 100;
        let text = fs::read_to_string(format!("/proc/{}/stat", self.id()?))?;
        let (_, fields) = text.rsplit_once(')').context("a process's figures")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
        Ok(Duration::from_millis(ticks * 1000 / TICKS))
    }
}
