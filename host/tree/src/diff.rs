//! What differs between two trees.

use std::cmp::Ordering;

use crate::digest::child;
use crate::{Entry, EntryKind, Tree, TreeError, TreePath};

/// The most changes that are worth listing: who gets more should look at everything again.
pub const MAX_CHANGES: usize = 200_000;

/// One path that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Change {
    /// Where.
    pub path: TreePath,
    /// How.
    pub what: Difference,
}

/// How a path differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    /// Only the second tree has something there; of a directory also all below it is reported.
    Added,
    /// Only the first tree has something there; of a directory also all below it is reported.
    Removed,
    /// Both have something there, of another kind or with another content. When a directory turned into something else
    /// or the other way round, all below it is reported too.
    Modified,
    /// Both have a directory there, but a listing gives other names or kinds. Contents do not matter for it.
    Listing,
}

/// The changed paths, sorted. Sub-trees with equal ids are not looked into; files without ids are compared by digest.
pub fn changed(a: &dyn Tree, b: &dyn Tree) -> Result<Vec<Change>, TreeError> {
    changed_up_to(a, b, MAX_CHANGES)
}

fn changed_up_to(a: &dyn Tree, b: &dyn Tree, limit: usize) -> Result<Vec<Change>, TreeError> {
    let mut walk = Walk {
        a,
        b,
        changes: Vec::new(),
        limit,
    };
    if a.id().is_none() || a.id() != b.id() {
        walk.directories(&TreePath::root())?;
    }
    walk.changes.sort_unstable();
    Ok(walk.changes)
}

/// All recursion here is as deep as a path may have names.
struct Walk<'a> {
    a: &'a dyn Tree,
    b: &'a dyn Tree,
    changes: Vec<Change>,
    limit: usize,
}

impl Walk<'_> {
    /// Compares a directory that both have.
    fn directories(&mut self, path: &TreePath) -> Result<(), TreeError> {
        let mut ours = self
            .a
            .outline(path)?
            .unwrap_or_default()
            .into_iter()
            .peekable();
        let mut theirs = self
            .b
            .outline(path)?
            .unwrap_or_default()
            .into_iter()
            .peekable();
        let mut listing = false;
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (Some(a), Some(b)) => a.name.cmp(&b.name),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            match order {
                Ordering::Less => {
                    listing = true;
                    self.one_sided(path, ours.next(), Difference::Removed)?;
                }
                Ordering::Greater => {
                    listing = true;
                    self.one_sided(path, theirs.next(), Difference::Added)?;
                }
                Ordering::Equal => {
                    if let (Some(a), Some(b)) = (ours.next(), theirs.next()) {
                        listing |= a.kind != b.kind;
                        self.both(path, &a, &b)?;
                    }
                }
            }
        }
        if listing {
            self.report(path.clone(), Difference::Listing)?;
        }
        Ok(())
    }

    fn both(&mut self, directory: &TreePath, a: &Entry, b: &Entry) -> Result<(), TreeError> {
        if a.kind == b.kind && a.id.is_some() && a.id == b.id {
            return Ok(());
        }
        let path = child(directory, &a.name)?;
        if a.kind != b.kind {
            self.report(path.clone(), Difference::Modified)?;
            self.below(&path, a.kind, Difference::Removed)?;
            return self.below(&path, b.kind, Difference::Added);
        }
        let same = match a.kind {
            EntryKind::Directory => return self.directories(&path),
            EntryKind::Submodule => a.id == b.id,
            EntryKind::File | EntryKind::Executable | EntryKind::Link => {
                self.same_content(&path, a, b)?
            }
        };
        if same {
            Ok(())
        } else {
            self.report(path, Difference::Modified)
        }
    }

    fn same_content(&self, path: &TreePath, a: &Entry, b: &Entry) -> Result<bool, TreeError> {
        // Ids of files that are of one kind and differ stand for different contents.
        if let (Some(a), Some(b)) = (a.id, b.id)
            && std::mem::discriminant(&a) == std::mem::discriminant(&b)
        {
            return Ok(a == b);
        }
        Ok(self.a.digest(path)? == self.b.digest(path)?)
    }

    /// An entry that only one tree has.
    fn one_sided(
        &mut self,
        directory: &TreePath,
        entry: Option<Entry>,
        what: Difference,
    ) -> Result<(), TreeError> {
        let Some(entry) = entry else { return Ok(()) };
        let path = child(directory, &entry.name)?;
        self.below(&path, entry.kind, what)?;
        self.report(path, what)
    }

    /// All that stands below a path that is a directory in one tree only.
    fn below(
        &mut self,
        path: &TreePath,
        kind: EntryKind,
        what: Difference,
    ) -> Result<(), TreeError> {
        if kind != EntryKind::Directory {
            return Ok(());
        }
        let tree = match what {
            Difference::Removed => self.a,
            Difference::Added | Difference::Modified | Difference::Listing => self.b,
        };
        for entry in tree.outline(path)?.unwrap_or_default() {
            self.one_sided(path, Some(entry), what)?;
        }
        Ok(())
    }

    fn report(&mut self, path: TreePath, what: Difference) -> Result<(), TreeError> {
        if self.changes.len() >= self.limit {
            return Err(TreeError::TooManyChanges { limit: self.limit });
        }
        self.changes.push(Change { path, what });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EmptyTree, OverlayTree};

    /// Files as `path=content`; `path>target` is a link.
    fn tree(files: &[&str]) -> OverlayTree {
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        for file in files {
            if let Some((path, target)) = file.split_once('>') {
                overlay
                    .link(&TreePath::parse(path).unwrap(), target)
                    .unwrap();
            } else {
                let (path, content) = file.split_once('=').unwrap_or((file, ""));
                overlay
                    .file(&TreePath::parse(path).unwrap(), content.to_owned())
                    .unwrap();
            }
        }
        overlay.finish().unwrap()
    }

    #[track_caller]
    fn check(a: &[&str], b: &[&str], expected: &[&str]) {
        let changes = changed(&tree(a), &tree(b)).unwrap();
        let sign = |what| match what {
            Difference::Added => '+',
            Difference::Removed => '-',
            Difference::Modified => '!',
            Difference::Listing => '/',
        };
        let shown: Vec<_> = changes
            .iter()
            .map(|change| format!("{}{}", sign(change.what), change.path))
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn files() {
        check(&["a=1", "d/b=1"], &["a=1", "d/b=1"], &[]);
        check(&["a=1", "d/b=1"], &["a=1", "d/b=2"], &["!d/b"]);
        check(
            &["a=1", "d/b=1"],
            &["a=1", "d/b=1", "d/c=1"],
            &["/d", "+d/c"],
        );
        check(&["a", "b"], &["b"], &["/.", "-a"]);
    }

    #[test]
    fn whole_directories() {
        check(&["a"], &["a", "d/e/f"], &["/.", "+d", "+d/e", "+d/e/f"]);
        check(&["d/e/f", "d/g"], &["d/g"], &["/d", "-d/e", "-d/e/f"]);
    }

    #[test]
    fn kinds() {
        check(&["a=x"], &["a>x"], &["/.", "!a"]);
        check(&["a/b", "c"], &["a", "c"], &["/.", "!a", "-a/b"]);
        check(&["a"], &["a/b/c"], &["/.", "!a", "+a/b", "+a/b/c"]);
        check(&["a>x"], &["a>y"], &["!a"]);
    }

    #[test]
    fn the_number_of_changes_is_bounded() {
        let (a, b) = (tree(&[]), tree(&["a", "b", "c"]));
        assert_eq!(changed_up_to(&a, &b, 4).unwrap().len(), 4);
        assert!(matches!(
            changed_up_to(&a, &b, 3),
            Err(TreeError::TooManyChanges { limit: 3 })
        ));
    }
}
