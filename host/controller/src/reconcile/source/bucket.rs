//! Finds the files of a Bucket.

mod access;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use weir_api::names::reasons;
use weir_api::source::Bucket;
use weir_api::source::helm::CloudProvider;
use weir_render::SourceTree;
use weir_source::bucket::{self, BucketError, BucketSpec};
use weir_source::pack;
use weir_tree::{ArchiveLimits, TarTree};

use super::{Content, Found, Problem, limited, secret, timeout};
use crate::reconcile::{Context, Run};

/// The most bytes of all objects together.
const MAX_BYTES: u64 = 1 << 30;

pub(super) async fn find(ctx: &Context, run: &Run, source: &Bucket) -> Result<Found, Problem> {
    let provider = source.spec.provider.unwrap_or(CloudProvider::Generic);
    if provider != CloudProvider::Generic && source.spec.service_account_name.is_some() {
        return Err(Problem::own_identity());
    }
    access::check_sts(source)?;
    let limit = timeout(source.spec.timeout.as_ref())?;
    limited(run, limit, "reading the bucket", async {
        let bucket = open(ctx, run, source).await?;
        fetch(ctx, run, source, &bucket).await
    })
    .await
}

async fn open(ctx: &Context, run: &Run, source: &Bucket) -> Result<bucket::Bucket, Problem> {
    let spec = &source.spec;
    let provider = spec.provider.unwrap_or(CloudProvider::Generic);
    // flux: authorities of the object's own are not for clouds that have public certificates.
    let own = matches!(provider, CloudProvider::Generic | CloudProvider::Aws);
    let certificates = spec.cert_secret_ref.as_ref().filter(|_| own);
    let mut client = secret::client(ctx, run, certificates, spec.proxy_secret_ref.as_ref()).await?;
    let access = access::access(ctx, run, source, client.proxy.as_ref()).await?;
    client.redirects = access::redirects(&access);
    client.bodies = access::bodies(&access);
    let client = ctx
        .sources
        .http
        .client(&client)
        .map_err(|error| Problem::fetch(reasons::AUTHENTICATION_FAILED, error.to_string()))?;
    let spec = BucketSpec {
        endpoint: spec.endpoint.clone(),
        insecure: spec.insecure == Some(true),
        bucket: spec.bucket_name.clone(),
        prefix: spec.prefix.clone().unwrap_or_default(),
        access,
        ignore: spec.ignore.clone(),
        limit: MAX_BYTES,
    };
    bucket::Bucket::new(client, spec).map_err(|error| {
        if matches!(error, BucketError::PlainToken) {
            return Problem::fetch(reasons::BUCKET_OPERATION_FAILED, error.to_string());
        }
        Problem::stalled(reasons::URL_INVALID, error.to_string())
    })
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
