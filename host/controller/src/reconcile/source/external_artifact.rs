//! Reads what another controller has made: the artifact that stands in the status of an ExternalArtifact.

use std::sync::Arc;

use weir_api::names::reasons;
use weir_api::source::ExternalArtifact;
use weir_render::SourceTree;
use weir_source::ClientSpec;
use weir_tree::{ArchiveLimits, Digest, TarTree, without_links};

use super::{Found, Problem, TIMEOUT, limited};
use crate::reconcile::{Context, Run};

/// The most bytes of an artifact.
const MAX_ARTIFACT: u64 = 256 << 20;

pub(super) async fn find(
    ctx: &Context,
    run: &Run,
    source: &ExternalArtifact,
) -> Result<Found, Problem> {
    let artifact = source
        .status
        .as_ref()
        .and_then(|status| status.artifact.clone());
    let Some(artifact) = artifact else {
        return Err(Problem::stalled(
            reasons::ARTIFACT_FAILED,
            "nobody has written an artifact into its status yet",
        ));
    };
    let failed = |reason: String| Problem::fetch(reasons::ARTIFACT_FAILED, reason);
    let (_, content) = limited(run, TIMEOUT, "fetching the artifact", async {
        let client = ClientSpec::default();
        weir_source::download_file(
            &ctx.sources.http,
            &client,
            &artifact.url,
            None,
            MAX_ARTIFACT,
        )
        .await
        .map_err(|error| failed(error.to_string()))
    })
    .await?;
    let found = Digest::of(&content).to_string();
    let expected = artifact.digest.clone().unwrap_or_default();
    if found != expected {
        return Err(failed(format!(
            "the artifact at {} has the digest {found}, but its status says {expected:?}",
            artifact.url
        )));
    }
    let tree = tokio::task::spawn_blocking(move || {
        TarTree::read_from(&*content, ArchiveLimits::default())
    })
    .await;
    let tree = tree.map_err(|error| failed(error.to_string()))?;
    let tree = tree.map_err(|error| failed(error.to_string()))?;
    let time = artifact.last_update_time.parse::<jiff::Timestamp>();
    Ok(Found {
        news: format!("fetched artifact of revision '{}'", artifact.revision),
        message: String::new(),
        reason: reasons::SUCCEEDED,
        tree: SourceTree {
            tree: Arc::new(without_links(tree)),
            revision: artifact.revision,
            time: time.map_or(0, |time| u64::try_from(time.as_second()).unwrap_or(0)),
        },
        artifact: None,
        verified: None,
        observed: Vec::new(),
    })
}
