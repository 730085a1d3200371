//! One function for each kind: what a run does, from top to bottom. Each gets plain data and gives plain data back; only the
//! engine changes the graph.

pub(crate) mod event;
pub(crate) mod plugin;
pub(crate) mod source;
pub(crate) mod unit;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use weir_api::Object;
use weir_apply::Live;
use weir_cluster::Cluster;
use weir_plugin::Host;
use weir_render::{Dependency, Registered, Renderer, SourceId, SourceTree};
use weir_secrets::cloud::Cloud;

use crate::clock::Clock;
use crate::fact::{Fact, Observer};
use crate::graph::State;
use crate::machine::Machine;
use crate::node::{NodeId, Typed};
use crate::remote::Remotes;

/// What all runs share.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) host: Arc<Host>,
    pub(crate) renderer: Arc<Renderer>,
    pub(crate) live: Arc<Live>,
    pub(crate) sources: Arc<source::Sources>,
    pub(crate) remotes: Arc<Remotes>,
    pub(crate) cloud: Cloud,
    pub(crate) machine: Machine,
    pub(crate) clock: Clock,
    pub(crate) observer: Observer,
    pub(crate) random_key: [u8; 32],
    /// Whether to write Kubernetes Events.
    pub(crate) events: bool,
    pub(crate) runtime: Handle,
}

/// What one run is for, as of its start.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) id: NodeId,
    pub(crate) object: Object,
    pub(crate) typed: Result<Arc<Typed>, String>,
    pub(crate) state: State,
    pub(crate) sources: Arc<HashMap<SourceId, SourceTree>>,
    pub(crate) plugins: Arc<HashMap<String, Registered>>,
    /// The first dependency that is not ready, in words.
    pub(crate) unready: Option<String>,
    /// The cycle of dependencies that the unit is in, in words.
    pub(crate) cycle: Option<String>,
    /// Only the reported revision moves on to this one: the new revision does not touch the unit.
    pub(crate) advance: Option<String>,
    pub(crate) cancel: CancellationToken,
}

/// What a run found out.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) state: State,
    pub(crate) next: Next,
    /// The object after the last write, for the next run to write on.
    pub(crate) object: Option<Object>,
    /// What a new render asked.
    pub(crate) dependencies: Option<BTreeSet<Dependency>>,
    pub(crate) product: Product,
}

/// When to run again without anything happening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// After the interval, give or take a twentieth of it.
    Interval(Duration),
    /// After exactly this time.
    Retry(Duration),
    /// After a time that grows with each failure in a row.
    BackOff,
    /// Only when something changes.
    Change,
    /// Never: the object is going away.
    Gone,
}

/// What a run made for others.
#[derive(Debug)]
pub(crate) enum Product {
    Nothing,
    Tree(SourceTree),
    Plugin(Registered),
}

impl Run {
    /// Whether a person asked for this run.
    pub(crate) fn requested(&self) -> bool {
        let requested = self.object.annotation(weir_api::names::REQUESTED_AT);
        requested.is_some() && requested != self.state.requested.as_deref()
    }
}

impl Context {
    pub(crate) fn tell(&self, fact: Fact) {
        fact.log();
        (self.observer)(&fact);
    }
}

impl Outcome {
    pub(crate) fn new(state: State, next: Next) -> Self {
        Self {
            state,
            next,
            object: None,
            dependencies: None,
            product: Product::Nothing,
        }
    }
}

/// Runs one node. Panics inside are caught by the engine, which owns the task.
pub(crate) fn reconcile<'a>(ctx: &'a Context, run: &'a Run) -> BoxFuture<'a, Outcome> {
    match run.id.kind {
        crate::NodeKind::GitRepository
        | crate::NodeKind::HelmRepository
        | crate::NodeKind::HelmChart
        | crate::NodeKind::OCIRepository
        | crate::NodeKind::Bucket
        | crate::NodeKind::ExternalArtifact => source::reconcile(ctx, run).boxed(),
        crate::NodeKind::Plugin => plugin::reconcile(ctx, run).boxed(),
        crate::NodeKind::Kustomization | crate::NodeKind::Pipeline => {
            unit::reconcile(ctx, run).boxed()
        }
    }
}
