//! A chart's files as Helm saves a chart that it loaded: `Chart.yaml` and `Chart.lock` are written anew, and charts below
//! `charts/`, in folders and in archives, become folders with the names of the charts.

use std::collections::BTreeMap;

use bytes::Bytes;
use weir_chart::{Chart, ChartFile, Limits, Profile};
use weir_k8s_yaml::to_yaml;
use weir_tree::{ArchiveLimits, EntryKind, TarTree, Tree, TreePath};

use super::{MAX_DEPTH, PackageError};

/// Paths with their contents.
type Files = Vec<(String, Bytes)>;

/// The name of a chart, and its files. `version` takes the place of its own.
pub(super) fn files(files: Files, version: Option<&str>) -> Result<(String, Files), PackageError> {
    files_at(files, version, 0)
}

fn files_at(
    files: Files,
    version: Option<&str>,
    depth: usize,
) -> Result<(String, Files), PackageError> {
    let loaded = files
        .iter()
        .map(|(path, content)| ChartFile::new(path.clone(), content.to_vec()))
        .collect();
    let chart = Chart::from_files(loaded, Profile::default(), Limits::default())?;
    let name = chart.metadata.name.clone();
    if depth > MAX_DEPTH {
        return Err(PackageError::Invalid {
            path: format!("charts/{name}"),
            reason: format!("charts are nested deeper than {MAX_DEPTH}"),
        });
    }
    // Charts of the first version keep dependencies and what was locked in files of their own.
    let first = chart.metadata.api_version == "v1";
    let lock = chart.lock.as_ref().filter(|_| !first);
    let mut below: BTreeMap<String, Files> = BTreeMap::new();
    let mut saved = Files::new();
    for (path, content) in files {
        if path == "Chart.yaml" || path == "Chart.lock" && lock.is_some() {
            continue;
        }
        match path.strip_prefix("charts/") {
            // What belongs to an archive but is none is kept beside it.
            Some(inside) if !inside.ends_with(".prov") => {
                let (first, rest) = inside.split_once('/').unwrap_or((inside, ""));
                let group = below.entry(first.to_owned()).or_default();
                group.push((rest.to_owned(), content));
            }
            Some(_) | None => saved.push((path, content)),
        }
    }
    let mut metadata = chart.metadata.to_json();
    if let Some(version) = version {
        metadata.insert("version".to_owned(), version.into());
    }
    if first {
        metadata.shift_remove("dependencies");
    }
    let text = |value: &serde_json::Value| {
        to_yaml(value).map_err(|error| PackageError::Invalid {
            path: "Chart.yaml".to_owned(),
            reason: error.to_string(),
        })
    };
    saved.push(("Chart.yaml".to_owned(), text(&metadata.into())?.into()));
    if let Some(lock) = lock {
        saved.push(("Chart.lock".to_owned(), text(&lock.to_json())?.into()));
    }
    for (entry, group) in below {
        let inside = match group.as_slice() {
            _ if entry.starts_with(['_', '.']) => continue,
            [(rest, archive)] if rest.is_empty() && entry.ends_with(".tgz") => unpacked(archive)?,
            _ => {
                let files: Files = group
                    .into_iter()
                    .filter(|(rest, _)| !rest.is_empty())
                    .collect();
                // Only files lie there, none of a chart.
                if files.is_empty() {
                    continue;
                }
                files
            }
        };
        let (name, inside) = files_at(inside, None, depth + 1)?;
        for (path, content) in inside {
            saved.push((format!("charts/{name}/{path}"), content));
        }
    }
    Ok((name, saved))
}

/// The files of an archive of a chart, without its folder.
fn unpacked(archive: &Bytes) -> Result<Files, PackageError> {
    let tree = TarTree::read_from(&**archive, ArchiveLimits::default())?;
    let mut found = Files::new();
    let mut folders = vec![TreePath::root()];
    while let Some(folder) = folders.pop() {
        for entry in tree.entries(&folder)?.unwrap_or_default() {
            let path = super::below(&folder, &entry.name)?;
            match entry.kind {
                EntryKind::Directory => folders.push(path),
                EntryKind::File | EntryKind::Executable => {
                    if let Some((_, inside)) = path.as_str().split_once('/') {
                        let content = tree.read(&path)?.unwrap_or_default();
                        found.push((inside.to_owned(), content));
                    }
                }
                EntryKind::Link | EntryKind::Submodule => {}
            }
        }
    }
    Ok(found)
}
