//! Recorded builds with `helmCharts`, through both embedded components and the renderer that lets one call the other.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use weir_api::kustomize::CommonMetadata;
use weir_plugin::ask::Budget;
use weir_plugin::{Document, Host, HostConfig, Refusal, Role};
use weir_render::{
    Recipe, Registered, RenderError, Rendered, Renderer, SourceId, SourceTree, Step, UnitId, World,
};
use weir_tree::{FolderOptions, FolderTree};

use crate::kustomize::folders;

const MEMO: usize = 1 << 20;
/// The repository that cases name; its charts are in the case's folder of this name.
const REPOSITORY: &str = "https://charts.example.com";
const CHARTS: &str = "repository";

#[test]
fn recorded_charts_are_those_of_the_command_line() {
    let host = Arc::new(Host::new(HostConfig::default()).unwrap());
    let plugins =
        Arc::new(weir_render::builtin::load_named(&host, &["kustomize", "helm"]).unwrap());
    let renderer = Renderer::new(host, MEMO).unwrap();
    let cases = folders("kustomize-helm");
    assert_eq!(cases.len(), 19);
    let failures: Vec<String> = cases
        .into_iter()
        .filter_map(|case| {
            let name = case.file_name().unwrap().to_string_lossy().into_owned();
            let expected = fs::read_to_string(case.join("expected.yaml"));
            let failure = fs::read_to_string(case.join("expected-error.txt"));
            let world = CaseWorld {
                plugins: Arc::clone(&plugins),
                case,
            };
            match (build(&renderer, &world), expected, failure) {
                (Ok(made), Ok(expected), _) => differs(&made, &expected),
                (Err(RenderError::Call { source, .. }), _, Ok(failure)) => {
                    let message = source.to_string();
                    (!message.contains(failure.trim())).then_some(message)
                }
                (Ok(_), ..) => Some("expected an error".to_owned()),
                (Err(error), ..) => Some(error.to_string()),
            }
            .map(|difference| format!("{name}: {difference}"))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn differs(made: &Rendered, expected: &str) -> Option<String> {
    let attachments = &made.bundle.attachments;
    let (_, stream) = attachments.iter().find(|(name, _)| name == "stream")?;
    let text = String::from_utf8_lossy(stream);
    if text != expected {
        return Some(format!("made\n{text}"));
    }
    let documents: Vec<Value> = made
        .bundle
        .documents
        .iter()
        .map(Document::to_value)
        .collect();
    let read: Vec<Value> = Document::from_yaml(&text, None)
        .unwrap()
        .iter()
        .map(Document::to_value)
        .collect();
    (documents != read).then(|| "the objects are not those of the text".to_owned())
}

fn build(renderer: &Renderer, world: &CaseWorld) -> Result<Rendered, RenderError> {
    let recipe = Recipe {
        unit: UnitId::new("Command", "", "build"),
        source: SourceId::new("Folder", "", "case"),
        steps: vec![Step {
            name: "kustomize".to_owned(),
            plugin: "kustomize".to_owned(),
            role: Some(Role::Generator),
            config: json!({"profile": "cli", "path": "", "stream": true, "enableHelm": true}),
            trees: BTreeMap::new(),
            inputs: BTreeMap::new(),
            filters: Vec::new(),
        }],
        common: CommonMetadata::default(),
        tainted: false,
    };
    renderer.render(&recipe, world, &CancellationToken::new())
}

/// A case's folder, the charts of its repository, and nothing else.
struct CaseWorld {
    plugins: Arc<std::collections::HashMap<String, Registered>>,
    case: PathBuf,
}

fn tree(folder: &Path) -> Result<SourceTree, Refusal> {
    let tree = FolderTree::open(folder, FolderOptions::at(UNIX_EPOCH));
    Ok(SourceTree {
        tree: Arc::new(tree.map_err(|error| Refusal::Invalid(error.to_string()))?),
        revision: "case".to_owned(),
        time: 0,
    })
}

impl World for CaseWorld {
    fn source(&self, _: &SourceId) -> Result<SourceTree, Refusal> {
        tree(&self.case)
    }

    fn plugin(&self, name: &str) -> Result<Registered, Refusal> {
        self.plugins.get(name).cloned().ok_or(Refusal::Absent)
    }

    fn kube_version(&self) -> String {
        // What a chart sees here is Helm's own version, as there is no cluster.
        "v0.0.0".to_owned()
    }

    fn api_versions(&self) -> Arc<[String]> {
        Arc::new([])
    }

    fn random_key(&self) -> Option<[u8; 32]> {
        None
    }

    fn open_chart(
        &self,
        repository: &str,
        name: &str,
        _: &str,
        _: &Budget,
    ) -> Result<SourceTree, Refusal> {
        let folder = self.case.join(CHARTS).join(name);
        if repository != REPOSITORY || !folder.is_dir() {
            return Err(Refusal::Absent);
        }
        tree(&folder)
    }
}
