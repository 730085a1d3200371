//! One exchange with one server: what the transport needs to know, and what it found out.
//!
//! libgit2 hands its transports nothing but an address. So a session gets a number, its address is
//! `weir://NUMBER/`, and the transport looks it up here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::error::ExchangeError;

use super::transport::{Shell, Web};

/// The scheme of session addresses.
pub(super) const SCHEME: &str = "weir";

static SESSIONS: LazyLock<Mutex<HashMap<u64, Arc<Session>>>> = LazyLock::new(Mutex::default);
static NEXT: AtomicU64 = AtomicU64::new(1);

/// How the server is reached.
#[derive(Debug)]
pub(super) enum Wire {
    Http(Box<Web>),
    Ssh(Box<Shell>),
}

/// Settings and counters of one exchange.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) wire: Wire,
    /// Bytes that the server may send in all.
    pub(super) limit: u64,
    pub(super) cancel: CancellationToken,
    pub(super) runtime: Handle,
    /// The server's list of references, as it came.
    listing: OnceLock<Bytes>,
    received: AtomicU64,
    requests: AtomicUsize,
    /// The first thing that went wrong. libgit2 would pass on a text only.
    failure: Mutex<Option<ExchangeError>>,
}

/// A session that the transport can find; it is forgotten when this is dropped.
#[derive(Debug)]
pub(super) struct Registered {
    number: u64,
    session: Arc<Session>,
}

impl Session {
    pub(super) fn new(wire: Wire, limit: u64, cancel: CancellationToken, runtime: Handle) -> Self {
        Self {
            wire,
            limit,
            cancel,
            runtime,
            listing: OnceLock::new(),
            received: AtomicU64::new(0),
            requests: AtomicUsize::new(0),
            failure: Mutex::new(None),
        }
    }

    pub(super) fn register(self) -> Registered {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let session = Arc::new(self);
        sessions().insert(number, Arc::clone(&session));
        Registered { number, session }
    }

    /// The session of a transport's address.
    pub(super) fn find(url: &str) -> Option<Arc<Self>> {
        let number = url
            .strip_prefix(SCHEME)?
            .strip_prefix("://")?
            .split('/')
            .next()?;
        sessions().get(&number.parse().ok()?).cloned()
    }

    /// Keeps the list for libgit2; the first one stays.
    pub(super) fn keep_listing(&self, listing: Bytes) {
        let _ = self.listing.set(listing);
    }

    pub(super) fn listing(&self) -> Bytes {
        self.listing.get().cloned().unwrap_or_default()
    }

    pub(super) fn requested(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Counts what came in; an error once it is too much.
    pub(super) fn receive(&self, bytes: usize) -> Result<(), ExchangeError> {
        let before = self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        if before + bytes as u64 > self.limit {
            return Err(ExchangeError::TooLarge { limit: self.limit });
        }
        Ok(())
    }

    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(super) fn fail(&self, error: ExchangeError) {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(error);
    }

    pub(super) fn failure(&self) -> Option<ExchangeError> {
        let failure = self
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        failure.or_else(|| {
            self.cancel
                .is_cancelled()
                .then_some(ExchangeError::Cancelled)
        })
    }
}

impl Registered {
    /// The address that leads to this session.
    pub(super) fn url(&self) -> String {
        format!("{SCHEME}://{}/", self.number)
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.session
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        sessions().remove(&self.number);
    }
}

fn sessions() -> MutexGuard<'static, HashMap<u64, Arc<Session>>> {
    SESSIONS.lock().unwrap_or_else(PoisonError::into_inner)
}
