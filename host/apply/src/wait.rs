//! Waits for objects: for a stage to settle, for an object to go, for health.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use weir_api::ObjectKey;
use weir_cluster::{Cluster, ClusterError};

use crate::health::{Health, health};

/// How long a stage may take until the next one starts.
const SETTLE: Duration = Duration::from_secs(60);
const GONE: Duration = Duration::from_secs(60);
/// The first pause between two looks; later ones grow up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What has to be healthy.
#[derive(Clone, Debug)]
pub struct HealthRequest {
    pub objects: Vec<ObjectKey>,
    pub timeout: Duration,
}

/// Why objects are not healthy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HealthError {
    #[error("failed early due to stalled resources: [{0}]")]
    Failed(String),
    #[error("timeout waiting for: [{0}]")]
    Timeout(String),
    #[error("can't determine status for {0}")]
    Unknown(String),
    #[error("cancelled")]
    Cancelled,
}

/// Waits until all objects are current; the first failed one ends it.
pub async fn wait_until_healthy(
    cluster: &dyn Cluster,
    request: &HealthRequest,
    cancel: &CancellationToken,
) -> Result<(), HealthError> {
    let deadline = Instant::now() + request.timeout;
    let mut pause = FIRST_PAUSE;
    let mut waiting: BTreeMap<ObjectKey, Health> = request
        .objects
        .iter()
        .map(|key| (key.clone(), Health::in_progress("not looked at yet")))
        .collect();
    loop {
        for (key, status) in &mut waiting {
            *status = match cluster.get(key).await {
                Ok(Some(object)) => health(&object),
                Ok(None) => Health::NotFound,
                Err(ClusterError::Unavailable { message }) => Health::InProgress(message),
                Err(error) => return Err(HealthError::Unknown(format!("{key}: {error}"))),
            };
        }
        waiting.retain(|_, status| *status != Health::Current);
        if waiting.is_empty() {
            return Ok(());
        }
        let failed = show(
            waiting
                .iter()
                .filter(|(_, status)| matches!(status, Health::Failed(_))),
        );
        if !failed.is_empty() {
            return Err(HealthError::Failed(failed));
        }
        if Instant::now() >= deadline {
            return Err(HealthError::Timeout(show(waiting.iter())));
        }
        pause_or_cancel(&mut pause, cancel)
            .await
            .map_err(|()| HealthError::Cancelled)?;
    }
}

/// Waits until definitions and classes can be used by what comes after them.
pub(crate) async fn settle(
    cluster: &dyn Cluster,
    keys: &[ObjectKey],
    cancel: &CancellationToken,
) -> Result<(), String> {
    let request = HealthRequest {
        objects: keys.to_vec(),
        timeout: SETTLE,
    };
    wait_until_healthy(cluster, &request, cancel)
        .await
        .map_err(|error| error.to_string())
}

/// Waits until a deleted object is gone.
pub(crate) async fn until_gone(cluster: &dyn Cluster, key: &ObjectKey) -> Result<(), ClusterError> {
    let deadline = Instant::now() + GONE;
    let mut pause = FIRST_PAUSE;
    while cluster.get(key).await?.is_some() {
        if Instant::now() >= deadline {
            let message = format!(
                "{key} was still there {} s after its deletion",
                GONE.as_secs()
            );
            return Err(ClusterError::Unavailable { message });
        }
        let never = CancellationToken::new();
        let _ = pause_or_cancel(&mut pause, &never).await;
    }
    Ok(())
}

async fn pause_or_cancel(pause: &mut Duration, cancel: &CancellationToken) -> Result<(), ()> {
    tokio::select! {
        () = tokio::time::sleep(*pause) => {}
        () = cancel.cancelled() => return Err(()),
    }
    *pause = (*pause * 2).min(LONGEST_PAUSE);
    Ok(())
}

fn show<'a>(waiting: impl Iterator<Item = (&'a ObjectKey, &'a Health)>) -> String {
    waiting
        .map(|(key, status)| format!("{key} status: '{}'{}", status.name(), status.detail()))
        .collect::<Vec<_>>()
        .join(", ")
}
