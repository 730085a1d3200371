//! The generators, transformers and validators of a level, in their order.

use super::{Accumulator, Level};
use crate::build::Context;
use crate::config::Config;
use crate::error::{Error, Problem, Result};
use crate::generate::{self, MapKind, helm};
use crate::kustomization::MapGenerator;
use crate::origin::{self, Origin};
use crate::patch::{JsonPatch, PatchStep, StrategicPatches};
use crate::plugin;
use crate::replace::Replacements;
use crate::resource::Resource;
use crate::transform::{
    Action, Affix, AffixStep, ImageStep, MetadataStep, NamespaceStep, ReplicaStep, Step, Subjects,
    label_specs,
};

/// The label that a validator may add.
const VALIDATED_BY: &str = "validated-by";

impl Level {
    pub(super) fn run_generators(
        &mut self,
        into: &mut Accumulator,
        context: &Context<'_>,
    ) -> Result<()> {
        for (kind, entries) in [
            (MapKind::ConfigMap, &self.kustomization.config_maps),
            (MapKind::Secret, &self.kustomization.secrets),
        ] {
            let origin = self.built_in_origin(kind.generator());
            for (at, entry) in entries.iter().enumerate() {
                let made = generate::map(kind, &self.with_options(entry), &self.folder, context)
                    .and_then(|made| absorb(into, vec![made], origin.as_ref(), context));
                made.map_err(|error| self.error(error, &[kind.field(), &at.to_string()]))?;
            }
        }
        let origin = self.built_in_origin("HelmChartInflationGenerator");
        for (at, chart) in self.kustomization.helm_charts.iter().enumerate() {
            let globals = &self.kustomization.helm_globals;
            let namespace = [&self.kustomization.namespace, &self.chart_namespace];
            let made = helm::inflate(chart, globals, namespace, &self.folder, context)
                .and_then(|made| absorb(into, made, origin.as_ref(), context));
            made.map_err(|error| self.error(error, &["helmCharts", &at.to_string()]))?;
        }
        let configs = self.configs("generators", &self.kustomization.generators, context)?;
        for config in configs {
            let origin = Origin::of_config(&config).filter(|_| self.origin.is_some());
            let made = plugin::generate(&config, &self.folder, context)
                .and_then(|made| absorb(into, made, origin.as_ref(), context));
            made.map_err(|error| self.error(error, &["generators"]))?;
        }
        Ok(())
    }

    pub(super) fn run_transformers(
        &mut self,
        into: &mut Accumulator,
        context: &Context<'_>,
    ) -> Result<()> {
        let mut steps = self.built_in_steps(&into.config, context)?;
        for config in self.configs("transformers", &self.kustomization.transformers, context)? {
            let origin = Origin::of_config(&config).filter(|_| self.origin.is_some());
            let action = plugin::transformer(&config, &self.folder, context)
                .map_err(|error| self.error(error, &["transformers"]))?;
            steps.push((vec!["transformers".to_owned()], Step { action, origin }));
        }
        for (path, step) in steps {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            step.action
                .apply(&mut into.set, context)
                .map_err(|error| self.error(error, &path))?;
            if let Some(origin) = &step.origin {
                origin::add_transformation(&mut into.set, origin);
            }
            into.set.drop_deleted();
        }
        Ok(())
    }

    pub(super) fn run_validators(
        &mut self,
        into: &mut Accumulator,
        context: &Context<'_>,
    ) -> Result<()> {
        for config in self.configs("validators", &self.kustomization.validators, context)? {
            let action = plugin::validator(&config, &self.folder, context)
                .map_err(|error| self.error(error, &["validators"]))?;
            let before = snapshot(into)?;
            action
                .apply(&mut into.set, context)
                .map_err(|error| self.error(error, &["validators"]))?;
            if snapshot(into)? != before {
                let name = config.id().to_string();
                return Err(self.error(
                    Error::new(Problem::ValidatorChanges { validator: name }),
                    &["validators"],
                ));
            }
        }
        Ok(())
    }

    /// The steps of the built-in fields, each with the path of its entry. All are made before any runs.
    fn built_in_steps(
        &self,
        config: &Config,
        context: &Context<'_>,
    ) -> Result<Vec<(Vec<String>, Step)>> {
        let own = &self.kustomization;
        let mut steps = Steps {
            level: self,
            list: Vec::new(),
        };
        if !own.patches_strategic_merge.is_empty() {
            steps.add(
                "PatchStrategicMergeTransformer",
                "patchesStrategicMerge",
                None,
                || {
                    StrategicPatches::new(&own.patches_strategic_merge, &self.folder, context)
                        .map(Action::StrategicPatches)
                },
            )?;
        }
        for (at, entry) in own.patches.iter().enumerate() {
            steps.add("PatchTransformer", "patches", Some(at), || {
                PatchStep::new(entry, &self.folder, context).map(Action::Patch)
            })?;
        }
        if !own.namespace.is_empty() {
            steps.add("NamespaceTransformer", "namespace", None, || {
                Ok(Action::Namespace(NamespaceStep {
                    namespace: own.namespace.clone(),
                    specs: config.namespace.clone(),
                    unset_only: false,
                    subjects: Subjects::NamedDefault,
                }))
            })?;
        }
        for (affix, kind, field, text, specs) in [
            (
                Affix::Prefix,
                "PrefixTransformer",
                "namePrefix",
                &own.name_prefix,
                &config.name_prefix,
            ),
            (
                Affix::Suffix,
                "SuffixTransformer",
                "nameSuffix",
                &own.name_suffix,
                &config.name_suffix,
            ),
        ] {
            if !text.is_empty() {
                steps.add(kind, field, None, || {
                    Ok(Action::Affix(AffixStep {
                        affix,
                        text: text.clone(),
                        specs: specs.clone(),
                    }))
                })?;
            }
        }
        for (at, label) in own.labels.iter().enumerate() {
            steps.add("LabelTransformer", "labels", Some(at), || {
                Ok(Action::Labels(MetadataStep {
                    pairs: label.pairs.clone(),
                    specs: label_specs(label, config)?,
                }))
            })?;
        }
        if !own.labels.is_empty() || !own.common_labels.is_empty() {
            steps.add("LabelTransformer", "commonLabels", None, || {
                Ok(Action::Labels(MetadataStep {
                    pairs: own.common_labels.clone(),
                    specs: config.common_labels.clone(),
                }))
            })?;
        }
        if !own.common_annotations.is_empty() {
            steps.add("AnnotationsTransformer", "commonAnnotations", None, || {
                Ok(Action::Annotations(MetadataStep {
                    pairs: own.common_annotations.clone(),
                    specs: config.common_annotations.clone(),
                }))
            })?;
        }
        for (at, entry) in own.patches_json6902.iter().enumerate() {
            steps.add(
                "PatchJson6902Transformer",
                "patchesJson6902",
                Some(at),
                || JsonPatch::new(entry, &self.folder, context).map(Action::JsonPatch),
            )?;
        }
        for (at, replica) in own.replicas.iter().enumerate() {
            steps.add("ReplicaCountTransformer", "replicas", Some(at), || {
                Ok(Action::Replicas(ReplicaStep {
                    replica: replica.clone(),
                    specs: config.replicas.clone(),
                }))
            })?;
        }
        for (at, image) in own.images.iter().enumerate() {
            steps.add("ImageTagTransformer", "images", Some(at), || {
                ImageStep::new(image.clone(), &config.images).map(Action::Image)
            })?;
        }
        if !own.replacements.is_empty() {
            steps.add("ReplacementTransformer", "replacements", None, || {
                Replacements::new(&own.replacements, &self.folder, context)
                    .map(Action::Replacements)
            })?;
        }
        Ok(steps.list)
    }

    fn built_in_origin(&self, kind: &str) -> Option<Origin> {
        self.origin
            .as_ref()
            .map(|origin| origin.built_in(self.file, kind))
    }

    fn with_options(&self, entry: &MapGenerator) -> MapGenerator {
        let mut entry = entry.clone();
        if let Some(global) = &self.kustomization.generator_options {
            entry.options.add(global);
        }
        entry
    }
}

/// The steps that are made so far.
struct Steps<'a> {
    level: &'a Level,
    list: Vec<(Vec<String>, Step)>,
}

impl Steps<'_> {
    fn add(
        &mut self,
        kind: &str,
        field: &str,
        at: Option<usize>,
        make: impl FnOnce() -> Result<Action>,
    ) -> Result<()> {
        let path: Vec<String> = std::iter::once(field.to_owned())
            .chain(at.map(|at| at.to_string()))
            .collect();
        let steps: Vec<&str> = path.iter().map(String::as_str).collect();
        let action = make().map_err(|error| self.level.error(error, &steps))?;
        self.list.push((
            path,
            Step {
                action,
                origin: self.level.built_in_origin(kind),
            },
        ));
        Ok(())
    }
}

/// Takes in what a generator made.
fn absorb(
    into: &mut Accumulator,
    made: Vec<Resource>,
    origin: Option<&Origin>,
    context: &Context<'_>,
) -> Result<()> {
    for mut resource in made {
        if let Some(origin) =
            origin.filter(|_| resource.annotation(crate::annotations::ORIGIN).is_none())
        {
            origin::set(&mut resource, origin);
        }
        into.set.absorb(resource, context.schemas)?;
    }
    Ok(())
}

/// What a validator may not change: everything but the label that says who validated.
fn snapshot(of: &Accumulator) -> Result<Vec<String>> {
    let all = of.set.iter().map(|resource| {
        let mut node = resource.node.clone();
        if let Some(labels) = node
            .get_mut("metadata")
            .and_then(|metadata| metadata.get_mut("labels"))
        {
            labels.remove(VALIDATED_BY);
            if crate::scalar::nil_or_empty(labels) {
                node.remove_at(&["metadata", "labels"]);
            }
        }
        weir_k8s_yaml::emit(&node, &weir_k8s_yaml::EmitOptions::kyaml()).map_err(Error::yaml)
    });
    all.collect()
}
