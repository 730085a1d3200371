//! Folders that are built, and the files and folders that can be reached from them.

use std::rc::Rc;

use crate::error::{Error, Problem, Result, did_you_mean, nearest};
use crate::files::{EntryKind, FileError, Files, Host, Remote};
use crate::git_url::{GitUrl, is_http};
use crate::kustomization;
use crate::options::{LoadRestrictor, Options, Profile};
use crate::path;

/// A folder with a kustomization, and how the build came there.
#[derive(Clone)]
pub(crate) struct Folder {
    tree: Rc<dyn Files>,
    /// The path in the tree, links followed.
    dir: String,
    /// The folder that errors show paths relative to.
    shown_from: Rc<str>,
    /// What errors put before paths: nothing, or the URL of the tree.
    label: Rc<str>,
    restrictor: LoadRestrictor,
    /// The folders on the way here, which must not be entered again.
    parent: Option<Rc<Folder>>,
    /// The URL that led into this tree, on the folder that it named.
    url: Option<GitUrl>,
}

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) content: Vec<u8>,
    /// The name shown in errors.
    pub(crate) name: Rc<str>,
}

/// Why a file was not read.
enum Unread {
    File(FileError),
    /// The load restrictor forbids it.
    Outside,
}

/// What a folder is opened as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filtered {
    /// As it is.
    No,
    /// Decrypted, in this format.
    As(&'static str),
}

impl Folder {
    /// The folder that a build starts in.
    pub(crate) fn root(host: &dyn Host, dir: &str, options: &Options) -> Result<Rc<Self>> {
        let tree = host.tree();
        let place = path::join("", dir).ok_or_else(|| {
            Error::new(Problem::LeavesTree {
                path: dir.to_owned(),
            })
        })?;
        let resolved = resolve_dir(&*tree, &place, options).map_err(|error| {
            Error::new(Problem::Folder {
                path: dir.to_owned(),
                error,
            })
            .help("name a folder with a kustomization file")
        })?;
        let restrictor = match options.profile {
            Profile::Cli => options.restrictor,
            Profile::Flux => LoadRestrictor::None,
        };
        Ok(Rc::new(Self {
            tree,
            shown_from: resolved.as_str().into(),
            dir: resolved,
            label: "".into(),
            restrictor,
            parent: None,
            url: None,
        }))
    }

    /// The path in the tree.
    pub(crate) fn dir(&self) -> &str {
        &self.dir
    }

    /// The tree that the folder is in.
    pub(crate) fn tree(&self) -> &Rc<dyn Files> {
        &self.tree
    }

    /// The name of the folder.
    pub(crate) fn name(&self) -> &str {
        path::name(&self.dir)
    }

    /// How the folder is shown.
    pub(crate) fn shown(&self) -> String {
        self.show(&self.dir)
    }

    fn show(&self, place: &str) -> String {
        let relative = path::relative(place, &self.shown_from);
        if self.label.is_empty() {
            relative
        } else {
            format!("{}//{relative}", self.label)
        }
    }

    /// The path of a file that is named relative to this folder.
    pub(crate) fn path_of(&self, name: &str) -> Result<String> {
        path::join(&self.dir, name).ok_or_else(|| {
            Error::new(Problem::LeavesTree {
                path: name.to_owned(),
            })
        })
    }

    /// Reads a file that is named relative to this folder, or by URL.
    pub(crate) fn load(
        &self,
        host: &dyn Host,
        options: &Options,
        name: &str,
        filtered: Filtered,
    ) -> Result<Loaded> {
        if is_http(name) {
            return load_url(host, options, name);
        }
        let place = self.path_of(name)?;
        self.read(&place, filtered).map_err(|unread| match unread {
            Unread::File(error) => self.unreadable(&place, &self.show(&place), error),
            Unread::Outside => Error::new(Problem::OutsideFolder {
                file: self.show(&place),
                folder: self.shown(),
            })
            .help(
                "move the file into the folder, make its folder a base, or use `--load-restrictor LoadRestrictionsNone`",
            ),
        })
    }

    fn read(&self, place: &str, filtered: Filtered) -> std::result::Result<Loaded, Unread> {
        let name = self.show(place);
        let place = match self.restrictor {
            LoadRestrictor::None => place.to_owned(),
            LoadRestrictor::RootOnly => {
                let resolved = self.tree.resolve(place).map_err(Unread::File)?;
                if !path::is_in(&resolved, &self.dir) {
                    return Err(Unread::Outside);
                }
                resolved
            }
        };
        let content = match filtered {
            Filtered::No => self.tree.read(&place),
            Filtered::As(format) => self.tree.read_filtered(&place, format),
        };
        Ok(Loaded {
            content: content.map_err(Unread::File)?,
            name: name.into(),
        })
    }

    /// Whether a file or folder is there.
    pub(crate) fn kind(&self, name: &str) -> Option<EntryKind> {
        self.tree.kind(&path::join(&self.dir, name)?).ok()
    }

    /// Reads the kustomization file of this folder: its name and content.
    pub(crate) fn kustomization(&self) -> Result<(&'static str, Loaded)> {
        let mut found = None;
        let mut names = Vec::new();
        for name in kustomization::NAMES {
            let place = self.path_of(name)?;
            // What is not there is no error here: the text of one would list the folder.
            if let Ok(loaded) = self.read(&place, Filtered::No) {
                names.push(name);
                found = Some((name, loaded));
            }
        }
        match (found, names.len()) {
            (Some(found), 1) => Ok(found),
            (Some(_), _) => Err(Error::new(Problem::ManyKustomizations {
                folder: self.shown(),
                names: names.join(", "),
            })
            .help("keep one of them")),
            (None, _) => {
                let error = Error::new(Problem::NoKustomization {
                    folder: self.shown(),
                });
                let near = self.similar("kustomization.yaml");
                Err(error.help(if near.is_empty() {
                    format!("add a file called {}", kustomization::NAMES[0])
                } else {
                    near
                }))
            }
        }
    }

    /// Enters another folder, named relative to this one or by git URL.
    pub(crate) fn enter(
        self: &Rc<Self>,
        host: &dyn Host,
        options: &Options,
        name: &str,
    ) -> Result<Rc<Self>> {
        if name.is_empty() {
            return Err(Error::new(Problem::EmptyPath));
        }
        if let Some(url) = GitUrl::parse(name) {
            return self.clone_of(host, options, url);
        }
        if name.starts_with('/') {
            return Err(Error::new(Problem::AbsoluteFolder {
                path: name.to_owned(),
            })
            .help("write the path relative to the kustomization file"));
        }
        let Some(place) = path::join(&self.dir, name) else {
            return Err(Error::new(Problem::LeavesTree {
                path: name.to_owned(),
            }));
        };
        let dir = resolve_dir(&*self.tree, &place, options)
            .map_err(|error| self.unreadable(&place, &self.show(&place), error))?;
        let entered = Self {
            dir,
            parent: Some(Rc::clone(self)),
            url: None,
            ..Self::clone(self)
        };
        entered.check_cycle()?;
        Ok(Rc::new(entered))
    }

    /// A folder may not be one that the build came through, nor hold one.
    fn check_cycle(&self) -> Result<()> {
        let mut visited = self.parent.as_deref();
        while let Some(folder) = visited {
            if Rc::ptr_eq(&folder.tree, &self.tree) && path::is_in(&folder.dir, &self.dir) {
                return Err(Error::new(Problem::Cycle {
                    folder: self.shown(),
                    visited: folder.shown(),
                })
                .help("a kustomization cannot include itself, or a folder that it is in"));
            }
            visited = folder.parent.as_deref();
        }
        Ok(())
    }

    fn clone_of(
        self: &Rc<Self>,
        host: &dyn Host,
        options: &Options,
        url: GitUrl,
    ) -> Result<Rc<Self>> {
        let mut visited = Some(&**self);
        while let Some(folder) = visited {
            if folder
                .url
                .as_ref()
                .is_some_and(|seen| seen.raw.starts_with(&url.raw))
            {
                return Err(Error::new(Problem::Cycle {
                    folder: url.raw.clone(),
                    visited: url.raw,
                }));
            }
            visited = folder.parent.as_deref();
        }
        let tree = match open(host, options, &url.address(), &url.raw)? {
            Remote::Tree(tree) => tree,
            Remote::File(_) => {
                return Err(Error::new(Problem::Url {
                    url: url.raw,
                    error: FileError::NotDirectory,
                }));
            }
        };
        let unread = |error: FileError| {
            Error::new(Problem::Url {
                url: url.raw.clone(),
                error,
            })
        };
        let place = path::join("", &url.path).ok_or_else(|| unread(FileError::Absent))?;
        let dir = resolve_dir(&*tree, &place, options).map_err(unread)?;
        Ok(Rc::new(Self {
            tree,
            dir,
            shown_from: "".into(),
            label: url.repository.as_str().into(),
            restrictor: LoadRestrictor::RootOnly,
            parent: Some(Rc::clone(self)),
            url: Some(url),
        }))
    }

    fn unreadable(&self, place: &str, shown: &str, error: FileError) -> Error {
        let absent = error == FileError::Absent;
        let made = Error::new(Problem::File {
            path: shown.to_owned(),
            error,
        });
        if !absent {
            return made;
        }
        let folder = Self {
            dir: path::parent(place).to_owned(),
            ..self.clone()
        };
        made.help(folder.similar(path::name(place)))
    }

    /// "did you mean" with the names in this folder.
    fn similar(&self, name: &str) -> String {
        let entries = self.tree.entries(&self.dir).unwrap_or_default();
        did_you_mean(&nearest(
            name,
            entries.iter().map(|entry| entry.name.as_str()),
        ))
    }
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Folder")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

fn resolve_dir(tree: &dyn Files, place: &str, options: &Options) -> Result<String, FileError> {
    match tree.kind(place)? {
        EntryKind::File => Err(FileError::NotDirectory),
        EntryKind::Directory => match options.profile {
            Profile::Cli | Profile::Flux => tree.resolve(place),
        },
    }
}

/// Asks for what is at an address; errors name what was written.
fn open(host: &dyn Host, options: &Options, address: &str, url: &str) -> Result<Remote> {
    if !options.remote {
        return Err(Error::new(Problem::RemoteOff {
            url: url.to_owned(),
        })
        .help("copy what it names into the repository, or allow remote bases"));
    }
    host.open(address).map_err(|error| {
        Error::new(Problem::Url {
            url: url.to_owned(),
            error,
        })
    })
}

fn load_url(host: &dyn Host, options: &Options, url: &str) -> Result<Loaded> {
    match open(host, options, url, url)? {
        Remote::File(content) => Ok(Loaded {
            content,
            name: url.into(),
        }),
        Remote::Tree(_) => Err(Error::new(Problem::UrlIsRepository {
            url: url.to_owned(),
        })),
    }
}
