//! A place to work at: variables and a home folder of a test's own, and the network of the loopback interface.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Result, ensure};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use url::Url;
use weir_secrets::cloud::Cloud;
use weir_secrets::services::Logins;
use weir_secrets::{Keyring, Secret, Surroundings, WebAnswer, WebRequest};
use weir_source::{ClientSpec, HttpFactory, HttpOptions, ProxySpec};

const LIMIT: Duration = Duration::from_secs(20);

/// Variables, files and the network. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    variables: BTreeMap<String, String>,
    home: Arc<TempDir>,
    runtime: Arc<Runtime>,
    http: HttpFactory,
    /// What all requests go through, and who is trusted there.
    behind: Option<ClientSpec>,
}

impl Desk {
    pub(super) fn new() -> Result<Self> {
        let home = Arc::new(tempfile::tempdir()?);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let desk = Self {
            variables: BTreeMap::new(),
            home,
            runtime: Arc::new(runtime),
            http: HttpFactory::new(HttpOptions::default()),
            behind: None,
        };
        let home = desk.home().display().to_string();
        Ok(desk
            .with("HOME", &home)
            // A machine's metadata is on an address that is nobody's here.
            .with("AWS_EC2_METADATA_DISABLED", "true"))
    }

    /// All requests go through a proxy, and servers with certificates of an authority are trusted.
    pub(super) fn behind(proxy: &str, authorities: &str) -> Result<Self> {
        let proxy = ProxySpec {
            url: Url::parse(proxy)?,
            login: None,
        };
        Ok(Self {
            behind: Some(ClientSpec {
                authorities: Some(authorities.to_owned()),
                proxy: Some(proxy),
                ..ClientSpec::default()
            }),
            ..Self::new()?
        })
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    pub(super) fn variables(&self) -> &BTreeMap<String, String> {
        &self.variables
    }

    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(super) fn keyring(&self, logins: Logins) -> Keyring {
        super::services(&Cloud::new(self.clone()), logins)
    }

    /// A call of moto's, which wants to see a login and looks at none.
    pub(super) fn amazon(
        &self,
        url: &str,
        target: &'static str,
        body: &str,
    ) -> Result<serde_json::Value> {
        let login = "AWS4-HMAC-SHA256 Credential=AKIATEST/20250101/eu-west-1/kms/aws4_request, SignedHeaders=host, Signature=0";
        let request = WebRequest {
            method: "POST",
            url: format!("{url}/"),
            headers: vec![
                ("x-amz-target", target.into()),
                ("content-type", "application/x-amz-json-1.1".into()),
                ("authorization", login.into()),
            ],
            body: body.into(),
            trust: weir_secrets::Trust::default(),
        };
        let answer = self.send(&request).map_err(anyhow::Error::msg)?;
        let text = answer.body.text().unwrap_or_default();
        ensure!(answer.status == 200, "{target}: {text}");
        Ok(serde_json::from_str(text)?)
    }
}

impl Surroundings for Desk {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn file(&self, path: &str) -> Option<Secret> {
        std::fs::read(path).ok().map(Secret::from)
    }

    fn output(&self, command: &[&str]) -> Option<Secret> {
        let (program, arguments) = command.split_first()?;
        let output = std::process::Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(&self.variables)
            .output()
            .ok()?;
        output.status.success().then(|| output.stdout.into())
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn send(&self, request: &WebRequest) -> Result<WebAnswer, String> {
        let exchange = async {
            match &self.behind {
                Some(spec) if request.url.starts_with("https://") => {
                    self.http.exchange_with(spec, request, LIMIT).await
                }
                _ => self.http.exchange(request, LIMIT).await,
            }
        };
        self.runtime.block_on(exchange)
    }
}
