//! Trees of tar archives, held in memory.
//!
//! The stream may be plain, gzip or zstd; its first bytes tell. It is read once, in order, into one buffer of file
//! contents with an index over it; nothing is written to disk, so no name can do harm there. Nevertheless:
//!
//! - A name must be UTF-8, relative, and without `..`; `./` in front and `/` at the end are fine. Anything else is an
//!   error, as is a name without parts that is not a directory.
//! - Of two entries with one name the later counts, as tar has it; but a directory never turns into something else,
//!   and nothing stands below what is not a directory. Names that differ only by case are two names.
//! - Links are kept as links, wherever they point: [`crate::resolve`] keeps readers inside the root. A hard link is a
//!   second name of a file that came before it in the archive; any other target is an error.
//! - Devices, FIFOs, sparse files and parts of multi-volume archives are errors.
//! - Directories without entries of their own are made.
//!
//! Size, number and single files are bounded by [`ArchiveLimits`], before and after decompression.

mod index;
mod reader;

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use crate::tree::{MAX_ENTRIES, MAX_FILE};
use crate::{Blob, ContentId, Digest, Entry, Tree, TreeError, TreePath};

use index::{Index, Node};

/// The tree in a tar archive. Cheap to clone.
#[derive(Clone)]
pub struct TarTree {
    index: Arc<Index>,
    content: Blob,
}

/// How much of an archive is taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Bytes read from the stream.
    pub compressed: u64,
    /// Bytes after decompression.
    pub unpacked: u64,
    /// Bytes of one file.
    pub file: u64,
    /// Files, links and directories, also those that have no entry of their own.
    pub entries: usize,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self {
            compressed: 256 << 20,
            unpacked: 1 << 30,
            file: MAX_FILE,
            entries: MAX_ENTRIES,
        }
    }
}

impl TarTree {
    /// Reads the whole archive.
    pub fn read_from(stream: impl Read, limits: ArchiveLimits) -> Result<Self, TreeError> {
        Self::of(reader::read(stream, limits, false)?)
    }

    /// Reads the whole archive as Flux unpacks artifacts: links are left out, so that other entries may have their names,
    /// and a backslash in a name is an error.
    pub fn read_as_flux(stream: impl Read, limits: ArchiveLimits) -> Result<Self, TreeError> {
        Self::of(reader::read(stream, limits, true)?)
    }

    fn of((index, content): (Index, Vec<u8>)) -> Result<Self, TreeError> {
        Ok(Self {
            index: Arc::new(index),
            content: content.into(),
        })
    }
}

impl Tree for TarTree {
    fn stat(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        Ok(self
            .index
            .find(path)
            .map(|node| node.entry(path.name().unwrap_or_default())))
    }

    fn read(&self, path: &TreePath) -> Result<Option<Blob>, TreeError> {
        match self.index.find(path) {
            Some(Node::File { range, .. }) => Ok(Some(self.content.slice(range.clone()))),
            Some(Node::Directory { .. }) | None => Ok(None),
        }
    }

    fn entries(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        match self.index.find(path) {
            Some(Node::Directory { children, .. }) => Ok(Some(
                children
                    .iter()
                    .map(|(name, node)| node.entry(name))
                    .collect(),
            )),
            Some(Node::File { .. }) | None => Ok(None),
        }
    }

    fn id(&self) -> Option<ContentId> {
        self.index.id()
    }

    fn digest(&self, path: &TreePath) -> Result<Option<Digest>, TreeError> {
        match self.index.find(path) {
            Some(Node::File { digest, .. }) => Ok(Some(*digest)),
            Some(Node::Directory { .. }) | None => Ok(None),
        }
    }
}

impl fmt::Debug for TarTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "TarTree({} entries, {} bytes)",
            self.index.len(),
            self.content.len()
        )
    }
}

#[cfg(test)]
mod tests;
