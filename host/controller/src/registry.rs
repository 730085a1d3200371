//! Which component runs under which name: the built-in plugins, and those that Plugin objects register.

use std::collections::HashMap;
use std::sync::Arc;

use weir_api::weir::{PluginGrants, PluginLimits};
use weir_plugin::{Grants, Limits};
use weir_render::Registered;

/// Names to plugins. A Plugin object with the name of a built-in takes its place.
#[derive(Debug)]
pub(crate) struct Registry {
    built_in: Arc<HashMap<String, Registered>>,
    all: Arc<HashMap<String, Registered>>,
}

impl Registry {
    pub(crate) fn new(built_in: HashMap<String, Registered>) -> Self {
        let built_in = Arc::new(built_in);
        Self {
            all: built_in.clone(),
            built_in,
        }
    }

    /// A snapshot for one run.
    pub(crate) fn all(&self) -> Arc<HashMap<String, Registered>> {
        self.all.clone()
    }

    pub(crate) fn set(&mut self, name: &str, registered: Registered) {
        let mut all = (*self.all).clone();
        all.insert(name.to_owned(), registered);
        self.all = Arc::new(all);
    }

    /// A built-in of that name comes back.
    pub(crate) fn remove(&mut self, name: &str) {
        let mut all = (*self.all).clone();
        match self.built_in.get(name) {
            Some(built_in) => all.insert(name.to_owned(), built_in.clone()),
            None => all.remove(name),
        };
        self.all = Arc::new(all);
    }
}

pub(crate) fn grants(spec: &PluginGrants) -> Grants {
    let PluginGrants {
        files,
        objects,
        values,
        keys,
        hosts,
        documents,
        plugins,
    } = spec.clone();
    Grants {
        files,
        objects,
        values,
        keys,
        hosts,
        documents,
        plugins,
    }
}

/// The host's defaults with what the object says, within the host's ceilings.
pub(crate) fn limits(spec: &PluginLimits) -> Result<Limits, weir_api::duration::DurationError> {
    let mut limits = Limits::default();
    if let Some(mib) = spec.memory_mib {
        limits.memory_bytes = u64::from(mib) << 20;
    }
    if let Some(timeout) = &spec.timeout {
        let millis = u64::try_from(timeout.parse()?.as_millis()).unwrap_or(u64::MAX);
        limits.time_ms = millis;
        limits.host_time_ms = millis;
    }
    if let Some(objects) = spec.objects {
        limits.objects = u64::from(objects);
    }
    if let Some(mib) = spec.output_mib {
        limits.output_bytes = u64::from(mib) << 20;
    }
    Ok(limits.capped())
}
