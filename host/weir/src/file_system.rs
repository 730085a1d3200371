//! The file system of this machine as one tree: only what is asked for is looked at.
//!
//! A command that builds a folder may be led anywhere from there, and [`weir_tree::FolderTree`] lists each directory on the
//! way to a file. Here a path is looked at by itself, so that a build costs the same in a crowded folder as in an empty
//! one. What was seen once stays as it was seen: a file that changes meanwhile is an error.

use std::collections::HashMap;
use std::fs::{self, DirEntry, File, Metadata};
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use weir_tree::{
    Blob, ContentId, Entry, EntryKind, MAX_ENTRIES, MAX_FILE, Tree, TreeError, TreePath,
};

/// The whole file system, from its root.
#[derive(Debug, Default)]
pub(crate) struct FileSystem {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    entries: HashMap<TreePath, Option<Found>>,
    listings: HashMap<TreePath, Vec<Entry>>,
}

#[derive(Clone, Debug)]
struct Found {
    entry: Entry,
    modified: Option<SystemTime>,
}

impl FileSystem {
    /// What stands at a path whose directory is one, links not followed.
    fn find(&self, path: &TreePath) -> Result<Option<Found>, TreeError> {
        if let Some(known) = self.seen().entries.get(path) {
            return Ok(known.clone());
        }
        let found = match (path.parent(), path.name()) {
            (Some(parent), Some(name)) if self.is_directory(&parent)? => {
                match fs::symlink_metadata(place(path)) {
                    Ok(metadata) => found(name, &metadata),
                    Err(error) if absent(&error) => None,
                    Err(error) => return Err(unread(path, &error)),
                }
            }
            _ => None,
        };
        let mut seen = self.seen();
        Ok(seen.entries.entry(path.clone()).or_insert(found).clone())
    }

    fn is_directory(&self, path: &TreePath) -> Result<bool, TreeError> {
        if path.is_root() {
            return Ok(true);
        }
        let found = self.find(path)?;
        Ok(found.is_some_and(|found| found.entry.kind == EntryKind::Directory))
    }

    /// What a directory lists, looked at from there: the way to it is not gone again for each.
    fn listed(
        &self,
        path: TreePath,
        name: &str,
        item: &DirEntry,
    ) -> Result<Option<Entry>, TreeError> {
        if let Some(known) = self.seen().entries.get(&path) {
            return Ok(known.as_ref().map(|found| found.entry.clone()));
        }
        let found = match item.metadata() {
            Ok(metadata) => found(name, &metadata),
            Err(error) if absent(&error) => None,
            Err(error) => return Err(unread(&path, &error)),
        };
        let mut seen = self.seen();
        let found = seen.entries.entry(path).or_insert(found);
        Ok(found.as_ref().map(|found| found.entry.clone()))
    }

    fn content(&self, path: &TreePath, found: &Found) -> Result<Blob, TreeError> {
        let mut file = File::open(place(path)).map_err(|error| unread(path, &error))?;
        let metadata = file.metadata().map_err(|error| unread(path, &error))?;
        let unchanged = |metadata: &Metadata| {
            metadata.is_file()
                && metadata.len() == found.entry.size
                && metadata.modified().ok() == found.modified
        };
        let changed = || TreeError::Changed { path: path.clone() };
        if !unchanged(&metadata) {
            return Err(changed());
        }
        let size = metadata.len();
        if size > MAX_FILE {
            return Err(TreeError::TooLarge {
                path: path.clone(),
                size,
                limit: MAX_FILE,
            });
        }
        let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        (&mut file)
            .take(size + 1)
            .read_to_end(&mut content)
            .map_err(|error| unread(path, &error))?;
        if content.len() as u64 != size {
            return Err(changed());
        }
        Ok(Blob::from(content))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tree for FileSystem {
    fn stat(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        if path.is_root() {
            return Ok(Some(Entry {
                name: String::new(),
                kind: EntryKind::Directory,
                size: 0,
                id: None,
            }));
        }
        Ok(self.find(path)?.map(|found| found.entry))
    }

    fn read(&self, path: &TreePath) -> Result<Option<Blob>, TreeError> {
        let Some(found) = self.find(path)? else {
            return Ok(None);
        };
        match found.entry.kind {
            EntryKind::File | EntryKind::Executable => self.content(path, &found).map(Some),
            EntryKind::Link => link(path).map(Some),
            EntryKind::Directory | EntryKind::Submodule => Ok(None),
        }
    }

    fn entries(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        if let Some(known) = self.seen().listings.get(path) {
            return Ok(Some(known.clone()));
        }
        if !self.is_directory(path)? {
            return Ok(None);
        }
        let (mut count, mut entries) = (0, Vec::new());
        for item in fs::read_dir(place(path)).map_err(|error| unread(path, &error))? {
            let item = item.map_err(|error| unread(path, &error))?;
            // What is not UTF-8 cannot be named by a kustomization.
            let Ok(name) = item.file_name().into_string() else {
                continue;
            };
            count += 1;
            if count > MAX_ENTRIES {
                return Err(TreeError::TooManyEntries {
                    path: path.clone(),
                    count,
                    limit: MAX_ENTRIES,
                });
            }
            if let Ok(child) = path.child(&name) {
                entries.extend(self.listed(child, &name, &item)?);
            }
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut seen = self.seen();
        let listing = seen.listings.entry(path.clone()).or_insert(entries);
        Ok(Some(listing.clone()))
    }

    fn id(&self) -> Option<ContentId> {
        None
    }
}

fn place(path: &TreePath) -> PathBuf {
    PathBuf::from("/").join(path.as_str())
}

/// `None` for what is neither file nor directory nor link.
fn found(name: &str, metadata: &Metadata) -> Option<Found> {
    let kind = metadata.file_type();
    let kind = if kind.is_symlink() {
        EntryKind::Link
    } else if kind.is_dir() {
        EntryKind::Directory
    } else if kind.is_file() {
        EntryKind::File
    } else {
        return None;
    };
    Some(Found {
        entry: Entry {
            name: name.to_owned(),
            kind,
            size: if kind == EntryKind::File {
                metadata.len()
            } else {
                0
            },
            id: None,
        },
        modified: metadata.modified().ok(),
    })
}

/// The target of a link, as a path from where the link is: trees know no absolute ones.
fn link(path: &TreePath) -> Result<Blob, TreeError> {
    let target = fs::read_link(place(path)).map_err(|error| unread(path, &error))?;
    let target = target.to_str().ok_or_else(|| TreeError::Read {
        path: path.clone(),
        reason: "the link's target is not UTF-8".to_owned(),
    })?;
    let target = match target.strip_prefix('/') {
        None => target.to_owned(),
        Some(rest) => {
            let up = path.names().count().saturating_sub(1);
            format!("{}{rest}", "../".repeat(up))
        }
    };
    Ok(Blob::from(target.into_bytes()))
}

fn absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn unread(path: &TreePath, error: &io::Error) -> TreeError {
    TreeError::Read {
        path: path.clone(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn at(folder: &Path, name: &str) -> TreePath {
        let place = folder.join(name);
        TreePath::parse(place.strip_prefix("/").unwrap().to_str().unwrap()).unwrap()
    }

    #[test]
    fn files_links_and_folders_are_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(folder.join("d")).unwrap();
        fs::write(folder.join("d/f"), "x").unwrap();
        std::os::unix::fs::symlink(folder.join("d"), folder.join("l")).unwrap();
        let tree = FileSystem::default();
        let kind = |name: &str| {
            tree.stat(&at(&folder, name))
                .unwrap()
                .map(|entry| entry.kind)
        };
        assert_eq!(kind("d"), Some(EntryKind::Directory));
        assert_eq!(kind("d/f"), Some(EntryKind::File));
        assert_eq!(kind("l"), Some(EntryKind::Link));
        assert_eq!(kind("gone"), None);
        // A link on the way is not followed; resolving does that, and absolute targets are no hindrance.
        assert_eq!(kind("l/f"), None);
        let resolved = weir_tree::resolve(&tree, &at(&folder, "l/f")).unwrap();
        assert_eq!(resolved, Some(at(&folder, "d/f")));
        assert_eq!(
            tree.read(&at(&folder, "d/f")).unwrap().as_deref(),
            Some(&b"x"[..])
        );
        let names: Vec<String> = tree
            .entries(&at(&folder, "d"))
            .unwrap()
            .unwrap()
            .into_iter()
            .map(|entry| entry.name)
            .collect();
        assert_eq!(names, ["f"]);
    }

    #[test]
    fn a_file_that_changes_meanwhile_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(folder.path()).unwrap();
        fs::write(folder.join("f"), "x").unwrap();
        let tree = FileSystem::default();
        tree.stat(&at(&folder, "f")).unwrap();
        fs::write(folder.join("f"), "longer").unwrap();
        assert!(matches!(
            tree.read(&at(&folder, "f")),
            Err(TreeError::Changed { .. })
        ));
    }
}
