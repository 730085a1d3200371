//! Sets a label on every workload, and reports containers that have no limit for their resources.

use std::collections::BTreeMap;

use serde::Deserialize;
use weir_sdk::{About, Document, Finding, Plugin, Result, Select, Transformer, documents, report};

/// The step's config. `config.schema.json` describes it for people and is checked before the plugin runs.
#[derive(Deserialize)]
#[serde(default)]
struct Config {
    label: Option<Label>,
    resources: Vec<String>,
    severity: Severity,
}

#[derive(Deserialize)]
struct Label {
    key: String,
    value: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Severity {
    Error,
    Warning,
    Note,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            label: None,
            resources: vec!["memory".to_owned()],
            severity: Severity::Warning,
        }
    }
}

struct RequireLimits;

weir_sdk::export!(RequireLimits: transformer);

impl Plugin for RequireLimits {
    type Config = Config;

    fn about() -> About {
        About::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
            .summary("labels workloads and reports containers without resource limits")
            .config_schema(include_str!("config.schema.json"))
    }
}

impl Transformer for RequireLimits {
    fn transform(config: Config) -> Result<()> {
        for (kind, pod) in WORKLOADS {
            for workload in documents::select(&Select::default().kind(kind))? {
                report::progress(format_args!("looking at {workload}"));
                if let Some(label) = &config.label {
                    workload.label(&label.key, &label.value)?;
                }
                check(&workload, pod, &config)?;
            }
        }
        Ok(())
    }
}

/// The kinds that run containers, and where the specification of their pod is.
const WORKLOADS: [(&str, &str); 7] = [
    ("Pod.", "/spec"),
    ("Deployment.apps", "/spec/template/spec"),
    ("StatefulSet.apps", "/spec/template/spec"),
    ("DaemonSet.apps", "/spec/template/spec"),
    ("ReplicaSet.apps", "/spec/template/spec"),
    ("Job.batch", "/spec/template/spec"),
    ("CronJob.batch", "/spec/jobTemplate/spec/template/spec"),
];

/// The part of a container that matters here.
#[derive(Deserialize)]
struct Container {
    #[serde(default)]
    name: String,
    #[serde(default)]
    resources: Resources,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resources {
    limits: Option<BTreeMap<String, serde::de::IgnoredAny>>,
}

fn check(workload: &Document, pod: &str, config: &Config) -> Result<()> {
    for list in ["initContainers", "containers"] {
        let pointer = format!("{pod}/{list}");
        let containers: Vec<Container> = workload.get(&pointer)?.unwrap_or_default();
        for (at, container) in containers.iter().enumerate() {
            let limits = container.resources.limits.as_ref();
            for resource in &config.resources {
                if limits.is_none_or(|limits| !limits.contains_key(resource)) {
                    missing(
                        workload,
                        &container.name,
                        resource,
                        &format!("{pointer}/{at}/resources/limits"),
                        config.severity,
                    );
                }
            }
        }
    }
    Ok(())
}

fn missing(
    workload: &Document,
    container: &str,
    resource: &str,
    pointer: &str,
    severity: Severity,
) {
    let message = format!("container {container} of {workload} has no {resource} limit");
    let finding = match severity {
        Severity::Error => Finding::error("missing-limit", message),
        Severity::Warning => Finding::warning("missing-limit", message),
        Severity::Note => Finding::note("missing-limit", message),
    };
    let help =
        format!("set resources.limits.{resource}, so that one container cannot take all of a node");
    finding.about(workload).field(pointer).help(help).report();
}
