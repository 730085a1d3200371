//! Amazon's services by `moto_server`: key management and the token service are used.

use anyhow::Result;
use tempfile::TempDir;

use crate::process::{Process, needed};

/// The server. Dropping it ends it.
#[derive(Debug)]
pub struct Moto {
    port: u16,
    _folder: TempDir,
    _process: Process,
}

impl Moto {
    /// Starts on a free port; `None` if the program is not there, which in CI is an error.
    pub fn start() -> Result<Option<Self>> {
        let Some(program) = needed("moto_server", "install moto[server] with pip")? else {
            return Ok(None);
        };
        let folder = tempfile::Builder::new().prefix("weir-moto-").tempdir()?;
        let log = folder.path().join("log");
        let (port, process) = Process::listening(&program, &log, |port| {
            let port = port.to_string();
            Ok(["-H", "127.0.0.1", "-p", &port].map(Into::into).into())
        })?;
        Ok(Some(Self {
            port,
            _folder: folder,
            _process: process,
        }))
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
