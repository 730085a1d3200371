//! The kustomization file.

mod fields;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::decode::{At, Decode, Mode, Settings};
use crate::error::{Error, Problem, Result};

pub(crate) use fields::{
    GeneratorOptions, HelmChart, HelmGlobals, Image, Label, MapGenerator, ObjectMeta, PatchEntry,
    PatchOptions, Replacement, ReplacementEntry, ReplacementOptions, Replica, Selector,
    SortOptions, SourceSelector, SpecEntry, TargetSelector, Var,
};

/// The names that the file can have.
pub(crate) const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

const KUSTOMIZATION: &str = "Kustomization";
const COMPONENT: &str = "Component";

/// A kustomization file, with old fields moved into those that took their place.
#[derive(Debug, Default)]
pub(crate) struct Kustomization {
    pub(crate) component: bool,
    pub(crate) openapi: BTreeMap<String, String>,
    pub(crate) name_prefix: String,
    pub(crate) name_suffix: String,
    pub(crate) namespace: String,
    pub(crate) common_labels: BTreeMap<String, String>,
    pub(crate) common_annotations: BTreeMap<String, String>,
    pub(crate) labels: Vec<Label>,
    pub(crate) patches: Vec<PatchEntry>,
    pub(crate) patches_strategic_merge: Vec<String>,
    pub(crate) patches_json6902: Vec<PatchEntry>,
    pub(crate) images: Vec<Image>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) replacements: Vec<ReplacementEntry>,
    pub(crate) vars: Vec<Var>,
    pub(crate) sort_options: Option<SortOptions>,
    pub(crate) resources: Vec<String>,
    pub(crate) components: Vec<String>,
    pub(crate) crds: Vec<String>,
    pub(crate) config_maps: Vec<MapGenerator>,
    pub(crate) secrets: Vec<MapGenerator>,
    pub(crate) generator_options: Option<GeneratorOptions>,
    pub(crate) helm_globals: HelmGlobals,
    pub(crate) helm_charts: Vec<HelmChart>,
    pub(crate) configurations: Vec<String>,
    pub(crate) generators: Vec<String>,
    pub(crate) transformers: Vec<String>,
    pub(crate) validators: Vec<String>,
    pub(crate) build_metadata: Vec<String>,
    /// How many of `resources` stood under the old name `bases`.
    bases: usize,
    /// What to tell about old fields.
    pub(crate) warnings: Vec<String>,
}

const FIELDS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "openapi",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "patches",
    "images",
    "imageTags",
    "replacements",
    "replicas",
    "vars",
    "sortOptions",
    "resources",
    "components",
    "crds",
    "bases",
    "configMapGenerator",
    "secretGenerator",
    "helmGlobals",
    "helmCharts",
    "helmChartInflationGenerator",
    "generatorOptions",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "buildMetadata",
];

/// Old fields and what is written instead.
const DEPRECATED: [(&str, &str, &str); 6] = [
    ("bases", "resources", ""),
    ("commonLabels", "labels", ""),
    ("imageTags", "images", ""),
    ("patchesJson6902", "patches", ""),
    ("patchesStrategicMerge", "patches", ""),
    ("vars", "replacements", "[EXPERIMENTAL] "),
];

impl Kustomization {
    /// Reads a kustomization.
    pub(crate) fn decode(settings: &Settings, mode: Mode) -> Result<Self> {
        let root = settings.root(mode);
        let map = match &settings.value {
            Value::Object(map) => map,
            Value::Null => return Err(empty(settings)),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(root.wrong_type("a map"));
            }
        };
        let made = Self::read(&root)?;
        let says_something = |(name, value): (&String, &Value)| {
            let known = |other: &str| other.eq_ignore_ascii_case(name);
            let old_list =
                known("bases") || known("imageTags") || known("helmChartInflationGenerator");
            let empty = match value {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                Value::Array(items) => old_list && items.is_empty(),
                Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
            };
            !empty
                && !known("apiVersion")
                && !known("kind")
                && FIELDS.iter().any(|field| known(field))
        };
        if !map.iter().any(says_something) {
            return Err(empty(settings));
        }
        made.check_type(&root)?;
        Ok(made)
    }

    fn read(root: &At<'_>) -> Result<Self> {
        let fields = root.fields(FIELDS)?;
        fields.get::<ObjectMeta>("metadata")?;
        let bases: Vec<String> = fields.get("bases")?;
        let mut resources: Vec<String> = fields.get("resources")?;
        let count = bases.len();
        resources.extend(bases);
        let mut images: Vec<Image> = fields.get("images")?;
        images.extend(fields.get::<Vec<Image>>("imageTags")?);
        let mut helm_globals: Option<HelmGlobals> = fields.optional("helmGlobals")?;
        let mut helm_charts: Vec<HelmChart> = fields.get("helmCharts")?;
        for old in fields.get::<Vec<fields::OldHelmChart>>("helmChartInflationGenerator")? {
            if fields.has("helmGlobals") {
                helm_charts.push(old.chart);
                continue;
            }
            let globals = helm_globals.get_or_insert_default();
            globals.take(&old.globals);
            helm_charts.push(old.chart);
        }
        let warnings = DEPRECATED.iter().filter(|(old, ..)| fields.has(old)).map(|(old, new, note)| {
            format!(
                "# Warning: '{old}' is deprecated. Please use '{new}' instead. {note}Run 'kustomize edit fix' to update your Kustomization automatically."
            )
        });
        Ok(Self {
            component: fields.get::<String>("kind")? == COMPONENT,
            openapi: fields.get("openapi")?,
            name_prefix: fields.get("namePrefix")?,
            name_suffix: fields.get("nameSuffix")?,
            namespace: fields.get("namespace")?,
            common_labels: fields.get("commonLabels")?,
            common_annotations: fields.get("commonAnnotations")?,
            labels: fields.get("labels")?,
            patches: fields.get("patches")?,
            patches_strategic_merge: fields.get("patchesStrategicMerge")?,
            patches_json6902: fields.get("patchesJson6902")?,
            images,
            replicas: fields.get("replicas")?,
            replacements: fields.get("replacements")?,
            vars: fields.get("vars")?,
            sort_options: fields.optional("sortOptions")?,
            resources,
            components: fields.get("components")?,
            crds: fields.get("crds")?,
            config_maps: fields.get("configMapGenerator")?,
            secrets: fields.get("secretGenerator")?,
            generator_options: fields.optional("generatorOptions")?,
            helm_globals: helm_globals.unwrap_or_default(),
            helm_charts,
            configurations: fields.get("configurations")?,
            generators: fields.get("generators")?,
            transformers: fields.get("transformers")?,
            validators: fields.get("validators")?,
            build_metadata: fields.get("buildMetadata")?,
            bases: count,
            warnings: warnings.collect(),
        })
    }

    fn check_type(&self, root: &At<'_>) -> Result<()> {
        let fields = root.fields(FIELDS)?;
        let kind: String = fields.get("kind")?;
        let version: String = fields.get("apiVersion")?;
        if !["", KUSTOMIZATION, COMPONENT].contains(&kind.as_str()) {
            return fields.with("kind", |at| {
                Err(at.error(Problem::KustomizationKind {
                    found: kind.clone(),
                }))
            });
        }
        let (kind, wanted) = if self.component {
            (COMPONENT, "kustomize.config.k8s.io/v1alpha1")
        } else {
            (KUSTOMIZATION, "kustomize.config.k8s.io/v1beta1")
        };
        if !version.is_empty() && version != wanted {
            return fields.with("apiVersion", |at| {
                Err(at.error(Problem::KustomizationVersion {
                    kind,
                    wanted,
                    found: version.clone(),
                }))
            });
        }
        Ok(())
    }

    /// The path of an entry of `resources` in the file.
    pub(crate) fn resource_path(&self, at: usize) -> (&'static str, usize) {
        let own = self.resources.len() - self.bases;
        if at < own {
            ("resources", at)
        } else {
            ("bases", at - own)
        }
    }
}

fn empty(settings: &Settings) -> Error {
    Error::new(Problem::EmptyKustomization)
        .in_file(&settings.file)
        .help("name at least one file or folder under `resources`")
}

impl Decode for Kustomization {
    fn decode(at: &At<'_>) -> Result<Self> {
        Self::read(at)
    }
}
