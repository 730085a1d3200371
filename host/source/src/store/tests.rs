use super::*;

const OWNER: &str = "gitrepository/apps/fleet";

fn store(budget: u64) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("store"), budget).unwrap();
    (folder, store)
}

fn later() -> SystemTime {
    SystemTime::now() + STALE * 2
}

#[test]
fn the_newest_and_the_one_before_are_served() {
    let (_folder, store) = store(1 << 20);
    for revision in ["1", "2", "3"] {
        let content = format!("content {revision}");
        let file = format!("{revision}.tar.gz");
        store
            .publish(OWNER, &file, revision, content.as_bytes())
            .unwrap();
    }
    let path = |file: &str| format!("{OWNER}/{file}");
    assert!(store.find(&path("1.tar.gz")).unwrap().is_none());
    assert_eq!(
        store.find(&path("2.tar.gz")).unwrap().unwrap().1,
        "content 2"
    );
    let (newest, content) = store.newest(OWNER).unwrap().unwrap();
    assert_eq!(
        (newest.revision.as_str(), &content[..]),
        ("3", &b"content 3"[..])
    );
    assert_eq!(newest.digest, Digest::of(b"content 3").to_string());
    store.remove(OWNER).unwrap();
    assert!(store.newest(OWNER).unwrap().is_none());
}

#[test]
fn another_process_sees_the_same() {
    let (folder, store) = store(1 << 20);
    store.publish(OWNER, "1.tar.gz", "1", b"x").unwrap();
    let other = Store::open(folder.path().join("store"), 1).unwrap();
    assert_eq!(other.newest(OWNER).unwrap().unwrap().1, "x");
}

#[test]
fn what_is_referred_to_stays_and_the_rest_goes_over_the_budget() {
    let (_folder, store) = store(10);
    store.publish(OWNER, "1.tar.gz", "1", b"12345").unwrap();
    let first = store.put(b"abcd").unwrap();
    let path = store.blob(&first);
    let old = SystemTime::now() - Duration::from_secs(1000);
    File::options()
        .append(true)
        .open(path)
        .unwrap()
        .set_modified(old)
        .unwrap();
    let second = store.put(b"efgh").unwrap();
    assert_eq!(store.collect(SystemTime::now()).unwrap(), 9);
    assert!(store.get(&first).unwrap().is_none());
    assert!(store.get(&second).unwrap().is_some());
    assert!(store.newest(OWNER).unwrap().is_some());
    assert!(matches!(
        store.put(b"12345678901"),
        Err(StoreError::Budget { .. })
    ));
}

#[test]
fn damage_is_as_if_nothing_were_there() {
    let (_folder, store) = store(1 << 20);
    let artifact = store.publish(OWNER, "1.tar.gz", "1", b"x").unwrap();
    fs::write(store.blob(&artifact.digest.parse().unwrap()), b"y").unwrap();
    assert!(store.newest(OWNER).unwrap().is_none());
    store.publish(OWNER, "1.tar.gz", "1", b"x").unwrap();
    assert!(store.newest(OWNER).unwrap().is_some());
    fs::write(store.record_path(OWNER), b"{\"owner\":").unwrap();
    assert!(store.newest(OWNER).unwrap().is_none());
    store.publish(OWNER, "1.tar.gz", "1", b"x").unwrap();
    assert!(store.newest(OWNER).unwrap().is_some());
}

/// A process that is killed leaves one of these states, for each write is a rename.
#[test]
fn every_state_that_a_killed_process_leaves_is_whole() {
    let (folder, store) = store(1 << 20);
    store.publish(OWNER, "1.tar.gz", "1", b"old").unwrap();
    let root = folder.path().join("store");
    fs::write(root.join("tmp-half"), b"ne").unwrap();
    assert_eq!(store.newest(OWNER).unwrap().unwrap().1, "old");
    store.put(b"new").unwrap();
    assert_eq!(store.newest(OWNER).unwrap().unwrap().1, "old");
    store.collect(SystemTime::now()).unwrap();
    assert!(root.join("tmp-half").exists());
    store.collect(later()).unwrap();
    assert!(!root.join("tmp-half").exists());
    assert_eq!(store.newest(OWNER).unwrap().unwrap().1, "old");
    store.publish(OWNER, "2.tar.gz", "2", b"new").unwrap();
    assert_eq!(store.newest(OWNER).unwrap().unwrap().1, "new");
}

#[test]
fn no_path_leads_out() {
    let (_folder, store) = store(1 << 20);
    for (owner, file) in [
        ("a/../b", "f"),
        ("a//b", "f"),
        ("a/b", "../f"),
        ("a/b", ".."),
    ] {
        assert!(
            matches!(
                store.publish(owner, file, "1", b"x"),
                Err(StoreError::Path(_))
            ),
            "{owner} {file}"
        );
    }
    assert!(store.find("../../etc/passwd").unwrap().is_none());
}
