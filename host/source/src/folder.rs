//! A folder of this machine in place of a source.
//!
//! What a Git server would give for the folder is what counts, so that a laptop and a cluster see the same files:
//!
//! - In a work tree without changes it is the commit of `HEAD`, read from the object database: what `.gitignore` hides
//!   is not there, and no line endings are converted. The revision is Flux's: `main@sha1:…`.
//! - With changes it is that commit with the changed, new and deleted files on top. The revision is
//!   `main+dirty@sha256:…` with a digest of the commit's id and of what changed, so that it is the same for the same
//!   content. Nested repositories are left out, as a commit would have them as submodules.
//! - Outside of a work tree it is all files, and the revision is `sha256:…` with the digest of the tree.
//!
//! `HEAD+dirty` and `sha1:…` stand for a detached head. The folder may be any folder inside of a work tree.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use git2::{ErrorCode, Repository, StatusOptions};
use weir_tree::{
    Commit, Digest, EmptyTree, EntryKind, FolderOptions, FolderTree, GitCache, GitDatabase,
    IgnoreRules, OverlayTree, StatCache, Subtree, Tree, TreeError, TreePath, digest_tree, ignored,
    without_links,
};

use crate::error::SourceError;

/// Which folder, and how it is read.
#[derive(Clone, Debug)]
pub struct FolderSpec {
    /// The folder.
    pub root: PathBuf,
    /// `spec.ignore` of the source that the folder stands for.
    pub ignore: Option<String>,
    /// The time now; see [`FolderOptions::now`].
    pub now: SystemTime,
    /// Digests that earlier runs found out.
    pub stats: Option<Arc<StatCache>>,
    /// Objects that earlier runs looked at.
    pub objects: Arc<GitCache>,
}

/// A folder as it is now.
#[derive(Clone, Debug)]
pub struct FolderSource {
    /// The files as Flux's artifact would have them: without links and without what is ignored.
    pub tree: Arc<dyn Tree>,
    /// The files as they are.
    pub checkout: Arc<dyn Tree>,
    /// See the module's documentation.
    pub revision: String,
    /// The commit of `HEAD`, in a work tree that has one.
    pub commit: Option<Commit>,
    /// The time of that commit, else of the newest file.
    pub time: SystemTime,
}

impl FolderSpec {
    /// Without memory of earlier runs.
    pub fn new(root: impl Into<PathBuf>, now: SystemTime) -> Self {
        Self {
            root: root.into(),
            ignore: None,
            now,
            stats: None,
            objects: GitCache::new(),
        }
    }
}

/// Reads a folder. This blocks; the work grows with the number of files, but only new and changed ones are read.
pub fn open_folder(spec: &FolderSpec) -> Result<FolderSource, SourceError> {
    let error = |reason: String| SourceError::Folder {
        path: spec.root.clone(),
        reason,
    };
    let place = |source: TreeError| SourceError::Tree {
        place: spec.root.display().to_string(),
        source,
    };
    // Relative to the real place, for Git speaks of that.
    let root = spec
        .root
        .canonicalize()
        .map_err(|source| error(format!("the folder cannot be opened: {source}")))?;
    let options = FolderOptions {
        cache: spec.stats.clone(),
        ..FolderOptions::at(spec.now)
    };
    let folder = Arc::new(FolderTree::open(&root, options).map_err(place)?);
    let state = match Repository::discover(&root) {
        Ok(repository) => work_tree(spec, &root, &repository, &folder)?,
        Err(missing) if missing.code() == ErrorCode::NotFound => None,
        Err(other) if other.code() == ErrorCode::Owner => {
            return Err(error(format!(
                "the Git repository belongs to another user; if that is right, run: git config --global --add safe.directory {}",
                root.display()
            )));
        }
        Err(other) => {
            return Err(error(format!(
                "the Git repository cannot be opened: {}",
                other.message()
            )));
        }
    };
    let (checkout, revision, commit) = match state {
        Some(WorkTree {
            tree,
            revision,
            commit,
        }) => (tree, Some(revision), commit),
        None => (Arc::clone(&folder) as Arc<dyn Tree>, None, None),
    };
    let rules = IgnoreRules::load(&checkout, spec.ignore.as_deref()).map_err(place)?;
    let with_links = ignored(Arc::clone(&checkout), rules.clone());
    let revision = match revision {
        Some(revision) => revision,
        None => {
            let digest = digest_tree(&with_links, &TreePath::root()).map_err(place)?;
            digest.map(|digest| digest.to_string()).unwrap_or_default()
        }
    };
    let time = match &commit {
        Some(commit) => since_1970(commit.committer.time),
        None => newest(&with_links, &folder).map_err(place)?,
    };
    let tree = Arc::new(ignored(without_links(Arc::clone(&checkout)), rules));
    Ok(FolderSource {
        tree,
        checkout,
        revision,
        commit,
        time,
    })
}

/// What Git says about a folder.
struct WorkTree {
    tree: Arc<dyn Tree>,
    revision: String,
    commit: Option<Commit>,
}

/// `None`: the folder is in a repository that is no work tree.
fn work_tree(
    spec: &FolderSpec,
    root: &Path,
    repository: &Repository,
    folder: &Arc<FolderTree>,
) -> Result<Option<WorkTree>, SourceError> {
    let error = |reason: String| SourceError::Folder {
        path: spec.root.clone(),
        reason,
    };
    let git_error =
        |source: git2::Error| error(format!("the Git repository: {}", source.message()));
    let place = |source: TreeError| SourceError::Tree {
        place: spec.root.display().to_string(),
        source,
    };
    let Some(top) = repository.workdir() else {
        return Ok(None);
    };
    let top = top
        .canonicalize()
        .map_err(|source| error(source.to_string()))?;
    let Ok(below) = root.strip_prefix(&top) else {
        return Ok(None);
    };
    let below = below
        .to_str()
        .ok_or_else(|| error("its path is not UTF-8".to_owned()))?;
    let below = TreePath::parse(below).map_err(|source| error(source.to_string()))?;

    let (branch, head) = head(repository).map_err(git_error)?;
    let mut base: Arc<dyn Tree> = EmptyTree::shared();
    let mut commit = None;
    if let Some(head) = head {
        let database =
            GitDatabase::open(repository.path(), Arc::clone(&spec.objects)).map_err(place)?;
        let tree = database.commit(head.into()).map_err(place)?;
        commit = Some(tree.commit().clone());
        if let Some(subtree) = Subtree::new(tree, below.clone()).map_err(place)? {
            base = Arc::new(subtree);
        }
    }
    let changed = changed_paths(repository, &below).map_err(git_error)?;
    if let (true, Some(commit)) = (changed.is_empty(), &commit) {
        let id = commit.id;
        let revision = branch.map_or_else(
            || format!("sha1:{id}"),
            |branch| format!("{branch}@sha1:{id}"),
        );
        return Ok(Some(WorkTree {
            tree: base,
            revision,
            commit: Some(commit.clone()),
        }));
    }
    let mut overlay = OverlayTree::on(base);
    let mut content = commit
        .as_ref()
        .map(|commit| commit.id.to_string())
        .unwrap_or_default();
    for path in changed {
        let path = path.map_err(&error)?;
        match folder.stat(&path).map_err(place)?.map(|entry| entry.kind) {
            Some(kind @ (EntryKind::File | EntryKind::Executable | EntryKind::Link)) => {
                let digest = folder.digest(&path).map_err(place)?;
                let digest = digest.map(|digest| digest.hex()).unwrap_or_default();
                content += &format!("\n{kind:?} {digest} {}", path.as_str());
                overlay
                    .mount(&path, Arc::clone(folder) as Arc<dyn Tree>, path.clone())
                    .map_err(place)?;
            }
            // A directory took the file's place; what is in it is in the list by itself.
            Some(EntryKind::Directory | EntryKind::Submodule) | None => {
                content += &format!("\nremoved {}", path.as_str());
                overlay.remove(&path).map_err(place)?;
            }
        }
    }
    let tree = Arc::new(overlay.finish().map_err(place)?);
    let branch = branch.unwrap_or_else(|| "HEAD".to_owned());
    let revision = format!("{branch}+dirty@{}", Digest::of(content.as_bytes()));
    Ok(Some(WorkTree {
        tree,
        revision,
        commit,
    }))
}

/// The name of the branch and the commit, where there are any.
fn head(repository: &Repository) -> Result<(Option<String>, Option<git2::Oid>), git2::Error> {
    let reference = repository.find_reference("HEAD")?;
    let branch = reference
        .symbolic_target()?
        .and_then(|name| name.strip_prefix("refs/heads/"))
        .map(str::to_owned);
    match repository.head() {
        Ok(head) => Ok((branch, Some(head.peel_to_commit()?.id()))),
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
            Ok((branch, None))
        }
        Err(error) => Err(error),
    }
}

/// What differs from `HEAD` below a folder, relative to it, sorted.
fn changed_paths(
    repository: &Repository,
    below: &TreePath,
) -> Result<Vec<Result<TreePath, String>>, git2::Error> {
    let mut options = StatusOptions::new();
    options
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .exclude_submodules(true)
        .include_ignored(false);
    if !below.is_root() {
        options
            .pathspec(below.as_str())
            .disable_pathspec_match(true);
    }
    let mut paths = Vec::new();
    for entry in repository.statuses(Some(&mut options))?.iter() {
        let status = entry.status();
        // A `/` at the end is a nested repository.
        if status.is_empty() || status.is_ignored() || entry.path_bytes().ends_with(b"/") {
            continue;
        }
        paths.push(match std::str::from_utf8(entry.path_bytes()) {
            Ok(text) => match TreePath::parse(text) {
                Ok(path) => match path.relative_to(below) {
                    Some(path) => Ok(path),
                    None => continue,
                },
                Err(error) => Err(error.to_string()),
            },
            Err(_) => Err(format!(
                "the name {:?} is not UTF-8",
                String::from_utf8_lossy(entry.path_bytes())
            )),
        });
    }
    paths.sort_unstable();
    // A file that is both staged and changed stands in the list twice.
    paths.dedup();
    Ok(paths)
}

/// The latest time at which a visible file was modified.
fn newest(tree: &dyn Tree, folder: &FolderTree) -> Result<SystemTime, TreeError> {
    let mut newest = SystemTime::UNIX_EPOCH;
    let mut open = vec![TreePath::root()];
    while let Some(directory) = open.pop() {
        for entry in tree.outline(&directory)?.unwrap_or_default() {
            let path = directory
                .child(&entry.name)
                .map_err(|error| TreeError::Read {
                    path: directory.clone(),
                    reason: error.to_string(),
                })?;
            match entry.kind {
                EntryKind::Directory => open.push(path),
                EntryKind::File
                | EntryKind::Executable
                | EntryKind::Link
                | EntryKind::Submodule => {
                    newest = newest.max(folder.modified(&path)?.unwrap_or(newest));
                }
            }
        }
    }
    Ok(newest)
}

fn since_1970(seconds: i64) -> SystemTime {
    let offset = Duration::from_secs(seconds.unsigned_abs());
    let time = if seconds < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(offset)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(offset)
    };
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}
