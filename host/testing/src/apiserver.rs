//! A real kube-apiserver on an etcd of its own, and nothing else: no scheduler, no controllers.
//!
//! Objects are stored and never acted on. Where a test needs what a controller would do, [`crate::roles`] plays it.
//! The server is tuned for tests: etcd does not sync to disk, its data is on tmpfs where there is one, admission
//! that needs controllers is off, and everybody may do everything unless [`Settings::rbac`] says otherwise.

mod namespace;
mod requests;

use std::env;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;

pub use namespace::Namespace;
pub use requests::{Request, Requests};

use crate::process::Process;
use crate::tools;

/// How long the servers may take to start on a busy machine.
const START: Duration = Duration::from_secs(90);
/// Ports are found free and used a moment later: another process can be quicker.
const TRIES: usize = 3;

/// What a test can choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Authorise by RBAC instead of allowing everything. The [`ApiServer::config`] user may do everything either way.
    pub rbac: bool,
    /// Write down every request, for [`ApiServer::requests`]. Off for benchmarks.
    pub audit: bool,
    /// Further flags for kube-apiserver.
    pub flags: Vec<String>,
}

impl Settings {
    /// What [`ApiServer::shared`] has.
    pub fn usual() -> Self {
        Self {
            rbac: false,
            audit: true,
            flags: Vec::new(),
        }
    }
}

/// A running API server. Dropping it, or the end of the process in any way, ends both servers and removes their data.
#[derive(Debug)]
pub struct ApiServer {
    folder: PathBuf,
    port: u16,
    settings: Settings,
    program: PathBuf,
    etcd_url: String,
    /// The server, and what it depends on; ended in this order.
    server: Mutex<Process>,
    _etcd: Process,
    kubeconfig: Kubeconfig,
}

impl ApiServer {
    /// The one server of this test binary, started by whoever asks first; blocks until it is healthy. `None`, and a line
    /// on standard error, if the tools are not built.
    ///
    /// # Panics
    /// If it cannot start, or if the tools are missing and `CI=true`.
    #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<ApiServer>> = OnceLock::new();
        let shared = SHARED.get_or_init(|| match Self::start(Settings::usual()) {
            Ok(server) => server,
            Err(error) => panic!("starting the API server of this test run: {error:?}"),
        });
        if shared.is_none() {
            eprintln!("SKIPPED: kube-apiserver or etcd is not built; run `cargo xtask tools`");
        }
        shared.as_ref()
    }

    /// Starts a server of one's own; `None` if the tools are not built (an error with `CI=true`). Blocks until it is
    /// healthy.
    pub fn start(settings: Settings) -> Result<Option<Self>> {
        let (Some(etcd), Some(program)) = (tools::find("etcd")?, tools::find("kube-apiserver")?)
        else {
            return Ok(None);
        };
        let mut tries = 1;
        loop {
            match Self::try_start(&etcd, &program, &settings) {
                Err(error)
                    if tries < TRIES && format!("{error:?}").contains("address already in use") =>
                {
                    tries += 1
                }
                result => return result.map(Some),
            }
        }
    }

    /// How to talk to the server as somebody who may do everything. Make a client for each test: a client belongs to
    /// the runtime that it was made in.
    pub fn config(&self) -> Result<kube::Config> {
        let kubeconfig = self.kubeconfig.clone();
        on_own_runtime(|| async move {
            let options = KubeConfigOptions::default();
            kube::Config::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .context("reading our own kubeconfig")
        })
    }

    /// A client of [`ApiServer::config`] without retries, for the calling runtime.
    pub fn client(&self) -> Result<kube::Client> {
        let mut config = self.config()?;
        config.default_retry = false;
        kube::Client::try_from(config).context("making a client")
    }

    /// The kubeconfig as a file, for programs.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }

    /// Where the server is, `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// A new namespace with a name of its own that starts with `prefix`. Dropped while a test panics, it shows the
    /// objects that are in it.
    pub async fn namespace(&'static self, prefix: &str) -> Result<Namespace> {
        Namespace::make(self, prefix).await
    }

    /// A mark from which on requests are counted.
    pub fn requests(&self) -> Requests {
        Requests::from_now(self.folder.join("audit.log"))
    }

    /// Ends kube-apiserver with `kill -9` and starts it again on the same data and port. etcd goes on.
    pub fn restart(&self) -> Result<()> {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        server.kill().context("ending kube-apiserver")?;
        *server = start_server(
            &self.program,
            &self.folder,
            self.port,
            &self.etcd_url,
            &self.settings,
        )?;
        wait_healthy(&mut server, &self.folder, self.port).map(drop)
    }

    /// The end of the server's log.
    pub fn log_end(&self) -> String {
        self.server
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .log_end()
    }

    fn try_start(etcd: &Path, program: &Path, settings: &Settings) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("weir-apiserver-")
            .tempdir_in(scratch())?
            .keep();
        let [client, peer, port] = free_ports()?;
        let etcd_url = format!("http://127.0.0.1:{client}");
        let etcd = start_etcd(
            etcd,
            &folder,
            &etcd_url,
            &format!("http://127.0.0.1:{peer}"),
        )?;
        fs::write(
            folder.join("tokens.csv"),
            "admin-token,admin,1,\"system:masters\"\n",
        )?;
        fs::write(folder.join("audit.yaml"), requests::POLICY)?;
        let mut server = start_server(program, &folder, port, &etcd_url, settings)?;
        let kubeconfig = wait_healthy(&mut server, &folder, port)?;
        let (program, settings, server) =
            (program.to_owned(), settings.clone(), Mutex::new(server));
        Ok(Self {
            folder,
            port,
            settings,
            program,
            etcd_url,
            server,
            _etcd: etcd,
            kubeconfig,
        })
    }
}

fn start_etcd(program: &Path, folder: &Path, url: &str, peer: &str) -> Result<Process> {
    let data = folder.join("etcd");
    let arguments = [
        format!("--data-dir={}", data.display()),
        format!("--listen-client-urls={url}"),
        format!("--advertise-client-urls={url}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--unsafe-no-fsync".into(),
        "--log-level=warn".into(),
        // One member elects itself: there is no point in waiting for others.
        "--heartbeat-interval=20".into(),
        "--election-timeout=200".into(),
    ];
    // Of both servers etcd ends last, and its supervisor takes the folder away.
    Process::start(program, arguments, &folder.join("etcd.log"), Some(folder))
}

fn start_server(
    program: &Path,
    folder: &Path,
    port: u16,
    etcd: &str,
    settings: &Settings,
) -> Result<Process> {
    let path = |name: &str| folder.join(name).display().to_string();
    let mut arguments = vec![
        format!("--etcd-servers={etcd}"),
        "--bind-address=127.0.0.1".into(),
        "--advertise-address=127.0.0.1".into(),
        format!("--secure-port={port}"),
        format!("--cert-dir={}", path("")),
        format!("--token-auth-file={}", path("tokens.csv")),
        format!(
            "--authorization-mode={}",
            if settings.rbac { "RBAC" } else { "AlwaysAllow" }
        ),
        // Tokens of service accounts are signed with the key of the server's own certificate, which it has made by
        // the time it looks for this one.
        format!("--service-account-key-file={}", path("apiserver.key")),
        format!(
            "--service-account-signing-key-file={}",
            path("apiserver.key")
        ),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        // A narrower range runs out of addresses at 254 Services.
        "--service-cluster-ip-range=10.96.0.0/12".into(),
        // Both wait for controllers that do not run here: one for the default ServiceAccount, the other takes
        // finalizers away from unused volumes.
        "--disable-admission-plugins=ServiceAccount,StorageObjectInUseProtection".into(),
        "--endpoint-reconciler-type=none".into(),
        "--profiling=false".into(),
        "--v=1".into(),
    ];
    if settings.audit {
        arguments.push(format!("--audit-policy-file={}", path("audit.yaml")));
        arguments.push(format!("--audit-log-path={}", path("audit.log")));
        // Written before the request is handled and before the answer is complete, not from a queue.
        arguments.push("--audit-log-mode=blocking".into());
    }
    arguments.extend(settings.flags.iter().cloned());
    Process::start(program, arguments, &folder.join("kube-apiserver.log"), None)
}

/// Waits until `/readyz` is content and gives the kubeconfig, which is also written into the folder.
fn wait_healthy(server: &mut Process, folder: &Path, port: u16) -> Result<Kubeconfig> {
    let start = Instant::now();
    let certificate = folder.join("apiserver.crt");
    while !certificate.exists() {
        server.check()?;
        if start.elapsed() > START {
            bail!(
                "kube-apiserver made no certificate; its log ends:\n{}",
                server.log_end()
            );
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {
            "server": format!("https://127.0.0.1:{port}"), "certificate-authority": certificate,
        }}],
        "users": [{"name": "admin", "user": {"token": "admin-token"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
    });
    fs::write(
        folder.join("kubeconfig"),
        serde_json::to_string_pretty(&kubeconfig)?,
    )?;
    let kubeconfig: Kubeconfig =
        serde_json::from_value(kubeconfig).context("making a kubeconfig")?;
    let wanted = kubeconfig.clone();
    on_own_runtime(|| async move {
        let mut last = String::from("it does not listen");
        while start.elapsed() < START {
            server.check()?;
            match ready(wanted.clone()).await {
                Ok(()) => return Ok(()),
                Err(error) => last = format!("{error:#}"),
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        bail!(
            "kube-apiserver is not ready: {last}; its log ends:\n{}",
            server.log_end()
        )
    })?;
    Ok(kubeconfig)
}

async fn ready(kubeconfig: Kubeconfig) -> Result<()> {
    let mut config =
        kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    config.default_retry = false;
    config.read_timeout = Some(Duration::from_secs(5));
    let request = http::Request::get("/readyz").body(Vec::new())?;
    kube::Client::try_from(config)?
        .request_text(request)
        .await?;
    Ok(())
}

/// Runs a future to its end on a thread with a runtime of its own, from inside or outside of another runtime.
pub(crate) fn on_own_runtime<T: Send, F: Future<Output = Result<T>>>(
    future: impl FnOnce() -> F + Send,
) -> Result<T> {
    std::thread::scope(|scope| {
        let run = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?
                .block_on(future())
        };
        scope
            .spawn(run)
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Ports that were free a moment ago.
fn free_ports() -> io::Result<[u16; 3]> {
    let listeners: Vec<TcpListener> = (0..3)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect::<io::Result<_>>()?;
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(&listeners) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

/// tmpfs where there is one: etcd writes for every request.
fn scratch() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        memory.to_owned()
    } else {
        env::temp_dir()
    }
}
