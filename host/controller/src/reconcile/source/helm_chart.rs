//! Finds the chart that a HelmChart asks for: pulls it from a repository, or packs it out of a source's folder.

mod words;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use weir_api::names::reasons;
use weir_api::source::helm::{ChartSourceKind, ReconcileStrategy};
use weir_api::source::{HelmChart, HelmRepository};
use weir_render::{SourceId, SourceTree};
use weir_source::chart::{Changes, Folder, Package, PackageError, merge_values, with_metadata};
use weir_source::oci::{OciError, OciReference, Registry};
use weir_source::{ChartFound, ClientSpec, SourceError};
use weir_tree::{Digest, Tree};

use super::helm_repository::{self, Access};
use super::signature::{self, Signed};
use super::{Content, Found, Problem, TIMEOUT, limited, timeout};
use crate::node::{NodeId, NodeKind};
use crate::reconcile::{Context, Run};
use words::{
    NO_CHART, NO_VERSION, check_reference, failed_build, invalid, no_artifact, no_values, of_index,
    pull,
};

/// Flux's `--helm-chart-max-size`.
const MAX_CHART: u64 = 10 << 20;

/// The values that a chart has of its own.
const OWN_VALUES: &str = "values.yaml";

/// A chart, and what the status says of it.
struct Built {
    tree: SourceTree,
    artifact: super::Artifact,
    /// `pulled` or `packaged`.
    action: &'static str,
    name: String,
    values_files: Vec<String>,
    source_revision: String,
}

/// A chart before it is packed.
struct Origin {
    folder: Folder,
    /// As it was published.
    archive: Option<Bytes>,
    action: &'static str,
    source_revision: String,
}

pub(super) async fn find(ctx: &Context, run: &Run, source: &HelmChart) -> Result<Found, Problem> {
    let spec = &source.spec;
    let (built, verified) = match spec.source_ref.kind {
        ChartSourceKind::HelmRepository => from_repository(ctx, run, source).await?,
        ChartSourceKind::GitRepository | ChartSourceKind::Bucket => {
            if spec.verify.is_some() {
                return Err(unverifiable("only charts of a HelmRepository can be"));
            }
            (from_source(ctx, run, source).await?, None)
        }
    };
    let mut summary = format!(
        "{} '{}' chart with version '{}'",
        built.action, built.name, built.tree.revision
    );
    if !built.values_files.is_empty() {
        summary.push_str(&format!(
            " and merged values files [{}]",
            built.values_files.join(" ")
        ));
    }
    let lenient = spec.ignore_missing_values_files == Some(true);
    Ok(Found {
        tree: built.tree,
        artifact: Some(built.artifact),
        verified,
        reason: if built.action == "pulled" {
            reasons::CHART_PULL_SUCCEEDED
        } else {
            reasons::CHART_PACKAGE_SUCCEEDED
        },
        message: summary.clone(),
        news: summary,
        observed: vec![
            ("observedChartName", json!(built.name)),
            (
                "observedSourceArtifactRevision",
                if built.source_revision.is_empty() {
                    Value::Null
                } else {
                    json!(built.source_revision)
                },
            ),
            (
                "observedValuesFiles",
                if lenient && !built.values_files.is_empty() {
                    json!(built.values_files)
                } else {
                    Value::Null
                },
            ),
        ],
    })
}

/// A chart, and what the condition says of its signature.
async fn from_repository(
    ctx: &Context,
    run: &Run,
    source: &HelmChart,
) -> Result<(Built, Option<String>), Problem> {
    let spec = &source.spec;
    let id = NodeId::new(
        NodeKind::HelmRepository,
        &run.id.name.namespace,
        &spec.source_ref.name,
    );
    let repository = repository(ctx, &id).await?;
    let is_registry = repository.spec.url.starts_with("oci://");
    let revision = match run.sources.get(&source_id(&id)) {
        Some(tree) if !is_registry => tree.revision.clone(),
        Some(_) | None => String::new(),
    };
    if !is_registry && ctx.sources.index(&id).is_none() {
        return Err(no_artifact(&spec.source_ref.name, "HelmRepository"));
    }
    let found = from_known(ctx, run, source, &repository, &id, &revision).await;
    found.map_err(|problem| of_revision(problem, &revision))
}

/// What is wrong with a chart is wrong with that revision of its source.
fn of_revision(mut problem: Problem, revision: &str) -> Problem {
    if !revision.is_empty() {
        let field = "observedSourceArtifactRevision";
        problem.observed.push((field, revision.into()));
    }
    problem
}

async fn from_known(
    ctx: &Context,
    run: &Run,
    source: &HelmChart,
    repository: &HelmRepository,
    id: &NodeId,
    revision: &str,
) -> Result<(Built, Option<String>), Problem> {
    let spec = &source.spec;
    check_reference(&spec.chart)?;
    let access = helm_repository::access(ctx, run, repository).await?;
    let range = spec.version.as_deref().unwrap_or("*");
    let limit = timeout(repository.spec.timeout.as_ref())?;
    if let Some(path) = repository.spec.url.strip_prefix("oci://") {
        let registry = registry(ctx, repository, &access, path, &spec.chart)?;
        return limited(run, limit, "pulling the chart", async {
            let version = registry.chart_version(range).await.map_err(|error| {
                if let OciError::NoVersion { range, .. } = &error {
                    return pull(&format!(
                        "{NO_VERSION}: could not locate a version matching provided version string {range}: {error}"
                    ));
                }
                pull(&format!("{NO_VERSION}: {error}"))
            })?;
            let place = format!("{}/{}", path.trim_end_matches('/'), spec.chart);
            let verified = verify(ctx, run, source, &registry, &place, &version).await?;
            let key = format!("{version} {}", key(run, source));
            // What is pulled is what was verified, whatever the tag points to by then.
            let (reference, verified) = match verified {
                Some(Verified { digest, message }) => (digest, message),
                None => (version.clone(), None),
            };
            if let Some(made) = ctx.sources.made(&run.id, &key).await {
                return Ok((again(made, source, false, String::new())?, verified));
            }
            let archive = match left(ctx, run, source, &version).await {
                Some(archive) => archive,
                None => registry
                    .chart(&reference, MAX_CHART)
                    .await
                    .map_err(|error| {
                        pull(&format!(
                            "{NO_CHART}: failed to get 'oci://{place}:{}': {error}",
                            version.replace('+', "_")
                        ))
                    })?,
            };
            let built = pulled(ctx, run, source, key, version, archive, String::new()).await?;
            Ok((built, verified))
        })
        .await;
    }
    if spec.verify.is_some() {
        return Err(unverifiable(
            "only charts of a registry can be (a HelmRepository of type oci)",
        ));
    }
    let index = ctx.sources.index(id);
    let index = index.ok_or_else(|| no_artifact(&spec.source_ref.name, "HelmRepository"))?;
    let revision = revision.to_owned();
    let found = index
        .find(&spec.chart, range)
        .map_err(|error| invalid(&format!("{NO_VERSION}: {}", of_index(&error))))?;
    let key = format!("{} {:?} {}", found.version, found.digest, key(run, source));
    if let Some(made) = ctx.sources.made(&run.id, &key).await {
        return Ok((again(made, source, false, revision)?, None));
    }
    let archive = match left(ctx, run, source, &found.version).await {
        Some(archive) => archive,
        None => {
            limited(run, limit, "pulling the chart", async {
                download(ctx, repository, &access, &found).await
            })
            .await?
        }
    };
    let built = pulled(ctx, run, source, key, found.version, archive, revision).await?;
    Ok((built, None))
}

/// A version whose signature counts.
struct Verified {
    /// Of its manifest.
    digest: String,
    /// What the condition says; `None`: the signature was waived.
    message: Option<String>,
}

/// Looks at the signature of a version, if that is asked for.
async fn verify(
    ctx: &Context,
    run: &Run,
    source: &HelmChart,
    registry: &Registry,
    place: &str,
    version: &str,
) -> Result<Option<Verified>, Problem> {
    let Some(spec) = &source.spec.verify else {
        return Ok(None);
    };
    let tag = version.replace('+', "_");
    let digest = registry.digest(&tag).await;
    let digest = digest.map_err(|error| pull(&error.to_string()))?;
    let signed = Signed {
        registry,
        place,
        digest: &digest,
    };
    let verified = signature::verify(ctx, run, spec, signed).await;
    let verified = verified.map_err(|error| {
        signature::unverified(format!(
            "chart verification error: failed to verify oci://{place}:{tag}: {error}"
        ))
    })?;
    Ok(Some(Verified {
        message: verified.then(|| format!("verified signature of version {version}")),
        digest,
    }))
}

fn unverifiable(why: &str) -> Problem {
    signature::unverified(format!(
        "chart verification error: spec.verify is set, but {why} verified"
    ))
}

/// What decides whether a chart is made anew, beside its version.
fn key(run: &Run, source: &HelmChart) -> String {
    format!("{} {}", run.object.generation(), source.spec.chart)
}

/// What an earlier process made is as it was published, unless values files changed it.
async fn left(ctx: &Context, run: &Run, source: &HelmChart, version: &str) -> Option<Bytes> {
    if !source.spec.values_files.is_empty() {
        return None;
    }
    let (file, archive) = ctx.sources.left(run, version).await?;
    (file == file_name(base_name(&source.spec.chart), version)).then_some(archive)
}

async fn repository(ctx: &Context, id: &NodeId) -> Result<HelmRepository, Problem> {
    let unavailable = |what: String| {
        Problem::fetch(
            reasons::SOURCE_UNAVAILABLE,
            format!("failed to get source: {what}"),
        )
    };
    let object = ctx.cluster.get(&id.key()).await;
    let object = object.map_err(|error| unavailable(error.to_string()))?;
    let object = object.ok_or_else(|| {
        unavailable(format!(
            "HelmRepository.source.toolkit.fluxcd.io {:?} not found",
            id.name.name
        ))
    })?;
    serde_json::from_value(object.value().clone()).map_err(|error| unavailable(error.to_string()))
}

fn registry(
    ctx: &Context,
    repository: &HelmRepository,
    access: &Access,
    path: &str,
    chart: &str,
) -> Result<Registry, Problem> {
    let place = OciReference::parse(&format!("{}/{chart}", path.trim_end_matches('/')));
    let place = place.map_err(|error| {
        Problem::stalled(
            reasons::URL_INVALID,
            format!("invalid OCI registry URL: {error}"),
        )
    })?;
    let client = ctx.sources.http.client(&access.client).map_err(|error| {
        Problem::fetch(
            reasons::AUTHENTICATION_FAILED,
            format!("failed to construct Helm client: {error}"),
        )
    })?;
    let insecure = repository.spec.insecure == Some(true);
    Ok(Registry::new(client, &place, insecure).with_login(access.login.clone()))
}

/// A chart on another host gets no login, unless the repository says so.
async fn download(
    ctx: &Context,
    repository: &HelmRepository,
    access: &Access,
    found: &ChartFound,
) -> Result<Bytes, Problem> {
    let url = weir_source::chart_url(&repository.spec.url, &found.url)
        .map_err(|error| pull(&error.to_string()))?;
    let same = weir_source::same_host(&repository.spec.url, &url);
    let trusted = same || repository.spec.pass_credentials == Some(true);
    let login = access.login.as_ref().filter(|_| trusted);
    let client = if trusted {
        access.client.clone()
    } else {
        ClientSpec {
            identity: None,
            ..access.client.clone()
        }
    };
    let (_, archive) =
        weir_source::download_file(&ctx.sources.http, &client, url.as_str(), login, MAX_CHART)
            .await
            .map_err(|error| pull(&format!("{NO_CHART}: {error}")))?;
    let digest = Digest::of(&archive).hex();
    match &found.digest {
        Some(expected) if expected.strip_prefix("sha256:").unwrap_or(expected) != digest => {
            Err(pull(&format!(
                "the archive has the digest {digest}, but the index says {expected}; it was changed after it was published"
            )))
        }
        Some(_) | None => Ok(archive),
    }
}

async fn pulled(
    ctx: &Context,
    run: &Run,
    source: &HelmChart,
    key: String,
    version: String,
    archive: Bytes,
    source_revision: String,
) -> Result<Built, Problem> {
    let name = base_name(&source.spec.chart).to_owned();
    let package = Package::of_archive(&name, &version, archive.clone());
    let package = package.map_err(|error| pull(&error.to_string()))?;
    let chart = package.tree.clone();
    let folder = blocking(move || Folder::read(&*chart, "")).await?;
    let origin = Origin {
        folder,
        archive: Some(archive),
        action: "pulled",
        source_revision,
    };
    let tree = package.tree;
    build(ctx, run, source, key, origin, &*tree, String::new()).await
}

async fn from_source(ctx: &Context, run: &Run, source: &HelmChart) -> Result<Built, Problem> {
    let spec = &source.spec;
    let kind = spec.source_ref.kind.as_str();
    let namespace = run.id.name.namespace.clone();
    let id = SourceId::new(kind, namespace, spec.source_ref.name.clone());
    let tree = run.sources.get(&id).cloned();
    let tree = tree.ok_or_else(|| no_artifact(&spec.source_ref.name, kind))?;
    let built = from_tree(ctx, run, source, &tree).await;
    built.map_err(|problem| of_revision(problem, &tree.revision))
}

async fn from_tree(
    ctx: &Context,
    run: &Run,
    source: &HelmChart,
    tree: &SourceTree,
) -> Result<Built, Problem> {
    let spec = &source.spec;
    check_reference(&spec.chart)?;
    let key = format!("{} {}", tree.revision, key(run, source));
    if let Some(made) = ctx.sources.made(&run.id, &key).await {
        return again(made, source, true, tree.revision.clone());
    }
    let (files, path) = (tree.tree.clone(), spec.chart.clone());
    let folder = blocking(move || Folder::read(&*files, &path)).await?;
    let hash = tree.revision.rsplit(':').next().unwrap_or_default();
    let short: String = hash.chars().take(12).collect();
    let metadata = match spec.reconcile_strategy {
        Some(ReconcileStrategy::Revision) => short,
        Some(ReconcileStrategy::ChartVersion) | None => String::new(),
    };
    let origin = Origin {
        folder,
        archive: None,
        action: "packaged",
        source_revision: tree.revision.clone(),
    };
    build(ctx, run, source, key, origin, &*tree.tree, metadata).await
}

/// Puts the chart together. `files` is where values files are, `metadata` what the strategy adds to the version.
async fn build(
    ctx: &Context,
    run: &Run,
    source: &HelmChart,
    key: String,
    origin: Origin,
    files: &dyn Tree,
    mut metadata: String,
) -> Result<Built, Problem> {
    let spec = &source.spec;
    let Origin {
        folder,
        archive,
        mut action,
        source_revision,
    } = origin;
    let of_source = archive.is_none();
    let mut changes = Changes::default();
    let lenient = spec.ignore_missing_values_files == Some(true);
    let mut values_files = Vec::new();
    if !spec.values_files.is_empty() {
        let read = |path: &str| -> Result<_, PackageError> {
            Ok(files.read(&weir_source::chart::folder(path)?)?)
        };
        let merged = merge_values(&spec.values_files, lenient, read);
        let (values, used) = merged.map_err(|error| no_values(&error, of_source))?;
        // The chart's own values alone change nothing.
        if of_source || used != [OWN_VALUES] {
            changes.values = Some(values);
            action = "packaged";
            let generation = run.object.generation();
            if !metadata.is_empty() {
                metadata.push('.');
            }
            metadata.push_str(&generation.to_string());
            values_files = used;
        }
    }
    let name = folder.name.clone();
    let mut version = folder.version.clone();
    if !metadata.is_empty() {
        version = with_metadata(&version, &metadata);
        changes.metadata = Some(metadata);
    }
    let as_published = archive.filter(|_| changes.values.is_none());
    let package = match as_published {
        Some(archive) => Package::of_archive(&name, &version, archive),
        None => {
            if of_source {
                changes.dependencies = dependencies(ctx, run, &folder).await?;
            }
            let done = tokio::task::spawn_blocking(move || folder.package(changes)).await;
            done.map_err(|error| failed_build("ChartPackageError", &error.to_string()))?
        }
    };
    let package = package.map_err(|error| failed_build("ChartPackageError", &error.to_string()))?;
    let tree = SourceTree {
        tree: package.tree,
        revision: version.clone(),
        time: 0,
    };
    let file = file_name(&name, &version);
    let content = Content::Packed(package.archive);
    let (tree, artifact) = ctx
        .sources
        .keep(run, key, tree, &file, content, BTreeMap::new())
        .await?;
    Ok(Built {
        tree,
        artifact,
        action,
        name,
        values_files,
        source_revision,
    })
}

/// What is missing below `charts/`. A HelmRepository of the namespace with the same address lends its login.
async fn dependencies(ctx: &Context, run: &Run, folder: &Folder) -> Result<Vec<Package>, Problem> {
    let mut found = Vec::new();
    if folder.missing.is_empty() {
        return Ok(found);
    }
    let by = weir_cluster::Selection {
        namespace: run.id.name.namespace.clone(),
        ..weir_cluster::Selection::default()
    };
    let failed = |what: &str| failed_build("DependencyBuildError", what);
    let list = ctx.cluster.list(&NodeKind::HelmRepository.gvk(), &by).await;
    let list = list.map_err(|error| failed(&error.to_string()))?;
    let known: Vec<HelmRepository> = list
        .objects
        .iter()
        .filter_map(|object| serde_json::from_value(object.value().clone()).ok())
        .collect();
    for dependency in &folder.missing {
        let bad = |what: String| failed(&format!("the dependency {}: {what}", dependency.name));
        let url = dependency.repository.trim_end_matches('/');
        if !url.contains("://") {
            return Err(bad(format!(
                "its repository {url:?} is no address; write https://, oci:// or file://"
            )));
        }
        let repository = known
            .iter()
            .find(|one| one.spec.url.trim_end_matches('/') == url);
        let access = match repository {
            Some(repository) => helm_repository::access(ctx, run, repository).await?,
            None => Access {
                client: ClientSpec::default(),
                login: None,
            },
        };
        let fetched = limited(run, TIMEOUT, "fetching a dependency", async {
            weir_source::fetch_chart(
                &ctx.sources.http,
                weir_source::ChartPlace {
                    repository: url,
                    name: &dependency.name,
                    range: &dependency.version,
                    client: &access.client,
                    login: access.login.as_ref(),
                    insecure: repository.is_some_and(|one| one.spec.insecure == Some(true)),
                    limit: MAX_CHART,
                },
            )
            .await
            .map_err(|error: SourceError| bad(error.to_string()))
        })
        .await?;
        let (version, archive) = fetched;
        let package = Package::of_archive(&dependency.name, &version, archive);
        found.push(package.map_err(|error| bad(error.to_string()))?);
    }
    Ok(found)
}

/// Nothing changed since the chart was made, out of a source's folder or of an archive.
fn again(
    made: (SourceTree, super::Artifact),
    source: &HelmChart,
    of_source: bool,
    source_revision: String,
) -> Result<Built, Problem> {
    let (tree, artifact) = made;
    let status = source.status.clone().unwrap_or_default();
    let name = status
        .observed_chart_name
        .unwrap_or_else(|| base_name(&source.spec.chart).to_owned());
    let mut values_files = if source.spec.ignore_missing_values_files == Some(true) {
        status.observed_values_files
    } else {
        source.spec.values_files.clone()
    };
    if !of_source && values_files == [OWN_VALUES] {
        values_files.clear();
    }
    let action = match of_source || !values_files.is_empty() {
        true => "packaged",
        false => "pulled",
    };
    Ok(Built {
        tree,
        artifact,
        action,
        name,
        values_files,
        source_revision,
    })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PackageError> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| invalid(&error.to_string()))?
        .map_err(|error| {
            let words = error.to_string();
            if matches!(error, PackageError::Dependency { .. }) {
                return failed_build("DependencyBuildError", &words);
            }
            // flux: its own loader quotes the name of the file.
            invalid(&words.replacen("cannot load Chart.yaml:", "cannot load 'Chart.yaml':", 1))
        })
}

fn source_id(id: &NodeId) -> SourceId {
    SourceId::of(id.kind.as_str(), id.name.clone())
}

fn file_name(name: &str, version: &str) -> String {
    format!("{name}-{version}.tgz")
}

fn base_name(chart: &str) -> &str {
    chart
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or(chart)
}

#[cfg(test)]
mod tests {
    use super::base_name;

    #[test]
    fn the_last_part_of_a_path_is_the_name() {
        assert_eq!(base_name("./charts/web/"), "web");
        assert_eq!(base_name("web"), "web");
    }
}
