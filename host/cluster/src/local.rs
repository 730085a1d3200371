//! A cluster in a folder.
//!
//! Every object is a YAML file that a person can read, edit and commit; `.weir/` beside them holds what people need not
//! read. Server-side apply works as on an API server: merge keys, list types and field ownership come from a table that
//! is made from the OpenAPI documents of kube-apiserver, and from the schemas of CRDs that are applied.
//!
//! Where it is simpler than an API server, and means to be:
//!
//! - nothing is defaulted but the whole status of a new object, where its CRD says so, and nothing is admitted or refused
//!   beyond names, types and unknown fields;
//! - nothing runs: no controller gives workloads a status. What *belongs* to something does go with it: the content of a
//!   namespace, the objects of a CRD, what only deleted objects own. That happens within the deletion;
//! - the versions of a kind differ in `apiVersion` alone, nothing is converted;
//! - a service, a node or a namespace is made as it is applied: no addresses, phases or labels are added.
//!
//! Invariants: one process at a time has a folder open; a resource version is never given out twice; each write is one
//! line in a log before it is a file, so that a process killed at any moment leaves each object in its old or its new state.

mod crd;
mod delete;
mod edits;
mod fields;
mod folder;
mod history;
mod journal;
mod kinds;
mod names;
mod open;
mod ownership;
mod record;
mod schema;
mod state;
mod sync;
mod typed;
mod write;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde_json::Value;
use weir_api::{Gvk, Object, ObjectKey};

pub use open::OpenError;
pub use schema::built_in::{TableKind, table};

use crate::selector::Selector;
use crate::{
    Apply, Cluster, ClusterError, Delete, Detail, Discovery, List, Part, Selection, WatchEvent,
};
use history::Watched;
use state::State;
use sync::Message;

/// A folder that is open as a cluster. Dropping it brings everything to disk and lets others open the folder.
pub struct Local {
    path: PathBuf,
    state: Arc<Mutex<State>>,
    wake: SyncSender<Message>,
    syncing: Option<JoinHandle<()>>,
}

/// An object that is asked for, in a version of its kind.
struct Asked {
    id: record::Id,
    kind: Arc<kinds::Kind>,
    version: kinds::Version,
}

/// One that is there.
struct Found {
    record: record::Shared,
    kind: Arc<kinds::Kind>,
    version: kinds::Version,
}

impl Asked {
    /// Nothing if no object can have such a key.
    fn of(state: &State, key: &ObjectKey) -> Result<Option<Self>, ClusterError> {
        let (kind, version) = state.kind(&key.gvk)?;
        let id = state.id(&kind, key).ok();
        Ok(id.map(|id| Self { id, kind, version }))
    }

    fn found(self, state: &State) -> Option<Found> {
        let Self { id, kind, version } = self;
        let record = state.records.get(&id)?.clone();
        Some(Found {
            record,
            kind,
            version,
        })
    }
}

impl Found {
    fn object(&self) -> Object {
        self.record.object(&self.kind, &self.version, Detail::Whole)
    }
}

impl Local {
    /// Opens a folder, made if it is not there. What people did to its files since is taken over.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let folder = open::prepare(path.as_ref())?;
        let lock = open::lock(&folder)?;
        let (wake, messages) = sync_channel(1);
        let state = Arc::new(Mutex::new(open::read(folder, lock, wake.clone())?));
        let weak = Arc::downgrade(&state);
        let syncing = thread::Builder::new()
            .name("weir-local-sync".into())
            .spawn(move || sync::run(&weak, &messages))
            .map_err(|source| OpenError::Io {
                path: path.as_ref().to_owned(),
                source,
            })?;
        Ok(Self {
            path: path.as_ref().to_owned(),
            state,
            wake,
            syncing: Some(syncing),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Brings everything that was written to disk. Only a power failure can tell the difference.
    pub async fn flush(&self) -> Result<(), ClusterError> {
        let state = self.state.clone();
        let synced = tokio::task::spawn_blocking(move || sync::sync(&state)).await;
        let failed = |error: &dyn fmt::Display| ClusterError::Unavailable {
            message: format!(
                "local cluster {}: syncing to disk: {error}",
                self.path.display()
            ),
        };
        synced
            .map_err(|error| failed(&error))?
            .map_err(|error| failed(&error))
    }

    /// Takes over what people did to files of any kind. Reads and writes do so for what they touch; this is for watchers.
    pub async fn refresh(&self) -> Result<(), ClusterError> {
        self.with(|state| {
            let kinds: Vec<_> = state.kinds.all().cloned().collect();
            kinds.iter().try_for_each(|kind| state.notice_kind(kind))
        })
        .await
    }

    /// The record of an object whose file nobody edited, while nothing else is done: that is one look at the file, for which
    /// no other thread is needed.
    fn at_rest(&self, key: &ObjectKey) -> Option<Result<Option<Found>, ClusterError>> {
        let state = self.state.try_lock().ok()?;
        let asked = match Asked::of(&state, key) {
            Ok(Some(asked)) => asked,
            Ok(None) => return Some(Ok(None)),
            Err(error) => return Some(Err(error)),
        };
        let stamp = state.folder.stamp(&asked.id).ok()?;
        let untouched = state.untouched(&asked.id, stamp);
        untouched.then(|| Ok(asked.found(&state)))
    }

    /// Runs something on the state. Not on a thread of the runtime: it reads and writes files.
    async fn with<T: Send + 'static>(
        &self,
        run: impl FnOnce(&mut State) -> Result<T, ClusterError> + Send + 'static,
    ) -> Result<T, ClusterError> {
        let state = self.state.clone();
        let result = tokio::task::spawn_blocking(move || {
            run(&mut state.lock().unwrap_or_else(PoisonError::into_inner))
        })
        .await;
        match result {
            Ok(result) => result,
            Err(error) => Err(ClusterError::Unavailable {
                message: format!("local cluster: {error}"),
            }),
        }
    }
}

#[async_trait]
impl Cluster for Local {
    async fn discover(&self, _fresh: bool) -> Result<Arc<Discovery>, ClusterError> {
        self.with(|state| Ok(state.kinds.discovery())).await
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<Object>, ClusterError> {
        let found = match self.at_rest(key) {
            Some(found) => found,
            None => {
                let key = key.clone();
                self.with(move |state| {
                    let Some(asked) = Asked::of(state, &key)? else {
                        return Ok(None);
                    };
                    if let Err(error) = state.notice(&asked.id) {
                        tracing::warn!(%error, "a file was edited and is not an object now");
                    }
                    Ok(asked.found(state))
                })
                .await
            }
        };
        Ok(found?.map(|found| found.object()))
    }

    async fn list(&self, gvk: &Gvk, by: &Selection) -> Result<List, ClusterError> {
        let (gvk, by) = (gvk.clone(), by.clone());
        self.with(move |state| {
            let selector = selector(&gvk, &by)?;
            let (kind, version) = state.kind(&gvk)?;
            state.notice_kind(&kind)?;
            let matches = |record: &&record::Shared| {
                selector.is_empty() || selector.matches(&record.labels())
            };
            let selected = state.of_kind(&kind, &by.namespace).filter(matches);
            let objects = selected
                .map(|record| record.object(&kind, &version, by.detail))
                .collect();
            Ok(List {
                objects,
                resource_version: state.version.to_string(),
            })
        })
        .await
    }

    async fn watch(
        &self,
        gvk: &Gvk,
        by: &Selection,
        since: &str,
        detail: Detail,
    ) -> Result<BoxStream<'static, Result<WatchEvent, ClusterError>>, ClusterError> {
        let selector = selector(gvk, by)?;
        let wanted = gvk.clone();
        let (kind, version) = self.with(move |state| state.kind(&wanted)).await?;
        let since = since
            .parse()
            .map_err(|_| ClusterError::Expired(since.to_owned()))?;
        let watched = Watched {
            kind,
            version,
            namespace: by.namespace.clone(),
            selector,
            detail,
        };
        history::follow(&self.state, watched, since)
    }

    async fn apply(&self, object: &Object, how: &Apply) -> Result<Object, ClusterError> {
        let (object, how) = (object.clone(), how.clone());
        self.with(move |state| state.apply(&object, &how)).await
    }

    async fn create(&self, object: &Object, manager: &str) -> Result<Object, ClusterError> {
        let (object, manager) = (object.clone(), manager.to_owned());
        self.with(move |state| state.create(&object, &manager))
            .await
    }

    async fn merge(
        &self,
        key: &ObjectKey,
        part: Part,
        patch: &Value,
        manager: &str,
    ) -> Result<Object, ClusterError> {
        let (key, patch, manager) = (key.clone(), patch.clone(), manager.to_owned());
        self.with(move |state| state.merge(&key, part, &patch, &manager))
            .await
    }

    async fn delete(&self, key: &ObjectKey, how: &Delete) -> Result<Option<Object>, ClusterError> {
        let (key, how) = (key.clone(), how.clone());
        self.with(move |state| state.delete(&key, &how)).await
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // The thread is gone only if it panicked; then there is nobody to tell.
        let _ = self.wake.send(Message::Stop);
        if let Some(syncing) = self.syncing.take()
            && syncing.join().is_err()
        {
            tracing::warn!("the thread that syncs a local cluster panicked");
        }
        if let Err(error) = sync::sync(&self.state) {
            tracing::warn!(%error, "syncing a local cluster to disk");
        }
    }
}

/// Only where it is: what is in it can be secret.
impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Local({})", self.path.display())
    }
}

fn selector(gvk: &Gvk, by: &Selection) -> Result<Selector, ClusterError> {
    Selector::parse(&by.labels).map_err(|error| ClusterError::Invalid {
        key: ObjectKey::new(gvk.clone(), by.namespace.as_str(), ""),
        message: error.to_string(),
    })
}
