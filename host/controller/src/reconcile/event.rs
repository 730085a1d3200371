//! Kubernetes Events in Flux's form.

use serde_json::json;
use weir_api::{Object, condition, names};

use crate::node::{NodeId, NodeKind};
use crate::reconcile::Context;

/// What an Event says.
pub(crate) struct Note<'a> {
    pub(crate) warning: bool,
    pub(crate) reason: &'a str,
    pub(crate) message: &'a str,
    pub(crate) revision: Option<&'a str>,
}

/// Longer messages are refused by the API server.
const MAX_MESSAGE: usize = 1024;

/// Writes an Event about an object. A lost Event is logged, nothing more: it must not fail a run.
pub(crate) async fn emit(ctx: &Context, id: &NodeId, object: &Object, note: Note<'_>) {
    if !ctx.events || note.message.is_empty() {
        return;
    }
    let now = ctx.clock.now();
    let time = condition::show_time(now);
    let revision_key = if id.kind.is_source() {
        names::EVENT_SOURCE_REVISION
    } else {
        names::EVENT_REVISION
    };
    let namespace = if id.name.namespace.is_empty() {
        "default"
    } else {
        &id.name.namespace
    };
    let controller = match id.kind {
        NodeKind::Kustomization => "kustomize-controller",
        NodeKind::GitRepository
        | NodeKind::HelmRepository
        | NodeKind::HelmChart
        | NodeKind::OCIRepository
        | NodeKind::Bucket
        | NodeKind::ExternalArtifact => "source-controller",
        NodeKind::Pipeline | NodeKind::Plugin => "weir",
    };
    let message: String = note.message.chars().take(MAX_MESSAGE).collect();
    let mut value = json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"namespace": namespace, "name": format!("{}.{:x}", id.name.name, now.as_nanosecond())},
        "involvedObject": {
            "apiVersion": object.api_version(), "kind": object.kind(), "namespace": id.name.namespace,
            "name": id.name.name, "uid": object.uid(), "resourceVersion": object.resource_version(),
        },
        "type": if note.warning { "Warning" } else { "Normal" },
        "reason": note.reason, "message": message,
        "source": {"component": controller}, "reportingComponent": controller,
        "firstTimestamp": time, "lastTimestamp": time, "count": 1,
    });
    if let Some(revision) = note.revision {
        value["metadata"]["annotations"] = json!({ revision_key: revision });
    }
    let event = Object::new(value).expect("made with apiVersion and kind just above");
    if let Err(error) = ctx.cluster.create(&event, id.kind.status_manager()).await {
        tracing::debug!(node = %id, error = %error, "event lost");
    }
}
