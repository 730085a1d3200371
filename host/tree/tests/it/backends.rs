//! The same files in each back end.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use git2::{Index, IndexEntry, IndexTime, Repository, Signature, Time};
use weir_tree::{
    ArchiveLimits, EmptyTree, EntryKind, FolderOptions, FolderTree, GitTree, OverlayTree, TarTree,
    Tree, TreePath,
};

use crate::files::Files;

/// Trees of all kinds with the folders that they live in.
pub(crate) struct Backends {
    pub(crate) trees: Vec<(&'static str, Arc<dyn Tree>)>,
    pub(crate) folder: tempfile::TempDir,
}

impl Backends {
    pub(crate) fn new(files: &Files) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let trees: Vec<(&'static str, Arc<dyn Tree>)> = vec![
            ("overlay", Arc::new(overlay(files))),
            ("tar", Arc::new(tar(files))),
            ("folder", Arc::new(in_folder(files, folder.path()))),
            ("git", Arc::new(git(files))),
        ];
        Self { trees, folder }
    }
}

pub(crate) fn overlay(files: &Files) -> OverlayTree {
    let mut overlay = OverlayTree::on(EmptyTree::shared());
    for (path, (kind, content)) in files {
        let path = TreePath::parse(path).unwrap();
        match kind {
            EntryKind::File => overlay.file(&path, content.clone()).unwrap(),
            EntryKind::Executable => overlay.executable(&path, content.clone()).unwrap(),
            EntryKind::Link => overlay
                .link(&path, std::str::from_utf8(content).unwrap())
                .unwrap(),
            EntryKind::Directory | EntryKind::Submodule => {
                unreachable!("the set holds files and links")
            }
        }
    }
    overlay.finish().unwrap()
}

fn tar(files: &Files) -> TarTree {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, (kind, content)) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(if *kind == EntryKind::Executable {
            0o755
        } else {
            0o644
        });
        if *kind == EntryKind::Link {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            // The builder would bring the target into a plain form.
            header.set_link_name_literal(content).unwrap();
            header.set_path(path).unwrap();
            header.set_cksum();
            builder.append(&header, &[][..]).unwrap();
        } else {
            header.set_size(content.len() as u64);
            builder
                .append_data(&mut header, path, &content[..])
                .unwrap();
        }
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&builder.into_inner().unwrap()).unwrap();
    TarTree::read_from(&gzip.finish().unwrap()[..], ArchiveLimits::default()).unwrap()
}

fn in_folder(files: &Files, folder: &Path) -> FolderTree {
    for (path, (kind, content)) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if *kind == EntryKind::Link {
            symlink(std::str::from_utf8(content).unwrap(), path).unwrap();
            continue;
        }
        fs::write(&path, content).unwrap();
        if *kind == EntryKind::Executable {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    FolderTree::open(folder, FolderOptions::at(SystemTime::now())).unwrap()
}

thread_local! {
    /// One repository for all cases of a test: making one takes longer than all the rest.
    static REPOSITORY: tempfile::TempDir = {
        let folder = tempfile::tempdir().unwrap();
        Repository::init_bare(folder.path()).unwrap();
        folder
    };
}

pub(crate) fn git(files: &Files) -> GitTree {
    REPOSITORY.with(|folder| commit(files, folder.path()))
}

fn commit(files: &Files, folder: &Path) -> GitTree {
    let repository = Repository::open_bare(folder).unwrap();
    let mut index = Index::new().unwrap();
    for (path, (kind, content)) in files {
        let mode = match kind {
            EntryKind::File => 0o100_644,
            EntryKind::Executable => 0o100_755,
            EntryKind::Link => 0o120_000,
            EntryKind::Directory | EntryKind::Submodule => {
                unreachable!("the set holds files and links")
            }
        };
        let entry = IndexEntry {
            ctime: IndexTime::new(0, 0),
            mtime: IndexTime::new(0, 0),
            dev: 0,
            ino: 0,
            mode,
            uid: 0,
            gid: 0,
            file_size: 0,
            id: repository.blob(content).unwrap(),
            flags: 0,
            flags_extended: 0,
            path: path.as_bytes().to_vec(),
        };
        index.add(&entry).unwrap();
    }
    let tree = repository
        .find_tree(index.write_tree_to(&repository).unwrap())
        .unwrap();
    let who = Signature::new("A", "a@example.org", &Time::new(0, 0)).unwrap();
    let commit = repository.commit(None, &who, &who, "", &tree, &[]).unwrap();
    GitTree::open(folder, &commit.to_string()).unwrap()
}
