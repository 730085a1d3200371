//! Flux's own source-controller, to be looked at beside weir.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::Path;

use anyhow::Result;
use tempfile::TempDir;

use crate::apiserver::Namespace;
use crate::process::Process;
use crate::tools;

/// The program at work in one namespace. Dropping it ends it.
#[derive(Debug)]
pub struct SourceController {
    _folder: TempDir,
    process: Process,
}

impl SourceController {
    /// Starts it for the objects of a namespace; `None` if it is not built.
    pub fn start(space: &Namespace) -> Result<Option<Self>> {
        let Some(program) = tools::find("source-controller")? else {
            return Ok(None);
        };
        let folder = tempfile::Builder::new()
            .prefix("weir-source-controller-")
            .tempdir()?;
        let pair = |name: &str, value: &Path| {
            let mut pair = OsString::from(format!("{name}="));
            pair.push(value);
            pair
        };
        let log = folder.path().join("log");
        let data = folder.path().join("data");
        std::fs::create_dir_all(&data)?;
        let probes = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let (_, process) = Process::listening(Path::new("/usr/bin/env"), &log, |port| {
            let storage = format!("127.0.0.1:{port}");
            Ok(vec![
                pair("KUBECONFIG", &space.server().kubeconfig()),
                format!("RUNTIME_NAMESPACE={}", space.name()).into(),
                program.clone().into(),
                "--watch-all-namespaces=false".into(),
                "--enable-leader-election=false".into(),
                "--concurrent=4".into(),
                "--requeue-dependency=1s".into(),
                "--max-retry-delay=5s".into(),
                "--metrics-addr=0".into(),
                format!("--health-addr={probes}").into(),
                format!("--storage-addr={storage}").into(),
                format!("--storage-adv-addr={storage}").into(),
                pair("--storage-path", &data),
            ])
        })?;
        Ok(Some(Self {
            _folder: folder,
            process,
        }))
    }

    /// The number of its process.
    pub fn id(&self) -> Result<u32> {
        self.process.server_id()
    }

    /// The end of its log.
    pub fn log_end(&self) -> String {
        self.process.log_end()
    }
}
