//! The one task that owns the graph: takes in what is seen, starts what may run, and passes on what runs found out.

mod revision;
mod startup;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use weir_api::Object;
use weir_cluster::{Cluster, ClusterError, Selection};
use weir_plugin::Host;
use weir_render::{Index, SourceId, SourceTree, UnitId};
use weir_source::SshAlgorithms;
use weir_source::store::Store;

use crate::clock::Clock;
use crate::fact::Observer;
use crate::graph::inputs::InputId;
use crate::graph::{Gate, Graph, Node, Seen as Change, State};
use crate::node::{NodeId, NodeKind, Typed};
use crate::queue::{Priority, Queue};
use crate::reconcile::{self, Context, Next, Outcome, Product, Run};
use crate::registry::Registry;
use crate::watch::{self, Seen, Watched};

/// Between watches and engine; a full channel makes the watches wait.
const SEEN_CAPACITY: usize = 1024;
/// How long a unit waits for a dependency that is under way before its status says so.
const QUIET_WAIT: Duration = Duration::from_secs(1);
/// Flux's back-off for errors that are nobody's spec.
const FIRST_BACK_OFF: Duration = Duration::from_millis(750);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(15 * 60);

/// How a controller runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Stop when nothing is left to do.
    pub once: bool,
    /// How many nodes run side by side.
    pub concurrency: usize,
    /// Whether to write Kubernetes Events.
    pub events: bool,
    /// A source that is bound to a folder.
    pub root: Option<RootBinding>,
    /// Where the controller keeps its own Secret.
    pub namespace: String,
    /// Reconcile only what is in this namespace; Plugins count to that of their source.
    pub only_namespace: Option<String>,
    /// Where fetched repositories and artifacts are kept.
    pub cache: PathBuf,
    /// Whether artifacts are served to others, and where.
    pub artifacts: Option<ArtifactOptions>,
    /// What connections to Git servers over SSH may use.
    pub ssh: SshAlgorithms,
    /// What may be kept of renders.
    pub memo_bytes: usize,
}

/// An endpoint with the artifacts of all sources, at Flux's paths.
#[derive(Clone, Debug)]
pub struct ArtifactOptions {
    pub listen: SocketAddr,
    /// Host and port that others reach it by; with `http://` or `https://` taken as it is.
    pub advertised: String,
}

/// Binds a source object to a folder inside the process; the object itself stays valid for Flux.
#[derive(Clone, Debug)]
pub struct RootBinding {
    pub source: NodeId,
    pub folder: PathBuf,
}

/// How things stood when a controller stopped.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    pub ready: Vec<NodeId>,
    /// With the message of its Ready condition.
    pub not_ready: Vec<(NodeId, String)>,
    pub suspended: Vec<NodeId>,
}

/// Why a controller could not run.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    #[error("the cluster did not answer: {0}")]
    Cluster(#[from] ClusterError),
    #[error("the built-in plugins do not load: {0}")]
    BuiltIn(#[from] weir_render::builtin::BuiltInError),
    #[error("the machine gives no random numbers: {0}")]
    Random(getrandom::Error),
    #[error("the store of artifacts: {0}")]
    Store(#[from] weir_source::store::StoreError),
    #[error("artifacts cannot be served at {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("the secret {name} has no usable key: {problem}")]
    Key { name: String, problem: &'static str },
}

/// A controller, ready to run.
#[derive(Debug)]
pub struct Controller {
    engine: Engine,
}

struct Engine {
    ctx: Context,
    options: Options,
    graph: Graph,
    queue: Queue,
    index: Index,
    registry: Registry,
    /// The newest tree of each source.
    trees: Arc<HashMap<SourceId, SourceTree>>,
    /// Units that a revision does not touch, and that revision.
    advance: HashMap<NodeId, String>,
    /// Who waits for whose plan.
    held: HashMap<NodeId, BTreeSet<NodeId>>,
    /// Runs that began while a dependency was not ready.
    unready: HashSet<NodeId>,
    /// Who waits for a dependency that is under way, without having said so yet.
    quiet: HashSet<NodeId>,
    failures: HashMap<NodeId, u32>,
    running: HashMap<NodeId, CancellationToken>,
    tasks: JoinSet<Outcome>,
    task_nodes: HashMap<tokio::task::Id, NodeId>,
    /// Kinds that were not listed yet; nothing runs before all were.
    unlisted: BTreeSet<Watched>,
    jitter: u64,
    /// Artifacts, and where they are to be served.
    endpoint: Option<(Arc<Store>, TcpListener)>,
}

impl Controller {
    /// Prepares everything that can fail before the first run.
    pub async fn new(
        cluster: Arc<dyn Cluster>,
        host: Arc<Host>,
        options: Options,
        clock: Clock,
        observer: Observer,
    ) -> Result<Self, ControllerError> {
        Ok(Self {
            engine: startup::engine(cluster, host, options, clock, observer).await?,
        })
    }

    /// Runs until stopped; with `once`, until nothing is left to do.
    pub async fn run(mut self, stop: CancellationToken) -> Result<Summary, ControllerError> {
        let (to, mut seen) = mpsc::channel(SEEN_CAPACITY);
        let watches = stop.child_token();
        let mut followers = JoinSet::new();
        for kind in Watched::all() {
            followers.spawn(watch::follow(
                self.engine.ctx.cluster.clone(),
                kind,
                self.engine.selection(kind),
                to.clone(),
                watches.clone(),
            ));
        }
        drop(to);
        if let Some((store, listener)) = self.engine.endpoint.take() {
            followers.spawn(weir_source::store::serve::serve(
                store,
                listener,
                watches.clone(),
            ));
        }
        let result = self.engine.work(&mut seen, &stop).await;
        watches.cancel();
        self.engine.stop().await;
        followers.shutdown().await;
        result.map(|()| self.engine.summary())
    }
}

impl Engine {
    async fn work(
        &mut self,
        seen: &mut mpsc::Receiver<Seen>,
        stop: &CancellationToken,
    ) -> Result<(), ControllerError> {
        loop {
            self.start_runs();
            if self.options.once && self.is_idle() && seen.is_empty() && !self.look_again().await? {
                return Ok(());
            }
            let alarm = self.queue.next_alarm().filter(|_| self.unlisted.is_empty());
            tokio::select! {
                Some(news) = seen.recv() => self.see(news).await?,
                Some(done) = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => self.finish(done).await,
                () = sleep_until(alarm) => {}
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.unlisted.is_empty() && self.tasks.is_empty() && self.queue.is_idle()
    }

    /// With nothing left to do, looks whether something came that no watch has told yet.
    async fn look_again(&mut self) -> Result<bool, ControllerError> {
        for id in std::mem::take(&mut self.quiet) {
            self.queue.push(id, Priority::Change);
        }
        for kind in Watched::all() {
            match self
                .ctx
                .cluster
                .list(&kind.gvk(), &self.selection(kind))
                .await
            {
                Ok(list) => self.see_all(kind, list.objects),
                Err(error) if kind.nothing_yet(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(!self.queue.is_idle())
    }

    async fn see(&mut self, news: Seen) -> Result<(), ControllerError> {
        match news {
            Seen::All(kind, objects) => {
                self.see_all(kind, objects);
                if self.unlisted.remove(&kind) && self.unlisted.is_empty() {
                    startup::prime(&self.ctx, &self.graph).await?;
                }
            }
            Seen::Set(object) => self.see_object(object),
            Seen::Deleted(object) => {
                if let Some(id) = NodeId::of(&object) {
                    self.forget(&id);
                } else if let Some(input) = InputId::of(&object) {
                    let named_by = self.graph.inputs.delete(&input);
                    self.inputs_changed(named_by);
                }
            }
        }
        Ok(())
    }

    fn see_all(&mut self, kind: Watched, objects: Vec<Object>) {
        let kind = match kind {
            Watched::Node(kind) => kind,
            Watched::Input(input) => {
                let changed = self.graph.inputs.set_all(input, &objects);
                // What was there before the first run is no change.
                if !self.unlisted.contains(&kind) {
                    self.inputs_changed(changed);
                }
                return;
            }
        };
        let there: HashSet<NodeId> = objects.iter().filter_map(NodeId::of).collect();
        let gone: Vec<NodeId> = self
            .graph
            .ids()
            .filter(|id| id.kind == kind && !there.contains(id))
            .cloned()
            .collect();
        gone.iter().for_each(|id| self.forget(id));
        objects
            .into_iter()
            .for_each(|object| self.see_object(object));
    }

    /// Whoever names an input may now find it as it needs it.
    fn inputs_changed(&mut self, named_by: impl IntoIterator<Item = NodeId>) {
        for id in named_by {
            self.failures.remove(&id);
            self.queue.push(id, Priority::Change);
        }
    }

    fn see_object(&mut self, object: Object) {
        if let Some(input) = InputId::of(&object) {
            let named_by = self.graph.inputs.set(input, object.resource_version());
            return self.inputs_changed(named_by);
        }
        let Some(id) = NodeId::of(&object).filter(|id| self.is_ours(id, &object)) else {
            return;
        };
        let priority = match self.graph.see(&id, object) {
            Change::Same => return,
            Change::Requested => Priority::Person,
            Change::New | Change::Changed => Priority::Change,
        };
        self.failures.remove(&id);
        if let Some(token) = self.running.get(&id) {
            token.cancel();
        }
        self.queue.push(id, priority);
    }

    fn selection(&self, kind: Watched) -> Selection {
        let only = self
            .options
            .only_namespace
            .clone()
            .filter(|_| kind != Watched::Node(NodeKind::Plugin));
        Selection {
            namespace: only.unwrap_or_default(),
            detail: kind.detail(),
            ..Selection::default()
        }
    }

    fn is_ours(&self, id: &NodeId, object: &Object) -> bool {
        let Some(only) = self.options.only_namespace.as_deref() else {
            return true;
        };
        let source = object
            .get("/spec/component/sourceRef/namespace")
            .and_then(serde_json::Value::as_str);
        id.kind != NodeKind::Plugin || source == Some(only)
    }

    fn forget(&mut self, id: &NodeId) {
        let named_by = self.graph.named_by(id);
        self.graph.remove(id);
        self.queue.remove(id);
        self.index.remove(&unit_id(id));
        self.advance.remove(id);
        self.failures.remove(id);
        self.quiet.remove(id);
        match id.kind {
            NodeKind::Plugin => self.registry.remove(&id.name.name),
            NodeKind::GitRepository
            | NodeKind::HelmRepository
            | NodeKind::HelmChart
            | NodeKind::OCIRepository
            | NodeKind::Bucket
            | NodeKind::ExternalArtifact => {
                let mut trees = (*self.trees).clone();
                trees.remove(&source_id(id));
                self.trees = Arc::new(trees);
            }
            NodeKind::Kustomization | NodeKind::Pipeline => {}
        }
        self.release(id);
        for other in named_by {
            self.queue.push(other, Priority::Change);
        }
    }

    fn start_runs(&mut self) {
        if !self.unlisted.is_empty() {
            return;
        }
        while self.tasks.len() < self.options.concurrency {
            let Some((id, priority)) = self.queue.next(Instant::now()) else {
                return;
            };
            match self.prepare(&id, priority) {
                Some(run) => {
                    self.running.insert(id.clone(), run.cancel.clone());
                    let ctx = self.ctx.clone();
                    let task = self
                        .tasks
                        .spawn(async move { reconcile::reconcile(&ctx, &run).await });
                    self.task_nodes.insert(task.id(), id);
                }
                None => self.queue.done(&id),
            }
        }
    }

    /// Everything a run needs; `None` if it has to wait for another node.
    fn prepare(&mut self, id: &NodeId, priority: Priority) -> Option<Run> {
        let advance = self
            .advance
            .remove(id)
            .filter(|_| priority == Priority::Advance);
        if let Gate::Held(parent) = self.graph.gate(id) {
            self.held.entry(parent).or_default().insert(id.clone());
            return None;
        }
        // What is going away, or does nothing, waits for nobody.
        let waits = self
            .graph
            .get(id)
            .is_some_and(|node| !node.object.deleting() && !node.suspended);
        let unready = self.graph.unready_dependency(id).filter(|_| waits);
        let under_way = |other: &NodeId| self.queue.is_busy(other) || self.quiet.contains(other);
        let waits_for_dependency = unready
            .as_ref()
            .is_some_and(|(dependency, _)| under_way(dependency));
        let waits_for_source = waits
            && self
                .treeless_source(id)
                .is_some_and(|source| under_way(&source));
        if advance.is_none()
            && (waits_for_dependency || waits_for_source)
            && self.quiet.insert(id.clone())
        {
            self.graph.state_mut(id)?.waiting = true;
            self.queue.push_at(id.clone(), Instant::now() + QUIET_WAIT);
            return None;
        }
        self.quiet.remove(id);
        let node = self.graph.get(id)?;
        if unready.is_some() {
            self.unready.insert(id.clone());
        }
        let cycle = unready.as_ref().and_then(|_| self.graph.cycle(id));
        Some(Run {
            id: id.clone(),
            object: node.object.clone(),
            typed: Typed::read(id.kind, &node.object)
                .map(Arc::new)
                .map_err(|error| error.to_string()),
            state: node.state.clone(),
            sources: self.trees.clone(),
            plugins: self.registry.all(),
            unready: unready.map(|(_, problem)| problem),
            cycle: cycle.map(|cycle| {
                cycle
                    .iter()
                    .map(|id| id.name.to_string())
                    .collect::<Vec<_>>()
                    .join(" -> ")
            }),
            advance,
            cancel: CancellationToken::new(),
        })
    }

    /// The source of a unit, if it has given no tree yet.
    fn treeless_source(&self, id: &NodeId) -> Option<NodeId> {
        let source = self.graph.get(id)?.sources.first()?;
        (!self.trees.contains_key(&source_id(source))).then(|| source.clone())
    }

    async fn finish(&mut self, done: Result<(tokio::task::Id, Outcome), tokio::task::JoinError>) {
        let (task, outcome) = match done {
            Ok((task, outcome)) => (task, Some(outcome)),
            Err(error) => (error.id(), None),
        };
        let Some(id) = self.task_nodes.remove(&task) else {
            return;
        };
        self.running.remove(&id);
        self.unready.remove(&id);
        let outcome = outcome.unwrap_or_else(|| {
            tracing::error!(node = %id, "a run crashed; this is a bug of weir");
            Outcome::new(
                State {
                    failed: true,
                    ..State::default()
                },
                Next::BackOff,
            )
        });
        let Outcome {
            state,
            next,
            object,
            dependencies,
            product,
        } = outcome;
        if let Some(object) = object {
            self.graph.update(&id, object);
        }
        if let Some(dependencies) = dependencies {
            self.index.set(&unit_id(&id), dependencies);
        }
        let moved = match self.graph.state_mut(&id) {
            Some(old) => {
                let moved = (old.ready, &old.revision, &old.decided)
                    != (state.ready, &state.revision, &state.decided)
                    || old.failed != state.failed;
                *old = state;
                moved
            }
            None => false,
        };
        match product {
            Product::Nothing => {}
            Product::Tree(tree) => self.take_tree(&id, tree).await,
            Product::Plugin(registered) => self.take_plugin(&id, registered),
        }
        self.schedule(&id, next);
        self.queue.done(&id);
        self.release(&id);
        if moved {
            self.wake_waiting(&id);
        }
    }

    fn schedule(&mut self, id: &NodeId, next: Next) {
        if next != Next::BackOff {
            self.failures.remove(id);
        }
        let now = Instant::now();
        match next {
            Next::Interval(interval) => {
                let when = now + self.jittered(interval);
                self.queue.push_at(id.clone(), when);
            }
            Next::Retry(pause) => self.queue.push_at(id.clone(), now + pause),
            Next::BackOff => {
                let failures = self.failures.entry(id.clone()).or_default();
                let pause = FIRST_BACK_OFF
                    .saturating_mul(1 << (*failures).min(16))
                    .min(LONGEST_BACK_OFF);
                *failures += 1;
                self.queue.push_at(id.clone(), now + pause);
            }
            Next::Change | Next::Gone => {}
        }
    }

    /// Spreads intervals by a twentieth in both directions.
    fn jittered(&mut self, interval: Duration) -> Duration {
        self.jitter = self
            .jitter
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let share = (self.jitter >> 33) as f64 / (1u64 << 31) as f64;
        interval.mul_f64(0.95 + share * 0.1)
    }

    /// Children whose parent has moved.
    fn release(&mut self, parent: &NodeId) {
        for child in self.held.remove(parent).unwrap_or_default() {
            self.queue.push(child, Priority::Change);
        }
    }

    /// Those that waited for this node and may now find it as they need it; also those whose run has begun without it and
    /// that will wait when it ends.
    fn wake_waiting(&mut self, id: &NodeId) {
        for other in self.graph.named_by(id) {
            let waiting = |node: &Node| node.state.waiting;
            if self.unready.contains(&other) || self.graph.get(&other).is_some_and(waiting) {
                self.queue.push(other, Priority::Change);
            }
        }
    }

    async fn stop(&mut self) {
        self.running.values().for_each(CancellationToken::cancel);
        while let Some(done) = self.tasks.join_next_with_id().await {
            self.finish(done).await;
        }
    }

    fn summary(&self) -> Summary {
        let mut nodes: Vec<&NodeId> = self.graph.ids().collect();
        nodes.sort();
        let mut summary = Summary::default();
        for id in nodes {
            let Some(node) = self.graph.get(id) else {
                continue;
            };
            if node.suspended {
                summary.suspended.push(id.clone());
            } else if node.is_ready() {
                summary.ready.push(id.clone());
            } else {
                summary
                    .not_ready
                    .push((id.clone(), ready_message(&node.object)));
            }
        }
        summary
    }
}

fn ready_message(object: &Object) -> String {
    let list = object
        .get("/status/conditions")
        .and_then(serde_json::Value::as_array);
    let ready = list
        .into_iter()
        .flatten()
        .find(|condition| condition.get("type").is_some_and(|kind| kind == "Ready"));
    ready
        .and_then(|ready| ready.get("message")?.as_str())
        .unwrap_or("it has not run yet")
        .to_owned()
}

fn unit_id(id: &NodeId) -> UnitId {
    UnitId {
        kind: id.kind.as_str().to_owned(),
        name: id.name.clone(),
    }
}

fn source_id(id: &NodeId) -> SourceId {
    SourceId::of(id.kind.as_str(), id.name.clone())
}

async fn sleep_until(when: Option<Instant>) {
    match when {
        Some(when) => tokio::time::sleep_until(when.into()).await,
        None => std::future::pending().await,
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
