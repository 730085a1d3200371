//! A real object store that speaks Google's JSON interface: fake-gcs-server, which keeps all in memory and asks nobody who he is.

use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tempfile::TempDir;

use crate::buckets::Buckets;
use crate::http::{Answer, Connection};
use crate::process::{self, Process};
use crate::web::escaped;

/// The name that it answers to.
pub const HOST: &str = "storage.googleapis.com";

/// The server. Dropping it ends it.
#[derive(Debug)]
pub struct GoogleStorage {
    port: u16,
    _folder: TempDir,
    _process: Process,
}

impl GoogleStorage {
    /// Starts one on a free port; `None`, and a line on standard error, if it is not built.
    pub fn start() -> Result<Option<Self>> {
        let Some(program) = process::built("fake-gcs-server")? else {
            return Ok(None);
        };
        let folder = tempfile::Builder::new().prefix("weir-gcs-").tempdir()?;
        let log = folder.path().join("log");
        let (port, process) = Process::listening(&program, &log, |port| {
            let port = port.to_string();
            let words = [
                "-backend",
                "memory",
                "-scheme",
                "http",
                "-host",
                "127.0.0.1",
                "-port",
                &port,
            ];
            Ok(words.map(Into::into).into())
        })?;
        Ok(Some(Self {
            port,
            _folder: folder,
            _process: process,
        }))
    }

    /// Host and port.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn ask(&self, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
        let connection = TcpStream::connect(self.host()).context("connecting to the store")?;
        Connection::new(connection).ask(method, path, &[("Host", HOST)], body)
    }
}

impl Buckets for GoogleStorage {
    fn bucket(&self, name: &str) -> Result<()> {
        let body = json!({"name": name}).to_string();
        let answer = self.ask("POST", "/storage/v1/b", body.as_bytes())?;
        ensure!(answer.status == 200, "making the bucket {name}: {answer:?}");
        Ok(())
    }

    fn put(
        &self,
        bucket: &str,
        name: &str,
        content: &[u8],
        encoding: Option<&str>,
    ) -> Result<String> {
        let name = escaped(name);
        let mut path = format!("/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}");
        if let Some(encoding) = encoding {
            path += &format!("&contentEncoding={encoding}");
        }
        let answer = self.ask("POST", &path, content)?;
        ensure!(answer.status == 200, "putting {name}: {answer:?}");
        let path = format!("/storage/v1/b/{bucket}/o/{name}?alt=media");
        let answer = self.ask("GET", &path, b"")?;
        let tag = answer.header("etag").context("an object has an ETag")?;
        Ok(tag.trim_matches('"').to_owned())
    }

    fn remove(&self, bucket: &str, name: &str) -> Result<()> {
        let path = format!("/storage/v1/b/{bucket}/o/{}", escaped(name));
        let answer = self.ask("DELETE", &path, b"")?;
        ensure!(answer.status == 200, "removing {name}: {answer:?}");
        Ok(())
    }
}
