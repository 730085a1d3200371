//! Trees as archives, for those who fetch a source's artifact.
//!
//! As Flux packs them: directories and regular files, no owner, no times, `0600` for files (`0700` with an execute bit) and
//! `0750` for directories, in lexical order. The same tree always gives the same bytes.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use weir_tree::{EntryKind, Tree, TreeError, TreePath};

/// The tree as a gzipped tar archive.
pub fn pack(tree: &dyn Tree) -> Result<Bytes, TreeError> {
    let mut archive = Archive::new();
    archive.directory(".")?;
    archive.add(tree, &TreePath::root())?;
    archive.finish()
}

/// An archive that is being written.
pub(crate) struct Archive {
    tar: tar::Builder<GzEncoder<Vec<u8>>>,
}

impl Archive {
    pub(crate) fn new() -> Self {
        // Speed counts: it is packed at each new revision, and read once or twice.
        let encoder = GzEncoder::new(Vec::new(), Compression::fast());
        Self {
            tar: tar::Builder::new(encoder),
        }
    }

    /// Everything below a directory; the depth of a tree is bounded by its paths.
    fn add(&mut self, tree: &dyn Tree, folder: &TreePath) -> Result<(), TreeError> {
        for entry in tree.outline(folder)?.unwrap_or_default() {
            let path = folder.child(&entry.name).map_err(|error| TreeError::Read {
                path: folder.clone(),
                reason: error.to_string(),
            })?;
            match entry.kind {
                EntryKind::Directory => {
                    self.directory(path.as_str())?;
                    self.add(tree, &path)?;
                }
                EntryKind::File | EntryKind::Executable => {
                    let content = tree.read(&path)?.unwrap_or_default();
                    let executable = entry.kind == EntryKind::Executable;
                    self.file(path.as_str(), &content, executable)?;
                }
                EntryKind::Link | EntryKind::Submodule => {}
            }
        }
        Ok(())
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

    pub(crate) fn finish(self) -> Result<Bytes, TreeError> {
        let done = self.tar.into_inner().and_then(|mut encoder| {
            encoder.flush()?;
            encoder.finish()
        });
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
mod tests {
    use super::*;
    use weir_tree::{ArchiveLimits, EmptyTree, OverlayTree, TarTree};

    #[test]
    fn what_is_packed_is_the_same_tree_again() {
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        let path = |text: &str| TreePath::parse(text).unwrap();
        let long = format!("deep/{}/x.yaml", "n".repeat(200));
        overlay.file(&path("a.yaml"), "a: 1\n").unwrap();
        overlay.executable(&path("bin/run"), "#!/bin/sh\n").unwrap();
        overlay.file(&path(&long), "x").unwrap();
        overlay.link(&path("link"), "a.yaml").unwrap();
        let tree = overlay.finish().unwrap();
        let packed = pack(&tree).unwrap();
        assert_eq!(packed, pack(&tree).unwrap());
        let again = TarTree::read_from(&*packed, ArchiveLimits::default()).unwrap();
        let changes = weir_tree::changed(&tree, &again).unwrap();
        let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        // The link is left out, and with it the root is another.
        assert_eq!(paths, ["", "link"]);
    }
}
