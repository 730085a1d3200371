//! Labels, annotations, finalizers, field managers and reasons, as Flux 2.9 spells them.

/// The API version of Flux's Kustomization.
pub const KUSTOMIZE_V1: &str = "kustomize.toolkit.fluxcd.io/v1";
/// The API version of Flux's sources.
pub const SOURCE_V1: &str = "source.toolkit.fluxcd.io/v1";
/// The API version of weir's own kinds.
pub const WEIR_V1ALPHA1: &str = "weir.dev/v1alpha1";

pub const FINALIZER: &str = "finalizers.fluxcd.io";

/// Any new value asks for a reconciliation now.
pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";

/// On applied objects: which Kustomization owns them.
pub const OWNER_NAME: &str = "kustomize.toolkit.fluxcd.io/name";
pub const OWNER_NAMESPACE: &str = "kustomize.toolkit.fluxcd.io/namespace";
/// On applied objects: which Pipeline owns them.
pub const PIPELINE_NAME: &str = "weir.dev/pipeline";
pub const PIPELINE_NAMESPACE: &str = "weir.dev/pipeline-namespace";

/// `disabled`: neither apply nor prune.
pub const RECONCILE: &str = "kustomize.toolkit.fluxcd.io/reconcile";
/// `Override`, `Merge`, `IfNotPresent` or `Ignore`.
pub const SSA: &str = "kustomize.toolkit.fluxcd.io/ssa";
/// `enabled`: recreate on an immutable change.
pub const FORCE: &str = "kustomize.toolkit.fluxcd.io/force";
/// `disabled`: neither decrypted nor taken for a mistake where it is encrypted.
pub const DECRYPT: &str = "kustomize.toolkit.fluxcd.io/decrypt";
/// `disabled`: never delete.
pub const PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";

/// On events: the revision that they are about.
pub const EVENT_REVISION: &str = "kustomize.toolkit.fluxcd.io/revision";
pub const EVENT_SOURCE_REVISION: &str = "source.toolkit.fluxcd.io/revision";
pub const EVENT_SOURCE_DIGEST: &str = "source.toolkit.fluxcd.io/digest";

/// Applies the objects of Kustomizations and Pipelines.
pub const APPLY_MANAGER: &str = "kustomize-controller";
/// Writes the status of Kustomizations.
pub const KUSTOMIZE_STATUS_MANAGER: &str = "gotk-kustomize-controller";
/// Writes the status of sources.
pub const SOURCE_STATUS_MANAGER: &str = "gotk-source-controller";
/// Writes the status of weir's own kinds.
pub const WEIR_STATUS_MANAGER: &str = "weir";

/// Types of conditions.
pub mod conditions {
    pub const READY: &str = "Ready";
    pub const RECONCILING: &str = "Reconciling";
    pub const STALLED: &str = "Stalled";
    pub const HEALTHY: &str = "Healthy";
    pub const ARTIFACT_IN_STORAGE: &str = "ArtifactInStorage";
    pub const FETCH_FAILED: &str = "FetchFailed";
    pub const BUILD_FAILED: &str = "BuildFailed";
    pub const STORAGE_OPERATION_FAILED: &str = "StorageOperationFailed";
    pub const INCLUDE_UNAVAILABLE: &str = "IncludeUnavailable";
    pub const ARTIFACT_OUTDATED: &str = "ArtifactOutdated";
    pub const SOURCE_VERIFIED: &str = "SourceVerified";
}

/// Reasons of conditions and events.
pub mod reasons {
    pub const SUCCEEDED: &str = "Succeeded";
    pub const FAILED: &str = "Failed";
    pub const PROGRESSING: &str = "Progressing";
    pub const PROGRESSING_WITH_RETRY: &str = "ProgressingWithRetry";
    pub const DEPENDENCY_NOT_READY: &str = "DependencyNotReady";
    pub const ARTIFACT_FAILED: &str = "ArtifactFailed";
    pub const BUILD_FAILED: &str = "BuildFailed";
    pub const PRUNE_FAILED: &str = "PruneFailed";
    pub const RECONCILIATION_SUCCEEDED: &str = "ReconciliationSucceeded";
    pub const RECONCILIATION_FAILED: &str = "ReconciliationFailed";
    pub const HEALTH_CHECK_FAILED: &str = "HealthCheckFailed";
    pub const ACCESS_DENIED: &str = "AccessDenied";
    pub const NEW_ARTIFACT: &str = "NewArtifact";
    pub const AUTHENTICATION_FAILED: &str = "AuthenticationFailed";
    pub const URL_INVALID: &str = "URLInvalid";
    pub const INVALID_PROVIDER_CONFIGURATION: &str = "InvalidProviderConfiguration";
    pub const VERIFICATION_ERROR: &str = "VerificationError";
    pub const INVALID_VERIFICATION_MODE: &str = "InvalidVerificationMode";
    pub const INVALID_GIT_OBJECT: &str = "InvalidGitObject";
    pub const INVALID_TAG_SIGNATURE: &str = "InvalidTagSignature";
    pub const INVALID_COMMIT_SIGNATURE: &str = "InvalidCommitSignature";
    pub const GIT_OPERATION_FAILED: &str = "GitOperationFailed";
    pub const ARCHIVE_OPERATION_FAILED: &str = "ArchiveOperationFailed";
    pub const INDEXATION_FAILED: &str = "IndexationFailed";
    pub const READ_OPERATION_FAILED: &str = "ReadOperationFailed";
    pub const OCI_PULL_FAILED: &str = "OCIArtifactPullFailed";
    pub const OCI_LAYER_FAILED: &str = "OCIArtifactLayerOperationFailed";
    pub const BUCKET_OPERATION_FAILED: &str = "BucketOperationFailed";
    pub const INVALID_STS_CONFIGURATION: &str = "InvalidSTSConfiguration";
    pub const SOURCE_UNAVAILABLE: &str = "SourceUnavailable";
    pub const NO_SOURCE_ARTIFACT: &str = "NoSourceArtifact";
    pub const INVALID_CHART_REFERENCE: &str = "InvalidChartReference";
    pub const CHART_PULL_ERROR: &str = "ChartPullError";
    pub const UNKNOWN: &str = "Unknown";
    pub const CHART_PULL_SUCCEEDED: &str = "ChartPullSucceeded";
    pub const CHART_PACKAGE_SUCCEEDED: &str = "ChartPackageSucceeded";
    pub const FEATURE_GATE_DISABLED: &str = "FeatureGateDisabled";
    /// weir's own: members of a dependency cycle never become ready.
    pub const DEPENDENCY_CYCLE: &str = "DependencyCycle";
    /// weir's own: a field that this version does not act on.
    pub const UNSUPPORTED_FIELD: &str = "UnsupportedField";
    /// weir's own: a Plugin's component is not loadable or does not match its digest.
    pub const PLUGIN_INVALID: &str = "PluginInvalid";
}
