//! Amazon's services by `moto_server`: key management and the token service are used.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::process::{Process, installed};
use crate::tools::in_ci;
use crate::wait::DEADLINE;

/// The program; it is looked for in `PATH`.
const PROGRAM: &str = "moto_server";

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
        let Some(program) = installed(PROGRAM) else {
            anyhow::ensure!(
                !in_ci(),
                "there is no {PROGRAM}; install moto[server] with pip"
            );
            return Ok(None);
        };
        let folder = tempfile::Builder::new().prefix("weir-moto-").tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log: PathBuf = folder.path().join("log");
        fs::write(&log, "")?;
        let arguments = [
            "-H".to_owned(),
            "127.0.0.1".to_owned(),
            "-p".to_owned(),
            port.to_string(),
        ];
        let mut process = Process::start(&program, arguments, &log, None)?;
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            process.check().context("starting moto_server")?;
            if started.elapsed() > DEADLINE {
                bail!(
                    "moto_server does not answer; its log ends:\n{}",
                    process.log_end()
                );
            }
            thread::sleep(Duration::from_millis(20));
        }
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
