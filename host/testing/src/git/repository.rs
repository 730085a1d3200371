//! Repositories whose history tests write.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result};
use git2::{IndexEntry, IndexTime, Oid, Signature, Time};

/// A bare repository. Commits have fixed authors and times, one minute apart, so that the same calls give the same ids.
#[derive(Debug)]
pub struct Repository {
    path: PathBuf,
    commits: Mutex<i64>,
}

/// One change of a commit.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Puts a file.
    File(&'a str, &'a [u8]),
    /// Puts a file with an execute bit.
    Executable(&'a str, &'a [u8]),
    /// Puts a symbolic link: path and target.
    Link(&'a str, &'a str),
    /// Puts a submodule at a commit.
    Submodule(&'a str, Oid),
    /// Takes a file away.
    Remove(&'a str),
}

/// The time of the first commit: 2023-11-14T22:13:20Z.
pub const FIRST_COMMIT: i64 = 1_700_000_000;

impl Repository {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        // Whatever this machine calls a first branch: a clone of `main` has a HEAD.
        let mut options = git2::RepositoryInitOptions::new();
        options.bare(true).initial_head("main");
        git2::Repository::init_opts(path, &options)
            .with_context(|| format!("creating {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            commits: Mutex::new(0),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds or replaces text files on top of a branch, which is made if it is not there.
    pub fn commit(&self, branch: &str, files: &[(&str, &str)]) -> Result<Oid> {
        let changes: Vec<_> = files
            .iter()
            .map(|(path, text)| Change::File(path, text.as_bytes()))
            .collect();
        self.change(branch, &format!("commit on {branch}"), &changes)
    }

    /// Makes a commit on top of a branch, which is made if it is not there.
    pub fn change(&self, branch: &str, message: &str, changes: &[Change<'_>]) -> Result<Oid> {
        let repository = self.open()?;
        let reference = format!("refs/heads/{branch}");
        let parent = match repository.refname_to_id(&reference) {
            Ok(id) => Some(repository.find_commit(id)?),
            Err(_) => None,
        };
        let mut index = git2::Index::new()?;
        if let Some(parent) = &parent {
            index.read_tree(&parent.tree()?)?;
        }
        for change in changes {
            apply(&repository, &mut index, change)?;
        }
        let tree = repository.find_tree(index.write_tree_to(&repository)?)?;
        let who = self.next_signature()?;
        Ok(repository.commit(
            Some(&reference),
            &who,
            &who,
            message,
            &tree,
            &parent.iter().collect::<Vec<_>>(),
        )?)
    }

    /// Points a branch at a commit, by force.
    pub fn branch(&self, name: &str, commit: Oid) -> Result<()> {
        self.reference(&format!("refs/heads/{name}"), commit)
    }

    /// Points any reference at an object, by force.
    pub fn reference(&self, name: &str, id: Oid) -> Result<()> {
        self.open()?.reference(name, id, true, "test")?;
        Ok(())
    }

    /// Makes a lightweight tag.
    pub fn tag(&self, name: &str, commit: Oid) -> Result<()> {
        self.reference(&format!("refs/tags/{name}"), commit)
    }

    /// Makes an annotated tag and gives the id of the tag object.
    pub fn annotated_tag(&self, name: &str, commit: Oid) -> Result<Oid> {
        let repository = self.open()?;
        let target = repository.find_object(commit, None)?;
        Ok(repository.tag(name, &target, &self.next_signature()?, "a tag", true)?)
    }

    /// Deletes a reference by its full name.
    pub fn delete(&self, name: &str) -> Result<()> {
        Ok(self.open()?.find_reference(name)?.delete()?)
    }

    /// Lets clients ask for commits by id, as the large forges do.
    pub fn allow_any_commit(&self) -> Result<()> {
        let mut config = self.open()?.config()?;
        config.set_bool("uploadpack.allowAnySHA1InWant", true)?;
        Ok(())
    }

    pub(super) fn open(&self) -> Result<git2::Repository> {
        git2::Repository::open_bare(&self.path)
            .with_context(|| format!("opening {}", self.path.display()))
    }

    fn next_signature(&self) -> Result<Signature<'static>> {
        let mut commits = self
            .commits
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let time = Time::new(FIRST_COMMIT + 60 * *commits, 0);
        *commits += 1;
        Ok(Signature::new("Test", "test@example.org", &time)?)
    }
}

fn apply(
    repository: &git2::Repository,
    index: &mut git2::Index,
    change: &Change<'_>,
) -> Result<()> {
    let (path, mode, id) = match change {
        Change::File(path, content) => (path, 0o100_644, repository.blob(content)?),
        Change::Executable(path, content) => (path, 0o100_755, repository.blob(content)?),
        Change::Link(path, target) => (path, 0o120_000, repository.blob(target.as_bytes())?),
        Change::Submodule(path, id) => (path, 0o160_000, *id),
        Change::Remove(path) => return Ok(index.remove(Path::new(path), 0)?),
    };
    let entry = IndexEntry {
        ctime: IndexTime::new(0, 0),
        mtime: IndexTime::new(0, 0),
        dev: 0,
        ino: 0,
        mode,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    };
    Ok(index.add(&entry)?)
}
