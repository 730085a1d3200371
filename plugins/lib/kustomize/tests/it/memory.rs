//! A tree in memory, and a host whose remote trees and plugins are given.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use weir_kustomize::{
    Build, Entry, EntryKind, Error, FileError, Files, Host, Options, PluginCall, PluginError,
    Remote, build,
};

/// Files by path.
#[derive(Default)]
pub(crate) struct Memory {
    files: BTreeMap<String, Vec<u8>>,
    /// What was asked, in order.
    pub(crate) asked: RefCell<Vec<String>>,
}

impl Memory {
    pub(crate) fn new<C: AsRef<[u8]>>(files: &[(&str, C)]) -> Rc<Self> {
        let files = files
            .iter()
            .map(|(path, content)| ((*path).to_owned(), content.as_ref().to_vec()));
        Rc::new(Self {
            files: files.collect(),
            asked: RefCell::default(),
        })
    }

    fn ask(&self, question: &str, path: &str) {
        self.asked.borrow_mut().push(format!("{question} {path}"));
    }

    fn look(&self, path: &str) -> Result<EntryKind, FileError> {
        let below = if path.is_empty() {
            String::new()
        } else {
            format!("{path}/")
        };
        if self.files.contains_key(path) {
            Ok(EntryKind::File)
        } else if self.files.keys().any(|file| file.starts_with(&below)) {
            Ok(EntryKind::Directory)
        } else {
            Err(FileError::Absent)
        }
    }
}

impl Files for Memory {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.ask("read", path);
        match self.look(path)? {
            EntryKind::File => Ok(self.files[path].clone()),
            EntryKind::Directory => Err(FileError::Directory),
        }
    }

    fn read_filtered(&self, path: &str, format: &str) -> Result<Vec<u8>, FileError> {
        self.ask(&format!("filter {format}"), path);
        self.look(path)?;
        let mut content = self.files[path].clone();
        if let Some(rest) = content.strip_prefix(b"sealed:") {
            content = rest.to_vec();
        }
        Ok(content)
    }

    fn kind(&self, path: &str) -> Result<EntryKind, FileError> {
        self.ask("kind", path);
        self.look(path)
    }

    fn entries(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        self.ask("entries", path);
        let below = if path.is_empty() {
            String::new()
        } else {
            format!("{path}/")
        };
        let mut found: BTreeMap<String, EntryKind> = BTreeMap::new();
        for rest in self
            .files
            .keys()
            .filter_map(|file| file.strip_prefix(&below))
        {
            match rest.split_once('/') {
                Some((directory, _)) => found.insert(directory.to_owned(), EntryKind::Directory),
                None => found.insert(rest.to_owned(), EntryKind::File),
            };
        }
        Ok(found
            .into_iter()
            .map(|(name, kind)| Entry { name, kind })
            .collect())
    }

    fn resolve(&self, path: &str) -> Result<String, FileError> {
        self.ask("resolve", path);
        self.look(path).map(|_| path.to_owned())
    }

    fn as_any(self: Rc<Self>) -> Rc<dyn Any> {
        self
    }
}

type Plugin = Box<dyn Fn(&PluginCall) -> Result<Vec<String>, PluginError>>;

/// A host with a tree in memory.
pub(crate) struct MemoryHost {
    pub(crate) tree: Rc<Memory>,
    pub(crate) remote: BTreeMap<String, Remote>,
    /// Charts by `repository name version`.
    pub(crate) charts: BTreeMap<String, Rc<Memory>>,
    pub(crate) plugin: Option<Plugin>,
}

impl MemoryHost {
    pub(crate) fn new<C: AsRef<[u8]>>(files: &[(&str, C)]) -> Self {
        Self {
            tree: Memory::new(files),
            remote: BTreeMap::new(),
            charts: BTreeMap::new(),
            plugin: None,
        }
    }
}

impl Host for MemoryHost {
    fn tree(&self) -> Rc<dyn Files> {
        self.tree.clone()
    }

    fn open(&self, url: &str) -> Result<Remote, FileError> {
        self.remote.get(url).cloned().ok_or(FileError::Absent)
    }

    fn open_chart(
        &self,
        repository: &str,
        name: &str,
        version: &str,
    ) -> Result<Rc<dyn Files>, FileError> {
        let found = self.charts.get(&format!("{repository} {name} {version}"));
        match found {
            Some(tree) => Ok(tree.clone()),
            None => Err(FileError::Absent),
        }
    }

    fn run_plugin(&self, call: &PluginCall) -> Result<Vec<String>, PluginError> {
        match &self.plugin {
            Some(plugin) => plugin(call),
            None => Err(PluginError::Refused("there is none".to_owned())),
        }
    }
}

/// Builds the root of a tree as the command line does.
pub(crate) fn built(files: &[(&str, &str)]) -> Result<Build, Error> {
    build(&MemoryHost::new(files), "", &Options::default())
}

/// The text of that build.
pub(crate) fn yaml(files: &[(&str, &str)]) -> String {
    built(files).and_then(|built| built.to_yaml()).unwrap()
}

/// The error of that build.
pub(crate) fn error(files: &[(&str, &str)]) -> Error {
    match built(files).and_then(|built| built.to_yaml()) {
        Err(error) => error,
        Ok(text) => panic!("expected an error, got\n{text}"),
    }
}
