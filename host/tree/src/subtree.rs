//! A folder of a tree as a tree of its own.

use crate::{Blob, ContentId, Digest, Entry, EntryKind, Tree, TreeError, TreePath};

/// The tree below one directory of another. Its root is a root: links that leave it lead outside.
#[derive(Clone, Debug)]
pub struct Subtree<T> {
    base: T,
    root: TreePath,
    id: Option<ContentId>,
}

impl<T: Tree> Subtree<T> {
    /// `None`: there is no directory at `root`.
    pub fn new(base: T, root: TreePath) -> Result<Option<Self>, TreeError> {
        let id = match base.stat(&root)? {
            Some(entry) if entry.kind == EntryKind::Directory => entry.id,
            _ => return Ok(None),
        };
        Ok(Some(Self { base, root, id }))
    }

    fn below(&self, path: &TreePath) -> Result<TreePath, TreeError> {
        let joined = self.root.join(path.as_str());
        joined.map_err(|error| TreeError::Read {
            path: path.clone(),
            reason: error.to_string(),
        })
    }
}

impl<T: Tree> Tree for Subtree<T> {
    fn stat(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        if path.is_root() {
            return Ok(Some(Entry::root(self.id)));
        }
        self.base.stat(&self.below(path)?)
    }

    fn read(&self, path: &TreePath) -> Result<Option<Blob>, TreeError> {
        self.base.read(&self.below(path)?)
    }

    fn entries(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        self.base.entries(&self.below(path)?)
    }

    fn id(&self) -> Option<ContentId> {
        self.id
    }

    fn outline(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        self.base.outline(&self.below(path)?)
    }

    fn digest(&self, path: &TreePath) -> Result<Option<Digest>, TreeError> {
        self.base.digest(&self.below(path)?)
    }
}
