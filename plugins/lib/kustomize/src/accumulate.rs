//! One kustomization: its resources are gathered, its generators run, and its transformers are applied.

mod entries;
mod steps;

use std::rc::Rc;

use crate::build::Context;
use crate::config::{self, Config};
use crate::decode::{Mode, Settings};
use crate::error::{Error, Problem, Result};
use crate::kustomization::Kustomization;
use crate::loader::{Filtered, Folder};
use crate::origin::Origin;
use crate::set::ResourceSet;
use crate::vars::Vars;

/// How deeply kustomizations may include each other.
const MAX_DEPTH: usize = 100;

/// What a level has gathered.
#[derive(Debug, Default)]
pub(crate) struct Accumulator {
    pub(crate) set: ResourceSet,
    pub(crate) config: Config,
    pub(crate) vars: Vars,
}

/// A kustomization that is about to be built.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) folder: Rc<Folder>,
    pub(crate) kustomization: Kustomization,
    pub(crate) settings: Settings,
    /// The name of the kustomization file.
    pub(crate) file: &'static str,
    /// Where this level is, if origins are recorded.
    pub(crate) origin: Option<Origin>,
    /// The namespace of an including kustomization, for charts.
    pub(crate) chart_namespace: String,
    depth: usize,
}

impl Level {
    /// Reads the kustomization of a folder.
    pub(crate) fn open(folder: Rc<Folder>, context: &Context<'_>, mode: Mode) -> Result<Self> {
        let (file, loaded) = folder.kustomization()?;
        let settings = Settings::parse(&loaded.content, &loaded.name)?;
        Self::of(folder, file, settings, context, mode)
    }

    /// Takes a kustomization that is read already.
    pub(crate) fn of(
        folder: Rc<Folder>,
        file: &'static str,
        settings: Settings,
        context: &Context<'_>,
        mode: Mode,
    ) -> Result<Self> {
        let kustomization = Kustomization::decode(&settings, mode)?;
        for warning in &kustomization.warnings {
            context.warn(warning.clone());
        }
        let (origin, chart_namespace) = (None, String::new());
        Ok(Self {
            folder,
            kustomization,
            settings,
            file,
            origin,
            chart_namespace,
            depth: 0,
        })
    }

    /// Takes the `openapi` field, if no other kustomization had one before.
    pub(crate) fn choose_schema(&self, context: &Context<'_>, root: bool) -> Result<()> {
        let openapi = &self.kustomization.openapi;
        if openapi.is_empty() {
            return Ok(());
        }
        let loaded = match openapi.get("path") {
            Some(path) => {
                Some(
                    self.folder
                        .load(context.host, context.options, path, Filtered::No)?,
                )
            }
            None => None,
        };
        let file = loaded
            .as_ref()
            .map(|loaded| (&*loaded.name, loaded.content.as_slice()));
        let version = openapi.get("version").map(String::as_str);
        context
            .schemas
            .choose(version, file, root)
            .map_err(|error| self.error(error, &["openapi"]))
    }

    /// Builds the level into what is there already: nothing for a kustomization, the including level for a component.
    pub(crate) fn accumulate(
        mut self,
        mut into: Accumulator,
        context: &Context<'_>,
    ) -> Result<Accumulator> {
        self.add_resources(&mut into, context)?;
        self.add_config(&mut into, context)?;
        self.run_generators(&mut into, context)?;
        let mut into = self.add_components(into, context)?;
        self.run_transformers(&mut into, context)?;
        self.run_validators(&mut into, context)?;
        into.vars
            .add(&self.kustomization.vars, &mut into.set)
            .map_err(|error| self.error(error, &["vars"]))?;
        Ok(into)
    }

    fn add_config(&self, into: &mut Accumulator, context: &Context<'_>) -> Result<()> {
        let kustomization = &self.kustomization;
        if kustomization.configurations.is_empty() {
            into.config.merge(context.config)?;
        } else {
            let mut own = Config::default();
            for (at, path) in kustomization.configurations.iter().enumerate() {
                let loaded = self
                    .folder
                    .load(context.host, context.options, path, Filtered::No);
                let merged = loaded
                    .and_then(|loaded| config::from_file(&loaded.content, &loaded.name))
                    .and_then(|config| own.merge(&config));
                merged.map_err(|error| self.error(error, &["configurations", &at.to_string()]))?;
            }
            let mut merged = context.config.clone();
            merged
                .merge(&own)
                .map_err(|error| self.error(error, &["configurations"]))?;
            into.config.merge(&merged)?;
        }
        for (at, path) in kustomization.crds.iter().enumerate() {
            let read = || {
                let loaded = self
                    .folder
                    .load(context.host, context.options, path, Filtered::No)?;
                config::from_definitions(&loaded.content)
                    .map_err(|error| error.in_file(&loaded.name))
            };
            let config = read().map_err(|error| self.error(error, &["crds", &at.to_string()]))?;
            into.config.merge(&config)?;
        }
        Ok(())
    }

    /// Names the place in the kustomization file, unless the error is about another file.
    fn error(&self, error: Error, path: &[&str]) -> Error {
        if !error.file().is_empty() {
            let line = self.settings.place(path).line;
            let at = if line > 0 {
                format!(":{line}")
            } else {
                String::new()
            };
            return error.through(format!("from {}{at}", self.settings.file));
        }
        // An inner field that begins with an index is an element of the list that the path names.
        let element = error
            .field()
            .strip_prefix('[')
            .and_then(|inner| inner.split_once(']'))
            .map(|(at, inner)| (at.to_owned(), inner.trim_start_matches('.').to_owned()));
        let (element, inner) = match element {
            Some((at, inner)) => (Some(at), inner),
            None => (None, error.field().to_owned()),
        };
        let path: Vec<&str> = path.iter().copied().chain(element.as_deref()).collect();
        let span = self.settings.place(&path);
        let mut field = String::new();
        for step in path {
            match (step.parse::<usize>(), field.is_empty()) {
                (Ok(_), false) => field.push_str(&format!("[{step}]")),
                (_, true) => field.push_str(step),
                (Err(_), false) => field.push_str(&format!(".{step}")),
            }
        }
        let field = match (field.as_str(), inner.as_str()) {
            (own, "") => own.to_owned(),
            ("", inner) => inner.to_owned(),
            (own, inner) => format!("{own}: {inner}"),
        };
        error.in_file(&self.settings.file).at(span).set_field(field)
    }

    /// A level below this one.
    fn inner(&self, folder: Rc<Folder>, entry: &str, context: &Context<'_>) -> Result<Self> {
        if self.depth >= MAX_DEPTH {
            return Err(Error::new(Problem::TooDeep { limit: MAX_DEPTH }));
        }
        let mut level = Self::open(folder, context, Mode::Strict)?;
        level.depth = self.depth + 1;
        level.origin = self.origin.as_ref().map(|origin| origin.append(entry));
        level
            .kustomization
            .build_metadata
            .clone_from(&self.kustomization.build_metadata);
        let own = &self.kustomization.namespace;
        level.chart_namespace.clone_from(if own.is_empty() {
            &self.chart_namespace
        } else {
            own
        });
        level.choose_schema(context, false)?;
        Ok(level)
    }
}
