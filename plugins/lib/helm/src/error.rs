//! Why there is nothing to render. `Display` gives Helm's text and nothing else; [`HelmError::explanation`] says more.

use weir_chart::{ChartError, ValuesError};

use crate::explain::Explanation;
use crate::kube_version::KubeVersionError;

/// Why a chart could not be rendered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HelmError {
    /// The chart cannot be loaded.
    #[error("{0}")]
    Chart(#[from] ChartError),
    /// The values cannot be read.
    #[error("{0}")]
    Values(#[from] ValuesError),
    /// Charts that `Chart.yaml` asks for are not there.
    #[error("{words}: found in Chart.yaml, but missing in charts/ directory: {}", .missing.join(", "))]
    MissingDependencies {
        /// Helm's words before it.
        words: &'static str,
        /// Their names.
        missing: Vec<String>,
    },
    /// The chart only gives templates to others.
    #[error("{0} charts are not installable")]
    NotInstallable(String),
    /// The release's name cannot be one.
    #[error(
        "release name check failed: release name {0:?}: invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53"
    )]
    ReleaseName(String),
    /// The dependencies do not fit the values.
    #[error("chart dependencies processing failed: {0}")]
    Dependencies(ChartError),
    /// The values do not fit the chart.
    #[error("{0}")]
    Coalesce(ChartError),
    /// The Kubernetes version cannot be read.
    #[error("invalid kube version '{version}': {source}")]
    KubeVersion {
        /// As it was given.
        version: String,
        /// Why.
        source: KubeVersionError,
    },
    /// The values break the chart's schema.
    #[error(
        "values don't meet the specifications of the schema(s) in the following chart(s):\n{0}"
    )]
    Schema(String),
    /// The chart does not work with this Kubernetes.
    #[error("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {version}")]
    IncompatibleKubeVersion {
        /// What the chart says.
        wanted: String,
        /// What there is.
        version: String,
    },
    /// A template cannot be parsed or fails.
    #[error("{message}")]
    Template {
        /// Helm's text.
        message: String,
        /// Where and why, for people.
        explanation: Option<Box<Explanation>>,
    },
    /// A rendered document is no manifest.
    #[error("YAML parse error on {path}: {message}")]
    Manifest {
        /// The template.
        path: String,
        /// What the YAML library says.
        message: String,
    },
    /// A template that was asked for has no output.
    #[error("could not find template {0} in chart")]
    ShowOnly(String),
}

impl HelmError {
    /// What else is known: the line of the template, what was nil and where it should come from, the includes that led there.
    #[must_use]
    pub fn explanation(&self) -> Option<&Explanation> {
        match self {
            Self::Template { explanation, .. } => explanation.as_deref(),
            Self::Chart(_)
            | Self::Values(_)
            | Self::MissingDependencies { .. }
            | Self::NotInstallable(_)
            | Self::ReleaseName(_)
            | Self::Dependencies(_)
            | Self::Coalesce(_)
            | Self::KubeVersion { .. }
            | Self::Schema(_)
            | Self::IncompatibleKubeVersion { .. }
            | Self::Manifest { .. }
            | Self::ShowOnly(_) => None,
        }
    }

    /// Whether Helm had made a release when it failed: its command line then adds a hint about `--debug`.
    #[must_use]
    pub fn after_release(&self) -> bool {
        matches!(
            self,
            Self::Template { .. } | Self::Manifest { .. } | Self::IncompatibleKubeVersion { .. }
        )
    }
}
