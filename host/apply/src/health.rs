//! How an object is doing, by the rules of kstatus as Flux uses them (fluxcd/cli-utils 1.2).

use serde_json::Value;
use weir_api::Object;

/// What an object's status says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    Current,
    InProgress(String),
    Failed(String),
    Terminating,
    NotFound,
}

impl Health {
    pub(crate) fn in_progress(message: &str) -> Self {
        Self::InProgress(message.to_owned())
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Current => "Current",
            Self::InProgress(_) => "InProgress",
            Self::Failed(_) => "Failed",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
        }
    }

    /// What to add to the name of a failure.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Failed(message) if !message.is_empty() => format!(": {message}"),
            Self::Failed(_)
            | Self::Current
            | Self::InProgress(_)
            | Self::Terminating
            | Self::NotFound => String::new(),
        }
    }
}

/// Reads an object's health from itself alone.
pub fn health(object: &Object) -> Health {
    if object.deleting() {
        return Health::Terminating;
    }
    let view = View(object);
    if object
        .get("/status/observedGeneration")
        .and_then(Value::as_i64)
        .is_some_and(|seen| seen != object.generation())
    {
        return Health::in_progress("the controller has not seen the newest generation");
    }
    if view.is("Reconciling", "True") {
        return Health::InProgress(view.message("Reconciling"));
    }
    if view.is("Stalled", "True") {
        return Health::Failed(view.message("Stalled"));
    }
    let gvk = object.gvk();
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "ConfigMap" | "Secret") | ("batch", "CronJob") | ("policy", "PodDisruptionBudget") => {
            Health::Current
        }
        ("", "Service") => service(&view),
        ("", "PersistentVolumeClaim") => {
            if view.text("/status/phase") == "Bound" {
                Health::Current
            } else {
                Health::in_progress("the claim is not bound")
            }
        }
        ("", "Pod") => pod(&view),
        ("apps", "Deployment") => deployment(&view),
        ("apps", "ReplicaSet") => replica_set(&view),
        ("apps", "StatefulSet") => stateful_set(&view),
        ("apps", "DaemonSet") => daemon_set(&view),
        ("batch", "Job") => job(&view),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(&view),
        _ => by_ready_condition(&view),
    }
}

fn by_ready_condition(view: &View<'_>) -> Health {
    match view.status("Ready") {
        None | Some("True") => Health::Current,
        Some(_) => Health::InProgress(view.message("Ready")),
    }
}

fn service(view: &View<'_>) -> Health {
    if view.text("/spec/type") == "LoadBalancer" && view.text("/spec/clusterIP").is_empty() {
        return Health::in_progress("the service has no cluster IP");
    }
    Health::Current
}

fn pod(view: &View<'_>) -> Health {
    let waiting = |list: &str| {
        view.items(list).find(|container| {
            container
                .pointer("/state/waiting/reason")
                .and_then(Value::as_str)
                == Some("CrashLoopBackOff")
        })
    };
    match view.text("/status/phase") {
        "Succeeded" | "Failed" => Health::Current,
        "Running" if view.is("Ready", "True") => Health::Current,
        "Running" => match waiting("/status/containerStatuses") {
            Some(container) => {
                let name = container
                    .get("name")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                Health::Failed(format!("container {name} is crash looping"))
            }
            None => Health::in_progress("the pod is not ready"),
        },
        "Pending"
            if view.is("PodScheduled", "False")
                && view.reason("PodScheduled") == "Unschedulable" =>
        {
            Health::in_progress("the pod cannot be scheduled")
        }
        _ => Health::in_progress("the pod has not started"),
    }
}

fn deployment(view: &View<'_>) -> Health {
    if view.reason("Progressing") == "ProgressDeadlineExceeded" {
        return Health::Failed("progress deadline exceeded".into());
    }
    let wanted = view.number("/spec/replicas").unwrap_or(1);
    let count = |field: &str| view.number(field).unwrap_or(0);
    if count("/status/replicas") < wanted || count("/status/updatedReplicas") < wanted {
        return Health::InProgress(format!(
            "updated: {}/{wanted}",
            count("/status/updatedReplicas")
        ));
    }
    if count("/status/replicas") > count("/status/updatedReplicas") {
        return Health::in_progress("old replicas are still there");
    }
    if count("/status/availableReplicas") < wanted {
        return Health::InProgress(format!(
            "available: {}/{wanted}",
            count("/status/availableReplicas")
        ));
    }
    let no_deadline = view.number("/spec/progressDeadlineSeconds") == Some(i64::from(i32::MAX));
    let rolled_out =
        view.is("Progressing", "True") && view.reason("Progressing") == "NewReplicaSetAvailable";
    if !no_deadline && !rolled_out {
        return Health::in_progress("the new replica set is not available");
    }
    if !view.is("Available", "True") {
        return Health::in_progress("the deployment is not available");
    }
    Health::Current
}

fn replica_set(view: &View<'_>) -> Health {
    if view.is("ReplicaFailure", "True") {
        return Health::InProgress(view.message("ReplicaFailure"));
    }
    let wanted = view.number("/spec/replicas").unwrap_or(1);
    reached(
        view,
        wanted,
        &[
            "fullyLabeledReplicas",
            "availableReplicas",
            "readyReplicas",
            "replicas",
        ],
    )
}

fn stateful_set(view: &View<'_>) -> Health {
    if view.text("/spec/updateStrategy/type") == "OnDelete" {
        return Health::Current;
    }
    let wanted = view.number("/spec/replicas").unwrap_or(1);
    let ready = reached(view, wanted, &["replicas", "readyReplicas"]);
    if ready != Health::Current {
        return ready;
    }
    let partition = view
        .number("/spec/updateStrategy/rollingUpdate/partition")
        .unwrap_or(0);
    if partition > 0 {
        return reached(view, wanted - partition, &["updatedReplicas"]);
    }
    let current = reached(view, wanted, &["currentReplicas"]);
    if current != Health::Current {
        return current;
    }
    if view.text("/status/currentRevision") != view.text("/status/updateRevision") {
        return Health::in_progress("the rollout is not complete");
    }
    Health::Current
}

fn daemon_set(view: &View<'_>) -> Health {
    if view.number("/status/observedGeneration").is_none() {
        return Health::in_progress("the controller has not looked yet");
    }
    let Some(wanted) = view.number("/status/desiredNumberScheduled") else {
        return Health::in_progress("it is not known how many pods are wanted");
    };
    reached(
        view,
        wanted,
        &[
            "currentNumberScheduled",
            "updatedNumberScheduled",
            "numberAvailable",
            "numberReady",
        ],
    )
}

fn job(view: &View<'_>) -> Health {
    if view.is("Failed", "True") {
        return Health::Failed(view.message("Failed"));
    }
    if view.is("Complete", "True") || view.is("Suspended", "True") {
        return Health::Current;
    }
    Health::in_progress("the job is running")
}

fn definition(view: &View<'_>) -> Health {
    if view.is("NamesAccepted", "False") {
        return Health::Failed(view.message("NamesAccepted"));
    }
    match view.status("Established") {
        Some("True") => Health::Current,
        Some("False") if view.reason("Established") != "Installing" => {
            Health::Failed(view.message("Established"))
        }
        Some(_) | None => Health::in_progress("the definition is not established"),
    }
}

fn reached(view: &View<'_>, wanted: i64, fields: &[&str]) -> Health {
    for field in fields {
        let count = view.number(&format!("/status/{field}")).unwrap_or(0);
        if count < wanted {
            return Health::InProgress(format!("{field}: {count}/{wanted}"));
        }
    }
    Health::Current
}

/// Reads fields without caring whether those above them are there.
struct View<'a>(&'a Object);

impl View<'_> {
    fn text(&self, pointer: &str) -> &str {
        self.0
            .get(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    fn number(&self, pointer: &str) -> Option<i64> {
        self.0.get(pointer).and_then(Value::as_i64)
    }

    fn items(&self, pointer: &str) -> impl Iterator<Item = &Value> {
        self.0
            .get(pointer)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }

    fn condition(&self, kind: &str) -> Option<&Value> {
        self.items("/status/conditions")
            .find(|condition| condition.get("type").and_then(Value::as_str) == Some(kind))
    }

    fn field(&self, kind: &str, field: &str) -> Option<&str> {
        self.condition(kind)?.get(field)?.as_str()
    }

    fn status(&self, kind: &str) -> Option<&str> {
        self.field(kind, "status")
    }

    fn is(&self, kind: &str, status: &str) -> bool {
        self.status(kind) == Some(status)
    }

    fn reason(&self, kind: &str) -> &str {
        self.field(kind, "reason").unwrap_or_default()
    }

    fn message(&self, kind: &str) -> String {
        self.field(kind, "message").unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(api_version: &str, kind: &str, fields: Value, expected: &str) {
        let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "generation": 2}});
        for (key, value) in fields.as_object().unwrap() {
            object[key] = value.clone();
        }
        assert_eq!(
            health(&Object::new(object).unwrap()).name(),
            expected,
            "{kind}: {fields}"
        );
    }

    fn condition(kind: &str, status: &str, reason: &str) -> Value {
        json!({"type": kind, "status": status, "reason": reason})
    }

    #[test]
    fn any_kind_goes_by_its_conditions() {
        check("a/v1", "K", json!({}), "Current");
        check(
            "a/v1",
            "K",
            json!({"status": {"conditions": [condition("Ready", "True", "")]}}),
            "Current",
        );
        check(
            "a/v1",
            "K",
            json!({"status": {"conditions": [condition("Ready", "False", "")]}}),
            "InProgress",
        );
        check(
            "a/v1",
            "K",
            json!({"status": {"observedGeneration": 1, "conditions": [condition("Ready", "True", "")]}}),
            "InProgress",
        );
        check(
            "a/v1",
            "K",
            json!({"status": {"conditions": [condition("Stalled", "True", "")]}}),
            "Failed",
        );
        check(
            "a/v1",
            "K",
            json!({"metadata": {"name": "x", "deletionTimestamp": "t"}}),
            "Terminating",
        );
    }

    #[test]
    fn workloads_go_by_their_counts() {
        let done = json!({"spec": {"replicas": 2}, "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2,
            "conditions": [condition("Progressing", "True", "NewReplicaSetAvailable"), condition("Available", "True", "")]}});
        check("apps/v1", "Deployment", done.clone(), "Current");
        let mut rolling = done.clone();
        rolling["status"]["updatedReplicas"] = json!(1);
        check("apps/v1", "Deployment", rolling, "InProgress");
        let mut stuck = done;
        stuck["status"]["conditions"][0]["reason"] = json!("ProgressDeadlineExceeded");
        check("apps/v1", "Deployment", stuck, "Failed");
        check(
            "batch/v1",
            "Job",
            json!({"status": {"conditions": [condition("Failed", "True", "")]}}),
            "Failed",
        );
        check("batch/v1", "Job", json!({"status": {}}), "InProgress");
        check(
            "v1",
            "PersistentVolumeClaim",
            json!({"status": {"phase": "Bound"}}),
            "Current",
        );
        check(
            "apps/v1",
            "DaemonSet",
            json!({"status": {"observedGeneration": 2, "desiredNumberScheduled": 0}}),
            "Current",
        );
    }

    #[test]
    fn definitions_have_to_be_established() {
        let crd = |conditions: Value| json!({"status": {"conditions": conditions}});
        let check = |conditions, expected| {
            check(
                "apiextensions.k8s.io/v1",
                "CustomResourceDefinition",
                crd(conditions),
                expected,
            )
        };
        check(json!([condition("Established", "True", "")]), "Current");
        check(
            json!([condition("Established", "False", "Installing")]),
            "InProgress",
        );
        check(json!([condition("NamesAccepted", "False", "")]), "Failed");
        check(json!([]), "InProgress");
    }
}
