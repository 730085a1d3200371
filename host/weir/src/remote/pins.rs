//! What was fetched, kept on disk for the next run: each tree as an archive, beside what it was fetched as.
//!
//! A file that cannot be written or read is as good as none. Files are renamed into place, so that two processes at once only
//! do some work twice, and all of it may be deleted at any time.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use weir_render::SourceTree;
use weir_tree::{ArchiveLimits, Digest, EntryKind, TarTree, Tree, TreePath};

/// A tree with more bytes than this is not kept.
const LARGEST: u64 = 64 << 20;
/// What is said about a tree is no longer.
const LONGEST_NOTE: u64 = 64 << 10;

/// A folder of kept trees.
#[derive(Debug)]
pub(super) struct Pins {
    folder: PathBuf,
}

impl Pins {
    pub(super) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The tree that was last fetched for a key.
    pub(super) fn load(&self, key: &str) -> Option<SourceTree> {
        let mut text = String::new();
        let note = fs::File::open(self.place(key, "json")).ok()?;
        note.take(LONGEST_NOTE).read_to_string(&mut text).ok()?;
        let note: Value = serde_json::from_str(&text).ok()?;
        if note.get("key")?.as_str()? != key {
            return None;
        }
        let archive = fs::File::open(self.place(key, "tar")).ok()?;
        let tree =
            TarTree::read_from(io::BufReader::new(archive), ArchiveLimits::default()).ok()?;
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
        fs::create_dir_all(&self.folder)?;
        let note = json!({"key": key, "revision": source.revision, "time": source.time});
        // The note comes last: without it the archive is not looked at.
        self.put(&self.place(key, "tar"), &archive)?;
        self.put(&self.place(key, "json"), note.to_string().as_bytes())
    }

    fn put(&self, place: &Path, content: &[u8]) -> io::Result<()> {
        let mut new = place.as_os_str().to_owned();
        new.push(format!(".{}", std::process::id()));
        fs::write(&new, content)?;
        fs::rename(&new, place)
    }

    fn place(&self, key: &str, ending: &str) -> PathBuf {
        let digest = Digest::of(key.as_bytes()).to_string();
        let name = digest.rsplit(':').next().unwrap_or_default();
        self.folder.join(format!("{name}.{ending}"))
    }
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

    #[test]
    fn a_tree_is_what_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let pins = Pins::at(folder.path().join("pins"));
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        let path = TreePath::parse("templates/a.yaml").unwrap();
        overlay.file(&path, b"a: 1\n".to_vec()).unwrap();
        let source = SourceTree {
            tree: Arc::new(overlay.finish().unwrap()),
            revision: "1.0.0@sha256:x".to_owned(),
            time: 7,
        };
        assert!(pins.load("chart a").is_none());
        pins.save("chart a", &source);
        let kept = pins.load("chart a").unwrap();
        assert_eq!((kept.revision.as_str(), kept.time), ("1.0.0@sha256:x", 7));
        let content = kept.tree.read(&path).unwrap().unwrap();
        assert_eq!(&*content, b"a: 1\n");
        assert!(pins.load("chart b").is_none());
    }
}
