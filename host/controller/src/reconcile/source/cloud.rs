//! Logins at clouds for sources: asked on a thread that may wait, through the proxy of the object, and shown nowhere from
//! then on.

use weir_api::names::reasons;
use weir_api::source::helm::CloudProvider;
use weir_secrets::Secret;
use weir_secrets::cloud::git::{GitLogin, Service};
use weir_secrets::cloud::registry::Provider;
use weir_secrets::cloud::{Cloud, CloudError};
use weir_source::{Auth, Login, ProxySpec, SecretText};

use super::Problem;
use crate::reconcile::{Context, Run};

/// What one object says about how a cloud is asked.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    pub(super) proxy: Option<ProxySpec>,
    /// Amazon's token service.
    pub(super) token_service: Option<String>,
}

/// Asks for a login.
pub(super) async fn ask<T: Send + 'static>(
    ctx: &Context,
    way: Way,
    question: impl FnOnce(&Cloud) -> Result<T, CloudError> + Send + 'static,
) -> Result<T, CloudError> {
    let cloud = if way.proxy.is_none() && way.token_service.is_none() {
        ctx.cloud.clone()
    } else {
        let machine = ctx.machine.clone();
        ctx.cloud
            .seen_from(machine.seen_by(way.proxy, way.token_service))
    };
    let asked = tokio::task::spawn_blocking(move || question(&cloud)).await;
    asked.unwrap_or_else(|error| Err(CloudError::Unavailable(error.to_string())))
}

/// From now on no text of this run shows it.
pub(super) fn hide(ctx: &Context, run: &Run, secret: &Secret) {
    ctx.sources.secrets(&run.id).learn(secret.trimmed());
}

/// The login of a cloud's Git service for a repository.
pub(super) async fn git_login(
    ctx: &Context,
    run: &Run,
    service: Service,
    url: &str,
    proxy: Option<ProxySpec>,
) -> Result<Auth, CloudError> {
    let way = Way {
        proxy,
        ..Way::default()
    };
    let asked = url.to_owned();
    let text = |secret: &Secret| secret.text().unwrap_or_default().to_owned();
    match ask(ctx, way, move |cloud| cloud.git_login(service, &asked)).await? {
        GitLogin::Bearer(token) => {
            hide(ctx, run, &token);
            Ok(Auth::Bearer(SecretText::new(text(&token))))
        }
        GitLogin::Basic { user, password } => {
            for part in [&user, &password] {
                hide(ctx, run, part);
            }
            let pair = format!("{}:{}", text(&user), text(&password));
            ctx.sources.secrets(&run.id).learn(pair.as_bytes());
            Ok(Auth::Basic(Login {
                user: text(&user),
                password: SecretText::new(text(&password)),
            }))
        }
    }
}

/// The login of a cloud's registry, for a provider that is one.
pub(super) async fn registry_login(
    ctx: &Context,
    run: &Run,
    provider: CloudProvider,
    host: &str,
    proxy: Option<ProxySpec>,
) -> Result<Option<Login>, Problem> {
    let (cloud, name) = match provider {
        CloudProvider::Generic => return Ok(None),
        CloudProvider::Aws => (Provider::Aws, "aws"),
        CloudProvider::Azure => (Provider::Azure, "azure"),
        CloudProvider::Gcp => (Provider::Gcp, "gcp"),
    };
    let way = Way {
        proxy,
        ..Way::default()
    };
    let asked = host.to_owned();
    let login = ask(ctx, way, move |one| one.registry_login(cloud, &asked)).await;
    let login = login.map_err(|error| {
        Problem::fetch(
            reasons::AUTHENTICATION_FAILED,
            format!("failed to get credential from '{name}': {error}"),
        )
    })?;
    hide(ctx, run, &login.password);
    let password = login.password.text().unwrap_or_default();
    let pair = format!("{}:{password}", login.user);
    ctx.sources.secrets(&run.id).learn(pair.as_bytes());
    Ok(Some(Login {
        password: SecretText::new(password.to_owned()),
        user: login.user,
    }))
}
