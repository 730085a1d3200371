//! Git repositories over HTTP and SSH.
//!
//! Fetching blocks, for libgit2 does, so that it runs on threads made for it, as many at once as
//! [`GitOptions::at_once`] says. One listing of the server's references decides what is wanted; only a commit that is
//! not in the local object database is downloaded, with as little history as the reference allows: none, unless a
//! commit has to be found in a branch. Nothing is checked out.

mod advertisement;
mod database;
mod fetch;
mod reference;
mod session;
mod signed;
mod submodule;
mod transport;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use weir_tree::{
    Commit, GitCache, GitDatabase, GitTree, IgnoreRules, Tree, ignored, without_links,
};

use crate::address::{Address, Login};
use crate::error::{ExchangeError, SourceError};
use crate::http::{ClientSpec, HttpFactory};
use crate::secret::SecretText;
use crate::ssh::{SshAlgorithms, SshLogin};

use database::Database;
use fetch::{Fetch, Found};
use reference::Listing;
use session::{Registered, Session, Wire};
use transport::{Shell, Web};

pub use reference::{GitReference, ReferenceError};
pub use signed::{Signed, SignedTag};

/// Fetches from Git servers, and keeps what it fetched. Cheap to clone.
#[derive(Clone, Debug)]
pub struct GitFetcher {
    options: Arc<GitOptions>,
    http: HttpFactory,
    objects: Arc<GitCache>,
    permits: Arc<Semaphore>,
}

/// What holds for all repositories.
#[derive(Clone, Debug)]
pub struct GitOptions {
    /// The folder with the local object databases. Any number of processes may use it.
    pub cache: PathBuf,
    /// The most bytes that one fetch may download.
    pub limit: u64,
    /// How many fetches run at once.
    pub at_once: usize,
    /// Of connections over SSH.
    pub algorithms: SshAlgorithms,
}

/// Which tree of which repository is wanted.
#[derive(Clone, Debug)]
pub struct GitSpec {
    /// `https://`, `http://` or `ssh://`; a login in it is used, but never shown.
    pub url: String,
    /// Which commit.
    pub reference: GitReference,
    /// How to log in, if not with what the address says.
    pub auth: Auth,
    /// What to know about the server.
    pub client: ClientSpec,
    /// For the whole fetch.
    pub timeout: Duration,
    /// `spec.ignore`; `None`: the built-in rules, unless there is a `.sourceignore`.
    pub ignore: Option<String>,
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// Anybody.
    #[default]
    Anonymous,
    /// Somebody with a name and a password or token.
    Basic(Login),
    /// Whoever has this token.
    Bearer(SecretText),
    /// Whoever has this key, to a server with one of these keys.
    Ssh(SshLogin),
}

/// A revision of a repository.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The files as Flux's artifact has them: without links and without what is ignored.
    pub tree: Arc<dyn Tree>,
    /// The commit as it is.
    pub checkout: GitTree,
    /// As Flux writes it: `main@sha1:…`, `v1.2.3@sha1:…`, `refs/pull/1/head@sha1:…` or `sha1:…`.
    pub revision: String,
    /// Who made it, and when: the time of the revision.
    pub commit: Commit,
    /// How the commit is signed.
    pub signed: Signed,
    /// The tag that led to it, if a tag did.
    pub tag: Option<SignedTag>,
    /// The commit was not here before.
    pub moved: bool,
    /// What it took.
    pub transfer: Transfer,
    /// What the tree was made with, and where its objects are.
    ignore: Option<String>,
    repository: PathBuf,
}

/// What a fetch took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Requests to the server.
    pub requests: usize,
    /// Bytes from the server, as the pack has them.
    pub bytes: u64,
}

impl GitOptions {
    /// At most 2 GiB for a fetch, and four at once.
    pub fn new(cache: impl Into<PathBuf>) -> Self {
        Self {
            cache: cache.into(),
            limit: 2 << 30,
            at_once: 4,
            algorithms: SshAlgorithms::default(),
        }
    }
}

impl GitSpec {
    /// The branch `master`, anonymously, within Flux's 60 s.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            reference: GitReference::default(),
            auth: Auth::Anonymous,
            client: ClientSpec::default(),
            timeout: Duration::from_secs(60),
            ignore: None,
        }
    }
}

impl GitFetcher {
    /// A fetcher with an empty memory; what earlier runs left in the cache folder is used.
    pub fn new(options: GitOptions, http: HttpFactory) -> Self {
        let permits = Arc::new(Semaphore::new(options.at_once.max(1)));
        Self {
            options: Arc::new(options),
            http,
            objects: GitCache::new(),
            permits,
        }
    }

    /// Finds what the reference means now, and fetches it if it is not here. Of an unmoved repository one listing is
    /// read and no more; given what was fetched `before`, its tree is given again.
    ///
    /// A cancelled token, or dropping the future, ends all work within a tenth of a second.
    pub async fn fetch(
        &self,
        spec: &GitSpec,
        before: Option<&Fetched>,
        cancel: &CancellationToken,
    ) -> Result<Fetched, SourceError> {
        let (address, login) =
            Address::parse_git(&spec.url).map_err(|reason| SourceError::Address {
                url: hide_login(&spec.url),
                reason,
            })?;
        let wire = self.wire(spec, &address, login)?;
        // A child, so that the time limit and a dropped future end this fetch alone.
        let cancel = cancel.child_token();
        let _guard = cancel.clone().drop_guard();
        let watch = Watch {
            address: &address,
            spec,
            cancel: &cancel,
            deadline: Instant::now() + spec.timeout,
        };
        let session = Session::new(wire, self.options.limit, cancel.clone(), Handle::current());
        let registered = session.register();
        let listing = watch.wait(transport::list(registered.session())).await?;
        let listing = listing.map_err(|cause| SourceError::Exchange {
            url: address.to_string(),
            cause,
        })?;
        let permit = watch
            .wait(Arc::clone(&self.permits).acquire_owned())
            .await?;
        let permit = permit.expect("the semaphore is never closed");
        let work = Work {
            registered,
            listing,
            database: Database::new(&self.options.cache, &address),
            address: address.clone(),
            objects: Arc::clone(&self.objects),
            reference: spec.reference.clone(),
            ignore: spec.ignore.clone(),
            lock_wait: spec.timeout,
            before: before.cloned(),
        };
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work.run()
        });
        watch.wait_blocking(task).await
    }
}

impl GitFetcher {
    fn wire(
        &self,
        spec: &GitSpec,
        address: &Address,
        login: Option<Login>,
    ) -> Result<Wire, SourceError> {
        let url = || address.to_string();
        if let Some((place, path)) = address.over_ssh() {
            let Auth::Ssh(login) = &spec.auth else {
                let cause = ExchangeError::NoSshLogin;
                return Err(SourceError::Exchange { url: url(), cause });
            };
            let shell = Shell::new(place, &path, login.clone(), self.options.algorithms.clone());
            return Ok(Wire::Ssh(Box::new(shell)));
        }
        let client = self.http.client(&spec.client);
        let client = client.map_err(|source| SourceError::Client { url: url(), source })?;
        let auth = match (&spec.auth, login) {
            (Auth::Anonymous, Some(login)) => Auth::Basic(login),
            (auth, _) => auth.clone(),
        };
        let web = Web::new(client, address.clone(), auth);
        Ok(Wire::Http(Box::new(web)))
    }
}

/// What may end a fetch early.
struct Watch<'a> {
    address: &'a Address,
    spec: &'a GitSpec,
    cancel: &'a CancellationToken,
    deadline: Instant,
}

impl Watch<'_> {
    async fn wait<T>(&self, future: impl Future<Output = T>) -> Result<T, SourceError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(self.cancelled()),
            () = tokio::time::sleep_until(self.deadline) => Err(self.timed_out()),
            done = future => Ok(done),
        }
    }

    /// A blocking thread cannot be dropped: it is told to stop, and waited for.
    async fn wait_blocking(
        &self,
        mut task: JoinHandle<Result<Fetched, SourceError>>,
    ) -> Result<Fetched, SourceError> {
        let (done, late) = tokio::select! {
            done = &mut task => (done, false),
            () = tokio::time::sleep_until(self.deadline) => {
                self.cancel.cancel();
                (task.await, true)
            }
        };
        match done {
            Ok(Err(SourceError::Cancelled { .. })) if late => Err(self.timed_out()),
            Ok(result) => result,
            Err(panic) => Err(SourceError::Git {
                url: self.address.to_string(),
                reference: self.spec.reference.to_string(),
                reason: format!("the fetch broke off: {panic}"),
            }),
        }
    }

    fn cancelled(&self) -> SourceError {
        SourceError::Cancelled {
            url: self.address.to_string(),
            reference: self.spec.reference.to_string(),
        }
    }

    fn timed_out(&self) -> SourceError {
        SourceError::TimedOut {
            url: self.address.to_string(),
            reference: self.spec.reference.to_string(),
            limit: self.spec.timeout,
        }
    }
}

/// What the blocking thread gets.
struct Work {
    registered: Registered,
    listing: Listing,
    database: Database,
    address: Address,
    objects: Arc<GitCache>,
    reference: GitReference,
    ignore: Option<String>,
    lock_wait: Duration,
    before: Option<Fetched>,
}

impl Work {
    fn run(self) -> Result<Fetched, SourceError> {
        let fetch = Fetch {
            registered: &self.registered,
            address: &self.address,
            database: &self.database,
            listing: &self.listing,
            wanted: self.reference.wanted(),
            lock_wait: self.lock_wait,
        };
        let found = fetch.run()?;
        let session = self.registered.session();
        let transfer = Transfer {
            requests: session.count_requests(),
            bytes: session.received(),
        };
        let revision = revision(&found);
        if let Some(before) = self.before
            && before.revision == revision
            && before.ignore == self.ignore
            && before.repository == found.repository
            && before.tag.as_ref().map(|tag| tag.object)
                == found.tag.as_ref().map(|(_, object)| *object)
        {
            return Ok(Fetched {
                moved: found.downloaded,
                transfer,
                ..before
            });
        }
        let place = |source| SourceError::Tree {
            place: self.address.to_string(),
            source,
        };
        let database = GitDatabase::open(&found.repository, self.objects).map_err(place)?;
        let checkout = database.commit(found.commit).map_err(place)?;
        let rules = IgnoreRules::load(&checkout, self.ignore.as_deref()).map_err(place)?;
        let (signed, tag) = signed::read(&found).map_err(|error| SourceError::Git {
            url: self.address.to_string(),
            reference: self.reference.to_string(),
            reason: error.message().to_owned(),
        })?;
        Ok(Fetched {
            tree: Arc::new(ignored(without_links(checkout.clone()), rules)),
            commit: checkout.commit().clone(),
            checkout,
            signed,
            tag,
            revision,
            moved: found.downloaded,
            transfer,
            ignore: self.ignore,
            repository: found.repository,
        })
    }
}

fn revision(found: &Found) -> String {
    match found.pointer.as_str() {
        "" => format!("sha1:{}", found.commit),
        pointer => format!("{pointer}@sha1:{}", found.commit),
    }
}

/// For an address that could not be understood: whatever stands before an `@` may be a password.
fn hide_login(text: &str) -> String {
    let shown: String = text
        .rsplit('@')
        .next()
        .unwrap_or_default()
        .chars()
        .take(200)
        .collect();
    match text.split_once("://") {
        Some((scheme, _)) if text.contains('@') && scheme.len() < 20 => {
            format!("{scheme}://{shown}")
        }
        _ => shown,
    }
}
