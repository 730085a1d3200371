//! `helmCharts`: handed to the plugin that is registered as `helm`.

use std::rc::Rc;

use serde_json::{Map, Value};

use crate::build::Context;
use crate::error::{Error, Problem, Result};
use crate::files::{EntryKind, Files, PluginCall, Role};
use crate::kustomization::{HelmChart, HelmGlobals};
use crate::loader::Folder;
use crate::plugin::foreign;
use crate::read;
use crate::resource::Resource;

/// The name of the plugin.
const PLUGIN: &str = "helm";
/// Where charts are looked for.
const CHART_HOME: &str = "charts";

/// The objects of a chart.
///
/// The plugin gets the tree of the chart as `chart` and the tree of the kustomization as `main`. Its config is the entry
/// itself, with `namespace` as the kustomizations set it, `chartPath` (the folder of the chart in its tree) and
/// `folder` (the folder of the kustomization, which the paths of values files are relative to).
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
    let (tree, path) = locate(chart, globals, folder, context)?;
    let mut config: Map<String, Value> = chart.entry.clone();
    let namespace = std::iter::once(&chart.namespace)
        .chain(namespaces)
        .find(|namespace| !namespace.is_empty());
    if let Some(namespace) = namespace {
        config.insert("namespace".to_owned(), namespace.as_str().into());
    }
    config.insert("chartPath".to_owned(), path.into());
    config.insert("folder".to_owned(), folder.dir().into());
    let call = PluginCall {
        name: PLUGIN.to_owned(),
        role: Role::Generator,
        config: Value::Object(config).to_string(),
        documents: Vec::new(),
        trees: vec![
            ("chart".to_owned(), tree),
            ("main".to_owned(), Rc::clone(folder.tree())),
        ],
    };
    let mut resources = Vec::new();
    for node in foreign::run(&call, context)? {
        read::check(&node)?;
        let mut resource = Resource::new(node, None, context.schemas);
        resource.from_chart = true;
        resources.push(resource);
    }
    Ok(resources)
}

/// The tree of a chart and its folder there: a local one if there is one, else one from the repository.
fn locate(
    chart: &HelmChart,
    globals: &HelmGlobals,
    folder: &Folder,
    context: &Context<'_>,
) -> Result<(Rc<dyn Files>, String)> {
    let home = if globals.chart_home.is_empty() {
        CHART_HOME
    } else {
        &globals.chart_home
    };
    let local = [
        format!("{home}/{}-{}/{}", chart.name, chart.version, chart.name),
        format!("{home}/{}", chart.name),
    ];
    if let Some(found) = local
        .iter()
        .find(|path| folder.kind(path) == Some(EntryKind::Directory))
    {
        return Ok((Rc::clone(folder.tree()), folder.path_of(found)?));
    }
    if chart.repo.is_empty() {
        return Err(Error::new(Problem::ChartAbsent {
            name: chart.name.clone(),
            home: home.to_owned(),
        })
        .help("add the chart there, or say with `repo` where it is"));
    }
    let tree = context
        .host
        .open_chart(&chart.repo, &chart.name, &chart.version)
        .map_err(|error| {
            Error::new(Problem::Chart {
                name: chart.name.clone(),
                repo: chart.repo.clone(),
                error,
            })
        })?;
    Ok((tree, String::new()))
}
