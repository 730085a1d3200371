//! Finds a GitRepository's tree: one listing of references, and a fetch if what is wanted moved. A source that is bound to a
//! folder reads that instead.

mod login;
mod verify;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use weir_api::names::{conditions, reasons};
use weir_api::source::{GitInclude, GitRepository};
use weir_render::{SourceId, SourceTree};
use weir_source::{ComposeError, Fetched, FolderSpec, GitSpec, Included, compose, open_folder};
use weir_tree::Tree;

use super::{Content, Found, Problem};
use crate::engine::RootBinding;
use crate::node::{NodeId, NodeKind};
use crate::reconcile::{Context, Next, Run};
use words::fetch_problem;

/// A tree that another GitRepository has made, and what says which.
struct Other {
    included: Included,
    revision: String,
}

pub(super) async fn find(
    ctx: &Context,
    run: &Run,
    source: &GitRepository,
) -> Result<Found, Problem> {
    let root = ctx.sources.root.as_ref();
    if let Some(root) = root.filter(|root| root.source == run.id) {
        let (tree, news) = from_folder(root, source.spec.ignore.clone()).await?;
        let key = format!("{} {:?}", tree.revision, source.spec.ignore);
        return keep(ctx, run, source, key, tree, news, &[], None).await;
    }
    let spec = login::spec(ctx, run, source).await?;
    let before = ctx.sources.git_before(&run.id);
    let fetched = ctx
        .sources
        .git
        .fetch(&spec, before.as_ref(), &run.cancel)
        .await
        .map_err(|error| fetch_problem(source, &error))?;
    ctx.sources.remember_git(&run.id, fetched.clone());
    let others = others(ctx, run, &source.spec.include).await?;
    let news = format!("stored artifact for commit '{}'", fetched.commit.subject());
    let asked = &source.spec;
    let revisions: Vec<&str> = others.iter().map(|one| one.revision.as_str()).collect();
    let key = format!(
        "{} {:?} {:?} {:?} {:?} {} {revisions:?}",
        fetched.revision,
        asked.ignore,
        asked.sparse_checkout,
        asked.include,
        asked.recurse_submodules,
        asked.url,
    );
    let verified = verify::verify(ctx, run, source, &fetched).await?;
    let tree = match ctx.sources.made(&run.id, &key).await {
        Some((tree, _)) => tree,
        None => {
            let checkout = checkout(ctx, run, source, &spec, &fetched).await?;
            let revision = fetched.revision.clone();
            let made = tree(source, fetched, checkout, &others).await;
            made.map_err(|problem| problem.after(format!("new upstream revision '{revision}'")))?
        }
    };
    keep(ctx, run, source, key, tree, news, &others, verified).await
}

/// The commit with its submodules, if they are asked for.
async fn checkout(
    ctx: &Context,
    run: &Run,
    source: &GitRepository,
    spec: &GitSpec,
    fetched: &Fetched,
) -> Result<Option<Arc<dyn Tree>>, Problem> {
    if source.spec.recurse_submodules != Some(true) {
        return Ok(None);
    }
    let git = &ctx.sources.git;
    let whole = git.with_submodules(spec, fetched, &run.cancel).await;
    Ok(Some(whole.map_err(|error| fetch_problem(source, &error))?))
}

#[expect(clippy::too_many_arguments, reason = "what a run found out, each once")]
async fn keep(
    ctx: &Context,
    run: &Run,
    source: &GitRepository,
    key: String,
    tree: SourceTree,
    news: String,
    others: &[Other],
    verified: Option<String>,
) -> Result<Found, Problem> {
    let (tree, artifact) = match ctx.sources.made(&run.id, &key).await {
        Some(made) => made,
        None => {
            let hash = tree.revision.rsplit(':').next().unwrap_or_default();
            let file = format!("{hash}.tar.gz");
            let content = Content::Tree(tree.clone());
            ctx.sources
                .keep(run, key, tree, &file, content, BTreeMap::new())
                .await?
        }
    };
    let spec = &source.spec;
    let list = |list: &[String]| {
        if list.is_empty() {
            Value::Null
        } else {
            json!(list)
        }
    };
    Ok(Found {
        reason: reasons::SUCCEEDED,
        message: format!("stored artifact for revision '{}'", tree.revision),
        news,
        tree,
        artifact: Some(artifact),
        verified,
        observed: vec![
            ("observedIgnore", json!(spec.ignore)),
            ("observedRecurseSubmodules", json!(spec.recurse_submodules)),
            ("sourceVerificationMode", json!(verify::mode(source))),
            ("observedSparseCheckout", list(&spec.sparse_checkout)),
            (
                "observedInclude",
                if spec.include.is_empty() {
                    Value::Null
                } else {
                    json!(spec.include)
                },
            ),
            ("includedArtifacts", included(ctx, run, others, spec).await),
        ],
    })
}

/// The artifacts of what is included, in the order of the spec.
async fn included(
    ctx: &Context,
    run: &Run,
    others: &[Other],
    spec: &weir_api::source::GitRepositorySpec,
) -> Value {
    let mut list = Vec::new();
    for one in spec.include.iter().take(others.len()) {
        let id = node(run, one);
        let object = ctx.cluster.get(&id.key()).await.ok().flatten();
        list.extend(object.and_then(|object| object.get("/status/artifact").cloned()));
    }
    if list.is_empty() {
        Value::Null
    } else {
        list.into()
    }
}

async fn tree(
    source: &GitRepository,
    fetched: Fetched,
    checkout: Option<Arc<dyn Tree>>,
    others: &[Other],
) -> Result<SourceTree, Problem> {
    let time = u64::try_from(fetched.commit.committer.time).unwrap_or(0);
    let revision = fetched.revision.clone();
    let spec = source.spec.clone();
    if spec.sparse_checkout.is_empty() && others.is_empty() && checkout.is_none() {
        return Ok(SourceTree {
            tree: fetched.tree,
            revision,
            time,
        });
    }
    let include: Vec<Included> = others.iter().map(|one| one.included.clone()).collect();
    let composed = tokio::task::spawn_blocking(move || {
        compose(
            checkout.unwrap_or_else(|| Arc::new(fetched.checkout)),
            &spec.sparse_checkout,
            &include,
            spec.ignore.as_deref(),
        )
    })
    .await;
    let failed = |message: String| Problem::fetch(reasons::GIT_OPERATION_FAILED, message);
    let composed =
        composed.map_err(|error| failed(format!("reading the tree crashed: {error}")))?;
    Ok(SourceTree {
        tree: composed.map_err(|error| match error {
            ComposeError::Illegal { .. } => Problem::storage("IllegalPath", error.to_string()),
            ComposeError::NotIncluded { .. } => Problem::storage("CopyFailure", error.to_string()),
            ComposeError::NoFolder(_) | ComposeError::Path { .. } | ComposeError::Tree(_) => {
                failed(error.to_string())
            }
        })?,
        revision,
        time,
    })
}

/// The trees of what is included.
async fn others(ctx: &Context, run: &Run, include: &[GitInclude]) -> Result<Vec<Other>, Problem> {
    let mut others = Vec::new();
    for one in include {
        let id = node(run, one);
        let source = SourceId::of(id.kind.as_str(), id.name.clone());
        let name = &one.repository.name;
        let Some(found) = run.sources.get(&source) else {
            let there = ctx.cluster.get(&id.key()).await.ok().flatten();
            let (reason, message) = match there {
                Some(_) => (
                    "NoArtifact",
                    format!("no artifact available for include '{name}'"),
                ),
                None => (
                    "NotFound",
                    format!(
                        "could not get resource for include '{name}': GitRepository.source.toolkit.fluxcd.io {name:?} not found"
                    ),
                ),
            };
            return Err(Problem {
                condition: conditions::INCLUDE_UNAVAILABLE,
                next: Next::Retry(std::time::Duration::from_secs(30)),
                ..Problem::fetch(reason, message)
            });
        };
        others.push(Other {
            included: Included {
                name: name.clone(),
                tree: found.tree.clone(),
                from: one.from_path.clone().unwrap_or_default(),
                to: one
                    .to_path
                    .clone()
                    .filter(|path| !path.is_empty())
                    .unwrap_or_else(|| name.clone()),
            },
            revision: found.revision.clone(),
        });
    }
    Ok(others)
}

fn node(run: &Run, include: &GitInclude) -> NodeId {
    NodeId::new(
        NodeKind::GitRepository,
        &run.id.name.namespace,
        &include.repository.name,
    )
}

async fn from_folder(
    root: &RootBinding,
    ignore: Option<String>,
) -> Result<(SourceTree, String), Problem> {
    let mut spec = FolderSpec::new(root.folder.clone(), SystemTime::now());
    spec.ignore = ignore;
    let folder = tokio::task::spawn_blocking(move || open_folder(&spec)).await;
    let folder = folder.map_err(|error| {
        Problem::fetch(
            reasons::FAILED,
            format!("reading the folder crashed: {error}"),
        )
    })?;
    let folder = folder.map_err(|error| Problem::of_source(&error, error.to_string()))?;
    let time = folder
        .time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let tree = SourceTree {
        tree: folder.tree,
        revision: folder.revision,
        time,
    };
    Ok((tree, format!("the folder {}", root.folder.display())))
}
