//! A bounded pool of libgit2 handles on one repository.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use git2::Repository;

use crate::TreeError;

/// Handles that may be in use at once; who comes later waits, for a read is short.
const MAX_HANDLES: usize = 16;
/// Handles that are kept open between uses.
const MAX_IDLE: usize = 4;

pub(super) struct Pool {
    path: PathBuf,
    handles: Mutex<Handles>,
    freed: Condvar,
}

struct Handles {
    idle: Vec<Repository>,
    in_use: usize,
}

impl Pool {
    pub(super) fn open(path: &Path) -> Result<Self, TreeError> {
        let pool = Self {
            path: path.to_owned(),
            handles: Mutex::new(Handles {
                idle: Vec::new(),
                in_use: 0,
            }),
            freed: Condvar::new(),
        };
        // The first handle shows whether there is a repository at all.
        pool.with(|_| Ok(()))?;
        Ok(pool)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` with a handle that no other thread uses.
    pub(super) fn with<T>(
        &self,
        work: impl FnOnce(&Repository) -> Result<T, git2::Error>,
    ) -> Result<T, TreeError> {
        let lease = self.lease()?;
        work(lease.handle()).map_err(|error| self.error(&error))
    }

    fn lease(&self) -> Result<Lease<'_>, TreeError> {
        let mut handles = self.locked();
        while handles.in_use >= MAX_HANDLES {
            handles = self
                .freed
                .wait(handles)
                .unwrap_or_else(PoisonError::into_inner);
        }
        handles.in_use += 1;
        let idle = handles.idle.pop();
        drop(handles);
        // From here on the lease gives the slot back, also when opening fails.
        let mut lease = Lease {
            pool: self,
            handle: idle,
        };
        if lease.handle.is_none() {
            lease.handle = Some(Repository::open(&self.path).map_err(|error| self.error(&error))?);
        }
        Ok(lease)
    }

    fn error(&self, error: &git2::Error) -> TreeError {
        let path = self.path.display();
        if error.code() == git2::ErrorCode::Owner {
            return TreeError::Repository(format!(
                "{path} belongs to another user; if that is right, run: git config --global --add safe.directory {path}"
            ));
        }
        TreeError::Repository(format!("{path}: {}", error.message()))
    }

    fn locked(&self) -> MutexGuard<'_, Handles> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One handle, out of the pool until dropped.
struct Lease<'a> {
    pool: &'a Pool,
    handle: Option<Repository>,
}

impl Lease<'_> {
    fn handle(&self) -> &Repository {
        self.handle
            .as_ref()
            .expect("a lease that was given out has a handle")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut handles = self.pool.locked();
        handles.in_use -= 1;
        if handles.idle.len() < MAX_IDLE {
            handles.idle.extend(self.handle.take());
        }
        drop(handles);
        self.pool.freed.notify_one();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
