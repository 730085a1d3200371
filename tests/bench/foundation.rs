//! `cargo xtask bench foundation`: what deciding, doing nothing and resting cost.

#[path = "foundation/calls.rs"]
mod calls;
#[path = "foundation/chain.rs"]
mod chain;
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "a part of the tests, which use more of it"
)]
#[path = "../e2e/lab.rs"]
mod lab;
#[expect(dead_code, reason = "a part of the program, which uses more of it")]
#[path = "../../host/weir/src/memory.rs"]
mod memory;
#[expect(clippy::unwrap_used, reason = "as in the tests")]
#[path = "foundation/rest.rs"]
mod rest;
#[path = "world.rs"]
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use async_trait::async_trait;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use weir_api::inventory::Inventory;
use weir_api::kustomize::Kustomization;
use weir_api::names;
use weir_apply::{Journal, Live, Owner, Request, apply, prepare};
use weir_cluster::{Cluster, ClusterError, Local};
use weir_plugin::{Document, Host, HostConfig};
use weir_render::{Index, Recipe, Renderer, SourceId};
use weir_tree::{EmptyTree, OverlayTree, Tree, TreePath, changed};

use world::FilesWorld;

const UNITS: usize = 1000;
const RUNS: usize = 7;

/// What the program is told to measure one thing alone: what was measured before takes memory, and has plugins loaded.
const AT_REST: &str = "at-rest";
const FIRST_CALL: &str = "first-call";

fn main() -> Result<()> {
    memory::small_pages();
    match std::env::args().nth(1).as_deref() {
        Some(AT_REST) => return runtime()?.block_on(rest::run()),
        Some(FIRST_CALL) => return first_call(),
        _ => {}
    }
    calls::run()?;
    first_calls()?;
    let runtime = runtime()?;
    runtime.block_on(deciding_and_doing_nothing())?;
    runtime.block_on(chain::run())?;
    let program = std::env::current_exe()?;
    let status = std::process::Command::new(program).arg(AT_REST).status()?;
    anyhow::ensure!(status.success(), "measuring at rest ended with {status}");
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

fn figure(name: &str, unit: &str, value: f64, target: f64) {
    anstream::println!(
        "{}",
        json!({"name": name, "unit": unit, "weir": value, "target": target})
    );
}

fn median(mut values: Vec<Duration>) -> f64 {
    values.sort();
    values[values.len() / 2].as_secs_f64() * 1000.0
}

/// A host, one built-in plugin, loaded as the commands load it, and one small build; prints the milliseconds.
fn first_call() -> Result<()> {
    let started = Instant::now();
    let host = Arc::new(Host::new(HostConfig::default())?);
    let plugins = weir_render::builtin::load_named(&host, &["kustomize"])?;
    let world = FilesWorld::new(files(1, "1")?, plugins);
    let renderer = renderer(host)?;
    renderer.render(&recipe(0)?, &world, &CancellationToken::new())?;
    anstream::println!("{}", started.elapsed().as_secs_f64() * 1000.0);
    Ok(())
}

fn first_calls() -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let output = std::process::Command::new(std::env::current_exe()?)
            .arg(FIRST_CALL)
            .output()?;
        anyhow::ensure!(output.status.success(), "{}", output.status);
        times.push(String::from_utf8(output.stdout)?.trim().parse()?);
    }
    times.sort_by(f64::total_cmp);
    figure(
        "first call of a built-in after start",
        "ms",
        times[RUNS / 2],
        10.0,
    );
    Ok(())
}

async fn deciding_and_doing_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let cluster: Arc<dyn Cluster> = Arc::new(Local::open(folder.path().join("cluster"))?);
    let host = Arc::new(Host::new(HostConfig::default())?);
    let renderer = Arc::new(renderer(host.clone())?);
    let before = files(UNITS, "1")?;
    let world = Arc::new(FilesWorld::new(
        before.clone(),
        weir_render::builtin::load(&host)?,
    ));
    let recipes: Arc<Vec<Recipe>> = Arc::new((0..UNITS).map(recipe).collect::<Result<_>>()?);
    let mut index = Index::default();
    for recipe in recipes.iter() {
        let rendered = renderer.render(recipe, &*world, &CancellationToken::new())?;
        index.set(&recipe.unit, rendered.dependencies);
    }
    let after = files(UNITS, "1").and_then(|tree| edited(tree, "u7/map.yaml"))?;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let started = Instant::now();
        let changes = changed(&*before, &*after)?;
        let touched = index.touched_by_tree(&source(), &changes);
        times.push(started.elapsed());
        anyhow::ensure!(touched.len() == 1, "{touched:?}");
    }
    figure(
        "which of 1,000 units a one-file commit touches",
        "ms",
        median(times),
        5.0,
    );

    let mut times = Vec::new();
    for run in 0..=RUNS {
        let started = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for part in 0..4 {
            let (cluster, renderer, world, recipes) = (
                cluster.clone(),
                renderer.clone(),
                world.clone(),
                recipes.clone(),
            );
            tasks.spawn(async move {
                for recipe in recipes.iter().skip(part).step_by(4) {
                    reconcile(&*cluster, &renderer, &world, recipe, run > 0).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        if run > 0 {
            times.push(started.elapsed());
        }
    }
    figure("no-op reconcile of 1,000 units", "ms", median(times), 100.0);
    Ok(())
}

async fn reconcile(
    cluster: &dyn Cluster,
    renderer: &Renderer,
    world: &FilesWorld,
    recipe: &Recipe,
    unchanged: bool,
) -> Result<()> {
    let rendered = renderer.render(recipe, world, &CancellationToken::new())?;
    let owner = Owner {
        name_label: names::OWNER_NAME,
        namespace_label: names::OWNER_NAMESPACE,
        name: recipe.unit.name.name.clone(),
        namespace: recipe.unit.name.namespace.clone(),
        manager: names::APPLY_MANAGER,
    };
    let objects = prepare(
        rendered.bundle.documents.iter().map(Document::to_value),
        &owner,
    )?;
    let inventory = Inventory::default();
    let request = Request {
        owner: &owner,
        objects,
        inventory: &inventory,
        prune: false,
        force: false,
    };
    let applied = apply(
        cluster,
        &Live::default(),
        request,
        &NoJournal,
        &CancellationToken::new(),
    )
    .await;
    let applied = applied.map_err(|failure| anyhow::anyhow!("{failure}"))?;
    anyhow::ensure!(
        !unchanged || applied.changed().count() == 0,
        "something changed"
    );
    Ok(())
}

fn renderer(host: Arc<Host>) -> Result<Renderer> {
    Renderer::new(host, 64 << 20).map_err(|error| anyhow::anyhow!("{error}"))
}

fn source() -> SourceId {
    SourceId::new("GitRepository", "bench", "repo")
}

fn kustomization(unit: usize) -> Value {
    json!({"apiVersion": names::KUSTOMIZE_V1, "kind": "Kustomization", "metadata": {"namespace": "bench", "name": format!("u{unit}")},
        "spec": {"interval": "1h", "prune": true, "path": format!("u{unit}"), "targetNamespace": "default",
            "sourceRef": {"kind": "GitRepository", "name": "repo"}}})
}

fn recipe(unit: usize) -> Result<Recipe> {
    let object: Kustomization = serde_json::from_value(kustomization(unit))?;
    Ok(weir_render::lower_kustomization(
        &object,
        &weir_render::LowerOptions::controller(),
    )?)
}

/// Three objects and a kustomization file for each unit.
fn unit_files(unit: usize, value: &str) -> Vec<(&'static str, String)> {
    let meta = format!("metadata:\n  name: u{unit}\n");
    vec![
        (
            "kustomization.yaml",
            "resources: [map.yaml, service.yaml, deployment.yaml]\n".to_owned(),
        ),
        (
            "map.yaml",
            format!("apiVersion: v1\nkind: ConfigMap\n{meta}data:\n  value: \"{value}\"\n"),
        ),
        (
            "service.yaml",
            format!("apiVersion: v1\nkind: Service\n{meta}spec:\n  ports: [{{port: 80}}]\n"),
        ),
        (
            "deployment.yaml",
            format!(
                "apiVersion: apps/v1\nkind: Deployment\n{meta}spec:\n  selector: {{matchLabels: {{app: u{unit}}}}}\n  template:\n    metadata: {{labels: {{app: u{unit}}}}}\n    spec:\n      containers: [{{name: c, image: \"registry.example/c:1\"}}]\n"
            ),
        ),
    ]
}

fn files(units: usize, value: &str) -> Result<Arc<dyn Tree>> {
    let mut overlay = OverlayTree::on(EmptyTree::shared());
    for unit in 0..units {
        for (name, text) in unit_files(unit, value) {
            overlay.file(
                &TreePath::parse(&format!("u{unit}/{name}"))?,
                text.into_bytes(),
            )?;
        }
    }
    Ok(Arc::new(overlay.finish()?))
}

fn edited(tree: Arc<dyn Tree>, path: &str) -> Result<Arc<dyn Tree>> {
    let mut overlay = OverlayTree::on(tree);
    overlay.file(
        &TreePath::parse(path)?,
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: u7}\n"
            .as_bytes()
            .to_vec(),
    )?;
    Ok(Arc::new(overlay.finish()?))
}

struct NoJournal;

#[async_trait]
impl Journal for NoJournal {
    async fn record(&self, _: &Inventory) -> Result<(), ClusterError> {
        Ok(())
    }
}
