//! Digests of files remembered by their stamps.
//!
//! As Git's index does it: a digest is believed as long as size, inode and both time stamps are the same. That is only
//! safe for stamps that were old when the file was read: a second write within the clock's resolution would leave them
//! as they are. So digests of files touched shortly before ([`RACY`]) are not remembered at all.
//!
//! The file is text: a heading, one line for each path, and a digest over all before it. One that is damaged or of
//! another version is refused as a whole, and the caller starts with an empty cache.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fs, io};

use crate::{Digest, TreePath};

use super::disk::Stamp;

/// How old stamps must be: FAT counts in steps of two seconds.
pub(super) const RACY: Duration = Duration::from_secs(2);

const HEADING: &str = "weir stat cache 1";
/// The most files that are remembered.
const MAX_FILES: usize = 1_000_000;
/// The largest cache file that is loaded, in bytes.
const MAX_SIZE: u64 = 512 << 20;

/// Digests of one folder's files. Any number of [`super::FolderTree`]s of that folder may share it.
#[derive(Debug, Default)]
pub struct StatCache {
    files: Mutex<HashMap<TreePath, Remembered>>,
}

#[derive(Clone, Copy, Debug)]
struct Remembered {
    stamp: Stamp,
    digest: Digest,
    /// Since the cache was loaded: what was not may be dropped first.
    used: bool,
}

/// Why a cache could not be loaded or saved. Nothing is lost but time.
#[derive(Debug, thiserror::Error)]
pub enum StatCacheError {
    #[error("the stat cache {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("the stat cache {path} is damaged or of another version: {reason}")]
    Damaged { path: PathBuf, reason: String },
}

impl StatCache {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Loads what [`StatCache::save`] wrote; a missing file is an empty cache.
    pub fn load(path: &Path) -> Result<Self, StatCacheError> {
        let io_error = |source| StatCacheError::Io {
            path: path.to_owned(),
            source,
        };
        let damaged = |reason: String| StatCacheError::Damaged {
            path: path.to_owned(),
            reason,
        };
        let size = match fs::metadata(path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::new()),
            Err(error) => return Err(io_error(error)),
        };
        if size > MAX_SIZE {
            return Err(damaged(format!(
                "it has {size} bytes, over the limit of {MAX_SIZE}"
            )));
        }
        let text = fs::read_to_string(path).map_err(io_error)?;
        let files = parse(&text).map_err(damaged)?;
        Ok(Self {
            files: Mutex::new(files),
        })
    }

    /// Writes all that is known to `path`, at once or not at all.
    pub fn save(&self, path: &Path) -> Result<(), StatCacheError> {
        let io_error = |source| StatCacheError::Io {
            path: path.to_owned(),
            source,
        };
        let text = self.text();
        let folder = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(io_error)?;
        file.write_all(text.as_bytes()).map_err(io_error)?;
        file.as_file().sync_data().map_err(io_error)?;
        file.persist(path).map_err(|error| io_error(error.error))?;
        Ok(())
    }

    pub(super) fn get(&self, path: &TreePath, stamp: Stamp) -> Option<Digest> {
        let mut files = self.locked();
        let known = files.get_mut(path).filter(|known| known.stamp == stamp)?;
        known.used = true;
        Some(known.digest)
    }

    pub(super) fn put(&self, path: &TreePath, stamp: Stamp, digest: Digest) {
        let mut files = self.locked();
        if files.len() >= MAX_FILES {
            files.retain(|_, known| known.used);
            if files.len() >= MAX_FILES {
                return;
            }
        }
        files.insert(
            path.clone(),
            Remembered {
                stamp,
                digest,
                used: true,
            },
        );
    }

    pub(super) fn forget(&self, path: &TreePath) {
        self.locked().remove(path);
    }

    fn text(&self) -> String {
        let files = self.locked();
        // A name with a line break would need quoting; such a file is just read again.
        let mut sorted: Vec<_> = files
            .iter()
            .filter(|(path, _)| !path.as_str().contains('\n'))
            .collect();
        sorted.sort_unstable_by_key(|(path, _)| *path);
        let mut text = format!("{HEADING}\n");
        for (path, Remembered { stamp, digest, .. }) in sorted {
            let Stamp {
                size,
                inode,
                mtime,
                ctime,
            } = stamp;
            let digest = digest.hex();
            writeln!(
                text,
                "{digest} {size} {inode} {mtime} {ctime} {}",
                path.as_str()
            )
            .expect("writing to a string cannot fail");
        }
        let digest = Digest::of(text.as_bytes());
        text.push_str(&digest.hex());
        text.push('\n');
        text
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<TreePath, Remembered>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(text: &str) -> Result<HashMap<TreePath, Remembered>, String> {
    let body = text
        .strip_suffix('\n')
        .ok_or("it does not end in a line break")?;
    let (body, digest) = body.rsplit_once('\n').ok_or("it has no digest")?;
    let signed = &text[..=body.len()];
    if Digest::of(signed.as_bytes()).hex() != digest {
        return Err("its digest is wrong".to_owned());
    }
    let mut lines = body.split('\n');
    if lines.next() != Some(HEADING) {
        return Err(format!("it does not begin with {HEADING:?}"));
    }
    let mut files = HashMap::new();
    for line in lines {
        let (path, known) =
            parse_line(line).ok_or_else(|| format!("a line is malformed: {line:?}"))?;
        files.insert(path, known);
    }
    Ok(files)
}

fn parse_line(line: &str) -> Option<(TreePath, Remembered)> {
    let mut fields = line.splitn(6, ' ');
    let digest = format!("sha256:{}", fields.next()?).parse().ok()?;
    let size = fields.next()?.parse().ok()?;
    let inode = fields.next()?.parse().ok()?;
    let mtime = fields.next()?.parse().ok()?;
    let ctime = fields.next()?.parse().ok()?;
    let path = TreePath::parse(fields.next()?).ok()?;
    Some((
        path,
        Remembered {
            stamp: Stamp {
                size,
                inode,
                mtime,
                ctime,
            },
            digest,
            used: false,
        },
    ))
}
