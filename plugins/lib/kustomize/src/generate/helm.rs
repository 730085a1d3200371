//! `helmCharts`: handed to the plugin that is registered as `helm`.
//!
//! The original runs `helm template` and reads what it prints. Here an entry becomes the config of the plugin `helm`: the
//! chart as a tree, and the values files with their content in the order in which Helm lays them over each other.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value, json};
use weir_k8s_yaml::{Limits, Node, ParseOptions, decode, parse};

use crate::build::Context;
use crate::error::{Error, Problem, Result};
use crate::files::{EntryKind, FileError, Files, PluginCall, Role};
use crate::json;
use crate::kustomization::{HelmChart, HelmGlobals};
use crate::loader::{Filtered, Folder};
use crate::merge::merge;
use crate::plugin::foreign;
use crate::read;
use crate::resource::Resource;
use crate::schema::Schemas;

/// The name of the plugin.
const PLUGIN: &str = "helm";
/// The name under which it gets the chart.
const TREE: &str = "chart";
/// Where charts are looked for.
const CHART_HOME: &str = "charts";
/// The values that a chart comes with.
const VALUES: &str = "values.yaml";
/// The name of a release that has none. The original asks Helm for a generated one, but `helm template` takes this instead.
const RELEASE: &str = "release-name";
/// The range that takes in development versions.
const DEVELOPMENT: &str = ">0.0.0-0";

/// The objects of a chart: its CRDs if they are wanted, its manifest, and its hooks, in Helm's order.
pub(crate) fn inflate(
    chart: &HelmChart,
    globals: &HelmGlobals,
    namespaces: [&String; 2],
    folder: &Folder,
    context: &Context<'_>,
) -> Result<Vec<Resource>> {
    if !context.options.helm {
        return Err(Error::new(Problem::HelmOff)
            .help("must specify --enable-helm; Flux cannot do this: use a HelmRelease"));
    }
    if chart.name.is_empty() {
        return Err(Error::new(Problem::ChartName).help("add a `name`"));
    }
    let additional: Vec<Value> = chart
        .additional_values_files
        .iter()
        .map(|name| {
            let (shown, text) = read_values(folder, name, context)?;
            Ok(values_entry(&shown, &text))
        })
        .collect::<Result<_>>()?;
    let order = Order::parse(&chart.values_merge)?;
    let found = locate(chart, globals, folder, context)?;
    let mut values = vec![found.values(chart, order, folder, context)?];
    values.extend(additional);
    let namespace = std::iter::once(&chart.namespace)
        .chain(namespaces)
        .find(|namespace| !namespace.is_empty());
    let call = PluginCall {
        name: PLUGIN.to_owned(),
        role: Role::Generator,
        config: config(chart, namespace, &found, values).to_string(),
        documents: Vec::new(),
        trees: vec![(TREE.to_owned(), found.tree)],
    };
    let nodes = foreign::run(&call, context)?;
    nodes.iter().try_for_each(read::check)?;
    let resources = read::open_lists(nodes)?.into_iter().map(|node| {
        let mut resource = Resource::new(node, None, context.schemas);
        resource.from_chart = true;
        resource
    });
    Ok(resources.collect())
}

/// What the plugin is told.
fn config(
    chart: &HelmChart,
    namespace: Option<&String>,
    found: &Found,
    values: Vec<Value>,
) -> Value {
    let mut place = json!({"tree": TREE, "path": found.path});
    if found.remote {
        place["packaged"] = true.into();
    }
    let mut release = Map::new();
    if !chart.name_template.is_empty() {
        release.insert(
            "nameTemplate".to_owned(),
            chart.name_template.as_str().into(),
        );
    }
    let name = match chart.release_name.as_str() {
        "" if chart.name_template.is_empty() => RELEASE,
        name => name,
    };
    if !name.is_empty() {
        release.insert("name".to_owned(), name.into());
    }
    if let Some(namespace) = namespace {
        release.insert("namespace".to_owned(), namespace.as_str().into());
    }
    let mut config = json!({
        "chart": place,
        "release": release,
        "valuesFiles": values,
        "includeCrds": chart.include_crds,
        "hooks": !chart.skip_hooks,
        "tests": !chart.skip_tests,
        "yaml": "kustomize",
    });
    if !chart.kube_version.is_empty() {
        config["kubeVersion"] = chart.kube_version.as_str().into();
    }
    // Helm's flag takes several at once.
    let apis: Vec<&str> = chart
        .api_versions
        .iter()
        .flat_map(|apis| apis.split(','))
        .collect();
    if !apis.is_empty() {
        config["apiVersions"] = apis.into();
    }
    config
}

/// A values file with its content.
fn values_entry(name: &str, text: &str) -> Value {
    json!({"name": name, "text": text})
}

/// How `valuesInline` goes together with the values file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// What is written inline wins.
    Override,
    /// The file wins.
    Merge,
    /// The file is left out.
    Replace,
}

impl Order {
    fn parse(text: &str) -> Result<Self> {
        match text {
            "" | "override" => Ok(Self::Override),
            "merge" => Ok(Self::Merge),
            "replace" => Ok(Self::Replace),
            _ => Err(Error::new(Problem::ValuesMerge).in_field("valuesMerge")),
        }
    }
}

/// A chart that is there.
struct Found {
    tree: Rc<dyn Files>,
    /// The chart's folder in its tree.
    path: String,
    /// Where a local chart would be, relative to the kustomization's folder.
    place: String,
    /// Whether it came from a repository.
    remote: bool,
}

/// A local chart if there is one, else one from the repository.
fn locate(
    chart: &HelmChart,
    globals: &HelmGlobals,
    folder: &Folder,
    context: &Context<'_>,
) -> Result<Found> {
    let home = if globals.chart_home.is_empty() {
        CHART_HOME
    } else {
        &globals.chart_home
    };
    // With a repository every version has a place of its own.
    let place = if chart.repo.is_empty() || chart.version.is_empty() {
        format!("{home}/{}", chart.name)
    } else {
        format!("{home}/{}-{}/{}", chart.name, chart.version, chart.name)
    };
    if folder.kind(&place) == Some(EntryKind::Directory) {
        return Ok(Found {
            tree: Rc::clone(folder.tree()),
            path: folder.path_of(&place)?,
            place,
            remote: false,
        });
    }
    if chart.repo.is_empty() {
        return Err(Error::new(Problem::ChartAbsent {
            name: chart.name.clone(),
            home: home.to_owned(),
        })
        .help("add the chart there, or say with `repo` where it is"));
    }
    let version = match chart.version.as_str() {
        "" if chart.devel => DEVELOPMENT,
        version => version,
    };
    let tree = context
        .host
        .open_chart(&chart.repo, &chart.name, version)
        .map_err(|error| {
            Error::new(Problem::Chart {
                name: chart.name.clone(),
                repo: chart.repo.clone(),
                error,
            })
        })?;
    Ok(Found {
        tree,
        path: String::new(),
        place,
        remote: true,
    })
}

impl Found {
    /// The first values file that Helm gets: the chart's own or the one that is named, with what is written inline.
    fn values(
        &self,
        chart: &HelmChart,
        order: Order,
        folder: &Folder,
        context: &Context<'_>,
    ) -> Result<Value> {
        let inline = &chart.values_inline;
        if !inline.is_empty() && order == Order::Replace {
            let text = serde_json::to_string(inline).unwrap_or_default();
            return Ok(values_entry("valuesInline", &text));
        }
        let (shown, text) = self.file(&chart.values_file, folder, context)?;
        if inline.is_empty() {
            return Ok(values_entry(&shown, &text));
        }
        let merged =
            merged(&text, inline, order, context.schemas).map_err(|error| error.in_file(&shown))?;
        Ok(values_entry("valuesInline", &merged.to_string()))
    }

    /// A values file: its name and its text. Files of a chart from a repository are named as if it were in its place.
    fn file(&self, name: &str, folder: &Folder, context: &Context<'_>) -> Result<(String, String)> {
        let default = format!("{}/{VALUES}", self.place);
        let name = if name.is_empty() { &default } else { name };
        if self.remote {
            let within = format!("{}/", folder.path_of(&self.place)?);
            if let Some(inside) = folder.path_of(name)?.strip_prefix(&within) {
                let failed = |error: FileError| {
                    Error::new(Problem::File {
                        path: name.to_owned(),
                        error,
                    })
                };
                let content = self.tree.read(inside).map_err(failed)?;
                return Ok((name.to_owned(), text_of(&content, name)?));
            }
        }
        read_values(folder, name, context)
    }
}

fn read_values(folder: &Folder, name: &str, context: &Context<'_>) -> Result<(String, String)> {
    let loaded = folder.load(context.host, context.options, name, Filtered::No)?;
    let text = text_of(&loaded.content, &loaded.name)?;
    Ok((loaded.name.to_string(), text))
}

fn text_of(content: &[u8], file: &str) -> Result<String> {
    let text = decode(content).map_err(|error| Error::yaml(error).in_file(file))?;
    Ok(text.into_owned())
}

/// The values of a file and those written inline, merged as objects are with patches.
fn merged(
    text: &str,
    inline: &BTreeMap<String, Value>,
    order: Order,
    schemas: &Schemas,
) -> Result<Value> {
    let document = parse(text, &ParseOptions::default()).map_err(Error::yaml)?;
    let Some(mut document) = document else {
        return Err(Error::new(Problem::ValuesEmpty)
            .help("write `{}` there, or set `valuesMerge: replace`"));
    };
    document
        .expand_aliases(&Limits::default())
        .map_err(Error::yaml)?;
    let file = document.root;
    let inline = json::tree(&inline.clone().into_iter().collect());
    let (mut under, over): (Node, Node) = match order {
        Order::Override | Order::Replace => (file, inline),
        Order::Merge => (inline, file),
    };
    if !merge(&mut under, over, schemas)? {
        return Ok(Value::Object(Map::new()));
    }
    match json::of(&under)? {
        values @ Value::Object(_) => Ok(values),
        Value::Array(_) => Err(Error::new(Problem::ValuesKind("a list"))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(Error::new(Problem::ValuesKind("a scalar")))
        }
    }
}
