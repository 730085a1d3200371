//! Follows the objects of one kind: one list, then a watch, and again from the start when the watch breaks.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use weir_api::kustomize::ConfigKind;
use weir_api::{Gvk, Object};
use weir_cluster::{Cluster, ClusterError, Detail, Selection, WatchEvent};

use crate::node::NodeKind;

/// After a failure the next try comes later and later, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A kind of objects that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Watched {
    Node(NodeKind),
    /// ConfigMaps or Secrets: which there are and when they change, without what is in them.
    Input(ConfigKind),
}

impl Watched {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let inputs = [ConfigKind::ConfigMap, ConfigKind::Secret].map(Self::Input);
        NodeKind::ALL.into_iter().map(Self::Node).chain(inputs)
    }

    pub(crate) fn gvk(self) -> Gvk {
        match self {
            Self::Node(kind) => kind.gvk(),
            Self::Input(kind) => kind.gvk(),
        }
    }

    /// Whether an answer means that there is nothing of the kind so far: its CRD is not there yet, or nobody lets us look.
    /// (Without the right to list Secrets, units are not told when one changes; the rest goes on.)
    pub(crate) fn nothing_yet(self, error: &ClusterError) -> bool {
        match self {
            Self::Node(_) => matches!(error, ClusterError::NoKind(_)),
            Self::Input(_) => matches!(
                error,
                ClusterError::NoKind(_) | ClusterError::Forbidden { .. }
            ),
        }
    }

    pub(crate) fn detail(self) -> Detail {
        match self {
            Self::Node(_) => Detail::Whole,
            Self::Input(_) => Detail::Metadata,
        }
    }
}

/// What a watch tells the engine.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Everything there is of a kind; what is not in it is gone.
    All(Watched, Vec<Object>),
    Set(Object),
    Deleted(Object),
}

/// Runs until cancelled or until nobody listens. The channel is bounded: when it is full the watch waits, and what the
/// server then drops is listed again.
pub(crate) async fn follow(
    cluster: Arc<dyn Cluster>,
    kind: Watched,
    by: Selection,
    to: mpsc::Sender<Seen>,
    stop: CancellationToken,
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let round = tokio::select! {
            round = once(&*cluster, kind, &by, &to) => round,
            () = stop.cancelled() => return,
        };
        match round {
            Ok(Ended::NobodyListens) => return,
            Ok(Ended::Watch) => pause = FIRST_PAUSE,
            Err(error) => {
                tracing::debug!(kind = kind.gvk().kind, error = %error, "watch broke");
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return,
        }
    }
}

enum Ended {
    Watch,
    NobodyListens,
}

async fn once(
    cluster: &dyn Cluster,
    kind: Watched,
    by: &Selection,
    to: &mpsc::Sender<Seen>,
) -> Result<Ended, ClusterError> {
    let gvk = kind.gvk();
    let list = match cluster.list(&gvk, by).await {
        Ok(list) => list,
        // The next look may find some.
        Err(error) if kind.nothing_yet(&error) => {
            let _ = to.send(Seen::All(kind, Vec::new())).await;
            return Err(error);
        }
        Err(error) => return Err(error),
    };
    if to.send(Seen::All(kind, list.objects)).await.is_err() {
        return Ok(Ended::NobodyListens);
    }
    let mut events = cluster
        .watch(&gvk, by, &list.resource_version, kind.detail())
        .await?;
    while let Some(event) = events.next().await {
        let seen = match event? {
            WatchEvent::Set(object) => Seen::Set(object),
            WatchEvent::Deleted(object) => Seen::Deleted(object),
            WatchEvent::Bookmark(_) => continue,
        };
        if to.send(seen).await.is_err() {
            return Ok(Ended::NobodyListens);
        }
    }
    Ok(Ended::Watch)
}
