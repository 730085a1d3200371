//! Files replaced, added or removed on top of another tree.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::digest::{child, directory_id};
use crate::tree::{MAX_ENTRIES, MAX_FILE};
use crate::{Blob, ContentId, Digest, Entry, EntryKind, Tree, TreeError, TreePath};

/// A tree with nothing in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyTree;

/// Changes on top of a base that stays as it is. Parent directories appear by themselves; a file may take the place of
/// a directory and the other way round; a directory whose last entry is removed goes with it, as in Git. A link in the
/// way of a new file is replaced by a directory, never followed.
///
/// A directory with changes below has an id of its own, so that it is never taken for the base's.
pub struct OverlayTree {
    root: Directory,
}

/// Collects the changes of an [`OverlayTree`]; of two changes at one place the later one counts.
pub struct Overlay {
    root: Directory,
    changes: usize,
}

/// What an overlay says about one path.
enum Node {
    Removed,
    File {
        kind: EntryKind,
        blob: Blob,
        digest: Digest,
    },
    /// Whatever another tree has at a path.
    Mount(Below),
    Directory(Directory),
}

/// A directory with changes: `children` hide what `below` has under the same names.
struct Directory {
    below: Option<Below>,
    children: BTreeMap<String, Node>,
    /// Set by [`Directory::finish`].
    exists: bool,
    id: Option<ContentId>,
}

/// A place in another tree.
#[derive(Clone)]
struct Below {
    tree: Arc<dyn Tree>,
    path: TreePath,
}

/// Where a look-up ends.
enum Found<'a> {
    Nothing,
    Node(&'a Node),
    Below(Below),
    Root(&'a Directory),
}

impl OverlayTree {
    /// Starts a set of changes on top of `base`.
    pub fn on(base: Arc<dyn Tree>) -> Overlay {
        let below = Below {
            tree: base,
            path: TreePath::root(),
        };
        Overlay {
            root: Directory::over(Some(below)),
            changes: 0,
        }
    }
}

impl Overlay {
    /// Puts a file.
    pub fn file(&mut self, path: &TreePath, content: impl Into<Blob>) -> Result<(), TreeError> {
        self.put_content(path, EntryKind::File, content.into())
    }

    /// Puts a file with an execute bit.
    pub fn executable(
        &mut self,
        path: &TreePath,
        content: impl Into<Blob>,
    ) -> Result<(), TreeError> {
        self.put_content(path, EntryKind::Executable, content.into())
    }

    /// Puts a symbolic link.
    pub fn link(&mut self, path: &TreePath, target: &str) -> Result<(), TreeError> {
        self.put_content(
            path,
            EntryKind::Link,
            Blob::copy_from_slice(target.as_bytes()),
        )
    }

    /// Puts what stands at `from` in another tree, a file or a whole directory, without reading it now.
    pub fn mount(
        &mut self,
        path: &TreePath,
        tree: Arc<dyn Tree>,
        from: TreePath,
    ) -> Result<(), TreeError> {
        self.put(path, Node::Mount(Below { tree, path: from }))
    }

    /// Takes away a file or a directory with all in it. Nothing happens where nothing is.
    pub fn remove(&mut self, path: &TreePath) -> Result<(), TreeError> {
        let there = match self.root.find(path) {
            Found::Nothing => false,
            Found::Below(below) => below
                .tree
                .stat(&below.path)
                .map_err(|error| seen_at(path, error))?
                .is_some(),
            Found::Root(_) | Found::Node(_) => true,
        };
        if there {
            self.put(path, Node::Removed)
        } else {
            Ok(())
        }
    }

    /// The tree with the changes.
    pub fn finish(mut self) -> Result<OverlayTree, TreeError> {
        self.root.finish(&TreePath::root())?;
        Ok(OverlayTree { root: self.root })
    }

    fn put_content(
        &mut self,
        path: &TreePath,
        kind: EntryKind,
        blob: Blob,
    ) -> Result<(), TreeError> {
        let size = blob.len() as u64;
        if size > MAX_FILE {
            return Err(TreeError::TooLarge {
                path: path.clone(),
                size,
                limit: MAX_FILE,
            });
        }
        let digest = Digest::of(&blob);
        self.put(path, Node::File { kind, blob, digest })
    }

    fn put(&mut self, path: &TreePath, node: Node) -> Result<(), TreeError> {
        self.changes += 1;
        if self.changes > MAX_ENTRIES {
            let (path, count) = (path.clone(), self.changes);
            return Err(TreeError::TooManyEntries {
                path,
                count,
                limit: MAX_ENTRIES,
            });
        }
        let Some(name) = path.name() else {
            return self.put_root(node);
        };
        let mut here = &mut self.root;
        for name in path.parent().unwrap_or_else(TreePath::root).names() {
            let below = here.below.as_ref().and_then(|below| below.child(name));
            let next = here
                .children
                .entry(name.to_owned())
                .or_insert_with(|| Node::Directory(Directory::over(below)));
            here = next.make_directory();
        }
        here.children.insert(name.to_owned(), node);
        Ok(())
    }

    /// The root stays a directory.
    fn put_root(&mut self, node: Node) -> Result<(), TreeError> {
        self.root = match node {
            Node::Removed => Directory::over(None),
            Node::Mount(below) => Directory::over(Some(below)),
            Node::Directory(directory) => directory,
            Node::File { .. } => {
                let reason =
                    "the root of a tree is a directory; a file cannot take its place".to_owned();
                return Err(TreeError::Read {
                    path: TreePath::root(),
                    reason,
                });
            }
        };
        Ok(())
    }
}

impl OverlayTree {
    fn list(&self, path: &TreePath, sizes: bool) -> Result<Option<Vec<Entry>>, TreeError> {
        match self.root.find(path) {
            Found::Root(directory) => Ok(Some(directory.list(path, sizes)?)),
            Found::Node(Node::Directory(directory)) if directory.exists => {
                Ok(Some(directory.list(path, sizes)?))
            }
            Found::Below(below) => below.list(sizes).map_err(|error| seen_at(path, error)),
            Found::Nothing | Found::Node(_) => Ok(None),
        }
    }
}

impl Tree for OverlayTree {
    fn stat(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let name = path.name().unwrap_or_default();
        match self.root.find(path) {
            Found::Nothing => Ok(None),
            Found::Root(directory) => Ok(Some(Entry::root(directory.id))),
            Found::Node(node) => node.entry(name, path),
            Found::Below(below) => below.stat(name).map_err(|error| seen_at(path, error)),
        }
    }

    fn read(&self, path: &TreePath) -> Result<Option<Blob>, TreeError> {
        match self.root.find(path) {
            Found::Node(Node::File { blob, .. }) => Ok(Some(blob.clone())),
            Found::Below(below) => below
                .tree
                .read(&below.path)
                .map_err(|error| seen_at(path, error)),
            Found::Nothing | Found::Root(_) | Found::Node(_) => Ok(None),
        }
    }

    fn entries(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        self.list(path, true)
    }

    fn id(&self) -> Option<ContentId> {
        self.root.id
    }

    fn outline(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        self.list(path, false)
    }

    fn digest(&self, path: &TreePath) -> Result<Option<Digest>, TreeError> {
        match self.root.find(path) {
            Found::Node(Node::File { digest, .. }) => Ok(Some(*digest)),
            Found::Below(below) => below
                .tree
                .digest(&below.path)
                .map_err(|error| seen_at(path, error)),
            Found::Nothing | Found::Root(_) | Found::Node(_) => Ok(None),
        }
    }
}

impl Node {
    /// Makes this a directory, for something is to stand in it.
    fn make_directory(&mut self) -> &mut Directory {
        let below = match self {
            Self::Directory(_) | Self::Removed | Self::File { .. } => None,
            Self::Mount(below) => Some(below.clone()),
        };
        if !matches!(self, Self::Directory(_)) {
            *self = Self::Directory(Directory::over(below));
        }
        let Self::Directory(directory) = self else {
            unreachable!("it was made a directory just now")
        };
        directory
    }

    fn entry(&self, name: &str, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let name = name.to_owned();
        match self {
            Self::Removed => Ok(None),
            Self::File { kind, blob, digest } => {
                let id = Some(ContentId::Sha256(*digest));
                Ok(Some(Entry {
                    name,
                    kind: *kind,
                    size: blob.len() as u64,
                    id,
                }))
            }
            Self::Mount(below) => below.stat(&name).map_err(|error| seen_at(path, error)),
            Self::Directory(directory) if directory.exists => Ok(Some(Entry {
                name,
                kind: EntryKind::Directory,
                size: 0,
                id: directory.id,
            })),
            Self::Directory(_) => Ok(None),
        }
    }
}

impl Directory {
    fn over(below: Option<Below>) -> Self {
        Self {
            below,
            children: BTreeMap::new(),
            exists: true,
            id: None,
        }
    }

    fn find(&self, path: &TreePath) -> Found<'_> {
        let mut here = self;
        let mut found = Found::Root(self);
        let mut names = path.names();
        while let Some(name) = names.next() {
            let Some(node) = here.children.get(name) else {
                let below = here
                    .below
                    .as_ref()
                    .and_then(|below| below.child(name)?.descend(names));
                return below.map_or(Found::Nothing, Found::Below);
            };
            match node {
                Node::Directory(directory) => here = directory,
                Node::Mount(below) => {
                    return below
                        .clone()
                        .descend(names)
                        .map_or(Found::Nothing, Found::Below);
                }
                Node::Removed => return Found::Nothing,
                Node::File { .. } if names.next().is_some() => return Found::Nothing,
                Node::File { .. } => return Found::Node(node),
            }
            found = Found::Node(node);
        }
        found
    }

    /// Finds out, from the leaves up, which directories have anything left and what their ids are.
    fn finish(&mut self, path: &TreePath) -> Result<(), TreeError> {
        for (name, node) in &mut self.children {
            if let Node::Directory(directory) = node {
                directory.finish(&child(path, name)?)?;
            }
        }
        let listing = self.list(path, false)?;
        self.exists = !listing.is_empty() || self.was_empty()?;
        self.id = directory_id(&listing);
        Ok(())
    }

    /// Whether this directory was there and empty before the changes.
    fn was_empty(&self) -> Result<bool, TreeError> {
        match &self.below {
            Some(below) => Ok(below.list(false)?.is_some_and(|entries| entries.is_empty())),
            None => Ok(false),
        }
    }

    fn list(&self, path: &TreePath, sizes: bool) -> Result<Vec<Entry>, TreeError> {
        let mut entries = match &self.below {
            Some(below) => below
                .list(sizes)
                .map_err(|error| seen_at(path, error))?
                .unwrap_or_default(),
            None => Vec::new(),
        };
        entries.retain(|entry| !self.children.contains_key(&entry.name));
        for (name, node) in &self.children {
            entries.extend(node.entry(name, &child(path, name)?)?);
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}

impl Below {
    /// `None`: the path would be too long to exist there.
    fn child(&self, name: &str) -> Option<Self> {
        Some(Self {
            tree: Arc::clone(&self.tree),
            path: self.path.child(name).ok()?,
        })
    }

    fn descend<'a>(self, mut names: impl Iterator<Item = &'a str>) -> Option<Self> {
        names.try_fold(self, |below, name| below.child(name))
    }

    fn list(&self, sizes: bool) -> Result<Option<Vec<Entry>>, TreeError> {
        if sizes {
            self.tree.entries(&self.path)
        } else {
            self.tree.outline(&self.path)
        }
    }

    fn stat(&self, name: &str) -> Result<Option<Entry>, TreeError> {
        Ok(self.tree.stat(&self.path)?.map(|entry| Entry {
            name: name.to_owned(),
            ..entry
        }))
    }
}

impl Tree for EmptyTree {
    fn stat(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        Ok(path.is_root().then(|| Entry::root(self.id())))
    }

    fn read(&self, _path: &TreePath) -> Result<Option<Blob>, TreeError> {
        Ok(None)
    }

    fn entries(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        Ok(path.is_root().then(Vec::new))
    }

    fn id(&self) -> Option<ContentId> {
        directory_id(&[])
    }
}

impl EmptyTree {
    /// As the base of an overlay that holds all files itself.
    pub fn shared() -> Arc<dyn Tree> {
        Arc::new(Self)
    }
}

impl fmt::Debug for OverlayTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OverlayTree({:?})", self.root)
    }
}

impl fmt::Debug for Overlay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Overlay({} changes, {:?})", self.changes, self.root)
    }
}

/// Shows what a directory lies on and how many names change; contents can be secret.
impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.below {
            Some(below) => write!(f, "{} names over {:?}", self.children.len(), below.tree),
            None => write!(f, "{} names", self.children.len()),
        }
    }
}

/// An error of a tree below speaks of the path there; readers know the one here.
fn seen_at(path: &TreePath, error: TreeError) -> TreeError {
    let path = path.clone();
    match error {
        TreeError::Read { reason, .. } => TreeError::Read { path, reason },
        TreeError::TooLarge { size, limit, .. } => TreeError::TooLarge { path, size, limit },
        TreeError::TooManyEntries { count, limit, .. } => {
            TreeError::TooManyEntries { path, count, limit }
        }
        TreeError::LinkOutside { target, .. } => TreeError::LinkOutside { path, target },
        TreeError::LinkCycle { .. } => TreeError::LinkCycle { path },
        TreeError::Changed { .. } => TreeError::Changed { path },
        TreeError::TooManyChanges { .. }
        | TreeError::Pattern { .. }
        | TreeError::Archive(_)
        | TreeError::Repository(_) => error,
    }
}

#[cfg(test)]
mod tests;
