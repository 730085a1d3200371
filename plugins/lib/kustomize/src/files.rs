//! What a build asks of the world: files, other people's trees, and other plugins.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

/// A directory of files that does not change while it is read.
///
/// Paths are relative to its root and separated by `/`, without `.` and `..`; the root itself is the empty path.
pub trait Files {
    /// The content of a file.
    ///
    /// # Errors
    ///
    /// [`FileError::Absent`] if nothing stands there, [`FileError::Directory`] if a directory does.
    fn read(&self, path: &str) -> Result<Vec<u8>, FileError>;

    /// The content of a file after the filters of the step, which decrypt it. `format` is `dotenv`, `yaml`, … or empty
    /// to go by the file's name.
    ///
    /// # Errors
    ///
    /// As [`Files::read`], and whatever a filter reports.
    fn read_filtered(&self, path: &str, format: &str) -> Result<Vec<u8>, FileError> {
        let _ = format;
        self.read(path)
    }

    /// What stands at a path, links followed.
    ///
    /// # Errors
    ///
    /// [`FileError::Absent`] if nothing does.
    fn kind(&self, path: &str) -> Result<EntryKind, FileError>;

    /// What a directory holds, sorted by name.
    ///
    /// # Errors
    ///
    /// [`FileError::Absent`] if nothing stands there.
    fn entries(&self, path: &str) -> Result<Vec<Entry>, FileError>;

    /// The path after all links are followed.
    ///
    /// # Errors
    ///
    /// [`FileError::Absent`] if nothing stands there, [`FileError::Invalid`] if that leaves the tree.
    fn resolve(&self, path: &str) -> Result<String, FileError>;

    /// The same tree as its own type, for the host that made it and gets it back in a [`PluginCall`].
    fn as_any(self: Rc<Self>) -> Rc<dyn Any>;
}

/// Everything that a build can ask for.
pub trait Host {
    /// The tree that holds the folder to build.
    fn tree(&self) -> Rc<dyn Files>;

    /// A tree by URL, as kustomize writes its remote bases.
    ///
    /// # Errors
    ///
    /// [`FileError::Denied`] where this is not allowed.
    fn open(&self, url: &str) -> Result<Remote, FileError> {
        let _ = url;
        Err(FileError::Denied(
            "remote resources are switched off here".to_owned(),
        ))
    }

    /// The tree of a Helm chart.
    ///
    /// # Errors
    ///
    /// [`FileError::Denied`] where this is not allowed.
    fn open_chart(
        &self,
        repository: &str,
        name: &str,
        version: &str,
    ) -> Result<Rc<dyn Files>, FileError> {
        let _ = (repository, name, version);
        Err(FileError::Denied(
            "charts from repositories are switched off here".to_owned(),
        ))
    }

    /// Runs another plugin and gives the objects that it made, as JSON.
    ///
    /// # Errors
    ///
    /// What the plugin reports, or why it may not run.
    fn run_plugin(&self, call: &PluginCall) -> Result<Vec<String>, PluginError> {
        Err(PluginError::Refused(format!(
            "no plugin is registered as `{}`",
            call.name
        )))
    }
}

/// What a URL led to.
#[derive(Clone)]
pub enum Remote {
    /// A single file.
    File(Vec<u8>),
    /// A whole repository.
    Tree(Rc<dyn Files>),
}

/// The kind of a directory entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// A file.
    File,
    /// A directory.
    Directory,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, without the path.
    pub name: String,
    /// What it is, links followed.
    pub kind: EntryKind,
}

/// A call of another plugin.
#[derive(Clone)]
pub struct PluginCall {
    /// The name under which the plugin is registered.
    pub name: String,
    /// What it is called as.
    pub role: Role,
    /// Its config as JSON: the object that named it; for a chart what the plugin `helm` expects.
    pub config: String,
    /// The objects that it works on, as JSON.
    pub documents: Vec<String>,
    /// Further trees, by name.
    pub trees: Vec<(String, Rc<dyn Files>)>,
}

/// What a plugin is called as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// It makes objects.
    Generator,
    /// It changes objects.
    Transformer,
    /// It looks at objects.
    Validator,
}

/// Why a file, a directory or a tree cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Nothing stands there.
    #[error("no such file or directory")]
    Absent,
    /// A directory stands where a file was wanted.
    #[error("it is a directory, not a file")]
    Directory,
    /// A file stands where a directory was wanted.
    #[error("it is a file, not a directory")]
    NotDirectory,
    /// It may not be read.
    #[error("{0}")]
    Denied(String),
    /// The path or the content makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// It should be there, but cannot be had now.
    #[error("{0}")]
    Unavailable(String),
}

/// Why another plugin gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// It may not run, or is not there.
    #[error("{0}")]
    Refused(String),
    /// It ran and reported this.
    #[error("{0}")]
    Failed(String),
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remote::File(content) => f.debug_tuple("File").field(&content.len()).finish(),
            Remote::Tree(_) => f.write_str("Tree"),
        }
    }
}

impl fmt::Debug for PluginCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginCall")
            .field("name", &self.name)
            .field("role", &self.role)
            .field("documents", &self.documents.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Generator => "generator",
            Role::Transformer => "transformer",
            Role::Validator => "validator",
        })
    }
}
