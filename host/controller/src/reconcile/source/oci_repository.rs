//! Finds the artifact of an OCIRepository.

use std::sync::Arc;

use bytes::Bytes;
use regex::Regex;
use serde_json::{Value, json};
use weir_api::names::{conditions, reasons};
use weir_api::reference::LocalObjectReference;
use weir_api::source::OCIRepository;
use weir_api::source::helm::CloudProvider;
use weir_api::source::oci::LayerOperation;
use weir_api::{Gvk, ObjectKey};
use weir_render::SourceTree;
use weir_source::oci::{Descriptor, Manifest, OciError, OciReference, Registry};
use weir_source::{Login, ProxySpec, pack};
use weir_tree::{
    ArchiveLimits, EmptyTree, IgnoreRules, OverlayTree, TarTree, Tree, TreePath, ignored,
    without_links,
};

use super::signature::{self, Signed};
use super::{Content, Found, Problem, cloud, limited, secret, timeout};
use crate::reconcile::{Context, Run};

/// The most bytes of a layer.
const MAX_LAYER: u64 = 256 << 20;
const CREATED: &str = "org.opencontainers.image.created";
const ORIGIN: &str = "org.opencontainers.image.source";
const ORIGIN_REVISION: &str = "org.opencontainers.image.revision";

pub(super) async fn find(
    ctx: &Context,
    run: &Run,
    source: &OCIRepository,
) -> Result<Found, Problem> {
    let limit = timeout(source.spec.timeout.as_ref())?;
    limited(run, limit, "reading the registry", async {
        let registry = registry(ctx, run, source).await?;
        from_registry(ctx, run, source, &registry).await
    })
    .await
}

async fn from_registry(
    ctx: &Context,
    run: &Run,
    source: &OCIRepository,
    registry: &Registry,
) -> Result<Found, Problem> {
    let spec = &source.spec;
    let (tag, digest) = resolve(source, registry).await?;
    let revision = match &tag {
        Some(tag) => format!("{tag}@{digest}"),
        None => digest.clone(),
    };
    let verified = verify(ctx, run, source, registry, &revision, &digest).await?;
    let key = format!("{revision} {:?} {:?}", spec.ignore, spec.layer_selector);
    if let Some((tree, artifact)) = ctx.sources.made(&run.id, &key).await {
        let news = news(&spec.url, &revision, None);
        return Ok(found(source, tree, artifact, verified, news));
    }
    let pull = |error: OciError| {
        Problem::fetch(
            reasons::OCI_PULL_FAILED,
            format!("failed to pull artifact from '{}': {error}", spec.url),
        )
    };
    let place = spec.url.strip_prefix("oci://").unwrap_or(&spec.url);
    let asked = match &tag {
        Some(tag) => format!("{place}:{tag}"),
        None => format!("{place}@{digest}"),
    };
    let progress = format!("new revision '{revision}' for '{asked}'");
    let pull = |error: OciError| pull(error).after(progress.clone());
    let manifest = registry.manifest(&digest).await.map_err(pull)?;
    let time = created(&manifest);
    let news = news(&spec.url, &revision, Some(&manifest));
    let copy =
        spec.layer_selector.as_ref().and_then(|one| one.operation) == Some(LayerOperation::Copy);
    // What an earlier process left needs no download.
    let content = match ctx.sources.left(run, &revision).await {
        Some((_, content)) => content,
        None => {
            let layer = layer(source, &manifest);
            let layer = layer.map_err(|problem| problem.after(progress.clone()))?;
            let blob = registry.blob(layer, MAX_LAYER).await.map_err(pull)?;
            if copy {
                blob
            } else {
                let extracted = extract(blob, spec.ignore.clone()).await;
                extracted.map_err(|problem| problem.after(progress.clone()))?
            }
        }
    };
    let file = format!("{digest}.tar.gz");
    let read = content.clone();
    let name = file.clone();
    let tree = tokio::task::spawn_blocking(move || open(&read, &name)).await;
    let layer_failed = |reason: String| {
        Problem::fetch(
            reasons::OCI_LAYER_FAILED,
            format!("failed to extract layer contents from artifact: {reason}"),
        )
    };
    let tree = tree.map_err(|error| layer_failed(error.to_string()))?;
    let tree = SourceTree {
        tree: tree.map_err(layer_failed)?,
        revision,
        time,
    };
    let content = Content::Packed(content);
    let (tree, artifact) = ctx
        .sources
        .keep(run, key, tree, &file, content, manifest.annotations)
        .await?;
    Ok(found(source, tree, artifact, verified, news))
}

/// What the condition says of the signature, if it was asked for and not waived.
async fn verify(
    ctx: &Context,
    run: &Run,
    source: &OCIRepository,
    registry: &Registry,
    revision: &str,
    digest: &str,
) -> Result<Option<String>, Problem> {
    let Some(spec) = &source.spec.verify else {
        return Ok(None);
    };
    if let Some(message) = signature::known(run, revision) {
        return Ok(Some(message));
    }
    let url = &source.spec.url;
    let signed = Signed {
        registry,
        place: url.strip_prefix("oci://").unwrap_or(url),
        digest,
    };
    let verified = signature::verify(ctx, run, spec, signed).await;
    let verified = verified.map_err(signature::unverified)?;
    Ok(verified.then(|| format!("verified signature of revision {revision}")))
}

fn found(
    source: &OCIRepository,
    tree: SourceTree,
    artifact: super::Artifact,
    verified: Option<String>,
    news: String,
) -> Found {
    let spec = &source.spec;
    Found {
        reason: reasons::SUCCEEDED,
        message: format!("stored artifact for digest '{}'", tree.revision),
        news,
        tree,
        artifact: Some(artifact),
        verified,
        observed: vec![
            ("observedIgnore", json!(spec.ignore)),
            (
                "observedLayerSelector",
                spec.layer_selector
                    .as_ref()
                    .map_or(Value::Null, |selector| json!(selector)),
            ),
        ],
    }
}

async fn registry(ctx: &Context, run: &Run, source: &OCIRepository) -> Result<Registry, Problem> {
    let spec = &source.spec;
    let invalid = |reason: String| {
        Problem::stalled(
            reasons::URL_INVALID,
            format!("URL validation failed for '{}': {reason}", spec.url),
        )
    };
    let place = spec.url.strip_prefix("oci://").unwrap_or(&spec.url);
    let place = OciReference::parse(place).map_err(|error| invalid(error.to_string()))?;
    if let Some(tag) = &place.tag {
        let repository = format!("{}:{tag}", place.repository);
        return Err(invalid(format!(
            "repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: {repository}; URL must not contain a tag; remove ':{tag}'"
        )));
    }
    let (certificates, proxy) = (
        spec.cert_secret_ref.as_ref(),
        spec.proxy_secret_ref.as_ref(),
    );
    let client = secret::client(ctx, run, certificates, proxy).await?;
    let login = login(ctx, run, source, place.registry(), client.proxy.as_ref()).await?;
    let client = ctx.sources.http.client(&client).map_err(|error| {
        Problem::fetch(
            reasons::AUTHENTICATION_FAILED,
            format!("failed to generate transport for '{}': {error}", spec.url),
        )
    })?;
    let insecure = spec.insecure == Some(true);
    Ok(Registry::new(client, &place, insecure).with_login(login))
}

/// From `secretRef`, else from the pull secrets of the service account, else of the cloud.
async fn login(
    ctx: &Context,
    run: &Run,
    source: &OCIRepository,
    host: &str,
    proxy: Option<&ProxySpec>,
) -> Result<Option<Login>, Problem> {
    let spec = &source.spec;
    let provider = spec.provider.unwrap_or(CloudProvider::Generic);
    let words = |name: &str| format!("failed to get credential: failed to get secret '{name}'");
    let secret = secret::read_saying(ctx, run, spec.secret_ref.as_ref(), words).await?;
    if let Some(secret) = secret {
        return Ok(secret.docker()?.login(host).cloned());
    }
    let Some(account) = &spec.service_account_name else {
        let refuse = |what: &str| Err(Problem::stalled(reasons::AUTHENTICATION_FAILED, what));
        if provider != CloudProvider::Generic && spec.insecure == Some(true) {
            return refuse("the login of a cloud is sent over TLS only; leave out spec.insecure");
        }
        if provider != CloudProvider::Generic && proxy.is_some() && spec.cert_secret_ref.is_some() {
            // Together they could play the cloud.
            return refuse(
                "the login of a cloud is not sent through a proxy with certificates of the object's own; leave out spec.certSecretRef or spec.proxySecretRef",
            );
        }
        return cloud::registry_login(ctx, run, provider, host, proxy.cloned()).await;
    };
    let namespace = run.id.name.namespace.clone();
    let failed = |what: String| {
        Problem::fetch(
            reasons::AUTHENTICATION_FAILED,
            format!("failed to get credential: {what}"),
        )
    };
    let key = ObjectKey::new(Gvk::new("", "v1", "ServiceAccount"), namespace, account);
    let object = ctx.cluster.get(&key).await;
    let object = object.map_err(|error| failed(error.to_string()))?;
    let object = object.ok_or_else(|| {
        failed(format!(
            "serviceaccount '{}/{account}' not found",
            run.id.name.namespace
        ))
    })?;
    let secrets = object.get("/imagePullSecrets").and_then(Value::as_array);
    if provider != CloudProvider::Generic && secrets.is_none_or(Vec::is_empty) {
        return Err(Problem {
            // flux: unlike for other kinds.
            condition: conditions::READY,
            ..Problem::own_identity()
        });
    }
    for one in secrets.into_iter().flatten() {
        let Some(name) = one.get("name").and_then(Value::as_str) else {
            continue;
        };
        let reference = LocalObjectReference {
            name: name.to_owned(),
        };
        let Some(secret) = secret::read(ctx, run, Some(&reference)).await? else {
            continue;
        };
        if let Some(login) = secret.docker()?.login(host) {
            return Ok(Some(login.clone()));
        }
    }
    Ok(None)
}

/// The tag, if one was looked for, and the digest that counts. A digest goes before a range, and that before a tag.
async fn resolve(
    source: &OCIRepository,
    registry: &Registry,
) -> Result<(Option<String>, String), Problem> {
    let url = &source.spec.url;
    let reference = source.spec.reference.clone().unwrap_or_default();
    let undetermined = |error: String| {
        Problem::fetch(
            reasons::READ_OPERATION_FAILED,
            format!("failed to determine the artifact tag for '{url}': {error}"),
        )
    };
    if let Some(digest) = reference.digest {
        check_digest(&digest).map_err(|reason| {
            Problem::fetch(
                reasons::OCI_PULL_FAILED,
                format!("failed to determine artifact digest: {reason}"),
            )
        })?;
        return Ok((None, digest));
    }
    let tag = match reference.semver {
        Some(range) => {
            let filter = reference.semver_filter.as_deref().map(Regex::new);
            let filter = filter
                .transpose()
                .map_err(|error| undetermined(format!("spec.ref.semverFilter: {error}")))?;
            let tag = registry.latest_tag(&range, filter.as_ref()).await;
            tag.map_err(|error| match error {
                OciError::NoVersion { range, .. } => {
                    undetermined(format!("no match found for semver: {range}"))
                }
                OciError::Range { range, source } => {
                    undetermined(format!("semver '{range}' parse error: {source}"))
                }
                OciError::Connection { .. }
                | OciError::Status { .. }
                | OciError::Unauthorized(_)
                | OciError::Body { .. }
                | OciError::Malformed { .. }
                | OciError::Digest { .. }
                | OciError::NoChart(_)
                | OciError::TooManyTags => undetermined(error.to_string()),
            })?
        }
        None => reference.tag.unwrap_or_else(|| "latest".to_owned()),
    };
    let digest = registry.digest(&tag).await.map_err(|error| {
        Problem::fetch(
            reasons::OCI_PULL_FAILED,
            format!("failed to determine artifact digest: {error}"),
        )
    })?;
    Ok((Some(tag), digest))
}

fn check_digest(digest: &str) -> Result<(), String> {
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return Err(format!("cannot parse hash: {digest:?}"));
    };
    if algorithm != "sha256" {
        return Err(format!("unsupported hash: {algorithm:?}"));
    }
    if hex.len() != 64 {
        return Err(format!("wrong number of hex digits for {algorithm}: {hex}"));
    }
    if !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!("found non-hex character in hash: {hex}"));
    }
    Ok(())
}

fn layer<'a>(source: &OCIRepository, manifest: &'a Manifest) -> Result<&'a Descriptor, Problem> {
    let failed = |reason: String| Problem::fetch(reasons::OCI_LAYER_FAILED, reason);
    let wanted = source
        .spec
        .layer_selector
        .as_ref()
        .and_then(|selector| selector.media_type.as_deref())
        .filter(|wanted| !wanted.is_empty());
    let found = match wanted {
        Some(wanted) => manifest
            .layers
            .iter()
            .find(|layer| layer.media_type == wanted),
        None => manifest.layers.first(),
    };
    found.ok_or_else(|| {
        failed(match wanted {
            Some(wanted) => {
                format!("failed to find layer with media type '{wanted}' in artifact")
            }
            None => "no layers found in artifact".to_owned(),
        })
    })
}

/// The layer packed anew, without links and what is ignored.
async fn extract(blob: Bytes, ignore: Option<String>) -> Result<Bytes, Problem> {
    let work = move || -> Result<Bytes, String> {
        // flux: a layer that is not compressed is no artifact.
        if !blob.starts_with(&[0x1f, 0x8b]) {
            return Err("requires gzip-compressed body: gzip: invalid header".to_owned());
        }
        let tree = TarTree::read_as_flux(&*blob, ArchiveLimits::default())
            .map_err(|error| error.to_string())?;
        let rules =
            IgnoreRules::load(&tree, ignore.as_deref()).map_err(|error| error.to_string())?;
        pack(&ignored(tree, rules)).map_err(|error| error.to_string())
    };
    let done = tokio::task::spawn_blocking(work).await;
    let failed = |reason: String| {
        Problem::fetch(
            reasons::OCI_LAYER_FAILED,
            format!("failed to extract layer contents from artifact: {reason}"),
        )
    };
    done.map_err(|error| failed(error.to_string()))?
        .map_err(failed)
}

/// The archive as a tree. What is no archive is a tree with that one file.
fn open(content: &Bytes, file: &str) -> Result<Arc<dyn Tree>, String> {
    if content.starts_with(&[0x1f, 0x8b])
        && let Ok(tree) = TarTree::read_from(&**content, ArchiveLimits::default())
    {
        return Ok(Arc::new(without_links(tree)));
    }
    let mut overlay = OverlayTree::on(EmptyTree::shared());
    let path = TreePath::parse(file).map_err(|error| error.to_string())?;
    overlay
        .file(&path, content.clone())
        .map_err(|error| error.to_string())?;
    let tree = overlay.finish().map_err(|error| error.to_string())?;
    Ok(Arc::new(tree))
}

fn created(manifest: &Manifest) -> u64 {
    let time = manifest.annotations.get(CREATED);
    let time = time.and_then(|time| time.parse::<jiff::Timestamp>().ok());
    time.and_then(|time| u64::try_from(time.as_second()).ok())
        .unwrap_or(0)
}

fn news(url: &str, revision: &str, manifest: Option<&Manifest>) -> String {
    let mut text = format!("stored artifact with revision '{revision}' from '{url}'");
    let annotation = |name: &str| manifest.and_then(|one| one.annotations.get(name));
    if let Some(origin) = annotation(ORIGIN) {
        text.push_str(&format!(", origin source '{origin}'"));
    }
    if let Some(origin) = annotation(ORIGIN_REVISION) {
        text.push_str(&format!(", origin revision '{origin}'"));
    }
    text
}
