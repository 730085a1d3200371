//! Trees that units name by their address: remote bases, files, charts.
//!
//! Such an address is a source without an object. What it leads to is found out when a unit runs at its interval or at a
//! person's request; runs that something else causes (a commit, a changed value) use what was found last. So a commit costs
//! no request to anybody else's server, and the units that share a base see the same one. Fetches of one address at a time
//! are one fetch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use weir_plugin::Refusal;
use weir_plugin::ask::Budget;
use weir_render::SourceTree;
use weir_source::{RemoteFetcher, RemoteTree, SourceError};

/// The most addresses that are remembered; what was used longest ago goes first.
const MAX_KNOWN: usize = 4096;

/// What an address names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Url(String),
    Chart {
        repository: String,
        name: String,
        version: String,
    },
}

/// What is known of all addresses.
#[derive(Debug)]
pub(crate) struct Remotes {
    fetcher: RemoteFetcher,
    known: Mutex<HashMap<Place, Known>>,
}

#[derive(Clone, Debug)]
struct Known {
    slot: Arc<Slot>,
    used: Instant,
}

/// Locked by who fetches.
type Slot = tokio::sync::Mutex<Option<Found>>;

#[derive(Clone, Debug)]
struct Found {
    tree: SourceTree,
    when: Instant,
}

/// What one run sees: the same at every question.
#[derive(Debug)]
pub(crate) struct RunRemotes {
    remotes: Arc<Remotes>,
    runtime: Handle,
    cancel: CancellationToken,
    /// What was found later than this is used.
    since: Option<Instant>,
    pinned: Mutex<HashMap<Place, Result<SourceTree, Refusal>>>,
}

impl Remotes {
    pub(crate) fn new(fetcher: RemoteFetcher) -> Self {
        Self {
            fetcher,
            known: Mutex::default(),
        }
    }

    /// The answers for one run of a unit with this interval.
    pub(crate) fn of_run(
        self: &Arc<Self>,
        runtime: Handle,
        cancel: CancellationToken,
        interval: Duration,
        requested: bool,
    ) -> RunRemotes {
        let now = Instant::now();
        // Intervals have a jitter of a twentieth.
        let since = now.checked_sub(interval.mul_f64(0.9));
        RunRemotes {
            remotes: self.clone(),
            runtime,
            cancel,
            since: if requested { Some(now) } else { since },
            pinned: Mutex::default(),
        }
    }

    async fn get(
        &self,
        place: &Place,
        since: Option<Instant>,
        cancel: &CancellationToken,
    ) -> Result<SourceTree, SourceError> {
        let slot = self.slot(place);
        let mut slot = slot.lock().await;
        if let Some(found) = slot.as_ref()
            && since.is_none_or(|since| found.when >= since)
        {
            return Ok(found.tree.clone());
        }
        let RemoteTree {
            tree,
            revision,
            time,
        } = match place {
            Place::Url(url) => self.fetcher.open(url, cancel).await?,
            Place::Chart {
                repository,
                name,
                version,
            } => {
                self.fetcher
                    .chart(repository, name, version, cancel)
                    .await?
            }
        };
        let tree = SourceTree {
            tree,
            revision,
            time,
        };
        *slot = Some(Found {
            tree: tree.clone(),
            when: Instant::now(),
        });
        Ok(tree)
    }

    fn slot(&self, place: &Place) -> Arc<Slot> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN && !known.contains_key(place) {
            let oldest = known.iter().min_by_key(|(_, known)| known.used);
            if let Some(oldest) = oldest.map(|(place, _)| place.clone()) {
                known.remove(&oldest);
            }
        }
        let now = Instant::now();
        let entry = known.entry(place.clone()).or_insert_with(|| Known {
            slot: Arc::default(),
            used: now,
        });
        entry.used = now;
        entry.slot.clone()
    }
}

impl RunRemotes {
    /// Called from the blocking thread of a render.
    pub(crate) fn open(&self, place: Place, budget: &Budget) -> Result<SourceTree, Refusal> {
        let mut pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = pinned.get(&place) {
            return known.clone();
        }
        let deadline = tokio::time::Instant::from_std(budget.deadline);
        let get = self.remotes.get(&place, self.since, &self.cancel);
        let fetched = self
            .runtime
            .block_on(async { tokio::time::timeout_at(deadline, get).await });
        let answer = match fetched {
            Ok(Ok(tree)) => Ok(tree),
            Ok(Err(error)) => Err(Refusal::Unavailable(error.to_string())),
            Err(_) => Err(Refusal::Unavailable(format!(
                "fetching {} took longer than the step may take",
                place.shown()
            ))),
        };
        pinned.insert(place, answer.clone());
        answer
    }
}

impl Place {
    /// Without what may be a login.
    fn shown(&self) -> &str {
        match self {
            Self::Url(url) => url.rsplit('@').next().unwrap_or_default(),
            Self::Chart { name, .. } => name,
        }
    }
}
