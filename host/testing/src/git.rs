//! A Git server on the loopback interface: `git http-backend` behind a small HTTP server, with counted requests and
//! faults on demand.
//!
//! ```
//! # fn main() -> anyhow::Result<()> {
//! use weir_testing::git::GitServer;
//!
//! let server = GitServer::start()?;
//! let repository = server.repository("fleet")?;
//! let first = repository.commit("main", &[("apps/web.yaml", "kind: Deployment\n")])?;
//! repository.tag("v1.0.0", first)?;
//! assert!(server.url("fleet").starts_with("http://127.0.0.1:"));
//! assert_eq!(server.requests().listings, 0);
//! # Ok(())
//! # }
//! ```

mod repository;
mod signer;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, bail};

pub use repository::{Change, FIRST_COMMIT, Repository};
pub use signer::Signer;

use crate::http::{self, Body, Request};

/// The server. Dropping it closes all connections and removes the repositories.
#[derive(Debug)]
pub struct GitServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// How many requests came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GitRequests {
    /// `GET …/info/refs`
    pub listings: usize,
    /// `POST …/git-upload-pack`
    pub fetches: usize,
    /// `POST …/git-receive-pack`
    pub pushes: usize,
    /// Anything else.
    pub others: usize,
    /// Bytes of all answers' bodies.
    pub bytes: u64,
    /// Requests that carried an `Authorization` header.
    pub with_credentials: usize,
}

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// `GET …/info/refs`
    Listing,
    /// `POST …/git-upload-pack`
    Fetch,
    /// `POST …/git-receive-pack`
    Push,
    /// Anything else.
    Other,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers with this status and a short text.
    Status(u16),
    /// Answers with a web page, as a login form or a wrong address would.
    Page,
    /// Sends this many bytes of the body and then closes the connection.
    Truncate(u64),
    /// Sends this many bytes of the body and then nothing, until the fault is taken away.
    Stall(u64),
    /// Sends one byte, waits this long, and so on.
    Trickle(Duration),
    /// Turns bits of the body after this many bytes.
    Corrupt(u64),
    /// Sends the client to this base address instead (`http://127.0.0.1:1234`).
    Redirect(String),
}

#[derive(Debug)]
struct Shared {
    root: tempfile::TempDir,
    state: Mutex<State>,
    /// Tells stalled answers that something changed.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requests: GitRequests,
    fault: Option<(RequestKind, Fault)>,
    /// What `Authorization` must say, as far as it is looked at.
    login: Option<Login>,
    stopping: bool,
    /// Open connections by number, to be closed at the end.
    connections: HashMap<u64, TcpStream>,
    accepted: u64,
    stalled: usize,
}

/// Who is let in.
#[derive(Clone, Debug)]
enum Login {
    /// `name:password`
    Basic(String),
    Bearer(String),
}

impl Login {
    fn fits(&self, request: &Request) -> bool {
        match self {
            Self::Basic(login) => request.basic_login().is_some_and(|given| given == *login),
            Self::Bearer(token) => {
                let given = request.header("authorization");
                given.and_then(|given| given.strip_prefix("Bearer ")) == Some(token)
            }
        }
    }
}

impl GitServer {
    /// Starts a server without repositories on a free port.
    pub fn start() -> Result<Self> {
        let listener =
            TcpListener::bind("127.0.0.1:0").context("binding a port for the Git server")?;
        let address = listener.local_addr()?;
        let root = tempfile::Builder::new().prefix("weir-git-").tempdir()?;
        let shared = Arc::new(Shared {
            root,
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let for_thread = Arc::clone(&shared);
        let acceptor = thread::Builder::new()
            .name("git-server".to_owned())
            .spawn(move || accept(&listener, &for_thread))?;
        Ok(Self {
            address,
            shared,
            acceptor: Some(acceptor),
        })
    }

    /// Makes an empty bare repository that [`GitServer::url`] leads to.
    pub fn repository(&self, name: &str) -> Result<Repository> {
        Repository::create(&self.shared.root.path().join(format!("{name}.git")))
    }

    /// The address of a repository, existing or not.
    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}.git", self.base())
    }

    /// The address of the server itself.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests since the start or the last [`GitServer::reset`].
    pub fn requests(&self) -> GitRequests {
        self.shared.locked().requests
    }

    /// Counts from zero again.
    pub fn reset(&self) {
        self.shared.locked().requests = GitRequests::default();
    }

    /// All requests of this kind go wrong from now on.
    pub fn fail(&self, kind: RequestKind, fault: Fault) {
        self.shared.locked().fault = Some((kind, fault));
        self.shared.changed.notify_all();
    }

    /// All is well again; stalled answers go on.
    pub fn heal(&self) {
        self.shared.locked().fault = None;
        self.shared.changed.notify_all();
    }

    /// Waits until an answer stands still because of [`Fault::Stall`].
    pub fn wait_until_stalled(&self, limit: Duration) -> Result<()> {
        let state = self.shared.locked();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, limit, |state| state.stalled == 0)
            .unwrap_or_else(PoisonError::into_inner);
        if state.stalled == 0 {
            bail!("no answer of the Git server stalled within {limit:?}");
        }
        Ok(())
    }

    /// Lets in only who sends this name and password.
    pub fn require_login(&self, user: &str, password: &str) {
        self.shared.locked().login = Some(Login::Basic(format!("{user}:{password}")));
    }

    /// Lets in only who sends this token.
    pub fn require_bearer(&self, token: &str) {
        self.shared.locked().login = Some(Login::Bearer(token.to_owned()));
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        let connections = {
            let mut state = self.shared.locked();
            state.stopping = true;
            state.fault = None;
            std::mem::take(&mut state.connections)
        };
        self.shared.changed.notify_all();
        for connection in connections.into_values() {
            let _ = connection.shutdown(Shutdown::Both);
        }
        // Wakes the acceptor, which then sees that it should stop.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for connection in listener.incoming() {
        let Ok(connection) = connection else { continue };
        let shared = Arc::clone(shared);
        let Some(number) = shared.open(&connection) else {
            return;
        };
        let serve = move || {
            // A connection that breaks is the client's business to notice.
            let _ = serve(connection, &shared);
            shared.close(number);
        };
        if thread::Builder::new()
            .name("git-connection".to_owned())
            .spawn(serve)
            .is_err()
        {
            return;
        }
    }
}

fn serve(connection: TcpStream, shared: &Shared) -> Result<()> {
    connection.set_nodelay(true)?;
    let mut connection = http::Connection::new(connection);
    while let Some(request) = connection.read_request()? {
        let (fault, login) = shared.count(&request);
        answer(
            &mut connection,
            shared,
            &request,
            fault.as_ref(),
            login.as_ref(),
        )?;
    }
    Ok(())
}

fn answer(
    connection: &mut http::Connection,
    shared: &Shared,
    request: &Request,
    fault: Option<&Fault>,
    login: Option<&Login>,
) -> Result<()> {
    match fault {
        Some(Fault::Status(status)) => {
            return connection.respond(*status, &[("Content-Type", "text/plain")], b"a fault\n");
        }
        Some(Fault::Page) => {
            let page = b"<html><body>Please sign in</body></html>\n";
            return connection.respond(200, &[("Content-Type", "text/html")], page);
        }
        Some(Fault::Redirect(base)) => {
            return connection.respond(
                302,
                &[("Location", &format!("{base}{}", request.target))],
                b"",
            );
        }
        Some(Fault::Truncate(_) | Fault::Stall(_) | Fault::Trickle(_) | Fault::Corrupt(_))
        | None => {}
    }
    if login.is_some_and(|login| !login.fits(request)) {
        return connection.respond(401, &[("WWW-Authenticate", "Basic realm=\"test\"")], b"");
    }
    let mut backend = start_backend(shared.root.path(), request)?;
    let result = relay(connection, shared, request, fault, &mut backend);
    if result.is_err() {
        let _ = backend.kill();
    }
    backend.wait()?;
    result
}

/// CGI, as Apache would start it.
fn start_backend(root: &Path, request: &Request) -> Result<Child> {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", root)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", &request.method)
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REMOTE_USER", "test")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    for (name, variable) in [
        ("content-type", "CONTENT_TYPE"),
        ("content-encoding", "HTTP_CONTENT_ENCODING"),
        ("git-protocol", "GIT_PROTOCOL"),
    ] {
        if let Some(value) = request.header(name) {
            command.env(variable, value);
        }
    }
    if !request.body.is_empty() {
        command.env("CONTENT_LENGTH", request.body.len().to_string());
    }
    command
        .spawn()
        .context("starting git http-backend; is git installed?")
}

/// Passes the request in and the answer out.
fn relay(
    connection: &mut http::Connection,
    shared: &Shared,
    request: &Request,
    fault: Option<&Fault>,
    backend: &mut Child,
) -> Result<()> {
    let mut input = backend
        .stdin
        .take()
        .context("git http-backend has no standard input")?;
    let body = request.body.clone();
    // In a thread of its own, so that neither side waits for the other with a full pipe.
    let writer = thread::spawn(move || input.write_all(&body));
    let mut output = backend
        .stdout
        .take()
        .context("git http-backend has no standard output")?;
    let (head, start) = http::read_cgi_head(&mut output)?;
    let mut answer = connection.start(head.status, &head.headers)?;
    let mut body = start.chain(output);
    send(&mut answer, shared, fault, &mut body)?;
    answer.end()?;
    // An early answer closes the pipe before all was written.
    let _ = writer.join();
    Ok(())
}

fn send(
    answer: &mut Body<'_>,
    shared: &Shared,
    fault: Option<&Fault>,
    body: &mut impl Read,
) -> Result<()> {
    let mut sent = 0;
    let mut buffer = vec![0; 16 << 10];
    loop {
        let most = match fault {
            Some(Fault::Truncate(after)) if sent >= *after => bail!("truncated on purpose"),
            Some(Fault::Truncate(after)) => after - sent,
            Some(Fault::Stall(after)) if sent >= *after => {
                shared.stall()?;
                u64::MAX
            }
            Some(Fault::Stall(after)) => after - sent,
            Some(Fault::Trickle(pause)) => {
                thread::sleep(*pause);
                1
            }
            Some(Fault::Corrupt(_) | Fault::Status(_) | Fault::Page | Fault::Redirect(_))
            | None => u64::MAX,
        };
        let most = usize::try_from(most)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = body.read(&mut buffer[..most])?;
        if count == 0 {
            return Ok(());
        }
        let chunk = &mut buffer[..count];
        if let Some(Fault::Corrupt(after)) = fault {
            for (index, byte) in chunk.iter_mut().enumerate() {
                if sent + index as u64 >= *after {
                    *byte ^= 0x55;
                }
            }
        }
        shared.locked().requests.bytes += count as u64;
        sent += count as u64;
        answer.write(chunk)?;
    }
}

impl Shared {
    /// The number of a new connection; `None` if the server stops.
    fn open(&self, connection: &TcpStream) -> Option<u64> {
        let mut state = self.locked();
        if state.stopping {
            return None;
        }
        state.accepted += 1;
        let number = state.accepted;
        state
            .connections
            .insert(number, connection.try_clone().ok()?);
        Some(number)
    }

    /// Dropping a handle is not enough as long as the other one is open.
    fn close(&self, number: u64) {
        if let Some(connection) = self.locked().connections.remove(&number) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Counts the request and says what is to happen to it.
    fn count(&self, request: &Request) -> (Option<Fault>, Option<Login>) {
        let mut state = self.locked();
        let kind = request.kind();
        let requests = &mut state.requests;
        match kind {
            RequestKind::Listing => requests.listings += 1,
            RequestKind::Fetch => requests.fetches += 1,
            RequestKind::Push => requests.pushes += 1,
            RequestKind::Other => requests.others += 1,
        }
        if request.header("authorization").is_some() {
            requests.with_credentials += 1;
        }
        let fault = state
            .fault
            .clone()
            .filter(|(of, _)| *of == kind)
            .map(|(_, fault)| fault);
        (fault, state.login.clone())
    }

    /// Waits until the fault is taken away.
    fn stall(&self) -> Result<()> {
        let mut state = self.locked();
        state.stalled += 1;
        self.changed.notify_all();
        let stalls = |state: &mut State| matches!(state.fault, Some((_, Fault::Stall(_))));
        let mut state = self
            .changed
            .wait_while(state, stalls)
            .unwrap_or_else(PoisonError::into_inner);
        state.stalled -= 1;
        if state.stopping {
            bail!("the server stops");
        }
        Ok(())
    }
}

impl Request {
    fn kind(&self) -> RequestKind {
        let path = self.target.split('?').next().unwrap_or_default();
        match (self.method.as_str(), path.rsplit('/').next()) {
            ("GET", Some("refs")) => RequestKind::Listing,
            ("POST", Some("git-upload-pack")) => RequestKind::Fetch,
            ("POST", Some("git-receive-pack")) => RequestKind::Push,
            _ => RequestKind::Other,
        }
    }
}

#[cfg(test)]
mod tests;
