//! Git's smart protocol for libgit2, over our own connections: HTTP or SSH.
//!
//! libgit2 calls from a blocking thread. The list of references was read before libgit2 came in; it gets the same bytes
//! again, so that what was chosen and what is fetched agree.

mod http;
mod ssh;

use std::io::{self, Read, Write};
use std::sync::{Arc, Once};

use bytes::{Buf as _, Bytes};
use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport};

use crate::error::ExchangeError;

use super::reference::Listing;
use super::session::{SCHEME, Session, Wire};

pub(super) use http::Web;
pub(super) use ssh::Shell;

/// Pieces of a body, of up to some ten kilobytes each, that wait for libgit2.
const PIECES: usize = 32;
/// The largest request: what is wanted and what is there, 50 bytes for each.
const MAX_REQUEST: usize = 8 << 20;

/// Makes libgit2 know addresses of sessions.
pub(super) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[expect(
            unsafe_code,
            reason = "git2 leaves the synchronisation of registrations to its callers"
        )]
        // SAFETY: registrations must not run beside each other or beside the creation of transports. This is the only
        // one of the program, `Once` lets it happen once, and every user of a session's address comes through here
        // first. Transports of other schemes are never created: no other address is ever given to libgit2.
        let registered = unsafe { git2::transport::register(SCHEME, make) };
        registered.expect("libgit2 takes a scheme that is not registered yet");
    });
}

fn make(remote: &git2::Remote<'_>) -> Result<Transport, git2::Error> {
    let url = remote.url()?;
    let session = Session::find(url).ok_or_else(|| git2::Error::from_str("the session is over"))?;
    let rpc = matches!(session.wire, Wire::Http(_));
    Transport::smart(remote, rpc, Smart { session })
}

/// Asks the server for its references.
pub(super) async fn list(session: &Arc<Session>) -> Result<Listing, ExchangeError> {
    if let Wire::Http(web) = &session.wire {
        return http::list(session, web).await;
    }
    // The thread ends soon after it is told to, also if nobody waits for it any more.
    let session = Arc::clone(session);
    let listing = tokio::task::spawn_blocking(move || match &session.wire {
        Wire::Ssh(shell) => shell.list(&session),
        Wire::Http(_) => Err(ExchangeError::NoSshLogin),
    });
    listing.await.map_err(|panic| ExchangeError::Connection {
        reason: format!("the exchange broke off: {panic}"),
    })?
}

struct Smart {
    session: Arc<Session>,
}

impl SmartSubtransport for Smart {
    fn action(
        &self,
        _url: &str,
        service: Service,
    ) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        match (service, &self.session.wire) {
            (Service::UploadPackLs, Wire::Http(_)) => Ok(Box::new(Replay(self.session.listing()))),
            (Service::UploadPack, Wire::Http(_)) => {
                Ok(Box::new(Web::fetch(Arc::clone(&self.session))))
            }
            // The one stream has both: what follows the list is on the same connection.
            (Service::UploadPackLs | Service::UploadPack, Wire::Ssh(shell)) => {
                match shell.stream(&self.session) {
                    Ok(stream) => Ok(Box::new(stream)),
                    Err(error) => {
                        let text = error.to_string();
                        self.session.fail(error);
                        Err(git2::Error::from_str(&text))
                    }
                }
            }
            (Service::ReceivePackLs | Service::ReceivePack, _) => Err(git2::Error::from_str(
                "sources are only read, never pushed to",
            )),
        }
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

/// An answer that is here already.
struct Replay(Bytes);

impl Read for Replay {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(buffer.len());
        self.0.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

impl Write for Replay {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::Error::other(
            "nothing can be sent at this point of the exchange",
        ))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
