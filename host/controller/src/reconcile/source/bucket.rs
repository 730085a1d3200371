//! Finds the files of a Bucket.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use weir_api::names::reasons;
use weir_api::source::Bucket;
use weir_api::source::helm::CloudProvider;
use weir_render::SourceTree;
use weir_secrets::cloud::aws::Credentials;
use weir_source::bucket::{self, BucketError, BucketSpec};
use weir_source::pack;
use weir_tree::{ArchiveLimits, TarTree};

use super::{Content, Found, Problem, limited, secret, timeout};
use crate::reconcile::{Context, Run};

/// The most bytes of all objects together.
const MAX_BYTES: u64 = 1 << 30;
/// Of servers that know no regions.
const REGION: &str = "us-east-1";

pub(super) async fn find(ctx: &Context, run: &Run, source: &Bucket) -> Result<Found, Problem> {
    if let Some(field) = unsupported(source) {
        return Err(Problem::unsupported(field));
    }
    let limit = timeout(source.spec.timeout.as_ref())?;
    let bucket = open(ctx, run, source).await?;
    limited(run, limit, "reading the bucket", async {
        fetch(ctx, run, source, &bucket).await
    })
    .await
}

fn unsupported(source: &Bucket) -> Option<&'static str> {
    let spec = &source.spec;
    let provider = spec.provider.unwrap_or(CloudProvider::Generic);
    let s3 = provider == CloudProvider::Generic
        || provider == CloudProvider::Aws && spec.secret_ref.is_some();
    let fields = [
        ("spec.provider", !s3),
        ("spec.sts", spec.sts.is_some()),
        (
            "spec.serviceAccountName",
            spec.service_account_name.is_some(),
        ),
    ];
    fields.iter().find(|(_, set)| *set).map(|(field, _)| *field)
}

async fn open(ctx: &Context, run: &Run, source: &Bucket) -> Result<bucket::Bucket, Problem> {
    let spec = &source.spec;
    let keys = match secret::read(ctx, run, spec.secret_ref.as_ref()).await? {
        Some(secret) => match (secret.text("accesskey"), secret.secret("secretkey")) {
            (Some(id), Some(key)) => Some(Credentials {
                id: id.to_owned(),
                secret: key.expose().into(),
                session: None,
            }),
            _ => return Err(secret.invalid("'accesskey' and 'secretkey' are required")),
        },
        None => None,
    };
    let (certificates, proxy) = (
        spec.cert_secret_ref.as_ref(),
        spec.proxy_secret_ref.as_ref(),
    );
    let client = secret::client(ctx, run, certificates, proxy).await?;
    let client = ctx
        .sources
        .http
        .client(&client)
        .map_err(|error| Problem::fetch(reasons::AUTHENTICATION_FAILED, error.to_string()))?;
    let spec = BucketSpec {
        endpoint: spec.endpoint.clone(),
        insecure: spec.insecure == Some(true),
        bucket: spec.bucket_name.clone(),
        region: spec
            .region
            .clone()
            .filter(|region| !region.is_empty())
            .unwrap_or_else(|| REGION.to_owned()),
        prefix: spec.prefix.clone().unwrap_or_default(),
        keys,
        ignore: spec.ignore.clone(),
        limit: MAX_BYTES,
    };
    bucket::Bucket::new(client, spec)
        .map_err(|error| Problem::stalled(reasons::URL_INVALID, error.to_string()))
}

async fn fetch(
    ctx: &Context,
    run: &Run,
    source: &Bucket,
    bucket: &bucket::Bucket,
) -> Result<Found, Problem> {
    let failed = |error: String| Problem::fetch(reasons::BUCKET_OPERATION_FAILED, error);
    let listing = bucket
        .list()
        .await
        .map_err(|error: BucketError| failed(error.to_string()))?;
    let revision = listing.revision.clone();
    let name = &source.spec.bucket_name;
    let key = format!("{revision} {:?}", source.spec.ignore);
    let (tree, artifact, news) = match ctx.sources.made(&run.id, &key).await {
        Some((tree, artifact)) => {
            let news = format!("stored artifact with revision '{revision}' from '{name}' bucket");
            (tree, artifact, news)
        }
        None => {
            let fetched = bucket
                .fetch(&listing)
                .await
                .map_err(|error| failed(error.to_string()))?;
            let files = fetched.files;
            let work = move || -> Result<_, weir_tree::TreeError> {
                let packed = pack(&*fetched.tree)?;
                // What is kept in memory is one block instead of many.
                let tree = TarTree::read_from(&*packed, ArchiveLimits::default())?;
                Ok((packed, tree))
            };
            let packed = tokio::task::spawn_blocking(work).await;
            let packed = packed.map_err(|error| failed(error.to_string()))?;
            let (packed, tree) = packed.map_err(|error| failed(error.to_string()))?;
            let tree = SourceTree {
                tree: Arc::new(tree),
                revision: revision.clone(),
                time: 0,
            };
            let hash = revision.rsplit(':').next().unwrap_or_default();
            let file = format!("{hash}.tar.gz");
            let content = Content::Packed(packed);
            let (tree, artifact) = ctx
                .sources
                .keep(run, key, tree, &file, content, BTreeMap::new())
                .await?;
            let news = format!("stored artifact with {files} fetched files from '{name}' bucket");
            (tree, artifact, news)
        }
    };
    Ok(Found {
        tree,
        artifact: Some(artifact),
        verified: None,
        reason: reasons::SUCCEEDED,
        message: format!("stored artifact: revision '{revision}'"),
        news,
        observed: vec![("observedIgnore", json!(source.spec.ignore))],
    })
}
