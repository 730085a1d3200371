//! The table of Kubernetes' own kinds that the local cluster merges by.
//!
//! Made from what the pinned kube-apiserver says about itself: its discovery tells the kinds and the order of their
//! versions, its OpenAPI v3 documents tell the fields and how they are merged.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;
use weir_api::ApiResource;
use weir_cluster::{Cluster, Kube, TableKind, table};
use weir_testing::{ApiServer, Settings};

/// Where the table stands in the checkout; the local cluster is built with it.
pub(crate) const TABLE: &str = "host/cluster/src/local/schema.txt";

/// The kinds whose `metadata.generation` the server counts. No document of the server tells; these are the strategies
/// of Kubernetes' registry that set it.
const GENERATION: &[&str] = &[
    "CSIDriver.storage.k8s.io",
    "CronJob.batch",
    "CustomResourceDefinition.apiextensions.k8s.io",
    "DaemonSet.apps",
    "Deployment.apps",
    "DeviceClass.resource.k8s.io",
    "EndpointSlice.discovery.k8s.io",
    "FlowSchema.flowcontrol.apiserver.k8s.io",
    "Ingress.networking.k8s.io",
    "IngressClass.networking.k8s.io",
    "Job.batch",
    "MutatingAdmissionPolicy.admissionregistration.k8s.io",
    "MutatingAdmissionPolicyBinding.admissionregistration.k8s.io",
    "MutatingWebhookConfiguration.admissionregistration.k8s.io",
    "NetworkPolicy.networking.k8s.io",
    "Pod",
    "PodDisruptionBudget.policy",
    "PodTemplate",
    "PriorityClass.scheduling.k8s.io",
    "PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io",
    "ReplicaSet.apps",
    "ReplicationController",
    "ResourceSlice.resource.k8s.io",
    "StatefulSet.apps",
    "ValidatingAdmissionPolicy.admissionregistration.k8s.io",
    "ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io",
    "ValidatingWebhookConfiguration.admissionregistration.k8s.io",
];

/// The table, from a server that is started for it. `None`, and a line that says so, if its tools are not built, which
/// is an error with `CI=true`.
pub(crate) fn generate() -> Result<Option<String>> {
    let Some(server) = ApiServer::start(Settings {
        audit: false,
        ..Settings::usual()
    })?
    else {
        anstream::eprintln!(
            "SKIPPED: {TABLE} is made from the pinned kube-apiserver; run `cargo xtask tools` first"
        );
        return Ok(None);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(from_server(&server)).map(Some)
}

async fn from_server(server: &ApiServer) -> Result<String> {
    let client = server.client()?;
    let root: Value = client
        .request(http::Request::get("/openapi/v3").body(Vec::new())?)
        .await?;
    let paths = root["paths"]
        .as_object()
        .context("the server lists no OpenAPI documents")?;
    let mut definitions = BTreeMap::new();
    for path in paths.values() {
        let url = path["serverRelativeURL"]
            .as_str()
            .context("an OpenAPI document without a URL")?;
        let document: Value = client
            .request(http::Request::get(url).body(Vec::new())?)
            .await?;
        for (name, schema) in document["components"]["schemas"]
            .as_object()
            .into_iter()
            .flatten()
        {
            add(&mut definitions, name, schema);
        }
    }
    let by_kind = definitions_by_kind(&definitions);
    let cluster = Kube::new(server.config()?)?;
    let discovery = cluster.discover(true).await?;
    let mut kinds = Vec::new();
    for resource in &discovery.resources {
        // Without one it is no object that could be kept: a review, a binding, a status of components.
        let Some(definition) = by_kind.get(&key(resource)).filter(|_| kept(resource)) else {
            continue;
        };
        let generation = GENERATION.contains(&resource.gvk.group_kind().to_string().as_str());
        kinds.push(TableKind {
            resource: resource.clone(),
            generation,
            definition: definition.clone(),
        });
    }
    table(&discovery.version, &kinds, &definitions).map_err(anyhow::Error::msg)
}

/// Kinds that are served for reading alone.
fn kept(resource: &ApiResource) -> bool {
    resource.gvk.kind != "ComponentStatus"
}

/// Documents repeat definitions. They differ only in the kinds that they list.
fn add(definitions: &mut BTreeMap<String, Value>, name: &str, schema: &Value) {
    const KINDS: &str = "x-kubernetes-group-version-kind";
    let known = definitions
        .entry(name.to_owned())
        .or_insert_with(|| schema.clone());
    if let (Some(Value::Array(known)), Some(Value::Array(more))) =
        (known.get_mut(KINDS), schema.get(KINDS))
    {
        for kind in more {
            if !known.contains(kind) {
                known.push(kind.clone());
            }
        }
    }
}

/// The definition of each kind, by group, version and kind.
fn definitions_by_kind(definitions: &BTreeMap<String, Value>) -> BTreeMap<[String; 3], String> {
    let mut found = BTreeMap::new();
    for (name, schema) in definitions {
        for kind in schema["x-kubernetes-group-version-kind"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let text = |field: &str| kind[field].as_str().unwrap_or_default().to_owned();
            found.insert([text("group"), text("version"), text("kind")], name.clone());
        }
    }
    found
}

fn key(resource: &ApiResource) -> [String; 3] {
    [
        resource.gvk.group.clone(),
        resource.gvk.version.clone(),
        resource.gvk.kind.clone(),
    ]
}
