//! The file system as a tree, for tests and the native example.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use weir_kustomize::{Entry, EntryKind, FileError, Files, Host};

/// A directory of the file system; paths cannot leave it.
pub(crate) struct Folder {
    root: PathBuf,
    /// Directories with links followed.
    resolved: RefCell<HashMap<PathBuf, PathBuf>>,
}

impl Folder {
    pub(crate) fn new(root: &Path) -> io::Result<Rc<Self>> {
        Ok(Rc::new(Self {
            root: fs::canonicalize(root)?,
            resolved: RefCell::new(HashMap::new()),
        }))
    }

    fn place(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The real place of a path. Only the last part is looked at again for each file of a directory.
    fn real(&self, path: &str) -> Result<PathBuf, FileError> {
        let place = self.place(path);
        let (Some(parent), Some(name)) = (place.parent(), place.file_name()) else {
            return Ok(place);
        };
        if path.is_empty() {
            return Ok(self.root.clone());
        }
        let known = self.resolved.borrow().get(parent).cloned();
        let parent = match known {
            Some(known) => known,
            None => {
                let real = fs::canonicalize(parent).map_err(|error| failed(&error))?;
                self.resolved
                    .borrow_mut()
                    .insert(parent.to_owned(), real.clone());
                real
            }
        };
        let place = parent.join(name);
        let link = fs::symlink_metadata(&place)
            .map_err(|error| failed(&error))?
            .is_symlink();
        let real = if link {
            fs::canonicalize(&place).map_err(|error| failed(&error))?
        } else {
            place
        };
        if real.starts_with(&self.root) {
            Ok(real)
        } else {
            Err(FileError::Invalid(format!(
                "`{path}` leads out of the tree"
            )))
        }
    }
}

impl Files for Folder {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        fs::read(self.place(path)).map_err(|error| failed(&error))
    }

    fn kind(&self, path: &str) -> Result<EntryKind, FileError> {
        let metadata = fs::metadata(self.place(path)).map_err(|error| failed(&error))?;
        Ok(if metadata.is_dir() {
            EntryKind::Directory
        } else {
            EntryKind::File
        })
    }

    fn entries(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.place(path)).map_err(|error| failed(&error))? {
            let entry = entry.map_err(|error| failed(&error))?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let directory = fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
            entries.push(Entry {
                name,
                kind: if directory {
                    EntryKind::Directory
                } else {
                    EntryKind::File
                },
            });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn resolve(&self, path: &str) -> Result<String, FileError> {
        let real = self.real(path)?;
        let inside = real
            .strip_prefix(&self.root)
            .map_err(|_| FileError::Invalid("outside".to_owned()))?;
        Ok(inside.to_string_lossy().into_owned())
    }

    fn as_any(self: Rc<Self>) -> Rc<dyn std::any::Any> {
        self
    }
}

/// A host that has nothing but files.
pub(crate) struct FolderHost {
    folder: Rc<Folder>,
}

impl FolderHost {
    /// The whole file system below a directory.
    pub(crate) fn new(root: &Path) -> io::Result<Self> {
        Ok(Self {
            folder: Folder::new(root)?,
        })
    }
}

impl Host for FolderHost {
    fn tree(&self) -> Rc<dyn Files> {
        self.folder.clone()
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the kinds of errors of a file system are an open set"
)]
fn failed(error: &io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileError::Absent,
        io::ErrorKind::IsADirectory => FileError::Directory,
        _ => FileError::Unavailable(error.to_string()),
    }
}
