//! The variables of a step.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use weir_sdk::raw::inputs;
use weir_sdk::raw::types::Refusal;
use weir_sdk::{Error, Result};
use weir_substitute::Variables;

use crate::config::{Config, From, Kind};

/// Reads the inputs in their order, and puts the variables of the config over them.
pub(crate) fn load(config: &Config) -> Result<Variables> {
    let mut variables = Variables::default();
    for from in &config.from {
        let failed = |why: String| {
            Error::new(format!(
                "substitute from '{}/{}' error: {why}",
                from.kind.as_str(),
                from.name
            ))
        };
        let Some(content) = read(from).map_err(failed)? else {
            continue;
        };
        let entries: BTreeMap<String, String> =
            serde_json::from_slice(&content).map_err(|error| failed(error.to_string()))?;
        for (name, value) in entries {
            let value = STANDARD
                .decode(value)
                .map_err(|error| failed(format!("{name}: {error}")))?;
            // Of a ConfigMap only `data` counts, which is text; what is none came from its `binaryData`.
            if from.kind == Kind::ConfigMap && std::str::from_utf8(&value).is_err() {
                continue;
            }
            variables.set(name, value);
        }
    }
    for (name, value) in &config.variables {
        variables.set(name, value);
    }
    Ok(variables)
}

/// The whole of a ConfigMap or Secret; `None` if it is optional and not there.
fn read(from: &From) -> std::result::Result<Option<Vec<u8>>, String> {
    match inputs::value(&format!("{}/{}", from.kind.as_str(), from.name)) {
        Ok(content) => Ok(Some(content)),
        Err(Refusal::Absent) if from.optional => Ok(None),
        Err(Refusal::Absent) => Err(format!(
            "{} {:?} not found",
            from.kind.resource(),
            from.name
        )),
        Err(Refusal::Denied(why) | Refusal::Unavailable(why) | Refusal::Invalid(why)) => Err(why),
    }
}
