use super::*;

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

/// A tree of files whose content is their own path.
fn files(paths: &[&str]) -> Arc<dyn Tree> {
    let mut overlay = OverlayTree::on(EmptyTree::shared());
    for file in paths {
        overlay.file(&path(file), file.as_bytes().to_vec()).unwrap();
    }
    Arc::new(overlay.finish().unwrap())
}

fn names(tree: &dyn Tree, at: &str) -> Option<Vec<String>> {
    Some(
        tree.entries(&path(at))
            .unwrap()?
            .into_iter()
            .map(|entry| entry.name)
            .collect(),
    )
}

#[track_caller]
fn check(tree: &dyn Tree, at: &str, expected: &[&str]) {
    assert_eq!(
        names(tree, at).unwrap_or_else(|| panic!("{at} is no directory")),
        expected,
        "{at}"
    );
}

#[test]
fn files_are_added_replaced_and_removed() {
    let base = files(&["a/1", "a/2", "b/1", "c"]);
    let mut overlay = OverlayTree::on(Arc::clone(&base));
    overlay.file(&path("a/2"), "new").unwrap();
    overlay.file(&path("x/y/z"), "z").unwrap();
    overlay.remove(&path("c")).unwrap();
    let tree = overlay.finish().unwrap();
    check(&tree, "", &["a", "b", "x"]);
    check(&tree, "a", &["1", "2"]);
    check(&tree, "x", &["y"]);
    assert_eq!(tree.read(&path("a/1")).unwrap(), Some(Blob::from("a/1")));
    assert_eq!(tree.read(&path("a/2")).unwrap(), Some(Blob::from("new")));
    assert_eq!(tree.read(&path("c")).unwrap(), None);
    assert_eq!(
        tree.stat(&path("x/y")).unwrap().unwrap().kind,
        EntryKind::Directory
    );
    assert_eq!(tree.stat(&path("x/y/z/w")).unwrap(), None);
}

#[test]
fn only_changed_directories_get_new_ids() {
    let base = files(&["a/1", "b/1", "b/c/1"]);
    let mut overlay = OverlayTree::on(Arc::clone(&base));
    overlay.file(&path("b/2"), "2").unwrap();
    let tree = overlay.finish().unwrap();
    let id = |tree: &dyn Tree, at: &str| tree.stat(&path(at)).unwrap().unwrap().id.unwrap();
    assert_eq!(id(&tree, "a"), id(&base, "a"));
    assert_eq!(id(&tree, "b/c"), id(&base, "b/c"));
    assert_ne!(id(&tree, "b"), id(&base, "b"));
    assert_ne!(tree.id(), base.id());
}

#[test]
fn a_file_takes_the_place_of_a_directory_and_back() {
    let base = files(&["a/1", "a/b/2", "f"]);
    let mut overlay = OverlayTree::on(base);
    overlay.file(&path("a"), "file").unwrap();
    overlay.file(&path("f/x"), "x").unwrap();
    let tree: Arc<dyn Tree> = Arc::new(overlay.finish().unwrap());
    assert_eq!(tree.read(&path("a")).unwrap(), Some(Blob::from("file")));
    assert_eq!(tree.stat(&path("a/1")).unwrap(), None);
    assert_eq!(names(&tree, "a"), None);
    check(&tree, "f", &["x"]);
    assert_eq!(tree.read(&path("f")).unwrap(), None);

    let mut overlay = OverlayTree::on(tree);
    overlay.remove(&path("a")).unwrap();
    overlay.file(&path("a/3"), "3").unwrap();
    let tree = overlay.finish().unwrap();
    check(&tree, "a", &["3"]);
}

#[test]
fn nothing_of_a_removed_directory_comes_back() {
    let mut overlay = OverlayTree::on(files(&["a/1", "a/2"]));
    overlay.remove(&path("a")).unwrap();
    overlay.file(&path("a/9"), "9").unwrap();
    check(&overlay.finish().unwrap(), "a", &["9"]);
}

#[test]
fn an_emptied_directory_goes() {
    let mut overlay = OverlayTree::on(files(&["a/b/1", "c/1"]));
    overlay.remove(&path("a/b/1")).unwrap();
    overlay.remove(&path("none/at/all")).unwrap();
    overlay.remove(&path("c/1/x")).unwrap();
    overlay.file(&path("d"), "d").unwrap();
    overlay.remove(&path("d/x")).unwrap();
    let tree = overlay.finish().unwrap();
    check(&tree, "", &["c", "d"]);
    check(&tree, "c", &["1"]);
    assert_eq!(tree.stat(&path("a")).unwrap(), None);
    assert_eq!(names(&tree, "a/b"), None);
    assert_eq!(tree.stat(&path("none")).unwrap(), None);
}

#[test]
fn a_link_in_the_way_is_not_followed() {
    let mut base = OverlayTree::on(files(&["real/1"]));
    base.link(&path("link"), "real").unwrap();
    let mut overlay = OverlayTree::on(Arc::new(base.finish().unwrap()));
    overlay.file(&path("link/2"), "2").unwrap();
    let tree = overlay.finish().unwrap();
    check(&tree, "link", &["2"]);
    check(&tree, "real", &["1"]);
}

#[test]
fn other_trees_are_mounted_and_changed() {
    let other = files(&["d/1", "d/e/2", "f"]);
    let mut overlay = OverlayTree::on(files(&["a/1"]));
    overlay
        .mount(&path("a/m"), Arc::clone(&other), path("d"))
        .unwrap();
    overlay
        .mount(&path("g"), Arc::clone(&other), path("f"))
        .unwrap();
    overlay
        .mount(&path("gone"), Arc::clone(&other), path("none"))
        .unwrap();
    overlay
        .mount(&path("n"), Arc::clone(&other), TreePath::root())
        .unwrap();
    overlay.file(&path("n/d/e/3"), "3").unwrap();
    overlay.remove(&path("n/d/1")).unwrap();
    let tree = overlay.finish().unwrap();
    check(&tree, "", &["a", "g", "n"]);
    check(&tree, "a", &["1", "m"]);
    check(&tree, "a/m", &["1", "e"]);
    check(&tree, "n/d", &["e"]);
    check(&tree, "n/d/e", &["2", "3"]);
    assert_eq!(
        tree.read(&path("a/m/e/2")).unwrap(),
        Some(Blob::from("d/e/2"))
    );
    assert_eq!(tree.read(&path("g")).unwrap(), Some(Blob::from("f")));
    assert_eq!(
        tree.stat(&path("a/m")).unwrap().unwrap().id,
        other.stat(&path("d")).unwrap().unwrap().id
    );
}

#[test]
fn the_root_stays_a_directory() {
    let mut overlay = OverlayTree::on(files(&["a"]));
    assert!(overlay.file(&TreePath::root(), "x").is_err());
    overlay.remove(&TreePath::root()).unwrap();
    let tree = overlay.finish().unwrap();
    check(&tree, "", &[]);
    assert_eq!(tree.id(), EmptyTree.id());
    let entry = tree.stat(&TreePath::root()).unwrap().unwrap();
    assert_eq!(
        (entry.kind, entry.name.as_str()),
        (EntryKind::Directory, "")
    );
}
