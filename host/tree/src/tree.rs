//! The trait that every back end implements.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::{ContentId, Digest, TreePath};

/// The content of one file. Cheap to clone.
pub type Blob = Bytes;

/// The largest file that a tree hands out, in bytes.
pub const MAX_FILE: u64 = 256 << 20;
/// The most entries that one directory, and the most that one archive or one overlay, may have.
pub const MAX_ENTRIES: usize = 1_000_000;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A regular file with an execute bit.
    Executable,
    /// Has entries of its own.
    Directory,
    /// A symbolic link, kept as a link; [`crate::resolve`] follows it inside the root.
    Link,
    /// A Git submodule: only its commit is known.
    Submodule,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// One name, without `/`; empty for the root.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// In bytes: of a file its content, of a link its target text; 0 for what has neither.
    pub size: u64,
    /// Identifies the content where the back end knows it without reading: two entries of one kind with equal ids
    /// have equal content, directories included. `None` says nothing. [`ContentId::Sha256`] of a file or a link is
    /// the digest of its bytes.
    pub id: Option<ContentId>,
}

/// An immutable directory of files.
pub trait Tree: Send + Sync + fmt::Debug {
    /// The entry at `path`; links are not followed, neither the last nor those on the way. `None`: nothing is there.
    fn stat(&self, path: &TreePath) -> Result<Option<Entry>, TreeError>;

    /// The bytes of the file (or the target text of the link) at `path`. `None`: no file is there.
    fn read(&self, path: &TreePath) -> Result<Option<Blob>, TreeError>;

    /// The names in the directory at `path`, sorted by name as bytes. `None`: no directory is there.
    fn entries(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError>;

    /// Identifies the whole tree where that is known without reading it.
    fn id(&self) -> Option<ContentId>;

    /// As [`Tree::entries`] for callers who need no sizes: they are 0 where finding them would cost a look at each
    /// object, as in Git.
    fn outline(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        self.entries(path)
    }

    /// The digest of what [`Tree::read`] would give. Back ends that know it do not read for it.
    fn digest(&self, path: &TreePath) -> Result<Option<Digest>, TreeError> {
        Ok(self.read(path)?.map(|blob| Digest::of(&blob)))
    }
}

impl<T: Tree + ?Sized> Tree for Arc<T> {
    fn stat(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        (**self).stat(path)
    }

    fn read(&self, path: &TreePath) -> Result<Option<Blob>, TreeError> {
        (**self).read(path)
    }

    fn entries(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        (**self).entries(path)
    }

    fn id(&self) -> Option<ContentId> {
        (**self).id()
    }

    fn outline(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        (**self).outline(path)
    }

    fn digest(&self, path: &TreePath) -> Result<Option<Digest>, TreeError> {
        (**self).digest(path)
    }
}

impl<T: Tree + ?Sized> Tree for &T {
    fn stat(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        (**self).stat(path)
    }

    fn read(&self, path: &TreePath) -> Result<Option<Blob>, TreeError> {
        (**self).read(path)
    }

    fn entries(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        (**self).entries(path)
    }

    fn id(&self) -> Option<ContentId> {
        (**self).id()
    }

    fn outline(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        (**self).outline(path)
    }

    fn digest(&self, path: &TreePath) -> Result<Option<Digest>, TreeError> {
        (**self).digest(path)
    }
}

impl Entry {
    /// What `stat` answers for the root of every tree.
    pub(crate) fn root(id: Option<ContentId>) -> Self {
        Self {
            name: String::new(),
            kind: EntryKind::Directory,
            size: 0,
            id,
        }
    }
}

impl EntryKind {
    /// Whether [`Tree::read`] has an answer for it.
    pub fn has_content(self) -> bool {
        match self {
            Self::File | Self::Executable | Self::Link => true,
            Self::Directory | Self::Submodule => false,
        }
    }
}

/// Why a tree could not answer. A missing file is an answer, not an error.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    #[error("reading {path}: {reason}")]
    Read { path: TreePath, reason: String },
    #[error("{path} has {size} bytes, over the limit of {limit}")]
    TooLarge {
        path: TreePath,
        size: u64,
        limit: u64,
    },
    #[error("{path} has {count} entries, over the limit of {limit}")]
    TooManyEntries {
        path: TreePath,
        count: usize,
        limit: usize,
    },
    #[error("the link {path} points to {target}, outside of the root")]
    LinkOutside { path: TreePath, target: String },
    #[error("the link {path} leads in a circle")]
    LinkCycle { path: TreePath },
    /// The file or folder is not what it was when the tree first looked: answering would mix two states.
    #[error("{path} changed while it was in use; run again")]
    Changed { path: TreePath },
    #[error("more than {limit} paths differ")]
    TooManyChanges { limit: usize },
    #[error("the pattern {pattern:?} is not valid: {reason}")]
    Pattern { pattern: String, reason: String },
    #[error("the archive is not readable: {0}")]
    Archive(String),
    #[error("the repository is not readable: {0}")]
    Repository(String),
}
