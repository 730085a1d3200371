//! The types of the fields of a kustomization.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::decode::{At, Decode};
use crate::error::Result;
use crate::field_spec::FieldSpec;
use crate::id::Gvk;

/// `metadata`, which means nothing to a build.
#[derive(Debug, Default)]
pub(crate) struct ObjectMeta {
    pub(crate) name: String,
    pub(crate) namespace: String,
}

/// An entry of `labels`.
#[derive(Debug, Default, Clone)]
pub(crate) struct Label {
    pub(crate) pairs: BTreeMap<String, String>,
    pub(crate) include_selectors: bool,
    pub(crate) include_templates: bool,
    pub(crate) fields: Vec<SpecEntry>,
}

/// A field spec in a file.
#[derive(Debug, Default, Clone)]
pub(crate) struct SpecEntry {
    pub(crate) gvk: Gvk,
    pub(crate) path: String,
    pub(crate) create: bool,
}

/// An entry of `patches` and `patchesJson6902`.
#[derive(Debug, Default, Clone)]
pub(crate) struct PatchEntry {
    pub(crate) path: String,
    pub(crate) patch: String,
    pub(crate) target: Option<Selector>,
    pub(crate) options: PatchOptions,
}

/// What a patch may change.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct PatchOptions {
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
}

/// What selects objects.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) gvk: Gvk,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) labels: String,
    pub(crate) annotations: String,
}

/// An entry of `images`.
#[derive(Debug, Default, Clone)]
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) new_name: String,
    pub(crate) new_tag: String,
    pub(crate) tag_suffix: String,
    pub(crate) digest: String,
}

/// An entry of `replicas`.
#[derive(Debug, Default, Clone)]
pub(crate) struct Replica {
    pub(crate) name: String,
    pub(crate) count: i64,
}

/// An entry of `replacements`: a replacement, or the file that has some.
#[derive(Debug, Default, Clone)]
pub(crate) struct ReplacementEntry {
    pub(crate) path: String,
    pub(crate) replacement: Replacement,
}

/// A value and where it goes.
#[derive(Debug, Default, Clone)]
pub(crate) struct Replacement {
    pub(crate) source: Option<SourceSelector>,
    pub(crate) source_value: Option<String>,
    pub(crate) targets: Option<Vec<TargetSelector>>,
}

/// Where a replacement takes its value from.
#[derive(Debug, Default, Clone)]
pub(crate) struct SourceSelector {
    pub(crate) gvk: Gvk,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) field_path: String,
    pub(crate) options: Option<ReplacementOptions>,
}

/// Where a replacement puts its value.
#[derive(Debug, Default, Clone)]
pub(crate) struct TargetSelector {
    pub(crate) select: Option<Selector>,
    pub(crate) reject: Vec<Selector>,
    pub(crate) field_paths: Vec<String>,
    pub(crate) options: Option<ReplacementOptions>,
}

/// How a replacement cuts and creates.
#[derive(Debug, Default, Clone)]
pub(crate) struct ReplacementOptions {
    pub(crate) delimiter: String,
    pub(crate) index: i64,
    pub(crate) create: bool,
}

/// An entry of `vars`.
#[derive(Debug, Default, Clone)]
pub(crate) struct Var {
    pub(crate) name: String,
    pub(crate) object: Gvk,
    pub(crate) object_name: String,
    pub(crate) object_namespace: String,
    pub(crate) field_path: String,
}

/// `sortOptions`
#[derive(Debug, Default, Clone)]
pub(crate) struct SortOptions {
    pub(crate) order: String,
    pub(crate) legacy: Option<LegacySortOptions>,
}

/// The kinds that the legacy order puts first and last.
#[derive(Debug, Default, Clone)]
pub(crate) struct LegacySortOptions {
    pub(crate) first: Vec<String>,
    pub(crate) last: Vec<String>,
}

/// An entry of `configMapGenerator` and `secretGenerator`.
#[derive(Debug, Default, Clone)]
pub(crate) struct MapGenerator {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) behavior: String,
    pub(crate) literals: Vec<String>,
    pub(crate) files: Vec<String>,
    pub(crate) envs: Vec<String>,
    pub(crate) options: GeneratorOptions,
    /// Of Secrets only.
    pub(crate) secret_type: String,
}

/// `generatorOptions`, and `options` of a generator.
#[derive(Debug, Default, Clone)]
pub(crate) struct GeneratorOptions {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) disable_name_suffix_hash: bool,
    pub(crate) immutable: bool,
}

/// `helmGlobals`
#[derive(Debug, Default, Clone)]
pub(crate) struct HelmGlobals {
    pub(crate) chart_home: String,
    pub(crate) config_home: String,
}

/// An entry of `helmCharts`.
#[derive(Debug, Default, Clone)]
pub(crate) struct HelmChart {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) repo: String,
    pub(crate) release_name: String,
    pub(crate) name_template: String,
    pub(crate) namespace: String,
    pub(crate) values_file: String,
    pub(crate) additional_values_files: Vec<String>,
    pub(crate) values_inline: BTreeMap<String, Value>,
    pub(crate) values_merge: String,
    pub(crate) include_crds: bool,
    pub(crate) skip_hooks: bool,
    pub(crate) skip_tests: bool,
    pub(crate) api_versions: Vec<String>,
    pub(crate) kube_version: String,
    pub(crate) devel: bool,
}

/// An entry of `helmChartInflationGenerator`.
#[derive(Debug, Default)]
pub(crate) struct OldHelmChart {
    pub(crate) chart: HelmChart,
    pub(crate) globals: HelmGlobals,
}

impl Decode for ObjectMeta {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["name", "namespace", "labels", "annotations"])?;
        fields.get::<BTreeMap<String, String>>("labels")?;
        fields.get::<BTreeMap<String, String>>("annotations")?;
        Ok(Self {
            name: fields.get("name")?,
            namespace: fields.get("namespace")?,
        })
    }
}

impl Decode for Label {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["pairs", "includeSelectors", "includeTemplates", "fields"])?;
        Ok(Self {
            pairs: fields.get("pairs")?,
            include_selectors: fields.get("includeSelectors")?,
            include_templates: fields.get("includeTemplates")?,
            fields: fields.get("fields")?,
        })
    }
}

impl Decode for SpecEntry {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["group", "version", "kind", "path", "create"])?;
        Ok(Self {
            gvk: gvk(&fields)?,
            path: fields.get("path")?,
            create: fields.get("create")?,
        })
    }
}

impl SpecEntry {
    pub(crate) fn spec(&self) -> FieldSpec {
        FieldSpec::new(self.gvk.clone(), &self.path, self.create)
    }
}

impl Decode for PatchEntry {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["path", "patch", "target", "options"])?;
        Ok(Self {
            path: fields.get("path")?,
            patch: fields.get("patch")?,
            target: fields.optional("target")?,
            options: fields.get("options")?,
        })
    }
}

impl Decode for PatchOptions {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["allowNameChange", "allowKindChange"])?;
        Ok(Self {
            allow_name_change: fields.get("allowNameChange")?,
            allow_kind_change: fields.get("allowKindChange")?,
        })
    }
}

impl Decode for Selector {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&[
            "group",
            "version",
            "kind",
            "name",
            "namespace",
            "labelSelector",
            "annotationSelector",
        ])?;
        Ok(Self {
            gvk: gvk(&fields)?,
            name: fields.get("name")?,
            namespace: fields.get("namespace")?,
            labels: fields.get("labelSelector")?,
            annotations: fields.get("annotationSelector")?,
        })
    }
}

impl Decode for Image {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["name", "newName", "newTag", "tagSuffix", "digest"])?;
        Ok(Self {
            name: fields.get("name")?,
            new_name: fields.get("newName")?,
            new_tag: fields.get("newTag")?,
            tag_suffix: fields.get("tagSuffix")?,
            digest: fields.get("digest")?,
        })
    }
}

impl Decode for Replica {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["name", "count"])?;
        Ok(Self {
            name: fields.get("name")?,
            count: fields.get("count")?,
        })
    }
}

impl Decode for ReplacementEntry {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["path", "source", "sourceValue", "targets"])?;
        Ok(Self {
            path: fields.get("path")?,
            replacement: Replacement {
                source: fields.optional("source")?,
                source_value: fields.optional("sourceValue")?,
                targets: fields.optional("targets")?,
            },
        })
    }
}

impl Decode for Replacement {
    fn decode(at: &At<'_>) -> Result<Self> {
        Ok(ReplacementEntry::decode(at)?.replacement)
    }
}

impl Decode for SourceSelector {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&[
            "group",
            "version",
            "kind",
            "name",
            "namespace",
            "fieldPath",
            "options",
        ])?;
        Ok(Self {
            gvk: gvk(&fields)?,
            name: fields.get("name")?,
            namespace: fields.get("namespace")?,
            field_path: fields.get("fieldPath")?,
            options: fields.optional("options")?,
        })
    }
}

impl Decode for TargetSelector {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["select", "reject", "fieldPaths", "options"])?;
        Ok(Self {
            select: fields.optional("select")?,
            reject: fields.get("reject")?,
            field_paths: fields.get("fieldPaths")?,
            options: fields.optional("options")?,
        })
    }
}

impl Decode for ReplacementOptions {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["delimiter", "index", "encoding", "create"])?;
        fields.get::<String>("encoding")?;
        Ok(Self {
            delimiter: fields.get("delimiter")?,
            index: fields.get("index")?,
            create: fields.get("create")?,
        })
    }
}

impl Decode for Var {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["name", "objref", "fieldref"])?;
        let field_path: String = fields.with("fieldref", |at| {
            if at.value.is_null() {
                Ok(String::new())
            } else {
                at.fields(&["fieldPath"])?.get("fieldPath")
            }
        })?;
        let mut var = Self {
            name: fields.get("name")?,
            field_path,
            ..Self::default()
        };
        if var.field_path.is_empty() {
            "metadata.name".clone_into(&mut var.field_path);
        }
        fields.with("objref", |at| {
            if at.value.is_null() {
                return Ok(());
            }
            let fields = at.fields(&[
                "apiVersion",
                "group",
                "version",
                "kind",
                "name",
                "namespace",
            ])?;
            var.object = gvk(&fields)?;
            let api_version: String = fields.get("apiVersion")?;
            match api_version.split('/').collect::<Vec<_>>().as_slice() {
                [version] if !version.is_empty() => var.object.version = (*version).into(),
                [group, version] => {
                    var.object.group = (*group).into();
                    var.object.version = (*version).into();
                }
                _ => {}
            }
            var.object_name = fields.get("name")?;
            var.object_namespace = fields.get("namespace")?;
            Ok(())
        })?;
        Ok(var)
    }
}

impl Decode for SortOptions {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["order", "legacySortOptions"])?;
        Ok(Self {
            order: fields.get("order")?,
            legacy: fields.optional("legacySortOptions")?,
        })
    }
}

impl Decode for LegacySortOptions {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["orderFirst", "orderLast"])?;
        Ok(Self {
            first: fields.get("orderFirst")?,
            last: fields.get("orderLast")?,
        })
    }
}

impl Decode for MapGenerator {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&[
            "name",
            "namespace",
            "behavior",
            "literals",
            "files",
            "envs",
            "env",
            "options",
            "type",
        ])?;
        let mut envs: Vec<String> = fields.get("envs")?;
        envs.extend(Some(fields.get::<String>("env")?).filter(|env| !env.is_empty()));
        Ok(Self {
            name: fields.get("name")?,
            namespace: fields.get("namespace")?,
            behavior: fields.get("behavior")?,
            literals: fields.get("literals")?,
            files: fields.get("files")?,
            envs,
            options: fields.get("options")?,
            secret_type: fields.get("type")?,
        })
    }
}

impl Decode for GeneratorOptions {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&[
            "labels",
            "annotations",
            "disableNameSuffixHash",
            "immutable",
        ])?;
        Ok(Self {
            labels: fields.get("labels")?,
            annotations: fields.get("annotations")?,
            disable_name_suffix_hash: fields.get("disableNameSuffixHash")?,
            immutable: fields.get("immutable")?,
        })
    }
}

impl GeneratorOptions {
    /// Adds options that hold for all generators of a kustomization.
    pub(crate) fn add(&mut self, global: &GeneratorOptions) {
        for (own, global) in [
            (&mut self.labels, &global.labels),
            (&mut self.annotations, &global.annotations),
        ] {
            for (key, value) in global {
                own.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        self.disable_name_suffix_hash |= global.disable_name_suffix_hash;
        self.immutable |= global.immutable;
    }
}

impl Decode for HelmGlobals {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&["chartHome", "configHome"])?;
        Ok(Self {
            chart_home: fields.get("chartHome")?,
            config_home: fields.get("configHome")?,
        })
    }
}

impl HelmGlobals {
    /// Takes over what the other one says.
    pub(crate) fn take(&mut self, other: &HelmGlobals) {
        for (own, other) in [
            (&mut self.chart_home, &other.chart_home),
            (&mut self.config_home, &other.config_home),
        ] {
            if !other.is_empty() {
                own.clone_from(other);
            }
        }
    }
}

const CHART_FIELDS: &[&str] = &[
    "name",
    "version",
    "repo",
    "releaseName",
    "namespace",
    "additionalValuesFiles",
    "valuesFile",
    "valuesInline",
    "valuesMerge",
    "includeCRDs",
    "skipHooks",
    "apiVersions",
    "kubeVersion",
    "nameTemplate",
    "skipTests",
    "debug",
    "devel",
];

impl Decode for HelmChart {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(CHART_FIELDS)?;
        // What it shows of Helm's run goes to nobody here.
        fields.get::<bool>("debug")?;
        Ok(Self {
            name: fields.get("name")?,
            version: fields.get("version")?,
            repo: fields.get("repo")?,
            release_name: fields.get("releaseName")?,
            name_template: fields.get("nameTemplate")?,
            namespace: fields.get("namespace")?,
            values_file: fields.get("valuesFile")?,
            additional_values_files: fields.get("additionalValuesFiles")?,
            values_inline: fields.get("valuesInline")?,
            values_merge: fields.get("valuesMerge")?,
            include_crds: fields.get("includeCRDs")?,
            skip_hooks: fields.get("skipHooks")?,
            skip_tests: fields.get("skipTests")?,
            api_versions: fields.get("apiVersions")?,
            kube_version: fields.get("kubeVersion")?,
            devel: fields.get("devel")?,
        })
    }
}

impl Decode for OldHelmChart {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&[
            "chartName",
            "chartVersion",
            "chartRepoUrl",
            "chartHome",
            "chartRepoName",
            "helmBin",
            "helmHome",
            "values",
            "valuesLocal",
            "valuesMerge",
            "releaseName",
            "releaseNamespace",
            "extraArgs",
        ])?;
        Ok(Self {
            chart: HelmChart {
                name: fields.get("chartName")?,
                version: fields.get("chartVersion")?,
                repo: fields.get("chartRepoUrl")?,
                release_name: fields.get("releaseName")?,
                values_file: fields.get("values")?,
                values_inline: fields.get("valuesLocal")?,
                values_merge: fields.get("valuesMerge")?,
                ..HelmChart::default()
            },
            globals: HelmGlobals {
                chart_home: fields.get("chartHome")?,
                config_home: fields.get("helmHome")?,
            },
        })
    }
}

fn gvk(fields: &crate::decode::Fields<'_>) -> Result<Gvk> {
    Ok(Gvk {
        group: fields.get::<String>("group")?.into(),
        version: fields.get::<String>("version")?.into(),
        kind: fields.get::<String>("kind")?.into(),
    })
}
