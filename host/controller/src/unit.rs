//! What units of all kinds have in common.

use std::time::Duration;

use weir_api::inventory::Inventory;
use weir_api::kustomize::{DeletionPolicy, Kustomization, KustomizationStatus};
use weir_api::reference::DependencyReference;
use weir_api::weir::Pipeline;
use weir_api::{GoDuration, Gvk, ObjectKey, ObjectName, names};
use weir_apply::Owner;
use weir_render::{LowerError, LowerOptions, Recipe, lower_kustomization, lower_pipeline};

use crate::node::{NodeId, Typed};

/// Health checks may take at least this long, however short the time-out.
const SHORTEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The shortest interval that is honoured.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// A unit's object in the form that a run works with. The status of all kinds has the shape of a Kustomization's.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) recipe: Result<Recipe, LowerError>,
    pub(crate) interval: Duration,
    pub(crate) retry: Duration,
    pub(crate) timeout: Duration,
    pub(crate) prune: bool,
    pub(crate) force: bool,
    /// Check the health of all that was applied.
    pub(crate) wait: bool,
    pub(crate) health_checks: Vec<ObjectKey>,
    pub(crate) deletion: DeletionPolicy,
    pub(crate) suspended: bool,
    /// The Secret with the keys for what is encrypted.
    pub(crate) decryption: Option<ObjectName>,
    pub(crate) owner: Owner,
    pub(crate) status: KustomizationStatus,
}

impl Unit {
    /// `None` for what is not a unit. The error names a field that is not as it should be.
    pub(crate) fn of(id: &NodeId, typed: &Typed) -> Option<Result<Self, LowerError>> {
        match typed {
            Typed::Kustomization(object) => Some(Self::of_kustomization(id, object)),
            Typed::Pipeline(object) => Some(Self::of_pipeline(id, object)),
            Typed::GitRepository(_)
            | Typed::HelmRepository(_)
            | Typed::HelmChart(_)
            | Typed::OCIRepository(_)
            | Typed::Bucket(_)
            | Typed::ExternalArtifact(_)
            | Typed::Plugin(_) => None,
        }
    }

    fn of_kustomization(id: &NodeId, object: &Kustomization) -> Result<Self, LowerError> {
        let spec = &object.spec;
        let times = Times::read(
            &spec.interval,
            spec.retry_interval.as_ref(),
            spec.timeout.as_ref(),
        )?;
        let unsupported = unsupported(&[
            (
                "spec.serviceAccountName",
                spec.service_account_name.is_some(),
            ),
            ("spec.kubeConfig", spec.kube_config.is_some()),
            ("spec.healthCheckExprs", !spec.health_check_exprs.is_empty()),
            ("spec.ignore", !spec.ignore.is_empty()),
            (
                "spec.dependsOn[].readyExpr",
                has_expression(&spec.depends_on),
            ),
            (
                "spec.decryption.serviceAccountName",
                spec.decryption
                    .as_ref()
                    .is_some_and(|decryption| decryption.service_account_name.is_some()),
            ),
        ]);
        Ok(Self {
            recipe: unsupported
                .and_then(|()| lower_kustomization(object, &LowerOptions::controller())),
            interval: times.interval,
            retry: times.retry,
            timeout: times.timeout,
            prune: spec.prune,
            force: spec.force.unwrap_or(false),
            wait: spec.wait.unwrap_or(false),
            health_checks: spec
                .health_checks
                .iter()
                .map(|check| {
                    let gvk = Gvk::from_api_version(
                        check.api_version.as_deref().unwrap_or("apps/v1"),
                        &check.kind,
                    );
                    ObjectKey::new(
                        gvk,
                        check.namespace.as_deref().unwrap_or(&id.name.namespace),
                        &check.name,
                    )
                })
                .collect(),
            deletion: spec.deletion_policy.unwrap_or(DeletionPolicy::MirrorPrune),
            suspended: spec.suspend.unwrap_or(false),
            decryption: spec
                .decryption
                .as_ref()
                .and_then(|decryption| decryption.secret_ref.as_ref())
                .map(|secret| ObjectName::new(&*id.name.namespace, &*secret.name)),
            owner: Owner {
                name_label: names::OWNER_NAME,
                namespace_label: names::OWNER_NAMESPACE,
                name: id.name.name.clone(),
                namespace: id.name.namespace.clone(),
                manager: names::APPLY_MANAGER,
            },
            status: object.status.clone().unwrap_or_default(),
        })
    }

    fn of_pipeline(id: &NodeId, object: &Pipeline) -> Result<Self, LowerError> {
        let spec = &object.spec;
        let times = Times::read(
            &spec.interval,
            spec.retry_interval.as_ref(),
            spec.timeout.as_ref(),
        )?;
        let unsupported = unsupported(&[
            (
                "spec.serviceAccountName",
                spec.service_account_name.is_some(),
            ),
            ("spec.kubeConfig", spec.kube_config.is_some()),
            (
                "spec.dependsOn[].readyExpr",
                has_expression(&spec.depends_on),
            ),
        ]);
        let status = object.status.clone().unwrap_or_default();
        Ok(Self {
            recipe: unsupported.and_then(|()| lower_pipeline(object)),
            interval: times.interval,
            retry: times.retry,
            timeout: times.timeout,
            prune: spec.prune,
            force: spec.force.unwrap_or(false),
            wait: false,
            health_checks: Vec::new(),
            deletion: spec.deletion_policy.unwrap_or(DeletionPolicy::MirrorPrune),
            suspended: spec.suspend.unwrap_or(false),
            decryption: None,
            owner: Owner {
                name_label: names::PIPELINE_NAME,
                namespace_label: names::PIPELINE_NAMESPACE,
                name: id.name.name.clone(),
                namespace: id.name.namespace.clone(),
                manager: names::APPLY_MANAGER,
            },
            status: KustomizationStatus {
                observed_generation: status.observed_generation,
                last_handled_reconcile_at: status.last_handled_reconcile_at,
                conditions: status.conditions,
                last_applied_revision: status.last_applied_revision,
                last_applied_origin_revision: None,
                last_attempted_revision: status.last_attempted_revision,
                inventory: status.inventory,
                history: status.history,
            },
        })
    }

    pub(crate) fn inventory(&self) -> Inventory {
        self.status.inventory.clone().unwrap_or_default()
    }
}

struct Times {
    interval: Duration,
    retry: Duration,
    timeout: Duration,
}

impl Times {
    fn read(
        interval: &GoDuration,
        retry: Option<&GoDuration>,
        timeout: Option<&GoDuration>,
    ) -> Result<Self, LowerError> {
        let interval = read_duration("spec.interval", interval)?.max(SHORTEST_INTERVAL);
        let retry = retry
            .map(|retry| read_duration("spec.retryInterval", retry))
            .transpose()?;
        let timeout = timeout
            .map(|timeout| read_duration("spec.timeout", timeout))
            .transpose()?;
        Ok(Self {
            interval,
            retry: retry.unwrap_or(interval).max(SHORTEST_INTERVAL),
            timeout: timeout
                .unwrap_or(interval.saturating_sub(SHORTEST_TIMEOUT))
                .max(SHORTEST_TIMEOUT),
        })
    }
}

fn read_duration(field: &str, duration: &GoDuration) -> Result<Duration, LowerError> {
    duration.parse().map_err(|error| LowerError::Invalid {
        field: field.to_owned(),
        message: error.to_string(),
    })
}

fn has_expression(dependencies: &[DependencyReference]) -> bool {
    dependencies
        .iter()
        .any(|dependency| dependency.ready_expr.is_some())
}

fn unsupported(fields: &[(&'static str, bool)]) -> Result<(), LowerError> {
    match fields.iter().find(|(_, set)| *set) {
        Some((field, _)) => Err(LowerError::Unsupported { field }),
        None => Ok(()),
    }
}
