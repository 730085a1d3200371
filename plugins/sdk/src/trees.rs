//! Trees of files.

use serde::de::DeserializeOwned;

use crate::Result;
use crate::error::asked;
use crate::raw::trees as raw;
use crate::raw::types::Refusal;

pub use crate::raw::trees::{Entry, EntryKind};

/// The step's own tree.
pub fn main() -> Tree {
    Tree(raw::main())
}

/// Another tree, by the name under which the step was given it.
pub fn named(name: &str) -> Result<Tree> {
    asked(raw::named(name), || format!("the tree {name}")).map(Tree)
}

/// A tree from the network, as kustomize writes its remote bases: "https://host/repo//path?ref=v1".
pub fn open(url: &str) -> Result<Tree> {
    asked(raw::open(url), || format!("opening {url}")).map(Tree)
}

/// A chart from a repository.
pub fn open_chart(repository: &str, name: &str, version: &str) -> Result<Tree> {
    asked(raw::open_chart(repository, name, version), || {
        format!("opening the chart {name} of {repository}")
    })
    .map(Tree)
}

/// A read-only tree. Paths are relative to its root.
#[derive(Debug)]
pub struct Tree(raw::Tree);

impl Tree {
    /// The whole file.
    pub fn read(&self, path: &str) -> Result<Vec<u8>> {
        asked(self.0.read(path), || format!("reading {path}"))
    }

    /// The whole file as text.
    pub fn read_text(&self, path: &str) -> Result<String> {
        asked(self.0.read_text(path), || format!("reading {path}"))
    }

    /// The whole file as text, or `None` if it is not there.
    pub fn read_text_if_there(&self, path: &str) -> Result<Option<String>> {
        asked(there(self.0.read_text(path)), || format!("reading {path}"))
    }

    /// Up to `length` bytes from `offset`.
    pub fn read_range(&self, path: &str, offset: u64, length: u32) -> Result<Vec<u8>> {
        asked(self.0.read_range(path, offset, length), || {
            format!("reading {path}")
        })
    }

    /// The documents of a YAML or JSON file, which the host parses.
    pub fn read_yaml<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>> {
        let text = asked(self.0.read_parsed(path), || format!("reading {path}"))?;
        serde_json::from_str(&text).map_err(|error| crate::Error::new(format!("{path}: {error}")))
    }

    /// The file after the step's filters (decryption) have seen it.
    pub fn read_filtered(&self, path: &str, format: &str) -> Result<Vec<u8>> {
        asked(self.0.read_filtered(path, format), || {
            format!("reading {path}")
        })
    }

    /// What is at the path; `None` if nothing is.
    pub fn stat(&self, path: &str) -> Result<Option<Entry>> {
        asked(there(self.0.stat(path)), || format!("looking at {path}"))
    }

    /// What is in the directory, sorted by name.
    pub fn entries(&self, path: &str) -> Result<Vec<Entry>> {
        asked(self.0.entries(path), || format!("listing {path}"))
    }

    /// The files that match, sorted: "apps/**/*.yaml".
    pub fn glob(&self, pattern: &str) -> Result<Vec<String>> {
        asked(self.0.glob(pattern), || format!("looking for {pattern}"))
    }

    /// What the plugin's own [`crate::Preparer`] makes of this tree for a config. The host keeps it until something changes that
    /// was read for it. `None`: do the work here. Of one config few are kept, so name in it what tells one tree from others.
    pub fn prepared(&self, config: &str) -> Result<Option<Vec<u8>>> {
        asked(self.0.prepared(config), || "what is prepared".to_owned())
    }

    /// The path that is reached when all links are followed.
    pub fn resolve(&self, path: &str) -> Result<String> {
        asked(self.0.resolve(path), || format!("following {path}"))
    }

    /// The handle of the contract, for [`crate::raw`].
    pub fn raw(&self) -> &raw::Tree {
        &self.0
    }
}

fn there<T>(result: std::result::Result<T, Refusal>) -> std::result::Result<Option<T>, Refusal> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Refusal::Absent) => Ok(None),
        Err(refusal) => Err(refusal),
    }
}
