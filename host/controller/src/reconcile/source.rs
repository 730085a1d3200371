//! What the reconcilers of all sources have in common: a source is found, its artifact is kept, its status says so.
//!
//! Each kind says how it is found ([`Found`]) or what went wrong ([`Problem`]); this module decides what becomes of the
//! conditions, the events and the next run, in the way of source-controller.

pub(crate) mod bucket;
mod cloud;
pub(crate) mod external_artifact;
pub(crate) mod git_repository;
pub(crate) mod helm_chart;
pub(crate) mod helm_repository;
mod keep;
pub(crate) mod oci_repository;
mod secret;
mod signature;

use std::time::Duration;

use serde_json::{Map, Value, json};
use weir_api::condition::{self, Condition, Status};
use weir_api::names::{self, conditions, reasons};
use weir_cluster::ClusterError;
use weir_render::SourceTree;
use weir_source::{Remedy, SourceError};

use crate::fact::Fact;
use crate::graph::State;
use crate::node::Typed;
use crate::reconcile::event::{self, Note};
use crate::reconcile::{Context, Next, Outcome, Product, Run};
use crate::status::StatusWriter;

pub(crate) use keep::{Artifact, Content, Sources};

/// Flux's default of `spec.timeout`.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Conditions that say that something is wrong.
const FAILURES: [&str; 5] = [
    conditions::FETCH_FAILED,
    conditions::BUILD_FAILED,
    conditions::STORAGE_OPERATION_FAILED,
    conditions::INCLUDE_UNAVAILABLE,
    conditions::ARTIFACT_OUTDATED,
];

/// What a run found.
pub(crate) struct Found {
    pub(crate) tree: SourceTree,
    /// `None`: somebody else keeps the artifact and its status.
    pub(crate) artifact: Option<Artifact>,
    /// Of the Ready condition.
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    /// For the event and the terminal.
    pub(crate) news: String,
    /// Whose signature it has, as the condition says it; `None`: nobody asked.
    pub(crate) verified: Option<String>,
    /// Further fields of the status; null takes one away.
    pub(crate) observed: Vec<(&'static str, Value)>,
}

/// Why there is nothing.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Beside Ready; Ready itself if no other says so.
    pub(crate) condition: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    pub(crate) next: Next,
    /// How far the run came, as the Reconciling condition says it.
    pub(crate) progress: Option<String>,
    /// Fields of the status that hold nevertheless.
    pub(crate) observed: Vec<(&'static str, Value)>,
}

impl Problem {
    /// Trying again may help.
    pub(crate) fn fetch(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            condition: conditions::FETCH_FAILED,
            reason,
            message: message.into(),
            next: Next::BackOff,
            progress: None,
            observed: Vec::new(),
        }
    }

    /// The same, but the run came so far.
    pub(crate) fn after(self, progress: String) -> Self {
        Self {
            progress: Some(progress),
            ..self
        }
    }

    /// Nothing but another spec helps.
    pub(crate) fn stalled(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            next: Next::Change,
            ..Self::fetch(reason, message)
        }
    }

    pub(crate) fn storage(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            condition: conditions::STORAGE_OPERATION_FAILED,
            ..Self::fetch(reason, message)
        }
    }

    /// What came of a fetch out of Git or a folder.
    pub(crate) fn of_source(error: &SourceError, message: String) -> Self {
        match error.remedy() {
            Remedy::Retry => Self::fetch(error.reason(), message),
            Remedy::Change => Self::stalled(error.reason(), message),
        }
    }

    /// An object that is to log in to a cloud as somebody else than weir. In Flux a switch that is off guards that.
    pub(crate) fn own_identity() -> Self {
        Self::stalled(
            reasons::FEATURE_GATE_DISABLED,
            "to use spec.serviceAccountName for provider authentication please enable the ObjectLevelWorkloadIdentity \
             feature gate in the controller; this version of weir does not have it: leave out spec.serviceAccountName to log \
             in with the controller's own identity",
        )
    }
}

/// One run, from top to bottom.
pub(crate) async fn reconcile(ctx: &Context, run: &Run) -> Outcome {
    let mut writer = StatusWriter::new(&*ctx.cluster, &run.id, run.object.clone());
    let secrets = ctx.sources.begin(&run.id);
    if let Some(url) = run.object.get("/spec/url").and_then(Value::as_str) {
        secret::learn_login(&secrets, url);
    }
    let mut outcome = match run.typed.as_deref() {
        Err(message) => {
            let problem = Problem::stalled(reasons::FAILED, message.clone());
            fail(ctx, run, &mut writer, problem).await
        }
        Ok(typed) if is_passive(typed) => passive(run, &mut writer).await,
        Ok(_) if run.object.deleting() => finalize(ctx, run, &mut writer).await,
        Ok(typed) if typed.suspended() => suspended(run, &mut writer).await,
        Ok(typed) => match find(ctx, run, &mut writer, typed).await {
            Ok(found) => succeed(ctx, run, &mut writer, typed, found).await,
            Err(problem) => fail(ctx, run, &mut writer, problem).await,
        },
    };
    outcome.state.requested = run
        .object
        .annotation(names::REQUESTED_AT)
        .map(str::to_owned);
    outcome.object = Some(writer.into_object());
    outcome
}

async fn find(
    ctx: &Context,
    run: &Run,
    writer: &mut StatusWriter<'_>,
    typed: &Typed,
) -> Result<Found, Problem> {
    if !matches!(typed, Typed::ExternalArtifact(_)) {
        writer
            .add_finalizer()
            .await
            .map_err(|error| Problem::fetch(reasons::FAILED, error.to_string()))?;
    }
    match typed {
        Typed::GitRepository(object) => git_repository::find(ctx, run, object).await,
        Typed::HelmRepository(object) => helm_repository::find(ctx, run, object).await,
        Typed::HelmChart(object) => helm_chart::find(ctx, run, object).await,
        Typed::OCIRepository(object) => oci_repository::find(ctx, run, object).await,
        Typed::Bucket(object) => bucket::find(ctx, run, object).await,
        Typed::ExternalArtifact(object) => external_artifact::find(ctx, run, object).await,
        Typed::Plugin(_) | Typed::Kustomization(_) | Typed::Pipeline(_) => Err(Problem::stalled(
            reasons::FAILED,
            "an object of this kind is no source",
        )),
    }
}

/// A HelmRepository of type `oci` is only an address that charts name.
fn is_passive(typed: &Typed) -> bool {
    let Typed::HelmRepository(object) = typed else {
        return false;
    };
    object.spec.kind == Some(weir_api::source::helm::HelmRepositoryType::Oci)
}

/// It has no finalizer and no status; what an older version left is removed.
async fn passive(run: &Run, writer: &mut StatusWriter<'_>) -> Outcome {
    let cleaned = match writer.remove_finalizer().await {
        Ok(_) if run.object.deleting() => Ok(false),
        Ok(_) => writer.write(&json!({})).await,
        Err(error) => Err(error),
    };
    match cleaned {
        Err(ClusterError::NotFound { .. }) => Outcome::new(State::default(), Next::Gone),
        Err(error) => {
            tracing::warn!(source = %run.id, error = %error, "leftovers could not be removed");
            Outcome::new(run.state.clone(), Next::BackOff)
        }
        Ok(_) => {
            let state = State {
                ready: true,
                generation: run.object.generation(),
                ..State::default()
            };
            Outcome::new(state, Next::Change)
        }
    }
}

/// Nothing is done, but a request counts as seen. As in Flux, an object that was never looked at is not looked at now.
async fn suspended(run: &Run, writer: &mut StatusWriter<'_>) -> Outcome {
    match writer.add_finalizer().await {
        Ok(_) => {}
        Err(ClusterError::NotFound { .. }) => return Outcome::new(State::default(), Next::Gone),
        Err(error) => {
            tracing::warn!(source = %run.id, error = %error, "the finalizer could not be added");
            return Outcome::new(run.state.clone(), Next::BackOff);
        }
    }
    let mut status = status_of(run);
    if status.contains_key("conditions") {
        let generation = run.object.generation();
        status.insert("observedGeneration".to_owned(), generation.into());
    }
    let next = write(run, writer, status).await;
    Outcome::new(run.state.clone(), next.unwrap_or(Next::Change))
}

async fn succeed(
    ctx: &Context,
    run: &Run,
    writer: &mut StatusWriter<'_>,
    typed: &Typed,
    found: Found,
) -> Outcome {
    let revision = found.tree.revision.clone();
    let mut next = None;
    if let Some(artifact) = &found.artifact {
        let mut status = status_of(run);
        let mut list = conditions_of(&status);
        let recovered = FAILURES
            .iter()
            .any(|kind| condition::find(&list, kind).is_some())
            || doubted(&list);
        for kind in FAILURES
            .into_iter()
            .chain([conditions::RECONCILING, conditions::STALLED])
        {
            condition::remove(&mut list, kind);
        }
        for kind in [conditions::READY, conditions::ARTIFACT_IN_STORAGE] {
            let (reason, message) = (found.reason, found.message.as_str());
            set(ctx, run, &mut list, kind, Status::True, reason, message);
        }
        let mut verified = None;
        match &found.verified {
            Some(message) => {
                let kind = conditions::SOURCE_VERIFIED;
                let before = condition::find(&list, kind).map(|before| before.message.clone());
                verified = (before.as_deref() != Some(message)).then_some(message);
                let reason = reasons::SUCCEEDED;
                set(ctx, run, &mut list, kind, Status::True, reason, message);
            }
            None => condition::remove(&mut list, conditions::SOURCE_VERIFIED),
        }
        put_conditions(&mut status, &list);
        let moved = artifact.put(ctx, &mut status);
        for (field, value) in &found.observed {
            if value.is_null() {
                status.shift_remove(*field);
            } else {
                status.insert((*field).to_owned(), value.clone());
            }
        }
        let generation = run.object.generation();
        status.insert("observedGeneration".to_owned(), generation.into());
        next = write(run, writer, status).await;
        if let Some(message) = verified {
            let note = Note {
                warning: false,
                reason: reasons::SUCCEEDED,
                message,
                revision: Some(&revision),
            };
            event::emit(ctx, &run.id, writer.object(), note).await;
        }
        if moved || recovered {
            let of_chart = found.reason != reasons::SUCCEEDED;
            let note = Note {
                warning: false,
                reason: match (of_chart, moved) {
                    (true, _) => found.reason,
                    (false, true) => reasons::NEW_ARTIFACT,
                    (false, false) => reasons::SUCCEEDED,
                },
                message: &found.news,
                revision: Some(&revision),
            };
            event::emit(ctx, &run.id, writer.object(), note).await;
        }
    }
    let known = run.state.revision.as_deref() == Some(revision.as_str());
    ctx.tell(if known {
        Fact::Unmoved {
            source: run.id.clone(),
            revision: revision.clone(),
        }
    } else {
        Fact::Fetched {
            source: run.id.clone(),
            revision: revision.clone(),
            message: found.news,
        }
    });
    let state = State {
        ready: true,
        generation: run.object.generation(),
        revision: Some(revision),
        ..State::default()
    };
    let next = next.unwrap_or(match typed.interval() {
        Some(interval) => Next::Interval(interval.max(Duration::from_secs(1))),
        None => Next::Change,
    });
    let mut outcome = Outcome::new(state, next);
    outcome.product = Product::Tree(found.tree);
    outcome
}

/// What was fetched before stays in use.
async fn fail(
    ctx: &Context,
    run: &Run,
    writer: &mut StatusWriter<'_>,
    problem: Problem,
) -> Outcome {
    let Problem {
        condition: kind,
        reason,
        message,
        next,
        progress,
        observed,
    } = problem;
    // A server may say back what it was sent.
    let message = ctx.sources.secrets(&run.id).mask(&message).into_owned();
    let state = State {
        ready: false,
        generation: run.object.generation(),
        failed: true,
        ..run.state.clone()
    };
    if run.cancel.is_cancelled() {
        return Outcome::new(state, Next::Change);
    }
    let mut status = status_of(run);
    let doing = doing(run, &status, progress);
    for (field, value) in observed {
        status.insert(field.to_owned(), value);
    }
    let mut list = conditions_of(&status);
    for old in FAILURES.into_iter().filter(|old| *old != kind) {
        condition::remove(&mut list, old);
    }
    set(
        ctx,
        run,
        &mut list,
        conditions::READY,
        Status::False,
        reason,
        &message,
    );
    // What is verified is so until something else is found.
    if doubted(&list) {
        condition::remove(&mut list, conditions::SOURCE_VERIFIED);
    }
    let value = if kind == conditions::SOURCE_VERIFIED {
        Status::False
    } else {
        Status::True
    };
    if kind != conditions::READY {
        set(ctx, run, &mut list, kind, value, reason, &message);
    }
    if next == Next::Change {
        condition::remove(&mut list, conditions::RECONCILING);
        let stalled = conditions::STALLED;
        set(ctx, run, &mut list, stalled, Status::True, reason, &message);
        let generation = run.object.generation();
        status.insert("observedGeneration".to_owned(), generation.into());
    } else {
        condition::remove(&mut list, conditions::STALLED);
        set(
            ctx,
            run,
            &mut list,
            conditions::RECONCILING,
            Status::True,
            reasons::PROGRESSING_WITH_RETRY,
            &doing,
        );
    }
    put_conditions(&mut status, &list);
    let next = if matches!(run.typed.as_deref(), Ok(Typed::ExternalArtifact(_))) {
        next
    } else {
        write(run, writer, status).await.unwrap_or(next)
    };
    let note = Note {
        warning: true,
        reason,
        message: &message,
        revision: None,
    };
    event::emit(ctx, &run.id, writer.object(), note).await;
    ctx.tell(Fact::Failed {
        node: run.id.clone(),
        reason,
        message,
    });
    Outcome::new(state, next)
}

/// What is tried again, as source-controller says it.
fn doing(run: &Run, status: &Map<String, Value>, progress: Option<String>) -> String {
    if let Some(progress) = progress {
        return format!("building artifact: {progress}");
    }
    if !status.contains_key("artifact") {
        return "building artifact".to_owned();
    }
    let generation = run.object.generation();
    let seen = status.get("observedGeneration").and_then(Value::as_i64);
    match seen {
        Some(seen) if seen != generation => {
            format!("processing object: new generation {seen} -> {generation}")
        }
        Some(_) | None => "reconciliation in progress".to_owned(),
    }
}

async fn finalize(ctx: &Context, run: &Run, writer: &mut StatusWriter<'_>) -> Outcome {
    ctx.sources.forget(&run.id).await;
    match writer.remove_finalizer().await {
        Ok(_) | Err(ClusterError::NotFound { .. }) => Outcome::new(State::default(), Next::Gone),
        Err(error) => {
            tracing::warn!(source = %run.id, error = %error, "the finalizer could not be removed");
            Outcome::new(run.state.clone(), Next::BackOff)
        }
    }
}

fn status_of(run: &Run) -> Map<String, Value> {
    let status = run.object.get("/status").and_then(Value::as_object);
    status.cloned().unwrap_or_default()
}

fn conditions_of(status: &Map<String, Value>) -> Vec<Condition> {
    let list = status.get("conditions").cloned().unwrap_or_default();
    serde_json::from_value(list).unwrap_or_default()
}

/// Whether the last verification failed.
fn doubted(list: &[Condition]) -> bool {
    condition::find(list, conditions::SOURCE_VERIFIED)
        .is_some_and(|condition| condition.status == Status::False)
}

fn put_conditions(status: &mut Map<String, Value>, list: &[Condition]) {
    let value = serde_json::to_value(list).expect("conditions are JSON");
    status.insert("conditions".to_owned(), value);
}

fn set(
    ctx: &Context,
    run: &Run,
    list: &mut Vec<Condition>,
    kind: &str,
    value: Status,
    reason: &str,
    message: &str,
) {
    let generation = run.object.generation();
    let now = ctx.clock.now();
    condition::set(list, generation, now, kind, value, reason, message);
}

/// A status that cannot be written is a reason to come back soon.
async fn write(
    run: &Run,
    writer: &mut StatusWriter<'_>,
    mut status: Map<String, Value>,
) -> Option<Next> {
    if let Some(requested) = run.object.annotation(names::REQUESTED_AT) {
        status.insert("lastHandledReconcileAt".to_owned(), requested.into());
    }
    match writer.write(&Value::Object(status)).await {
        Ok(_) => None,
        Err(ClusterError::NotFound { .. }) => Some(Next::Gone),
        Err(error) => {
            tracing::warn!(source = %run.id, error = %error, "the status could not be written");
            Some(Next::BackOff)
        }
    }
}

/// A time-out of a spec.
fn timeout(timeout: Option<&weir_api::GoDuration>) -> Result<Duration, Problem> {
    timeout
        .map_or(Ok(TIMEOUT), weir_api::GoDuration::parse)
        .map_err(|error| Problem::stalled(reasons::FAILED, format!("spec.timeout: {error}")))
}

/// Work that is given up after a time, or when a newer spec comes.
async fn limited<T>(
    run: &Run,
    limit: Duration,
    what: &str,
    work: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    tokio::select! {
        biased;
        () = run.cancel.cancelled() => Err(Problem::fetch(reasons::FAILED, "cancelled")),
        () = tokio::time::sleep(limit) => Err(Problem::fetch(
            reasons::FAILED,
            format!("{what} took longer than {} s", limit.as_secs_f64()),
        )),
        done = work => done,
    }
}
