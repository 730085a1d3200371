//! The plugin `helm`: the engine `weir-helm` as a component.
//!
//! It is a generator. Its config ([`config::Config`]) says which chart is rendered for which release, and with which
//! values; the objects of the manifest become the step's documents in the order of installation. On request it attaches
//! what `helm template` prints, and what the record of a release needs: manifest, hooks, notes, values.
//!
//! Reading a chart and parsing its templates is the preparer's work, which the host keeps for all releases of the chart.
//!
//! Invariant: everything that a chart asks goes to the host as one question; no call keeps anything for the next.

mod config;
mod load;
mod name;
mod world;

use std::mem::ManuallyDrop;
use std::rc::Rc;

use serde_json::{Map, Value, json};
use weir_chart::shared::map_to;
use weir_helm::{HelmError, Hook, Rendered, render, render_files};
use weir_k8s_yaml::{ParseOptions, Schema, resolve};
use weir_sdk::documents::Place;
use weir_sdk::{
    About, Capability, Error, Finding, Generator, Plugin, Preparer, Result, context, documents,
};

use config::{Config, SCHEMA, YamlRules};
use world::Asking;

struct Helm;

weir_sdk::export!(Helm: generator, preparer);

impl Plugin for Helm {
    type Config = Config;

    fn about() -> About {
        About::new("helm", env!("CARGO_PKG_VERSION"))
            .summary("renders charts as Helm 4.2 does")
            .config_schema(SCHEMA)
            .wants(Capability::files(["**"], "reads charts and values files"))
            .wants(
                Capability::values(["*"], "reads the ConfigMaps and Secrets of valuesFrom")
                    .optional(),
            )
            .wants(Capability::objects(["*"], "answers the function lookup").optional())
            .memory_mib(512)
    }
}

impl Generator for Helm {
    fn generate(mut config: Config) -> Result<()> {
        let profile = config.profile();
        if !config.release.name_template.is_empty() {
            config.release.name = name::make(&config.release, profile)?;
        }
        // The instance ends with the call: to take the chart apart would be a tenth of the work.
        let prepared = ManuallyDrop::new(load::prepared(&config.chart, config.profile)?);
        let name = prepared.chart().name();
        weir_sdk::report::progress(format_args!("rendering chart {name}"));
        let mut options = config.options();
        if config.cluster {
            options
                .kube_version
                .get_or_insert_with(context::kube_version);
            options.cluster_api_versions = Some(context::api_versions());
        }
        let environment = Rc::new(Asking {
            objects: config.cluster || config.lookup,
        });
        let values = load::values(&config).map_err(|error| report(&error, &config))?;
        if config.files {
            let files = render_files(&prepared, &values, &options, environment)
                .map_err(|error| report(&error, &config))?;
            let files: Map<String, Value> = files
                .into_iter()
                .map(|(path, text)| (path, text.into()))
                .collect();
            return documents::attach("files", serde_json::to_string(&files)?.as_bytes());
        }
        let rendered = render(&prepared, &values, &options, environment)
            .map_err(|error| report(&error, &config))?;
        let rendered = ManuallyDrop::new(rendered);
        if let Some(output) = &config.output {
            let text = rendered
                .template_output(&output.options(), profile)
                .map_err(|error| report(&error, &config))?;
            documents::attach("output", text.as_bytes())?;
        }
        if config.attach {
            attach(&rendered)?;
        }
        match config.objects {
            true => hand_over(&rendered, &config),
            false => Ok(()),
        }
    }
}

impl Preparer for Helm {
    fn prepare(config: &str) -> Result<Option<Vec<u8>>> {
        load::pack(config)
    }
}

/// Gives the objects to the host: the files of `crds/`, the manifest, and hooks if they are wanted.
fn hand_over(rendered: &Rendered, config: &Config) -> Result<()> {
    if rendered.include_crds {
        for (path, file) in &rendered.crds {
            match config.yaml {
                YamlRules::Helm => {
                    documents::add_yaml(&file.text(), Some(&place(config, path, 0)))?;
                }
                YamlRules::Kustomize => add_text(&file.text(), (path, 0), config)?,
            }
        }
    }
    for manifest in rendered
        .manifests
        .iter()
        .filter(|manifest| manifest.json != "null")
    {
        let place = (manifest.path.as_str(), manifest.line);
        add(&manifest.json, &manifest.text, place, config)?;
    }
    if config.hooks {
        let wanted = rendered
            .hooks
            .iter()
            .filter(|hook| config.tests || !hook.is_test());
        for hook in wanted {
            add(&hook.json, &hook.text, (&hook.path, hook.line), config)?;
        }
    }
    Ok(())
}

/// A template as Helm shows it, and a line of it.
type At<'a> = (&'a str, u32);

fn add(json: &str, text: &str, at: At<'_>, config: &Config) -> Result<()> {
    match config.yaml {
        YamlRules::Helm => add_json(json, at, config),
        YamlRules::Kustomize => add_text(text, at, config),
    }
}

/// Adds what kustomize reads from a text.
fn add_text(text: &str, at: At<'_>, config: &Config) -> Result<()> {
    // Helm prints a newline after each document, which a block text at its end keeps.
    let text = format!("{text}\n");
    for document in weir_k8s_yaml::documents(&text, &ParseOptions::default()) {
        let object = document
            .and_then(|document| resolve(&document.root, Schema::Kyaml))
            .map_err(|error| Error::new(error).context(format!("the template {}", at.0)))?;
        if !object.is_null() {
            add_json(&object.to_string(), at, config)?;
        }
    }
    Ok(())
}

fn add_json(json: &str, (path, line): At<'_>, config: &Config) -> Result<()> {
    documents::add_json(json, Some(&place(config, path, line)))
        .map_err(|error| error.context(format!("the template {path}")))
}

/// What the record of a release holds beside the chart.
fn attach(rendered: &Rendered) -> Result<()> {
    documents::attach("manifest", rendered.manifest().as_bytes())?;
    documents::attach("notes", rendered.notes.as_bytes())?;
    let hooks: Vec<Value> = rendered.hooks.iter().map(hook).collect();
    documents::attach("hooks", serde_json::to_string(&hooks)?.as_bytes())?;
    documents::attach(
        "values",
        serde_json::to_string(&map_to(&rendered.values))?.as_bytes(),
    )
}

fn hook(hook: &Hook) -> Value {
    json!({
        "name": hook.name,
        "kind": hook.kind,
        "path": hook.path,
        "manifest": hook.text,
        "events": hook.events,
        "weight": hook.weight,
        "deletePolicies": hook.delete_policies,
        "outputLogPolicies": hook.log_policies,
    })
}

/// The file of a template in the chart's tree. The path that Helm shows begins with the chart's name.
fn place(config: &Config, shown: &str, line: u32) -> Place {
    let inside = shown.split_once('/').map_or(shown, |(_, path)| path);
    let path = match config.chart.path.as_str() {
        "" => inside.to_owned(),
        folder => format!("{folder}/{inside}"),
    };
    Place {
        path,
        line,
        column: 0,
    }
}

/// Reports what Helm does not say, with its place, and gives Helm's text as the result of the call.
fn report(error: &HelmError, config: &Config) -> Error {
    if let Some(explanation) = error.explanation() {
        let message = match explanation.hints.first() {
            Some(hint) => hint.clone(),
            None => format!("{} failed", explanation.expression),
        };
        let mut help = explanation.hints.get(1..).unwrap_or_default().join("; ");
        for from in &explanation.stack {
            if !help.is_empty() {
                help.push_str("; ");
            }
            help.push_str("included from ");
            help.push_str(from);
        }
        let mut at = place(config, &explanation.file, 0);
        at.line = explanation.line;
        at.column = explanation.column + 1;
        Finding::error("template", message)
            .at(at)
            .help(help)
            .report();
    }
    Error::new(error)
}
