//! A real object store that speaks Amazon's S3 interface: versitygw, over a folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::buckets::Buckets;
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

    /// Makes a bucket with these objects, or puts them into it.
    pub fn fill(&self, name: &str, objects: &[(&str, &str)]) -> Result<()> {
        self.bucket(name)?;
        for (object, content) in objects {
            self.put(name, object, content.as_bytes(), None)?;
        }
        Ok(())
    }

    /// Where the server keeps an object, and what it notes of it. Both names may have slashes.
    fn places(&self, bucket: &str, object: &str) -> [PathBuf; 2] {
        let place = |folder: &str| self.folder.path().join(folder).join(bucket).join(object);
        [place("buckets"), place("attributes")]
    }

    /// Host and port.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Buckets for ObjectStore {
    fn bucket(&self, name: &str) -> Result<()> {
        let [bucket, _] = self.places(name, "");
        fs::create_dir_all(&bucket).with_context(|| format!("making {}", bucket.display()))
    }

    /// Written where the server keeps it, with what it would note of it.
    fn put(
        &self,
        bucket: &str,
        name: &str,
        content: &[u8],
        encoding: Option<&str>,
    ) -> Result<String> {
        let [place, notes] = self.places(bucket, name);
        match name.ends_with('/') {
            true => fs::create_dir_all(&place)?,
            false => write(&place, content)?,
        }
        let mut tag = digest(content).replace("sha256:", "");
        tag.truncate(32);
        write(&notes.join("meta/etag"), tag.as_bytes())?;
        if let Some(encoding) = encoding {
            write(&notes.join("meta/content-encoding"), encoding.as_bytes())?;
        }
        Ok(tag)
    }

    fn remove(&self, bucket: &str, name: &str) -> Result<()> {
        let [place, notes] = self.places(bucket, name);
        fs::remove_file(place)?;
        fs::remove_dir_all(notes)?;
        Ok(())
    }
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder)?;
    fs::write(path, content).with_context(|| format!("writing {}", path.display()))
}
