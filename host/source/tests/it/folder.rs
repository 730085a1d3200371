use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use git2::{Repository, RepositoryInitOptions, Signature, Time};
use weir_source::{FolderSource, FolderSpec, open_folder};
use weir_tree::{StatCache, Tree, TreePath, changed};

use crate::lab::{files, path};

const COMMIT_TIME: u64 = 1_700_000_000;

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, content) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

/// A work tree with one commit of these files on `main`.
fn work_tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    let repository = Repository::init_opts(
        folder.path(),
        RepositoryInitOptions::new().initial_head("main"),
    )
    .unwrap();
    commit_all(&repository);
    folder
}

fn commit_all(repository: &Repository) -> String {
    let mut index = repository.index().unwrap();
    index
        .add_all(["*"], git2::IndexAddOption::DEFAULT, None)
        .unwrap();
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let who = Signature::new("A", "a@example.org", &Time::new(COMMIT_TIME as i64, 0)).unwrap();
    let parent = repository
        .head()
        .ok()
        .map(|head| head.peel_to_commit().unwrap());
    let parents: Vec<_> = parent.iter().collect();
    repository
        .commit(Some("HEAD"), &who, &who, "m", &tree, &parents)
        .unwrap()
        .to_string()
}

fn open(folder: &Path) -> FolderSource {
    open_folder(&FolderSpec::new(folder, SystemTime::now())).unwrap()
}

fn head(folder: &Path) -> String {
    Repository::open(folder)
        .unwrap()
        .head()
        .unwrap()
        .target()
        .unwrap()
        .to_string()
}

#[test]
fn a_clean_work_tree_is_its_commit() {
    let folder = work_tree(&[("a", "1"), ("b/c", "2"), (".gitignore", "secret\n")]);
    write(folder.path(), &[("secret", "hush")]);
    let source = open(folder.path());
    assert_eq!(
        source.revision,
        format!("main@sha1:{}", head(folder.path()))
    );
    assert_eq!(files(&source.tree), ["a=1", "b/c=2"]);
    assert_eq!(
        files(&source.checkout),
        [".gitignore=secret\n", "a=1", "b/c=2"]
    );
    assert_eq!(
        source.time,
        SystemTime::UNIX_EPOCH + Duration::from_secs(COMMIT_TIME)
    );
    assert_eq!(source.commit.unwrap().subject(), "m");
}

#[test]
fn changes_lie_on_top_of_the_commit() {
    let folder = work_tree(&[
        ("a", "1"),
        ("b/c", "2"),
        ("d", "3"),
        (".gitignore", "secret\n"),
    ]);
    let clean = open(folder.path());
    write(
        folder.path(),
        &[("a", "changed"), ("new/file", "new"), ("secret", "hush")],
    );
    fs::remove_file(folder.path().join("d")).unwrap();
    let source = open(folder.path());
    assert_eq!(files(&source.tree), ["a=changed", "b/c=2", "new/file=new"]);
    assert!(
        source.revision.starts_with("main+dirty@sha256:"),
        "{}",
        source.revision
    );
    assert_eq!(source.time, clean.time, "the time is still the commit's");
    let paths: Vec<_> = changed(&clean.tree, &source.tree)
        .unwrap()
        .into_iter()
        .map(|change| change.path.to_string())
        .collect();
    assert_eq!(paths, [".", "a", "d", "new", "new/file"]);

    assert_eq!(
        open(folder.path()).revision,
        source.revision,
        "the same content is the same revision"
    );
    write(folder.path(), &[("a", "changed again")]);
    assert_ne!(open(folder.path()).revision, source.revision);
    write(folder.path(), &[("a", "changed")]);
    assert_eq!(open(folder.path()).revision, source.revision);
    write(folder.path(), &[("a", "1"), ("d", "3")]);
    fs::remove_dir_all(folder.path().join("new")).unwrap();
    assert_eq!(open(folder.path()).revision, clean.revision);
}

#[test]
fn staged_files_and_changed_kinds() {
    let folder = work_tree(&[("a", "1"), ("d/e", "2"), ("f", "3")]);
    let repository = Repository::open(folder.path()).unwrap();
    write(folder.path(), &[("staged", "s")]);
    repository
        .index()
        .unwrap()
        .add_path(Path::new("staged"))
        .unwrap();
    fs::remove_dir_all(folder.path().join("d")).unwrap();
    fs::remove_file(folder.path().join("f")).unwrap();
    write(
        folder.path(),
        &[("d", "a file now"), ("f/g", "a directory now")],
    );
    assert_eq!(
        files(&open(folder.path()).tree),
        ["a=1", "d=a file now", "f/g=a directory now", "staged=s"]
    );
}

#[test]
fn a_folder_inside_of_a_work_tree() {
    let folder = work_tree(&[("cluster/a", "1"), ("other/b", "2")]);
    write(folder.path(), &[("other/b", "changed")]);
    let inside = folder.path().join("cluster");
    let source = open(&inside);
    assert_eq!(files(&source.tree), ["a=1"]);
    assert_eq!(
        source.revision,
        format!("main@sha1:{}", head(folder.path())),
        "what is outside does not count"
    );
    write(folder.path(), &[("cluster/new", "2")]);
    assert_eq!(files(&open(&inside).tree), ["a=1", "new=2"]);
}

#[test]
fn a_detached_head_and_a_repository_without_commits() {
    let folder = work_tree(&[("a", "1")]);
    let repository = Repository::open(folder.path()).unwrap();
    let id = repository.head().unwrap().target().unwrap();
    repository.set_head_detached(id).unwrap();
    assert_eq!(open(folder.path()).revision, format!("sha1:{id}"));
    write(folder.path(), &[("a", "2")]);
    assert!(
        open(folder.path())
            .revision
            .starts_with("HEAD+dirty@sha256:")
    );

    let folder = tempfile::tempdir().unwrap();
    Repository::init_opts(
        folder.path(),
        RepositoryInitOptions::new().initial_head("trunk"),
    )
    .unwrap();
    write(folder.path(), &[("a", "1")]);
    let source = open(folder.path());
    assert!(
        source.revision.starts_with("trunk+dirty@sha256:"),
        "{}",
        source.revision
    );
    assert_eq!(files(&source.tree), ["a=1"]);
    assert!(source.commit.is_none() && source.time > SystemTime::UNIX_EPOCH);
}

#[test]
fn nested_repositories_are_left_out() {
    let folder = work_tree(&[("a", "1")]);
    Repository::init(folder.path().join("nested")).unwrap();
    write(folder.path(), &[("nested/b", "2")]);
    assert_eq!(files(&open(folder.path()).tree), ["a=1"]);
}

#[test]
fn a_plain_folder() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        &[("a", "1"), ("b/c", "2"), ("skip.png", "x")],
    );
    std::os::unix::fs::symlink("a", folder.path().join("link")).unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(COMMIT_TIME);
    for (file, time) in [
        ("a", old),
        ("b/c", old + Duration::from_secs(9)),
        ("skip.png", SystemTime::now()),
    ] {
        fs::File::options()
            .write(true)
            .open(folder.path().join(file))
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
    let cache = Arc::new(StatCache::new());
    let spec = FolderSpec {
        stats: Some(cache),
        ..FolderSpec::new(folder.path(), SystemTime::now() + Duration::from_secs(60))
    };
    let source = open_folder(&spec).unwrap();
    assert_eq!(files(&source.tree), ["a=1", "b/c=2"]);
    assert!(source.checkout.stat(&path("link")).unwrap().is_some());
    assert!(
        source.revision.starts_with("sha256:"),
        "{}",
        source.revision
    );
    let again = open_folder(&spec).unwrap();
    assert_eq!(again.revision, source.revision);
    assert!(
        again
            .checkout
            .stat(&path("a"))
            .unwrap()
            .unwrap()
            .id
            .is_some(),
        "its digest is remembered"
    );
    write(folder.path(), &[("skip.png", "y")]);
    assert_eq!(
        open_folder(&spec).unwrap().revision,
        source.revision,
        "what is ignored does not count"
    );
    write(folder.path(), &[("b/c", "3")]);
    assert_ne!(open_folder(&spec).unwrap().revision, source.revision);
}

#[test]
fn the_time_of_a_plain_folder_is_that_of_its_newest_file() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("a", "1"), ("b", "2"), ("skip.png", "x")]);
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(COMMIT_TIME);
    for (file, time) in [
        ("a", old),
        ("b", old + Duration::from_secs(9)),
        ("skip.png", old + Duration::from_secs(99)),
    ] {
        fs::File::options()
            .write(true)
            .open(folder.path().join(file))
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
    assert_eq!(open(folder.path()).time, old + Duration::from_secs(9));
}

#[test]
fn rules_of_the_source_hold() {
    let folder = work_tree(&[("apps/a", "1"), ("docs/b", "2")]);
    let spec = FolderSpec {
        ignore: Some("/docs".to_owned()),
        ..FolderSpec::new(folder.path(), SystemTime::now())
    };
    let source = open_folder(&spec).unwrap();
    assert_eq!(files(&source.tree), ["apps/a=1"]);
    assert!(
        source
            .checkout
            .entries(&TreePath::root())
            .unwrap()
            .unwrap()
            .len()
            == 2
    );
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = open_folder(&FolderSpec::new("/nowhere/at/all", SystemTime::now()))
        .unwrap_err()
        .to_string();
    assert!(error.contains("/nowhere/at/all"), "{error}");
}
