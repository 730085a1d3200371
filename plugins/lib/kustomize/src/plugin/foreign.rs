//! Plugins that are registered with weir.

use serde_json::Value;
use weir_k8s_yaml::Node;

use crate::build::Context;
use crate::error::{Error, Problem, Result};
use crate::files::{PluginCall, PluginError, Role};
use crate::id::ObjectId;
use crate::json;
use crate::resource::Resource;
use crate::set::ResourceSet;

/// A call of another plugin that is ready to run.
#[derive(Debug)]
pub(crate) struct Foreign {
    plugin: String,
    role: Role,
    config: String,
}

impl Foreign {
    pub(crate) fn new(plugin: String, role: Role, config: &Resource) -> Result<Self> {
        Ok(Self {
            plugin,
            role,
            config: json::text_of(&config.node)?,
        })
    }

    /// The objects that it makes.
    pub(crate) fn generate(&self, context: &Context<'_>) -> Result<Vec<Resource>> {
        self.run(Vec::new(), context)?
            .into_iter()
            .map(|node| checked(node, context))
            .collect()
    }

    /// Lets it change all objects. One that it gives back under its id keeps what is remembered about it.
    pub(crate) fn apply(&self, set: &mut ResourceSet, context: &Context<'_>) -> Result<()> {
        let documents = set
            .iter()
            .filter(|it| !it.deleted())
            .map(|it| json::text_of(&it.node))
            .collect::<Result<Vec<_>>>()?;
        let given = self.run(documents, context)?;
        if self.role == Role::Validator {
            return Ok(());
        }
        let mut before: Vec<Option<Resource>> = std::mem::take(set.items_mut())
            .into_iter()
            .map(Some)
            .collect();
        let mut by_id: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
        for (at, resource) in before.iter().enumerate() {
            if let Some(resource) = resource {
                by_id.insert(key(resource.id()), at);
            }
        }
        for node in given {
            let new = checked(node, context)?;
            let old = by_id.get(&key(new.id())).and_then(|at| before[*at].take());
            match old {
                Some(mut old) => {
                    old.node = new.node;
                    set.append(old)?;
                }
                None => set.append(new)?,
            }
        }
        Ok(())
    }

    fn run(&self, documents: Vec<String>, context: &Context<'_>) -> Result<Vec<Node>> {
        let call = PluginCall {
            name: self.plugin.clone(),
            role: self.role,
            config: self.config.clone(),
            documents,
            trees: Vec::new(),
        };
        run(&call, context)
    }
}

/// Runs a plugin and reads what it gives back.
pub(crate) fn run(call: &PluginCall, context: &Context<'_>) -> Result<Vec<Node>> {
    let given = context.host.run_plugin(call).map_err(|error| {
        let refused = matches!(error, PluginError::Refused(_));
        let made = Error::new(Problem::PluginFailed {
            plugin: call.name.clone(),
            role: call.role,
            error,
        });
        if refused {
            made.help("check that a plugin is registered under this name and may be run")
        } else {
            made
        }
    })?;
    let read = given.iter().map(|text| {
        let value: Value = serde_json::from_str(text).map_err(|error| {
            Error::new(Problem::PluginOutput {
                plugin: call.name.clone(),
                reason: error.to_string(),
            })
        })?;
        Ok(json::tree(&value))
    });
    read.collect()
}

fn checked(node: Node, context: &Context<'_>) -> Result<Resource> {
    crate::read::check(&node)?;
    Ok(Resource::new(node, None, context.schemas))
}

fn key(id: &ObjectId) -> String {
    format!("{}|{}", id, id.effective_namespace())
}
