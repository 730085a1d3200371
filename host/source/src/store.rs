//! What was fetched or packed, by content, and what of it is in use.
//!
//! ```text
//! STORE/blobs/HEX          the content with this SHA-256
//! STORE/owners/HEX.json    what one object's artifacts are, the newest last; HEX is of the object's path
//! STORE/tmp-…              being written
//! ```
//!
//! Everything appears by a rename of a complete file that is on the disk, content before what refers to it. So whenever
//! a process is killed, all that is there is whole; what it left unfinished is removed later. Any number of processes
//! may use a store: the command line and the controller share what they fetch.
//!
//! Content that an owner refers to stays. Of the rest, what was used longest ago goes when the budget is exceeded.

pub mod serve;

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use weir_tree::Digest;

/// As Flux's `--artifact-retention-records`: who was told the last address may still fetch it.
const KEPT: usize = 2;
/// Unfinished files that are older were left by a process that was killed; content that nobody refers to yet may be
/// about to be referred to.
const STALE: Duration = Duration::from_secs(10 * 60);

/// The most bytes of content that nobody needs any more.
const BUDGET: u64 = 4 << 30;

/// A folder with content. Blocks.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    budget: u64,
    /// Held by who changes what is referred to.
    owners: Mutex<()>,
}

/// An artifact of an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// `KIND/NAMESPACE/NAME/FILE`, as in the address.
    pub path: String,
    pub revision: String,
    /// `sha256:…` of the content.
    pub digest: String,
    pub size: u64,
}

/// What one owner has.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    owner: String,
    artifacts: Vec<Artifact>,
}

/// Why the store does not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the store: {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error(
        "the artifact has {size} bytes, and the store is to hold no more than {budget}; raise its budget"
    )]
    Budget { size: u64, budget: u64 },
    #[error("{0:?} is no path of an artifact")]
    Path(String),
}

impl Store {
    /// Opens or makes a store that is to hold about `budget` bytes.
    pub fn open(folder: impl Into<PathBuf>, budget: u64) -> Result<Self, StoreError> {
        let store = Self {
            folder: folder.into(),
            budget,
            owners: Mutex::default(),
        };
        for folder in ["blobs", "owners"] {
            let path = store.folder.join(folder);
            at(&path, fs::create_dir_all(&path))?;
        }
        Ok(store)
    }

    /// The store of a cache folder, which the controller and the command line share.
    pub fn in_cache(cache: &Path) -> Result<Self, StoreError> {
        Self::open(cache.join("store"), BUDGET)
    }

    /// Keeps content. Nobody refers to it: it may go when room is needed.
    pub fn put(&self, content: &[u8]) -> Result<Digest, StoreError> {
        let size = content.len() as u64;
        if size > self.budget {
            return Err(StoreError::Budget {
                size,
                budget: self.budget,
            });
        }
        let digest = Digest::of(content);
        let path = self.blob(&digest);
        if !path.exists() {
            self.write(&path, content)?;
        }
        Ok(digest)
    }

    /// Whether there is content of a digest, damaged or not.
    pub fn has(&self, digest: &Digest) -> bool {
        self.blob(digest).exists()
    }

    /// Content by its digest. What is damaged is removed, and so is not there.
    pub fn get(&self, digest: &Digest) -> Result<Option<Bytes>, StoreError> {
        let path = self.blob(digest);
        let content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::Io { path, source }),
        };
        if Digest::of(&content) != *digest {
            at(&path, fs::remove_file(&path))?;
            return Ok(None);
        }
        // Only says when it was used; a store that cannot be written to can still be read.
        let _ = File::options()
            .append(true)
            .open(&path)
            .and_then(|file| file.set_modified(SystemTime::now()));
        Ok(Some(content.into()))
    }

    /// Makes content the newest artifact of its owner. The one before stays for those who were told of it.
    pub fn publish(
        &self,
        owner: &str,
        file: &str,
        revision: &str,
        content: &[u8],
    ) -> Result<Artifact, StoreError> {
        check(owner)?;
        if file.is_empty() || file.contains('/') || file.starts_with('.') {
            return Err(StoreError::Path(file.to_owned()));
        }
        let _lock = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = self.put(content)?;
        let artifact = Artifact {
            path: format!("{owner}/{file}"),
            revision: revision.to_owned(),
            digest: digest.to_string(),
            size: content.len() as u64,
        };
        let mut record = self.record(owner)?.unwrap_or_default();
        if record.artifacts.last() == Some(&artifact) {
            return Ok(artifact);
        }
        record.owner = owner.to_owned();
        record.artifacts.retain(|old| old.path != artifact.path);
        record.artifacts.push(artifact.clone());
        let surplus = record.artifacts.len().saturating_sub(KEPT);
        record.artifacts.drain(..surplus);
        let text = serde_json::to_vec(&record).expect("a record is JSON");
        self.write(&self.record_path(owner), &text)?;
        Ok(artifact)
    }

    /// The newest artifact of an owner, if its content is there and whole.
    pub fn newest(&self, owner: &str) -> Result<Option<(Artifact, Bytes)>, StoreError> {
        let Some(artifact) = self
            .record(owner)?
            .and_then(|mut record| record.artifacts.pop())
        else {
            return Ok(None);
        };
        Ok(self.content(&artifact)?.map(|content| (artifact, content)))
    }

    /// What stands at `KIND/NAMESPACE/NAME/FILE`.
    pub fn find(&self, path: &str) -> Result<Option<(Artifact, Bytes)>, StoreError> {
        let Some((owner, file)) = path.rsplit_once('/') else {
            return Ok(None);
        };
        // The names that Flux links to the newest one.
        if matches!(file, "latest.tar.gz" | "index.yaml") {
            return self.newest(owner);
        }
        let Some(record) = self.record(owner)? else {
            return Ok(None);
        };
        let found = record.artifacts.into_iter().find(|one| one.path == path);
        match found {
            Some(artifact) => Ok(self.content(&artifact)?.map(|content| (artifact, content))),
            None => Ok(None),
        }
    }

    /// The owner is gone.
    pub fn remove(&self, owner: &str) -> Result<(), StoreError> {
        let _lock = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.record_path(owner);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::Io {
                path,
                source: error,
            }),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes what was never finished and, over the budget, content that nobody refers to, used longest ago first.
    /// Gives the bytes that are left.
    pub fn collect(&self, now: SystemTime) -> Result<u64, StoreError> {
        let _lock = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, meta) in self.files("")? {
            if meta.is_file() && is_older(&meta, now, STALE) {
                at(&path, fs::remove_file(&path))?;
            }
        }
        let blobs = self.files("blobs")?;
        let mut total = blobs.iter().map(|(_, meta)| meta.len()).sum();
        if total <= self.budget {
            return Ok(total);
        }
        let mut used = HashSet::new();
        for (path, _) in self.files("owners")? {
            let record = read_record(&path)?.unwrap_or_default();
            used.extend(record.artifacts.into_iter().map(|one| one.digest));
        }
        let mut free = Vec::new();
        for (path, meta) in blobs {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let digest = format!("sha256:{name}");
            if !used.contains(&digest) {
                let when = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                free.push((when, meta.len(), path));
            }
        }
        free.sort();
        for (_, size, path) in free {
            if total <= self.budget {
                break;
            }
            at(&path, fs::remove_file(&path))?;
            total -= size;
        }
        Ok(total)
    }

    fn content(&self, artifact: &Artifact) -> Result<Option<Bytes>, StoreError> {
        match artifact.digest.parse() {
            Ok(digest) => self.get(&digest),
            Err(_) => Ok(None),
        }
    }

    fn record(&self, owner: &str) -> Result<Option<Record>, StoreError> {
        let record = read_record(&self.record_path(owner))?;
        Ok(record.filter(|record| record.owner == owner))
    }

    fn record_path(&self, owner: &str) -> PathBuf {
        let name = Digest::of(owner.as_bytes()).hex();
        self.folder.join("owners").join(format!("{name}.json"))
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        self.folder.join("blobs").join(digest.hex())
    }

    fn write(&self, path: &Path, content: &[u8]) -> Result<(), StoreError> {
        let made = tempfile::Builder::new()
            .prefix("tmp-")
            .tempfile_in(&self.folder);
        let mut made = at(&self.folder, made)?;
        at(path, made.write_all(content))?;
        at(path, made.as_file().sync_all())?;
        at(path, made.persist(path).map_err(|error| error.error))?;
        Ok(())
    }

    fn files(&self, folder: &str) -> Result<Vec<(PathBuf, fs::Metadata)>, StoreError> {
        let folder = self.folder.join(folder);
        let mut files = Vec::new();
        for entry in at(&folder, fs::read_dir(&folder))? {
            let entry = at(&folder, entry)?;
            match entry.metadata() {
                Ok(meta) => files.push((entry.path(), meta)),
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => {
                    return Err(StoreError::Io {
                        path: entry.path(),
                        source,
                    });
                }
            }
        }
        Ok(files)
    }
}

fn is_older(meta: &fs::Metadata, now: SystemTime, than: Duration) -> bool {
    let age = meta.modified().ok().map(|when| now.duration_since(when));
    age.is_some_and(|age| age.is_ok_and(|age| age > than))
}

/// A record that cannot be read is none: its owner publishes again.
fn read_record(path: &Path) -> Result<Option<Record>, StoreError> {
    match fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

fn check(owner: &str) -> Result<(), StoreError> {
    let sound = owner
        .split('/')
        .all(|part| !part.is_empty() && part != "." && part != "..");
    if sound {
        Ok(())
    } else {
        Err(StoreError::Path(owner.to_owned()))
    }
}

fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, StoreError> {
    result.map_err(|source| StoreError::Io {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
