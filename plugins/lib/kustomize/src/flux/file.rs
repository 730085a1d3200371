//! The kustomization file that is made for a folder without one.

use serde_json::{Value, json};

use crate::error::{Error, Problem, Result};
use crate::files::{Entry, EntryKind};
use crate::kustomization;
use crate::loader::Folder;
use crate::path;
use crate::read;

/// How deeply folders are looked into.
const MAX_DEPTH: usize = 200;
/// How many files and folders are listed.
const MAX_ENTRIES: usize = 200_000;

/// Lists all YAML files below a folder; folders with a kustomization of their own are listed as such.
pub(super) fn generate(folder: &Folder) -> Result<Value> {
    let mut walk = Walk {
        folder,
        found: Vec::new(),
        left: MAX_ENTRIES,
    };
    walk.enter(folder.dir(), 0)?;
    let mut file = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
    });
    if walk.found.is_empty() {
        // Something has to stand in the file, or the build would call it empty.
        file["namespace"] = "_placeholder".into();
    } else {
        file["resources"] = walk.found.into();
    }
    Ok(file)
}

struct Walk<'a> {
    folder: &'a Folder,
    found: Vec<String>,
    left: usize,
}

impl Walk<'_> {
    fn enter(&mut self, dir: &str, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(Error::new(Problem::TooDeep { limit: MAX_DEPTH }).in_file(&self.shown(dir)));
        }
        let mut entries = self.folder.tree().entries(dir).map_err(|error| {
            Error::new(Problem::Folder {
                path: self.shown(dir),
                error,
            })
        })?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        for entry in &entries {
            self.left = self.left.checked_sub(1).ok_or_else(|| {
                Error::new(Problem::TooManyFiles { limit: MAX_ENTRIES })
                    .help("add a kustomization file, or set a `path`")
            })?;
            let place = if dir.is_empty() {
                entry.name.clone()
            } else {
                format!("{dir}/{}", entry.name)
            };
            match entry.kind {
                EntryKind::Directory if self.has_kustomization(&place)? => self.add(&place),
                EntryKind::Directory => self.enter(&place, depth + 1)?,
                EntryKind::File
                    if entry.name.ends_with(".yaml") || entry.name.ends_with(".yml") =>
                {
                    self.check(&place)?;
                    self.add(&place);
                }
                EntryKind::File => {}
            }
        }
        Ok(())
    }

    fn has_kustomization(&self, dir: &str) -> Result<bool> {
        let entries = self.folder.tree().entries(dir).map_err(|error| {
            Error::new(Problem::Folder {
                path: self.shown(dir),
                error,
            })
        })?;
        let is_one = |entry: &Entry| {
            entry.kind == EntryKind::File && kustomization::NAMES.contains(&entry.name.as_str())
        };
        Ok(entries.iter().any(is_one))
    }

    /// Every listed file has to hold objects.
    fn check(&self, place: &str) -> Result<()> {
        let shown = self.shown(place);
        let content = self.folder.tree().read(place).map_err(|error| {
            Error::new(Problem::File {
                path: shown.clone(),
                error,
            })
        })?;
        read::objects(&content).map(drop).map_err(|error| {
            error
                .in_file(&shown)
                .help("the folder has no kustomization file, so every YAML file in it has to hold Kubernetes objects")
        })?;
        Ok(())
    }

    fn add(&mut self, place: &str) {
        self.found
            .push(format!("./{}", path::relative(place, self.folder.dir())));
    }

    fn shown(&self, place: &str) -> String {
        path::relative(place, self.folder.dir())
    }
}
