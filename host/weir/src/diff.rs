//! `weir diff`: what changes in a cluster between two revisions of a repository.

mod compare;
mod markdown;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use weir_render::SourceTree;
use weir_tree::{GitTree, IgnoreRules, Subtree, Tree, TreePath, ignored, without_links};

use crate::cli::{DiffArgs, DiffReport};
use crate::repository::visit::{Visit, Visited};
use crate::{output, repository};

use compare::Difference;

pub(crate) use compare::Side;

pub(crate) fn diff(args: &DiffArgs) -> anyhow::Result<ExitCode> {
    let root = args.render.root.as_deref().unwrap_or(Path::new("."));
    let visit = Visit::new(&args.render, root)?;
    let before = visit.walk(at_revision(root, &args.from)?)?;
    if args.watch {
        let never = repository::watch(root, |source| {
            show(&visit, &before, &visit.walk(source)?, args).map(drop)
        })?;
        match never {}
    }
    let after = match &args.to {
        Some(revision) => visit.walk(at_revision(root, revision)?)?,
        None => visit.folder(root)?,
    };
    let difference = show(&visit, &before, &after, args)?;
    for warning in after.walked.warnings {
        anstream::eprintln!("warning: {warning}");
    }
    Ok(if difference.failed() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn show(
    visit: &Visit<'_>,
    before: &Visited,
    after: &Visited,
    args: &DiffArgs,
) -> anyhow::Result<Difference> {
    let difference = between(visit, before, after);
    match args.output {
        DiffReport::Text => output::text(&markdown::text(&difference))?,
        DiffReport::Markdown => output::text(&markdown::markdown(&difference))?,
        DiffReport::Json => output::json(&markdown::json(&difference))?,
    }
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
