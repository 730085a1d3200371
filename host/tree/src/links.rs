//! A tree without links: what a source's artifact holds.

use crate::digest::view_id;
use crate::{Blob, ContentId, Digest, Entry, EntryKind, Tree, TreeError, TreePath};

/// A view that leaves out symbolic links and shows submodules as the empty directories that a checkout makes of them,
/// as the artifacts of Flux's source-controller do. Directories that hold only links stay, empty.
#[derive(Clone, Debug)]
pub struct WithoutLinks<T> {
    base: T,
}

/// Sees `base` without its links.
pub fn without_links<T: Tree>(base: T) -> WithoutLinks<T> {
    WithoutLinks { base }
}

impl<T: Tree> WithoutLinks<T> {
    fn is_submodule(&self, path: &TreePath) -> Result<bool, TreeError> {
        Ok(self
            .base
            .stat(path)?
            .is_some_and(|entry| entry.kind == EntryKind::Submodule))
    }

    fn listing(
        &self,
        path: &TreePath,
        entries: Option<Vec<Entry>>,
    ) -> Result<Option<Vec<Entry>>, TreeError> {
        match entries {
            Some(entries) => Ok(Some(entries.into_iter().filter_map(shown).collect())),
            None => Ok(self.is_submodule(path)?.then(Vec::new)),
        }
    }
}

impl<T: Tree> Tree for WithoutLinks<T> {
    fn stat(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        Ok(self.base.stat(path)?.and_then(shown))
    }

    fn read(&self, path: &TreePath) -> Result<Option<Blob>, TreeError> {
        match self.stat(path)? {
            Some(entry) if entry.kind.has_content() => self.base.read(path),
            _ => Ok(None),
        }
    }

    fn entries(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        self.listing(path, self.base.entries(path)?)
    }

    fn id(&self) -> Option<ContentId> {
        self.base.id().map(hidden_links)
    }

    fn outline(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        self.listing(path, self.base.outline(path)?)
    }

    fn digest(&self, path: &TreePath) -> Result<Option<Digest>, TreeError> {
        match self.stat(path)? {
            Some(entry) if entry.kind.has_content() => self.base.digest(path),
            _ => Ok(None),
        }
    }
}

fn shown(entry: Entry) -> Option<Entry> {
    match entry.kind {
        EntryKind::File | EntryKind::Executable => Some(entry),
        EntryKind::Link => None,
        EntryKind::Directory => Some(Entry {
            id: entry.id.map(hidden_links),
            ..entry
        }),
        // All submodules look the same here: no id, for that of an empty directory is the base's to give.
        EntryKind::Submodule => Some(Entry {
            kind: EntryKind::Directory,
            size: 0,
            id: None,
            ..entry
        }),
    }
}

/// A directory's id may not be the base's: a base that shows its links would have the same one for another content.
fn hidden_links(id: ContentId) -> ContentId {
    view_id(&[b"without links"], id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EmptyTree, OverlayTree};

    #[test]
    fn links_are_gone_and_ids_differ_from_the_base() {
        let path = |text: &str| TreePath::parse(text).unwrap();
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        overlay.link(&path("d/link"), "file").unwrap();
        overlay.file(&path("d/file"), "x").unwrap();
        overlay.link(&path("only/link"), "../d/file").unwrap();
        let base = overlay.finish().unwrap();
        let view = without_links(&base);
        assert_eq!(view.stat(&path("d/link")).unwrap(), None);
        assert_eq!(view.read(&path("d/link")).unwrap(), None);
        assert_eq!(view.digest(&path("d/link")).unwrap(), None);
        assert_eq!(view.read(&path("d/file")).unwrap(), Some(Blob::from("x")));
        assert_eq!(
            view.stat(&path("d/file")).unwrap(),
            base.stat(&path("d/file")).unwrap()
        );
        let names: Vec<_> = view
            .entries(&path("d"))
            .unwrap()
            .unwrap()
            .into_iter()
            .map(|entry| entry.name)
            .collect();
        assert_eq!(names, ["file"]);
        assert_eq!(view.entries(&path("only")).unwrap(), Some(Vec::new()));
        assert_ne!(view.id(), base.id());
        assert_ne!(
            view.stat(&path("d")).unwrap().unwrap().id,
            base.stat(&path("d")).unwrap().unwrap().id
        );
    }
}
