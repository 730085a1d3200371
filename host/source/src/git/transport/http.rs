//! Git's smart HTTP protocol over our own client.
//!
//! Each request runs as a task of the runtime, which passes the body through a bounded channel: when libgit2 is busy, the
//! server has to wait. The task watches the session's token, so that a cancelled reader wakes at once.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf as _, Bytes};
use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use url::Url;

use super::super::Auth;
use super::super::advertisement::{self, MAX_LISTING};
use super::super::reference::Listing;
use super::super::session::{Session, Wire};
use super::{MAX_REQUEST, PIECES};
use crate::address::Address;
use crate::error::ExchangeError;
use crate::http::reason;

const LISTING: &str = "info/refs";
const SERVICE: &str = "git-upload-pack";

/// A server that is reached over HTTP.
#[derive(Debug)]
pub(in crate::git) struct Web {
    client: reqwest::Client,
    /// The address that the source names.
    home: Address,
    /// Where requests go; a redirect of the listing changes it for all that follow.
    address: Mutex<Address>,
    auth: Auth,
}

impl Web {
    pub(in crate::git) fn new(client: reqwest::Client, address: Address, auth: Auth) -> Self {
        Self {
            client,
            home: address.clone(),
            address: Mutex::new(address),
            auth,
        }
    }

    fn address(&self) -> MutexGuard<'_, Address> {
        self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream of one fetch.
    pub(super) fn fetch(session: Arc<Session>) -> Stream {
        Stream {
            session,
            state: State::Asking(Vec::new()),
        }
    }
}

/// Asks the server for its references. Where it sends us is where the session goes on.
pub(super) async fn list(session: &Session, web: &Web) -> Result<Listing, ExchangeError> {
    let url = web
        .address()
        .join(LISTING, Some(&format!("service={SERVICE}")));
    let request = web
        .client
        .get(url.clone())
        .header(CACHE_CONTROL, "no-cache");
    let request = authorise(web, &url, request);
    let mut response = send(
        session,
        request,
        "application/x-git-upload-pack-advertisement",
    )
    .await?;
    let moved = web.address().moved(LISTING, response.url());
    let moved = moved.ok_or_else(|| ExchangeError::Connection {
        reason: "the server sent the request on to something that is no repository".to_owned(),
    })?;
    *web.address() = moved;
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| broken(&error))? {
        session.receive(piece.len())?;
        bytes.extend_from_slice(&piece);
        if bytes.len() as u64 > MAX_LISTING {
            return Err(ExchangeError::TooLarge { limit: MAX_LISTING });
        }
    }
    let listing = advertisement::parse(&bytes)?;
    session.keep_listing(bytes.into());
    Ok(listing)
}

/// One request and its answer.
pub(super) struct Stream {
    session: Arc<Session>,
    state: State,
}

enum State {
    /// With the request's body so far.
    Asking(Vec<u8>),
    Answered(Answer),
}

struct Answer {
    pieces: mpsc::Receiver<Bytes>,
    piece: Bytes,
    task: AbortHandle,
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let State::Asking(body) = &mut self.state else {
            return Err(io::Error::other(
                "nothing can be sent at this point of the exchange",
            ));
        };
        if body.len() + bytes.len() > MAX_REQUEST {
            return Err(self.refuse(ExchangeError::RequestTooLarge { limit: MAX_REQUEST }));
        }
        body.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.answer().piece.is_empty() {
            match self.answer().pieces.blocking_recv() {
                Some(piece) => self.answer().piece = piece,
                // The task is over: all was received, or something failed.
                None => {
                    return match self.session.failure() {
                        Some(error) => Err(io::Error::other(error)),
                        None => Ok(0),
                    };
                }
            }
        }
        if self.session.cancel.is_cancelled() {
            return Err(self.refuse(ExchangeError::Cancelled));
        }
        let piece = &mut self.answer().piece;
        let count = piece.len().min(buffer.len());
        piece.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

impl Stream {
    /// The answer; the first call sends the request.
    fn answer(&mut self) -> &mut Answer {
        if let State::Asking(body) = &mut self.state {
            let (sender, pieces) = mpsc::channel(PIECES);
            let body = std::mem::take(body);
            let task = self
                .session
                .runtime
                .spawn(run(Arc::clone(&self.session), body, sender))
                .abort_handle();
            self.state = State::Answered(Answer {
                pieces,
                piece: Bytes::new(),
                task,
            });
        }
        match &mut self.state {
            State::Answered(answer) => answer,
            State::Asking(_) => unreachable!("the request was sent just now"),
        }
    }

    fn refuse(&self, error: ExchangeError) -> io::Error {
        self.session.fail(error.clone());
        io::Error::other(error)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The task of one request.
async fn run(session: Arc<Session>, body: Vec<u8>, sender: mpsc::Sender<Bytes>) {
    let done = tokio::select! {
        biased;
        () = session.cancel.cancelled() => Err(ExchangeError::Cancelled),
        done = relay(&session, body, &sender) => done,
    };
    if let Err(error) = done {
        session.fail(error);
    }
    // Dropping the sender tells the reader.
}

async fn relay(
    session: &Session,
    body: Vec<u8>,
    sender: &mpsc::Sender<Bytes>,
) -> Result<(), ExchangeError> {
    let Wire::Http(web) = &session.wire else {
        return Err(ExchangeError::NoSshLogin);
    };
    let mut response = fetch(session, web, body).await?;
    while let Some(piece) = response.chunk().await.map_err(|error| broken(&error))? {
        session.receive(piece.len())?;
        if piece.is_empty() {
            continue;
        }
        if sender.send(piece).await.is_err() {
            // libgit2 wants no more.
            return Ok(());
        }
    }
    Ok(())
}

async fn fetch(
    session: &Session,
    web: &Web,
    body: Vec<u8>,
) -> Result<reqwest::Response, ExchangeError> {
    let url = web.address().join(SERVICE, None);
    let request = web
        .client
        .post(url.clone())
        .header(CONTENT_TYPE, "application/x-git-upload-pack-request")
        .header(ACCEPT, "application/x-git-upload-pack-result")
        .body(body);
    let request = authorise(web, &url, request);
    send(session, request, "application/x-git-upload-pack-result").await
}

/// Only the server that the source names gets the login, not one that it sends us to.
fn authorise(web: &Web, url: &Url, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    match &web.auth {
        Auth::Basic(login) if url.origin() == web.home.url().origin() => {
            request.basic_auth(&login.user, Some(login.password.expose()))
        }
        Auth::Bearer(token) if url.origin() == web.home.url().origin() => {
            request.bearer_auth(token.expose())
        }
        Auth::Basic(_) | Auth::Bearer(_) | Auth::Ssh(_) | Auth::Anonymous => request,
    }
}

async fn send(
    session: &Session,
    request: reqwest::RequestBuilder,
    content_type: &str,
) -> Result<reqwest::Response, ExchangeError> {
    session.requested();
    let response = request.send().await.map_err(|error| broken(&error))?;
    let status = response.status().as_u16();
    match status {
        200 => {}
        401 | 403 | 407 => return Err(ExchangeError::Unauthorized { status }),
        404 | 410 => return Err(ExchangeError::NotFound { status }),
        _ => return Err(ExchangeError::Status { status }),
    }
    let given = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim();
    if kind != content_type {
        return Err(ExchangeError::NotGit {
            content_type: kind.chars().take(100).collect(),
        });
    }
    Ok(response)
}

fn broken(error: &reqwest::Error) -> ExchangeError {
    let what = if error.is_connect() {
        "the server cannot be reached"
    } else if error.is_redirect() {
        "the server sends the request around"
    } else if error.is_body() || error.is_decode() {
        "the connection broke in the middle of the answer"
    } else {
        "the request failed"
    };
    ExchangeError::Connection {
        reason: format!("{what}: {}", reason(error)),
    }
}
