//! A real registry: Debian's `docker-registry`, which is the reference implementation of OCI's distribution interface.

use std::fs;
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::http::{Answer, Connection};
use crate::process::{Process, needed};
use crate::registry::{MANIFEST, digest};

/// Who is let in by a registry that asks for a login: name and password.
pub const LOGIN: [&str; 2] = ["ann", "hush-3f9a1c"];
/// The same as a line of `htpasswd`, which must be made by bcrypt.
const HTPASSWD: &str = "ann:$2a$10$jSnJVKq/3abINZ4rvU83fOUBnW10/ALaaweDX.dr6d7.nBMUxHsjC\n";

/// The server. Dropping it ends it and removes what it holds.
#[derive(Debug)]
pub struct DockerRegistry {
    port: u16,
    login: bool,
    _folder: TempDir,
    _process: Process,
}

/// What is pushed under a tag.
#[derive(Clone, Debug, Default)]
pub struct Artifact<'a> {
    /// Media type and content of the configuration; an empty one by default.
    pub config: Option<(&'a str, &'a [u8])>,
    /// Media types and contents.
    pub layers: Vec<(&'a str, &'a [u8])>,
    pub annotations: Vec<(&'a str, &'a str)>,
}

impl DockerRegistry {
    /// Starts an empty one on a free port; `None`, and a line on standard error, if it is not installed. With `login`
    /// only [`LOGIN`] is let in.
    pub fn start(login: bool) -> Result<Option<Self>> {
        let Some(program) = needed("docker-registry", "install docker-registry")? else {
            return Ok(None);
        };
        let folder = tempfile::Builder::new()
            .prefix("weir-registry-")
            .tempdir()?;
        let path = |name: &str| folder.path().join(name);
        fs::write(path("htpasswd"), HTPASSWD)?;
        let auth = match login {
            true => json!({"htpasswd": {"realm": "registry", "path": path("htpasswd")}}),
            false => json!({}),
        };
        let (port, process) = Process::listening(&program, &path("log"), |port| {
            let config = json!({
                "version": "0.1",
                "log": {"level": "error", "accesslog": {"disabled": true}},
                "storage": {"filesystem": {"rootdirectory": path("data")}},
                "http": {"addr": format!("127.0.0.1:{port}")},
                "auth": auth,
            });
            // YAML holds JSON.
            fs::write(path("config.yml"), config.to_string())?;
            Ok(vec!["serve".into(), path("config.yml").into()])
        })?;
        Ok(Some(Self {
            port,
            login,
            _folder: folder,
            _process: process,
        }))
    }

    /// Host and port.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Pushes an artifact, and gives the digest of its manifest.
    pub fn push(&self, repository: &str, tag: &str, artifact: &Artifact<'_>) -> Result<String> {
        let empty = ("application/vnd.oci.empty.v1+json", b"{}".as_slice());
        let config = self.blob(repository, artifact.config.unwrap_or(empty))?;
        let layers = artifact.layers.iter();
        let layers: Vec<Value> = layers
            .map(|layer| self.blob(repository, *layer))
            .collect::<Result<_>>()?;
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers,
        });
        if !artifact.annotations.is_empty() {
            let pairs = artifact.annotations.iter();
            let annotations: Map<String, Value> = pairs
                .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
                .collect();
            manifest["annotations"] = annotations.into();
        }
        let manifest = manifest.to_string();
        let path = format!("/v2/{repository}/manifests/{tag}");
        let kind = [("Content-Type", MANIFEST)];
        let answer = self.ask("PUT", &path, &kind, manifest.as_bytes())?;
        ensure!(answer.status == 201, "pushing a manifest: {answer:?}");
        Ok(digest(manifest.as_bytes()))
    }

    /// Pushes a blob, and gives what a manifest says of it.
    fn blob(&self, repository: &str, (kind, content): (&str, &[u8])) -> Result<Value> {
        let id = digest(content);
        let path = format!("/v2/{repository}/blobs/uploads/");
        let begun = self.ask("POST", &path, &[], b"")?;
        ensure!(begun.status == 202, "beginning an upload: {begun:?}");
        let place = begun.header("location").context("an upload has a place")?;
        let base = format!("http://{}", self.host());
        let place = place.strip_prefix(&base).unwrap_or(place);
        let path = format!("{place}&digest={id}");
        let kind_of_body = [("Content-Type", "application/octet-stream")];
        let answer = self.ask("PUT", &path, &kind_of_body, content)?;
        ensure!(answer.status == 201, "uploading a blob: {answer:?}");
        Ok(json!({"mediaType": kind, "digest": id, "size": content.len()}))
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer> {
        let host = self.host();
        let [user, password] = LOGIN;
        let login = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        let mut headers = headers.to_vec();
        headers.push(("Host", &host));
        if self.login {
            headers.push(("Authorization", &login));
        }
        let connection = TcpStream::connect(&host).context("connecting to the registry")?;
        Connection::new(connection).ask(method, path, &headers, body)
    }
}
