//! Charts out of folders of a source, and charts whose values are others than they were published with.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use weir_chart::{Chart, ChartError, ChartFile, Dependency, IgnoreRules, Limits, Profile};
use weir_k8s_yaml::to_yaml;
use weir_tree::{EntryKind, Tree, TreeError, TreePath};

mod saved;

use crate::error::SourceError;
use crate::inside::inside;
use crate::pack::Archive;

/// How deep `file://` dependencies may have dependencies of their own.
const MAX_DEPTH: usize = 8;

/// A chart's archive.
#[derive(Clone, Debug)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub archive: Bytes,
    /// The chart's folder.
    pub tree: Arc<dyn Tree>,
}

/// What a package differs in from what is in the folder.
#[derive(Debug, Default)]
pub struct Changes {
    /// Takes the place of `values.yaml`.
    pub values: Option<String>,
    /// Takes the place of the version's build metadata.
    pub metadata: Option<String>,
    /// Archives that are added to `charts/`.
    pub dependencies: Vec<Package>,
}

/// Why there is no package.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error("there is no chart: {path} is no folder of the source")]
    NoFolder { path: String },
    #[error("{path}: {reason}")]
    Invalid { path: String, reason: String },
    #[error("the values file {path:?}: {reason}")]
    Values { path: String, reason: String },
    #[error("no values file found at path '{path}'")]
    NoValues { path: String },
    #[error("failed to add local dependency '{name}': {reason}")]
    Dependency { name: String, reason: String },
    #[error(transparent)]
    Chart(#[from] ChartError),
    #[error(transparent)]
    Tree(#[from] TreeError),
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// The chart in a folder of a tree, as far as its dependencies go.
#[derive(Debug)]
pub struct Folder {
    files: Vec<(String, Bytes)>,
    pub name: String,
    pub version: String,
    /// What is neither below `charts/` nor in the same tree.
    pub missing: Vec<Dependency>,
    /// What `file://` leads to.
    pub local: Vec<Package>,
}

impl Folder {
    /// Reads a chart. `path` is that of its folder; an archive there is no chart.
    pub fn read(tree: &dyn Tree, path: &str) -> Result<Self, PackageError> {
        Self::read_at(tree, &folder(path)?, 0)
    }

    fn read_at(tree: &dyn Tree, path: &TreePath, depth: usize) -> Result<Self, PackageError> {
        let found = tree.stat(path)?;
        if found.is_none_or(|found| found.kind != EntryKind::Directory) {
            return Err(PackageError::NoFolder { path: shown(path) });
        }
        let rules = match tree.read(&below(path, IgnoreRules::FILE)?)? {
            Some(text) => Some(IgnoreRules::parse(&String::from_utf8_lossy(&text)).map_err(
                |error| PackageError::Invalid {
                    path: format!("{}/{}", shown(path), IgnoreRules::FILE),
                    reason: error.to_string(),
                },
            )?),
            None => None,
        };
        let mut files = Vec::new();
        collect(tree, path, path, rules.as_ref(), &mut files)?;
        let loaded = files
            .iter()
            .map(|(name, content)| ChartFile::new(name.clone(), content.to_vec()))
            .collect();
        let chart = Chart::from_files(loaded, Profile::default(), Limits::default())?;
        let (mut missing, mut local) = (Vec::new(), Vec::new());
        // As in Flux, what was locked is fetched.
        let wanted = match &chart.lock {
            Some(lock) => lock.dependencies.clone(),
            None => chart.metadata.dependencies.clone().unwrap_or_default(),
        };
        for dependency in wanted {
            let there = chart
                .dependencies
                .iter()
                .any(|one| one.metadata.name == dependency.name);
            if there {
                continue;
            }
            match dependency.repository.strip_prefix("file://") {
                Some(relative) => {
                    local.push(neighbour(tree, path, &dependency.name, relative, depth)?);
                }
                None => missing.push(dependency),
            }
        }
        Ok(Self {
            files,
            name: chart.metadata.name.clone(),
            version: chart.metadata.version.clone(),
            missing,
            local,
        })
    }

    /// The folder as `helm package` would give it, with changes.
    pub fn package(self, changes: Changes) -> Result<Package, PackageError> {
        let Self {
            mut files,
            name,
            mut version,
            local,
            ..
        } = self;
        if let Some(metadata) = &changes.metadata {
            version = with_metadata(&version, metadata);
        }
        if let Some(values) = changes.values {
            replace(&mut files, "values.yaml", values.into());
        }
        for dependency in local.into_iter().chain(changes.dependencies) {
            let path = format!("charts/{}-{}.tgz", dependency.name, dependency.version);
            replace(&mut files, &path, dependency.archive);
        }
        let mut archive = Archive::new();
        for (path, content) in &saved::files(files, Some(&version))?.1 {
            archive.file(&format!("{name}/{path}"), content, false)?;
        }
        Package::of_archive(&name, &version, archive.finish()?)
    }
}

impl Package {
    /// A chart's archive as it was published.
    pub fn of_archive(name: &str, version: &str, archive: Bytes) -> Result<Self, PackageError> {
        let found = crate::remote::archive::chart(name, archive.clone(), None, version)?;
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            archive,
            tree: found.tree,
        })
    }
}

/// The build metadata of a version, replaced.
pub fn with_metadata(version: &str, metadata: &str) -> String {
    let bare = version.split('+').next().unwrap_or(version);
    format!("{bare}+{metadata}")
}

/// Values files merged into one, later ones over earlier ones. `read` gives a file's content. With `lenient`, missing ones
/// are left out. Gives the text and the files that were used.
pub fn merge_values(
    paths: &[String],
    lenient: bool,
    read: impl Fn(&str) -> Result<Option<Bytes>, PackageError>,
) -> Result<(String, Vec<String>), PackageError> {
    let mut merged = serde_json::Map::new();
    let mut used = Vec::new();
    for path in paths {
        let bad = |reason: String| PackageError::Values {
            path: path.clone(),
            reason,
        };
        let Some(content) = read(path)? else {
            if lenient {
                continue;
            }
            return Err(PackageError::NoValues { path: path.clone() });
        };
        let text = std::str::from_utf8(&content).map_err(|_| bad("it is not UTF-8".to_owned()))?;
        let values = weir_chart::read_values(text, Profile::default())
            .map_err(|error| bad(error.to_string()))?;
        weir_chart::merge_into(&mut merged, values);
        used.push(path.clone());
    }
    let text = to_yaml(&Value::Object(merged)).map_err(|error| PackageError::Values {
        path: paths.join(", "),
        reason: error.to_string(),
    })?;
    Ok((text, used))
}

/// A path of a source.
pub fn folder(path: &str) -> Result<TreePath, PackageError> {
    inside(path).map_err(|error| PackageError::Invalid {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

fn neighbour(
    tree: &dyn Tree,
    path: &TreePath,
    name: &str,
    relative: &str,
    depth: usize,
) -> Result<Package, PackageError> {
    let bad = |reason: String| PackageError::Dependency {
        name: name.to_owned(),
        reason,
    };
    if depth >= MAX_DEPTH {
        return Err(bad(format!("it is nested deeper than {MAX_DEPTH}")));
    }
    let place = folder(&format!("{}/{relative}", path.as_str()))?;
    let found = Folder::read_at(tree, &place, depth + 1).map_err(|error| {
        if matches!(error, PackageError::NoFolder { .. }) {
            return bad(format!(
                "no chart found at '/{}' (reference 'file://{relative}')",
                place.as_str()
            ));
        }
        bad(error.to_string())
    })?;
    if let Some(missing) = found.missing.first() {
        return Err(bad(format!(
            "its own dependency {} is not below its charts/; run `helm dependency build` there and commit the result",
            missing.name
        )));
    }
    found.package(Changes::default())
}

/// Files below a chart's folder by their path in it; the depth of a tree is bounded by its paths.
fn collect(
    tree: &dyn Tree,
    root: &TreePath,
    path: &TreePath,
    rules: Option<&IgnoreRules>,
    files: &mut Vec<(String, Bytes)>,
) -> Result<(), PackageError> {
    for entry in tree.entries(path)?.unwrap_or_default() {
        let inside = below(path, &entry.name)?;
        let Some(relative) = inside.relative_to(root) else {
            continue;
        };
        let directory = entry.kind == EntryKind::Directory;
        if rules.is_some_and(|rules| rules.ignores(relative.as_str(), directory)) {
            continue;
        }
        match entry.kind {
            EntryKind::Directory => collect(tree, root, &inside, rules, files)?,
            EntryKind::File | EntryKind::Executable => {
                let content = tree.read(&inside)?.unwrap_or_default();
                files.push((relative.as_str().to_owned(), content));
            }
            EntryKind::Link | EntryKind::Submodule => {}
        }
    }
    Ok(())
}

fn replace(files: &mut Vec<(String, Bytes)>, path: &str, content: Bytes) {
    match files.iter_mut().find(|(old, _)| old == path) {
        Some((_, old)) => *old = content,
        None => files.push((path.to_owned(), content)),
    }
}

fn below(path: &TreePath, name: &str) -> Result<TreePath, PackageError> {
    path.join(name).map_err(|error| PackageError::Invalid {
        path: name.to_owned(),
        reason: error.to_string(),
    })
}

fn shown(path: &TreePath) -> String {
    if path.is_root() {
        "the root".to_owned()
    } else {
        path.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_tree::{EmptyTree, OverlayTree};

    fn tree(files: &[(&str, &str)]) -> Arc<dyn Tree> {
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        for (path, text) in files {
            overlay
                .file(&TreePath::parse(path).unwrap(), text.to_string())
                .unwrap();
        }
        Arc::new(overlay.finish().unwrap())
    }

    const WEB: &str = "apiVersion: v2\nname: web\nversion: 1.2.3+old\ndependencies:\n- {name: lib, version: 0.1.0, repository: \"file://../lib\"}\n- {name: db, version: 1.x, repository: https://charts.example.org}\n";

    #[test]
    fn a_folder_becomes_an_archive_with_its_neighbours() {
        let source = tree(&[
            ("charts/web/Chart.yaml", WEB),
            ("charts/web/values.yaml", "a: 1\n"),
            ("charts/web/templates/x.yaml", "x: y\n"),
            ("charts/web/.helmignore", "*.md\n"),
            ("charts/web/README.md", "no"),
            (
                "charts/lib/Chart.yaml",
                "apiVersion: v2\nname: lib\nversion: 0.1.0\n",
            ),
        ]);
        let folder = Folder::read(&*source, "./charts/web").unwrap();
        assert_eq!(folder.missing.len(), 1);
        let changes = Changes {
            values: Some("a: 2\n".to_owned()),
            metadata: Some("7".to_owned()),
            dependencies: Vec::new(),
        };
        let package = folder.package(changes).unwrap();
        assert_eq!(
            (package.name.as_str(), package.version.as_str()),
            ("web", "1.2.3+7")
        );
        let read = |path: &str| {
            let content = package.tree.read(&TreePath::parse(path).unwrap()).unwrap();
            content.map(|content| String::from_utf8_lossy(&content).into_owned())
        };
        assert!(read("Chart.yaml").unwrap().contains("1.2.3+7"));
        assert_eq!(read("values.yaml").unwrap(), "a: 2\n");
        assert_eq!(read("README.md"), None);
        assert_eq!(
            read("charts/lib/Chart.yaml").unwrap(),
            "apiVersion: v2\nname: lib\nversion: 0.1.0\n"
        );
        let chart = Chart::from_archive(
            "web",
            &package.archive,
            Profile::default(),
            Limits::default(),
        );
        assert_eq!(chart.unwrap().metadata.version, "1.2.3+7");
    }

    #[test]
    fn values_are_merged_in_order() {
        let files = tree(&[("a.yaml", "m: {z: 1}\nx: 1\n"), ("b.yaml", "m: {w: 2}\n")]);
        let read = |path: &str| Ok::<_, PackageError>(files.read(&TreePath::parse(path).unwrap())?);
        let paths = [
            "a.yaml".to_owned(),
            "b.yaml".to_owned(),
            "c.yaml".to_owned(),
        ];
        let (text, used) = merge_values(&paths, true, read).unwrap();
        assert_eq!(text, "m:\n  w: 2\n  z: 1\nx: 1\n");
        assert_eq!(used.len(), 2);
        let error = merge_values(&paths, false, read).unwrap_err();
        assert!(error.to_string().contains("'c.yaml'"), "{error}");
    }

    #[test]
    fn what_is_no_chart_is_named() {
        let source = tree(&[("a/Chart.yaml", "name: x\n")]);
        let error = Folder::read(&*source, "b").unwrap_err().to_string();
        assert!(error.contains('b'), "{error}");
        assert!(Folder::read(&*source, "a").is_err());
        assert_eq!(folder("../../a").unwrap().as_str(), "a");
    }
}
