//! Git's protocol over SSH: `git-upload-pack` runs on the server, and both sides talk as long as it lives.
//!
//! The list of references comes first on the same connection. If nothing has to be fetched, the connection ends after it;
//! else libgit2 goes on where the list ended. What it wants in a second fetch takes another connection.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf as _, Bytes};

use super::super::advertisement::{self, MAX_LISTING};
use super::super::reference::Listing;
use super::super::session::Session;
use super::MAX_REQUEST;
use crate::error::ExchangeError;
use crate::ssh::{Connection, Place, SshAlgorithms, SshLogin, quote};

/// What is sent or read at once.
const BATCH: usize = 32 << 10;

/// A server that is reached over SSH.
pub(in crate::git) struct Shell {
    place: Place,
    login: SshLogin,
    algorithms: SshAlgorithms,
    command: String,
    /// The connection that gave the list, as long as nobody went on with it.
    open: Mutex<Option<Connection>>,
}

impl Shell {
    pub(in crate::git) fn new(
        place: Place,
        path: &str,
        login: SshLogin,
        algorithms: SshAlgorithms,
    ) -> Self {
        Self {
            place,
            login,
            algorithms,
            command: format!("git-upload-pack {}", quote(path)),
            open: Mutex::new(None),
        }
    }

    fn connect(&self, session: &Session) -> Result<Connection, ExchangeError> {
        session.requested();
        let cancel = session.cancel.clone();
        Connection::run(
            &self.place,
            &self.login,
            &self.algorithms,
            &self.command,
            cancel,
        )
    }

    /// Asks the server for its references; blocks.
    pub(super) fn list(&self, session: &Session) -> Result<Listing, ExchangeError> {
        let mut connection = self.connect(session)?;
        let mut bytes = Vec::new();
        let mut seen = 0;
        let mut piece = vec![0; BATCH];
        loop {
            let count = connection.read(&mut piece)?;
            if count == 0 {
                // A refusal may also come as a line of the protocol.
                advertisement::parse(&bytes)?;
                return Err(connection.end());
            }
            session.receive(count)?;
            bytes.extend_from_slice(&piece[..count]);
            if bytes.len() as u64 > MAX_LISTING {
                return Err(ExchangeError::TooLarge { limit: MAX_LISTING });
            }
            if advertisement::ends(&bytes, &mut seen)? {
                break;
            }
        }
        let listing = advertisement::parse(&bytes)?;
        session.keep_listing(bytes.into());
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        Ok(listing)
    }

    /// For libgit2, on its blocking thread.
    pub(super) fn stream(&self, session: &Arc<Session>) -> Result<Stream, ExchangeError> {
        let open = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let (start, connection) = match open {
            Some(connection) => (session.listing(), connection),
            None => (Bytes::new(), self.connect(session)?),
        };
        Ok(Stream {
            session: Arc::clone(session),
            start,
            connection,
            outgoing: Vec::new(),
            sent: 0,
        })
    }
}

/// Both directions of one command.
pub(super) struct Stream {
    session: Arc<Session>,
    /// The list, which came before libgit2 did.
    start: Bytes,
    connection: Connection,
    /// What libgit2 wrote and the server was not sent yet.
    outgoing: Vec<u8>,
    sent: usize,
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sent += bytes.len();
        if self.sent > MAX_REQUEST {
            return Err(self.refuse(ExchangeError::RequestTooLarge { limit: MAX_REQUEST }));
        }
        self.outgoing.extend_from_slice(bytes);
        if self.outgoing.len() >= BATCH {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let batch = std::mem::take(&mut self.outgoing);
        let sent = self.connection.send(&batch);
        sent.map_err(|error| self.refuse(error))
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.flush()?;
        if !self.start.is_empty() {
            let count = self.start.len().min(buffer.len());
            self.start.copy_to_slice(&mut buffer[..count]);
            return Ok(count);
        }
        let count = match self.connection.read(buffer) {
            Ok(count) => count,
            Err(error) => return Err(self.refuse(error)),
        };
        // The end of a pack is also the end of the command: only what it complains of is a failure.
        if count == 0
            && let Some(message) = self.connection.complaint()
        {
            return Err(self.refuse(ExchangeError::Refused { message }));
        }
        match self.session.receive(count) {
            Ok(()) => Ok(count),
            Err(error) => Err(self.refuse(error)),
        }
    }
}

impl Stream {
    fn refuse(&self, error: ExchangeError) -> io::Error {
        self.session.fail(error.clone());
        io::Error::other(error)
    }
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell")
            .field("place", &self.place)
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}
