//! A real object store that speaks Amazon's S3 interface: versitygw, over a folder.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::process::{self, Process};
use crate::registry::digest;

/// Who may read: access key and secret key.
pub const KEYS: [&str; 2] = ["ann", "hush-3f9a1c"];

/// The server. Dropping it ends it and removes its buckets.
#[derive(Debug)]
pub struct ObjectStore {
    port: u16,
    folder: TempDir,
    _process: Process,
}

impl ObjectStore {
    /// Starts one on a free port; `None`, and a line on standard error, if it is not built.
    pub fn start() -> Result<Option<Self>> {
        let Some(program) = process::built("versitygw")? else {
            return Ok(None);
        };
        let folder = tempfile::Builder::new().prefix("weir-s3-").tempdir()?;
        let buckets = folder.path().join("buckets");
        let attributes = folder.path().join("attributes");
        for folder in [&buckets, &attributes] {
            fs::create_dir_all(folder)?;
        }
        let log = folder.path().join("log");
        let [access, secret] = KEYS;
        let (port, process) = Process::listening(&program, &log, |port| {
            let address = format!("127.0.0.1:{port}");
            let words = [
                "--access",
                access,
                "--secret",
                secret,
                "--port",
                &address,
                "--quiet",
                "posix",
                // What belongs to an object stands beside the files: not every file system has attributes.
                "--sidecar",
            ];
            let mut words: Vec<_> = words.map(Into::into).into();
            words.push(attributes.clone().into());
            words.push(buckets.clone().into());
            Ok(words)
        })?;
        Ok(Some(Self {
            port,
            folder,
            _process: process,
        }))
    }

    /// Makes a bucket with these objects, whose names may have slashes, or puts them into it. They are written where the
    /// server keeps them, with what it would note of them.
    pub fn bucket(&self, name: &str, objects: &[(&str, &str)]) -> Result<()> {
        let write = |path: &Path, content: &str| {
            let folder = path.parent().unwrap_or(Path::new(""));
            fs::create_dir_all(folder)?;
            fs::write(path, content).with_context(|| format!("writing {}", path.display()))
        };
        let bucket = self.folder.path().join("buckets").join(name);
        let notes = self.folder.path().join("attributes").join(name);
        fs::create_dir_all(&bucket)?;
        for (object, content) in objects {
            let tag = digest(content.as_bytes()).replace("sha256:", "");
            write(&bucket.join(object), content)?;
            write(&notes.join(object).join("meta/etag"), &tag[..32])?;
        }
        Ok(())
    }

    /// Host and port.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
