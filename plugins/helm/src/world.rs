//! What templates ask of the world, asked of the host.

use serde_json::{Value, json};
use weir_helm::{Environment, Lookup, LookupError};
use weir_sdk::{context, objects};

/// Answers through the contract.
pub(crate) struct Asking {
    /// Whether there are objects to look at. Without them `lookup` finds nothing, as in `helm template`.
    pub(crate) objects: bool,
}

impl Environment for Asking {
    fn time(&self) -> i64 {
        i64::try_from(context::time()).unwrap_or(i64::MAX)
    }

    fn random(&self, purpose: &str, place: &str, length: usize) -> Vec<u8> {
        context::random(purpose, place, u32::try_from(length).unwrap_or(u32::MAX))
    }

    fn lookup(&self, question: &Lookup<'_>) -> Result<Option<Value>, LookupError> {
        if !self.objects {
            return Ok(None);
        }
        let failed = |error: weir_sdk::Error| LookupError {
            message: error.to_string(),
        };
        let Lookup {
            api_version,
            kind,
            namespace,
            name,
        } = *question;
        if !name.is_empty() {
            return objects::get(api_version, kind, namespace, name).map_err(failed);
        }
        let items: Vec<Value> = objects::query(api_version, kind, namespace, "").map_err(failed)?;
        Ok(Some(json!({
            "apiVersion": api_version,
            "kind": format!("{kind}List"),
            "metadata": {},
            "items": items,
        })))
    }
}
