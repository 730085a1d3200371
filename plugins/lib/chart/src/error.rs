//! What can go wrong with a chart. Texts are Helm's, so that people find answers for them.

use weir_k8s_yaml::YamlError;

/// Why a chart could not be read or its dependencies not be resolved.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChartError {
    /// A file or folder of the tree could not be read.
    #[error("error reading {path}: {source}")]
    Read {
        /// The path within the chart.
        path: String,
        /// The tree's answer.
        source: TreeError,
    },
    /// Something in the folder is neither file nor folder.
    #[error("cannot load irregular file {0} as it has file mode type bits set")]
    Irregular(String),
    /// A file of a folder is too large.
    #[error("chart file {name:?} is larger than the maximum file size {limit}")]
    FileTooLarge {
        /// Its base name.
        name: String,
        /// The most bytes that a file may have.
        limit: u64,
    },
    /// `.helmignore` has a rule that cannot be read.
    #[error("{0}")]
    Ignore(String),
    /// The bytes are no chart archive.
    #[error("{0}")]
    Archive(String),
    /// A limit that Helm does not have was hit.
    #[error("chart has too many {what}: more than {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// There is no `Chart.yaml`.
    #[error("Chart.yaml file is missing")]
    NoChartYaml,
    /// One of the chart's own YAML files cannot be read.
    #[error("cannot load {file}: {message}")]
    File {
        /// Its name.
        file: &'static str,
        /// Why.
        message: String,
    },
    /// `Chart.yaml` breaks a rule.
    #[error("validation: {0}")]
    Validation(String),
    /// A chart below `charts/` cannot be loaded.
    #[error("error unpacking subchart {name} in {parent}: {source}")]
    Subchart {
        /// The folder or file.
        name: String,
        /// The chart that holds it.
        parent: String,
        /// Why.
        source: Box<ChartError>,
    },
    /// A file below `charts/` has the name of an archive and is a folder.
    #[error("error unpacking subchart tar in {parent}: expected {expected}, got {got}")]
    SubchartArchive {
        /// The chart that holds it.
        parent: String,
        /// The name of the archive.
        expected: String,
        /// The first file below it.
        got: String,
    },
    /// A subchart's values are no map.
    #[error("type mismatch on {name}: {shown}")]
    TypeMismatch {
        /// The subchart.
        name: String,
        /// The value as Go prints it.
        shown: String,
    },
    /// `Chart.yaml` names charts that are not there.
    #[error("found in Chart.yaml, but missing in charts/ directory: {}", .0.join(", "))]
    MissingDependencies(Vec<String>),
}

/// Why values could not be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ValuesError {
    /// A document of a values file is no YAML or no map.
    #[error("{prefix}{message}")]
    Document {
        /// Helm's words before the message.
        prefix: &'static str,
        /// The message of the YAML library.
        message: String,
    },
    /// A values file given by the person.
    #[error("failed to parse {file}: {source}")]
    File {
        /// Its name.
        file: String,
        /// Why.
        source: Box<ValuesError>,
    },
    /// An override such as `--set`.
    #[error("failed parsing --{flag} data{separator}{message}")]
    Override {
        /// The flag without dashes.
        flag: &'static str,
        /// What stands between.
        separator: &'static str,
        /// Why.
        message: String,
    },
    /// A file that an override names.
    #[error("{0}")]
    Source(#[from] TreeError),
    /// A `valuesFrom` reference.
    #[error(transparent)]
    Reference(Box<ReferenceError>),
}

/// A `valuesFrom` reference that gives no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "could not resolve {optional}{kind} chart values reference '{namespace}/{name}' with key '{key}': {reason}"
)]
pub struct ReferenceError {
    /// `optional ` or nothing.
    pub optional: &'static str,
    /// `Secret` or `ConfigMap`.
    pub kind: String,
    /// Of the object.
    pub namespace: String,
    /// Of the object.
    pub name: String,
    /// In its data.
    pub key: String,
    /// Why.
    pub reason: String,
}

impl ValuesError {
    pub(crate) fn yaml(prefix: &'static str, error: &YamlError) -> Self {
        Self::Document {
            prefix,
            message: format!("error converting YAML to JSON: {error}"),
        }
    }
}

/// A tree's answer when something cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TreeError {
    /// What it says.
    pub message: String,
}

impl TreeError {
    /// An error with that text.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}
