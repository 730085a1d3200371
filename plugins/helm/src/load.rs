//! The chart and the values, read through the host.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use weir_chart::{
    Chart, ChartFile, ChartTree, EntryKind, Limits, MissingValue, Profile, TreeEntry, TreeError,
    merge_into, values_from,
};
use weir_helm::{HelmError, Prepared};
use weir_sdk::raw::inputs;
use weir_sdk::raw::types::Refusal;
use weir_sdk::trees::{self, Tree};
use weir_sdk::{Error, Result};

use crate::config::{ChartPlace, Config, ProfileName, ValuesFile};

/// What is asked of the preparer.
#[derive(Serialize, Deserialize)]
struct Wanted {
    path: String,
    packaged: bool,
    profile: ProfileName,
    /// What `Chart.yaml` says: it tells one chart from others that stand at the same path.
    about: Option<String>,
}

/// The largest chart that is kept, in bytes of its files, and of what is kept.
const MOST_KEPT: usize = 16 << 20;
/// The longest `Chart.yaml` that is handed over.
const LONGEST_ABOUT: u64 = 64 << 10;

/// The chart with its templates, parsed before or still to be parsed.
pub(crate) fn prepared(place: &ChartPlace, profile: ProfileName) -> Result<Prepared> {
    let tree = match &place.tree {
        Some(name) => trees::named(name)?,
        None => trees::main(),
    };
    let about = below(&place.path, "Chart.yaml");
    let about = match tree.stat(&about) {
        Ok(Some(entry)) if entry.size <= LONGEST_ABOUT => tree.read_text(&about).ok(),
        Ok(_) | Err(_) => None,
    };
    let wanted = Wanted {
        path: place.path.clone(),
        packaged: place.packaged,
        profile,
        about,
    };
    // What is wrong with the chart is found, and said, when it is loaded here.
    if let Ok(Some(bytes)) = tree.prepared(&serde_json::to_string(&wanted)?)
        && let Some(prepared) = Prepared::unpack(bytes, profile.into())
    {
        return Ok(prepared);
    }
    let chart = chart(tree, &place.path, place.packaged, profile.into())?;
    Ok(Prepared::new(chart, profile.into()))
}

/// The preparer's work.
pub(crate) fn pack(config: &str) -> Result<Option<Vec<u8>>> {
    let wanted: Wanted = serde_json::from_str(config)?;
    let profile = wanted.profile.into();
    let chart = chart(trees::main(), &wanted.path, wanted.packaged, profile)?;
    if size(&chart) > MOST_KEPT {
        return Ok(None);
    }
    let packed = Prepared::new(chart, profile).pack();
    Ok(Some(packed).filter(|packed| packed.len() <= MOST_KEPT))
}

fn size(chart: &Chart) -> usize {
    let files = chart.templates.iter().chain(chart.files.iter());
    let own: usize = files.map(|file| file.data.len()).sum();
    own + chart.dependencies.iter().map(size).sum::<usize>()
}

/// Loads the chart: an archive, the folder of an unpacked one, or a folder as its author has it.
fn chart(tree: Tree, path: &str, packaged: bool, profile: Profile) -> Result<Chart> {
    let entry = tree.stat(path)?.ok_or_else(|| {
        Error::new(format!(
            "there is no chart at {path:?}; expected a folder with a Chart.yaml, or an archive"
        ))
    })?;
    if entry.kind == trees::EntryKind::File {
        let archive = tree.read(path)?;
        let name = path.rsplit('/').next().unwrap_or_default();
        return Ok(Chart::from_archive(
            name,
            &archive,
            profile,
            Limits::default(),
        )?);
    }
    let folder = Folder {
        tree,
        path: path.to_owned(),
    };
    if packaged {
        let mut files = Vec::new();
        folder.collect("", 0, &mut files)?;
        return Ok(Chart::from_files(files, profile, Limits::default())?);
    }
    Ok(Chart::from_tree(&folder, profile, Limits::default())?)
}

/// The values that a person gave, without the chart's own.
pub(crate) fn values(config: &Config) -> Result<Map<String, Value>, HelmError> {
    let main = trees::main();
    let mut read = |name: &str| {
        let text = place(&config.folder, name).and_then(|path| main.read_text(&path));
        text.map_err(|error| TreeError::new(error.to_string()))
    };
    let mut files = Vec::with_capacity(config.values_files.len());
    for file in &config.values_files {
        let name = match file {
            ValuesFile::Path(path) => path,
            ValuesFile::Content { name, text } => {
                files.push((name.clone(), text.clone()));
                continue;
            }
        };
        let text = read(name).map_err(|source| {
            HelmError::Chart(weir_chart::ChartError::Read {
                path: name.clone(),
                source,
            })
        })?;
        files.push((name.clone(), text));
    }
    let mut values = config.overrides(files).merge(config.profile(), &mut read)?;
    let references = config.references();
    if references.is_empty() && config.values.is_empty() {
        return Ok(values);
    }
    let folded = values_from(
        &config.release.namespace,
        &references,
        &config.values,
        &mut |reference| {
            let name = format!("{}/{}/{}", reference.kind, reference.name, reference.key);
            input(&name)
        },
    )?;
    merge_into(&mut values, folded);
    Ok(values)
}

fn input(name: &str) -> Result<String, MissingValue> {
    let missing = |absent: bool, reason: String| MissingValue { absent, reason };
    match inputs::value(name) {
        Ok(bytes) => String::from_utf8(bytes)
            .map_err(|_| missing(false, "the value is not UTF-8".to_owned())),
        Err(Refusal::Absent) => Err(missing(true, "not found".to_owned())),
        Err(Refusal::Denied(why) | Refusal::Unavailable(why) | Refusal::Invalid(why)) => {
            Err(missing(false, why))
        }
    }
}

/// A path of the main tree, written relative to a folder or from the root.
fn place(folder: &str, name: &str) -> Result<String> {
    let mut parts: Vec<&str> = match name.starts_with('/') {
        true => Vec::new(),
        false => folder.split('/').filter(|part| !part.is_empty()).collect(),
    };
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts
                    .pop()
                    .ok_or_else(|| Error::new(format!("{name} leaves the tree")))?;
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// A path in a folder.
fn below(folder: &str, path: &str) -> String {
    match (folder, path) {
        ("", path) => path.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, path) => format!("{folder}/{path}"),
    }
}

/// A folder of a tree.
struct Folder {
    tree: Tree,
    path: String,
}

/// Folders within folders.
const MAX_DEPTH: usize = 64;

impl Folder {
    fn place(&self, path: &str) -> String {
        below(&self.path, path)
    }

    /// All files below a folder.
    fn collect(&self, path: &str, depth: usize, files: &mut Vec<ChartFile>) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(Error::new(format!("{path}: its folders nest too deep")));
        }
        for entry in self.entries(path).map_err(Error::new)? {
            let below = if path.is_empty() {
                entry.name
            } else {
                format!("{path}/{}", entry.name)
            };
            match entry.kind {
                EntryKind::Folder => self.collect(&below, depth + 1, files)?,
                EntryKind::File => {
                    let data = self.tree.read(&self.place(&below))?;
                    files.push(ChartFile::new(below, data));
                }
                EntryKind::Irregular => {}
            }
        }
        Ok(())
    }
}

impl ChartTree for Folder {
    fn entries(&self, folder: &str) -> Result<Vec<TreeEntry>, TreeError> {
        let folder = self.place(folder);
        let failed = |error: Error| TreeError::new(error.to_string());
        let mut entries = Vec::new();
        for entry in self.tree.entries(&folder).map_err(failed)? {
            // A link is what it leads to.
            let found = match entry.kind {
                trees::EntryKind::Link => {
                    let path = if folder.is_empty() {
                        entry.name.clone()
                    } else {
                        format!("{folder}/{}", entry.name)
                    };
                    self.tree.stat(&path).map_err(failed)?
                }
                trees::EntryKind::File
                | trees::EntryKind::Directory
                | trees::EntryKind::Submodule => None,
            };
            let (kind, size) =
                found.map_or((entry.kind, entry.size), |found| (found.kind, found.size));
            entries.push(TreeEntry {
                name: entry.name,
                kind: match kind {
                    trees::EntryKind::File => EntryKind::File,
                    trees::EntryKind::Directory | trees::EntryKind::Submodule => EntryKind::Folder,
                    trees::EntryKind::Link => EntryKind::Irregular,
                },
                size: (kind == trees::EntryKind::File).then_some(size),
            });
        }
        Ok(entries)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, TreeError> {
        self.tree
            .read(&self.place(path))
            .map_err(|error| TreeError::new(error.to_string()))
    }
}
