//! What happens, as data. Log lines, Kubernetes Events and the command line's progress are all made from these.

use std::sync::Arc;
use std::time::Duration;

use weir_apply::Change;
use weir_render::StepReport;

use crate::node::NodeId;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Fact {
    /// A source has a new revision.
    Fetched {
        source: NodeId,
        revision: String,
        message: String,
    },
    /// A source stands at the revision that it had.
    Unmoved { source: NodeId, revision: String },
    /// A plugin is registered.
    PluginReady {
        plugin: NodeId,
        version: String,
        digest: String,
    },
    /// A unit was rendered.
    Rendered {
        unit: NodeId,
        objects: usize,
        steps: Vec<StepReport>,
        took: Duration,
    },
    /// A unit was applied.
    Applied {
        unit: NodeId,
        revision: String,
        changes: Vec<Change>,
        took: Duration,
    },
    /// A new revision does not touch these units.
    Untouched {
        source: NodeId,
        revision: String,
        units: usize,
        touched: usize,
    },
    /// Objects of a deleted unit were deleted.
    Deleted { unit: NodeId, changes: Vec<Change> },
    /// A unit waits for another.
    Waiting { unit: NodeId, message: String },
    /// A run failed and will be tried again, or waits for a change.
    Failed {
        node: NodeId,
        reason: &'static str,
        message: String,
    },
}

/// Takes facts as they come; must not block.
pub type Observer = Arc<dyn Fn(&Fact) + Send + Sync>;

impl Fact {
    /// Writes the fact to the log.
    pub(crate) fn log(&self) {
        match self {
            Self::Fetched {
                source,
                revision,
                message,
            } => tracing::info!(%source, revision, "{message}"),
            Self::Unmoved { source, revision } => {
                tracing::debug!(%source, revision, "source unmoved")
            }
            Self::PluginReady {
                plugin,
                version,
                digest,
            } => tracing::info!(%plugin, version, digest, "plugin ready"),
            Self::Rendered {
                unit,
                objects,
                took,
                steps,
            } => {
                let ran = steps.iter().filter(|step| step.ran).count();
                tracing::debug!(%unit, objects, ran, took_ms = took.as_millis(), "rendered");
            }
            Self::Applied {
                unit,
                revision,
                changes,
                took,
            } => {
                let changed = changes
                    .iter()
                    .filter(|change| change.action != weir_apply::Action::Unchanged)
                    .count();
                tracing::info!(%unit, revision, changed, took_ms = took.as_millis(), "applied");
            }
            Self::Untouched {
                source,
                revision,
                units,
                touched,
            } => {
                tracing::info!(%source, revision, untouched = units, touched, "revision sorted");
            }
            Self::Deleted { unit, changes } => {
                tracing::info!(%unit, objects = changes.len(), "deleted")
            }
            Self::Waiting { unit, message } => tracing::info!(%unit, "{message}"),
            Self::Failed {
                node,
                reason,
                message,
            } => tracing::warn!(%node, reason, error = message, "failed"),
        }
    }
}
