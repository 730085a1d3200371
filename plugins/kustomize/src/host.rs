//! The engine's questions, asked of the host.

use std::any::Any;
use std::rc::Rc;

use weir_kustomize::{
    Entry, EntryKind, FileError, Files, Host, PluginCall, PluginError, Remote, Role,
};
use weir_sdk::raw::{delegate, trees, types::Refusal};

/// A host that asks through the contract.
pub(crate) struct Asking {
    main: Rc<AskedTree>,
}

/// A tree of the contract.
struct AskedTree(trees::Tree);

impl Asking {
    pub(crate) fn new() -> Self {
        Self {
            main: Rc::new(AskedTree(trees::main())),
        }
    }
}

impl Host for Asking {
    fn tree(&self) -> Rc<dyn Files> {
        self.main.clone()
    }

    fn open(&self, url: &str) -> Result<Remote, FileError> {
        let tree = AskedTree(trees::open(url).map_err(|refusal| refused(&refusal))?);
        // A URL that answers as a file is a tree of that one file.
        let name = url
            .split(['?', '#'])
            .next()
            .unwrap_or(url)
            .rsplit('/')
            .next()
            .unwrap_or_default();
        match tree.entries("")?.as_slice() {
            [only] if only.kind == EntryKind::File && only.name == name => {
                Ok(Remote::File(tree.read(name)?))
            }
            _ => Ok(Remote::Tree(Rc::new(tree))),
        }
    }

    fn open_chart(
        &self,
        repository: &str,
        name: &str,
        version: &str,
    ) -> Result<Rc<dyn Files>, FileError> {
        let tree =
            trees::open_chart(repository, name, version).map_err(|refusal| refused(&refusal))?;
        Ok(Rc::new(AskedTree(tree)))
    }

    fn run_plugin(&self, call: &PluginCall) -> Result<Vec<String>, PluginError> {
        let role = match call.role {
            Role::Generator => delegate::Role::Generator,
            Role::Transformer => delegate::Role::Transformer,
            Role::Validator => delegate::Role::Validator,
        };
        let named: Vec<(String, Rc<AskedTree>)> = call
            .trees
            .iter()
            .filter_map(|(name, tree)| {
                Some((name.clone(), Rc::clone(tree).as_any().downcast().ok()?))
            })
            .collect();
        let trees: Vec<(String, &trees::Tree)> = named
            .iter()
            .map(|(name, tree)| (name.clone(), &tree.0))
            .collect();
        delegate::run(&call.name, role, &call.config, &call.documents, &trees).map_err(|failure| {
            match failure {
                delegate::Failure::Refused(refusal) => {
                    PluginError::Refused(refused(&refusal).to_string())
                }
                delegate::Failure::Failed(message) => PluginError::Failed(message),
            }
        })
    }
}

impl Files for AskedTree {
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.0
            .read(path)
            .map_err(|refusal| self.unread(path, &refusal))
    }

    fn read_filtered(&self, path: &str, format: &str) -> Result<Vec<u8>, FileError> {
        self.0
            .read_filtered(path, format)
            .map_err(|refusal| self.unread(path, &refusal))
    }

    fn kind(&self, path: &str) -> Result<EntryKind, FileError> {
        self.0
            .stat(path)
            .map(|entry| kind(entry.kind))
            .map_err(|refusal| refused(&refusal))
    }

    fn entries(&self, path: &str) -> Result<Vec<Entry>, FileError> {
        let entries = self.0.entries(path).map_err(|refusal| refused(&refusal))?;
        let each = entries.into_iter().filter_map(|entry| {
            let kind = match entry.kind {
                // A link is what it leads to; one that leads nowhere is not there.
                trees::EntryKind::Link => {
                    let place = if path.is_empty() {
                        entry.name.clone()
                    } else {
                        format!("{path}/{}", entry.name)
                    };
                    kind(self.0.stat(&place).ok()?.kind)
                }
                other => kind(other),
            };
            Some(Entry {
                name: entry.name,
                kind,
            })
        });
        Ok(each.collect())
    }

    fn resolve(&self, path: &str) -> Result<String, FileError> {
        self.0.resolve(path).map_err(|refusal| refused(&refusal))
    }

    fn as_any(self: Rc<Self>) -> Rc<dyn Any> {
        self
    }
}

impl AskedTree {
    /// Why a file cannot be read: a directory in its place is told apart from other nonsense.
    fn unread(&self, path: &str, refusal: &Refusal) -> FileError {
        let error = refused(refusal);
        let directory =
            matches!(error, FileError::Invalid(_)) && self.kind(path) == Ok(EntryKind::Directory);
        if directory {
            FileError::Directory
        } else {
            error
        }
    }
}

fn kind(kind: trees::EntryKind) -> EntryKind {
    match kind {
        trees::EntryKind::File | trees::EntryKind::Link => EntryKind::File,
        trees::EntryKind::Directory | trees::EntryKind::Submodule => EntryKind::Directory,
    }
}

fn refused(refusal: &Refusal) -> FileError {
    match refusal {
        Refusal::Absent => FileError::Absent,
        Refusal::Denied(text) => FileError::Denied(text.clone()),
        Refusal::Unavailable(text) => FileError::Unavailable(text.clone()),
        Refusal::Invalid(text) => FileError::Invalid(text.clone()),
    }
}
