//! What Secrets say about logins, authorities and proxies, in Flux's words.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::Value;
use url::Url;
use weir_api::names::reasons;
use weir_api::reference::LocalObjectReference;
use weir_api::{Gvk, ObjectKey};
use weir_plugin::Secrets;
use weir_source::oci::DockerConfig;
use weir_source::{Address, ClientSpec, Login, ProxySpec, SecretText};

use super::Problem;
use crate::reconcile::{Context, Run};

/// Keys whose values everybody may see. Of an address only the password is secret.
const PUBLIC: [&str; 15] = [
    "username",
    "accesskey",
    "address",
    "known_hosts",
    "identity.pub",
    "ca.crt",
    "caFile",
    "tls.crt",
    "certFile",
    "tenantId",
    "clientId",
    "githubAppID",
    "githubAppInstallationID",
    "githubAppInstallationOwner",
    "githubAppBaseURL",
];

/// The keys of a Secret.
pub(super) struct Secret {
    name: String,
    data: BTreeMap<String, SecretText>,
}

/// The Secret that a reference names, if there is a reference.
pub(super) async fn read(
    ctx: &Context,
    run: &Run,
    reference: Option<&LocalObjectReference>,
) -> Result<Option<Secret>, Problem> {
    let words = |name: &str| format!("failed to get secret '{name}'");
    read_saying(ctx, run, reference, words).await
}

/// The same, with the words in which a kind says that there is none.
pub(super) async fn read_saying(
    ctx: &Context,
    run: &Run,
    reference: Option<&LocalObjectReference>,
    words: impl Fn(&str) -> String,
) -> Result<Option<Secret>, Problem> {
    let Some(reference) = reference else {
        return Ok(None);
    };
    let secret = load(ctx, run, &reference.name).await.map_err(|error| {
        let name = format!("{}/{}", run.id.name.namespace, reference.name);
        let message = format!("{}: {error}", words(&name));
        Problem::fetch(reasons::AUTHENTICATION_FAILED, message)
    })?;
    Ok(Some(secret))
}

/// A Secret of the object's namespace, or what kept it away.
pub(super) async fn load(ctx: &Context, run: &Run, name: &str) -> Result<Secret, String> {
    let namespace = &run.id.name.namespace;
    let key = ObjectKey::new(Gvk::new("", "v1", "Secret"), namespace.clone(), name);
    let object = ctx.cluster.get(&key).await;
    let object = object.map_err(|error| error.to_string())?;
    let object = object.ok_or_else(|| format!("secrets {name:?} not found"))?;
    let mut data = BTreeMap::new();
    for (key, value) in object
        .get("/data")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let engine = base64::engine::general_purpose::STANDARD;
        let decoded = value.as_str().and_then(|text| engine.decode(text).ok());
        // Bytes that are no text are nothing that is read here.
        if let Some(text) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
            data.insert(key.clone(), SecretText::new(text));
        }
    }
    let secret = Secret {
        name: format!("{namespace}/{name}"),
        data,
    };
    secret.hide(&ctx.sources.secrets(&run.id));
    Ok(secret)
}

/// The login in an address is not to be shown.
pub(super) fn learn_login(secrets: &Secrets, address: &str) {
    let Ok(url) = Url::parse(address) else {
        return;
    };
    if let Some(password) = url.password() {
        secrets.learn(password.as_bytes());
    }
    if let Ok((_, Some(login))) = Address::parse(address) {
        secrets.learn(login.password.expose().as_bytes());
        secrets.learn(format!("{}:{}", login.user, login.password.expose()).as_bytes());
    }
}

impl Secret {
    /// With its namespace.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// From now on no text of this run shows what is secret here.
    fn hide(&self, secrets: &Secrets) {
        for (key, value) in self.entries() {
            // A public key, or one to verify with.
            let public = PUBLIC.contains(&key) || key.ends_with(".pub") || key.ends_with(".sshpub");
            if !public {
                secrets.learn(value.trim().as_bytes());
            }
        }
        if let Some(address) = self.text("address") {
            learn_login(secrets, address);
        }
        if let (Some(user), Some(password)) = (self.text("username"), self.text("password")) {
            secrets.learn(format!("{user}:{password}").as_bytes());
        }
    }

    /// All keys with their values.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        let data = self.data.iter();
        data.map(|(key, value)| (key.as_str(), value.expose()))
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        let text = self.data.get(key)?.expose();
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn secret(&self, key: &str) -> Option<SecretText> {
        self.text(key)?;
        self.data.get(key).cloned()
    }

    pub(super) fn invalid(&self, what: &str) -> Problem {
        Problem::fetch(
            reasons::AUTHENTICATION_FAILED,
            format!(
                "failed to configure authentication options: secret '{}': {what}",
                self.name
            ),
        )
    }

    /// `username` and `password`, where they are; else what is missing, as Flux says it.
    pub(super) fn login(&self) -> Result<Option<Login>, String> {
        let half = |there: &str, missing: &str| {
            Err(format!(
                "secret '{}': malformed basic auth - has '{there}' but missing '{missing}'",
                self.name
            ))
        };
        match (self.text("username"), self.secret("password")) {
            (Some(user), Some(password)) => Ok(Some(Login {
                user: user.to_owned(),
                password,
            })),
            (None, None) => Ok(None),
            (Some(_), None) => half("username", "password"),
            (None, Some(_)) => half("password", "username"),
        }
    }

    /// Authorities, and a certificate to show.
    pub(super) fn tls(&self, client: &mut ClientSpec) -> Result<bool, Problem> {
        let either = |new: &str, old: &str| self.text(new).or_else(|| self.text(old));
        let authorities = either("ca.crt", "caFile");
        let identity = match (either("tls.crt", "certFile"), either("tls.key", "keyFile")) {
            (Some(certificate), Some(key)) => {
                Some(SecretText::new(format!("{certificate}\n{key}\n")))
            }
            (None, None) => None,
            (Some(_), None) => return Err(self.invalid("'tls.crt' is set, but 'tls.key' is not")),
            (None, Some(_)) => return Err(self.invalid("'tls.key' is set, but 'tls.crt' is not")),
        };
        let any = authorities.is_some() || identity.is_some();
        if let Some(authorities) = authorities {
            client.authorities = Some(authorities.to_owned());
        }
        if identity.is_some() {
            client.identity = identity;
        }
        Ok(any)
    }

    /// `address`, and a login for the proxy.
    pub(super) fn proxy(&self) -> Result<ProxySpec, Problem> {
        let address = self
            .text("address")
            .ok_or_else(|| self.invalid("'address' is missing"))?;
        // The address may hold a login, so that it is not shown.
        let url = Url::parse(address)
            .map_err(|error| self.invalid(&format!("'address' is no URL: {error}")))?;
        let login = self.login();
        let login = login.map_err(|half| {
            Problem::fetch(
                reasons::AUTHENTICATION_FAILED,
                format!("failed to configure authentication options: {half}"),
            )
        })?;
        Ok(ProxySpec { url, login })
    }

    pub(super) fn docker(&self) -> Result<DockerConfig, Problem> {
        let text = self
            .text(".dockerconfigjson")
            .ok_or_else(|| self.invalid("'.dockerconfigjson' is missing"))?;
        DockerConfig::parse(text.as_bytes()).map_err(|error| self.invalid(&error.to_string()))
    }

    /// Whether any of these keys is there.
    pub(super) fn has(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.text(key).is_some())
    }
}

/// A client's settings out of the Secrets for TLS and for a proxy.
pub(super) async fn client(
    ctx: &Context,
    run: &Run,
    certificates: Option<&LocalObjectReference>,
    proxy: Option<&LocalObjectReference>,
) -> Result<ClientSpec, Problem> {
    let mut client = ClientSpec::default();
    if let Some(secret) = read(ctx, run, certificates).await?
        && !secret.tls(&mut client)?
    {
        return Err(secret.invalid("neither 'ca.crt' nor 'tls.crt' and 'tls.key' are in it"));
    }
    if let Some(secret) = read(ctx, run, proxy).await? {
        client.proxy = Some(secret.proxy()?);
    }
    Ok(client)
}
