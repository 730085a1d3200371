use std::sync::Barrier;
use std::thread;

use git2::{Repository, Signature, Time};

use super::*;

struct Fixture {
    folder: tempfile::TempDir,
    commit: ObjectId,
}

/// A bare repository with one commit; entries are (path, mode, content).
fn fixture(files: &[(&str, i32, &[u8])]) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let repository = Repository::init_bare(folder.path()).unwrap();
    let mut index = git2::Index::new().unwrap();
    for (path, mode, content) in files {
        let id = if *mode == 0o160_000 {
            git2::Oid::from_bytes(content).unwrap()
        } else {
            repository.blob(content).unwrap()
        };
        index.add(&entry(path, *mode, id)).unwrap();
    }
    let tree = repository
        .find_tree(index.write_tree_to(&repository).unwrap())
        .unwrap();
    let author = Signature::new("Ann", "ann@example.org", &Time::new(1_700_000_000, 60)).unwrap();
    let committer = Signature::new("Bob", "bob@example.org", &Time::new(1_700_000_100, 0)).unwrap();
    let commit = repository
        .commit(
            Some("refs/heads/main"),
            &author,
            &committer,
            "subject\n\nbody\n",
            &tree,
            &[],
        )
        .unwrap();
    Fixture {
        folder,
        commit: commit.into(),
    }
}

fn entry(path: &str, mode: i32, id: git2::Oid) -> git2::IndexEntry {
    git2::IndexEntry {
        ctime: git2::IndexTime::new(0, 0),
        mtime: git2::IndexTime::new(0, 0),
        dev: 0,
        ino: 0,
        mode: mode.try_into().unwrap(),
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

#[test]
fn a_commit_is_read_without_a_checkout() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n";
    let fixture = fixture(&[
        ("a.txt", 0o100_644, b"crlf\r\n"),
        ("a/run.sh", 0o100_755, b"#!/bin/sh\n"),
        ("a/link", 0o120_000, b"../a.txt"),
        ("big.bin", 0o100_644, pointer),
        ("vendor", 0o160_000, &[9; 20]),
    ]);
    let tree = GitTree::open(fixture.folder.path(), "main").unwrap();
    let entries = tree.entries(&TreePath::root()).unwrap().unwrap();
    let shown: Vec<_> = entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.kind, entry.size))
        .collect();
    assert_eq!(
        shown,
        [
            ("a", EntryKind::Directory, 0),
            ("a.txt", EntryKind::File, 6),
            ("big.bin", EntryKind::File, pointer.len() as u64),
            ("vendor", EntryKind::Submodule, 0),
        ]
    );
    assert_eq!(entries[3].id, Some(ContentId::Git([9; 20])));
    let below = tree.entries(&path("a")).unwrap().unwrap();
    let kinds: Vec<_> = below.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Link, EntryKind::Executable]);
    assert_eq!(
        tree.read(&path("a.txt")).unwrap().as_deref(),
        Some(&b"crlf\r\n"[..])
    );
    assert_eq!(
        tree.read(&path("a/link")).unwrap().as_deref(),
        Some(&b"../a.txt"[..])
    );
    assert_eq!(
        tree.read(&path("big.bin")).unwrap().as_deref(),
        Some(&pointer[..])
    );
    assert_eq!(
        tree.digest(&path("a.txt")).unwrap(),
        Some(Digest::of(b"crlf\r\n"))
    );
    for nothing in ["b", "a/link/x", "a.txt/x", "vendor/x"] {
        assert_eq!(tree.stat(&path(nothing)).unwrap(), None, "{nothing}");
        assert_eq!(tree.read(&path(nothing)).unwrap(), None, "{nothing}");
    }
    assert_eq!(tree.read(&path("vendor")).unwrap(), None);
    assert_eq!(tree.read(&path("a")).unwrap(), None);
    assert_eq!(tree.entries(&path("a.txt")).unwrap(), None);
    assert_eq!(tree.stat(&TreePath::root()).unwrap().unwrap().id, tree.id());
}

#[test]
fn facts_of_the_commit() {
    let fixture = fixture(&[("a", 0o100_644, b"")]);
    let tree = GitTree::open(fixture.folder.path(), &fixture.commit.to_string()).unwrap();
    let commit = tree.commit();
    assert_eq!(commit.id, fixture.commit);
    assert_eq!(
        (commit.subject(), commit.message.as_str()),
        ("subject", "subject\n\nbody\n")
    );
    assert_eq!(
        (commit.author.name.as_str(), commit.author.time),
        ("Ann", 1_700_000_000)
    );
    assert_eq!(
        (commit.committer.email.as_str(), commit.committer.time),
        ("bob@example.org", 1_700_000_100)
    );
    assert_eq!(tree.id(), Some(commit.tree.into()));
}

#[test]
fn what_is_not_there_is_an_error_that_names_it() {
    let fixture = fixture(&[("a", 0o100_644, b"")]);
    let error = GitTree::open(fixture.folder.path(), "nowhere")
        .unwrap_err()
        .to_string();
    assert!(error.contains("nowhere"), "{error}");
    let error = GitTree::open(&fixture.folder.path().join("none"), "main")
        .unwrap_err()
        .to_string();
    assert!(error.contains("none"), "{error}");
}

#[test]
fn a_hostile_directory_object_is_an_error_of_its_own() {
    let fixture = fixture(&[("a", 0o100_644, b"x")]);
    let repository = Repository::open(fixture.folder.path()).unwrap();
    let blob = repository.blob(b"x").unwrap();
    let object = |name: &[u8]| [b"100644 ", name, b"\0", blob.as_bytes()].concat();
    let odb = repository.odb().unwrap();
    let bad = odb.write(git2::ObjectType::Tree, &object(b"..")).unwrap();
    let root = [b"40000 bad\0", bad.as_bytes(), &object(b"good")].concat();
    let root = repository
        .find_tree(odb.write(git2::ObjectType::Tree, &root).unwrap())
        .unwrap();
    let who = Signature::new("A", "a@example.org", &Time::new(0, 0)).unwrap();
    repository
        .commit(Some("refs/heads/bad"), &who, &who, "", &root, &[])
        .unwrap();

    let tree = GitTree::open(fixture.folder.path(), "bad").unwrap();
    assert_eq!(tree.entries(&TreePath::root()).unwrap().unwrap().len(), 2);
    assert!(tree.read(&path("good")).unwrap().is_some());
    let error = tree.entries(&path("bad")).unwrap_err().to_string();
    assert!(error.contains("bad") && error.contains(".."), "{error}");
}

#[test]
fn threads_read_side_by_side() {
    let files: Vec<_> = (0..64)
        .map(|number| {
            (
                format!("d{}/f{number}", number % 8),
                format!("content {number}"),
            )
        })
        .collect();
    let listed: Vec<_> = files
        .iter()
        .map(|(path, text)| (path.as_str(), 0o100_644, text.as_bytes()))
        .collect();
    let fixture = fixture(&listed);
    let tree = GitTree::open(fixture.folder.path(), "main").unwrap();
    // More threads than the pool has handles.
    let barrier = Barrier::new(40);
    thread::scope(|scope| {
        for _ in 0..40 {
            scope.spawn(|| {
                barrier.wait();
                for (name, text) in &files {
                    assert_eq!(
                        tree.read(&path(name)).unwrap().as_deref(),
                        Some(text.as_bytes())
                    );
                }
            });
        }
    });
}

#[test]
fn ids_are_read_from_text() {
    let id: ObjectId = "0123456789abcdef0123456789abcdef01234567".parse().unwrap();
    assert_eq!(id.to_string(), "0123456789abcdef0123456789abcdef01234567");
    for bad in ["", "0123", "g123456789abcdef0123456789abcdef01234567"] {
        assert!(bad.parse::<ObjectId>().is_err(), "{bad}");
    }
}
