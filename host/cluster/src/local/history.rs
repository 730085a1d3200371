//! What happened lately, and those who watch it.
//!
//! A watcher holds only a version and reads on from there, so a slow one costs nothing; if it falls so far behind that the
//! history no longer reaches back to it, its stream ends with [`ClusterError::Expired`].

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures::stream::{self, BoxStream, StreamExt as _};
use smol_str::SmolStr;
use tokio::sync::watch;

use super::kinds::{Kind, Version};
use super::record::{Record, Shared};
use super::state::State;
use crate::selector::Selector;
use crate::{ClusterError, Detail, WatchEvent};

/// How many writes are remembered.
const LENGTH: usize = 4096;
/// How many versions may pass a watcher by before it is told, so that its version stays within the history.
const BOOKMARK_AFTER: u64 = 1000;

/// The latest writes, oldest first.
#[derive(Debug)]
pub(crate) struct History {
    changes: VecDeque<Change>,
    /// The version from which on all writes are remembered.
    since: u64,
}

/// A write: what an object was and what it is.
#[derive(Clone, Debug)]
struct Change {
    old: Option<Shared>,
    new: Option<Shared>,
    version: u64,
}

/// What somebody watches.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) kind: Arc<Kind>,
    pub(crate) version: Version,
    pub(crate) namespace: String,
    pub(crate) selector: Selector,
    pub(crate) detail: Detail,
}

impl History {
    pub(crate) fn new(since: u64) -> Self {
        Self {
            changes: VecDeque::new(),
            since,
        }
    }

    pub(crate) fn push(&mut self, old: Option<Shared>, new: Option<Shared>, version: u64) {
        if self.changes.len() == LENGTH
            && let Some(oldest) = self.changes.pop_front()
        {
            self.since = oldest.version;
        }
        self.changes.push_back(Change { old, new, version });
    }

    /// The writes after a version; `None` if some of them are forgotten, or the version has not come yet.
    fn after(&self, version: u64, newest: u64) -> Option<impl Iterator<Item = &Change>> {
        if version < self.since || version > newest {
            return None;
        }
        let start = self
            .changes
            .partition_point(|change| change.version <= version);
        Some(self.changes.range(start..))
    }
}

impl Watched {
    fn matches(&self, record: &Record, resource: &SmolStr) -> bool {
        record.id.resource == *resource
            && (self.namespace.is_empty() || record.id.namespace == self.namespace)
            && (self.selector.is_empty() || self.selector.matches(&record.labels()))
    }

    /// What a write means to this watcher.
    fn event(&self, change: &Change, resource: &SmolStr) -> Option<WatchEvent> {
        let matches = |record: &&Shared| self.matches(record, resource);
        let (old, new) = (
            change.old.as_ref().filter(matches),
            change.new.as_ref().filter(matches),
        );
        match (old, new) {
            (_, Some(new)) => Some(WatchEvent::Set(new.object(
                &self.kind,
                &self.version,
                self.detail,
            ))),
            // Gone, or gone from what is selected: as it was, at the version at which it went.
            (Some(old), None) => {
                let last = Record {
                    version: change.version,
                    ..Record::clone(old)
                };
                Some(WatchEvent::Deleted(last.object(
                    &self.kind,
                    &self.version,
                    self.detail,
                )))
            }
            (None, None) => None,
        }
    }
}

/// The events after `since`, for as long as the cluster is open.
pub(crate) fn follow(
    state: &Arc<Mutex<State>>,
    watched: Watched,
    since: u64,
) -> Result<BoxStream<'static, Result<WatchEvent, ClusterError>>, ClusterError> {
    let newest = {
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.history.after(since, state.version).is_none() {
            return Err(ClusterError::Expired(since.to_string()));
        }
        state.newest.subscribe()
    };
    let resource = SmolStr::new(watched.kind.resource());
    let watcher = Watcher {
        state: Arc::downgrade(state),
        newest,
        watched,
        resource,
        since,
        told: since,
        over: false,
    };
    let events = stream::unfold(watcher, |mut watcher| async move {
        Some((watcher.next().await?, watcher))
    });
    Ok(events.flat_map(stream::iter).boxed())
}

struct Watcher {
    /// Weak: a watcher must not keep a folder locked that nobody else uses.
    state: Weak<Mutex<State>>,
    newest: watch::Receiver<u64>,
    watched: Watched,
    resource: SmolStr,
    /// Up to where it has read.
    since: u64,
    /// The version that it told last.
    told: u64,
    over: bool,
}

impl Watcher {
    /// The next events; `None` when the stream is over.
    async fn next(&mut self) -> Option<Vec<Result<WatchEvent, ClusterError>>> {
        if self.over {
            return None;
        }
        loop {
            // First, so that a write between reading and waiting is not missed.
            self.newest.borrow_and_update();
            let events = self.read()?;
            if !events.is_empty() {
                return Some(events);
            }
            self.newest.changed().await.ok()?;
        }
    }

    fn read(&mut self) -> Option<Vec<Result<WatchEvent, ClusterError>>> {
        let state = self.state.upgrade()?;
        let state = state.lock().unwrap_or_else(PoisonError::into_inner);
        // The CRD of the kind went: so does the watch.
        self.over = state.kinds.get(&self.watched.kind.group_kind).is_none();
        let Some(changes) = state.history.after(self.since, state.version) else {
            self.over = true;
            return Some(vec![Err(ClusterError::Expired(self.since.to_string()))]);
        };
        let events: Vec<_> = changes
            .filter_map(|change| self.watched.event(change, &self.resource))
            .map(Ok)
            .collect();
        self.since = state.version;
        if !events.is_empty() {
            self.told = self.since;
            return Some(events);
        }
        if self.over {
            return None;
        }
        if self.since - self.told >= BOOKMARK_AFTER {
            self.told = self.since;
            return Some(vec![Ok(WatchEvent::Bookmark(self.since.to_string()))]);
        }
        Some(events)
    }
}
