//! Charts as source-controller packages them: without what `.helmignore` leaves out, with their dependencies, and with the
//! values files that a HelmChart names in place of `values.yaml`.

use std::sync::Arc;

use serde_json::{Map, Value};
use weir_chart::{
    Chart, ChartFile, Dependency, IgnoreRules, Limits, Profile, merge_into, read_yaml,
};
use weir_tree::{
    ArchiveLimits, EmptyTree, EntryKind, OverlayTree, Subtree, TarTree, Tree, TreeError, TreePath,
};

/// Charts of folders that name each other.
const MAX_DEPTH: usize = 8;
const METADATA: &str = "Chart.yaml";
const VALUES: &str = "values.yaml";

/// Why there is no chart.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackageError {
    #[error("there is no chart at {0}: expected a folder with a Chart.yaml, or an archive")]
    NoChart(String),
    #[error("reading {place}: {source}")]
    Read { place: String, source: TreeError },
    #[error("the chart at {place}: {reason}")]
    Invalid { place: String, reason: String },
    #[error(
        "the chart at {place} needs the chart {name}, which is not in its folder charts: {reason}"
    )]
    Dependency {
        place: String,
        name: String,
        reason: String,
    },
    #[error("the values file {0} is not there")]
    NoValues(String),
    #[error("the values file {file}: {reason}")]
    Values { file: String, reason: String },
}

/// Gives a dependency that stands in a repository.
pub(crate) type Fetch<'f> = &'f dyn Fn(&Dependency) -> Result<Arc<dyn Tree>, String>;

/// Packages the chart at a path of a source.
pub(crate) fn package(
    source: &Arc<dyn Tree>,
    path: &TreePath,
    fetch: Fetch<'_>,
) -> Result<Arc<dyn Tree>, PackageError> {
    package_at(source, path, fetch, 0)
}

fn package_at(
    source: &Arc<dyn Tree>,
    path: &TreePath,
    fetch: Fetch<'_>,
    depth: usize,
) -> Result<Arc<dyn Tree>, PackageError> {
    let read = |source| PackageError::Read {
        place: path.to_string(),
        source,
    };
    let absent = || PackageError::NoChart(path.to_string());
    let entry = source.stat(path).map_err(read)?.ok_or_else(absent)?;
    if entry.kind != EntryKind::Directory {
        let archive = source.read(path).map_err(read)?.ok_or_else(absent)?;
        let tree = TarTree::read_from(&*archive, ArchiveLimits::default()).map_err(read)?;
        return only_folder(Arc::new(tree))
            .map_err(read)?
            .ok_or_else(absent);
    }
    let folder: Arc<dyn Tree> =
        match Subtree::new(Arc::clone(source), path.clone()).map_err(read)? {
            Some(folder) => Arc::new(folder),
            None => return Err(absent()),
        };
    let files = packaged_files(&*folder, path)?;
    if !files.iter().any(|(file, _)| file.as_str() == METADATA) {
        return Err(absent());
    }
    let mut overlay = OverlayTree::on(EmptyTree::shared());
    for (file, content) in &files {
        overlay.file(file, content.clone()).map_err(read)?;
    }
    for wanted in missing(&files, path)? {
        let failed = |reason: String| PackageError::Dependency {
            place: path.to_string(),
            name: wanted.name.clone(),
            reason,
        };
        let tree = match wanted.repository.strip_prefix("file://") {
            Some(_) if depth >= MAX_DEPTH => {
                return Err(failed("its dependencies nest too deep".to_owned()));
            }
            Some(place) => {
                let place = path
                    .join(place)
                    .map_err(|error| failed(error.to_string()))?;
                package_at(source, &place, fetch, depth + 1)?
            }
            None if wanted.repository.is_empty() || wanted.repository.contains('@') => {
                return Err(failed(
                    "it names no repository by its address; put it into charts".to_owned(),
                ));
            }
            None => fetch(&wanted).map_err(failed)?,
        };
        let place = TreePath::parse(&format!("charts/{}", wanted.name))
            .map_err(|error| failed(error.to_string()))?;
        overlay
            .mount(&place, tree, TreePath::root())
            .map_err(read)?;
    }
    Ok(Arc::new(overlay.finish().map_err(read)?))
}

/// Puts what values files say in place of the chart's `values.yaml`. Each is a path of `files`.
pub(crate) fn with_values(
    chart: Arc<dyn Tree>,
    files: &dyn Tree,
    names: &[String],
    ignore_missing: bool,
) -> Result<Arc<dyn Tree>, PackageError> {
    if names.is_empty() {
        return Ok(chart);
    }
    let mut values = Map::new();
    for name in names {
        let read = |source| PackageError::Read {
            place: name.clone(),
            source,
        };
        let failed = |reason: String| PackageError::Values {
            file: name.clone(),
            reason,
        };
        let path = TreePath::root()
            .join(name.trim_start_matches('/'))
            .map_err(|error| failed(error.to_string()))?;
        let Some(content) = files.read(&path).map_err(read)? else {
            if ignore_missing {
                continue;
            }
            return Err(PackageError::NoValues(name.clone()));
        };
        let text =
            std::str::from_utf8(&content).map_err(|_| failed("it is not UTF-8".to_owned()))?;
        match read_yaml(text).map_err(|error| failed(error.to_string()))? {
            Value::Null => {}
            Value::Object(map) => merge_into(&mut values, map),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(failed("it is not a map".to_owned()));
            }
        }
    }
    replace(chart, VALUES, &Value::Object(values))
}

/// Writes the digest of the artifact into the chart's version, as helm-controller does for charts of an OCIRepository.
pub(crate) fn with_digest(
    chart: Arc<dyn Tree>,
    digest: &str,
) -> Result<Arc<dyn Tree>, PackageError> {
    let read = |source| PackageError::Read {
        place: METADATA.to_owned(),
        source,
    };
    let path = place(METADATA)?;
    let Some(content) = chart.read(&path).map_err(read)? else {
        return Ok(chart);
    };
    let invalid = |reason: String| PackageError::Invalid {
        place: METADATA.to_owned(),
        reason,
    };
    let mut metadata = read_yaml(&String::from_utf8_lossy(&content))
        .map_err(|error| invalid(error.to_string()))?;
    let Some(version) = metadata.get("version").and_then(Value::as_str) else {
        return Ok(chart);
    };
    let plain = version.split('+').next().unwrap_or_default();
    let hex = digest.rsplit(':').next().unwrap_or_default();
    let short: String = hex.chars().take(12).collect();
    metadata["version"] = format!("{plain}+{short}").into();
    replace(chart, METADATA, &metadata)
}

fn replace(
    chart: Arc<dyn Tree>,
    name: &str,
    content: &Value,
) -> Result<Arc<dyn Tree>, PackageError> {
    let read = |source| PackageError::Read {
        place: name.to_owned(),
        source,
    };
    let text = weir_k8s_yaml::to_yaml(content).map_err(|error| PackageError::Invalid {
        place: name.to_owned(),
        reason: error.to_string(),
    })?;
    let mut overlay = OverlayTree::on(chart);
    overlay
        .file(&place(name)?, text.into_bytes())
        .map_err(read)?;
    Ok(Arc::new(overlay.finish().map_err(read)?))
}

fn place(name: &str) -> Result<TreePath, PackageError> {
    TreePath::parse(name).map_err(|error| PackageError::Invalid {
        place: name.to_owned(),
        reason: error.to_string(),
    })
}

/// The only folder at the root of an archive.
fn only_folder(tree: Arc<dyn Tree>) -> Result<Option<Arc<dyn Tree>>, TreeError> {
    let entries = tree.entries(&TreePath::root())?.unwrap_or_default();
    let mut folders = entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::Directory);
    let (Some(folder), None) = (folders.next(), folders.next()) else {
        return Ok(None);
    };
    let Ok(path) = TreePath::parse(&folder.name) else {
        return Ok(None);
    };
    let folder = Subtree::new(Arc::clone(&tree), path)?;
    Ok(folder.map(|folder| Arc::new(folder) as Arc<dyn Tree>))
}

type File = (TreePath, weir_tree::Blob);

/// The files that `helm package` takes.
fn packaged_files(folder: &dyn Tree, shown: &TreePath) -> Result<Vec<File>, PackageError> {
    let read = |source| PackageError::Read {
        place: shown.to_string(),
        source,
    };
    let text = folder.read(&place(IgnoreRules::FILE)?).map_err(read)?;
    let text = text.unwrap_or_default();
    let rules = IgnoreRules::parse(&String::from_utf8_lossy(&text)).map_err(|error| {
        PackageError::Invalid {
            place: format!("{shown}/{}", IgnoreRules::FILE),
            reason: error.to_string(),
        }
    })?;
    let mut files = Vec::new();
    collect(folder, &TreePath::root(), &rules, &mut files).map_err(read)?;
    Ok(files)
}

/// The depth is that of a path in a tree, which is bounded.
fn collect(
    tree: &dyn Tree,
    folder: &TreePath,
    rules: &IgnoreRules,
    files: &mut Vec<File>,
) -> Result<(), TreeError> {
    for entry in tree.entries(folder)?.unwrap_or_default() {
        let Ok(path) = folder.join(&entry.name) else {
            continue;
        };
        let directory = entry.kind == EntryKind::Directory;
        if rules.ignores(path.as_str(), directory) {
            continue;
        }
        match entry.kind {
            EntryKind::Directory => collect(tree, &path, rules, files)?,
            EntryKind::File | EntryKind::Executable => {
                let content = tree.read(&path)?.unwrap_or_default();
                files.push((path, content));
            }
            EntryKind::Link | EntryKind::Submodule => {}
        }
    }
    Ok(())
}

/// What the chart asks for and does not hold, by its lock if it has one.
fn missing(files: &[File], shown: &TreePath) -> Result<Vec<Dependency>, PackageError> {
    let files = files
        .iter()
        .map(|(path, content)| ChartFile::new(path.as_str(), content.to_vec()))
        .collect();
    let chart =
        Chart::from_files(files, Profile::default(), Limits::default()).map_err(|error| {
            PackageError::Invalid {
                place: shown.to_string(),
                reason: error.to_string(),
            }
        })?;
    let names = chart.missing_dependencies();
    let locked = chart.lock.as_ref().map(|lock| &lock.dependencies);
    let wanted = locked.or(chart.metadata.dependencies.as_ref());
    let wanted = wanted.into_iter().flatten();
    Ok(wanted
        .filter(|wanted| names.contains(&wanted.name))
        .cloned()
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Arc<dyn Tree> {
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        for (path, content) in files {
            let path = TreePath::parse(path).unwrap();
            overlay.file(&path, content.as_bytes().to_vec()).unwrap();
        }
        Arc::new(overlay.finish().unwrap())
    }

    fn text(tree: &dyn Tree, path: &str) -> Option<String> {
        let content = tree.read(&TreePath::parse(path).unwrap()).unwrap()?;
        Some(String::from_utf8(content.to_vec()).unwrap())
    }

    #[test]
    fn a_chart_of_a_folder_is_packaged_with_what_it_needs() {
        let source = tree(&[
            (
                "charts/web/Chart.yaml",
                "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {name: lib, version: 1.x, repository: 'file://../lib'}\n- {name: db, version: 2.x, repository: 'https://charts'}\n",
            ),
            ("charts/web/.helmignore", "*.md\n"),
            ("charts/web/README.md", "x"),
            ("charts/web/values.yaml", "a: 1\nb: 1\n"),
            (
                "charts/lib/Chart.yaml",
                "apiVersion: v2\nname: lib\nversion: 1.2.0\ntype: library\n",
            ),
            ("extra.yaml", "b: 2\n"),
        ]);
        let fetch = |wanted: &Dependency| {
            assert_eq!(
                (wanted.name.as_str(), wanted.version.as_str()),
                ("db", "2.x")
            );
            Ok(tree(&[(
                "Chart.yaml",
                "apiVersion: v2\nname: db\nversion: 2.1.0\n",
            )]))
        };
        let path = TreePath::parse("charts/web").unwrap();
        let chart = package(&source, &path, &fetch).unwrap();
        assert_eq!(text(&*chart, "README.md"), None);
        assert!(
            text(&*chart, "charts/lib/Chart.yaml")
                .unwrap()
                .contains("1.2.0")
        );
        assert!(
            text(&*chart, "charts/db/Chart.yaml")
                .unwrap()
                .contains("2.1.0")
        );

        let names = ["charts/web/values.yaml".to_owned(), "extra.yaml".to_owned()];
        let chart = with_values(chart, &*source, &names, false).unwrap();
        assert_eq!(text(&*chart, "values.yaml").unwrap(), "a: 1\nb: 2\n");
        let chart = with_digest(chart, "sha256:0123456789abcdef").unwrap();
        assert!(
            text(&*chart, "Chart.yaml")
                .unwrap()
                .contains("version: 1.0.0+0123456789ab\n")
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let source = tree(&[
            (
                "a/Chart.yaml",
                "apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies:\n- {name: b, version: 1.x}\n",
            ),
            ("c/values.yaml", "a: 1\n"),
        ]);
        let fetch = |_: &Dependency| Err("no".to_owned());
        let package = |path: &str| {
            let path = TreePath::parse(path).unwrap();
            package(&source, &path, &fetch).unwrap_err().to_string()
        };
        assert!(
            package("a").contains("needs the chart b"),
            "{}",
            package("a")
        );
        assert!(package("c").contains("expected a folder with a Chart.yaml"));
        assert!(package("d").contains("there is no chart at d"));
        let names = ["x.yaml".to_owned()];
        let missing = with_values(Arc::clone(&source), &*source, &names, false).unwrap_err();
        assert_eq!(missing.to_string(), "the values file x.yaml is not there");
        assert!(with_values(source.clone(), &*source, &names, true).is_ok());
    }
}
