//! TLS in front of any server on the loopback interface, with authorities and certificates made by `openssl`.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use weir_testing::git::GitServer;
//! use weir_testing::tls::{Authority, TlsServer};
//!
//! let (authority, git) = (Authority::new()?, GitServer::start()?);
//! let server = TlsServer::start(&git.base(), &authority.server(30)?, None)?;
//! assert!(server.url("/fleet.git").starts_with("https://127.0.0.1:"));
//! # Ok(())
//! # }
//! ```

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Signs certificates.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
    pem: String,
}

/// A certificate and its key, as PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

/// Takes TLS off and passes on what is in it. Dropping it stops it.
#[derive(Debug)]
pub struct TlsServer {
    address: SocketAddr,
    task: Background,
}

/// Puts TLS on and passes it on, for clients that have none. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct TlsClient {
    address: SocketAddr,
    _task: Background,
}

impl Authority {
    /// A new one.
    pub fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("weir-tls-").tempdir()?;
        let authority = Self {
            pem: String::new(),
            folder,
        };
        let extension = "basicConstraints=critical,CA:TRUE";
        authority.request(&[
            "-x509",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-subj",
            "/CN=test authority",
            "-days",
            "30",
            "-addext",
            extension,
        ])?;
        let pem = fs::read_to_string(authority.folder.path().join("ca.pem"))?;
        Ok(Self { pem, ..authority })
    }

    /// Its own certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// For a server at 127.0.0.1, valid for so many days from now; with a negative number it expired so many days ago.
    pub fn server(&self, days: i32) -> Result<Identity> {
        self.sign("server", "subjectAltName=IP:127.0.0.1,DNS:localhost", days)
    }

    /// For servers of such names, to which a proxy leads.
    pub fn server_of(&self, names: &[&str]) -> Result<Identity> {
        let names: Vec<String> = names.iter().map(|name| format!("DNS:{name}")).collect();
        let extension = format!("subjectAltName={}", names.join(","));
        self.sign("names", &extension, 30)
    }

    /// For a client.
    pub fn client(&self) -> Result<Identity> {
        self.sign("client", "extendedKeyUsage=clientAuth", 30)
    }

    /// Trust in nobody else.
    fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(self.pem.as_bytes()) {
            roots.add(certificate?)?;
        }
        ensure!(!roots.is_empty(), "an authority without a certificate");
        Ok(roots)
    }

    fn sign(&self, name: &str, extension: &str, days: i32) -> Result<Identity> {
        let path = |end: &str| self.folder.path().join(format!("{name}.{end}"));
        fs::write(path("ext"), format!("{extension}\n"))?;
        self.request(&[
            "-keyout",
            &format!("{name}.key"),
            "-out",
            &format!("{name}.csr"),
            "-subj",
            &format!("/CN={name}"),
        ])?;
        self.openssl(&[
            "x509",
            "-req",
            "-in",
            &format!("{name}.csr"),
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            &days.to_string(),
            "-extfile",
            &format!("{name}.ext"),
            "-out",
            &format!("{name}.pem"),
        ])?;
        Ok(Identity {
            certificate: fs::read_to_string(path("pem"))?,
            key: fs::read_to_string(path("key"))?,
        })
    }

    /// Asks for a certificate of a new key.
    fn request(&self, arguments: &[&str]) -> Result<()> {
        const NEW_KEY: [&str; 6] = [
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ];
        self.openssl(&[&NEW_KEY, arguments].concat())
    }

    fn openssl(&self, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new("openssl");
        command.args(arguments).current_dir(self.folder.path());
        let output = command.output().context("running openssl")?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr);
            bail!(
                "openssl {} ended with {}: {text}",
                arguments[0],
                output.status
            );
        }
        Ok(())
    }
}

impl TlsServer {
    /// Starts on a free port, in front of the server at `backend` (`http://127.0.0.1:1234`). With `clients`, only who
    /// shows a certificate of that authority is let in.
    pub fn start(backend: &str, identity: &Identity, clients: Option<&Authority>) -> Result<Self> {
        let backend: SocketAddr = backend
            .trim_start_matches("http://")
            .trim_end_matches('/')
            .parse()
            .with_context(|| format!("the address of the server behind: {backend}"))?;
        let builder = ServerConfig::builder();
        let builder = match clients {
            Some(authority) => {
                let roots = Arc::new(authority.roots()?);
                let verifier = WebPkiClientVerifier::builder(roots).build()?;
                builder.with_client_cert_verifier(verifier)
            }
            None => builder.with_no_client_auth(),
        };
        let chain = CertificateDer::pem_slice_iter(identity.certificate.as_bytes());
        let chain = chain.collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())?;
        let config = builder.with_single_cert(chain, key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (address, task) = Background::start("tls-server", move |client: TcpStream| {
            let acceptor = acceptor.clone();
            async move {
                let mut client = acceptor.accept(client).await?;
                let mut server = TcpStream::connect(backend).await?;
                copy_bidirectional(&mut client, &mut server).await?;
                Ok(())
            }
        })?;
        Ok(Self { address, task })
    }

    /// The address of a path on it.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    /// Host and port.
    pub fn host(&self) -> String {
        debug_assert!(self.task.thread.is_some());
        self.address.to_string()
    }
}

impl TlsClient {
    /// Starts on a free port, for the server at `backend`, which proves to be `name`.
    pub(crate) fn start(backend: SocketAddr, name: &str, authority: &Authority) -> Result<Self> {
        let config = ClientConfig::builder().with_root_certificates(authority.roots()?);
        let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
        let name = ServerName::try_from(name.to_owned())?;
        let (address, task) = Background::start("tls-client", move |mut client: TcpStream| {
            let (connector, name) = (connector.clone(), name.clone());
            async move {
                let server = TcpStream::connect(backend).await?;
                let mut server = connector.connect(name, server).await?;
                copy_bidirectional(&mut client, &mut server).await?;
                Ok(())
            }
        })?;
        Ok(Self {
            address,
            _task: task,
        })
    }

    /// Where it takes connections.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A thread that serves connections until it is dropped.
#[derive(Debug)]
pub(crate) struct Background {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    pub(crate) fn start<F>(
        name: &str,
        serve: impl Fn(TcpStream) -> F + Send + 'static,
    ) -> Result<(SocketAddr, Self)>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let work = async move {
            let Ok(listener) = TcpListener::from_std(listener) else {
                return;
            };
            while let Ok((connection, _)) = listener.accept().await {
                let served = serve(connection);
                tokio::spawn(async move {
                    if let Err(error) = served.await {
                        tracing::debug!(%error, "a connection of a test server ended");
                    }
                });
            }
        };
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        () = work => {}
                    }
                });
            })?;
        let background = Self {
            stop: Some(stop),
            thread: Some(thread),
        };
        Ok((address, background))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
