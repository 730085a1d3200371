//! Charts in folders.

use crate::chart::ChartFile;
use crate::error::{ChartError, TreeError};
use crate::ignore::IgnoreRules;
use crate::limits::Budget;

/// A folder that holds a chart. Links are the tree's business: it shows what they point to.
pub trait ChartTree {
    /// What is in a folder; `""` is the chart itself.
    ///
    /// # Errors
    ///
    /// When there is no such folder or it cannot be read.
    fn entries(&self, folder: &str) -> Result<Vec<TreeEntry>, TreeError>;

    /// The bytes of a file.
    ///
    /// # Errors
    ///
    /// When there is no such file or it cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError>;
}

/// One thing in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// Its name, without the folder.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its size, where it is known without reading it.
    pub size: Option<u64>,
}

/// What a thing in a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A device, a socket and the like.
    Irregular,
}

/// The files of a chart's folder in lexical order, without those that `.helmignore` leaves out.
pub(crate) fn files(
    tree: &dyn ChartTree,
    budget: &mut Budget,
) -> Result<Vec<ChartFile>, ChartError> {
    let mut entries = list(tree, "")?;
    let has_rules = entries
        .iter()
        .any(|entry| entry.name == IgnoreRules::FILE && entry.kind == EntryKind::File);
    let text = if has_rules {
        read(tree, IgnoreRules::FILE)?
    } else {
        Vec::new()
    };
    let rules = IgnoreRules::parse(&String::from_utf8_lossy(&text))
        .map_err(|error| ChartError::Ignore(error.to_string()))?;
    let mut walk = Walk {
        tree,
        rules,
        budget,
        files: Vec::new(),
    };
    walk.folder("", &mut entries, 0)?;
    Ok(walk.files)
}

struct Walk<'a> {
    tree: &'a dyn ChartTree,
    rules: IgnoreRules,
    budget: &'a mut Budget,
    files: Vec<ChartFile>,
}

impl Walk<'_> {
    fn folder(
        &mut self,
        folder: &str,
        entries: &mut [TreeEntry],
        depth: usize,
    ) -> Result<(), ChartError> {
        let limit = self.budget.limits.depth;
        if depth > limit {
            return Err(ChartError::TooMany {
                what: "nested folders",
                limit,
            });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        for entry in entries {
            let path = if folder.is_empty() {
                entry.name.clone()
            } else {
                format!("{folder}/{}", entry.name)
            };
            if self.rules.ignores(&path, entry.kind == EntryKind::Folder) {
                continue;
            }
            match entry.kind {
                EntryKind::Folder => {
                    let mut below = list(self.tree, &path)?;
                    self.folder(&path, &mut below, depth + 1)?;
                }
                EntryKind::Irregular => return Err(ChartError::Irregular(path)),
                EntryKind::File => {
                    self.check_size(entry, entry.size.unwrap_or(0))?;
                    let data = read(self.tree, &path)?;
                    self.check_size(entry, data.len() as u64)?;
                    self.budget.file(data.len() as u64)?;
                    self.files.push(ChartFile::new(path, data));
                }
            }
        }
        Ok(())
    }

    fn check_size(&self, entry: &TreeEntry, size: u64) -> Result<(), ChartError> {
        let limit = self.budget.limits.file;
        if size > limit {
            return Err(ChartError::FileTooLarge {
                name: entry.name.clone(),
                limit,
            });
        }
        Ok(())
    }
}

fn list(tree: &dyn ChartTree, folder: &str) -> Result<Vec<TreeEntry>, ChartError> {
    tree.entries(folder).map_err(|source| ChartError::Read {
        path: if folder.is_empty() {
            ".".to_owned()
        } else {
            folder.to_owned()
        },
        source,
    })
}

fn read(tree: &dyn ChartTree, path: &str) -> Result<Vec<u8>, ChartError> {
    tree.read(path).map_err(|source| ChartError::Read {
        path: path.to_owned(),
        source,
    })
}
