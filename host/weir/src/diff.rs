//! `weir diff`: what changes in a cluster between two revisions of a repository, or what a revision changes in the cluster as it
//! is.

mod compare;
mod live;
mod markdown;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use weir_render::SourceTree;
use weir_tree::{GitTree, IgnoreRules, Subtree, Tree, TreePath, ignored, without_links};

use crate::cli::{DiffArgs, DiffReport};
use crate::cluster::Live;
use crate::repository::visit::{Visit, Visited};
use crate::{output, repository};

use compare::Difference;

pub(crate) use compare::Side;

pub(crate) fn diff(args: &DiffArgs) -> anyhow::Result<ExitCode> {
    let root = args.render.root.as_deref().unwrap_or(Path::new("."));
    let visit = Visit::new(&args.render, root)?;
    let tree = |revision: &Option<String>| match revision {
        Some(revision) => at_revision(root, revision),
        None => repository::source_of(root),
    };
    // With two revisions, a cluster only has values for both.
    if let Some(live) = visit.live.as_deref().filter(|_| args.to.is_none()) {
        if args.watch {
            let never = repository::watch(root, |source| {
                in_cluster(live, &visit, &visit.walk(source)?, args).map(drop)
            })?;
            match never {}
        }
        let after = visit.walk(tree(&args.from)?)?;
        return ended(&in_cluster(live, &visit, &after, args)?, after);
    }
    let before = visit.walk(tree(&args.from)?)?;
    if args.watch {
        let never = repository::watch(root, |source| {
            show(&between(&visit, &before, &visit.walk(source)?), args)
        })?;
        match never {}
    }
    let after = visit.walk(tree(&args.to)?)?;
    let difference = between(&visit, &before, &after);
    show(&difference, args)?;
    ended(&difference, after)
}

fn ended(difference: &Difference, after: Visited) -> anyhow::Result<ExitCode> {
    for warning in after.walked.warnings {
        anstream::eprintln!("warning: {warning}");
    }
    Ok(if difference.failed() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn show(difference: &Difference, args: &DiffArgs) -> anyhow::Result<()> {
    match args.output {
        DiffReport::Text => output::text(&markdown::text(difference)),
        DiffReport::Markdown => output::text(&markdown::markdown(difference)),
        DiffReport::Json => output::json(&markdown::json(difference)),
    }
}

/// Shows what applying a walk would change in a cluster.
fn in_cluster(
    live: &Live,
    visit: &Visit<'_>,
    after: &Visited,
    args: &DiffArgs,
) -> anyhow::Result<Difference> {
    let sides = live::sides(live, &after.walked)?;
    // Of objects that secrets went into, nothing of the live ones can be told apart from the secrets.
    let open = after.tainted().then(|| visit.without_secrets(after));
    let difference = compare::compare(
        &Side::new(&sides.before, None),
        &Side::new(&sides.after, open.as_ref()),
    );
    show(&difference, args)?;
    Ok(difference)
}

/// What changed from one walk to another, as text; secrets are masked.
pub(crate) fn changes(visit: &Visit<'_>, before: &Visited, after: &Visited) -> String {
    markdown::text(&between(visit, before, after))
}

fn between(visit: &Visit<'_>, before: &Visited, after: &Visited) -> Difference {
    let open = |visited: &Visited| visited.tainted().then(|| visit.without_secrets(visited));
    let (open_before, open_after) = (open(before), open(after));
    compare::compare(
        &Side::new(&before.walked.units, open_before.as_ref()),
        &Side::new(&after.walked.units, open_after.as_ref()),
    )
}

/// The folder at a revision of the Git repository that it is in, read from the object database.
fn at_revision(root: &Path, revision: &str) -> anyhow::Result<SourceTree> {
    let root = root
        .canonicalize()
        .with_context(|| format!("opening the repository {}", root.display()))?;
    let (top, below) = git_root(&root)?;
    let commit = GitTree::open(&top, revision)
        .with_context(|| format!("finding the revision {revision} in {}", top.display()))?;
    let id = commit.commit().id;
    let time = u64::try_from(commit.commit().committer.time).unwrap_or_default();
    let folder: Arc<dyn Tree> = if below == TreePath::root() {
        Arc::new(commit)
    } else {
        match Subtree::new(commit, below.clone())? {
            Some(folder) => Arc::new(folder),
            None => bail!("the revision {revision} has no folder {below}"),
        }
    };
    let rules = IgnoreRules::load(&folder, None)?;
    Ok(SourceTree {
        tree: Arc::new(ignored(without_links(folder), rules)),
        revision: format!("sha1:{id}"),
        time,
    })
}

/// The repository that a folder is in, and where in it the folder is.
fn git_root(folder: &Path) -> anyhow::Result<(PathBuf, TreePath)> {
    let mut top = folder;
    while !top.join(".git").exists() {
        top = top.parent().with_context(|| {
            format!(
                "{} is in no Git repository, so that it has no revisions",
                folder.display()
            )
        })?;
    }
    let below = folder.strip_prefix(top)?;
    let below = below.to_str().context("the path is not UTF-8")?;
    Ok((top.to_owned(), TreePath::parse(below)?))
}
