//! Reconciles a GitRepository: one listing of references, and a fetch if what is wanted moved. A source that is bound to a
//! folder reads that instead.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use weir_api::condition::{self, Status};
use weir_api::names::{self, conditions, reasons};
use weir_api::source::{Artifact, GitProvider, GitRepository, GitRepositoryStatus};
use weir_cluster::ClusterError;
use weir_render::SourceTree;
use weir_source::{
    Fetched, FolderSpec, GitFetcher, GitOptions, GitReference, GitSpec, HttpFactory, HttpOptions,
    Remedy, SourceError, open_folder,
};

use crate::engine::{Options, RootBinding};
use crate::fact::Fact;
use crate::graph::State;
use crate::node::{NodeId, Typed};
use crate::reconcile::event::{self, Note};
use crate::reconcile::{Context, Next, Outcome, Product, Run};
use crate::status::StatusWriter;

/// Flux's default of `spec.timeout`.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Fetches for all GitRepositories, and remembers what was fetched last for each.
#[derive(Debug)]
pub(crate) struct Git {
    fetcher: GitFetcher,
    root: Option<RootBinding>,
    /// Bounded by the number of GitRepositories: an entry goes with its object.
    before: Mutex<HashMap<NodeId, Fetched>>,
}

/// What a run found.
struct Found {
    tree: SourceTree,
    /// For the event and the terminal.
    message: String,
}

/// Why there is nothing.
struct Problem {
    reason: &'static str,
    message: String,
    next: Next,
}

impl Git {
    pub(crate) fn new(options: &Options) -> Self {
        let http = HttpFactory::new(HttpOptions::default());
        let fetcher = GitFetcher::new(GitOptions::new(options.cache.clone()), http);
        Self {
            fetcher,
            root: options.root.clone(),
            before: Mutex::default(),
        }
    }

    fn before(&self, id: &NodeId) -> Option<Fetched> {
        self.before
            .lock()
            .expect("no panic while it is locked")
            .get(id)
            .cloned()
    }

    fn remember(&self, id: &NodeId, fetched: Option<Fetched>) {
        let mut before = self.before.lock().expect("no panic while it is locked");
        match fetched {
            Some(fetched) => before.insert(id.clone(), fetched),
            None => before.remove(id),
        };
    }
}

/// One run, from top to bottom.
pub(crate) async fn reconcile(ctx: &Context, run: &Run) -> Outcome {
    let mut writer = StatusWriter::new(&*ctx.cluster, &run.id, run.object.clone());
    let mut outcome = match run.typed.as_deref() {
        Err(message) => {
            let next = Next::Change;
            let problem = Problem {
                reason: reasons::FAILED,
                message: message.clone(),
                next,
            };
            fail(ctx, run, &mut writer, None, problem).await
        }
        Ok(_) if run.object.deleting() => finalize(ctx, run, &mut writer).await,
        Ok(Typed::GitRepository(source)) if source.spec.suspend == Some(true) => {
            Outcome::new(run.state.clone(), Next::Change)
        }
        Ok(Typed::GitRepository(source)) => match find(ctx, run, &mut writer, source).await {
            Ok(found) => succeed(ctx, run, &mut writer, source, found).await,
            Err(problem) => fail(ctx, run, &mut writer, Some(source), problem).await,
        },
        Ok(Typed::Plugin(_) | Typed::Kustomization(_) | Typed::Pipeline(_)) => {
            Outcome::new(run.state.clone(), Next::Change)
        }
    };
    outcome.object = Some(writer.into_object());
    outcome
}

async fn find(
    ctx: &Context,
    run: &Run,
    writer: &mut StatusWriter<'_>,
    source: &GitRepository,
) -> Result<Found, Problem> {
    writer.add_finalizer().await.map_err(|error| Problem {
        reason: reasons::FAILED,
        message: error.to_string(),
        next: Next::BackOff,
    })?;
    if let Some(root) = ctx.git.root.as_ref().filter(|root| root.source == run.id) {
        return from_folder(root, source.spec.ignore.clone()).await;
    }
    if let Some(field) = unsupported(source) {
        let message =
            format!("{field} is not supported by this version of weir; nothing was fetched");
        return Err(Problem {
            reason: reasons::UNSUPPORTED_FIELD,
            message,
            next: Next::Change,
        });
    }
    let spec = spec(source).map_err(|message| Problem {
        reason: reasons::FAILED,
        message,
        next: Next::Change,
    })?;
    let before = ctx.git.before(&run.id);
    let fetched = ctx
        .git
        .fetcher
        .fetch(&spec, before.as_ref(), &run.cancel)
        .await
        .map_err(|error| problem(&error))?;
    ctx.git.remember(&run.id, Some(fetched.clone()));
    let time = u64::try_from(fetched.commit.committer.time).unwrap_or(0);
    let message = format!("stored artifact for commit '{}'", fetched.commit.subject());
    Ok(Found {
        tree: SourceTree {
            tree: fetched.tree,
            revision: fetched.revision,
            time,
        },
        message,
    })
}

async fn from_folder(root: &RootBinding, ignore: Option<String>) -> Result<Found, Problem> {
    let mut spec = FolderSpec::new(root.folder.clone(), SystemTime::now());
    spec.ignore = ignore;
    let folder = tokio::task::spawn_blocking(move || open_folder(&spec)).await;
    let folder = folder.map_err(|error| Problem {
        reason: reasons::FAILED,
        message: format!("reading the folder crashed: {error}"),
        next: Next::BackOff,
    })?;
    let folder = folder.map_err(|error| problem(&error))?;
    let time = folder
        .time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let message = format!("the folder {}", root.folder.display());
    Ok(Found {
        tree: SourceTree {
            tree: folder.tree,
            revision: folder.revision,
            time,
        },
        message,
    })
}

fn unsupported(source: &GitRepository) -> Option<&'static str> {
    let spec = &source.spec;
    let fields = [
        ("spec.secretRef", spec.secret_ref.is_some()),
        (
            "spec.provider",
            spec.provider
                .is_some_and(|provider| provider != GitProvider::Generic),
        ),
        ("spec.verify", spec.verify.is_some()),
        ("spec.proxySecretRef", spec.proxy_secret_ref.is_some()),
        (
            "spec.recurseSubmodules",
            spec.recurse_submodules == Some(true),
        ),
        ("spec.include", !spec.include.is_empty()),
        ("spec.sparseCheckout", !spec.sparse_checkout.is_empty()),
    ];
    fields.iter().find(|(_, set)| *set).map(|(field, _)| *field)
}

fn spec(source: &GitRepository) -> Result<GitSpec, String> {
    let reference = source.spec.reference.clone().unwrap_or_default();
    let timeout = source
        .spec
        .timeout
        .as_ref()
        .map_or(Ok(TIMEOUT), |timeout| timeout.parse());
    Ok(GitSpec {
        reference: GitReference {
            branch: reference.branch,
            tag: reference.tag,
            semver: reference.semver,
            name: reference.name,
            commit: reference.commit,
            any: None,
        },
        timeout: timeout.map_err(|error| format!("spec.timeout: {error}"))?,
        ignore: source.spec.ignore.clone(),
        ..GitSpec::new(source.spec.url.clone())
    })
}

fn problem(error: &SourceError) -> Problem {
    let next = match error.remedy() {
        Remedy::Retry => Next::BackOff,
        Remedy::Change => Next::Change,
    };
    Problem {
        reason: error.reason(),
        message: error.to_string(),
        next,
    }
}

async fn succeed(
    ctx: &Context,
    run: &Run,
    writer: &mut StatusWriter<'_>,
    source: &GitRepository,
    found: Found,
) -> Outcome {
    let mut status = source.status.clone().unwrap_or_default();
    let revision = found.tree.revision.clone();
    let message = format!("stored artifact for revision '{revision}'");
    for kind in [
        conditions::RECONCILING,
        conditions::STALLED,
        conditions::FETCH_FAILED,
    ] {
        condition::remove(&mut status.conditions, kind);
    }
    for kind in [conditions::READY, conditions::ARTIFACT_IN_STORAGE] {
        set(
            ctx,
            run,
            &mut status,
            kind,
            Status::True,
            reasons::SUCCEEDED,
            &message,
        );
    }
    let moved = status
        .artifact
        .as_ref()
        .is_none_or(|artifact| artifact.revision != revision);
    if moved {
        status.artifact = Some(artifact(ctx, run, &revision));
    }
    status.observed_generation = Some(run.object.generation());
    status.observed_ignore.clone_from(&source.spec.ignore);
    let next = write(run, writer, &mut status).await;
    if moved {
        let note = Note {
            warning: false,
            reason: reasons::NEW_ARTIFACT,
            message: &found.message,
            revision: Some(&revision),
        };
        event::emit(ctx, &run.id, writer.object(), note).await;
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
            message: found.message,
        }
    });
    let state = State {
        ready: true,
        generation: run.object.generation(),
        revision: Some(revision),
        ..State::default()
    };
    let interval = source
        .spec
        .interval
        .parse()
        .unwrap_or(TIMEOUT)
        .max(Duration::from_secs(1));
    let mut outcome = Outcome::new(state, next.unwrap_or(Next::Interval(interval)));
    outcome.product = Product::Tree(found.tree);
    outcome
}

/// What was fetched before stays in use.
async fn fail(
    ctx: &Context,
    run: &Run,
    writer: &mut StatusWriter<'_>,
    source: Option<&GitRepository>,
    problem: Problem,
) -> Outcome {
    let Problem {
        reason,
        message,
        next,
    } = problem;
    let state = State {
        ready: false,
        generation: run.object.generation(),
        failed: true,
        ..run.state.clone()
    };
    if run.cancel.is_cancelled() {
        return Outcome::new(state, Next::Change);
    }
    let mut status = source
        .and_then(|source| source.status.clone())
        .unwrap_or_default();
    set(
        ctx,
        run,
        &mut status,
        conditions::READY,
        Status::False,
        reason,
        &message,
    );
    set(
        ctx,
        run,
        &mut status,
        conditions::FETCH_FAILED,
        Status::True,
        reason,
        &message,
    );
    if next == Next::Change {
        condition::remove(&mut status.conditions, conditions::RECONCILING);
        set(
            ctx,
            run,
            &mut status,
            conditions::STALLED,
            Status::True,
            reason,
            &message,
        );
        status.observed_generation = Some(run.object.generation());
    } else {
        condition::remove(&mut status.conditions, conditions::STALLED);
        let retry = reasons::PROGRESSING_WITH_RETRY;
        set(
            ctx,
            run,
            &mut status,
            conditions::RECONCILING,
            Status::True,
            retry,
            "reconciliation in progress",
        );
    }
    let next = write(run, writer, &mut status).await.unwrap_or(next);
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

async fn finalize(ctx: &Context, run: &Run, writer: &mut StatusWriter<'_>) -> Outcome {
    ctx.git.remember(&run.id, None);
    match writer.remove_finalizer().await {
        Ok(_) | Err(ClusterError::NotFound { .. }) => Outcome::new(State::default(), Next::Gone),
        Err(error) => {
            tracing::warn!(source = %run.id, error = %error, "the finalizer could not be removed");
            Outcome::new(run.state.clone(), Next::BackOff)
        }
    }
}

/// The artifact is not served over HTTP by this version, so that its address is empty.
fn artifact(ctx: &Context, run: &Run, revision: &str) -> Artifact {
    let name = &run.id.name;
    let hash = revision.rsplit(':').next().unwrap_or_default();
    Artifact {
        path: format!(
            "gitrepository/{}/{}/{hash}.tar.gz",
            name.namespace, name.name
        ),
        url: String::new(),
        revision: revision.to_owned(),
        digest: None,
        last_update_time: condition::show_time(ctx.clock.now()),
        size: None,
        metadata: Default::default(),
    }
}

fn set(
    ctx: &Context,
    run: &Run,
    status: &mut GitRepositoryStatus,
    kind: &str,
    value: Status,
    reason: &str,
    message: &str,
) {
    let generation = run.object.generation();
    condition::set(
        &mut status.conditions,
        generation,
        ctx.clock.now(),
        kind,
        value,
        reason,
        message,
    );
}

/// A status that cannot be written is a reason to come back soon.
async fn write(
    run: &Run,
    writer: &mut StatusWriter<'_>,
    status: &mut GitRepositoryStatus,
) -> Option<Next> {
    if let Some(requested) = run.object.annotation(names::REQUESTED_AT) {
        status.last_handled_reconcile_at = Some(requested.to_owned());
    }
    let value = serde_json::to_value(&*status).expect("a status is JSON");
    match writer.write(&value).await {
        Ok(_) => None,
        Err(ClusterError::NotFound { .. }) => Some(Next::Gone),
        Err(error) => {
            tracing::warn!(source = %run.id, error = %error, "the status could not be written");
            Some(Next::BackOff)
        }
    }
}
