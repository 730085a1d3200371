//! Key services on loopback: moto for Amazon's, doubles of the others, and the real `sops` as who encrypts.

mod desk;
mod logins;
mod refusals;
mod registries;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use weir_secrets::Keyring;
use weir_secrets::cloud::Cloud;
use weir_secrets::services::Logins;
use weir_sops::{Format, MacCheck, Options, decrypt};
use weir_testing::doubles;
use weir_testing::moto::Moto;
use weir_testing::proxy::Proxy;
use weir_testing::tls::{Authority, TlsServer};
use weir_testing::web::WebServer;

use crate::keys::Ask;
use desk::Desk;

const PLAIN: &str = "password: hunter2\nport: 5432\n";
/// Of the doubles.
const TOKEN: &str = "token-of-a-test";

/// A file that the real program encrypts, with what it is told about keys; and what decrypts it.
fn round_trip(desk: &Desk, arguments: &[&str]) -> Result<()> {
    let Some(encrypted) = encrypt(desk, arguments)? else {
        return Ok(());
    };
    ensure!(!encrypted.contains("hunter2"), "sops encrypted nothing");
    let plain = open(&encrypted, desk.keyring(Logins::default()))?;
    ensure!(plain == PLAIN, "{plain}");
    Ok(())
}

#[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
fn encrypt(desk: &Desk, arguments: &[&str]) -> Result<Option<String>> {
    let Some(sops) = weir_testing::tools::find("sops")? else {
        eprintln!("SKIPPED: sops is not built; run `cargo xtask tools`");
        return Ok(None);
    };
    let file = desk.home().join("plain.yaml");
    fs::write(&file, PLAIN)?;
    let output = Command::new(sops)
        .env_clear()
        .envs(desk.variables())
        .arg("encrypt")
        .args(arguments)
        .arg(&file)
        .output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "sops {arguments:?}: {errors}");
    Ok(Some(String::from_utf8(output.stdout)?))
}

fn open(encrypted: &str, keyring: Keyring) -> Result<String> {
    let options = Options {
        mac: MacCheck::Require,
        ..Options::default()
    };
    let plain = decrypt(
        encrypted.as_bytes(),
        Format::Yaml,
        Format::Yaml,
        &Ask(keyring),
        &options,
    )?;
    Ok(String::from_utf8(plain.content)?)
}

#[test]
fn vault() -> Result<()> {
    let server = WebServer::start(|request| doubles::vault(request, TOKEN))?;
    let desk = Desk::new()?.with("VAULT_TOKEN", TOKEN);
    let key = server.url("/v1/transit/keys/sops");
    round_trip(&desk, &["--hc-vault-transit", &key])?;

    // The same token where Vault's own tool keeps it.
    let desk = Desk::new()?;
    fs::write(desk.home().join(".vault-token"), format!("{TOKEN}\n"))?;
    round_trip(&desk, &["--hc-vault-transit", &key])
}

#[test]
fn vault_with_an_authority_of_its_own() -> Result<()> {
    let server = WebServer::start(|request| doubles::vault(request, TOKEN))?;
    let authority = Authority::new()?;
    let tls = TlsServer::start(&server.url(""), &authority.server(30)?, Some(&authority))?;
    let desk = Desk::new()?.with("VAULT_TOKEN", TOKEN);
    let client = authority.client()?;
    let file = |name: &str, content: &str| -> Result<String> {
        let path = desk.home().join(name);
        fs::write(&path, content)?;
        Ok(path.display().to_string())
    };
    let (authorities, certificate, key) = (
        file("ca.pem", authority.pem())?,
        file("client.pem", &client.certificate)?,
        file("client.key", &client.key)?,
    );
    let desk = desk
        .with("VAULT_CACERT", &authorities)
        .with("VAULT_CLIENT_CERT", &certificate)
        .with("VAULT_CLIENT_KEY", &key);
    round_trip(
        &desk,
        &["--hc-vault-transit", &tls.url("/v1/transit/keys/sops")],
    )
}

#[test]
fn google() -> Result<()> {
    let server = WebServer::start(|request| doubles::google(request, TOKEN))?;
    let desk = Desk::new()?
        .with("SOPS_GCP_KMS_ENDPOINT", &server.url(""))
        .with("SOPS_GCP_KMS_CLIENT_TYPE", "rest")
        .with("GOOGLE_OAUTH_ACCESS_TOKEN", TOKEN);
    round_trip(&desk, &["--gcp-kms", doubles::GOOGLE_KEY])
}

#[test]
fn azure() -> Result<()> {
    let azure = Azure::start()?;
    let [_, _, password] = doubles::AZURE_LOGIN;
    let desk = azure.desk_with(password)?;
    let key = format!("https://{}/keys/sops/1", doubles::AZURE_VAULT);
    round_trip(&desk, &["--azure-kv", &key])?;
    let reached = azure.proxy.tunnels();
    ensure!(reached.iter().all(|place| {
        doubles::AZURE_HOSTS
            .iter()
            .any(|host| *place == format!("{host}:443"))
    }));
    Ok(())
}

/// Azure's hosts, to all of which a proxy leads.
struct Azure {
    authorities: PathBuf,
    proxy: Proxy,
    pem: String,
    _folder: tempfile::TempDir,
    _servers: (WebServer, TlsServer),
}

impl Azure {
    fn start() -> Result<Self> {
        let server = WebServer::start(|request| doubles::azure(request, TOKEN))?;
        let authority = Authority::new()?;
        let identity = authority.server_of(&doubles::AZURE_HOSTS)?;
        let tls = TlsServer::start(&server.url(""), &identity, None)?;
        let folder = tempfile::tempdir()?;
        let authorities = folder.path().join("ca.pem");
        fs::write(&authorities, authority.pem())?;
        Ok(Self {
            proxy: Proxy::leading_to(&tls.host())?,
            pem: authority.pem().to_owned(),
            authorities,
            _folder: folder,
            _servers: (server, tls),
        })
    }

    /// Of who logs in with a password.
    fn desk_with(&self, password: &str) -> Result<Desk> {
        let [tenant, client, _] = doubles::AZURE_LOGIN;
        Ok(self
            .desk()?
            .with("AZURE_TENANT_ID", tenant)
            .with("AZURE_CLIENT_ID", client)
            .with("AZURE_CLIENT_SECRET", password))
    }

    fn desk(&self) -> Result<Desk> {
        let desk = Desk::behind(&self.proxy.url(), &self.pem)?;
        Ok(desk
            .with("HTTPS_PROXY", &self.proxy.url())
            .with("SSL_CERT_FILE", &self.authorities.display().to_string()))
    }
}

#[test]
fn amazon() -> Result<()> {
    let Some(amazon) = Amazon::start()? else {
        return Ok(());
    };
    let desk = amazon.desk()?;
    round_trip(&desk, &["--kms", &amazon.key])?;
    let context = "app:web,stage:prod";
    round_trip(
        &desk,
        &["--kms", &amazon.key, "--encryption-context", context],
    )?;
    // sops assumes the role as well.
    let with_role = format!("{}+arn:aws:iam::123456789012:role/sops", amazon.key);
    round_trip(&desk, &["--kms", &with_role])
}

/// Amazon's services by moto, with one key.
struct Amazon {
    moto: Moto,
    /// Its ARN.
    key: String,
}

impl Amazon {
    #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
    fn start() -> Result<Option<Self>> {
        let Some(moto) = Moto::start()? else {
            eprintln!("SKIPPED: there is no moto_server; install moto[server] with pip");
            return Ok(None);
        };
        let desk = Desk::new()?;
        let created: serde_json::Value =
            desk.amazon(&moto.url(), "TrentService.CreateKey", "{}")?;
        let key = created["KeyMetadata"]["Arn"].as_str();
        let key = key.context("moto made no key")?.to_owned();
        Ok(Some(Self { moto, key }))
    }

    /// With any keys: moto looks at none.
    fn desk(&self) -> Result<Desk> {
        Ok(Desk::new()?
            .with("AWS_ENDPOINT_URL", &self.moto.url())
            .with("AWS_ACCESS_KEY_ID", "AKIATEST")
            .with("AWS_SECRET_ACCESS_KEY", "hush"))
    }
}

/// A keyring that has key services only.
fn services(cloud: &Cloud, logins: Logins) -> Keyring {
    Keyring::default().with_services(cloud, logins)
}

fn write(path: &Path, content: &str) -> Result<String> {
    fs::write(path, content)?;
    Ok(path.display().to_string())
}
