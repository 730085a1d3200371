//! `weir plugin`: looks at components and tries them.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use weir_api::kustomize::CommonMetadata;
use weir_k8s_yaml::Schema;
use weir_plugin::{Document, Grants, Host, HostConfig, Limits, Loaded, Offer, Place, Role};
use weir_render::{Recipe, Registered, RenderError, Renderer, Step, UnitId};
use weir_tree::EntryKind;

use crate::cli::{PluginCommand, PluginRunArgs, Report};
use crate::folder_world::FolderWorld;
use crate::{output, snippet};

/// Of a run on a laptop, nothing is used twice.
const MEMO: usize = 1 << 20;

pub(crate) fn plugin(command: &PluginCommand) -> anyhow::Result<ExitCode> {
    match command {
        PluginCommand::Inspect { file, output } => inspect(file, *output),
        PluginCommand::Run(args) => run(args),
    }
}

fn inspect(file: &Path, report: Report) -> anyhow::Result<ExitCode> {
    let host = Host::new(HostConfig::default())?;
    let loaded = load(&host, file)?;
    let about = loaded.about();
    let kinds: Vec<&str> = offers(&loaded);
    match report {
        Report::Json => {
            let schema: Value = serde_json::from_str(&about.config_schema).unwrap_or(Value::Null);
            let capabilities: Vec<Value> = about
                .capabilities
                .iter()
                .map(|wish| json!({"what": wish.what, "names": wish.names, "required": wish.required, "reason": wish.reason}))
                .collect();
            output::json(&json!({
                "name": about.name, "version": about.version, "summary": about.summary, "digest": loaded.digest(),
                "kinds": kinds, "capabilities": capabilities, "configSchema": schema,
            }))?;
        }
        Report::Text => {
            let mut text = format!("{} {}\n  {}\n", about.name, about.version, about.summary);
            text.push_str(&format!(
                "  kinds:  {}\n  digest: {}\n",
                kinds.join(", "),
                loaded.digest()
            ));
            for wish in &about.capabilities {
                let needed = if wish.required { "needs" } else { "would like" };
                text.push_str(&format!(
                    "  {needed} {} {:?}: {}\n",
                    wish.what, wish.names, wish.reason
                ));
            }
            let schema = if about.config_schema.is_empty() {
                "takes no config"
            } else {
                &about.config_schema
            };
            text.push_str(&format!("  config: {schema}\n"));
            output::text(&text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn run(args: &PluginRunArgs) -> anyhow::Result<ExitCode> {
    let host = Arc::new(Host::new(HostConfig::default())?);
    let plugin = load(&host, &args.file)?;
    let role = role_of(&plugin)
        .context("the component is neither a generator nor a transformer nor a validator")?;
    let registered = Registered {
        plugin,
        grants: Arc::new(grants(&args.grants)?),
        limits: Limits::default(),
    };
    let world = FolderWorld::open(
        &args.directory,
        HashMap::from([("plugin".to_owned(), registered)]),
    )?;
    let documents = match role {
        Role::Generator => Vec::new(),
        Role::Transformer | Role::Validator => manifests(&world)?,
    };
    let recipe = Recipe {
        unit: UnitId::new("Command", "", "plugin-run"),
        source: FolderWorld::source_id(),
        steps: vec![Step {
            name: args
                .file
                .file_stem()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            plugin: "plugin".to_owned(),
            role: Some(role),
            config: config(&args.config)?,
            trees: BTreeMap::new(),
            inputs: BTreeMap::new(),
            filters: Vec::new(),
        }],
        common: CommonMetadata::default(),
        tainted: false,
    };
    let read = |path: &str| world.text(path);
    let renderer =
        Renderer::new(host, MEMO).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    let rendered = match renderer.render_from(&recipe, documents, &world, &CancellationToken::new())
    {
        Ok(rendered) => rendered,
        Err(RenderError::Call {
            source,
            diagnostics,
            ..
        }) => {
            diagnostics
                .iter()
                .for_each(|finding| snippet::print_finding(finding, &read));
            return Err(source.into());
        }
        Err(error) => return Err(error.into()),
    };
    for finding in rendered.steps.iter().flat_map(|step| &step.diagnostics) {
        snippet::print_finding(finding, &read);
    }
    let objects: Vec<Value> = rendered
        .bundle
        .documents
        .iter()
        .map(Document::to_value)
        .collect();
    output::objects(&objects, &args.output)?;
    Ok(ExitCode::SUCCESS)
}

fn load(host: &Host, file: &Path) -> anyhow::Result<Arc<Loaded>> {
    let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    host.load(&bytes)
        .with_context(|| format!("loading {}", file.display()))
}

fn offers(loaded: &Loaded) -> Vec<&'static str> {
    let all = [
        (Offer::Generator, "generator"),
        (Offer::Transformer, "transformer"),
        (Offer::Validator, "validator"),
        (Offer::Filter, "filter"),
        (Offer::Preparer, "preparer"),
    ];
    all.iter()
        .filter(|(offer, _)| loaded.offers(*offer))
        .map(|(_, name)| *name)
        .collect()
}

fn role_of(loaded: &Loaded) -> Option<Role> {
    let roles = [
        (Offer::Generator, Role::Generator),
        (Offer::Transformer, Role::Transformer),
        (Offer::Validator, Role::Validator),
    ];
    roles
        .iter()
        .find(|(offer, _)| loaded.offers(*offer))
        .map(|(_, role)| *role)
}

fn config(text: &str) -> anyhow::Result<Value> {
    let text = match text.strip_prefix('@') {
        Some(file) => {
            std::fs::read_to_string(file).with_context(|| format!("reading the config {file}"))?
        }
        None => text.to_owned(),
    };
    weir_k8s_yaml::from_str(&text, Schema::Sigs).context("reading the config")
}

/// The person at the terminal is the operator: the folder may be read, the rest as given.
fn grants(given: &[String]) -> anyhow::Result<Grants> {
    let mut grants = Grants {
        files: vec!["**".to_owned()],
        ..Grants::default()
    };
    for grant in given {
        let Some((what, name)) = grant.split_once('=') else {
            bail!("--grant {grant}: expected WHAT=NAME, for example documents=Secret");
        };
        let list = match what {
            "files" => &mut grants.files,
            "objects" => &mut grants.objects,
            "values" => &mut grants.values,
            "keys" => &mut grants.keys,
            "hosts" => &mut grants.hosts,
            "documents" => &mut grants.documents,
            "plugins" => &mut grants.plugins,
            _ => bail!(
                "--grant {grant}: there is no such grant; there are files, objects, values, keys, hosts, documents, plugins"
            ),
        };
        list.push(name.to_owned());
    }
    grants.check()?;
    Ok(grants)
}

/// Files that say how objects are made, and hold none.
const KUSTOMIZATIONS: [&str; 2] = ["kustomization.yaml", "kustomization.yml"];

/// The objects in the YAML files of the folder, by path.
fn manifests(world: &FolderWorld) -> anyhow::Result<Vec<Document>> {
    let mut documents = Vec::new();
    let mut folders = vec![weir_tree::TreePath::root()];
    while let Some(folder) = folders.pop() {
        let entries = world.tree().entries(&folder)?.unwrap_or_default();
        for entry in entries.iter().rev() {
            let path = folder.child(&entry.name)?;
            match entry.kind {
                EntryKind::Directory => folders.push(path),
                EntryKind::File | EntryKind::Executable
                    if KUSTOMIZATIONS.contains(&entry.name.as_str()) => {}
                EntryKind::File | EntryKind::Executable
                    if entry.name.ends_with(".yaml") || entry.name.ends_with(".yml") =>
                {
                    let text = world
                        .text(path.as_str())
                        .with_context(|| format!("reading {path}: it is not text"))?;
                    let place = Place {
                        path: path.as_str().to_owned(),
                        line: 1,
                        column: 1,
                    };
                    let found = Document::from_yaml(&text, Some(&place))
                        .with_context(|| format!("reading {path}"))?;
                    documents.push((path, found));
                }
                EntryKind::File
                | EntryKind::Executable
                | EntryKind::Link
                | EntryKind::Submodule => {}
            }
        }
    }
    documents.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(documents.into_iter().flat_map(|(_, found)| found).collect())
}
