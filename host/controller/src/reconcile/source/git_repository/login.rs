//! How a GitRepository's server is reached, out of its spec and its Secrets.

use std::time::SystemTime;

use weir_api::names::reasons;
use weir_api::source::{GitProvider, GitRepository};
use weir_secrets::cloud::git::Service;
use weir_source::github::{GithubApp, Installation};
use weir_source::{
    Auth, ClientSpec, GitReference, GitSpec, Login, SecretText, SshLogin, SshLoginError,
};

use super::super::secret::{self, Secret};
use super::super::{Problem, cloud, timeout};
use crate::reconcile::{Context, Run};

pub(super) async fn spec(
    ctx: &Context,
    run: &Run,
    source: &GitRepository,
) -> Result<GitSpec, Problem> {
    let reference = source.spec.reference.clone().unwrap_or_default();
    let mut spec = GitSpec {
        reference: GitReference {
            branch: reference.branch,
            tag: reference.tag,
            semver: reference.semver,
            name: reference.name,
            commit: reference.commit,
            any: None,
        },
        timeout: timeout(source.spec.timeout.as_ref())?,
        ignore: source.spec.ignore.clone(),
        ..GitSpec::new(source.spec.url.clone())
    };
    let proxy = source.spec.proxy_secret_ref.as_ref();
    spec.client = secret::client(ctx, run, None, proxy).await?;
    let reference = source.spec.secret_ref.as_ref();
    // As source-controller says it, twice.
    let words = |name: &str| {
        let words = format!("failed to get secret '{name}'");
        format!("{words}: {words}")
    };
    let secret = secret::read_saying(ctx, run, reference, words).await?;
    if source.spec.provider == Some(GitProvider::Github) {
        spec.auth = github(ctx, run, secret.as_ref(), &mut spec.client).await?;
        return Ok(spec);
    }
    if let Some(secret) = &secret
        && secret.has(&["githubAppID"])
    {
        return Err(Problem::fetch(
            reasons::INVALID_PROVIDER_CONFIGURATION,
            format!(
                "secretRef '{}' has github app data but provider is not set to github",
                secret.name()
            ),
        ));
    }
    let service = match source.spec.provider {
        Some(GitProvider::Aws) => Some(Service::CodeCommit),
        Some(GitProvider::Azure) => Some(Service::AzureDevOps),
        Some(GitProvider::Generic | GitProvider::Github) | None => None,
    };
    if let Some(service) = service {
        if source.spec.service_account_name.is_some() {
            return Err(Problem::own_identity());
        }
        if let Some(secret) = &secret {
            secret.tls(&mut spec.client)?;
        }
        let proxy = spec.client.proxy.clone();
        let login = cloud::git_login(ctx, run, service, &spec.url, proxy).await;
        spec.auth = login.map_err(|error| {
            Problem::fetch(
                reasons::AUTHENTICATION_FAILED,
                format!("failed to configure authentication options: {error}"),
            )
        })?;
    } else if spec.url.starts_with("ssh://") {
        spec.auth = ssh(secret.as_ref())?;
    } else if let Some(secret) = secret {
        secret.tls(&mut spec.client)?;
        spec.auth = match (secret.secret("bearerToken"), basic(&secret)?) {
            // flux: a token goes before a name and a password.
            (Some(token), _) => Auth::Bearer(token),
            (None, Some(login)) => Auth::Basic(login),
            (None, None) => Auth::Anonymous,
        };
    }
    Ok(spec)
}

/// A name and a password, which may be empty.
fn basic(secret: &Secret) -> Result<Option<Login>, Problem> {
    let password = secret.secret("password");
    match (secret.text("username"), password) {
        (Some(user), password) => Ok(Some(Login {
            user: user.to_owned(),
            password: password.unwrap_or_else(|| SecretText::new(String::new())),
        })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(Problem::fetch(
            reasons::AUTHENTICATION_FAILED,
            format!(
                "failed to configure authentication options: invalid 'http' auth option: 'password' requires 'username' to be set; see secret '{}'",
                secret.name()
            ),
        )),
    }
}

/// A token of an App's installation.
async fn github(
    ctx: &Context,
    run: &Run,
    secret: Option<&Secret>,
    client: &mut ClientSpec,
) -> Result<Auth, Problem> {
    let missing = "secretRef with github app data must be specified when provider is set to github";
    let reason = reasons::INVALID_PROVIDER_CONFIGURATION;
    let secret = secret.ok_or_else(|| Problem::stalled(reason, missing))?;
    if !secret.has(&["githubAppID", "githubAppPrivateKey"]) {
        return Err(Problem::fetch(reason, missing));
    }
    let failed = |what: &str| {
        Problem::fetch(
            reasons::AUTHENTICATION_FAILED,
            format!("failed to configure authentication options: {what}"),
        )
    };
    secret.tls(client)?;
    let text = |key: &str| secret.text(key).map(|text| text.trim().to_owned());
    let installation = match (
        text("githubAppInstallationID"),
        text("githubAppInstallationOwner"),
    ) {
        (Some(id), None) => Installation::Id(id),
        (None, Some(owner)) => Installation::Owner(owner),
        (None, None) => {
            return Err(failed(
                "app installation owner or ID must be provided to use github app authentication",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(failed(
                "only one of app installation owner or ID must be provided to use github app authentication",
            ));
        }
    };
    let app = GithubApp {
        id: text("githubAppID")
            .ok_or_else(|| failed("app ID must be provided to use github app authentication"))?,
        installation,
        key: secret.secret("githubAppPrivateKey").ok_or_else(|| {
            failed("private key must be provided to use github app authentication")
        })?,
        base: text("githubAppBaseURL"),
    };
    let sources = &ctx.sources;
    let login = sources
        .github
        .login(&sources.http, client, &app, SystemTime::now());
    let login = login.await.map_err(|error| failed(&error.to_string()))?;
    let secrets = sources.secrets(&run.id);
    secrets.learn(login.password.expose().as_bytes());
    Ok(Auth::Basic(login))
}

/// A login over SSH needs a key, and has to know the server.
fn ssh(secret: Option<&Secret>) -> Result<Auth, Problem> {
    let problem = |message: String| Problem::fetch(reasons::AUTHENTICATION_FAILED, message);
    let missing = |key: &str| {
        problem(format!(
            "failed to configure authentication options: invalid 'ssh' auth option: '{key}' is required"
        ))
    };
    let secret = secret.ok_or_else(|| missing("identity"))?;
    let login = SshLogin {
        identity: secret
            .secret("identity")
            .ok_or_else(|| missing("identity"))?,
        passphrase: secret.secret("password"),
        known_hosts: secret
            .text("known_hosts")
            .ok_or_else(|| missing("known_hosts"))?
            .to_owned(),
    };
    match login.check() {
        Err(SshLoginError::Encrypted) => Err(problem(format!(
            "SSH identity key is encrypted but no 'password' field was provided in the secret '{}'",
            secret.name()
        ))),
        Err(
            error @ (SshLoginError::Passphrase
            | SshLoginError::Key(_)
            | SshLoginError::KnownHosts { .. }),
        ) => Err(Problem::fetch(
            reasons::GIT_OPERATION_FAILED,
            format!(
                "failed to checkout and determine revision: unable to construct auth method with options: {error}; see \
                 secret '{}'",
                secret.name()
            ),
        )),
        Ok(()) => Ok(Auth::Ssh(login)),
    }
}
