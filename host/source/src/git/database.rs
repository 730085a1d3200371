//! The local object database of one remote repository.
//!
//! ```text
//! CACHE/KEY/url        the address, for people
//! CACHE/KEY/lock       held by whoever writes
//! CACHE/KEY/0/         a bare repository; the one with the highest number counts
//! ```
//!
//! A repository appears by a rename and objects by libgit2's renames, so that a killed process leaves what was there
//! before and, at most, temporary files; the next writer removes those. Each fetch adds a pack. When there are many,
//! all that is still referenced is written into one pack of a new repository. The one before stays until the next
//! time, for other processes may be reading from it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use git2::Repository;
use tokio_util::sync::CancellationToken;
use weir_tree::Digest;

use crate::address::Address;
use crate::error::SourceError;

/// Packs that make a repository worth rewriting.
const MAX_PACKS: usize = 50;
/// Where fetched references stand: those of branches, and all others.
pub(super) const HEADS: &str = "refs/weir/heads/";
pub(super) const OTHERS: &str = "refs/weir/others/";

/// The folder of one remote repository.
#[derive(Clone, Debug)]
pub(super) struct Database {
    folder: PathBuf,
}

/// The right to write, until dropped.
#[derive(Debug)]
pub(super) struct WriteLock {
    _file: File,
}

impl Database {
    pub(super) fn new(cache: &Path, address: &Address) -> Self {
        let key = Digest::of(address.url().as_str().as_bytes()).hex();
        Self {
            folder: cache.join(&key[..32]),
        }
    }

    /// The repository that counts now.
    pub(super) fn current(&self) -> Result<Option<PathBuf>, SourceError> {
        let newest = self.generations()?.into_iter().max();
        Ok(newest.map(|number| self.generation(number)))
    }

    /// Waits until no other process or thread writes. Whoever waits looks again at what is there afterwards.
    pub(super) fn lock(
        &self,
        wait: Duration,
        cancel: &CancellationToken,
    ) -> Result<Option<WriteLock>, SourceError> {
        const PAUSE: Duration = Duration::from_millis(20);
        self.io(&self.folder, fs::create_dir_all(&self.folder))?;
        let path = self.folder.join("lock");
        let file = self.io(
            &path,
            File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path),
        )?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(WriteLock { _file: file })),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => {
                    return Err(SourceError::Cache { path, source });
                }
            }
            if cancel.is_cancelled() {
                return Ok(None);
            }
            if start.elapsed() >= wait {
                return Err(SourceError::Locked { path, waited: wait });
            }
            thread::sleep(PAUSE);
        }
    }

    /// The repository to write to, made if there is none, and rid of what a killed process left.
    pub(super) fn prepare(
        &self,
        _lock: &WriteLock,
        address: &Address,
    ) -> Result<PathBuf, SourceError> {
        self.clean()?;
        if let Some(current) = self.current()? {
            remove_leftovers(&current);
            return Ok(current);
        }
        let url = self.folder.join("url");
        self.io(&url, fs::write(&url, format!("{address}\n")))?;
        self.add(0, |_| Ok(()))
    }

    /// Gives up the current repository for an empty one: it is damaged.
    pub(super) fn restart(&self, _lock: &WriteLock) -> Result<PathBuf, SourceError> {
        let Some(newest) = self.generations()?.into_iter().max() else {
            return self.add(0, |_| Ok(()));
        };
        let path = self.add(newest + 1, |_| Ok(()))?;
        self.remove_before(newest)?;
        Ok(path)
    }

    /// Rewrites the repository if it has many packs; keeps all branches and the reference `keep`.
    pub(super) fn compact(&self, _lock: &WriteLock, keep: &str) -> Result<(), SourceError> {
        let Some(newest) = self.generations()?.into_iter().max() else {
            return Ok(());
        };
        let current = self.generation(newest);
        if count_packs(&current) <= MAX_PACKS {
            return Ok(());
        }
        self.add(newest + 1, |path| copy_referenced(&current, path, keep))?;
        self.remove_before(newest)
    }

    fn remove_before(&self, first: u64) -> Result<(), SourceError> {
        for number in self.generations()? {
            if number < first {
                let old = self.generation(number);
                self.io(&old, fs::remove_dir_all(&old))?;
            }
        }
        Ok(())
    }

    fn generation(&self, number: u64) -> PathBuf {
        self.folder.join(number.to_string())
    }

    fn generations(&self) -> Result<Vec<u64>, SourceError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(SourceError::Cache {
                    path: self.folder.clone(),
                    source,
                });
            }
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let entry = self.io(&self.folder, entry)?;
            numbers.extend(
                entry
                    .file_name()
                    .to_str()
                    .and_then(|name| name.parse::<u64>().ok()),
            );
        }
        Ok(numbers)
    }

    /// Makes a repository under a temporary name, fills it, and gives it its number.
    fn add(
        &self,
        number: u64,
        fill: impl FnOnce(&Path) -> Result<(), git2::Error>,
    ) -> Result<PathBuf, SourceError> {
        let path = self.generation(number);
        let cache_error = |source| SourceError::Cache {
            path: path.clone(),
            source,
        };
        let made = tempfile::Builder::new()
            .prefix(TEMPORARY)
            .tempdir_in(&self.folder)
            .map_err(cache_error)?;
        let git = || -> Result<(), git2::Error> {
            let repository = Repository::init_bare(made.path())?;
            let mut config = repository.config()?;
            // A pack must be on the disk before a reference to it is.
            config.set_bool("core.fsyncObjectFiles", true)?;
            fill(made.path())
        };
        git().map_err(|error| cache_error(io::Error::other(error.message().to_owned())))?;
        fs::rename(made.keep(), &path).map_err(cache_error)?;
        Ok(path)
    }

    /// Removes repositories that were never finished.
    fn clean(&self) -> Result<(), SourceError> {
        for entry in self.io(&self.folder, fs::read_dir(&self.folder))? {
            let entry = self.io(&self.folder, entry)?;
            if entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.starts_with(TEMPORARY))
            {
                self.io(&entry.path(), fs::remove_dir_all(entry.path()))?;
            }
        }
        Ok(())
    }

    fn io<T>(&self, path: &Path, result: io::Result<T>) -> Result<T, SourceError> {
        result.map_err(|source| SourceError::Cache {
            path: path.to_owned(),
            source,
        })
    }
}

const TEMPORARY: &str = "new-";

/// Locks and half packs of libgit2 in a repository that nobody writes to, for we hold the lock. What cannot be removed
/// shows up as an error of the fetch.
fn remove_leftovers(repository: &Path) {
    remove_files(repository, |name| name.ends_with(".lock"));
    remove_files(&repository.join("objects/pack"), |name| {
        name.starts_with("pack_git2_") || name.starts_with("tmp_")
    });
    let mut folders = vec![repository.join("refs")];
    while let Some(folder) = folders.pop() {
        remove_files(&folder, |name| name.ends_with(".lock"));
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        folders.extend(
            entries
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path()),
        );
    }
}

fn remove_files(folder: &Path, which: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && entry.file_name().to_str().is_some_and(&which) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn count_packs(repository: &Path) -> usize {
    let entries = fs::read_dir(repository.join("objects/pack"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter(|entry| {
            entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "pack")
        })
        .count()
}

/// Copies the references that are kept, with all they need, into an empty repository.
fn copy_referenced(from: &Path, to: &Path, keep: &str) -> Result<(), git2::Error> {
    let (source, target) = (Repository::open_bare(from)?, Repository::open_bare(to)?);
    let mut kept = Vec::new();
    for reference in source.references_glob("refs/weir/*")? {
        let reference = reference?;
        if let (Ok(name), Some(id)) = (reference.name(), reference.target())
            && (name.starts_with(HEADS) || name == keep)
        {
            kept.push((name.to_owned(), id));
        }
    }
    let mut walk = source.revwalk()?;
    let mut builder = source.packbuilder()?;
    for (_, id) in &kept {
        let object = source.find_object(*id, None)?;
        if object.kind() == Some(git2::ObjectType::Tag) {
            builder.insert_object(*id, None)?;
        }
        walk.push(object.peel_to_commit()?.id())?;
    }
    builder.insert_walk(&mut walk)?;
    builder.write(&to.join("objects/pack"), 0)?;
    for (name, id) in kept {
        target.reference(&name, id, true, "compacted")?;
    }
    // Where history ends on purpose. Entries for commits that are gone do no harm.
    if let Err(error) = fs::copy(from.join("shallow"), to.join("shallow"))
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(git2::Error::from_str(&error.to_string()));
    }
    Ok(())
}
