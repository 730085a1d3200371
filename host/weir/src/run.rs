//! `weir run`: reconciles into a cluster, or into a folder with the embedded one.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use weir_api::{Gvk, Object, crd, names};
use weir_cluster::{Apply, Cluster, Kube, Local, Selection};
use weir_controller::{ArtifactOptions, Clock, Controller, NodeId, NodeKind, Options, RootBinding};
use weir_plugin::{Host, HostConfig};
use weir_source::SshAlgorithms;

use crate::cli::{Report, RunArgs};
use crate::flux_kinds::FLUX_KINDS;
use crate::remote;
use crate::repository::entry;
use crate::repository::unit::SourceName;
use crate::show::Show;
use crate::{output, repository, snippet};

/// What may be kept of renders.
const MEMO: usize = 64 << 20;
/// What commands have on their main thread. Guests have stacks of their own.
const THREAD_STACK: usize = 8 << 20;
/// Compiled plugins on disk.
const CODE_CACHE: u64 = 512 << 20;

pub(crate) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let filter = tracing_subscriber::EnvFilter::try_new(&args.log).context("reading --log")?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("a TLS provider was installed already"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(THREAD_STACK)
        .build()
        .context("starting the runtime")?;
    runtime.block_on(reconcile(args))
}

async fn reconcile(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let source = source(args)?;
    let root = match &args.root {
        Some(folder) => {
            let folder = std::fs::canonicalize(folder)
                .with_context(|| format!("opening --root {}", folder.display()))?;
            Some(RootBinding {
                source: source.clone(),
                folder,
            })
        }
        None if args.path.is_some() => bail!("--path needs --root: it is a path in that folder"),
        None => None,
    };
    let cluster = cluster(args).await?;
    if args.local.is_some() {
        install(&*cluster).await?;
    }
    if let Some(root) = &root {
        let entry = match &args.path {
            Some(path) => Some(entry_at(&source, path)),
            None if args.local.is_some() => entry_of(&*cluster, &source, &root.folder).await?,
            None => None,
        };
        bootstrap(&*cluster, &source, entry).await?;
    }
    let show = Arc::new(Show::new(args.output == Report::Text));
    let observer = {
        let show = show.clone();
        Arc::new(move |fact: &_| show.fact(fact))
    };
    let cache = match &args.cache {
        Some(cache) => cache.clone(),
        None => remote::cache().context("say where the cache is with --cache")?,
    };
    let host = Host::new(HostConfig {
        cache: Some(cache.join("plugins")),
        cache_bytes: CODE_CACHE,
        ..HostConfig::default()
    })?;
    let options = Options {
        once: args.once,
        concurrency: usize::from(args.concurrent),
        events: args.local.is_none(),
        root,
        namespace: args.namespace.clone(),
        only_namespace: args.only_namespace.clone(),
        cache,
        artifacts: args
            .storage_addr
            .zip(args.storage_adv_addr.clone())
            .map(|(listen, advertised)| ArtifactOptions { listen, advertised }),
        ssh: SshAlgorithms::new(&args.ssh_kex_algos, &args.ssh_hostkey_algos)?,
        memo_bytes: MEMO,
    };
    let controller =
        Controller::new(cluster, Arc::new(host), options, Clock::system(), observer).await?;
    let stop = CancellationToken::new();
    let summary = {
        let running = controller.run(stop.clone());
        tokio::pin!(running);
        tokio::select! {
            summary = &mut running => summary?,
            () = asked_to_stop() => {
                stop.cancel();
                running.await?
            }
        }
    };
    show.finish();
    match args.output {
        Report::Text => output::text(&show.summary(&summary, args.local.as_deref()))?,
        Report::Json => output::json(&json!({
            "ready": summary.ready.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "suspended": summary.suspended.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "notReady": summary.not_ready.iter()
                .map(|(id, message)| json!({"name": id.to_string(), "message": message})).collect::<Vec<_>>(),
            "changes": show.changes(),
        }))?,
    }
    let healthy = summary.not_ready.is_empty() || !args.once;
    Ok(if healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn source(args: &RunArgs) -> anyhow::Result<NodeId> {
    let (kind, name) = args
        .source
        .split_once('/')
        .context("--source: expected KIND/NAME")?;
    match NodeKind::of(kind) {
        Some(kind @ NodeKind::GitRepository) => Ok(NodeId::new(kind, &args.namespace, name)),
        _ => bail!(
            "--source {}: this version of weir binds a GitRepository only",
            args.source
        ),
    }
}

async fn cluster(args: &RunArgs) -> anyhow::Result<Arc<dyn Cluster>> {
    Ok(match &args.local {
        Some(folder) => Arc::new(Local::open(folder)?),
        None => Arc::new(
            Kube::from_env()
                .await
                .context("connecting to the cluster; --local DIR needs none")?,
        ),
    })
}

/// Makes a fresh local cluster know the kinds that weir reconciles, and those of Flux that are only kept.
async fn install(cluster: &dyn Cluster) -> anyhow::Result<()> {
    let how = Apply {
        manager: names::WEIR_STATUS_MANAGER.to_owned(),
        force: true,
        dry_run: false,
    };
    for (name, definition) in crd::all() {
        let object = Object::new(definition).expect("a CRD has apiVersion and kind");
        cluster
            .apply(&object, &how)
            .await
            .with_context(|| format!("installing the CRD {name}"))?;
    }
    let known = cluster.discover(true).await?;
    for kind in FLUX_KINDS {
        // The repository may have brought Flux's own definition.
        if known.find(&kind.gvk()).is_some() {
            continue;
        }
        let object = Object::new(kind.definition()).expect("a CRD has apiVersion and kind");
        cluster
            .apply(&object, &how)
            .await
            .with_context(|| format!("installing the CRD {}", object.name()))?;
    }
    cluster.discover(true).await?;
    Ok(())
}

/// Makes the source and the Kustomization that everything starts from, unless the repository itself has made them.
async fn bootstrap(
    cluster: &dyn Cluster,
    source: &NodeId,
    entry: Option<Value>,
) -> anyhow::Result<()> {
    let namespace = source.name.namespace.as_str();
    let mut objects = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
        json!({
            "apiVersion": names::SOURCE_V1, "kind": source.kind.as_str(),
            "metadata": {"namespace": namespace, "name": source.name.name},
            "spec": {"interval": "1m", "url": "https://localhost/bound-to-a-folder-by-root"},
        }),
    ];
    objects.extend(entry);
    for object in objects {
        ensure(cluster, object).await?;
    }
    Ok(())
}

/// The Kustomization over a path that a person names.
fn entry_at(source: &NodeId, path: &str) -> Value {
    json!({
        "apiVersion": names::KUSTOMIZE_V1, "kind": "Kustomization",
        "metadata": {"namespace": source.name.namespace, "name": source.name.name},
        "spec": {
            "interval": "10m", "path": path, "prune": true,
            "sourceRef": {"kind": source.kind.as_str(), "name": source.name.name},
        },
    })
}

/// What the repository itself says that everything starts from, unless the cluster has that already.
async fn entry_of(
    cluster: &dyn Cluster,
    source: &NodeId,
    folder: &Path,
) -> anyhow::Result<Option<Value>> {
    let gvk = Gvk::from_api_version(names::KUSTOMIZE_V1, "Kustomization");
    let by = Selection {
        namespace: source.name.namespace.clone(),
        ..Selection::default()
    };
    let there = cluster.list(&gvk, &by).await;
    if !there.context("listing Kustomizations")?.objects.is_empty() {
        return Ok(None);
    }
    let name = SourceName {
        kind: source.kind.as_str().to_owned(),
        name: source.name.name.clone(),
    };
    let tree = repository::source_of(folder)?.tree;
    match entry::find(&*tree, Some(&name)) {
        Ok(entry) if entry.id.name.namespace == source.name.namespace => {
            Ok(Some(serde_json::to_value(&entry.object)?))
        }
        Ok(entry) => bail!(
            "the repository starts from {}; say --namespace {}",
            entry.id,
            entry.id.name.namespace
        ),
        Err(error) => {
            anstream::eprintln!("warning: {error:#}");
            Ok(None)
        }
    }
}

async fn ensure(cluster: &dyn Cluster, value: Value) -> anyhow::Result<()> {
    let object = Object::new(value).expect("made with apiVersion and kind");
    let key = object.key();
    let live = cluster
        .get(&key)
        .await
        .with_context(|| format!("reading {key}"))?;
    let kept = live.as_ref().is_some_and(|live| {
        live.label(names::OWNER_NAME).is_some()
            || live.get("/spec/path") == object.get("/spec/path")
    });
    if kept && live.is_some() {
        return Ok(());
    }
    let how = Apply {
        manager: names::WEIR_STATUS_MANAGER.to_owned(),
        force: true,
        dry_run: false,
    };
    cluster
        .apply(&object, &how)
        .await
        .with_context(|| format!("making {key}"))?;
    Ok(())
}

async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(error) => {
            snippet::print_error(&anyhow::Error::new(error).context("listening for signals"));
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
