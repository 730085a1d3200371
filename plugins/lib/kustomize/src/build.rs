//! A build from the kustomization to the finished objects.

use std::cell::{Cell, RefCell};

use serde_json::Value;
use weir_k8s_yaml::{
    Data, EmitOptions, Node, ParseOptions, ResolveOptions, Schema, Style, emit, parse, resolve_data,
};

use crate::accumulate::{Accumulator, Level};
use crate::annotations;
use crate::config::Config;
use crate::decode::Mode;
use crate::error::{Error, Problem, Result};
use crate::field_spec::FieldSpec;
use crate::files::Host;
use crate::flux;
use crate::generate::MapKind;
use crate::hash;
use crate::id::Gvk;
use crate::kustomization::SortOptions;
use crate::loader::{Filtered, Folder};
use crate::options::{Options, Profile};
use crate::origin::{self, Origin};
use crate::reference;
use crate::resource::Resource;
use crate::schema::Schemas;
use crate::set::ResourceSet;
use crate::sort::Ranks;
use crate::transform::MetadataStep;

/// What the label that marks built objects says.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "kustomize-v5.8.1");

/// What every part of a build needs.
pub(crate) struct Context<'a> {
    pub(crate) host: &'a dyn Host,
    pub(crate) options: &'a Options,
    pub(crate) schemas: &'a Schemas,
    /// The built-in configuration.
    pub(crate) config: &'a Config,
    pub(crate) warnings: &'a RefCell<Vec<String>>,
    /// How many kustomizations may still be entered. Bases that are included twice at every level double each time.
    levels: Cell<usize>,
}

/// How many kustomizations a build may enter.
const MAX_LEVELS: usize = 20_000;
/// How many objects it may hold.
const MAX_OBJECTS: usize = 1_000_000;

/// The result of a build.
#[derive(Debug)]
pub struct Build {
    objects: Vec<Object>,
    warnings: Vec<String>,
}

/// One finished object.
#[derive(Debug)]
pub struct Object {
    resource: Resource,
}

/// Builds the kustomization in a folder of the host's tree.
///
/// # Errors
///
/// Whatever is wrong with the files, with its place.
pub fn build(host: &dyn Host, dir: &str, options: &Options) -> Result<Build> {
    let schemas = match options.profile {
        Profile::Cli => Schemas::default(),
        Profile::Flux => Schemas::preloaded(),
    };
    let config = Config::built_in();
    let warnings = RefCell::new(Vec::new());
    let context = Context {
        host,
        options,
        schemas: &schemas,
        config: &config,
        warnings: &warnings,
        levels: Cell::new(MAX_LEVELS),
    };
    let folder = Folder::root(host, dir, options)?;
    let level = match &options.flux {
        None => Level::open(folder, &context, Mode::Strict)?,
        Some(fields) => flux::open(folder, fields, &context)?,
    };
    let resources = run(level, &context)?;
    let objects = resources
        .into_iter()
        .map(|resource| Object { resource })
        .collect();
    Ok(Build {
        objects,
        warnings: warnings.into_inner(),
    })
}

fn run(mut level: Level, context: &Context<'_>) -> Result<Vec<Resource>> {
    if !level.kustomization.build_metadata.is_empty() {
        level.origin = Some(Origin::default());
    }
    level.choose_schema(context, true)?;
    let metadata = level.kustomization.build_metadata.clone();
    let sort = level.kustomization.sort_options.clone();
    let file = level.settings.file.clone();
    let vars = level.settings.place(&["vars"]);
    let sort_options = level.settings.place(&["sortOptions"]);
    let mut accumulated = level.accumulate(Accumulator::default(), context)?;
    hash::append(&mut accumulated.set, context)?;
    reference::repair(
        &mut accumulated.set,
        &accumulated.config.name_reference,
        context,
    )?;
    accumulated
        .vars
        .resolve(&mut accumulated.set, &accumulated.config.var_reference)
        .map_err(|error| error.in_file(&file).at(vars))?;
    let asked = |option: &str| metadata.iter().any(|asked| asked == option);
    let mut resources = finished(accumulated.set, context)?;
    sort_all(&mut resources, sort.as_ref(), context.options.profile)
        .map_err(|error| error.in_file(&file).at(sort_options))?;
    if context.options.managed_by_label || asked("managedByLabel") {
        add_managed_by(&mut resources, context)?;
    }
    for resource in &mut resources {
        let (origins, transformations) =
            (asked("originAnnotations"), asked("transformerAnnotations"));
        if transformations {
            origin::write_transformations(resource);
        }
        annotations::finish(&mut resource.node, origins, transformations);
    }
    if let Some(fields) = &context.options.flux {
        flux::finish(&mut resources, fields)?;
    }
    Ok(resources)
}

/// The objects that are left at the end: those that are only for the build go.
fn finished(set: ResourceSet, context: &Context<'_>) -> Result<Vec<Resource>> {
    let mut left = Vec::with_capacity(set.len());
    for mut resource in set.into_items() {
        if resource.deleted() {
            continue;
        }
        resource.refresh(context.schemas);
        check(&resource)?;
        if resource
            .annotation(annotations::LOCAL_CONFIG)
            .is_none_or(|local| local == "false")
        {
            left.push(resource);
        }
    }
    Ok(left)
}

/// Patches may have removed what every object needs.
fn check(resource: &Resource) -> Result<()> {
    let problem = match (resource.kind(), resource.name().as_str()) {
        ("", _) => Problem::MissingKind,
        (kind, "") if !kind.ends_with("List") => Problem::MissingName {
            kind: kind.to_owned(),
        },
        _ => return Ok(()),
    };
    let error = Error::new(problem)
        .in_object(resource.original_id())
        .help("a patch has removed it");
    Err(match &resource.file {
        Some(file) => error.in_file(file),
        None => error,
    })
}

fn sort_all(
    resources: &mut Vec<Resource>,
    options: Option<&SortOptions>,
    profile: Profile,
) -> Result<()> {
    let ranks = match options {
        None if profile == Profile::Flux => return Ok(()),
        None => Ranks::default(),
        Some(options) => match (options.order.as_str(), &options.legacy) {
            ("fifo", None) => return Ok(()),
            ("fifo", Some(_)) => {
                return Err(Error::new(Problem::SortOptionsUnused)
                    .in_field("sortOptions.legacySortOptions")
                    .help("set `order: legacy`, or remove `legacySortOptions`"));
            }
            ("legacy", None) => Ranks::default(),
            ("legacy", Some(lists)) => {
                Ranks::new(lists.first.iter().cloned(), lists.last.iter().cloned())
            }
            (other, _) => {
                return Err(Error::new(Problem::WrongWord {
                    found: other.to_owned(),
                    known: "fifo, legacy",
                })
                .in_field("sortOptions.order"));
            }
        },
    };
    let mut set: ResourceSet = std::mem::take(resources).into_iter().collect();
    set.check_unique()?;
    *resources = set.into_items();
    ranks.sort(resources);
    Ok(())
}

fn add_managed_by(resources: &mut Vec<Resource>, context: &Context<'_>) -> Result<()> {
    let (key, value) = MANAGED_BY;
    let specs = [FieldSpec::new(Gvk::default(), "metadata/labels", true)]
        .into_iter()
        .collect();
    let step = MetadataStep {
        pairs: [(key.to_owned(), value.to_owned())].into(),
        specs,
    };
    let mut set: ResourceSet = std::mem::take(resources).into_iter().collect();
    step.apply(&mut set, context)?;
    *resources = set.into_items();
    Ok(())
}

impl Context<'_> {
    /// Counts a kustomization that is entered, and what is there so far.
    pub(crate) fn enter(&self, objects: usize) -> Result<()> {
        if objects > MAX_OBJECTS {
            return Err(Error::new(Problem::TooManyObjects { limit: MAX_OBJECTS }));
        }
        let left = self.levels.get().checked_sub(1);
        self.levels
            .set(left.ok_or_else(|| Error::new(Problem::TooManyLevels { limit: MAX_LEVELS }))?);
        Ok(())
    }

    pub(crate) fn warn(&self, warning: String) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.len() < 1000 && !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// How the file of a patch is read: Flux decrypts it.
    pub(crate) fn filtered_patch(&self) -> Filtered {
        match self.options.profile {
            Profile::Cli => Filtered::No,
            Profile::Flux => Filtered::As(""),
        }
    }

    /// How a file that a generator names is read: Flux decrypts those of Secrets. `name` decides about the format.
    pub(crate) fn filtered_source(&self, kind: MapKind, name: &str, env: bool) -> Filtered {
        if self.options.profile == Profile::Cli || kind == MapKind::ConfigMap {
            return Filtered::No;
        }
        let formats = [
            (".dockerconfigjson", "json"),
            (".yaml", "yaml"),
            (".yml", "yaml"),
            (".json", "json"),
            (".env", "dotenv"),
            (".ini", "ini"),
        ];
        let known = formats
            .iter()
            .find(|(ending, _)| name.ends_with(ending))
            .map(|(_, format)| *format);
        Filtered::As(known.unwrap_or(if env { "dotenv" } else { "binary" }))
    }
}

impl Build {
    /// The objects, in the order of the output.
    #[must_use]
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// What to tell about old fields in kustomization files.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The bytes that `kustomize build` prints.
    ///
    /// # Errors
    ///
    /// When an object cannot be written, such as one with a key that stands twice.
    pub fn to_yaml(&self) -> Result<String> {
        let mut out = String::with_capacity(self.objects.len() * 512);
        for object in &self.objects {
            if !out.is_empty() {
                out.push_str("---\n");
            }
            out.push_str(&object.to_yaml()?);
        }
        Ok(out)
    }
}

impl Object {
    /// The object as YAML.
    ///
    /// # Errors
    ///
    /// When it cannot be written, such as with a key that stands twice.
    pub fn to_yaml(&self) -> Result<String> {
        self.with_data(|data| data.to_yaml().map_err(|error| self.unwritable(error)))
    }

    /// The object as JSON, with sorted keys.
    ///
    /// # Errors
    ///
    /// As [`Object::to_yaml`].
    pub fn to_json(&self) -> Result<String> {
        self.with_data(|data| Ok(data.to_go_json()))
    }

    /// The object.
    ///
    /// # Errors
    ///
    /// As [`Object::to_yaml`].
    pub fn to_value(&self) -> Result<Value> {
        self.with_data(|data| Ok(data.into_value()))
    }

    /// The file that it was read from, relative to the built folder; `None` for a generated one.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.resource.file.as_deref()
    }

    /// The line in the file where it begins; 0 if unknown.
    #[must_use]
    pub fn line(&self) -> u32 {
        if self.resource.file.is_some() {
            self.resource.node.span().line
        } else {
            0
        }
    }

    fn with_data<T>(&self, then: impl FnOnce(Data<'_>) -> Result<T>) -> Result<T> {
        let read_back = self.read_back()?;
        let node = read_back.as_ref().unwrap_or(&self.resource.node);
        let data = resolve_data(node, &ResolveOptions::new(Schema::Kyaml));
        then(data.map_err(|error| self.unwritable(error))?)
    }

    /// Kustomize writes an object in the style of its nodes and reads that back before it prints it. What go-yaml folds does
    /// not always come back the same: a line break before an indented line is doubled.
    fn read_back(&self) -> Result<Option<Node>> {
        let mut folded = false;
        self.resource
            .node
            .visit(&mut |node| folded |= node.style() == Style::Folded);
        if !folded {
            return Ok(None);
        }
        let document = emit(&self.resource.node, &EmitOptions::kyaml())
            .and_then(|text| parse(&text, &ParseOptions::default()))
            .map_err(|error| self.unwritable(error))?;
        Ok(document.map(|document| document.root))
    }

    fn unwritable(&self, error: weir_k8s_yaml::YamlError) -> Error {
        let error = Error::yaml(error).in_object(self.resource.id());
        match &self.resource.file {
            Some(file) => error.in_file(file),
            None => error,
        }
    }
}
