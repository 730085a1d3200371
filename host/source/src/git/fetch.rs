//! The work of a fetch: choose from what the server lists, download what is missing. Everything here blocks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::{AutotagOption, ErrorClass, FetchOptions, RemoteCallbacks, Repository};
use weir_tree::ObjectId;

use crate::address::Address;
use crate::error::{ExchangeError, SourceError};

use super::database::{Database, HEADS, OTHERS, WriteLock};
use super::reference::{Advertised, Listing, ReferenceError, Wanted};
use super::session::Registered;
use super::transport;

/// As `--depth 1` does.
const SHALLOW: i32 = 1;
/// All of history, also where it was cut off before.
const WHOLE: i32 = i32::MAX;

/// One fetch from one server.
pub(super) struct Fetch<'a> {
    pub(super) registered: &'a Registered,
    pub(super) address: &'a Address,
    pub(super) database: &'a Database,
    pub(super) listing: &'a Listing,
    pub(super) wanted: Wanted<'a>,
    /// For another process that writes to the same cache.
    pub(super) lock_wait: Duration,
}

/// What was found, and where it is.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) repository: PathBuf,
    /// What stands before the `@` of the revision; empty: nothing.
    pub(super) pointer: String,
    pub(super) commit: ObjectId,
    /// The tag that led to it, if a tag did: its name, and its object if it is an annotated one.
    pub(super) tag: Option<(String, Option<ObjectId>)>,
    /// Something was downloaded.
    pub(super) downloaded: bool,
}

/// What a reference comes down to.
struct Plan {
    pointer: String,
    choice: Choice,
}

enum Choice {
    /// This reference, at the commit that it points to now.
    Reference(Advertised),
    /// The one of these with the latest commit: they are the same version.
    Latest(Vec<Advertised>),
    /// A commit that any reference may lead to.
    Anywhere(ObjectId),
    /// A commit that must be in the history of a branch.
    OnBranch(ObjectId, Advertised),
}

impl Fetch<'_> {
    pub(super) fn run(&self) -> Result<Found, SourceError> {
        transport::register();
        // Before anything is made on the disk: many a reference is just misspelt.
        let plan = self.plan().map_err(|failure| self.error(failure))?;
        let repository = match self.database.current()? {
            Some(current) => current,
            None => self.database.prepare(&self.lock()?, self.address)?,
        };
        match self.attempt(&repository, &plan) {
            Err(Failure::Damaged(_)) if self.registered.session().failure().is_none() => {
                let lock = self.lock()?;
                // Another process may have noticed, too.
                let fresh = match self.database.current()? {
                    Some(current) if current != repository => current,
                    _ => self.database.restart(&lock)?,
                };
                drop(lock);
                self.attempt(&fresh, &plan)
                    .map_err(|failure| self.error(failure))
            }
            result => result.map_err(|failure| self.error(failure)),
        }
    }

    fn attempt(&self, path: &Path, plan: &Plan) -> Result<Found, Failure> {
        let repository = Repository::open_bare(path).map_err(Failure::Damaged)?;
        let mut download = Download {
            fetch: self,
            repository: &repository,
            lock: None,
            used: false,
        };
        let mut tag = None;
        let (pointer, commit, reference) = match &plan.choice {
            Choice::Reference(found) => {
                download.need(found)?;
                tag = tag_of(found);
                (plan.pointer.clone(), found.commit, local_name(&found.name))
            }
            Choice::Latest(found) => {
                let found = download.latest(found)?;
                tag = tag_of(found);
                (found.pointer.clone(), found.commit, local_name(&found.name))
            }
            Choice::Anywhere(commit) => {
                (plan.pointer.clone(), *commit, download.anywhere(*commit)?)
            }
            Choice::OnBranch(commit, branch) => {
                download.on_branch(*commit, branch)?;
                (plan.pointer.clone(), *commit, local_name(&branch.name))
            }
        };
        let Download { lock, used, .. } = download;
        check(&repository, commit)?;
        if let Some(lock) = lock {
            self.database.compact(&lock, &reference)?;
        }
        let repository = self.database.current()?.unwrap_or_else(|| path.to_owned());
        Ok(Found {
            repository,
            pointer,
            commit,
            tag,
            downloaded: used,
        })
    }

    fn plan(&self) -> Result<Plan, Failure> {
        let listing = self.listing;
        if listing.is_empty() {
            return Err(Failure::Source(SourceError::Empty {
                url: self.address.to_string(),
            }));
        }
        let one = |found: Advertised| Plan {
            pointer: found.pointer.clone(),
            choice: Choice::Reference(found),
        };
        Ok(match self.wanted {
            Wanted::Branch(name) => one(listing.branch(name)?),
            Wanted::Tag(name) => one(listing.tag(name)?),
            Wanted::Name(name) => one(listing.name(name)?),
            Wanted::Any(name) => match (listing.any(name), name.parse()) {
                (Ok(found), _) => one(found),
                (Err(_), Ok(commit)) => Plan {
                    pointer: String::new(),
                    choice: Choice::Anywhere(commit),
                },
                (Err(missing), Err(_)) => return Err(missing.into()),
            },
            Wanted::Semver(range) => {
                let mut found = listing.latest(range)?;
                match found.pop() {
                    Some(only) if found.is_empty() => one(only),
                    last => {
                        found.extend(last);
                        Plan {
                            pointer: String::new(),
                            choice: Choice::Latest(found),
                        }
                    }
                }
            }
            Wanted::Commit { commit, branch } => {
                let id: ObjectId = commit
                    .parse()
                    .map_err(|_| ReferenceError::NoCommitId(shown(commit)))?;
                match branch {
                    Some(branch) => {
                        let choice = Choice::OnBranch(id, listing.branch(branch)?);
                        Plan {
                            pointer: branch.to_owned(),
                            choice,
                        }
                    }
                    None => Plan {
                        pointer: String::new(),
                        choice: Choice::Anywhere(id),
                    },
                }
            }
        })
    }

    fn lock(&self) -> Result<WriteLock, SourceError> {
        let lock = self
            .database
            .lock(self.lock_wait, &self.registered.session().cancel)?;
        lock.ok_or_else(|| self.exchange_error(ExchangeError::Cancelled))
    }

    fn callbacks(&self) -> RemoteCallbacks<'_> {
        let session = self.registered.session();
        let mut callbacks = RemoteCallbacks::new();
        // Called for each object, also while deltas are resolved, when nothing is read from the network.
        callbacks.transfer_progress(|_| !session.cancel.is_cancelled());
        callbacks.sideband_progress(|_| !session.cancel.is_cancelled());
        callbacks
    }

    fn error(&self, failure: Failure) -> SourceError {
        match failure {
            Failure::Source(error) => error,
            Failure::Reference(source) => SourceError::Reference {
                url: self.address.to_string(),
                source,
            },
            Failure::Git(error) | Failure::Damaged(error) => {
                match self.registered.session().failure() {
                    Some(cause) => self.exchange_error(cause),
                    None => SourceError::Git {
                        url: self.address.to_string(),
                        reference: self.wanted.to_string(),
                        reason: error.message().to_owned(),
                    },
                }
            }
        }
    }

    fn exchange_error(&self, cause: ExchangeError) -> SourceError {
        let url = self.address.to_string();
        if matches!(cause, ExchangeError::Cancelled) {
            let reference = self.wanted.to_string();
            return SourceError::Cancelled { url, reference };
        }
        SourceError::Exchange { url, cause }
    }
}

/// The local repository, and the lock once something must be written.
struct Download<'a> {
    fetch: &'a Fetch<'a>,
    repository: &'a Repository,
    lock: Option<WriteLock>,
    used: bool,
}

impl<'a> Download<'a> {
    /// Sees to it that the commit of a reference is here.
    fn need(&mut self, found: &Advertised) -> Result<(), Failure> {
        // A tag that is fetched with a branch comes without its own object, which may be signed.
        if self.has(found.commit) && self.repository.odb()?.exists(found.object.into()) {
            return Ok(());
        }
        self.get(&refspec(&found.name), SHALLOW)
    }

    fn latest(&mut self, found: &'a [Advertised]) -> Result<&'a Advertised, Failure> {
        for one in found {
            self.need(one)?;
        }
        let time = |one: &Advertised| {
            self.repository
                .find_commit(one.commit.into())
                .map(|commit| commit.time().seconds())
        };
        let mut best = (i64::MIN, 0);
        for (index, one) in found.iter().enumerate() {
            best = best.max((time(one)?, index));
        }
        Ok(&found[best.1])
    }

    /// The name under which the commit is kept.
    fn anywhere(&mut self, commit: ObjectId) -> Result<String, Failure> {
        let name = format!("{OTHERS}{commit}");
        if self.has(commit) {
            return Ok(name);
        }
        if let Some(found) = self.fetch.listing.pointing_to(commit) {
            self.get(&refspec(&found.name), SHALLOW)?;
            return Ok(local_name(&found.name));
        }
        // Large forges give any commit by its id; others refuse.
        let by_id = self.get(&format!("+{commit}:{name}"), SHALLOW);
        if self.fetch.registered.session().failure().is_some() {
            by_id?;
        }
        if !self.has(commit) {
            self.get(&format!("+refs/heads/*:{HEADS}*"), WHOLE)?;
        }
        if !self.has(commit) {
            return Err(ReferenceError::NoSuchCommit(commit).into());
        }
        Ok(name)
    }

    fn on_branch(&mut self, commit: ObjectId, branch: &Advertised) -> Result<(), Failure> {
        if commit == branch.commit {
            return self.need(branch);
        }
        if !self.reaches(branch.commit, commit) {
            self.get(&refspec(&branch.name), WHOLE)?;
        }
        if !self.reaches(branch.commit, commit) {
            let branch = branch.pointer.clone();
            return Err(ReferenceError::NotOnBranch { commit, branch }.into());
        }
        Ok(())
    }

    fn has(&self, commit: ObjectId) -> bool {
        self.repository.find_commit(commit.into()).is_ok()
    }

    /// Whether the commit is in what is here of the history of `tip`.
    fn reaches(&self, tip: ObjectId, commit: ObjectId) -> bool {
        self.has(tip)
            && self.has(commit)
            && self
                .repository
                .graph_descendant_of(tip.into(), commit.into())
                .unwrap_or(false)
    }

    fn get(&mut self, refspec: &str, depth: i32) -> Result<(), Failure> {
        if self.lock.is_none() {
            let lock = self.fetch.lock()?;
            self.fetch.database.prepare(&lock, self.fetch.address)?;
            self.lock = Some(lock);
        }
        let mut options = FetchOptions::new();
        options.remote_callbacks(self.fetch.callbacks());
        options.download_tags(AutotagOption::None);
        options.update_fetchhead(false);
        options.depth(depth);
        self.used = true;
        let mut remote = self
            .repository
            .remote_anonymous(&self.fetch.registered.url())?;
        Ok(remote.fetch(&[refspec], Some(&mut options), None)?)
    }
}

/// What ends an attempt.
enum Failure {
    Git(git2::Error),
    /// What is wrong is wrong in the local repository.
    Damaged(git2::Error),
    Reference(ReferenceError),
    Source(SourceError),
}

impl From<git2::Error> for Failure {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the classes of libgit2 that speak of local files are these"
    )]
    fn from(error: git2::Error) -> Self {
        match error.class() {
            ErrorClass::Odb
            | ErrorClass::Repository
            | ErrorClass::Config
            | ErrorClass::Reference => Self::Damaged(error),
            _ => Self::Git(error),
        }
    }
}

impl From<ReferenceError> for Failure {
    fn from(error: ReferenceError) -> Self {
        Self::Reference(error)
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

/// A pack that is here is whole, but a disk may have been full.
fn check(repository: &Repository, commit: ObjectId) -> Result<(), Failure> {
    let tree = repository
        .find_commit(commit.into())
        .and_then(|commit| commit.tree());
    tree.map(|_| ()).map_err(Failure::Damaged)
}

fn tag_of(found: &Advertised) -> Option<(String, Option<ObjectId>)> {
    let name = found.name.strip_prefix("refs/tags/")?;
    let object = (found.object != found.commit).then_some(found.object);
    Some((name.to_owned(), object))
}

fn refspec(name: &str) -> String {
    format!("+{name}:{}", local_name(name))
}

/// Where a reference of the server stands in the local repository.
fn local_name(name: &str) -> String {
    match name.strip_prefix("refs/heads/") {
        Some(branch) => format!("{HEADS}{branch}"),
        None => format!("{OTHERS}{}", name.strip_prefix("refs/").unwrap_or(name)),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(100).collect()
}
