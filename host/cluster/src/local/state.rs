//! The objects of a local cluster in memory, and the one way to change them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use serde_json::Value;
use smol_str::SmolStr;
use tokio::sync::watch;
use weir_api::{Gvk, ObjectKey, ObjectName};

use super::delete::Step;
use super::folder::{self, Folder, Stamp};
use super::history::History;
use super::journal::Journal;
use super::kinds::{Kind, Kinds, Version};
use super::record::{Digest, Id, Record, Shared};
use super::sync::Message;
use crate::ClusterError;

/// The namespaces that every cluster has.
pub(crate) const NAMESPACES: [&str; 4] =
    ["default", "kube-node-lease", "kube-public", "kube-system"];

/// Everything behind the lock of a local cluster.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) kinds: Kinds,
    pub(crate) records: BTreeMap<Id, Shared>,
    /// By uid: owners are named so.
    pub(crate) uids: HashMap<SmolStr, Id>,
    /// The resource version of the newest write.
    pub(crate) version: u64,
    pub(crate) history: History,
    pub(crate) folder: Folder,
    pub(crate) journal: Journal,
    /// How each file looked when it was last written or read.
    pub(crate) stamps: HashMap<Id, Stamp>,
    /// Files that the log does not know to be on disk yet.
    pub(crate) unsynced: Vec<PathBuf>,
    /// What follows from deletions and is not done yet.
    pub(crate) steps: VecDeque<Step>,
    /// Tells watchers that there is a new version.
    pub(crate) newest: watch::Sender<u64>,
    /// Tells the thread that syncs to disk.
    pub(crate) wake: SyncSender<Message>,
    /// Closing it unlocks the folder: only when nobody can write any more.
    pub(crate) _lock: File,
}

/// Whether a write shows as a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    File,
    /// The file already says so: it is where the write comes from.
    AlreadyFile(Digest, Stamp),
    /// It is nobody's business yet, as the namespaces that every cluster has.
    Hidden,
}

impl State {
    /// The kind and version that is asked for.
    pub(crate) fn kind(&self, gvk: &Gvk) -> Result<(Arc<Kind>, Version), ClusterError> {
        let kind = self
            .kinds
            .get(&gvk.group_kind())
            .ok_or_else(|| ClusterError::NoKind(gvk.clone()))?;
        let version = kind
            .version(&gvk.version)
            .ok_or_else(|| ClusterError::NoKind(gvk.clone()))?;
        Ok((kind.clone(), version.clone()))
    }

    /// The kind of an object that is there, in its preferred version.
    pub(crate) fn kind_of(&self, resource: &str) -> Option<(Arc<Kind>, Version)> {
        let kind = self.kinds.all().find(|kind| kind.resource() == resource)?;
        Some((kind.clone(), kind.versions.first()?.clone()))
    }

    /// What an object is called here. What is namespaced and names no namespace is nowhere.
    pub(crate) fn id(&self, kind: &Kind, key: &ObjectKey) -> Result<Id, ClusterError> {
        let ObjectName { namespace, name } = &key.name;
        if kind.namespaced && namespace.is_empty() || name.is_empty() {
            return Err(ClusterError::NotFound { key: key.clone() });
        }
        Ok(Id::new(kind, namespace, name))
    }

    /// The objects of a kind, in one namespace or all.
    pub(crate) fn of_kind<'s>(
        &'s self,
        kind: &Kind,
        namespace: &'s str,
    ) -> impl Iterator<Item = &'s Shared> {
        let resource = SmolStr::new(kind.resource());
        let start = Id {
            resource: resource.clone(),
            namespace: namespace.into(),
            name: SmolStr::default(),
        };
        let wanted = move |id: &Id| {
            id.resource == resource && (namespace.is_empty() || id.namespace == namespace)
        };
        self.records
            .range(start..)
            .take_while(move |(id, _)| wanted(id))
            .map(|(_, record)| record)
    }

    pub(crate) fn namespace(&self, name: &str) -> Option<&Shared> {
        let id = Id {
            resource: "namespaces".into(),
            namespace: SmolStr::default(),
            name: name.into(),
        };
        self.records.get(&id)
    }

    /// Makes `object` the state of an object. This and [`State::remove`] are the only writes: a line in the log, then the
    /// file, then memory and whoever watches.
    pub(crate) fn put(
        &mut self,
        id: Id,
        object: Value,
        managers: &Value,
        shown: Shown,
    ) -> Result<Shared, ClusterError> {
        let old = self.records.get(&id).cloned();
        let version = self.version + 1;
        let mut record = Record::new(id.clone(), version, object, managers);
        let was = old.as_ref().and_then(|old| old.file);
        let text = match shown {
            Shown::File => {
                let text = folder::write(&record.value());
                record.file = Some(Digest::of(text.as_bytes()));
                Some(text)
            }
            Shown::AlreadyFile(digest, _) => {
                record.file = Some(digest);
                None
            }
            Shown::Hidden => None,
        };
        self.journal
            .put(&record, was)
            .map_err(|error| self.failed("writing the journal", &error))?;
        let record = Arc::new(record);
        self.version = version;
        self.uids.insert(record.uid.clone(), id.clone());
        self.records.insert(id.clone(), record.clone());
        self.history.push(old, Some(record.clone()), version);
        let filed = match (shown, text) {
            (Shown::AlreadyFile(_, stamp), _) => {
                self.stamps.insert(id.clone(), stamp);
                Ok(())
            }
            // An unchanged text needs no new file: only what a file does not show was changed.
            (Shown::File, Some(_)) if record.file == was => Ok(()),
            (Shown::File, Some(text)) => self.write_file(&id, &text),
            (Shown::File, None) | (Shown::Hidden, _) => Ok(()),
        };
        self.tell();
        filed.map_err(|error| {
            self.failed(
                &format!("writing {}", self.folder.path(&id).display()),
                &error,
            )
        })?;
        Ok(record)
    }

    /// Removes an object for good.
    pub(crate) fn remove(&mut self, id: &Id) -> Result<(), ClusterError> {
        let Some(old) = self.records.get(id).cloned() else {
            return Ok(());
        };
        let version = self.version + 1;
        self.journal
            .gone(id, version, old.file)
            .map_err(|error| self.failed("writing the journal", &error))?;
        self.version = version;
        self.records.remove(id);
        self.uids.remove(&old.uid);
        self.stamps.remove(id);
        self.history.push(Some(old), None, version);
        self.tell();
        let path = self.folder.path(id);
        self.folder
            .remove(id)
            .map_err(|error| self.failed(&format!("removing {}", path.display()), &error))
    }

    fn tell(&self) {
        self.newest.send_replace(self.version);
        // Full: it knows already.
        let _ = self.wake.try_send(Message::Written);
    }

    /// Writes the file of an object and remembers how it looks.
    pub(crate) fn write_file(&mut self, id: &Id, text: &str) -> io::Result<()> {
        let stamp = self.folder.put(id, text)?;
        self.stamps.insert(id.clone(), stamp);
        self.unsynced.push(self.folder.path(id));
        Ok(())
    }

    /// Adds an object without writing anything: for what the log or the folder already says.
    pub(crate) fn insert(&mut self, record: Record) {
        self.uids.insert(record.uid.clone(), record.id.clone());
        self.records.insert(record.id.clone(), Arc::new(record));
    }

    pub(crate) fn failed(&self, doing: &str, error: &io::Error) -> ClusterError {
        ClusterError::Unavailable {
            message: format!(
                "local cluster {}: {doing}: {error}",
                self.folder.root().display()
            ),
        }
    }
}
