//! A HelmRelease: `helm` over its chart, then `kustomize` for each post-renderer, as helm-controller 1.5 does it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use weir_api::ObjectName;
use weir_api::helm::{
    ChartReference, ChartSourceKind, CrdsPolicy, HelmRelease, HelmReleaseSpec, KustomizeRenderer,
    PostRenderStrategy, ValuesReference,
};
use weir_plugin::Role;

use super::{LowerError, name_of};
use crate::recipe::{InputRef, Recipe, SourceId, Step, UnitId};

/// Helm allows no longer name of a release.
const LONGEST_NAME: usize = 53;
/// What stays of a longer one, before a digest of the whole.
const KEPT: usize = 40;
const DIGEST: usize = 12;
/// The key of a ConfigMap or Secret that holds values, where none is named.
const VALUES_KEY: &str = "values.yaml";

/// What a chart is told of the cluster that it is rendered for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capabilities {
    /// What the cluster says: its version, its APIs, its objects.
    Cluster,
    /// This version of Kubernetes and the APIs that Helm knows; the objects are those that the world has.
    Version(String),
}

/// The recipe of a release. Its source is the chart: the HelmChart that helm-controller makes of the template, or what
/// `chartRef` names.
pub fn lower_helm_release(
    object: &HelmRelease,
    capabilities: &Capabilities,
) -> Result<Recipe, LowerError> {
    let spec = &object.spec;
    let name = name_of(&object.metadata);
    let source = chart_source(spec, &name)?;
    let mut steps = vec![helm_step(object, &name, capabilities)];
    let hooks = match spec.post_render_strategy {
        None | Some(PostRenderStrategy::Combined) => "combined",
        Some(PostRenderStrategy::Separate) => "separate",
        Some(PostRenderStrategy::NoHooks) => "nohooks",
    };
    let renderers = spec.post_renderers.iter().enumerate();
    steps.extend(renderers.filter_map(|(number, renderer)| {
        let kustomize = renderer.kustomize.as_ref()?;
        Some(post_render_step(number, kustomize, hooks))
    }));
    Ok(Recipe {
        unit: UnitId {
            kind: "HelmRelease".into(),
            name,
        },
        source,
        steps,
        common: spec.common_metadata.clone().unwrap_or_default(),
        tainted: false,
    })
}

/// The name of the release: what is stated, else the object's, after the target namespace if there is one. A long one is cut,
/// with a digest in place of the rest.
pub fn release_name(object: &HelmRelease) -> String {
    let spec = &object.spec;
    let own = name_of(&object.metadata).name;
    let full = match (given(&spec.release_name), given(&spec.target_namespace)) {
        (Some(name), _) => name.to_owned(),
        (None, Some(namespace)) => format!("{namespace}-{own}"),
        (None, None) => own,
    };
    if full.len() <= LONGEST_NAME {
        return full;
    }
    let digest = hex::encode(Sha256::digest(full.as_bytes()));
    let kept: String = full.chars().take(KEPT).collect();
    format!("{kept}-{}", &digest[..DIGEST])
}

/// Where the objects of a release go that state no namespace.
pub fn release_namespace(object: &HelmRelease) -> String {
    given(&object.spec.target_namespace).map_or_else(
        || object.metadata.namespace.clone().unwrap_or_default(),
        str::to_owned,
    )
}

/// The HelmChart of a release with a chart template: its name and namespace, as helm-controller chooses them.
pub fn chart_name(release: &ObjectName, source: &ChartReference) -> ObjectName {
    let namespace = given(&source.namespace).unwrap_or(&release.namespace);
    ObjectName::new(namespace, format!("{}-{}", release.namespace, release.name))
}

fn chart_source(spec: &HelmReleaseSpec, release: &ObjectName) -> Result<SourceId, LowerError> {
    let wrong = |field: &str, kind: ChartSourceKind| LowerError::Invalid {
        field: field.into(),
        message: format!("a {} is no source that can stand here", kind.as_str()),
    };
    match (&spec.chart, &spec.chart_ref) {
        (Some(chart), None) => {
            let source = &chart.spec.source_ref;
            match source.kind {
                ChartSourceKind::HelmRepository
                | ChartSourceKind::GitRepository
                | ChartSourceKind::Bucket => {}
                ChartSourceKind::OCIRepository
                | ChartSourceKind::HelmChart
                | ChartSourceKind::ExternalArtifact => {
                    return Err(wrong("spec.chart.spec.sourceRef.kind", source.kind));
                }
            }
            let name = chart_name(release, source);
            Ok(SourceId::new("HelmChart", name.namespace, name.name))
        }
        (None, Some(chart)) => match chart.kind {
            ChartSourceKind::OCIRepository
            | ChartSourceKind::HelmChart
            | ChartSourceKind::ExternalArtifact => Ok(SourceId::new(
                chart.kind.as_str(),
                given(&chart.namespace).unwrap_or(&release.namespace),
                chart.name.clone(),
            )),
            ChartSourceKind::HelmRepository
            | ChartSourceKind::GitRepository
            | ChartSourceKind::Bucket => Err(wrong("spec.chartRef.kind", chart.kind)),
        },
        (Some(_), Some(_)) | (None, None) => Err(LowerError::Invalid {
            field: "spec".into(),
            message: "either chart or chartRef must be set".into(),
        }),
    }
}

fn helm_step(object: &HelmRelease, release: &ObjectName, capabilities: &Capabilities) -> Step {
    let spec = &object.spec;
    let install = spec.install.clone().unwrap_or_default();
    let mut config = Map::new();
    // The tree of a chart's source is the chart as it was packaged.
    config.insert("chart".into(), json!({"packaged": true}));
    config.insert(
        "release".into(),
        json!({"name": release_name(object), "namespace": release_namespace(object)}),
    );
    match capabilities {
        Capabilities::Cluster => config.insert("cluster".into(), true.into()),
        Capabilities::Version(version) => {
            config.insert("lookup".into(), true.into());
            config.insert("kubeVersion".into(), version.as_str().into())
        }
    };
    if !spec.values_from.is_empty() {
        let references: Vec<Value> = spec.values_from.iter().map(reference_config).collect();
        config.insert("valuesFrom".into(), references.into());
    }
    if let Some(values) = spec.values.as_ref().filter(|values| !values.is_empty()) {
        config.insert("values".into(), Value::Object(values.clone()));
    }
    config.insert(
        "includeCrds".into(),
        (install.crds != Some(CrdsPolicy::Skip)).into(),
    );
    config.insert("hooks".into(), (!install.disable_hooks).into());
    let tested = spec.test.as_ref().is_some_and(|test| test.enable);
    config.insert("tests".into(), tested.into());
    if install.disable_schema_validation {
        config.insert("skipSchemaValidation".into(), true.into());
    }
    Step {
        name: "helm".into(),
        plugin: "helm".into(),
        role: Some(Role::Generator),
        config: Value::Object(config),
        trees: BTreeMap::new(),
        inputs: inputs(&spec.values_from, release),
        filters: Vec::new(),
    }
}

fn reference_config(reference: &ValuesReference) -> Value {
    let mut config = Map::new();
    config.insert("kind".into(), reference.kind.as_str().into());
    config.insert("name".into(), reference.name.clone().into());
    config.insert("valuesKey".into(), key(reference).into());
    if let Some(path) = given(&reference.target_path) {
        config.insert("targetPath".into(), path.into());
    }
    for (field, set) in [
        ("optional", reference.optional),
        ("literal", reference.literal),
    ] {
        if set {
            config.insert(field.into(), true.into());
        }
    }
    Value::Object(config)
}

/// What is named twice may be missing only if both say so.
fn inputs(references: &[ValuesReference], release: &ObjectName) -> BTreeMap<String, InputRef> {
    let mut inputs = BTreeMap::new();
    for reference in references {
        let (kind, key) = (reference.kind.as_str(), key(reference));
        let input = inputs
            .entry(format!("{kind}/{}/{key}", reference.name))
            .or_insert_with(|| InputRef {
                kind: reference.kind,
                name: ObjectName::new(release.namespace.clone(), reference.name.clone()),
                key: Some(key.to_owned()),
                optional: true,
            });
        input.optional &= reference.optional;
    }
    inputs
}

fn post_render_step(number: usize, renderer: &KustomizeRenderer, hooks: &str) -> Step {
    Step {
        name: format!("postRenderers[{number}]"),
        plugin: "kustomize".into(),
        role: Some(Role::Transformer),
        config: json!({
            "profile": "flux",
            "hooks": hooks,
            "flux": {"patches": renderer.patches, "images": renderer.images},
        }),
        trees: BTreeMap::new(),
        inputs: BTreeMap::new(),
        filters: Vec::new(),
    }
}

fn key(reference: &ValuesReference) -> &str {
    given(&reference.values_key).unwrap_or(VALUES_KEY)
}

/// An empty text is as good as none.
fn given(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(spec: Value) -> HelmRelease {
        serde_json::from_value(json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"namespace": "media", "name": "plex"}, "spec": spec,
        }))
        .unwrap()
    }

    fn lower(spec: Value) -> Result<Recipe, LowerError> {
        let capabilities = Capabilities::Version("v1.35.4".into());
        lower_helm_release(&release(spec), &capabilities)
    }

    fn template() -> Value {
        json!({"spec": {"chart": "app", "version": "1.x", "sourceRef": {"kind": "HelmRepository", "name": "charts", "namespace": "flux-system"}}})
    }

    #[test]
    fn a_release_is_helm_over_the_chart_that_its_template_makes() {
        let recipe = lower(json!({
            "chart": template(), "values": {"a": 1},
            "valuesFrom": [{"kind": "Secret", "name": "s", "optional": true}, {"kind": "ConfigMap", "name": "m", "valuesKey": "k", "targetPath": "x.y"}],
        }))
        .unwrap();
        assert_eq!(
            recipe.source.to_string(),
            "HelmChart/flux-system/media-plex"
        );
        assert_eq!(
            recipe.steps[0].config,
            json!({
                "chart": {"packaged": true},
                "release": {"name": "plex", "namespace": "media"},
                "kubeVersion": "v1.35.4",
                "lookup": true,
                "valuesFrom": [
                    {"kind": "Secret", "name": "s", "valuesKey": "values.yaml", "optional": true},
                    {"kind": "ConfigMap", "name": "m", "valuesKey": "k", "targetPath": "x.y"},
                ],
                "values": {"a": 1}, "includeCrds": true, "hooks": true, "tests": false,
            })
        );
        let inputs = &recipe.steps[0].inputs;
        assert!(inputs["Secret/s/values.yaml"].optional);
        assert_eq!(inputs["ConfigMap/m/k"].name.to_string(), "media/m");
    }

    #[test]
    fn names_are_those_of_helm_controller() {
        let name = |spec: Value| release_name(&release(spec));
        assert_eq!(name(json!({})), "plex");
        assert_eq!(name(json!({"targetNamespace": "tv"})), "tv-plex");
        assert_eq!(
            name(json!({"targetNamespace": "tv", "releaseName": "r"})),
            "r"
        );
        let long = "a-very-long-name-of-a-release-that-helm-does-not-allow-as-it-is";
        assert_eq!(
            name(json!({"releaseName": long})),
            format!(
                "{}-{}",
                &long[..40],
                &hex::encode(Sha256::digest(long.as_bytes()))[..12]
            )
        );
    }

    #[test]
    fn post_renderers_are_steps_in_their_order() {
        let recipe = lower(json!({
            "chartRef": {"kind": "OCIRepository", "name": "plex"},
            "commonMetadata": {"labels": {"a": "b"}},
            "postRenderStrategy": "separate",
            "postRenderers": [
                {"kustomize": {"images": [{"name": "x", "newTag": "2"}]}},
                {"kustomize": {"patches": [{"patch": "p", "target": {"kind": "Job"}}]}},
            ],
        }))
        .unwrap();
        assert_eq!(recipe.source.to_string(), "OCIRepository/media/plex");
        assert_eq!(recipe.steps.len(), 3);
        assert_eq!(
            recipe.steps[2].config,
            json!({"profile": "flux", "hooks": "separate",
                "flux": {"patches": [{"patch": "p", "target": {"kind": "Job"}}], "images": []}})
        );
        assert_eq!(recipe.common.labels["a"], "b");
    }

    #[test]
    fn one_chart_is_named() {
        for spec in [
            json!({}),
            json!({"chart": template(), "chartRef": {"kind": "HelmChart", "name": "a"}}),
            json!({"chartRef": {"kind": "GitRepository", "name": "a"}}),
        ] {
            let refused = lower(spec);
            assert!(
                matches!(refused, Err(LowerError::Invalid { .. })),
                "{refused:?}"
            );
        }
    }
}
