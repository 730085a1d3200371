//! A local folder as a tree.
//!
//! A folder changes while it is read; a tree does not. So a directory is listed once, with kinds, sizes and time
//! stamps, when something in it is first asked for, and every later answer comes from that listing. A file is digested
//! when first read and its bytes are kept within a budget. Beyond the budget the file is read again and must still
//! have that digest. What was changed in between is the error [`TreeError::Changed`], never a second state.
//!
//! A [`StatCache`] remembers digests by size, time stamps and inode, so that the next run need not read for them.
//!
//! *Links* stay links. Paths are opened name by name, each relative to the directory above and without following
//! links, so that a directory that somebody swaps for a link in mid-run leads nowhere.
//!
//! *Left out:* everything called `.git`, and what is neither file, directory nor link. A name that is not UTF-8 makes
//! the listing of its directory an error.

mod disk;
mod stat_cache;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::tree::{MAX_ENTRIES, MAX_FILE};
use crate::{Blob, ContentId, Digest, Entry, EntryKind, Tree, TreeError, TreePath};

use disk::{Item, Root, Stamp};

pub use stat_cache::{StatCache, StatCacheError};

/// A folder on this machine. See the module's documentation for what holds when it changes.
pub struct FolderTree {
    root: Root,
    cache: Option<Arc<StatCache>>,
    /// Digests of files that were touched after this moment are not remembered.
    settled_before: SystemTime,
    budget: u64,
    state: Mutex<State>,
}

/// How a folder is read.
#[derive(Clone, Debug)]
pub struct FolderOptions {
    /// The time now. Files that were touched less than two seconds before it are read again by the next run, for a
    /// second change within the resolution of time stamps would go unnoticed.
    pub now: SystemTime,
    /// Bytes of files that are kept in memory.
    pub budget: u64,
    /// What earlier runs learnt, and where this one adds.
    pub cache: Option<Arc<StatCache>>,
}

impl FolderOptions {
    /// 128 MiB and no cache.
    pub fn at(now: SystemTime) -> Self {
        Self {
            now,
            budget: 128 << 20,
            cache: None,
        }
    }
}

#[derive(Default)]
struct State {
    listings: HashMap<TreePath, Arc<Listing>>,
    files: HashMap<TreePath, Kept>,
    /// Entries in all listings.
    entries: usize,
    /// Bytes in all files kept.
    bytes: u64,
}

/// A directory as it was when first looked at, sorted by name.
#[derive(Debug)]
struct Listing {
    entries: Vec<Entry>,
    stamps: Vec<Stamp>,
}

#[derive(Clone)]
struct Kept {
    digest: Digest,
    blob: Option<Blob>,
}

impl FolderTree {
    /// Opens the folder; the path itself may be a link.
    pub fn open(path: &Path, options: FolderOptions) -> Result<Self, TreeError> {
        Ok(Self {
            root: Root::open(path)?,
            cache: options.cache,
            settled_before: options
                .now
                .checked_sub(stat_cache::RACY)
                .unwrap_or(SystemTime::UNIX_EPOCH),
            budget: options.budget,
            state: Mutex::default(),
        })
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        self.root.path()
    }

    /// When the file or link at `path` was last modified, as first seen.
    pub fn modified(&self, path: &TreePath) -> Result<Option<SystemTime>, TreeError> {
        Ok(self.find(path)?.map(|found| found.stamp.modified()))
    }

    fn find(&self, path: &TreePath) -> Result<Option<Found>, TreeError> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else {
            return Ok(None);
        };
        let Some(listing) = self.listing(&parent)? else {
            return Ok(None);
        };
        Ok(listing.get(name))
    }

    /// The listing of the directory at `path`; that of each directory above it is taken on the way.
    fn listing(&self, path: &TreePath) -> Result<Option<Arc<Listing>>, TreeError> {
        if let Some(known) = self.locked().listings.get(path) {
            return Ok(Some(Arc::clone(known)));
        }
        let mut here = TreePath::root();
        let mut listing = self.listed(&here, None)?;
        for name in path.names() {
            let Some(found) = listing.get(name) else {
                return Ok(None);
            };
            if found.entry.kind != EntryKind::Directory {
                return Ok(None);
            }
            here = crate::digest::child(&here, name)?;
            listing = self.listed(&here, Some(found.stamp))?;
        }
        Ok(Some(listing))
    }

    /// Takes the listing of a directory that is known to be one.
    fn listed(&self, path: &TreePath, stamp: Option<Stamp>) -> Result<Arc<Listing>, TreeError> {
        if let Some(known) = self.locked().listings.get(path) {
            return Ok(Arc::clone(known));
        }
        let items = self.root.list(path, stamp)?;
        let listing = Arc::new(self.make_listing(path, items));
        let mut state = self.locked();
        if let Some(first) = state.listings.get(path) {
            // Another thread was faster; what it saw may have been given out already.
            return Ok(Arc::clone(first));
        }
        let count = state.entries + listing.entries.len();
        if count > MAX_ENTRIES {
            return Err(TreeError::TooManyEntries {
                path: path.clone(),
                count,
                limit: MAX_ENTRIES,
            });
        }
        state.entries = count;
        state.listings.insert(path.clone(), Arc::clone(&listing));
        Ok(listing)
    }

    fn make_listing(&self, directory: &TreePath, mut items: Vec<Item>) -> Listing {
        items.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut listing = Listing {
            entries: Vec::with_capacity(items.len()),
            stamps: Vec::with_capacity(items.len()),
        };
        for item in items {
            let known = match (&self.cache, item.kind.has_content()) {
                (Some(cache), true) => {
                    let path = directory.child(&item.name).ok();
                    path.and_then(|path| cache.get(&path, item.stamp))
                        .map(ContentId::Sha256)
                }
                _ => None,
            };
            let size = if item.kind.has_content() {
                item.stamp.size
            } else {
                0
            };
            listing.entries.push(Entry {
                name: item.name,
                kind: item.kind,
                size,
                id: known,
            });
            listing.stamps.push(item.stamp);
        }
        listing
    }

    /// Reads the content and sees to it that it is what was known before.
    fn fetch(&self, path: &TreePath, found: &Found) -> Result<(Digest, Blob), TreeError> {
        if found.stamp.size > MAX_FILE {
            let (path, size) = (path.clone(), found.stamp.size);
            return Err(TreeError::TooLarge {
                path,
                size,
                limit: MAX_FILE,
            });
        }
        let blob = match found.entry.kind {
            EntryKind::Link => self.root.read_link(path, found.stamp)?,
            EntryKind::File
            | EntryKind::Executable
            | EntryKind::Directory
            | EntryKind::Submodule => self.root.read_file(path, found.stamp)?,
        };
        let digest = Digest::of(&blob);
        if let Some(id) = found.entry.id
            && id != ContentId::Sha256(digest)
        {
            // The file has another content under the same stamps; the next run shall not believe them again.
            if let Some(cache) = &self.cache {
                cache.forget(path);
            }
            return Err(TreeError::Changed { path: path.clone() });
        }
        let mut state = self.locked();
        if let Some(first) = state.files.get(path) {
            if first.digest != digest {
                return Err(TreeError::Changed { path: path.clone() });
            }
            return Ok((digest, blob));
        }
        let size = blob.len() as u64;
        let keep = state.bytes + size <= self.budget;
        if keep {
            state.bytes += size;
        }
        state.files.insert(
            path.clone(),
            Kept {
                digest,
                blob: keep.then(|| blob.clone()),
            },
        );
        drop(state);
        if let Some(cache) = &self.cache
            && found.stamp.is_settled(self.settled_before)
        {
            cache.put(path, found.stamp, digest);
        }
        Ok((digest, blob))
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tree for FolderTree {
    fn stat(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        if path.is_root() {
            return Ok(Some(Entry::root(None)));
        }
        Ok(self.find(path)?.map(|found| found.entry))
    }

    fn read(&self, path: &TreePath) -> Result<Option<Blob>, TreeError> {
        let Some(found) = self
            .find(path)?
            .filter(|found| found.entry.kind.has_content())
        else {
            return Ok(None);
        };
        let kept = self.locked().files.get(path).cloned();
        if let Some(Kept {
            blob: Some(blob), ..
        }) = kept
        {
            return Ok(Some(blob));
        }
        Ok(Some(self.fetch(path, &found)?.1))
    }

    fn entries(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        Ok(self.listing(path)?.map(|listing| listing.entries.clone()))
    }

    fn id(&self) -> Option<ContentId> {
        None
    }

    fn digest(&self, path: &TreePath) -> Result<Option<Digest>, TreeError> {
        let Some(found) = self
            .find(path)?
            .filter(|found| found.entry.kind.has_content())
        else {
            return Ok(None);
        };
        if let Some(ContentId::Sha256(digest)) = found.entry.id {
            return Ok(Some(digest));
        }
        let kept = self.locked().files.get(path).map(|kept| kept.digest);
        match kept {
            Some(digest) => Ok(Some(digest)),
            None => Ok(Some(self.fetch(path, &found)?.0)),
        }
    }
}

struct Found {
    entry: Entry,
    stamp: Stamp,
}

impl Listing {
    fn get(&self, name: &str) -> Option<Found> {
        let index = self
            .entries
            .binary_search_by(|entry| entry.name.as_str().cmp(name))
            .ok()?;
        Some(Found {
            entry: self.entries[index].clone(),
            stamp: self.stamps[index],
        })
    }
}

impl fmt::Debug for FolderTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FolderTree({:?})", self.root.path())
    }
}

/// The path as people see it, for messages.
fn shown_path(root: &Path, path: &TreePath) -> PathBuf {
    if path.is_root() {
        root.to_owned()
    } else {
        root.join(path.as_str())
    }
}

#[cfg(test)]
mod tests;
