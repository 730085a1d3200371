use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use super::*;

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

/// Files as (path, content).
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn now() -> FolderOptions {
    FolderOptions::at(SystemTime::now())
}

/// A run that begins when all files have long been left alone.
fn later(cache: &Arc<StatCache>) -> FolderOptions {
    FolderOptions {
        cache: Some(Arc::clone(cache)),
        ..FolderOptions::at(SystemTime::now() + Duration::from_secs(60))
    }
}

fn open(folder: &tempfile::TempDir, options: FolderOptions) -> FolderTree {
    FolderTree::open(folder.path(), options).unwrap()
}

#[track_caller]
fn changed<T: fmt::Debug>(answer: Result<T, TreeError>, at: &str) {
    assert!(
        matches!(&answer, Err(TreeError::Changed { path }) if path.as_str() == at),
        "{answer:?}"
    );
}

#[test]
fn kinds_names_and_sizes() {
    let folder = folder(&[
        ("a/run", "#!"),
        ("a/b", "hello"),
        (".git/config", "x"),
        ("sub/.git", "gitdir: x"),
    ]);
    fs::set_permissions(
        folder.path().join("a/run"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    symlink("../x", folder.path().join("a/link")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let tree = open(&folder, now());
    let root: Vec<_> = tree
        .entries(&TreePath::root())
        .unwrap()
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    assert_eq!(root, ["a", "sub"]);
    assert_eq!(tree.entries(&path("sub")).unwrap(), Some(Vec::new()));
    assert_eq!(tree.stat(&path(".git/config")).unwrap(), None);
    let entries = tree.entries(&path("a")).unwrap().unwrap();
    let shown: Vec<_> = entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.kind, entry.size))
        .collect();
    assert_eq!(
        shown,
        [
            ("b", EntryKind::File, 5),
            ("link", EntryKind::Link, 4),
            ("run", EntryKind::Executable, 2)
        ]
    );
    assert_eq!(
        tree.read(&path("a/link")).unwrap().as_deref(),
        Some(&b"../x"[..])
    );
    assert_eq!(
        tree.read(&path("a/b")).unwrap().as_deref(),
        Some(&b"hello"[..])
    );
    assert_eq!(tree.read(&path("a")).unwrap(), None);
    assert_eq!(tree.read(&path("a/b/c")).unwrap(), None);
    drop(socket);
}

#[test]
fn what_was_read_stays_as_it_was() {
    let folder = folder(&[("a", "one"), ("d/b", "one")]);
    let tree = open(&folder, now());
    assert_eq!(tree.read(&path("a")).unwrap().as_deref(), Some(&b"one"[..]));
    assert_eq!(tree.entries(&path("d")).unwrap().unwrap().len(), 1);
    fs::write(folder.path().join("a"), "two").unwrap();
    fs::write(folder.path().join("d/new"), "new").unwrap();
    fs::write(folder.path().join("fresh"), "new").unwrap();
    assert_eq!(tree.read(&path("a")).unwrap().as_deref(), Some(&b"one"[..]));
    assert_eq!(tree.entries(&path("d")).unwrap().unwrap().len(), 1);
    assert_eq!(tree.stat(&path("d/new")).unwrap(), None);
    assert_eq!(tree.read(&path("fresh")).unwrap(), None);
}

#[test]
fn a_file_that_changed_after_its_listing_is_an_error() {
    let folder = folder(&[("a", "one"), ("b", "one"), ("c", "one"), ("d/e/f", "x")]);
    let tree = open(&folder, now());
    assert!(tree.stat(&path("a")).unwrap().is_some());
    assert!(tree.stat(&path("d/e")).unwrap().is_some());
    fs::write(folder.path().join("a"), "longer").unwrap();
    fs::remove_file(folder.path().join("b")).unwrap();
    fs::remove_file(folder.path().join("c")).unwrap();
    fs::create_dir(folder.path().join("c")).unwrap();
    fs::remove_dir_all(folder.path().join("d/e")).unwrap();
    for file in ["a", "b", "c"] {
        changed(tree.read(&path(file)), file);
        changed(tree.digest(&path(file)), file);
    }
    changed(tree.entries(&path("d/e")), "d/e");
    assert_eq!(
        open(&folder, now()).read(&path("a")).unwrap().as_deref(),
        Some(&b"longer"[..])
    );
}

#[test]
fn beyond_the_budget_files_are_read_again_and_must_be_the_same() {
    let folder = folder(&[("a", "12345"), ("b", "67890")]);
    let tree = open(&folder, FolderOptions { budget: 8, ..now() });
    assert_eq!(
        tree.read(&path("a")).unwrap().as_deref(),
        Some(&b"12345"[..])
    );
    assert_eq!(
        tree.read(&path("b")).unwrap().as_deref(),
        Some(&b"67890"[..])
    );
    assert_eq!(
        tree.read(&path("b")).unwrap().as_deref(),
        Some(&b"67890"[..])
    );
    let digest = tree.digest(&path("b")).unwrap();
    for file in ["a", "b"] {
        fs::write(folder.path().join(file), "other").unwrap();
    }
    assert_eq!(
        tree.read(&path("a")).unwrap().as_deref(),
        Some(&b"12345"[..]),
        "kept"
    );
    changed(tree.read(&path("b")), "b");
    assert_eq!(tree.digest(&path("b")).unwrap(), digest);
}

#[test]
fn a_directory_swapped_for_a_link_leads_nowhere() {
    let outside = folder(&[("secret", "secret")]);
    let folder = folder(&[("d/secret", "public")]);
    let tree = open(&folder, now());
    assert!(tree.stat(&path("d/secret")).unwrap().is_some());
    fs::remove_dir_all(folder.path().join("d")).unwrap();
    symlink(outside.path(), folder.path().join("d")).unwrap();
    changed(tree.read(&path("d/secret")), "d");
    let tree = open(&folder, now());
    assert_eq!(tree.read(&path("d/secret")).unwrap(), None);
    assert_eq!(tree.entries(&path("d")).unwrap(), None);
    assert!(matches!(
        crate::resolve(&tree, &path("d/secret")),
        Err(TreeError::LinkOutside { .. })
    ));
}

#[test]
fn remembered_digests_spare_the_reading() {
    let folder = folder(&[("a", "hello")]);
    let cache = Arc::new(StatCache::new());
    let tree = open(&folder, later(&cache));
    assert_eq!(tree.stat(&path("a")).unwrap().unwrap().id, None);
    assert_eq!(tree.digest(&path("a")).unwrap(), Some(Digest::of(b"hello")));

    let file = folder.path().join("a");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let tree = open(&folder, later(&cache));
    assert_eq!(
        tree.stat(&path("a")).unwrap().unwrap().id,
        None,
        "the ctime is another one"
    );
    assert_eq!(tree.digest(&path("a")).unwrap(), Some(Digest::of(b"hello")));

    let tree = open(&folder, later(&cache));
    let id = ContentId::Sha256(Digest::of(b"hello"));
    assert_eq!(tree.stat(&path("a")).unwrap().unwrap().id, Some(id));
    // The answer comes from the cache even when the file can no longer be read.
    fs::remove_file(&file).unwrap();
    assert_eq!(tree.digest(&path("a")).unwrap(), Some(Digest::of(b"hello")));
    changed(tree.read(&path("a")), "a");
}

#[test]
fn files_touched_just_now_are_not_remembered() {
    let folder = folder(&[("a", "hello")]);
    let cache = Arc::new(StatCache::new());
    let options = || FolderOptions {
        cache: Some(Arc::clone(&cache)),
        ..now()
    };
    assert!(
        open(&folder, options())
            .digest(&path("a"))
            .unwrap()
            .is_some()
    );
    assert_eq!(
        open(&folder, options())
            .stat(&path("a"))
            .unwrap()
            .unwrap()
            .id,
        None
    );
}

#[test]
fn a_wrong_memory_is_found_out_and_forgotten() {
    let folder = folder(&[("a", "hello")]);
    let cache = Arc::new(StatCache::new());
    let stamp = open(&folder, now())
        .find(&path("a"))
        .unwrap()
        .unwrap()
        .stamp;
    cache.put(&path("a"), stamp, Digest::of(b"other"));
    changed(open(&folder, later(&cache)).read(&path("a")), "a");
    assert_eq!(
        open(&folder, later(&cache)).digest(&path("a")).unwrap(),
        Some(Digest::of(b"hello"))
    );
}

#[test]
fn the_cache_is_saved_and_loaded() {
    let folder = folder(&[("a b/c", "hello"), ("d", "x")]);
    let file = folder.path().join("stat");
    let cache = Arc::new(StatCache::load(&file).unwrap());
    let tree = open(&folder, later(&cache));
    tree.digest(&path("a b/c")).unwrap();
    cache.save(&file).unwrap();

    let loaded = Arc::new(StatCache::load(&file).unwrap());
    let tree = open(&folder, later(&loaded));
    assert_eq!(
        tree.stat(&path("a b/c")).unwrap().unwrap().id,
        Some(ContentId::Sha256(Digest::of(b"hello")))
    );
    assert_eq!(tree.stat(&path("d")).unwrap().unwrap().id, None);

    let whole = fs::read_to_string(&file).unwrap();
    for (damage, part) in [
        (whole.replace("a b/c", "a b/d"), "digest is wrong"),
        (whole[..whole.len() - 10].to_owned(), "does not end"),
        (String::new(), "does not end"),
        ("\n".to_owned(), "no digest"),
    ] {
        fs::write(&file, damage).unwrap();
        let error = StatCache::load(&file).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn threads_see_one_state() {
    let folder = folder(&[("a", "one"), ("d/b", "two")]);
    let tree = open(&folder, now());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                assert_eq!(
                    tree.read(&path("d/b")).unwrap().as_deref(),
                    Some(&b"two"[..])
                );
                assert_eq!(tree.entries(&TreePath::root()).unwrap().unwrap().len(), 2);
            });
        }
    });
}

#[test]
fn a_missing_folder_is_named() {
    let error = FolderTree::open(Path::new("/nowhere/at/all"), now())
        .unwrap_err()
        .to_string();
    assert!(error.contains("/nowhere/at/all"), "{error}");
}
