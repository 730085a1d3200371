//! What a source says of itself, and what is in its artifact, without what differs at each run.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use regex::Regex;
use serde_json::{Map, Value, json};
use weir_api::{Gvk, Object};
use weir_cluster::Selection;
use weir_source::{ClientSpec, HttpFactory};
use weir_tree::{ArchiveLimits, EntryKind, TarTree, Tree, TreePath};

use crate::lab::Lab;
use crate::sources::{SOURCE, text};

pub(super) const KINDS: [&str; 5] = [
    "GitRepository",
    "OCIRepository",
    "HelmRepository",
    "HelmChart",
    "Bucket",
];

/// By `KIND/NAME`.
pub(super) type Snapshot = BTreeMap<String, Value>;

/// Fields of a status that both write, beside conditions and artifact.
const OBSERVED: [&str; 10] = [
    "observedGeneration",
    "observedIgnore",
    "observedInclude",
    "observedSparseCheckout",
    "observedRecurseSubmodules",
    "observedLayerSelector",
    "observedChartName",
    "observedSourceArtifactRevision",
    "observedValuesFiles",
    "sourceVerificationMode",
];

/// Takes snapshots; what an artifact's address holds is asked for once.
pub(super) struct Camera {
    http: HttpFactory,
    seen: BTreeMap<String, Value>,
    /// Temporary folders in messages.
    folders: Regex,
    /// Fingerprints of keys.
    keys: Regex,
}

impl Camera {
    pub(super) fn new() -> Result<Self> {
        let folder = std::env::temp_dir().display().to_string();
        Ok(Self {
            http: HttpFactory::new(weir_source::HttpOptions::default()),
            seen: BTreeMap::new(),
            folders: Regex::new(&format!("{}/[a-z-]+[^/ ]*[0-9]+", regex::escape(&folder)))?,
            keys: Regex::new("SHA256:[A-Za-z0-9+/]{43}")?,
        })
    }

    /// How all sources of a lab stand.
    pub(super) async fn take(&mut self, lab: &Lab, names: &[(String, String)]) -> Result<Snapshot> {
        let mut all = Snapshot::new();
        for kind in KINDS {
            let by = Selection {
                namespace: lab.namespace.clone(),
                ..Selection::default()
            };
            let list = lab
                .cluster
                .list(&Gvk::from_api_version(SOURCE, kind), &by)
                .await?;
            for object in list.objects {
                let said = self.one(&object).await?;
                let mut said = serde_json::to_string(&said)?;
                for (text, name) in names {
                    said = said.replace(text, name);
                }
                said = self.folders.replace_all(&said, "<folder>").into_owned();
                said = self.keys.replace_all(&said, "<key>").into_owned();
                all.insert(
                    format!("{kind}/{}", object.name()),
                    serde_json::from_str(&said)?,
                );
            }
        }
        Ok(all)
    }

    async fn one(&mut self, object: &Object) -> Result<Value> {
        let mut said = Map::new();
        let conditions = object.get("/status/conditions").and_then(Value::as_array);
        let mut conditions: Vec<Value> = conditions
            .into_iter()
            .flatten()
            .map(|one| {
                json!({
                    "type": one["type"], "status": one["status"], "reason": one["reason"], "message": one["message"],
                })
            })
            .collect();
        conditions.sort_by_key(|one| one["type"].to_string());
        said.insert("conditions".to_owned(), conditions.into());
        for field in OBSERVED {
            if let Some(value) = object.get(&format!("/status/{field}")) {
                said.insert(field.to_owned(), value.clone());
            }
        }
        if let Some(Value::Array(included)) = object.get("/status/includedArtifacts") {
            let revisions: Vec<&Value> = included.iter().map(|one| &one["revision"]).collect();
            said.insert("includedArtifacts".to_owned(), json!(revisions));
        }
        for (field, path) in [
            ("revision", "/status/artifact/revision"),
            ("metadata", "/status/artifact/metadata"),
        ] {
            if let Some(value) = object.get(path) {
                said.insert(field.to_owned(), value.clone());
            }
        }
        let path = text(object, "/status/artifact/path");
        if !path.is_empty() {
            said.insert("path".to_owned(), path.into());
            let files = self.files(text(object, "/status/artifact/url")).await?;
            said.insert("files".to_owned(), files);
        }
        let finalizers: Vec<&str> = object.finalizers().collect();
        said.insert("finalizers".to_owned(), json!(finalizers));
        Ok(said.into())
    }

    /// What is in the artifact at an address.
    async fn files(&mut self, url: &str) -> Result<Value> {
        const MOST: u64 = 16 << 20;
        if let Some(known) = self.seen.get(url) {
            return Ok(known.clone());
        }
        let client = ClientSpec::default();
        let downloaded = weir_source::download_file(&self.http, &client, url, None, MOST).await;
        // It may be replaced at this moment: then the next look finds another address.
        let Ok((_, content)) = downloaded else {
            return Ok(Value::Null);
        };
        let files = contents(&content).with_context(|| format!("reading {url}"))?;
        self.seen.insert(url.to_owned(), files.clone());
        Ok(files)
    }
}

/// The files of an archive with their digests, or what an index says.
fn contents(content: &[u8]) -> Result<Value> {
    if !content.starts_with(&[0x1f, 0x8b]) {
        return serde_json::from_slice(content).context("an index is JSON");
    }
    let tree = TarTree::read_from(content, ArchiveLimits::default())?;
    let mut files = Vec::new();
    list(&tree, &TreePath::root(), &mut files)?;
    Ok(files.into())
}

fn list(tree: &dyn Tree, folder: &TreePath, files: &mut Vec<Value>) -> Result<()> {
    for entry in tree.entries(folder)?.unwrap_or_default() {
        let path = folder.join(&entry.name)?;
        if entry.kind == EntryKind::Directory {
            list(tree, &path, files)?;
            continue;
        }
        let digest = tree.digest(&path)?.context("a file has a digest")?.hex();
        let mark = match entry.kind {
            EntryKind::File => "",
            EntryKind::Executable => " (executable)",
            EntryKind::Link | EntryKind::Directory | EntryKind::Submodule => " (no file)",
        };
        files.push(format!("{path} {}{mark}", &digest[..12]).into());
    }
    Ok(())
}
