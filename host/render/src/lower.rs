//! Lowering: from a unit's object to its recipe. A pure function of the object; whatever has to be read becomes a step or
//! a named input, so that the trace sees it.

mod helm_release;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use weir_api::ObjectName;
use weir_api::kustomize::{
    Decryption, DecryptionProvider, Kustomization, KustomizationSpec, PostBuild, SubstituteStrategy,
};
use weir_api::reference::SourceReference;
use weir_api::weir::{Pipeline, StepRole};
use weir_plugin::Role;

use crate::recipe::{FilterStep, InputRef, Recipe, SourceId, Step, UnitId};

pub use helm_release::{
    Capabilities, chart_name, lower_helm_release, release_name, release_namespace,
};

/// Why an object has no recipe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LowerError {
    /// Acting as if the field were not there would apply something else than was asked for.
    #[error("{field} is not supported by this version of weir; nothing was applied")]
    Unsupported { field: &'static str },
    #[error("{field}: {message}")]
    Invalid { field: String, message: String },
}

/// What an object leaves open: the controller and the person at the terminal decide it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LowerOptions {
    /// Whether a variable that is not set and has no default is an error.
    pub strict_substitution: bool,
    pub encrypted: Encrypted,
}

/// What happens to a unit with `spec.decryption`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encrypted {
    /// Encrypted documents and files stay as they are.
    Keep,
    /// They are decrypted.
    Decrypt { without_key: WithoutKey },
}

/// What is done about a file or object that no key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithoutKey {
    /// The unit fails.
    Fail,
    /// Placeholders stand in for the values, so that everything else can be seen.
    Placeholders,
}

impl LowerOptions {
    /// As kustomize-controller 1.9 does by default.
    pub fn controller() -> Self {
        Self {
            strict_substitution: true,
            encrypted: Encrypted::Decrypt {
                without_key: WithoutKey::Fail,
            },
        }
    }
}

/// `kustomize` over the source, whose encrypted files pass through `sops`; then `sops` on the objects that it made, then
/// `substitute`, as kustomize-controller does it.
pub fn lower_kustomization(
    object: &Kustomization,
    options: &LowerOptions,
) -> Result<Recipe, LowerError> {
    let spec = &object.spec;
    let name = name_of(&object.metadata);
    let mut build = kustomize_step(spec)?;
    let decrypt = match (&spec.decryption, options.encrypted) {
        (Some(decryption), Encrypted::Decrypt { without_key }) => {
            let config = decryption_config(decryption, without_key);
            build.filters.push(FilterStep {
                plugin: "sops".into(),
                config: config.clone(),
            });
            Some(decrypt_step(config))
        }
        (Some(_), Encrypted::Keep) | (None, _) => None,
    };
    let mut steps = vec![build];
    steps.extend(decrypt);
    steps.extend(
        spec.post_build
            .as_ref()
            .and_then(|post_build| substitute_step(post_build, &name, options)),
    );
    Ok(Recipe {
        unit: UnitId {
            kind: "Kustomization".into(),
            name: name.clone(),
        },
        source: source_id(&spec.source_ref, &name),
        steps,
        common: spec.common_metadata.clone().unwrap_or_default(),
        tainted: false,
    })
}

fn kustomize_step(spec: &KustomizationSpec) -> Result<Step, LowerError> {
    let mut config = Map::new();
    config.insert("profile".into(), "flux".into());
    config.insert(
        "path".into(),
        json!(plain_path(spec.path.as_deref().unwrap_or_default())?),
    );
    // kustomize-controller lets a kustomization read any file of its source.
    config.insert("loadRestrictions".into(), false.into());
    let mut flux = Map::new();
    let mut put = |key: &str, value: Value| {
        let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            flux.insert(key.to_owned(), value);
        }
    };
    put("namespace", json!(spec.target_namespace));
    put("namePrefix", json!(spec.name_prefix));
    put("nameSuffix", json!(spec.name_suffix));
    put("patches", json!(spec.patches));
    put("images", json!(spec.images));
    put("components", json!(spec.components));
    put(
        "ignoreMissingComponents",
        spec.ignore_missing_components
            .filter(|ignore| *ignore)
            .map_or(Value::Null, Value::Bool),
    );
    put("buildMetadata", json!(spec.build_metadata));
    if !flux.is_empty() {
        config.insert("flux".into(), Value::Object(flux));
    }
    Ok(Step {
        name: "kustomize".into(),
        plugin: "kustomize".into(),
        role: Some(Role::Generator),
        config: Value::Object(config),
        trees: BTreeMap::new(),
        inputs: BTreeMap::new(),
        filters: Vec::new(),
    })
}

/// As Flux does, which builds and edits before it decrypts: a MAC over the whole file could not match.
fn decryption_config(decryption: &Decryption, without_key: WithoutKey) -> Value {
    match decryption.provider {
        DecryptionProvider::Sops => json!({
            "withoutKey": match without_key {
                WithoutKey::Fail => "fail",
                WithoutKey::Placeholders => "placeholders",
            },
            "mac": "ignore",
        }),
    }
}

fn decrypt_step(config: Value) -> Step {
    Step {
        name: "decrypt".into(),
        plugin: "sops".into(),
        role: Some(Role::Transformer),
        config,
        trees: BTreeMap::new(),
        inputs: BTreeMap::new(),
        filters: Vec::new(),
    }
}

/// `None` if nothing can be substituted: there is no variable, and defaults alone do not count unless that is asked for.
fn substitute_step(
    post_build: &PostBuild,
    unit: &ObjectName,
    options: &LowerOptions,
) -> Option<Step> {
    let always = post_build.substitute_strategy == Some(SubstituteStrategy::Always);
    let from = &post_build.substitute_from;
    if from.is_empty() && post_build.substitute.is_empty() && !always {
        return None;
    }
    let mut inputs = BTreeMap::new();
    for reference in from {
        let kind = reference.kind.as_str();
        let input = inputs
            .entry(format!("{kind}/{}", reference.name))
            .or_insert_with(|| InputRef {
                kind: reference.kind,
                name: ObjectName::new(unit.namespace.clone(), reference.name.clone()),
                key: None,
                optional: true,
            });
        input.optional &= reference.optional;
    }
    Some(Step {
        name: "substitute".into(),
        plugin: "substitute".into(),
        role: Some(Role::Transformer),
        config: json!({
            "from": from,
            "variables": post_build.substitute,
            "strict": options.strict_substitution,
            "always": always,
        }),
        trees: BTreeMap::new(),
        inputs,
        filters: Vec::new(),
    })
}

/// The steps as their author wrote them.
pub fn lower_pipeline(object: &Pipeline) -> Result<Recipe, LowerError> {
    let name = name_of(&object.metadata);
    let steps = object
        .spec
        .steps
        .iter()
        .enumerate()
        .map(|(index, step)| {
            if step.plugin.is_empty() {
                return Err(LowerError::Invalid {
                    field: format!("spec.steps[{index}].plugin"),
                    message: "is empty; name a Plugin object or a built-in plugin".into(),
                });
            }
            Ok(Step {
                name: step.name.clone().unwrap_or_else(|| step.plugin.clone()),
                plugin: step.plugin.clone(),
                role: step.role.map(|role| match role {
                    StepRole::Generator => Role::Generator,
                    StepRole::Transformer => Role::Transformer,
                    StepRole::Validator => Role::Validator,
                }),
                config: step.config.clone().unwrap_or_else(|| json!({})),
                trees: step
                    .trees
                    .iter()
                    .map(|(tree, source)| (tree.clone(), source_id(source, &name)))
                    .collect(),
                inputs: step
                    .inputs
                    .iter()
                    .map(|(input, from)| {
                        let reference = InputRef {
                            kind: from.kind,
                            name: ObjectName::new(name.namespace.clone(), from.name.clone()),
                            key: from.key.clone(),
                            optional: from.optional,
                        };
                        (input.clone(), reference)
                    })
                    .collect(),
                filters: Vec::new(),
            })
        })
        .collect::<Result<_, _>>()?;
    Ok(Recipe {
        unit: UnitId {
            kind: "Pipeline".into(),
            name: name.clone(),
        },
        source: source_id(&object.spec.source_ref, &name),
        steps,
        common: weir_api::kustomize::CommonMetadata::default(),
        tainted: false,
    })
}

fn name_of(metadata: &kube::api::ObjectMeta) -> ObjectName {
    ObjectName::new(
        metadata.namespace.clone().unwrap_or_default(),
        metadata.name.clone().unwrap_or_default(),
    )
}

fn source_id(reference: &SourceReference, unit: &ObjectName) -> SourceId {
    let namespace = reference
        .namespace
        .clone()
        .unwrap_or_else(|| unit.namespace.clone());
    SourceId::new(reference.kind.as_str(), namespace, reference.name.clone())
}

/// `./apps/`, `/apps` and `apps` are the same folder; what climbs out of the source is refused.
fn plain_path(path: &str) -> Result<String, LowerError> {
    weir_tree::TreePath::root()
        .join(path.trim_start_matches('/'))
        .map(|path| path.as_str().to_owned())
        .map_err(|error| LowerError::Invalid {
            field: "spec.path".into(),
            message: error.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kustomization(spec: Value) -> Kustomization {
        let mut object = json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"namespace": "apps", "name": "web"},
            "spec": {"interval": "10m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "repo"}},
        });
        for (key, value) in spec.as_object().unwrap() {
            object["spec"][key] = value.clone();
        }
        serde_json::from_value(object).unwrap()
    }

    fn lower(spec: Value) -> Result<Recipe, LowerError> {
        lower_kustomization(&kustomization(spec), &LowerOptions::controller())
    }

    #[test]
    fn a_kustomization_is_one_step_over_its_source() {
        let recipe = lower(json!({"path": "./apps/web/", "targetNamespace": "x"})).unwrap();
        assert_eq!(recipe.unit.to_string(), "Kustomization/apps/web");
        assert_eq!(recipe.source.to_string(), "GitRepository/apps/repo");
        assert_eq!(recipe.steps.len(), 1);
        assert_eq!(
            recipe.steps[0].config,
            json!({"profile": "flux", "path": "apps/web", "loadRestrictions": false, "flux": {"namespace": "x"}})
        );
    }

    #[test]
    fn substitution_is_a_second_step_with_named_inputs() {
        let recipe = lower(json!({"postBuild": {
            "substitute": {"a": "b"},
            "substituteFrom": [
                {"kind": "ConfigMap", "name": "settings"},
                {"kind": "Secret", "name": "secrets", "optional": true},
            ],
        }}))
        .unwrap();
        let step = &recipe.steps[1];
        assert_eq!(
            step.config,
            json!({
                "from": [
                    {"kind": "ConfigMap", "name": "settings"},
                    {"kind": "Secret", "name": "secrets", "optional": true},
                ],
                "variables": {"a": "b"}, "strict": true, "always": false,
            })
        );
        let settings = &step.inputs["ConfigMap/settings"];
        assert_eq!(settings.name.to_string(), "apps/settings");
        assert!(!settings.optional && step.inputs["Secret/secrets"].optional);
    }

    #[test]
    fn without_a_variable_nothing_is_substituted_unless_asked_for() {
        let steps =
            |post_build: Value| lower(json!({"postBuild": post_build})).unwrap().steps.len();
        assert_eq!(steps(json!({})), 1);
        assert_eq!(steps(json!({"substituteStrategy": "WithVariables"})), 1);
        assert_eq!(steps(json!({"substituteStrategy": "Always"})), 2);
    }

    #[test]
    fn what_is_encrypted_is_decrypted_before_substitution_or_kept_as_it_is() {
        let object = kustomization(
            json!({"decryption": {"provider": "sops"}, "postBuild": {"substitute": {"a": "b"}}}),
        );
        let recipe = lower_kustomization(&object, &LowerOptions::controller()).unwrap();
        let names: Vec<&str> = recipe.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, ["kustomize", "decrypt", "substitute"]);
        let config = json!({"withoutKey": "fail", "mac": "ignore"});
        let filter = FilterStep {
            plugin: "sops".into(),
            config: config.clone(),
        };
        assert_eq!(recipe.steps[0].filters, [filter]);
        assert_eq!(recipe.steps[1].config, config);
        let keeping = LowerOptions {
            encrypted: Encrypted::Keep,
            ..LowerOptions::controller()
        };
        let kept = lower_kustomization(&object, &keeping).unwrap();
        assert_eq!(kept.steps.len(), 2);
        assert_eq!(kept.steps[0].filters, []);
    }

    #[test]
    fn a_path_may_not_climb_out() {
        let refused = lower(json!({"path": "../other"}));
        assert!(matches!(refused, Err(LowerError::Invalid { field, .. }) if field == "spec.path"));
    }
}
