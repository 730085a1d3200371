//! What was fetched, kept on disk for the next run: each tree as an archive in the store that the controller has too, and a
//! note of what it was fetched as, which says which archive.
//!
//! A file that cannot be written or read is as good as none. Files are renamed into place, so that two processes at once only
//! do some work twice, and all of it may be deleted at any time. The store drops what was used longest ago when it has more
//! than its budget; a note whose archive is gone says nothing.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json};
use weir_render::SourceTree;
use weir_source::store::Store;
use weir_tree::{ArchiveLimits, Digest, EntryKind, TarTree, Tree, TreePath};

/// A tree with more bytes than this is not kept.
const LARGEST: u64 = 64 << 20;
/// What is said about a tree is no longer.
const LONGEST_NOTE: u64 = 64 << 10;
/// With more notes, those go whose archives are gone, and then the oldest.
const MOST_NOTES: usize = 10_000;

/// Notes, and the store that has the trees.
#[derive(Debug)]
pub(super) struct Pins {
    folder: PathBuf,
    store: Arc<Store>,
}

impl Pins {
    pub(super) fn at(folder: PathBuf, store: Arc<Store>) -> Self {
        Self { folder, store }
    }

    /// The tree that was last fetched for a key.
    pub(super) fn load(&self, key: &str) -> Option<SourceTree> {
        let note = read(&self.place(key))?;
        if note.get("key")?.as_str()? != key {
            return None;
        }
        let digest = note.get("archive")?.as_str()?.parse().ok()?;
        let archive = self.store.get(&digest).ok()??;
        let tree = TarTree::read_from(&*archive, ArchiveLimits::default()).ok()?;
        Some(SourceTree {
            tree: Arc::new(tree),
            revision: note.get("revision")?.as_str()?.to_owned(),
            time: note.get("time")?.as_u64()?,
        })
    }

    /// Keeps a tree in place of what was kept for the key.
    pub(super) fn save(&self, key: &str, tree: &SourceTree) {
        if let Err(error) = self.try_save(key, tree) {
            tracing::debug!(key, error = %error, "what was fetched is not kept");
        }
    }

    fn try_save(&self, key: &str, source: &SourceTree) -> io::Result<()> {
        let mut archive = tar::Builder::new(Vec::new());
        let mut left = LARGEST;
        pack(&*source.tree, &TreePath::root(), &mut archive, &mut left)?;
        let archive = archive.into_inner()?;
        // The note comes last: what it refers to is there.
        let digest = self.store.put(&archive).map_err(io::Error::other)?;
        fs::create_dir_all(&self.folder)?;
        let note = json!({"key": key, "archive": digest.to_string(), "revision": source.revision, "time": source.time});
        self.put(&self.place(key), note.to_string().as_bytes())?;
        self.store
            .collect(SystemTime::now())
            .map_err(io::Error::other)?;
        self.collect(MOST_NOTES)
    }

    /// Removes notes when there are too many.
    fn collect(&self, most: usize) -> io::Result<()> {
        let mut notes = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let when = entry.metadata().and_then(|meta| meta.modified());
            notes.push((when.unwrap_or(SystemTime::UNIX_EPOCH), entry.path()));
        }
        if notes.len() <= most {
            return Ok(());
        }
        notes.sort();
        let gone = |path: &Path| {
            let digest = read(path).and_then(|note| note.get("archive")?.as_str()?.parse().ok());
            let archive = digest.map(|digest| self.store.has(&digest));
            !archive.unwrap_or(false)
        };
        let (useless, useful): (Vec<PathBuf>, Vec<PathBuf>) = notes
            .into_iter()
            .map(|(_, path)| path)
            .partition(|path| gone(path));
        let oldest = useful.len().saturating_sub(most);
        for path in useless.iter().chain(&useful[..oldest]) {
            // Another process may have been faster.
            let _ = fs::remove_file(path);
        }
        Ok(())
    }

    fn put(&self, place: &Path, content: &[u8]) -> io::Result<()> {
        let mut new = place.as_os_str().to_owned();
        new.push(format!(".{}", std::process::id()));
        fs::write(&new, content)?;
        fs::rename(&new, place)
    }

    fn place(&self, key: &str) -> PathBuf {
        let name = Digest::of(key.as_bytes()).hex();
        self.folder.join(format!("{name}.json"))
    }
}

/// A note, if it is one.
fn read(path: &Path) -> Option<Value> {
    let mut text = String::new();
    let note = fs::File::open(path).ok()?;
    note.take(LONGEST_NOTE).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Adds all files below a folder. The depth is that of a path in a tree, which is bounded.
fn pack(
    tree: &dyn Tree,
    folder: &TreePath,
    archive: &mut tar::Builder<Vec<u8>>,
    left: &mut u64,
) -> io::Result<()> {
    let entries = tree.entries(folder).map_err(io::Error::other)?;
    for entry in entries.unwrap_or_default() {
        let path = folder.join(&entry.name).map_err(io::Error::other)?;
        match entry.kind {
            EntryKind::Directory => pack(tree, &path, archive, left)?,
            EntryKind::File | EntryKind::Executable => {
                let content = tree.read(&path).map_err(io::Error::other)?;
                let content = content.unwrap_or_default();
                *left = left
                    .checked_sub(content.len() as u64)
                    .ok_or_else(|| io::Error::other("the tree is too large"))?;
                let mut header = tar::Header::new_gnu();
                header.set_size(content.len() as u64);
                let executable = entry.kind == EntryKind::Executable;
                header.set_mode(if executable { 0o755 } else { 0o644 });
                archive.append_data(&mut header, path.as_str(), &*content)?;
            }
            EntryKind::Link | EntryKind::Submodule => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_tree::{EmptyTree, OverlayTree};

    fn pins(folder: &Path, budget: u64) -> Pins {
        let store = Store::open(folder.join("store"), budget).unwrap();
        Pins::at(folder.join("pins"), Arc::new(store))
    }

    fn source(content: &str) -> SourceTree {
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        let path = TreePath::parse("templates/a.yaml").unwrap();
        overlay.file(&path, content.as_bytes().to_vec()).unwrap();
        SourceTree {
            tree: Arc::new(overlay.finish().unwrap()),
            revision: "1.0.0@sha256:x".to_owned(),
            time: 7,
        }
    }

    #[test]
    fn a_tree_is_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let pins = pins(folder.path(), 1 << 20);
        assert!(pins.load("chart a").is_none());
        pins.save("chart a", &source("a: 1\n"));
        let kept = pins.load("chart a").unwrap();
        assert_eq!((kept.revision.as_str(), kept.time), ("1.0.0@sha256:x", 7));
        let path = TreePath::parse("templates/a.yaml").unwrap();
        let content = kept.tree.read(&path).unwrap().unwrap();
        assert_eq!(&*content, b"a: 1\n");
        assert!(pins.load("chart b").is_none());
    }

    #[test]
    fn what_was_used_longest_ago_goes() {
        let folder = tempfile::tempdir().unwrap();
        // Two archives have room.
        let pins = pins(folder.path(), 5 << 10);
        for name in ["a", "b", "c"] {
            pins.save(name, &source(name));
        }
        assert!(pins.load("a").is_none());
        assert!(pins.load("b").is_some() && pins.load("c").is_some());
        // The note of "a" is useless, and goes first.
        pins.collect(2).unwrap();
        assert!(!pins.place("a").exists() && pins.place("b").exists() && pins.place("c").exists());
        pins.collect(1).unwrap();
        assert_eq!(fs::read_dir(&pins.folder).unwrap().count(), 1);
    }
}
