//! The parts that a cluster's controllers play, as functions that a test calls when it wants their effect.
//!
//! Nothing here runs by itself: on the test server namespaces stay in `Terminating`, owned objects outlive their owners
//! and Deployments have no status, until a test says otherwise.

use std::collections::HashSet;

use anyhow::{Context, Result};
use http::Request;
use kube::Client;
use serde_json::{Value, json};

use crate::objects::{self, Found};

/// The finalizers by which a deletion with `propagationPolicy` waits for the garbage collector.
const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// Plays the namespace controller for a namespace that is being deleted: deletes what is in it and lets it go. Objects
/// with finalizers stay, and so does the namespace; returns whether it is gone.
pub async fn finish_namespace(client: &Client, name: &str) -> Result<bool> {
    for found in objects::in_namespace(client, name).await? {
        send(client, "DELETE", &found.path, None).await?;
    }
    if !objects::in_namespace(client, name).await?.is_empty() {
        return Ok(false);
    }
    let path = format!("/api/v1/namespaces/{name}");
    let Some(mut namespace) = get(client, &path).await? else {
        return Ok(true);
    };
    namespace["spec"]["finalizers"] = json!([]);
    send(
        client,
        "PUT",
        &format!("{path}/finalize"),
        Some(("application/json", &namespace)),
    )
    .await?;
    Ok(get(client, &path).await?.is_none())
}

/// Plays the garbage collector in a namespace until nothing is left to do: deletes objects whose owners are all gone,
/// finishes foreground deletions and orphans what should be orphaned. Owners that are cluster-scoped count as alive.
pub async fn collect_garbage(client: &Client, namespace: &str) -> Result<()> {
    loop {
        let all = objects::in_namespace(client, namespace).await?;
        let alive: HashSet<&str> = all
            .iter()
            .filter_map(|found| found.object["metadata"]["uid"].as_str())
            .collect();
        let mut changed = false;
        for found in &all {
            changed |= collect(client, found, &all, &alive).await?;
        }
        if !changed {
            return Ok(());
        }
    }
}

/// Plays the Deployment controller and everything below it: the Deployment is rolled out completely.
pub async fn roll_out(client: &Client, namespace: &str, name: &str) -> Result<()> {
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
    let deployment = get(client, &path)
        .await?
        .with_context(|| format!("no Deployment {namespace}/{name}"))?;
    let replicas = deployment["spec"]["replicas"].as_i64().unwrap_or(1);
    let time = deployment["metadata"]["creationTimestamp"].clone();
    let condition = |kind: &str, reason: &str| json!({"type": kind, "status": "True", "reason": reason, "message": "", "lastUpdateTime": time, "lastTransitionTime": time});
    let patch = json!({"status": {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": replicas, "updatedReplicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
        "conditions": [
            condition("Available", "MinimumReplicasAvailable"),
            condition("Progressing", "NewReplicaSetAvailable"),
        ],
    }});
    send(
        client,
        "PATCH",
        &format!("{path}/status"),
        Some((MERGE_PATCH, &patch)),
    )
    .await
}

const MERGE_PATCH: &str = "application/merge-patch+json";

/// What the garbage collector does about one object; whether it did something.
async fn collect(
    client: &Client,
    found: &Found,
    all: &[Found],
    alive: &HashSet<&str>,
) -> Result<bool> {
    let metadata = &found.object["metadata"];
    let deleting = metadata.get("deletionTimestamp").is_some();
    let owners = metadata["ownerReferences"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let gone = |owner: &Value| {
        !cluster_scoped(owner)
            && owner["uid"]
                .as_str()
                .is_some_and(|uid| !alive.contains(uid))
    };
    if !deleting && !owners.is_empty() && owners.iter().all(gone) {
        send(client, "DELETE", &found.path, None).await?;
        return Ok(true);
    }
    let held_by = |name: &str| {
        deleting
            && metadata["finalizers"]
                .as_array()
                .into_iter()
                .flatten()
                .any(|finalizer| finalizer == name)
    };
    let dependents = || {
        all.iter()
            .filter(|other| owned_by(&other.object, metadata["uid"].as_str().unwrap_or_default()))
    };
    if held_by(ORPHAN) {
        for dependent in dependents() {
            let references = dependent.object["metadata"]["ownerReferences"]
                .as_array()
                .into_iter()
                .flatten();
            let kept: Vec<&Value> = references
                .filter(|owner| owner["uid"] != metadata["uid"])
                .collect();
            let patch = json!({"metadata": {"ownerReferences": kept}});
            send(
                client,
                "PATCH",
                &dependent.path,
                Some((MERGE_PATCH, &patch)),
            )
            .await?;
        }
        release(client, found, ORPHAN).await?;
        return Ok(true);
    }
    if held_by(FOREGROUND) {
        let mut waiting = false;
        for dependent in dependents() {
            waiting = true;
            if dependent.object["metadata"]
                .get("deletionTimestamp")
                .is_none()
            {
                send(client, "DELETE", &dependent.path, None).await?;
                return Ok(true);
            }
        }
        if !waiting {
            release(client, found, FOREGROUND).await?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes a finalizer away.
async fn release(client: &Client, found: &Found, finalizer: &str) -> Result<()> {
    let finalizers = found.object["metadata"]["finalizers"]
        .as_array()
        .into_iter()
        .flatten();
    let kept: Vec<&Value> = finalizers.filter(|name| *name != finalizer).collect();
    let patch = json!({"metadata": {"finalizers": kept}});
    send(client, "PATCH", &found.path, Some((MERGE_PATCH, &patch))).await
}

fn owned_by(object: &Value, uid: &str) -> bool {
    object["metadata"]["ownerReferences"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|owner| owner["uid"] == uid)
}

/// The cluster-scoped kinds that own things in practice.
fn cluster_scoped(owner: &Value) -> bool {
    matches!(
        owner["kind"].as_str(),
        Some("Namespace" | "Node" | "PersistentVolume" | "CustomResourceDefinition")
    )
}

async fn get(client: &Client, path: &str) -> Result<Option<Value>> {
    match client
        .request::<Value>(Request::get(path).body(Vec::new())?)
        .await
    {
        Ok(object) => Ok(Some(object)),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(None),
        Err(error) => Err(error).with_context(|| format!("GET {path}")),
    }
}

/// Sends a write. What is gone already is no error: another part of the test can be quicker.
async fn send(
    client: &Client,
    method: &str,
    path: &str,
    body: Option<(&str, &Value)>,
) -> Result<()> {
    let mut request = Request::builder().method(method).uri(path);
    let mut bytes = Vec::new();
    if let Some((content_type, body)) = body {
        request = request.header("content-type", content_type);
        bytes = serde_json::to_vec(body)?;
    }
    match client.request_text(request.body(bytes)?).await {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(error).with_context(|| format!("{method} {path}")),
    }
}
