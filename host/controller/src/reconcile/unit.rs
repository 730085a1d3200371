//! Reconciles a unit: Kustomization or Pipeline.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use weir_api::condition::{self, Status};
use weir_api::inventory::Inventory;
use weir_api::kustomize::{DeletionPolicy, HistoryEntry, KustomizationStatus};
use weir_api::names::{conditions, reasons};
use weir_api::{ObjectKey, duration, names};
use weir_apply::{
    Action, Applied, ApplyError, ApplyFailure, Change, HealthRequest, Journal, Request, apply,
    prepare, prune, wait_until_healthy,
};
use weir_cluster::ClusterError;
use weir_render::{Recipe, RenderError, Rendered};

use crate::decryption;
use crate::fact::Fact;
use crate::graph::State;
use crate::reconcile::event::{self, Note};
use crate::reconcile::{Context, Next, Outcome, Run};
use crate::status::StatusWriter;
use crate::unit::Unit;
use crate::world::{ControllerWorld, Served};

/// Flux keeps as many entries.
const HISTORY: usize = 5;

/// Why a run ended early, and what becomes of it.
struct Stop {
    reason: &'static str,
    message: String,
    then: Then,
    /// What the unit owns, where the run changed it.
    inventory: Option<Inventory>,
    /// The digest of the bundle, once there is one.
    digest: Option<String>,
}

/// What follows a run that ended early.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Try again after the retry interval.
    Retry,
    /// Wait for the dependency, the source or the plugin to change.
    Wait,
    /// Nothing helps but another spec.
    Stall,
    /// A newer spec or revision took over: say nothing.
    Drop,
}

/// What a run has, to work with.
struct Work<'a> {
    ctx: &'a Context,
    run: &'a Run,
    unit: Unit,
    started: Instant,
}

/// One run, from top to bottom.
pub(crate) async fn reconcile(ctx: &Context, run: &Run) -> Outcome {
    let mut writer = StatusWriter::new(&*ctx.cluster, &run.id, run.object.clone());
    let mut outcome = match work(ctx, run) {
        Ok(work) if run.object.deleting() => work.finalize(&mut writer).await,
        Ok(work) if work.unit.suspended => work.suspended(),
        Ok(work) if run.advance.is_some() => work.advance(&mut writer).await,
        Ok(work) => match work.reach_goal(&mut writer).await {
            Ok(done) => work.succeed(&mut writer, done).await,
            Err(stop) => work.fail(&mut writer, stop).await,
        },
        Err(message) => unreadable(ctx, run, &mut writer, message).await,
    };
    outcome.object = Some(writer.into_object());
    outcome
}

fn work<'a>(ctx: &'a Context, run: &'a Run) -> Result<Work<'a>, String> {
    let typed = run.typed.as_ref().map_err(Clone::clone)?;
    let unit = Unit::of(&run.id, typed)
        .expect("the engine brings units here")
        .map_err(|error| error.to_string())?;
    Ok(Work {
        ctx,
        run,
        unit,
        started: Instant::now(),
    })
}

/// What a successful run has to report.
struct Done {
    revision: String,
    digest: String,
    rendered: Rendered,
    applied: Applied,
    healthy: Option<Duration>,
}

impl Work<'_> {
    async fn reach_goal(&self, writer: &mut StatusWriter<'_>) -> Result<Done, Stop> {
        writer
            .add_finalizer()
            .await
            .map_err(|error| unreachable_cluster(&error))?;
        let recipe = self.recipe()?;
        let revision = self.source_revision(recipe)?;
        self.check_dependencies()?;
        let rendered = self.render(recipe.clone()).await?;
        let applied = self.apply(writer, &revision, &rendered).await?;
        let digest = rendered.bundle.digest.expect("the renderer keeps runs");
        let digest = digest.to_string();
        let healthy = self.check_health(&applied, &digest).await?;
        Ok(Done {
            revision,
            digest,
            rendered,
            applied,
            healthy,
        })
    }

    fn recipe(&self) -> Result<&Recipe, Stop> {
        self.unit.recipe.as_ref().map_err(|error| {
            let reason = match error {
                weir_render::LowerError::Unsupported { .. } => reasons::UNSUPPORTED_FIELD,
                weir_render::LowerError::Invalid { .. } => reasons::BUILD_FAILED,
            };
            Stop::new(reason, error.to_string(), Then::Stall)
        })
    }

    fn source_revision(&self, recipe: &Recipe) -> Result<String, Stop> {
        let source = self.run.sources.get(&recipe.source);
        source.map(|source| source.revision.clone()).ok_or_else(|| {
            let message = format!(
                "Source artifact not found: {} has no revision yet",
                recipe.source
            );
            Stop::new(reasons::ARTIFACT_FAILED, message, Then::Wait)
        })
    }

    fn check_dependencies(&self) -> Result<(), Stop> {
        if let Some(cycle) = &self.run.cycle {
            let message =
                format!("dependsOn leads in a circle: {cycle}; remove one of these dependencies");
            return Err(Stop::new(reasons::DEPENDENCY_CYCLE, message, Then::Wait));
        }
        match &self.run.unready {
            Some(message) => Err(Stop::new(
                reasons::DEPENDENCY_NOT_READY,
                message.clone(),
                Then::Wait,
            )),
            None => Ok(()),
        }
    }

    async fn render(&self, recipe: Recipe) -> Result<Rendered, Stop> {
        let started = Instant::now();
        let discovery = self
            .ctx
            .cluster
            .discover(false)
            .await
            .map_err(|error| unreachable_cluster(&error))?;
        let (cluster, secret) = (&*self.ctx.cluster, self.unit.decryption.as_ref());
        let keyring = decryption::keyring(cluster, secret, &self.ctx.cloud)
            .await
            .map_err(|error| Stop::new(reasons::BUILD_FAILED, error.to_string(), Then::Retry))?;
        let world = ControllerWorld {
            sources: self.run.sources.clone(),
            plugins: self.run.plugins.clone(),
            cluster: self.ctx.cluster.clone(),
            served: Arc::new(Served::of(&discovery)),
            random_key: self.ctx.random_key,
            keyring: Arc::new(keyring),
            runtime: self.ctx.runtime.clone(),
            remotes: Arc::new(self.ctx.remotes.of_run(
                self.ctx.runtime.clone(),
                self.run.cancel.clone(),
                self.unit.interval,
                self.run.requested(),
            )),
        };
        let (renderer, cancel) = (self.ctx.renderer.clone(), self.run.cancel.clone());
        let rendered =
            tokio::task::spawn_blocking(move || renderer.render(&recipe, &world, &cancel))
                .await
                .map_err(|error| {
                    Stop::new(
                        reasons::BUILD_FAILED,
                        format!("rendering crashed: {error}"),
                        Then::Retry,
                    )
                })?;
        let rendered = rendered.map_err(|error| match error {
            RenderError::Cancelled => {
                Stop::new(reasons::BUILD_FAILED, error.to_string(), Then::Drop)
            }
            RenderError::Plugin { .. } => {
                Stop::new(reasons::BUILD_FAILED, error.to_string(), Then::Wait)
            }
            RenderError::Source { .. } => {
                Stop::new(reasons::ARTIFACT_FAILED, error.to_string(), Then::Wait)
            }
            RenderError::NoRole { .. } | RenderError::Call { .. } | RenderError::Twice { .. } => {
                Stop::new(reasons::BUILD_FAILED, error.to_string(), Then::Retry)
            }
        })?;
        self.ctx.tell(Fact::Rendered {
            unit: self.run.id.clone(),
            objects: rendered.bundle.documents.len(),
            steps: rendered.steps.clone(),
            took: started.elapsed(),
        });
        Ok(rendered)
    }

    async fn apply(
        &self,
        writer: &mut StatusWriter<'_>,
        revision: &str,
        rendered: &Rendered,
    ) -> Result<Applied, Stop> {
        let documents = rendered
            .bundle
            .documents
            .iter()
            .map(weir_plugin::Document::to_value);
        let objects = prepare(documents, &self.unit.owner)
            .map_err(|error| Stop::new(reasons::BUILD_FAILED, error.to_string(), Then::Retry))?;
        if let Some(message) = decryption::still_encrypted(&objects) {
            let reason = reasons::RECONCILIATION_FAILED;
            return Err(Stop::new(reason, message, Then::Retry));
        }
        let inventory = self.unit.inventory();
        let request = Request {
            owner: &self.unit.owner,
            objects,
            inventory: &inventory,
            prune: self.unit.prune,
            force: self.unit.force,
        };
        let journal = StatusJournal {
            work: self,
            revision,
            writer: tokio::sync::Mutex::new(writer),
        };
        let applied = apply(
            &*self.ctx.cluster,
            &self.ctx.live,
            request,
            &journal,
            &self.run.cancel,
        )
        .await;
        applied.map_err(|failure| {
            let mut stop = apply_stop(&failure);
            stop.digest = rendered.bundle.digest.map(|digest| digest.to_string());
            stop.inventory = Some(failure.inventory);
            stop
        })
    }

    async fn check_health(
        &self,
        applied: &Applied,
        digest: &str,
    ) -> Result<Option<Duration>, Stop> {
        let own = self.run.id.key();
        let objects: Vec<ObjectKey> = if self.unit.wait {
            let deleted =
                |change: &&Change| !matches!(change.action, Action::Deleted | Action::Skipped);
            applied
                .changes
                .iter()
                .filter(deleted)
                .map(|change| change.key.clone())
                .filter(|key| *key != own)
                .collect()
        } else {
            self.unit
                .health_checks
                .iter()
                .filter(|key| **key != own)
                .cloned()
                .collect()
        };
        if objects.is_empty() {
            return Ok(None);
        }
        let started = Instant::now();
        let request = HealthRequest {
            objects,
            timeout: self.unit.timeout,
        };
        match wait_until_healthy(&*self.ctx.cluster, &request, &self.run.cancel).await {
            Ok(()) => Ok(Some(started.elapsed())),
            Err(weir_apply::HealthError::Cancelled) => Err(Stop::new(
                reasons::HEALTH_CHECK_FAILED,
                "cancelled".into(),
                Then::Drop,
            )),
            Err(error) => {
                let message = format!(
                    "health check failed after {}: {error}",
                    duration::show(started.elapsed())
                );
                let mut stop = Stop::new(reasons::HEALTH_CHECK_FAILED, message, Then::Retry);
                stop.inventory = Some(applied.inventory.clone());
                stop.digest = Some(digest.to_owned());
                Err(stop)
            }
        }
    }

    async fn succeed(&self, writer: &mut StatusWriter<'_>, done: Done) -> Outcome {
        let generation = self.run.object.generation();
        let mut status = self.unit.status.clone();
        self.set_ready(&mut status, &done.revision);
        match done.healthy {
            Some(took) => {
                let old = condition::find(&status.conditions, conditions::HEALTHY);
                if old.is_none_or(|old| {
                    old.status != Status::True || old.observed_generation != Some(generation)
                }) {
                    let message = format!("Health check passed in {}", duration::show(took));
                    self.set(
                        &mut status,
                        conditions::HEALTHY,
                        Status::True,
                        reasons::SUCCEEDED,
                        &message,
                    );
                }
            }
            None => condition::remove(&mut status.conditions, conditions::HEALTHY),
        }
        status.inventory = Some(done.applied.inventory.clone());
        let changed: Vec<Change> = done.applied.changed().cloned().collect();
        let moved = self.unit.status.last_applied_revision.as_deref() != Some(&done.revision);
        if moved || !changed.is_empty() || status.history.is_empty() {
            self.add_history(
                &mut status,
                &done.digest,
                &done.revision,
                reasons::RECONCILIATION_SUCCEEDED,
            );
        }
        let written = self.write(writer, &status).await;
        let message = change_log(&changed);
        let note = Note {
            warning: false,
            reason: reasons::RECONCILIATION_SUCCEEDED,
            message: &message,
            revision: Some(&done.revision),
        };
        event::emit(self.ctx, &self.run.id, writer.object(), note).await;
        self.ctx.tell(Fact::Applied {
            unit: self.run.id.clone(),
            revision: done.revision.clone(),
            changes: done.applied.changes,
            took: self.started.elapsed(),
        });
        let state = State {
            ready: true,
            generation,
            revision: Some(done.revision.clone()),
            decided: Some(done.revision),
            requested: self.requested(),
            waiting: false,
            failed: false,
        };
        let mut outcome =
            Outcome::new(state, written.unwrap_or(Next::Interval(self.unit.interval)));
        outcome.dependencies = Some(done.rendered.dependencies);
        outcome
    }

    async fn fail(&self, writer: &mut StatusWriter<'_>, stop: Stop) -> Outcome {
        let revision = self
            .unit
            .recipe
            .as_ref()
            .ok()
            .and_then(|recipe| self.run.sources.get(&recipe.source));
        let revision = revision.map(|source| source.revision.clone());
        let state = State {
            ready: false,
            generation: self.run.object.generation(),
            revision: self.run.state.revision.clone(),
            decided: revision.clone(),
            requested: self.requested(),
            waiting: stop.then == Then::Wait,
            failed: true,
        };
        if stop.then == Then::Drop {
            return Outcome::new(self.run.state.clone(), Next::Change);
        }
        let mut status = self.unit.status.clone();
        self.set(
            &mut status,
            conditions::READY,
            Status::False,
            stop.reason,
            &stop.message,
        );
        match stop.then {
            Then::Stall => {
                condition::remove(&mut status.conditions, conditions::RECONCILING);
                self.set(
                    &mut status,
                    conditions::STALLED,
                    Status::True,
                    stop.reason,
                    &stop.message,
                );
                status.observed_generation = Some(self.run.object.generation());
            }
            Then::Retry => {
                condition::remove(&mut status.conditions, conditions::STALLED);
                let message = match &revision {
                    Some(revision) => self.progress("Building manifests", revision),
                    None => "Waiting for the source".to_owned(),
                };
                self.set(
                    &mut status,
                    conditions::RECONCILING,
                    Status::True,
                    reasons::PROGRESSING_WITH_RETRY,
                    &message,
                );
            }
            Then::Wait | Then::Drop => {
                condition::remove(&mut status.conditions, conditions::STALLED)
            }
        }
        if stop.reason == reasons::HEALTH_CHECK_FAILED {
            self.set(
                &mut status,
                conditions::HEALTHY,
                Status::False,
                stop.reason,
                &stop.message,
            );
        }
        status.last_handled_reconcile_at = self.requested();
        if stop.then == Then::Retry && revision.is_some() {
            status.last_attempted_revision.clone_from(&revision);
        }
        if let Some(inventory) = stop.inventory {
            status.inventory = Some(inventory);
        }
        if let (Some(digest), Some(revision)) = (&stop.digest, &revision) {
            self.add_history(&mut status, digest, revision, stop.reason);
        }
        let written = self.write(writer, &status).await;
        if stop.then != Then::Wait {
            let note = Note {
                warning: true,
                reason: stop.reason,
                message: &stop.message,
                revision: revision.as_deref(),
            };
            event::emit(self.ctx, &self.run.id, writer.object(), note).await;
        }
        self.ctx.tell(match stop.reason {
            reasons::DEPENDENCY_NOT_READY => Fact::Waiting {
                unit: self.run.id.clone(),
                message: stop.message,
            },
            reason => Fact::Failed {
                node: self.run.id.clone(),
                reason,
                message: stop.message,
            },
        });
        let next = match stop.then {
            Then::Retry => Next::Retry(self.unit.retry),
            Then::Wait => Next::Interval(self.unit.interval),
            Then::Stall | Then::Drop => Next::Change,
        };
        Outcome::new(state, written.unwrap_or(next))
    }

    /// The new revision does not touch the unit: only what it reports moves on.
    async fn advance(&self, writer: &mut StatusWriter<'_>) -> Outcome {
        let revision = self.run.advance.clone().unwrap_or_default();
        let mut status = self.unit.status.clone();
        self.set_ready(&mut status, &revision);
        let written = self.write(writer, &status).await;
        Outcome::new(
            self.run.state.clone(),
            written.unwrap_or(Next::Interval(self.unit.interval)),
        )
    }

    /// A suspended unit does nothing; those that depend on it go by what it last reported.
    fn suspended(&self) -> Outcome {
        let status = &self.unit.status;
        let state = State {
            ready: condition::ready(&status.conditions),
            generation: self.run.object.generation(),
            revision: status.last_applied_revision.clone(),
            ..State::default()
        };
        Outcome::new(state, Next::Change)
    }

    /// The object is being deleted: deletes what it applied, unless it says otherwise, then lets it go.
    async fn finalize(&self, writer: &mut StatusWriter<'_>) -> Outcome {
        let delete = match self.unit.deletion {
            DeletionPolicy::MirrorPrune => self.unit.prune,
            DeletionPolicy::Delete | DeletionPolicy::WaitForTermination => true,
            DeletionPolicy::Orphan => false,
        };
        if delete && !self.unit.suspended {
            let entries = self.unit.inventory().entries;
            let pruned = prune::prune(
                &*self.ctx.cluster,
                &self.unit.owner,
                &entries,
                &self.run.cancel,
            )
            .await;
            if !pruned.errors.is_empty() || self.run.cancel.is_cancelled() {
                let message = format!(
                    "pruning for deleted resource failed: {}",
                    pruned.errors.join(";")
                );
                let reason = reasons::PRUNE_FAILED;
                self.ctx.tell(Fact::Failed {
                    node: self.run.id.clone(),
                    reason,
                    message,
                });
                return Outcome::new(self.run.state.clone(), Next::BackOff);
            }
            self.ctx.tell(Fact::Deleted {
                unit: self.run.id.clone(),
                changes: pruned.changes,
            });
        }
        match writer.remove_finalizer().await {
            Ok(_) | Err(ClusterError::NotFound { .. }) => {
                Outcome::new(State::default(), Next::Gone)
            }
            Err(error) => {
                tracing::warn!(unit = %self.run.id, error = %error, "the finalizer could not be removed");
                Outcome::new(self.run.state.clone(), Next::BackOff)
            }
        }
    }

    fn set_ready(&self, status: &mut KustomizationStatus, revision: &str) {
        condition::remove(&mut status.conditions, conditions::RECONCILING);
        condition::remove(&mut status.conditions, conditions::STALLED);
        let message = format!("Applied revision: {revision}");
        self.set(
            status,
            conditions::READY,
            Status::True,
            reasons::RECONCILIATION_SUCCEEDED,
            &message,
        );
        status.last_applied_revision = Some(revision.to_owned());
        status.last_attempted_revision = Some(revision.to_owned());
        status.observed_generation = Some(self.run.object.generation());
        status.last_handled_reconcile_at = self.requested();
    }

    fn set(
        &self,
        status: &mut KustomizationStatus,
        kind: &str,
        value: Status,
        reason: &str,
        message: &str,
    ) {
        let generation = self.run.object.generation();
        condition::set(
            &mut status.conditions,
            generation,
            self.ctx.clock.now(),
            kind,
            value,
            reason,
            message,
        );
    }

    fn add_history(
        &self,
        status: &mut KustomizationStatus,
        digest: &str,
        revision: &str,
        result: &str,
    ) {
        let now = condition::show_time(self.ctx.clock.now());
        let same =
            |entry: &HistoryEntry| entry.digest == digest && entry.last_reconciled_status == result;
        let old = status
            .history
            .iter()
            .position(same)
            .map(|at| status.history.remove(at));
        let (first, total) = old.map_or((now.clone(), 0), |old| {
            (old.first_reconciled, old.total_reconciliations)
        });
        let entry = HistoryEntry {
            digest: digest.to_owned(),
            first_reconciled: first,
            last_reconciled: now,
            last_reconciled_duration: duration::show(self.started.elapsed()),
            last_reconciled_status: result.to_owned(),
            total_reconciliations: total + 1,
            metadata: [("revision".to_owned(), revision.to_owned())].into(),
        };
        status.history.insert(0, entry);
        status.history.truncate(HISTORY);
    }

    fn progress(&self, doing: &str, revision: &str) -> String {
        format!(
            "{doing} for revision {revision} with a timeout of {}",
            duration::show(self.unit.timeout)
        )
    }

    fn requested(&self) -> Option<String> {
        let requested = self
            .run
            .object
            .annotation(names::REQUESTED_AT)
            .map(str::to_owned);
        requested.or_else(|| self.unit.status.last_handled_reconcile_at.clone())
    }

    /// A status that cannot be written is a reason to come back soon.
    async fn write(
        &self,
        writer: &mut StatusWriter<'_>,
        status: &KustomizationStatus,
    ) -> Option<Next> {
        let value = serde_json::to_value(status).expect("a status is JSON");
        match writer.write(&value).await {
            Ok(_) => None,
            Err(ClusterError::NotFound { .. }) => Some(Next::Gone),
            Err(error) => {
                tracing::warn!(unit = %self.run.id, error = %error, "the status could not be written");
                Some(Next::BackOff)
            }
        }
    }
}

/// Records the union of inventories in the status, with the progress so far.
struct StatusJournal<'a, 'w, 'o> {
    work: &'a Work<'a>,
    revision: &'a str,
    writer: tokio::sync::Mutex<&'w mut StatusWriter<'o>>,
}

#[async_trait]
impl Journal for StatusJournal<'_, '_, '_> {
    async fn record(&self, inventory: &Inventory) -> Result<(), ClusterError> {
        let mut status = self.work.unit.status.clone();
        let message = self.work.progress("Detecting drift", self.revision);
        self.work.set(
            &mut status,
            conditions::READY,
            Status::Unknown,
            reasons::PROGRESSING,
            "Reconciliation in progress",
        );
        self.work.set(
            &mut status,
            conditions::RECONCILING,
            Status::True,
            reasons::PROGRESSING,
            &message,
        );
        status.last_attempted_revision = Some(self.revision.to_owned());
        status.inventory = Some(inventory.clone());
        let value = serde_json::to_value(&status).expect("a status is JSON");
        self.writer.lock().await.write(&value).await.map(|_| ())
    }
}

impl Stop {
    fn new(reason: &'static str, message: String, then: Then) -> Self {
        Self {
            reason,
            message,
            then,
            inventory: None,
            digest: None,
        }
    }
}

fn unreachable_cluster(error: &ClusterError) -> Stop {
    Stop::new(
        reasons::RECONCILIATION_FAILED,
        error.to_string(),
        Then::Retry,
    )
}

fn apply_stop(failure: &ApplyFailure) -> Stop {
    let (reason, then) = match &failure.error {
        ApplyError::Cancelled => (reasons::RECONCILIATION_FAILED, Then::Drop),
        ApplyError::Prune(_) => (reasons::PRUNE_FAILED, Then::Retry),
        ApplyError::DryRun { .. }
        | ApplyError::Apply { .. }
        | ApplyError::Recreate { .. }
        | ApplyError::Journal(_)
        | ApplyError::Discovery(_)
        | ApplyError::NotSettled(_) => (reasons::RECONCILIATION_FAILED, Then::Retry),
    };
    let log = change_log(&failure.changes);
    let message = if log.is_empty() {
        failure.to_string()
    } else {
        format!("{failure}\n{log}")
    };
    Stop::new(reason, message, then)
}

/// One line for each object that changed.
fn change_log(changes: &[Change]) -> String {
    let lines: Vec<String> = changes
        .iter()
        .filter(|change| change.action != Action::Unchanged)
        .map(|change| format!("{} {}", change.key, change.action.as_str()))
        .collect();
    lines.join("\n")
}

/// The object is not what its kind says it is; only the object itself can mend that.
async fn unreadable(
    ctx: &Context,
    run: &Run,
    writer: &mut StatusWriter<'_>,
    message: String,
) -> Outcome {
    let generation = run.object.generation();
    let mut status = run
        .object
        .get("/status")
        .cloned()
        .unwrap_or_else(|| serde_json::json!({}));
    let mut list = status
        .get("conditions")
        .and_then(|list| serde_json::from_value(list.clone()).ok())
        .unwrap_or_default();
    for (kind, value) in [
        (conditions::READY, Status::False),
        (conditions::STALLED, Status::True),
    ] {
        condition::set(
            &mut list,
            generation,
            ctx.clock.now(),
            kind,
            value,
            reasons::BUILD_FAILED,
            &message,
        );
    }
    status["conditions"] = serde_json::to_value(list).expect("conditions are JSON");
    status["observedGeneration"] = generation.into();
    if let Err(error) = writer.write(&status).await {
        tracing::warn!(unit = %run.id, error = %error, "the status could not be written");
    }
    ctx.tell(Fact::Failed {
        node: run.id.clone(),
        reason: reasons::BUILD_FAILED,
        message,
    });
    Outcome::new(
        State {
            generation,
            failed: true,
            ..State::default()
        },
        Next::Change,
    )
}
