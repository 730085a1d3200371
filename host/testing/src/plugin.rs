//! Plugins in tests: built from their crate, and run in-process on files and objects that a test makes up.
//!
//! ```no_run
//! use serde_json::json;
//! use weir_testing::plugin::Plugin;
//!
//! let plugin = Plugin::build(env!("CARGO_MANIFEST_DIR"));
//! let made = plugin
//!     .call()
//!     .config(json!({"team": "payments"}))
//!     .objects("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}")
//!     .transform()
//!     .expect("the transformer succeeds");
//! assert_eq!(made.values()[0]["metadata"]["labels"]["team"], "payments");
//! ```
//!
//! It is the host that weir itself uses: what is not granted is refused, limits end the call, texts are masked.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use weir_plugin::{
    About, Call, CallError, Diagnostic, Document, Grants, Host, HostConfig, Kind, Limits, Loaded,
    Offer, Outcome, Place, Question, Role, Secrets,
};

pub mod build;
pub mod environment;

pub use environment::{Environment, Files};

/// A plugin that can be called.
#[derive(Clone, Debug)]
pub struct Plugin(Arc<Loaded>);

/// One call that is being put together.
#[derive(Debug)]
pub struct PluginCall {
    plugin: Plugin,
    environment: Environment,
    config: String,
    documents: Vec<Document>,
    grants: Grants,
    limits: Limits,
    cancel: CancellationToken,
    secrets: Arc<Secrets>,
}

/// What a call made.
#[derive(Debug)]
pub struct Made {
    pub outcome: Outcome,
    /// What the plugin asked, in order.
    pub questions: Vec<Question>,
}

/// The host of this test run.
pub fn host() -> &'static Host {
    static HOST: OnceLock<Host> = OnceLock::new();
    HOST.get_or_init(|| Host::new(HostConfig::default()).expect("the plugin host starts"))
}

/// Builds the crate in this folder (with cargo, once for a test run) and gives the component file.
pub fn build_guest(folder: impl AsRef<Path>) -> anyhow::Result<std::path::PathBuf> {
    build::component(folder.as_ref()).map_err(anyhow::Error::msg)
}

impl Plugin {
    /// Builds the crate in this folder (with cargo, once for a test run) and loads what comes out. Panics with what cargo
    /// or the host has to say if that fails.
    pub fn build(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        match build::component(folder) {
            Ok(file) => Self::load(&file),
            Err(error) => panic!("building the plugin in {}: {error}", folder.display()),
        }
    }

    /// Loads a component file.
    pub fn load(file: &Path) -> Self {
        let bytes =
            fs::read(file).unwrap_or_else(|error| panic!("reading {}: {error}", file.display()));
        let loaded = host()
            .load(&bytes)
            .unwrap_or_else(|error| panic!("loading {}: {error}", file.display()));
        Self(loaded)
    }

    /// A plugin that [`host`] has loaded already, such as one that is built into weir.
    pub fn of(loaded: Arc<Loaded>) -> Self {
        Self(loaded)
    }

    /// What the plugin says about itself.
    pub fn about(&self) -> &About {
        self.0.about()
    }

    /// The plugin as the host knows it.
    pub fn loaded(&self) -> &Arc<Loaded> {
        &self.0
    }

    /// Begins a call with nothing granted, no objects and no files.
    pub fn call(&self) -> PluginCall {
        PluginCall {
            plugin: self.clone(),
            environment: Environment::default(),
            config: "{}".to_owned(),
            documents: Vec::new(),
            grants: Grants::default(),
            limits: Limits::default(),
            cancel: CancellationToken::new(),
            secrets: Arc::default(),
        }
    }
}

impl PluginCall {
    /// The step's config.
    #[must_use]
    pub fn config(self, config: Value) -> Self {
        self.config_text(config.to_string())
    }

    /// The step's config as text, which need not be JSON.
    #[must_use]
    pub fn config_text(mut self, config: impl Into<String>) -> Self {
        self.config = config.into();
        self
    }

    /// Adds the objects of a YAML stream to those that the plugin works on.
    #[must_use]
    pub fn objects(self, yaml: &str) -> Self {
        self.objects_from("", yaml)
    }

    /// The same for objects that come from a file.
    #[must_use]
    pub fn objects_from(mut self, path: &str, yaml: &str) -> Self {
        let origin = (!path.is_empty()).then(|| Place {
            path: path.to_owned(),
            line: 0,
            column: 0,
        });
        let documents = Document::from_yaml(yaml, origin.as_ref());
        self.documents
            .extend(documents.unwrap_or_else(|error| panic!("the objects of the test: {error}")));
        self
    }

    /// Adds objects that are there already.
    #[must_use]
    pub fn documents(mut self, documents: impl IntoIterator<Item = Document>) -> Self {
        self.documents.extend(documents);
        self
    }

    /// Adds a file to the main tree. It can be read if it is granted, see [`Self::grants`].
    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Bytes>) -> Self {
        self.environment
            .main
            .insert(path.to_owned(), Files::File(content.into()));
        self
    }

    /// Adds a symbolic link to the main tree.
    #[must_use]
    pub fn link(mut self, path: &str, target: &str) -> Self {
        self.environment
            .main
            .insert(path.to_owned(), Files::Link(target.to_owned()));
        self
    }

    /// Adds a tree under a name, with its files.
    #[must_use]
    pub fn tree(
        mut self,
        name: &str,
        files: impl IntoIterator<Item = (&'static str, &'static str)>,
    ) -> Self {
        let files = files
            .into_iter()
            .map(|(path, text)| (path.to_owned(), Files::File(text.into())));
        self.environment
            .trees
            .insert(name.to_owned(), files.collect());
        self
    }

    /// Binds a named input.
    #[must_use]
    pub fn input(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        self.environment
            .inputs
            .insert(name.to_owned(), (value.into(), false));
        self
    }

    /// Binds a named input that comes from a Secret.
    #[must_use]
    pub fn secret_input(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        self.environment
            .inputs
            .insert(name.to_owned(), (value.into(), true));
        self
    }

    /// Sets a fact.
    #[must_use]
    pub fn fact(mut self, name: &str, value: &str) -> Self {
        self.environment
            .facts
            .insert(name.to_owned(), value.to_owned());
        self
    }

    /// Puts an object into the cluster.
    #[must_use]
    pub fn cluster_object(mut self, object: Value) -> Self {
        self.environment.objects.push(object);
        self
    }

    /// Registers another plugin, with what it is granted.
    #[must_use]
    pub fn plugin(mut self, name: &str, plugin: &Plugin, grants: Grants) -> Self {
        self.environment
            .plugins
            .insert(name.to_owned(), (plugin.clone(), grants));
        self
    }

    /// What the plugin is granted: nothing if this is not called.
    #[must_use]
    pub fn grants(mut self, grants: Grants) -> Self {
        self.grants = grants;
        self
    }

    /// What the call may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Ends the call when this is cancelled.
    #[must_use]
    pub fn cancel(mut self, token: CancellationToken) -> Self {
        self.cancel = token;
        self
    }

    /// Secrets that the run has seen before.
    #[must_use]
    pub fn secrets(mut self, secrets: Arc<Secrets>) -> Self {
        self.secrets = secrets;
        self
    }

    /// Everything else that the plugin can learn.
    #[must_use]
    pub fn environment(mut self, change: impl FnOnce(&mut Environment)) -> Self {
        change(&mut self.environment);
        self
    }

    /// Calls the plugin as a generator.
    pub fn generate(self) -> Result<Made, CallError> {
        self.run(Kind::Object(Role::Generator))
    }

    /// Calls the plugin as a transformer.
    pub fn transform(self) -> Result<Made, CallError> {
        self.run(Kind::Object(Role::Transformer))
    }

    /// Calls the plugin as a validator.
    pub fn validate(self) -> Result<Made, CallError> {
        self.run(Kind::Object(Role::Validator))
    }

    /// Calls the plugin as a filter of one file.
    pub fn filter(
        self,
        path: &str,
        format: &str,
        content: impl Into<Bytes>,
    ) -> Result<Made, CallError> {
        self.run(Kind::Filter {
            path: path.to_owned(),
            format: format.to_owned(),
            content: content.into(),
        })
    }

    /// Calls the plugin. One that has a preparer is called twice, with and without it; panics if that makes a difference.
    pub fn run(self, kind: Kind) -> Result<Made, CallError> {
        let call = Call {
            step: "test".to_owned(),
            kind,
            config: self.config,
            documents: self.documents,
            grants: Arc::new(self.grants),
            limits: self.limits,
            depth: 0,
            cancel: self.cancel,
            secrets: self.secrets,
        };
        let alone = self.plugin.0.offers(Offer::Preparer).then(|| {
            let world = self.environment.clone().started(&self.plugin, &call);
            host().call(&self.plugin.0, call.clone(), &mut world.without_preparer())
        });
        let mut environment = self.environment.started(&self.plugin, &call);
        let outcome = host().call(&self.plugin.0, call, &mut environment);
        if let Some(alone) = &alone {
            assert_alike(&outcome, alone);
        }
        Ok(Made {
            outcome: outcome?,
            questions: environment.into_questions(),
        })
    }
}

/// Whether something was prepared may show in nothing but what a call costs.
fn assert_alike(prepared: &Result<Outcome, CallError>, alone: &Result<Outcome, CallError>) {
    match (prepared, alone) {
        (Ok(prepared), Ok(alone)) => {
            let shown = |outcome: &Outcome| -> Vec<String> {
                let documents = outcome.documents.iter();
                documents
                    .map(|document| format!("{:?} {}", document.origin(), document.body()))
                    .collect()
            };
            assert_eq!(shown(prepared), shown(alone));
            assert_eq!(prepared.attachments, alone.attachments);
            assert_eq!(prepared.diagnostics, alone.diagnostics);
        }
        (Err(prepared), Err(alone)) if !is_limit(prepared) && !is_limit(alone) => {
            assert_eq!(prepared.to_string(), alone.to_string());
        }
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => {
            assert!(is_limit(error), "only one way fails: {error}");
        }
        (Err(_), Err(_)) => {}
    }
}

fn is_limit(error: &CallError) -> bool {
    match error {
        CallError::Limit { .. } | CallError::Cancelled => true,
        CallError::Failed { .. }
        | CallError::Config { .. }
        | CallError::Kind { .. }
        | CallError::Trap { .. } => false,
    }
}

impl Made {
    /// The objects, parsed.
    pub fn values(&self) -> Vec<Value> {
        self.outcome
            .documents
            .iter()
            .map(Document::to_value)
            .collect()
    }

    /// The object with this kind and name; panics if there is none.
    pub fn object(&self, kind: &str, name: &str) -> Value {
        let found = self.outcome.documents.iter().find(|document| {
            let identity = document.identity();
            identity.kind == kind && identity.name == name
        });
        found
            .unwrap_or_else(|| panic!("there is no {kind} {name}"))
            .to_value()
    }

    /// The findings, one text each: `warning missing-limit at apps/x.yaml:3:1: container web …`.
    pub fn findings(&self) -> Vec<String> {
        self.outcome.diagnostics.iter().map(finding).collect()
    }

    /// What was attached, as text.
    pub fn attachments(&self) -> BTreeMap<&str, String> {
        let attached = self.outcome.attachments.iter();
        attached
            .map(|(name, body)| (name.as_str(), String::from_utf8_lossy(body).into_owned()))
            .collect()
    }
}

/// A finding as one text.
pub fn finding(found: &Diagnostic) -> String {
    let severity = format!("{:?}", found.severity).to_lowercase();
    let place = found
        .at
        .as_ref()
        .map(|place| format!(" at {place}"))
        .unwrap_or_default();
    format!("{severity} {}{place}: {}", found.code, found.message)
}
