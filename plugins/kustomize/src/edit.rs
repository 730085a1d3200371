//! The step's documents as the resources of a kustomization that stands in memory: what a post-renderer of a HelmRelease is.

use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value, json};
use weir_kustomize::{
    Entry, EntryKind, Error as BuildError, FileError, Files, Host, Options, PluginCall,
    PluginError, Profile, Remote, build,
};
use weir_sdk::documents::{self, Document};
use weir_sdk::{Error, Result};

use crate::config::{Config, Hooks};

const KUSTOMIZATION: &str = "kustomization.yaml";

/// How Helm knows a hook.
const HOOK: &str = "/metadata/annotations/helm.sh~1hook";

/// Patches the documents and changes their images; they keep their order and where they came from.
pub(crate) fn edit(config: &Config) -> Result<()> {
    let all = documents::all()?;
    if config.hooks == Hooks::Combined {
        return edit_together(&all.iter().collect::<Vec<_>>(), config);
    }
    let (mut hooks, mut others) = (Vec::new(), Vec::new());
    for document in &all {
        let is_hook = document.get::<Value>(HOOK)?.is_some();
        if is_hook { &mut hooks } else { &mut others }.push(document);
    }
    edit_together(&others, config)?;
    match config.hooks {
        Hooks::Separate => edit_together(&hooks, config),
        Hooks::NoHooks | Hooks::Combined => Ok(()),
    }
}

fn edit_together(before: &[&Document], config: &Config) -> Result<()> {
    if before.is_empty() {
        return Ok(());
    }
    let memory = Memory::holding(before, config)?;
    let options = Options {
        profile: Profile::Flux,
        plugins: false,
        remote: false,
        flux: None,
        ..config.options()
    };
    let built = build(&memory, "", &options).map_err(told)?;
    let mut after: BTreeMap<usize, String> = BTreeMap::new();
    for object in built.objects() {
        let number = object.file().and_then(number).ok_or_else(|| {
            Error::new("an object came out of the post-renderer that did not go into it")
        })?;
        after.insert(number, object.to_json().map_err(told)?);
    }
    for (number, document) in before.iter().enumerate() {
        match after.get(&number) {
            Some(object) => document.replace_json(object)?,
            None => document.remove()?,
        }
    }
    Ok(())
}

fn told(error: BuildError) -> Error {
    Error::new(error)
}

/// One file for each document, named by its number.
fn name(number: usize) -> String {
    format!("{number:06}.json")
}

fn number(file: &str) -> Option<usize> {
    file.strip_suffix(".json")?.parse().ok()
}

/// A folder with a kustomization and its resources.
#[derive(Debug)]
struct Memory(Rc<Folder>);

#[derive(Debug)]
struct Folder(BTreeMap<String, Vec<u8>>);

impl Memory {
    fn holding(documents: &[&Document], config: &Config) -> Result<Self> {
        let mut files = BTreeMap::new();
        for (number, document) in documents.iter().enumerate() {
            files.insert(name(number), document.body().into_bytes());
        }
        let resources: Vec<&String> = files.keys().collect();
        let kustomization = json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
            "resources": resources, "patches": config.patches(), "images": config.images(),
        });
        files.insert(
            KUSTOMIZATION.to_owned(),
            kustomization.to_string().into_bytes(),
        );
        Ok(Self(Rc::new(Folder(files))))
    }
}

impl Host for Memory {
    fn tree(&self) -> Rc<dyn Files> {
        self.0.clone()
    }

    fn open(&self, url: &str) -> std::result::Result<Remote, FileError> {
        Err(FileError::Denied(format!(
            "{url} is not read by a post-renderer"
        )))
    }

    fn open_chart(
        &self,
        _: &str,
        name: &str,
        _: &str,
    ) -> std::result::Result<Rc<dyn Files>, FileError> {
        Err(FileError::Denied(format!(
            "the chart {name} is not read by a post-renderer"
        )))
    }

    fn run_plugin(&self, call: &PluginCall) -> std::result::Result<Vec<String>, PluginError> {
        Err(PluginError::Refused(format!(
            "{} is not run by a post-renderer",
            call.name
        )))
    }
}

impl Files for Folder {
    fn read(&self, path: &str) -> std::result::Result<Vec<u8>, FileError> {
        match path {
            "" | "." => Err(FileError::Directory),
            path => self.0.get(path).cloned().ok_or(FileError::Absent),
        }
    }

    fn kind(&self, path: &str) -> std::result::Result<EntryKind, FileError> {
        match path {
            "" | "." => Ok(EntryKind::Directory),
            path if self.0.contains_key(path) => Ok(EntryKind::File),
            _ => Err(FileError::Absent),
        }
    }

    fn entries(&self, path: &str) -> std::result::Result<Vec<Entry>, FileError> {
        match self.kind(path)? {
            EntryKind::File => Err(FileError::NotDirectory),
            EntryKind::Directory => Ok(self
                .0
                .keys()
                .map(|name| Entry {
                    name: name.clone(),
                    kind: EntryKind::File,
                })
                .collect()),
        }
    }

    fn resolve(&self, path: &str) -> std::result::Result<String, FileError> {
        self.kind(path)?;
        Ok(path.to_owned())
    }

    fn as_any(self: Rc<Self>) -> Rc<dyn Any> {
        self
    }
}
