//! From a chart and values to manifests, hooks and notes.

use std::rc::Rc;

use serde_json::{Map, Value};
use weir_chart::shared::{SharedMap, map_from, map_to};
use weir_chart::{
    Chart, ChartFile, Mode, Profile, coalesce_values, is_compatible, process_dependencies,
};
use weir_gotemplate as template;

use crate::engine::{Facts, Prepared, RenderedFile, run};
use crate::environment::Environment;
use crate::error::HelmError;
use crate::explain::Scene;
use crate::kube_version::{KubeVersion, default_api_versions};
use crate::manifest::{Hook, Manifest, sort};
use crate::objects::capabilities;
use crate::options::RenderOptions;

/// What came of a render.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The chart with its dependencies settled.
    pub chart: Chart,
    /// All values, those of subcharts below their names.
    pub values: SharedMap,
    /// The files of `crds/` with the paths that Helm shows, as they stand.
    pub crds: Vec<(String, ChartFile)>,
    /// What the release consists of, in the order of installation.
    pub manifests: Vec<Manifest>,
    /// What is run at events, in Helm's order.
    pub hooks: Vec<Hook>,
    /// The notes for people.
    pub notes: String,
    /// Whether [`Rendered::manifest`] begins with the CRDs.
    pub include_crds: bool,
}

/// Renders a chart.
///
/// # Errors
///
/// When the chart cannot be installed, does not fit the values or the Kubernetes version, or a template fails or makes
/// something that is no manifest.
pub fn render(
    prepared: &Prepared,
    values: &Map<String, Value>,
    options: &RenderOptions,
    environment: Rc<dyn Environment>,
) -> Result<Rendered, HelmError> {
    let Files {
        chart,
        values,
        texts,
    } = run_templates(prepared, values, options, environment)?;
    let (notes, texts) = take_notes(texts, chart.name(), options.subchart_notes);
    let (manifests, hooks) = sort(&texts, prepared.profile())?;
    Ok(Rendered {
        crds: chart.crds(),
        chart,
        values,
        manifests,
        hooks,
        notes,
        include_crds: options.include_crds,
    })
}

/// Renders a chart and gives what each file became, in the order of rendering, before anything is made of it.
///
/// # Errors
///
/// See [`render`].
pub fn render_files(
    prepared: &Prepared,
    values: &Map<String, Value>,
    options: &RenderOptions,
    environment: Rc<dyn Environment>,
) -> Result<Vec<(String, String)>, HelmError> {
    let files = run_templates(prepared, values, options, environment)?;
    let pair = |file: RenderedFile| (file.path, file.text);
    Ok(files.texts.into_iter().map(pair).collect())
}

/// What the templates made.
struct Files {
    chart: Chart,
    values: SharedMap,
    texts: Vec<RenderedFile>,
}

fn run_templates(
    prepared: &Prepared,
    values: &Map<String, Value>,
    options: &RenderOptions,
    environment: Rc<dyn Environment>,
) -> Result<Files, HelmError> {
    let profile = prepared.profile();
    check_chart(prepared.chart(), profile)?;
    if !is_release_name(&options.name) {
        return Err(HelmError::ReleaseName(options.name.clone()));
    }
    let given = map_from(values);
    let chart =
        process_dependencies(prepared.chart(), &given, profile).map_err(HelmError::Dependencies)?;
    let kube_version = kube_version(options, profile)?;
    let values =
        coalesce_values(&chart, &given, Mode::Coalesce, profile).map_err(HelmError::Coalesce)?;
    if !options.skip_schema_validation
        && has_schema(&chart)
        && let Some(problems) = prepared
            .schemas()
            .check(&chart, &Value::Object(map_to(&values)))
    {
        return Err(HelmError::Schema(problems));
    }
    let wanted = &chart.metadata.kube_version;
    if !wanted.is_empty() && !is_compatible(wanted, &kube_version.normalized) {
        return Err(HelmError::IncompatibleKubeVersion {
            wanted: wanted.clone(),
            version: kube_version.version,
        });
    }
    let facts = facts(options, &kube_version, profile);
    let scene = Scene {
        values: &values,
        profile,
    };
    let texts = run(prepared, &chart, &values, &facts, environment, &scene)?;
    Ok(Files {
        chart,
        values,
        texts,
    })
}

fn has_schema(chart: &Chart) -> bool {
    chart.schema.is_some() || chart.dependencies.iter().any(has_schema)
}

fn check_chart(chart: &Chart, profile: Profile) -> Result<(), HelmError> {
    if !matches!(chart.metadata.kind.as_str(), "" | "application") {
        return Err(HelmError::NotInstallable(chart.metadata.kind.clone()));
    }
    let missing = chart.missing_dependencies();
    if missing.is_empty() {
        return Ok(());
    }
    let words = if profile.is_helm3() {
        "An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies"
    } else {
        "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies"
    };
    Err(HelmError::MissingDependencies { words, missing })
}

/// Lower case letters, digits and dashes between them, in parts with dots between them.
fn is_release_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let part = |part: &str| {
        !part.is_empty()
            && part.chars().all(inner)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    name.len() <= 53 && name.split('.').all(part)
}

fn kube_version(options: &RenderOptions, profile: Profile) -> Result<KubeVersion, HelmError> {
    if let Some(version) = &options.cluster_kube_version {
        return Ok(version.clone());
    }
    let Some(version) = &options.kube_version else {
        return Ok(KubeVersion::default_of(profile));
    };
    KubeVersion::parse(version, profile).map_err(|source| HelmError::KubeVersion {
        version: version.clone(),
        source,
    })
}

fn facts(options: &RenderOptions, kube_version: &KubeVersion, profile: Profile) -> Facts {
    let mut api_versions = options
        .cluster_api_versions
        .clone()
        .unwrap_or_else(|| default_api_versions(profile));
    api_versions.extend(options.api_versions.iter().cloned());
    let helm_version = options.helm_version.as_deref().unwrap_or(match profile {
        Profile::Helm4 => "v4.2.4",
        Profile::Helm3 => "v3.21.4",
        Profile::Helm3_19 => "v3.19.5",
    });
    let release = [
        ("Name", options.name.as_str().into()),
        ("Namespace", options.namespace.as_str().into()),
        ("IsUpgrade", options.upgrade.into()),
        ("IsInstall", (!options.upgrade).into()),
        ("Revision", template::Value::Int(options.revision)),
        ("Service", "Helm".into()),
    ];
    Facts {
        release: release
            .into_iter()
            .map(|(key, value)| (template::Text::from_static(key), value))
            .collect(),
        capabilities: capabilities(kube_version, &api_versions, helm_version, profile),
        strict: options.strict,
        lint: options.lint,
        dns: options.dns,
        limits: options.limits,
    }
}

/// Takes the notes out of the rendered files.
fn take_notes(
    files: Vec<RenderedFile>,
    chart: &str,
    of_subcharts: bool,
) -> (String, Vec<RenderedFile>) {
    let (mut found, files): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|file| file.path.ends_with("NOTES.txt"));
    let own = format!("{chart}/templates/NOTES.txt");
    found.retain(|file| of_subcharts || file.path == own);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    let notes: Vec<String> = found
        .into_iter()
        .map(|file| file.text)
        .filter(|text| !text.is_empty())
        .collect();
    (notes.join("\n"), files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_names() {
        for name in ["a", "a-b.c1", "release-name"] {
            assert!(is_release_name(name), "{name}");
        }
        let long = "a".repeat(54);
        for name in ["", "A", "a_b", "-a", "a-", "a..b", &long] {
            assert!(!is_release_name(name), "{name}");
        }
    }
}
