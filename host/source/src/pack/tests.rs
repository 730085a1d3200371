use std::collections::BTreeMap;
use std::sync::Mutex;

use proptest::prelude::*;
use weir_tree::{ArchiveLimits, Blob, ContentId, EmptyTree, Overlay, OverlayTree, TarTree};

use super::*;

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

fn tree<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Overlay {
    let mut overlay = OverlayTree::on(EmptyTree::shared());
    for (name, content) in files {
        overlay.file(&path(name), content.to_owned()).unwrap();
    }
    overlay
}

#[test]
fn what_is_packed_is_the_same_tree_again() {
    let long = format!("deep/{}/x.yaml", "n".repeat(200));
    let mut overlay = tree([("a.yaml", "a: 1\n"), (&*long, "x")]);
    overlay.executable(&path("bin/run"), "#!/bin/sh\n").unwrap();
    overlay.link(&path("link"), "a.yaml").unwrap();
    let tree = overlay.finish().unwrap();
    let packed = pack(&tree).unwrap();
    assert_eq!(packed, pack(&tree).unwrap());
    let again = TarTree::read_from(&*packed, ArchiveLimits::default()).unwrap();
    let changes = weir_tree::changed(&tree, &again).unwrap();
    let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    // The link is left out, and with it the root is another.
    assert_eq!(paths, ["", "link"]);
}

/// Notes what is read.
#[derive(Debug)]
struct Watched<T>(T, Mutex<Vec<String>>);

impl<T: Tree> Tree for Watched<T> {
    fn stat(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        self.0.stat(path)
    }

    fn read(&self, path: &TreePath) -> Result<Option<Blob>, TreeError> {
        self.1.lock().unwrap().push(path.as_str().to_owned());
        self.0.read(path)
    }

    fn entries(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        self.0.entries(path)
    }

    fn id(&self) -> Option<ContentId> {
        self.0.id()
    }
}

/// A tree that knows what its files are, as those of Git do.
fn known(files: &BTreeMap<String, String>) -> Watched<TarTree> {
    let files = files.iter().map(|(name, text)| (&**name, &**text));
    let packed = pack(&tree(files).finish().unwrap()).unwrap();
    let tree = TarTree::read_from(&*packed, ArchiveLimits::default()).unwrap();
    Watched(tree, Mutex::default())
}

fn files(count: usize) -> BTreeMap<String, String> {
    let name = |number: usize| format!("apps/team-{}/app-{number}.yaml", number % 7);
    let files = (0..count).map(|number| (name(number), format!("number: {number}\n")));
    files.collect()
}

#[test]
fn one_changed_file_costs_one_part() {
    let mut files = files(3000);
    let before = repack(&known(&files), &Packed::default()).unwrap();
    files.insert("apps/team-3/app-10.yaml".into(), "number: ten\n".into());
    let changed = known(&files);
    let after = repack(&changed, &before).unwrap();
    let read = std::mem::take(&mut *changed.1.lock().unwrap());
    assert!(read.contains(&"apps/team-3/app-10.yaml".to_owned()));
    assert!(read.len() <= MAX_PART, "{} files were read", read.len());
    assert_ne!(before.bytes, after.bytes);
    assert_eq!(after.bytes, pack(&changed).unwrap());
}

#[test]
fn an_archive_that_is_not_there_any_more_is_made_whole() {
    let tree = known(&files(500));
    let mut before = repack(&tree, &Packed::default()).unwrap();
    let whole = before.bytes.clone();
    before.bytes = Bytes::new();
    assert_eq!(repack(&tree, &before).unwrap().bytes, whole);
}

#[test]
fn all_of_the_stream_is_one_member() {
    let packed = pack(&known(&files(1000))).unwrap();
    let mut rest = &*packed;
    let mut text = Vec::new();
    let mut reader = flate2::bufread::GzDecoder::new(&mut rest);
    std::io::Read::read_to_end(&mut reader, &mut text).unwrap();
    assert!(rest.is_empty());
    assert_eq!(text.len() % 512, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However an archive came about, it depends on the tree alone.
    #[test]
    fn the_way_does_not_show(
        steps in prop::collection::vec(prop::collection::btree_map("[ab]{1,2}/[a-z]{1,3}", "[a-z\n]{0,400}", 0..150), 1..4)
    ) {
        let mut packed = Packed::default();
        for files in steps {
            let tree = known(&files);
            packed = repack(&tree, &packed).unwrap();
            prop_assert_eq!(&packed.bytes, &pack(&tree).unwrap());
            let again = TarTree::read_from(&*packed.bytes, ArchiveLimits::default()).unwrap();
            prop_assert!(weir_tree::changed(&tree.0, &again).unwrap().is_empty());
        }
    }
}
