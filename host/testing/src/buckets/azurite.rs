//! A real object store that speaks Azure's interface of blobs: azurite, which keeps all in memory. It checks signatures, and
//! what tokens of Entra claim.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tempfile::TempDir;

use crate::buckets::Buckets;
use crate::http::{Answer, Connection};
use crate::process::{self, Process};
use crate::tls::{Authority, TlsClient};
use crate::web::escaped;

/// The name of the storage account, the only one that the server knows.
pub const HOST: &str = "acme.blob.core.windows.net";
const ACCOUNT: &str = "acme";
const KEY: &[u8] = b"hush-3f9a1c-key!";
/// The version of the interface, and of signatures.
const VERSION: &str = "2021-12-02";

/// The server, which proves to be [`HOST`]. Dropping it ends it.
#[derive(Debug)]
pub struct BlobStorage {
    address: SocketAddr,
    entrance: TlsClient,
    _folder: TempDir,
    _process: Process,
}

/// What a signature is good for.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    Account,
    Container(&'a str),
}

/// What proves that somebody with the account's key let its bearer in (a SAS token).
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    pub scope: Scope<'a>,
    /// A letter for each thing that it lets do.
    pub permissions: &'a str,
    /// Until when.
    pub end: &'a str,
}

/// A time that tests do not live to see.
pub const NEVER: &str = "2099-01-01T00:00:00Z";

/// The account's key, as Azure shows it.
pub fn account_key() -> String {
    STANDARD.encode(KEY)
}

impl BlobStorage {
    /// Starts one on a free port; `None`, and a line on standard error, if it is not built. Its certificate is of `authority`.
    pub fn start(authority: &Authority) -> Result<Option<Self>> {
        let Some(program) = process::built("azurite")? else {
            return Ok(None);
        };
        let folder = tempfile::Builder::new().prefix("weir-azurite-").tempdir()?;
        let path = |name: &str| folder.path().join(name);
        let identity = authority.server_of(&[HOST])?;
        fs::write(path("certificate.pem"), &identity.certificate)?;
        fs::write(path("key.pem"), &identity.key)?;
        let (port, process) =
            Process::listening(Path::new("/usr/bin/env"), &path("log"), |port| {
                Ok(vec![
                    format!("AZURITE_ACCOUNTS={ACCOUNT}:{}", account_key()).into(),
                    program.clone().into(),
                    "--blobHost".into(),
                    "127.0.0.1".into(),
                    "--blobPort".into(),
                    port.to_string().into(),
                    "--inMemoryPersistence".into(),
                    "--disableTelemetry".into(),
                    "--skipApiVersionCheck".into(),
                    // Tokens are taken over TLS only.
                    "--oauth".into(),
                    "basic".into(),
                    "--cert".into(),
                    path("certificate.pem").into(),
                    "--key".into(),
                    path("key.pem").into(),
                ])
            })?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Ok(Some(Self {
            address,
            entrance: TlsClient::start(address, HOST, authority)?,
            _folder: folder,
            _process: process,
        }))
    }

    /// Address and port, which takes TLS.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer> {
        let all = Grant {
            scope: Scope::Account,
            permissions: "rwdlac",
            end: NEVER,
        };
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{mark}{}", all.text());
        let mut headers = headers.to_vec();
        headers.extend([("Host", HOST), ("x-ms-version", VERSION)]);
        let connection = TcpStream::connect(self.entrance.address())?;
        Connection::new(connection).ask(method, &path, &headers, body)
    }
}

impl Buckets for BlobStorage {
    fn bucket(&self, name: &str) -> Result<()> {
        let answer = self.ask("PUT", &format!("/{name}?restype=container"), &[], b"")?;
        ensure!(answer.status == 201, "making {name}: {answer:?}");
        Ok(())
    }

    fn put(
        &self,
        bucket: &str,
        name: &str,
        content: &[u8],
        encoding: Option<&str>,
    ) -> Result<String> {
        let mut headers = vec![("x-ms-blob-type", "BlockBlob")];
        headers.extend(encoding.map(|encoding| ("x-ms-blob-content-encoding", encoding)));
        let path = format!("/{bucket}/{}", escaped(name));
        let answer = self.ask("PUT", &path, &headers, content)?;
        ensure!(answer.status == 201, "putting {name}: {answer:?}");
        let tag = answer.header("etag").context("a blob has an ETag")?;
        Ok(tag.to_owned())
    }

    fn remove(&self, bucket: &str, name: &str) -> Result<()> {
        let path = format!("/{bucket}/{}", escaped(name));
        let answer = self.ask("DELETE", &path, &[], b"")?;
        ensure!(answer.status == 202, "removing {name}: {answer:?}");
        Ok(())
    }
}

impl Grant<'_> {
    /// The query of an address.
    pub fn text(&self) -> String {
        let of_scope = match self.scope {
            Scope::Account => "ss=b&srt=sco",
            Scope::Container(_) => "sr=c",
        };
        let (permissions, end) = (self.permissions, escaped(self.end));
        let signature = escaped(&self.signature());
        format!("sv={VERSION}&{of_scope}&sp={permissions}&se={end}&sig={signature}")
    }

    /// What proves it, by Microsoft's pages "Create an account SAS" and "Create a service SAS".
    pub fn signature(&self) -> String {
        let Self {
            scope,
            permissions,
            end,
        } = self;
        // Empty lines are what is not said.
        let text = match scope {
            Scope::Account => {
                format!("{ACCOUNT}\n{permissions}\nb\nsco\n\n{end}\n\n\n{VERSION}\n\n")
            }
            Scope::Container(name) => format!(
                "{permissions}\n\n{end}\n/blob/{ACCOUNT}/{name}\n\n\n\n{VERSION}\nc\n\n\n\n\n\n\n"
            ),
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY).expect("HMAC takes keys of any length");
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}
