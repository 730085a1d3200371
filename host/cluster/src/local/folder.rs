//! The folder of a local cluster: a YAML file for each object.
//!
//! ```text
//! _cluster/namespaces/flux-system.yaml
//! default/deployments.apps/web.yaml
//! default/secrets/token.yaml              mode 0600, and in .gitignore
//! .gitignore                              weir writes it
//! .weir/                                  what people need not read: journal and lock
//! ```
//!
//! A file is written beside its place and renamed, so that it is always whole.

mod names;
mod yaml;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub(crate) use names::{decode, encode};
pub(crate) use yaml::{read, write};

use super::record::Id;

/// The folder of what has no namespace. No namespace can be called so.
const CLUSTER: &str = "_cluster";
/// The folder of what people need not read.
pub(crate) const HIDDEN: &str = ".weir";
/// How files that are being written start.
const UNFINISHED: &str = ".unfinished-";
/// Which kind's files only their owner may read.
const SECRETS: &str = "secrets";
/// No object is larger: the API server's own limit is 3 MiB of JSON.
const MAX_FILE: u64 = 16 << 20;

/// The lines that keep secrets and state out of Git.
const IGNORED: &str = "/.weir/\n/*/secrets/\n";

/// A folder with files of objects.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

/// What tells without reading whether a file was touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: SystemTime,
    length: u64,
}

/// A file that holds an object, or should.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) id: Id,
    pub(crate) path: PathBuf,
    pub(crate) stamp: Stamp,
}

impl Folder {
    /// Makes the folder and what weir needs in it.
    pub(crate) fn prepare(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root.join(HIDDEN))?;
        let folder = Self {
            root: root.to_owned(),
        };
        folder.ignore_secrets()?;
        Ok(folder)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn hidden(&self, name: &str) -> PathBuf {
        self.root.join(HIDDEN).join(name)
    }

    pub(crate) fn path(&self, id: &Id) -> PathBuf {
        let mut path = self.place(&id.namespace);
        path.push(encode(&id.resource));
        path.push(format!("{}.yaml", encode(&id.name)));
        path
    }

    /// Writes a file as a whole; the folders above it are made as needed.
    pub(crate) fn put(&self, id: &Id, text: &str) -> io::Result<Stamp> {
        let path = self.path(id);
        let parent = path
            .parent()
            .expect("the path of an object has folders above it");
        let name = path
            .file_name()
            .expect("the path of an object ends in a name");
        let mut unfinished = parent.join(UNFINISHED);
        unfinished.as_mut_os_string().push(name);
        let mut file = match create(&unfinished, id) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(parent)?;
                create(&unfinished, id)?
            }
            result => result?,
        };
        file.write_all(text.as_bytes())?;
        let stamp = Stamp::of(&file.metadata()?)?;
        fs::rename(&unfinished, &path)?;
        Ok(stamp)
    }

    /// Removes a file, and the folders above it that are empty then.
    pub(crate) fn remove(&self, id: &Id) -> io::Result<()> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        for parent in path.ancestors().skip(1).take(2) {
            // Others may have files in them.
            if fs::remove_dir(parent).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// The stamp of an object's file; `None` if there is none.
    pub(crate) fn stamp(&self, id: &Id) -> io::Result<Option<Stamp>> {
        match fs::metadata(self.path(id)) {
            Ok(metadata) => Stamp::of(&metadata).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn text(&self, path: &Path) -> io::Result<String> {
        let length = fs::metadata(path)?.len();
        if length > MAX_FILE {
            return Err(io::Error::other(format!(
                "it has {length} bytes, and no object has more than {MAX_FILE}"
            )));
        }
        fs::read_to_string(path)
    }

    /// Every file of an object, in a fixed order. Removes what an earlier process left half written.
    pub(crate) fn files(&self) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        for place in folders(&self.root)? {
            for resource in folders(&self.root.join(&place))? {
                found.extend(self.files_at(&place, &resource)?);
            }
        }
        Ok(found)
    }

    /// The files of one kind.
    pub(crate) fn files_of(&self, resource: &str) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        for place in folders(&self.root)? {
            found.extend(self.files_at(&place, &encode(resource))?);
        }
        Ok(found)
    }

    fn files_at(&self, place: &str, resource: &str) -> io::Result<Vec<Found>> {
        let folder = self.root.join(place).join(resource);
        let namespace = if place == CLUSTER { "" } else { place };
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let Some(resource) = decode(resource) else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.starts_with(UNFINISHED) {
                fs::remove_file(entry.path())?;
                continue;
            }
            let Some(stem) = name.strip_suffix(".yaml") else {
                continue;
            };
            let Some(name) = decode(stem).or_else(|| self.name_inside(&entry.path(), stem)) else {
                let path = entry.path();
                tracing::warn!(path = %path.display(), "not the file of an object: its name is none that weir writes");
                continue;
            };
            let metadata = match entry.metadata() {
                Ok(metadata) if metadata.is_file() => metadata,
                Ok(_) => continue,
                // Removed since the folder was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let id = Id {
                resource: resource.as_str().into(),
                namespace: namespace.into(),
                name: name.into(),
            };
            found.push(Found {
                id,
                path: entry.path(),
                stamp: Stamp::of(&metadata)?,
            });
        }
        found.sort_by(|one, two| one.id.cmp(&two.id));
        Ok(found)
    }

    /// The name of an object whose file name is cut short.
    fn name_inside(&self, path: &Path, stem: &str) -> Option<String> {
        if !stem.contains(names::CUT) {
            return None;
        }
        let object = read(&self.text(path).ok()?).ok()?;
        let name = object.pointer("/metadata/name")?.as_str()?.to_owned();
        (encode(&name) == stem).then_some(name)
    }

    fn place(&self, namespace: &str) -> PathBuf {
        if namespace.is_empty() {
            self.root.join(CLUSTER)
        } else {
            self.root.join(encode(namespace))
        }
    }

    /// Adds to `.gitignore` what it lacks, and leaves alone what is there.
    fn ignore_secrets(&self) -> io::Result<()> {
        let path = self.root.join(".gitignore");
        let mut text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let missing: Vec<&str> = IGNORED
            .lines()
            .filter(|line| !text.lines().any(|other| other == *line))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        for line in missing {
            text.push_str(line);
            text.push('\n');
        }
        fs::write(path, text)
    }
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> io::Result<Self> {
        Ok(Self {
            modified: metadata.modified()?,
            length: metadata.len(),
        })
    }
}

fn create(path: &Path, id: &Id) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if id.resource == SECRETS {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    options.open(path)
}

/// The names of the folders in a folder, sorted, without hidden ones.
fn folders(path: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let (true, Ok(name)) = (entry.file_type()?.is_dir(), entry.file_name().into_string())
            && !name.starts_with('.')
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests;
