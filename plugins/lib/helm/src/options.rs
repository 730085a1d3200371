//! What a render is told beside chart and values.

use weir_gotemplate::Limits;

use crate::kube_version::KubeVersion;

/// How a chart is rendered. Which Helm is followed stands with the chart: [`crate::Prepared::profile`].
#[derive(Debug, Clone)]
pub struct RenderOptions {
    /// `.Release.Name`
    pub name: String,
    /// `.Release.Namespace`
    pub namespace: String,
    /// `.Release.Revision`
    pub revision: i64,
    /// Whether it is an upgrade and no installation.
    pub upgrade: bool,
    /// The Kubernetes version as a person gives it; Helm's own if none.
    pub kube_version: Option<String>,
    /// What a cluster says of itself; wins over `kube_version`.
    pub cluster_kube_version: Option<KubeVersion>,
    /// The APIs of the cluster; those that Helm assumes if none.
    pub cluster_api_versions: Option<Vec<String>>,
    /// More APIs.
    pub api_versions: Vec<String>,
    /// What `.Capabilities.HelmVersion` says; the profile's release if none.
    pub helm_version: Option<String>,
    /// Whether the manifest begins with the files of `crds/`.
    pub include_crds: bool,
    /// Whether notes of subcharts count.
    pub subchart_notes: bool,
    /// Whether `values.schema.json` is left alone.
    pub skip_schema_validation: bool,
    /// Whether a missing key is an error.
    pub strict: bool,
    /// Whether `required` and `fail` let things pass.
    pub lint: bool,
    /// Whether `getHostByName` asks the environment.
    pub dns: bool,
    /// What templates may use.
    pub limits: Limits,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            name: "release-name".to_owned(),
            namespace: "default".to_owned(),
            revision: 1,
            upgrade: false,
            kube_version: None,
            cluster_kube_version: None,
            cluster_api_versions: None,
            api_versions: Vec::new(),
            helm_version: None,
            include_crds: false,
            subchart_notes: false,
            skip_schema_validation: false,
            strict: false,
            lint: false,
            dns: false,
            limits: Limits::default(),
        }
    }
}
