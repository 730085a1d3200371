//! A web server on the loopback interface that answers what a test says: files, indexes, a double of a registry.
//!
//! ```
//! # fn main() -> anyhow::Result<()> {
//! use weir_testing::web::{WebAnswer, WebServer};
//!
//! let server = WebServer::start(|request| match request.path.as_str() {
//!     "/a.yaml" => WebAnswer::ok("kind: ConfigMap\n"),
//!     _ => WebAnswer::status(404),
//! })?;
//! assert!(server.url("/a.yaml").starts_with("http://127.0.0.1:"));
//! assert!(server.requests().is_empty());
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result};

use crate::http::Connection;

/// The server. Dropping it stops it.
pub struct WebServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// What was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebRequest {
    /// `GET`, `HEAD` and so on.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `If-None-Match` or `If-Modified-Since`.
    pub unless: Option<String>,
    /// All headers, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// What becomes of the body after its first half.
    fault: Option<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Cut,
    Stall,
}

type Answer = dyn Fn(&WebRequest) -> WebAnswer + Send + Sync;

struct Shared {
    answer: Box<Answer>,
    requests: Mutex<Vec<WebRequest>>,
    stopping: AtomicBool,
}

impl WebRequest {
    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A field of a form, or of the query.
    pub fn field(&self, name: &str) -> Option<String> {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        let body = String::from_utf8_lossy(&self.body);
        let pairs = query.split('&').chain(body.split('&'));
        let value = pairs
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(own, value)| (own == name).then(|| value.to_owned()))?;
        Some(unescaped(&value))
    }
}

/// `%XX` and `+` as what they stand for.
pub(crate) fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let pair = |rest: &mut std::str::Bytes<'_>| {
            let digits = [rest.next()?, rest.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()
        };
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => bytes.extend(pair(&mut rest)),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text as a part of an address: all but letters and digits as `%XX`.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() {
            true => out.push(char::from(byte)),
            false => out += &format!("%{byte:02X}"),
        }
    }
    out
}

impl WebAnswer {
    /// Status 200 with a body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            body: body.into(),
            ..Self::default()
        }
    }

    /// A status without a body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same, but the connection ends after half of the body.
    #[must_use]
    pub fn cut(mut self) -> Self {
        self.fault = Some(Fault::Cut);
        self
    }

    /// The same, but after half of the body nothing more comes for as long as the client waits.
    #[must_use]
    pub fn stalled(mut self) -> Self {
        self.fault = Some(Fault::Stall);
        self
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl WebServer {
    /// Starts a server on a free port.
    pub fn start(
        answer: impl Fn(&WebRequest) -> WebAnswer + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener =
            TcpListener::bind("127.0.0.1:0").context("binding a port for the web server")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            requests: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        let acceptor = thread::Builder::new()
            .name("web-server".to_owned())
            .spawn(move || accept(&listener, &for_thread))?;
        Ok(Self {
            address,
            shared,
            acceptor: Some(acceptor),
        })
    }

    /// The address of a path on it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<WebRequest> {
        self.shared
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees that it should stop.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl fmt::Debug for WebServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebServer({})", self.address)
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for connection in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(connection) = connection else { continue };
        let shared = Arc::clone(shared);
        // A connection that breaks is the client's business to notice.
        let serve = move || drop(serve(connection, &shared));
        if thread::Builder::new()
            .name("web-connection".to_owned())
            .spawn(serve)
            .is_err()
        {
            return;
        }
    }
}

fn serve(connection: TcpStream, shared: &Shared) -> Result<()> {
    connection.set_nodelay(true)?;
    let mut connection = Connection::new(connection);
    while let Some(request) = connection.read_request()? {
        let asked = WebRequest {
            authorization: request.header("authorization").map(str::to_owned),
            unless: request
                .header("if-none-match")
                .or_else(|| request.header("if-modified-since"))
                .map(str::to_owned),
            method: request.method,
            path: request.target,
            headers: request.headers,
            body: request.body,
        };
        let head = asked.method == "HEAD";
        let answer = (shared.answer)(&asked);
        shared
            .requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(asked);
        let headers: Vec<(&str, &str)> = answer
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let body = if head { &[][..] } else { &answer.body };
        if let Some(fault) = answer.fault.filter(|_| !head) {
            connection.respond_half(answer.status, &headers, body)?;
            if fault == Fault::Stall {
                // Until the client goes.
                connection.read_request()?;
            }
            return Ok(());
        }
        connection.respond(answer.status, &headers, body)?;
    }
    Ok(())
}
