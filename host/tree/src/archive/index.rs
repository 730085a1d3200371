//! Names of an archive and where their contents lie.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::digest::directory_id;
use crate::{ContentId, Digest, Entry, EntryKind, TreePath};

/// A finished directory tree.
#[derive(Debug)]
pub(super) struct Index {
    root: Node,
    len: usize,
}

#[derive(Debug)]
pub(super) enum Node {
    /// A file or a link; its bytes lie in the content buffer.
    File {
        kind: EntryKind,
        range: Range<usize>,
        digest: Digest,
    },
    Directory {
        children: BTreeMap<String, Node>,
        id: Option<ContentId>,
    },
}

/// An index that grows entry by entry. Errors complete the sentence "the entry X …".
#[derive(Debug)]
pub(super) struct IndexBuilder {
    root: Node,
    len: usize,
    limit: usize,
}

impl IndexBuilder {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            root: Node::directory(),
            len: 0,
            limit,
        }
    }

    /// Makes the directory and those above it.
    pub(super) fn directory(&mut self, path: &TreePath) -> Result<(), String> {
        self.make_directory(path).map(|_| ())
    }

    /// Puts a file or link in place of one that was there before.
    pub(super) fn file(&mut self, path: &TreePath, file: Node) -> Result<(), String> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else {
            return Err("has no name".to_owned());
        };
        let children = self.make_directory(&parent)?;
        match children.get_mut(name) {
            Some(Node::Directory { .. }) => {
                return Err("stands where a directory was before".to_owned());
            }
            Some(before) => *before = file,
            None => {
                children.insert(name.to_owned(), file);
                self.count()?;
            }
        }
        Ok(())
    }

    /// The file that a hard link names.
    pub(super) fn linked(&self, path: &TreePath) -> Option<Node> {
        match self.root.find(path)? {
            Node::File {
                kind,
                range,
                digest,
            } => Some(Node::File {
                kind: *kind,
                range: range.clone(),
                digest: *digest,
            }),
            Node::Directory { .. } => None,
        }
    }

    pub(super) fn finish(mut self) -> Index {
        self.root.finish();
        Index {
            root: self.root,
            len: self.len,
        }
    }

    fn make_directory(&mut self, path: &TreePath) -> Result<&mut BTreeMap<String, Node>, String> {
        let mut made = 0;
        let mut here = &mut self.root;
        for name in path.names() {
            let Node::Directory { children, .. } = here else {
                return Err(below_no_directory(path));
            };
            here = children.entry(name.to_owned()).or_insert_with(|| {
                made += 1;
                Node::directory()
            });
        }
        self.len += made;
        if self.len > self.limit {
            return Err(format!(
                "is one more than the limit of {} entries",
                self.limit
            ));
        }
        match here {
            Node::Directory { children, .. } => Ok(children),
            Node::File { .. } => Err(below_no_directory(path)),
        }
    }

    fn count(&mut self) -> Result<(), String> {
        self.len += 1;
        if self.len > self.limit {
            return Err(format!(
                "is one more than the limit of {} entries",
                self.limit
            ));
        }
        Ok(())
    }
}

fn below_no_directory(path: &TreePath) -> String {
    format!("needs the directory {path}, but a file or a link stands there or above")
}

impl Index {
    pub(super) fn find(&self, path: &TreePath) -> Option<&Node> {
        self.root.find(path)
    }

    pub(super) fn id(&self) -> Option<ContentId> {
        self.root.entry("").id
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }
}

impl Node {
    fn directory() -> Self {
        Self::Directory {
            children: BTreeMap::new(),
            id: None,
        }
    }

    fn find(&self, path: &TreePath) -> Option<&Self> {
        let mut here = self;
        for name in path.names() {
            let Self::Directory { children, .. } = here else {
                return None;
            };
            here = children.get(name)?;
        }
        Some(here)
    }

    pub(super) fn entry(&self, name: &str) -> Entry {
        let (kind, size, id) = match self {
            Self::Directory { id, .. } => (EntryKind::Directory, 0, *id),
            Self::File {
                kind,
                range,
                digest,
            } => (*kind, range.len() as u64, Some(ContentId::Sha256(*digest))),
        };
        Entry {
            name: name.to_owned(),
            kind,
            size,
            id,
        }
    }

    /// Gives directories their ids. The recursion is as deep as a path may have names.
    fn finish(&mut self) {
        if let Self::Directory { children, id } = self {
            for child in children.values_mut() {
                child.finish();
            }
            let entries: Vec<Entry> = children
                .iter()
                .map(|(name, node)| node.entry(name))
                .collect();
            *id = directory_id(&entries);
        }
    }
}
