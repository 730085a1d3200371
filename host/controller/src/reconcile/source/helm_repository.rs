//! Finds the index of a HelmRepository that is served over HTTP.

use std::collections::BTreeMap;

use weir_api::names::reasons;
use weir_api::source::HelmRepository;
use weir_api::source::helm::CloudProvider;
use weir_render::SourceTree;
use weir_source::{ChartIndex, ClientSpec, IndexError, Login, SourceError};
use weir_tree::{Digest, EmptyTree};

use super::{Artifact, Content, Found, Problem, cloud, limited, secret, timeout};
use crate::reconcile::{Context, Run};

/// Flux's `--helm-index-max-size`.
const MAX_INDEX: u64 = 50 << 20;

/// How a repository is spoken to.
pub(super) struct Access {
    pub(super) client: ClientSpec,
    pub(super) login: Option<Login>,
}

pub(super) async fn find(
    ctx: &Context,
    run: &Run,
    source: &HelmRepository,
) -> Result<Found, Problem> {
    let url = &source.spec.url;
    if url.starts_with("oci://") {
        return Err(Problem::stalled(
            reasons::URL_INVALID,
            "invalid Helm repository URL: 'oci' URL scheme cannot be used with 'default' HelmRepository type",
        ));
    }
    let access = access(ctx, run, source).await?;
    let limit = timeout(source.spec.timeout.as_ref())?;
    let address = format!("{}/index.yaml", url.trim_end_matches('/'));
    // Only who still has the index asks whether it changed.
    let known = match ctx.sources.fetched(&run.id, &address) {
        Some((revision, validator)) => ctx
            .sources
            .made(&run.id, &revision)
            .await
            .map(|made| (revision, validator, made)),
        None => None,
    };
    let validator = known.as_ref().map(|(_, validator, _)| validator);
    let fetched = limited(run, limit, "fetching the index", async {
        let (http, client, login) = (&ctx.sources.http, &access.client, access.login.as_ref());
        weir_source::download_changed(http, client, &address, login, MAX_INDEX, validator)
            .await
            .map_err(|error| problem(&error))
    })
    .await?;
    let fetched = match (fetched, known) {
        (Some(fetched), _) => fetched,
        (None, Some((revision, _, (tree, artifact)))) => {
            // The address may hold a login.
            let secrets = ctx.sources.secrets(&run.id);
            return Ok(found(revision, tree, artifact, &secrets.mask(&address)));
        }
        (None, None) => {
            return Err(Problem::fetch(
                reasons::FAILED,
                "the server says that nothing changed, but nothing was fetched before",
            ));
        }
    };
    let (shown, bytes) = (fetched.address.to_string(), fetched.content);
    let digest = Digest::of(&bytes);
    let revision = digest.to_string();
    let (tree, artifact) = match ctx.sources.made(&run.id, &revision).await {
        Some(made) => made,
        None => {
            let parsed = tokio::task::spawn_blocking(move || ChartIndex::parse(bytes)).await;
            let failed = |error: String| {
                Problem::fetch(
                    reasons::INDEXATION_FAILED,
                    format!(
                        "failed to load Helm repository from index YAML: failed to load index: {error}"
                    ),
                )
            };
            let parsed = parsed.map_err(|error| failed(error.to_string()))?;
            let (index, text) = parsed.map_err(|error| {
                if let IndexError::Malformed(reason) = error {
                    return failed(reason);
                }
                failed(error.to_string())
            })?;
            ctx.sources.remember_index(&run.id, index);
            let tree = SourceTree {
                tree: EmptyTree::shared(),
                revision: revision.clone(),
                time: 0,
            };
            let file = format!("index-{}.yaml", digest.hex());
            let content = Content::Packed(text);
            ctx.sources
                .keep(run, revision.clone(), tree, &file, content, BTreeMap::new())
                .await?
        }
    };
    let (id, validator) = (&run.id, fetched.validator);
    let sources = &ctx.sources;
    sources.remember_fetched(id, address, revision.clone(), validator);
    Ok(found(revision, tree, artifact, &shown))
}

fn found(revision: String, tree: SourceTree, artifact: Artifact, shown: &str) -> Found {
    Found {
        tree,
        artifact: Some(artifact),
        verified: None,
        reason: reasons::SUCCEEDED,
        message: format!("stored artifact: revision '{revision}'"),
        news: format!("stored fetched index from '{shown}'"),
        observed: Vec::new(),
    }
}

/// Login and certificates of a repository of charts. Keys for TLS may stand in `secretRef`, too, as they once had to.
pub(super) async fn access(
    ctx: &Context,
    run: &Run,
    source: &HelmRepository,
) -> Result<Access, Problem> {
    let spec = &source.spec;
    let provider = spec.provider.unwrap_or(CloudProvider::Generic);
    let place = spec.url.strip_prefix("oci://");
    let host = place.unwrap_or_default().split('/').next();
    let host = host.unwrap_or_default();
    let mut client = ClientSpec::default();
    let mut login = None;
    let words = |name: &str| format!("failed to get authentication secret '{name}'");
    let secret = secret::read_saying(ctx, run, spec.secret_ref.as_ref(), words).await?;
    if let Some(secret) = secret {
        secret.tls(&mut client)?;
        login = secret.login().map_err(|half| {
            Problem::fetch(
                reasons::AUTHENTICATION_FAILED,
                format!("failed to detect authentication methods: {half}"),
            )
        })?;
        if login.is_none() && secret.has(&[".dockerconfigjson"]) {
            login = secret.docker()?.login(host).cloned();
        }
    } else if place.is_some() && provider != CloudProvider::Generic {
        if spec.insecure == Some(true) {
            return Err(Problem::stalled(
                reasons::AUTHENTICATION_FAILED,
                "the login of a cloud is sent over TLS only; leave out spec.insecure",
            ));
        }
        login = cloud::registry_login(ctx, run, provider, host, None).await?;
    }
    let certificates = spec.cert_secret_ref.as_ref();
    if certificates.is_some() {
        client = secret::client(ctx, run, certificates, None).await?;
    }
    Ok(Access { client, login })
}

fn problem(error: &SourceError) -> Problem {
    let message = format!(
        "failed to fetch Helm repository index: failed to cache index to temporary file: {error}"
    );
    match error {
        SourceError::Address { .. } => Problem::stalled(
            reasons::URL_INVALID,
            format!("invalid Helm repository URL: {error}"),
        ),
        SourceError::Client { .. } => Problem::fetch(reasons::AUTHENTICATION_FAILED, message),
        SourceError::Exchange { .. }
        | SourceError::Empty { .. }
        | SourceError::Reference { .. }
        | SourceError::Git { .. }
        | SourceError::TimedOut { .. }
        | SourceError::Cancelled { .. }
        | SourceError::Locked { .. }
        | SourceError::Cache { .. }
        | SourceError::Tree { .. }
        | SourceError::Folder { .. }
        | SourceError::Registry { .. } => Problem::fetch(reasons::FAILED, message),
    }
}
