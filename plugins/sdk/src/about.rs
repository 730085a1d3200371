//! What a plugin says about itself.

use crate::raw::exports::plugin::exports::weir::plugin::plugin as raw;

/// A plugin's description of itself.
#[derive(Clone, Debug)]
pub struct About {
    name: String,
    version: String,
    summary: String,
    config_schema: String,
    capabilities: Vec<Capability>,
    memory_mib: u32,
    time_ms: u32,
}

/// Something that a plugin would like to be granted.
#[derive(Clone, Debug)]
pub struct Capability {
    what: &'static str,
    names: Vec<String>,
    required: bool,
    reason: String,
}

impl About {
    /// `name` has lower-case letters, digits and "-"; `version` is like "1.2.0", and `env!("CARGO_PKG_VERSION")` does.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            summary: String::new(),
            config_schema: String::new(),
            capabilities: Vec::new(),
            memory_mib: 0,
            time_ms: 0,
        }
    }

    /// What the plugin does, in one line.
    #[must_use]
    pub fn summary(mut self, text: &str) -> Self {
        text.clone_into(&mut self.summary);
        self
    }

    /// A JSON Schema (2020-12) of the config, which is checked before the plugin runs. Without one the plugin takes no
    /// config.
    #[must_use]
    pub fn config_schema(mut self, json: &str) -> Self {
        json.clone_into(&mut self.config_schema);
        self
    }

    /// Asks for a grant.
    #[must_use]
    pub fn wants(mut self, capability: Capability) -> Self {
        self.capabilities.push(capability);
        self
    }

    /// How much memory a call may need, in place of the host's default.
    #[must_use]
    pub fn memory_mib(mut self, mib: u32) -> Self {
        self.memory_mib = mib;
        self
    }

    /// How long a call may take, in place of the host's default.
    #[must_use]
    pub fn time_ms(mut self, milliseconds: u32) -> Self {
        self.time_ms = milliseconds;
        self
    }
}

impl Capability {
    /// Files, by globs of paths in the trees.
    pub fn files<N: Into<String>>(globs: impl IntoIterator<Item = N>, reason: &str) -> Self {
        Self::new("files", globs, reason)
    }

    /// Look-ups of kinds in the cluster: "Kind.group", with "/namespace" and "/namespace/name" to narrow.
    pub fn objects<N: Into<String>>(kinds: impl IntoIterator<Item = N>, reason: &str) -> Self {
        Self::new("objects", kinds, reason)
    }

    /// Named inputs that the step has to bind.
    pub fn values<N: Into<String>>(names: impl IntoIterator<Item = N>, reason: &str) -> Self {
        Self::new("values", names, reason)
    }

    /// Schemes for [`crate::keys::unwrap`].
    pub fn keys<N: Into<String>>(schemes: impl IntoIterator<Item = N>, reason: &str) -> Self {
        Self::new("keys", schemes, reason)
    }

    /// Hosts: "https://host[:port]" or "https://*.example.com".
    pub fn hosts<N: Into<String>>(origins: impl IntoIterator<Item = N>, reason: &str) -> Self {
        Self::new("hosts", origins, reason)
    }

    /// The data of Secrets, which is otherwise opaque.
    pub fn secrets(reason: &str) -> Self {
        Self::new("documents", ["Secret"], reason)
    }

    /// Other plugins that this one runs.
    pub fn plugins<N: Into<String>>(names: impl IntoIterator<Item = N>, reason: &str) -> Self {
        Self::new("plugins", names, reason)
    }

    /// The plugin works without it, if less well.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    fn new<N: Into<String>>(
        what: &'static str,
        names: impl IntoIterator<Item = N>,
        reason: &str,
    ) -> Self {
        Self {
            what,
            names: names.into_iter().map(Into::into).collect(),
            required: true,
            reason: reason.to_owned(),
        }
    }
}

impl From<About> for raw::About {
    fn from(about: About) -> Self {
        Self {
            name: about.name,
            version: about.version,
            summary: about.summary,
            config_schema: about.config_schema,
            capabilities: about.capabilities.into_iter().map(Into::into).collect(),
            memory_mib: about.memory_mib,
            time_ms: about.time_ms,
        }
    }
}

impl From<Capability> for raw::Capability {
    fn from(capability: Capability) -> Self {
        Self {
            what: capability.what.to_owned(),
            names: capability.names,
            required: capability.required,
            reason: capability.reason,
        }
    }
}
