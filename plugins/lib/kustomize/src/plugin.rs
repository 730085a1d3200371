//! The objects in `generators`, `transformers` and `validators`: configs of built-in kinds, or of registered plugins.

mod builtin;
pub(crate) mod foreign;

use crate::annotations;
use crate::build::Context;
use crate::decode::{Mode, Settings};
use crate::error::{Error, Problem, Result};
use crate::files::Role;
use crate::loader::Folder;
use crate::resource::Resource;
use crate::transform::Action;

pub(crate) use foreign::Foreign;

/// The annotations by which kustomize runs scripts and containers.
const FUNCTION: [&str; 3] = [
    "config.kubernetes.io/function",
    "config.k8s.io/function",
    "fn.kpt.dev/function",
];

/// Runs a generator.
pub(crate) fn generate(
    config: &Resource,
    folder: &Folder,
    context: &Context<'_>,
) -> Result<Vec<Resource>> {
    let made = match kind(config, context)? {
        Kind::BuiltIn => builtin::generate(config, &settings(config)?, folder, context),
        Kind::Registered(plugin) => {
            Foreign::new(plugin, Role::Generator, config)?.generate(context)
        }
    };
    made.map_err(|error| located(error, config))
}

/// Makes a transformer ready.
pub(crate) fn transformer(
    config: &Resource,
    folder: &Folder,
    context: &Context<'_>,
) -> Result<Action> {
    let made = match kind(config, context)? {
        Kind::BuiltIn => settings(config)
            .and_then(|settings| builtin::transformer(config, &settings, folder, context)),
        Kind::Registered(plugin) => {
            Foreign::new(plugin, Role::Transformer, config).map(Action::Foreign)
        }
    };
    made.map_err(|error| located(error, config))
}

/// Makes a validator ready. Built-in transformers can be used as such, if they change nothing.
pub(crate) fn validator(
    config: &Resource,
    folder: &Folder,
    context: &Context<'_>,
) -> Result<Action> {
    match kind(config, context)? {
        Kind::BuiltIn => transformer(config, folder, context),
        Kind::Registered(plugin) => {
            Foreign::new(plugin, Role::Validator, config).map(Action::Foreign)
        }
    }
}

enum Kind {
    BuiltIn,
    Registered(String),
}

fn kind(config: &Resource, context: &Context<'_>) -> Result<Kind> {
    if let Some(plugin) = config.annotation(annotations::PLUGIN) {
        if plugin.is_empty() {
            return Err(located(Error::new(Problem::PluginName), config));
        }
        if !context.options.plugins {
            let error =
                Error::new(Problem::PluginsOff).help("allow them with --enable-alpha-plugins");
            return Err(located(error, config));
        }
        return Ok(Kind::Registered(plugin.to_owned()));
    }
    let gvk = config.gvk();
    if gvk.group.is_empty() && gvk.version == "builtin" {
        return Ok(Kind::BuiltIn);
    }
    let function = FUNCTION.iter().any(|key| config.annotation(key).is_some());
    let problem = Problem::ForeignPlugin {
        id: config.id().to_string(),
        function,
    };
    Err(located(
        Error::new(problem).help(format!(
            "register a weir plugin and name it with the annotation `{}: NAME`; scripts and containers are not run",
            annotations::PLUGIN
        )),
        config,
    ))
}

/// The config as it would be read from a file of its own: it is printed and read again.
fn settings(config: &Resource) -> Result<Settings> {
    let mut node = config.node.clone();
    annotations::finish(&mut node, false, false);
    let value = crate::json::of(&node)?;
    Ok(Settings::made(
        value,
        config.file.as_deref().unwrap_or_default(),
    ))
}

/// Names the config that an error is about.
fn located(error: Error, config: &Resource) -> Error {
    let error = error.in_object(format!("plugin config {}", config.id()));
    match &config.file {
        Some(file) => error.in_file(file).at(config.node.span()),
        None => error,
    }
}

/// How plugin configs are read: unknown fields are ignored.
const MODE: Mode = Mode::Lenient;
