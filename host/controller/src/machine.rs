//! What key services are asked through: this process's variables, files, programs, clock and network.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use weir_secrets::{Secret, Surroundings, WebAnswer, WebRequest};
use weir_source::{ClientSpec, DefaultProxy, HttpFactory, HttpOptions, ProxySpec};

/// Tokens, keys and configuration files are smaller.
const LARGEST_FILE: u64 = 1 << 20;
/// A whole exchange takes no longer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Where a machine in a cloud is told who it is: there, or nowhere, and at once.
const METADATA: &str = "http://169.254.";
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);

/// Where Amazon's tools read the address of the token service.
const TOKEN_SERVICE: &str = "AWS_ENDPOINT_URL_STS";

/// The machine that this process runs on. It may be asked from threads that are not the runtime's own. Cheap to clone.
#[derive(Clone)]
pub struct Machine {
    runtime: Handle,
    /// Nobody is asked over the network.
    offline: bool,
    http: HttpFactory,
    /// Where metadata services are asked: never through a proxy.
    direct: HttpFactory,
    /// What an object says that is asked for.
    proxy: Option<ProxySpec>,
    token_service: Option<String>,
}

impl Machine {
    /// Requests go through the proxy that the environment names.
    #[must_use]
    pub fn new(runtime: Handle) -> Self {
        let http = |proxy| {
            HttpFactory::new(HttpOptions {
                proxy,
                ..HttpOptions::default()
            })
        };
        Self {
            runtime,
            offline: false,
            http: http(DefaultProxy::Environment),
            direct: http(DefaultProxy::Direct),
            proxy: None,
            token_service: None,
        }
    }

    /// The same for an object that names a proxy, or a token service of Amazon's. Only what is encrypted goes through such
    /// a proxy: what this machine is asked for without TLS is not for its eyes.
    #[must_use]
    pub(crate) fn seen_by(self, proxy: Option<ProxySpec>, token_service: Option<String>) -> Self {
        Self {
            proxy,
            token_service,
            ..self
        }
    }

    /// The same without the network, if `offline`.
    #[must_use]
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }
}

impl Surroundings for Machine {
    fn variable(&self, name: &str) -> Option<String> {
        if name == TOKEN_SERVICE && self.token_service.is_some() {
            return self.token_service.clone();
        }
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    fn file(&self, path: &str) -> Option<Secret> {
        let path = Path::new(path);
        let size = std::fs::metadata(path).ok()?.len();
        if size > LARGEST_FILE {
            return None;
        }
        Some(std::fs::read(path).ok()?.into())
    }

    fn output(&self, command: &[&str]) -> Option<Secret> {
        let (program, arguments) = command.split_first()?;
        let output = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output();
        let output = output.ok()?;
        output.status.success().then(|| output.stdout.into())
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn send(&self, request: &WebRequest) -> Result<WebAnswer, String> {
        if self.offline {
            return Err("with --offline no key service is asked".to_owned());
        }
        if let Some(proxy) = self
            .proxy
            .as_ref()
            .filter(|_| request.url.starts_with("https://"))
        {
            let spec = ClientSpec {
                proxy: Some(proxy.clone()),
                ..ClientSpec::default()
            };
            let exchange = self.http.exchange_with(&spec, request, TIMEOUT);
            return self.runtime.block_on(exchange);
        }
        let (factory, limit) = if request.url.starts_with(METADATA) {
            (&self.direct, METADATA_TIMEOUT)
        } else {
            (&self.http, TIMEOUT)
        };
        self.runtime.block_on(factory.exchange(request, limit))
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine").finish_non_exhaustive()
    }
}
