//! The built-in generators and transformers, configured by objects. No defaults are added to what these say.

use crate::build::Context;
use crate::config::Specs;
use crate::decode::{At, Decode, Fields, Settings};
use crate::error::{Error, Problem, Result, did_you_mean, nearest};
use crate::generate::helm;
use crate::generate::iam::IamPolicy;
use crate::generate::{self, MapKind};
use crate::kustomization::{
    HelmChart, HelmGlobals, Image, MapGenerator, ObjectMeta, PatchEntry, ReplacementEntry, Replica,
    Selector, SpecEntry,
};
use crate::loader::{Filtered, Folder};
use crate::patch::{JsonPatch, PatchStep, StrategicPatches};
use crate::plugin::MODE;
use crate::read;
use crate::replace::Replacements;
use crate::resource::Resource;
use crate::transform::{
    Action, Affix, AffixStep, ImageStep, MetadataStep, NamespaceStep, ReplicaStep, Subjects,
    ValueAddStep, ValueTarget,
};

const GENERATORS: [&str; 4] = [
    "ConfigMapGenerator",
    "SecretGenerator",
    "HelmChartInflationGenerator",
    "IAMPolicyGenerator",
];

const TRANSFORMERS: [&str; 14] = [
    "AnnotationsTransformer",
    "HashTransformer",
    "ImageTagTransformer",
    "LabelTransformer",
    "NamespaceTransformer",
    "PatchJson6902Transformer",
    "PatchStrategicMergeTransformer",
    "PatchTransformer",
    "PrefixSuffixTransformer",
    "PrefixTransformer",
    "ReplacementTransformer",
    "ReplicaCountTransformer",
    "SuffixTransformer",
    "ValueAddTransformer",
];

/// Runs a built-in generator.
pub(super) fn generate(
    config: &Resource,
    settings: &Settings,
    folder: &Folder,
    context: &Context<'_>,
) -> Result<Vec<Resource>> {
    let root = settings.root(MODE);
    let fields = root.fields(&[])?;
    let map = |kind: MapKind| -> Result<Vec<Resource>> {
        let metadata: ObjectMeta = fields.get("metadata")?;
        let mut entry: MapGenerator = root.get()?;
        if entry.name.is_empty() {
            entry.name = metadata.name;
        }
        if entry.namespace.is_empty() {
            entry.namespace = metadata.namespace;
        }
        Ok(vec![generate::map(kind, &entry, folder, context)?])
    };
    match config.kind() {
        "ConfigMapGenerator" => map(MapKind::ConfigMap),
        "SecretGenerator" => map(MapKind::Secret),
        "IAMPolicyGenerator" => Ok(vec![root.get::<IamPolicy>()?.generate(context)?]),
        "HelmChartInflationGenerator" => {
            let globals: HelmGlobals = root.get()?;
            let chart: HelmChart = root.get()?;
            helm::inflate(
                &chart,
                &globals,
                [&String::new(), &String::new()],
                folder,
                context,
            )
        }
        other => Err(wrong_kind(other, "generator", &GENERATORS, &TRANSFORMERS)),
    }
}

/// Makes a built-in transformer ready.
pub(super) fn transformer(
    config: &Resource,
    settings: &Settings,
    folder: &Folder,
    context: &Context<'_>,
) -> Result<Action> {
    let root = settings.root(MODE);
    let fields = root.fields(&[])?;
    match config.kind() {
        "AnnotationsTransformer" => Ok(Action::Annotations(MetadataStep {
            pairs: fields.get("annotations")?,
            specs: specs(&fields)?,
        })),
        "LabelTransformer" => Ok(Action::Labels(MetadataStep {
            pairs: fields.get("labels")?,
            specs: specs(&fields)?,
        })),
        "HashTransformer" => Ok(Action::Hash),
        "ImageTagTransformer" => {
            ImageStep::new(fields.get::<Image>("imageTag")?, &specs(&fields)?).map(Action::Image)
        }
        "NamespaceTransformer" => Ok(Action::Namespace(NamespaceStep {
            namespace: fields.get::<ObjectMeta>("metadata")?.namespace,
            specs: specs(&fields)?,
            unset_only: fields.get("unsetOnly")?,
            subjects: Subjects::parse(&fields.get::<String>("setRoleBindingSubjects")?)?,
        })),
        "PatchTransformer" => {
            PatchStep::new(&root.get::<PatchEntry>()?, folder, context).map(Action::Patch)
        }
        "PatchJson6902Transformer" => {
            let entry = PatchEntry {
                path: fields.get("path")?,
                patch: fields.get("jsonOp")?,
                target: fields.optional::<Selector>("target")?,
                ..PatchEntry::default()
            };
            JsonPatch::new(&entry, folder, context).map(Action::JsonPatch)
        }
        "PatchStrategicMergeTransformer" => strategic(&fields, folder, context),
        "PrefixTransformer" => affix(Affix::Prefix, &fields).map(Action::Affix),
        "SuffixTransformer" => affix(Affix::Suffix, &fields).map(Action::Affix),
        "PrefixSuffixTransformer" => {
            let (prefix, suffix) = (
                affix(Affix::Prefix, &fields)?,
                affix(Affix::Suffix, &fields)?,
            );
            Ok(Action::Both(
                Box::new(Action::Affix(prefix)),
                Box::new(Action::Affix(suffix)),
            ))
        }
        "ReplacementTransformer" => Replacements::new(
            &fields.get::<Vec<ReplacementEntry>>("replacements")?,
            folder,
            context,
        )
        .map(Action::Replacements),
        "ReplicaCountTransformer" => Ok(Action::Replicas(ReplicaStep {
            replica: fields.get::<Replica>("replica")?,
            specs: specs(&fields)?,
        })),
        "ValueAddTransformer" => value_add(&fields, folder, context),
        other => Err(wrong_kind(other, "transformer", &TRANSFORMERS, &GENERATORS)),
    }
}

fn strategic(fields: &Fields<'_>, folder: &Folder, context: &Context<'_>) -> Result<Action> {
    let paths: Vec<String> = fields.get("paths")?;
    let text: String = fields.get("patches")?;
    let mut patches = Vec::new();
    if !paths.is_empty() {
        patches.extend(StrategicPatches::read(&paths, folder, context)?);
    }
    if !text.is_empty() {
        patches.extend(read::inline(&text, context.schemas)?);
    }
    StrategicPatches::of(patches).map(Action::StrategicPatches)
}

fn affix(affix: Affix, fields: &Fields<'_>) -> Result<AffixStep> {
    let name = match affix {
        Affix::Prefix => "prefix",
        Affix::Suffix => "suffix",
    };
    if !fields.has("fieldSpecs") {
        return Err(Error::new(Problem::FieldSpecsMissing)
            .help("add `fieldSpecs: [{path: metadata/name}]`"));
    }
    Ok(AffixStep {
        affix,
        text: fields.get(name)?,
        specs: specs(fields)?,
    })
}

fn value_add(fields: &Fields<'_>, folder: &Folder, context: &Context<'_>) -> Result<Action> {
    let mut value = fields.get::<String>("value")?.trim().to_owned();
    if value.is_empty() {
        folder.name().clone_into(&mut value);
    }
    let mut targets: Vec<ValueTarget> = fields.get("targets")?;
    let file: String = fields.get("targetFilePath")?;
    if !file.is_empty() {
        let loaded = folder.load(context.host, context.options, &file, Filtered::No)?;
        let settings = Settings::parse(&loaded.content, &loaded.name)?;
        targets.extend(
            settings
                .root(MODE)
                .fields(&[])?
                .get::<Vec<ValueTarget>>("targets")?,
        );
    }
    if targets.is_empty() {
        return Err(
            Error::new(Problem::ValueTargets).help("add `targets`, each with a `fieldPath`")
        );
    }
    if targets.iter().any(|target| target.field_path.is_empty()) {
        return Err(Error::new(Problem::EmptyPathSegment).in_field("targets.fieldPath"));
    }
    Ok(Action::ValueAdd(ValueAddStep { value, targets }))
}

impl Decode for ValueTarget {
    fn decode(at: &At<'_>) -> Result<Self> {
        let fields = at.fields(&[])?;
        let position: i64 = fields.get("filePathPosition")?;
        let position = usize::try_from(position)
            .map_err(|_| at.wrong_type("a position that is not negative"))?;
        Ok(Self {
            selector: fields.optional("selector")?,
            field_path: fields.get("fieldPath")?,
            position,
        })
    }
}

fn specs(fields: &Fields<'_>) -> Result<Specs> {
    Ok(fields
        .get::<Vec<SpecEntry>>("fieldSpecs")?
        .iter()
        .map(SpecEntry::spec)
        .collect())
}

fn wrong_kind(found: &str, wanted: &'static str, known: &[&str], others: &[&str]) -> Error {
    let error = Error::new(Problem::BuiltInKind {
        kind: found.to_owned(),
        wanted,
    });
    if others.contains(&found) {
        return error.help(format!(
            "{found} is no {wanted}; move it to the other field"
        ));
    }
    let near = nearest(found, known.iter().copied());
    error.help(if near.is_empty() {
        format!("there are {}", known.join(", "))
    } else {
        did_you_mean(&near)
    })
}
