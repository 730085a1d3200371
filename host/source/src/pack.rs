//! Trees as archives, for those who fetch a source's artifact.
//!
//! As Flux packs them: directories and regular files, no owner, no times, `0600` for files (`0700` with an execute bit) and
//! `0750` for directories, in lexical order. The same tree always gives the same bytes.
//!
//! *Parts.* An archive is packed in parts that stand for themselves, some dozens of entries each. Where a part ends depends
//! on the paths alone, so that a commit that changes one file changes one part: [`repack`] takes all others from the archive
//! before, without reading their files.

mod deflate;

use std::collections::HashMap;
use std::ops::Range;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use weir_tree::{Digest, Entry, EntryKind, Tree, TreeError, TreePath};

use deflate::{Checked, Deflate};

/// One entry in so many ends a part.
const PART: u32 = 64;
/// The most entries of a part.
const MAX_PART: usize = 512;

/// An archive, and how to make the next one of it.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    /// The archive.
    pub bytes: Bytes,
    /// What it consists of.
    pub layout: Layout,
}

/// Which parts an archive has, and where. Small: a line for each part.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    parts: HashMap<Digest, Part>,
}

/// The bytes of an archive that stand for some entries, and what has to be known of these to put the bytes elsewhere.
#[derive(Clone, Debug)]
struct Part {
    place: Range<usize>,
    checked: Checked,
}

/// What becomes an entry of the archive.
struct Member {
    path: TreePath,
    entry: Entry,
}

/// The tree as a gzipped tar archive.
pub fn pack(tree: &dyn Tree) -> Result<Bytes, TreeError> {
    Ok(repack(tree, &Packed::default())?.bytes)
}

/// As [`pack`]; what is in the archive before, and is the same, is taken from there.
pub fn repack(tree: &dyn Tree, before: &Packed) -> Result<Packed, TreeError> {
    let mut members = Vec::new();
    list(tree, &TreePath::root(), &mut members)?;
    let mut archive = Archive::new();
    let mut layout = Layout::default();
    archive.directory(".")?;
    archive.end_part()?;
    for run in runs(&members) {
        let start = archive.len();
        let name = name(run);
        let old = name.and_then(|name| before.part(&name));
        let checked = match old {
            Some((bytes, checked)) => {
                archive.take(bytes, checked);
                checked
            }
            None => {
                for member in run {
                    archive.add(tree, member)?;
                }
                archive.end_part()?
            }
        };
        if let Some(name) = name {
            let place = start..archive.len();
            layout.parts.insert(name, Part { place, checked });
        }
    }
    let bytes = archive.finish()?;
    Ok(Packed { bytes, layout })
}

impl Packed {
    fn part(&self, name: &Digest) -> Option<(&[u8], Checked)> {
        let part = self.layout.parts.get(name)?;
        Some((self.bytes.get(part.place.clone())?, part.checked))
    }
}

/// Everything below a directory in the order of the archive; the depth of a tree is bounded by its paths.
fn list(tree: &dyn Tree, folder: &TreePath, members: &mut Vec<Member>) -> Result<(), TreeError> {
    for entry in tree.outline(folder)?.unwrap_or_default() {
        let path = folder.child(&entry.name).map_err(|error| TreeError::Read {
            path: folder.clone(),
            reason: error.to_string(),
        })?;
        match entry.kind {
            EntryKind::Directory => {
                members.push(Member {
                    path: path.clone(),
                    entry,
                });
                list(tree, &path, members)?;
            }
            EntryKind::File | EntryKind::Executable => members.push(Member { path, entry }),
            EntryKind::Link | EntryKind::Submodule => {}
        }
    }
    Ok(())
}

/// The entries of each part.
fn runs(mut members: &[Member]) -> impl Iterator<Item = &[Member]> {
    std::iter::from_fn(move || {
        let ends =
            |member: &Member| crc32fast::hash(member.path.as_str().as_bytes()).is_multiple_of(PART);
        let last = members.iter().take(MAX_PART).position(ends);
        let length = last.map_or(members.len().min(MAX_PART), |last| last + 1);
        let (run, rest) = members.split_at(length);
        members = rest;
        (!run.is_empty()).then_some(run)
    })
}

/// Two parts of the same name are the same bytes. `None`: the tree does not know without reading.
fn name(run: &[Member]) -> Option<Digest> {
    let mut hasher = Sha256::new();
    for Member { path, entry } in run {
        let kind = match entry.kind {
            EntryKind::Directory => "directory".to_owned(),
            EntryKind::Executable => format!("executable {}", entry.id?),
            EntryKind::File | EntryKind::Link | EntryKind::Submodule => {
                format!("file {}", entry.id?)
            }
        };
        hasher.update(path.as_str());
        hasher.update([0]);
        hasher.update(kind);
        hasher.update([0]);
    }
    Some(Digest::from_bytes(hasher.finalize().into()))
}

/// An archive that is being written.
pub(crate) struct Archive {
    tar: tar::Builder<Deflate>,
}

impl Archive {
    pub(crate) fn new() -> Self {
        Self {
            tar: tar::Builder::new(Deflate::new()),
        }
    }

    /// The bytes so far; what the part under way adds may be missing.
    fn len(&self) -> usize {
        self.tar.get_ref().len()
    }

    fn add(&mut self, tree: &dyn Tree, member: &Member) -> Result<(), TreeError> {
        let Member { path, entry } = member;
        if entry.kind == EntryKind::Directory {
            return self.directory(path.as_str());
        }
        let content = tree.read(path)?.unwrap_or_default();
        let executable = entry.kind == EntryKind::Executable;
        self.file(path.as_str(), &content, executable)
    }

    fn directory(&mut self, path: &str) -> Result<(), TreeError> {
        let mut header = header(0o750, 0);
        header.set_entry_type(tar::EntryType::Directory);
        self.append(header, path, &[])
    }

    pub(crate) fn file(
        &mut self,
        path: &str,
        content: &[u8],
        executable: bool,
    ) -> Result<(), TreeError> {
        let mode = if executable { 0o700 } else { 0o600 };
        let mut header = header(mode, content.len() as u64);
        header.set_entry_type(tar::EntryType::Regular);
        self.append(header, path, content)
    }

    fn append(
        &mut self,
        mut header: tar::Header,
        path: &str,
        content: &[u8],
    ) -> Result<(), TreeError> {
        self.tar
            .append_data(&mut header, path, content)
            .map_err(|error| unpacked(path, &error))
    }

    fn end_part(&mut self) -> Result<Checked, TreeError> {
        let ended = self.tar.get_mut().end_part();
        ended.map_err(|error| unpacked("", &error))
    }

    /// Between two parts: a part of another archive.
    fn take(&mut self, bytes: &[u8], checked: Checked) {
        self.tar.get_mut().take(bytes, checked);
    }

    pub(crate) fn finish(self) -> Result<Bytes, TreeError> {
        let done = self.tar.into_inner().and_then(Deflate::finish);
        done.map(Bytes::from).map_err(|error| unpacked("", &error))
    }
}

fn header(mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

fn unpacked(path: &str, error: &std::io::Error) -> TreeError {
    TreeError::Read {
        path: TreePath::parse(path).unwrap_or_else(|_| TreePath::root()),
        reason: format!("it cannot be packed: {error}"),
    }
}

#[cfg(test)]
mod tests;
