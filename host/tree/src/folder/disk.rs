//! System calls: everything is opened relative to a directory handle and without following links.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::path::check_entry_name;
use crate::tree::MAX_ENTRIES;
use crate::{Blob, EntryKind, TreeError, TreePath};

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
/// `NONBLOCK`: a FIFO that took a file's place must not hang the opening.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// The folder itself, open for as long as the tree lives.
pub(super) struct Root {
    path: PathBuf,
    handle: OwnedFd,
}

/// One entry of a directory.
pub(super) struct Item {
    pub(super) name: String,
    pub(super) kind: EntryKind,
    pub(super) stamp: Stamp,
}

/// What tells that a file is still the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) size: u64,
    pub(super) inode: u64,
    /// Nanoseconds since 1970.
    pub(super) mtime: i64,
    /// Nanoseconds since 1970.
    pub(super) ctime: i64,
}

impl Root {
    pub(super) fn open(path: &Path) -> Result<Self, TreeError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle =
            rustix::fs::open(path, flags, Mode::empty()).map_err(|error| TreeError::Read {
                path: TreePath::root(),
                reason: format!("the folder {} cannot be opened: {error}", path.display()),
            })?;
        Ok(Self {
            path: path.to_owned(),
            handle,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What is in the directory at `path`, which must still be the one with `stamp`.
    pub(super) fn list(
        &self,
        path: &TreePath,
        stamp: Option<Stamp>,
    ) -> Result<Vec<Item>, TreeError> {
        let handle = self.open_directory(path)?;
        if let Some(stamp) = stamp {
            let now =
                Stamp::from(&rustix::fs::fstat(&handle).map_err(|error| self.error(path, error))?);
            if now.inode != stamp.inode {
                return Err(TreeError::Changed { path: path.clone() });
            }
        }
        let mut items = Vec::new();
        for entry in Dir::read_from(&handle).map_err(|error| self.error(path, error))? {
            let entry = entry.map_err(|error| self.error(path, error))?;
            let raw = entry.file_name();
            if matches!(raw.to_bytes(), b"." | b".." | b".git") {
                continue;
            }
            let stat = match rustix::fs::statat(&handle, raw, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                // It went away since the directory was opened: then it is not in the listing.
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(self.error(path, error)),
            };
            let kind = match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile if stat.st_mode & 0o111 != 0 => EntryKind::Executable,
                FileType::RegularFile => EntryKind::File,
                FileType::Directory => EntryKind::Directory,
                FileType::Symlink => EntryKind::Link,
                FileType::Fifo
                | FileType::Socket
                | FileType::CharacterDevice
                | FileType::BlockDevice
                | FileType::Unknown => continue,
            };
            let name = raw.to_str().map_err(|_| {
                let reason = format!(
                    "it holds the name {:?}, which is not UTF-8",
                    raw.to_string_lossy()
                );
                TreeError::Read {
                    path: path.clone(),
                    reason,
                }
            })?;
            check_entry_name(name).map_err(|error| TreeError::Read {
                path: path.clone(),
                reason: error.to_string(),
            })?;
            if items.len() == MAX_ENTRIES {
                let (path, count) = (path.clone(), items.len() + 1);
                return Err(TreeError::TooManyEntries {
                    path,
                    count,
                    limit: MAX_ENTRIES,
                });
            }
            items.push(Item {
                name: name.to_owned(),
                kind,
                stamp: Stamp::from(&stat),
            });
        }
        Ok(items)
    }

    /// The bytes of the file at `path`, which must be the one with `stamp` before and after.
    pub(super) fn read_file(&self, path: &TreePath, stamp: Stamp) -> Result<Blob, TreeError> {
        let changed = || TreeError::Changed { path: path.clone() };
        let (directory, name) = self.open_parent(path)?;
        let handle = rustix::fs::openat(&directory, name, FILE, Mode::empty())
            .map_err(|error| self.error(path, error))?;
        let stat = rustix::fs::fstat(&handle).map_err(|error| self.error(path, error))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile
            || Stamp::from(&stat) != stamp
        {
            return Err(changed());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(stamp.size).unwrap_or(0));
        let mut file = File::from(handle);
        let read = (&mut file).take(stamp.size + 1).read_to_end(&mut bytes);
        read.map_err(|error| TreeError::Read {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        let stat = rustix::fs::fstat(&file).map_err(|error| self.error(path, error))?;
        if bytes.len() as u64 != stamp.size || Stamp::from(&stat) != stamp {
            return Err(changed());
        }
        Ok(bytes.into())
    }

    /// The target text of the link at `path`, which must be the one with `stamp`.
    pub(super) fn read_link(&self, path: &TreePath, stamp: Stamp) -> Result<Blob, TreeError> {
        let (directory, name) = self.open_parent(path)?;
        let target = rustix::fs::readlinkat(&directory, name, Vec::new())
            .map_err(|error| self.error(path, error))?;
        let stat = rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW);
        // A link cannot be changed, only replaced.
        if stat
            .map_err(|error| self.error(path, error))
            .map(|stat| Stamp::from(&stat))?
            != stamp
        {
            return Err(TreeError::Changed { path: path.clone() });
        }
        Ok(target.into_bytes().into())
    }

    fn open_parent<'a>(&self, path: &'a TreePath) -> Result<(OwnedFd, &'a str), TreeError> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else {
            return Err(TreeError::Read {
                path: path.clone(),
                reason: "the root is a directory".to_owned(),
            });
        };
        Ok((self.open_directory(&parent)?, name))
    }

    fn open_directory(&self, path: &TreePath) -> Result<OwnedFd, TreeError> {
        let mut handle =
            self.handle
                .as_fd()
                .try_clone_to_owned()
                .map_err(|error| TreeError::Read {
                    path: path.clone(),
                    reason: error.to_string(),
                })?;
        for name in path.names() {
            handle = rustix::fs::openat(&handle, name, DIRECTORY, Mode::empty())
                .map_err(|error| self.error(path, error))?;
        }
        Ok(handle)
    }

    /// What a listing showed a moment ago and is gone or of another kind now has changed.
    fn error(&self, path: &TreePath, error: Errno) -> TreeError {
        match error {
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::LOOP
            | Errno::INVAL
            | Errno::NXIO
            | Errno::STALE => TreeError::Changed { path: path.clone() },
            other => TreeError::Read {
                path: path.clone(),
                reason: format!("{}: {other}", super::shown_path(&self.path, path).display()),
            },
        }
    }
}

impl Stamp {
    pub(super) fn modified(self) -> SystemTime {
        let offset = Duration::from_nanos(self.mtime.unsigned_abs());
        if self.mtime < 0 {
            SystemTime::UNIX_EPOCH - offset
        } else {
            SystemTime::UNIX_EPOCH + offset
        }
    }

    /// Whether nothing touched the file since `moment`.
    pub(super) fn is_settled(self, moment: SystemTime) -> bool {
        let nanos = moment
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |since| since.as_nanos());
        let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
        self.mtime < nanos && self.ctime < nanos
    }
}

impl From<&Stat> for Stamp {
    #[allow(
        clippy::unnecessary_cast,
        reason = "the widths of these fields differ between platforms"
    )]
    fn from(stat: &Stat) -> Self {
        let nanos =
            |seconds: i64, nanos: i64| seconds.saturating_mul(1_000_000_000).saturating_add(nanos);
        Self {
            size: stat.st_size as u64,
            inode: stat.st_ino as u64,
            mtime: nanos(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            ctime: nanos(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }
}
