//! Finds a GitRepository's tree: one listing of references, and a fetch if what is wanted moved. A source that is bound to a
//! folder reads that instead.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use weir_api::names::{conditions, reasons};
use weir_api::source::{GitInclude, GitProvider, GitRepository};
use weir_render::{SourceId, SourceTree};
use weir_source::{
    Auth, Fetched, FolderSpec, GitReference, GitSpec, Included, Remedy, SourceError, compose,
    open_folder,
};

use super::{Content, Found, Problem, secret, timeout};
use crate::engine::RootBinding;
use crate::node::{NodeId, NodeKind};
use crate::reconcile::{Context, Next, Run};

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
        return keep(ctx, run, source, key, tree, news, &[]).await;
    }
    if let Some(field) = unsupported(source) {
        return Err(Problem::unsupported(field));
    }
    let spec = spec(ctx, run, source).await?;
    let before = ctx.sources.git_before(&run.id);
    let fetched = ctx
        .sources
        .git
        .fetch(&spec, before.as_ref(), &run.cancel)
        .await
        .map_err(|error| problem(&error))?;
    ctx.sources.remember_git(&run.id, fetched.clone());
    let others = others(ctx, run, &source.spec.include).await?;
    let news = format!("stored artifact for commit '{}'", fetched.commit.subject());
    let spec = &source.spec;
    let revisions: Vec<&str> = others.iter().map(|one| one.revision.as_str()).collect();
    let key = format!(
        "{} {:?} {:?} {:?} {revisions:?}",
        fetched.revision, spec.ignore, spec.sparse_checkout, spec.include
    );
    let tree = match ctx.sources.made(&run.id, &key).await {
        Some((tree, _)) => tree,
        None => tree(source, fetched, &others).await?,
    };
    keep(ctx, run, source, key, tree, news, &others).await
}

async fn keep(
    ctx: &Context,
    run: &Run,
    source: &GitRepository,
    key: String,
    tree: SourceTree,
    news: String,
    others: &[Other],
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
        observed: vec![
            ("observedIgnore", json!(spec.ignore)),
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
    others: &[Other],
) -> Result<SourceTree, Problem> {
    let time = u64::try_from(fetched.commit.committer.time).unwrap_or(0);
    let revision = fetched.revision.clone();
    let spec = source.spec.clone();
    if spec.sparse_checkout.is_empty() && others.is_empty() {
        return Ok(SourceTree {
            tree: fetched.tree,
            revision,
            time,
        });
    }
    let include: Vec<Included> = others.iter().map(|one| one.included.clone()).collect();
    let composed = tokio::task::spawn_blocking(move || {
        compose(
            Arc::new(fetched.checkout),
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
        tree: composed.map_err(|error| failed(error.to_string()))?,
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
                        "could not get resource for include '{name}': gitrepositories.source.toolkit.fluxcd.io {name:?} not found"
                    ),
                ),
            };
            return Err(Problem {
                condition: conditions::INCLUDE_UNAVAILABLE,
                reason,
                message,
                next: Next::Retry(std::time::Duration::from_secs(30)),
            });
        };
        others.push(Other {
            included: Included {
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
    let folder = folder.map_err(|error| problem(&error))?;
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

fn unsupported(source: &GitRepository) -> Option<&'static str> {
    let spec = &source.spec;
    let fields = [
        (
            "spec.provider",
            spec.provider
                .is_some_and(|provider| provider != GitProvider::Generic),
        ),
        ("spec.verify", spec.verify.is_some()),
        (
            "spec.recurseSubmodules",
            spec.recurse_submodules == Some(true),
        ),
    ];
    fields.iter().find(|(_, set)| *set).map(|(field, _)| *field)
}

async fn spec(ctx: &Context, run: &Run, source: &GitRepository) -> Result<GitSpec, Problem> {
    let reference = source.spec.reference.clone().unwrap_or_default();
    let mut spec = GitSpec {
        reference: GitReference {
            branch: reference.branch,
            tag: reference.tag,
            semver: reference.semver,
            name: reference.name,
            commit: reference.commit,
            any: None,
        },
        timeout: timeout(source.spec.timeout.as_ref())?,
        ignore: source.spec.ignore.clone(),
        ..GitSpec::new(source.spec.url.clone())
    };
    let proxy = source.spec.proxy_secret_ref.as_ref();
    spec.client = secret::client(ctx, run, None, proxy).await?;
    if let Some(secret) = secret::read(ctx, run, source.spec.secret_ref.as_ref()).await? {
        if secret.has(&["githubAppID", "githubAppPrivateKey"]) {
            return Err(Problem::fetch(
                reasons::INVALID_PROVIDER_CONFIGURATION,
                format!(
                    "secretRef '{}/{}' has github app data but provider is not set to github",
                    run.id.name.namespace,
                    source
                        .spec
                        .secret_ref
                        .as_ref()
                        .map_or("", |secret| secret.name.as_str())
                ),
            ));
        }
        secret.tls(&mut spec.client)?;
        spec.auth = match (secret.secret("bearerToken"), secret.login()?) {
            (Some(_), Some(_)) => {
                return Err(secret.invalid("'bearerToken' and 'username' exclude each other"));
            }
            (Some(token), None) => Auth::Bearer(token),
            (None, Some(login)) => Auth::Basic(login),
            (None, None) => Auth::Anonymous,
        };
    }
    Ok(spec)
}

fn problem(error: &SourceError) -> Problem {
    match error.remedy() {
        Remedy::Retry => Problem::fetch(error.reason(), error.to_string()),
        Remedy::Change => Problem::stalled(error.reason(), error.to_string()),
    }
}
