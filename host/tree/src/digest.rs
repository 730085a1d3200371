//! Digests of files and of whole trees: equal for equal content, whatever the back end.

use sha2::{Digest as _, Sha256};

use crate::{ContentId, Digest, Entry, EntryKind, Tree, TreeError, TreePath, resolve};

/// The digest of the file that a reader sees at `path`, links followed inside the root. `None`: no file is there.
pub fn digest_file(tree: &dyn Tree, path: &TreePath) -> Result<Option<Digest>, TreeError> {
    match resolve(tree, path)? {
        Some(target) => tree.digest(&target),
        None => Ok(None),
    }
}

/// The digest of all that stands at `path` and below: names, kinds and contents, but neither times nor owners. Links
/// count as links, of a submodule its commit counts. Empty directories count, as a listing shows them; Git has none.
/// Every file whose digest the back end does not know is read.
pub fn digest_tree(tree: &dyn Tree, path: &TreePath) -> Result<Option<Digest>, TreeError> {
    let Some(entries) = tree.outline(path)? else {
        return tree.digest(path);
    };
    let mut stack = vec![Level::new(path.clone(), entries)];
    loop {
        let level = stack.last_mut().expect("the loop ends with the last level");
        let Some(entry) = level.rest.next() else {
            let Level { path, hasher, .. } =
                stack.pop().expect("the loop ends with the last level");
            let digest = hasher.finish();
            let Some(above) = stack.last_mut() else {
                return Ok(Some(digest));
            };
            above.hasher.add(
                EntryKind::Directory,
                path.name().unwrap_or_default(),
                digest.as_bytes(),
            );
            continue;
        };
        let path = child(&level.path, &entry.name)?;
        match entry.kind {
            EntryKind::Directory => {
                let entries = tree.outline(&path)?.ok_or_else(|| vanished(&path))?;
                stack.push(Level::new(path, entries));
            }
            EntryKind::File | EntryKind::Executable | EntryKind::Link => {
                let digest = tree.digest(&path)?.ok_or_else(|| vanished(&path))?;
                level.hasher.add(entry.kind, &entry.name, digest.as_bytes());
            }
            EntryKind::Submodule => {
                let commit = entry.id.map(|id| id.to_string()).unwrap_or_default();
                level.hasher.add(
                    entry.kind,
                    &entry.name,
                    Digest::of(commit.as_bytes()).as_bytes(),
                );
            }
        }
    }
}

struct Level {
    path: TreePath,
    rest: std::vec::IntoIter<Entry>,
    hasher: DirectoryHasher,
}

impl Level {
    fn new(path: TreePath, entries: Vec<Entry>) -> Self {
        Self {
            path,
            rest: entries.into_iter(),
            hasher: DirectoryHasher::new("content"),
        }
    }
}

/// An id for a directory whose entries all have ids; `None` if one has none. `entries` are sorted.
pub(crate) fn directory_id(entries: &[Entry]) -> Option<ContentId> {
    let mut hasher = DirectoryHasher::new("ids");
    for entry in entries {
        match entry.id? {
            ContentId::Git(id) => hasher.add(entry.kind, &entry.name, &id),
            ContentId::Sha256(digest) => hasher.add(entry.kind, &entry.name, digest.as_bytes()),
        }
    }
    Some(ContentId::Sha256(hasher.finish()))
}

/// An id for a directory as seen through a view: `view` tells all views apart that show the same directory differently.
pub(crate) fn view_id(view: &[&[u8]], below: ContentId) -> ContentId {
    let mut hasher = Sha256::new();
    hasher.update(b"weir view\n");
    for part in view {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    match below {
        ContentId::Git(id) => hasher.update(id),
        ContentId::Sha256(digest) => hasher.update(digest.as_bytes()),
    }
    ContentId::Sha256(Digest::from_bytes(hasher.finalize().into()))
}

/// Hashes a directory from its entries' digests. Lengths are part of what is hashed, so that no two different
/// directories give the same bytes.
struct DirectoryHasher(Sha256);

impl DirectoryHasher {
    fn new(purpose: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"weir directory ");
        hasher.update(purpose.as_bytes());
        hasher.update(b"\n");
        Self(hasher)
    }

    fn add(&mut self, kind: EntryKind, name: &str, content: &[u8]) {
        let kind = match kind {
            EntryKind::File => b'f',
            EntryKind::Executable => b'x',
            EntryKind::Directory => b'd',
            EntryKind::Link => b'l',
            EntryKind::Submodule => b's',
        };
        self.0.update([kind]);
        self.0.update((name.len() as u32).to_be_bytes());
        self.0.update(name.as_bytes());
        self.0.update((content.len() as u32).to_be_bytes());
        self.0.update(content);
    }

    fn finish(self) -> Digest {
        Digest::from_bytes(self.0.finalize().into())
    }
}

/// The path of an entry that a tree listed.
pub(crate) fn child(directory: &TreePath, name: &str) -> Result<TreePath, TreeError> {
    directory.child(name).map_err(|error| TreeError::Read {
        path: directory.clone(),
        reason: error.to_string(),
    })
}

/// A tree that listed a name and then has nothing there broke its promise.
pub(crate) fn vanished(path: &TreePath) -> TreeError {
    TreeError::Changed { path: path.clone() }
}
