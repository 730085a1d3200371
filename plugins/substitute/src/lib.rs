//! The plugin `substitute`: the engine `weir-substitute` as a component.
//!
//! It is a transformer: it does to each object what kustomize-controller does for `spec.postBuild`. Its config
//! ([`config::Config`]) has the variables, and names the inputs that hold more; each is bound as `KIND/NAME` and is the whole
//! of a ConfigMap or Secret.
//!
//! Invariants: an object whose text has no `$` is not touched; inputs are read only if there is an object that wants
//! substitution, as in Flux; nothing is kept from one call to the next.

mod config;
mod load;

use serde_json::Value;
use weir_sdk::{
    About, Capability, Document, Error, Finding, Plugin, Result, Transformer, documents,
};
use weir_substitute::{
    ExpandError, Mode, SubstituteError, Variables, find_error, opted_out, substitute,
};

use config::{Config, SCHEMA};

struct Substitute;

weir_sdk::export!(Substitute: transformer);

impl Plugin for Substitute {
    type Config = Config;

    fn about() -> About {
        About::new("substitute", env!("CARGO_PKG_VERSION"))
            .summary("puts variables into objects as kustomize-controller does for spec.postBuild")
            .config_schema(SCHEMA)
            .wants(
                Capability::values(
                    ["*"],
                    "reads the ConfigMaps and Secrets that hold variables",
                )
                .optional(),
            )
            .wants(Capability::secrets("variables stand in Secrets too"))
            .memory_mib(256)
    }
}

impl Transformer for Substitute {
    fn transform(config: Config) -> Result<()> {
        let mode = if config.strict {
            Mode::Strict
        } else {
            Mode::Lenient
        };
        let mut variables = None;
        for document in documents::all()? {
            let object: Value = document.read()?;
            if opted_out(&object) {
                continue;
            }
            let variables = match &variables {
                Some(variables) => variables,
                None => variables.insert(
                    load::load(&config)
                        .map_err(|error| report(&document, &error.to_string(), None))?,
                ),
            };
            if variables.is_empty() && !config.always {
                return Ok(());
            }
            let changed = variables.check().and_then(|()| {
                if contains_dollar(&object) {
                    substitute(&object, variables, mode).map(Some)
                } else {
                    Ok(None)
                }
            });
            match changed {
                Ok(Some(changed)) => document.replace(&changed)?,
                Ok(None) => {}
                Err(error) => return Err(failed(&document, &object, variables, mode, &error)),
            }
        }
        Ok(())
    }
}

/// Without a `$` the text stays as it is, and what is written as YAML is read back the same.
fn contains_dollar(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('$'),
        Value::Array(items) => items.iter().any(contains_dollar),
        Value::Object(map) => map
            .iter()
            .any(|(key, item)| key.contains('$') || contains_dollar(item)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The error of an object, with the place in it and what to do.
fn failed(
    document: &Document,
    object: &Value,
    variables: &Variables,
    mode: Mode,
    error: &SubstituteError,
) -> Error {
    let place = match error {
        SubstituteError::Expand(_) => find_error(object, variables, mode),
        SubstituteError::Name { .. }
        | SubstituteError::Write(_)
        | SubstituteError::Read(_)
        | SubstituteError::NotAnObject { .. } => None,
    };
    let mut message = format!("envsubst error: {error}");
    // What stands in a Secret is shown to nobody.
    let secret = document.identity().kind == "Secret";
    if let Some((_, text)) = place.as_ref().filter(|_| !secret) {
        message.push_str(&format!(" in {text:?}"));
    }
    let help = match error {
        SubstituteError::Expand(ExpandError::NotSet(name)) => format!(
            "set {name} in postBuild.substitute or in an object of postBuild.substituteFrom, or give a default as in ${{{name}:=value}}"
        ),
        SubstituteError::Expand(_) => format!(
            "write $${{ where ${{ is meant literally, or give the object the annotation {}: disabled",
            weir_substitute::ANNOTATION
        ),
        SubstituteError::Name { .. } => "every key of the objects in postBuild.substituteFrom has to be a name; move this one to another object".to_owned(),
        SubstituteError::Read(_) | SubstituteError::NotAnObject { .. } => {
            "a value changes the YAML around it: use it in a block of text, or between quotes that come from a variable".to_owned()
        }
        SubstituteError::Write(_) => String::new(),
    };
    report(
        document,
        &message,
        Some((place.map(|(pointer, _)| pointer).unwrap_or_default(), help)),
    )
}

/// Reports what is wrong with an object in Flux's words, and gives the same as the result of the call.
fn report(document: &Document, message: &str, place_and_help: Option<(String, String)>) -> Error {
    let message = format!("post build failed for '{}': {message}", flux_name(document));
    let (pointer, help) = place_and_help.unwrap_or_default();
    Finding::error("substitute", &message)
        .about(document)
        .field(pointer)
        .help(help)
        .report();
    Error::new(message)
}

/// `Deployment.v1.apps/web`
fn flux_name(document: &Document) -> String {
    let identity = document.identity();
    let (group, version) = identity
        .api_version
        .split_once('/')
        .unwrap_or(("[noGrp]", &identity.api_version));
    format!("{}.{version}.{group}/{}", identity.kind, identity.name)
}
