//! Other plugins.

use serde::Serialize;
use serde_json::Value;

use crate::error::refusal;
use crate::raw::delegate as raw;
use crate::{Error, Result, Tree};

pub use crate::raw::delegate::Role;

/// Runs another plugin on `documents` and gives back what it made of them. It sees the main tree of this one, and `trees`.
pub fn run(
    name: &str,
    role: Role,
    config: &impl Serialize,
    documents: &[Value],
    trees: &[(String, &Tree)],
) -> Result<Vec<Value>> {
    let config = serde_json::to_string(config)?;
    let documents: Vec<String> = documents.iter().map(Value::to_string).collect();
    let trees: Vec<_> = trees
        .iter()
        .map(|(name, tree)| (name.clone(), tree.raw()))
        .collect();
    let made =
        raw::run(name, role, &config, &documents, &trees).map_err(|failure| match failure {
            raw::Failure::Refused(refused) => {
                Error::new(format!("running the plugin {name}: {}", refusal(&refused)))
            }
            raw::Failure::Failed(message) => {
                Error::new(format!("the plugin {name} failed: {message}"))
            }
        })?;
    made.iter()
        .map(|text| Ok(serde_json::from_str(text)?))
        .collect()
}
