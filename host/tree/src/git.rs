//! Trees of Git commits, read straight from the object database.
//!
//! Nothing is checked out: a commit opens with one object read, whatever its size, and each question reads the tree
//! objects on the way down. Blobs are given as they stand in the repository: no line-ending conversion, no filters,
//! and a Git LFS pointer is the small file that it is.
//!
//! *Sizes.* A tree object holds names, modes and ids but no sizes. [`Tree::entries`] and [`Tree::stat`] take them from
//! the objects' headers, once for each object while the [`GitCache`] remembers; [`Tree::outline`] leaves them 0.
//!
//! *Threads.* libgit2's repositories may move between threads but not be shared, so that reads take a handle from a
//! bounded pool: reads on different threads go on side by side.
//!
//! *Hostile trees.* Git itself lets a tree object hold any bytes as a name. A name that is no single path part, is not
//! UTF-8, is too long or comes twice makes that directory an error, and no other.

mod object;
mod pool;

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cache::{Cache, Weigh};
use crate::tree::MAX_FILE;
use crate::{Blob, ContentId, Digest, Entry, EntryKind, Tree, TreeError, TreePath};

use object::TreeObject;
use pool::Pool;

/// The name of a Git object: the SHA-1 of its content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId([u8; 20]);

/// What a commit says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The commit's own id.
    pub id: ObjectId,
    /// The id of its tree.
    pub tree: ObjectId,
    /// The whole message; bytes that are not UTF-8 are replaced.
    pub message: String,
    /// Who wrote the change.
    pub author: Person,
    /// Who made the commit, and when: the time of the revision.
    pub committer: Person,
}

/// Somebody named in a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// As written in the commit.
    pub name: String,
    /// As written in the commit.
    pub email: String,
    /// Seconds since 1970.
    pub time: i64,
}

/// A repository's objects. Cheap to clone; clones share their handles.
#[derive(Clone)]
pub struct GitDatabase {
    pool: Arc<Pool>,
    cache: Arc<GitCache>,
}

/// What was learnt about objects, for all databases of a process: parsed directories, sizes and SHA-256 digests. It
/// holds nothing that could be out of date, for an object's id stands for its content.
#[derive(Debug)]
pub struct GitCache {
    trees: Mutex<Cache<ObjectId, Arc<TreeObject>>>,
    facts: Mutex<Cache<ObjectId, BlobFacts>>,
}

/// The tree of one commit.
#[derive(Clone)]
pub struct GitTree {
    database: GitDatabase,
    root: ObjectId,
    commit: Arc<Commit>,
}

#[derive(Clone, Copy, Debug)]
struct BlobFacts {
    size: u64,
    digest: Option<Digest>,
}

impl GitDatabase {
    /// Opens the repository at `path`: a work tree, its `.git`, or a bare repository. Only this path is tried, not
    /// the folders above it.
    pub fn open(path: &Path, cache: Arc<GitCache>) -> Result<Self, TreeError> {
        Ok(Self {
            pool: Arc::new(Pool::open(path)?),
            cache,
        })
    }

    /// The commit that `revision` names: `HEAD`, a branch, a tag, `refs/…`, or a commit id.
    pub fn find(&self, revision: &str) -> Result<ObjectId, TreeError> {
        self.pool.with(|repository| {
            let object = repository.revparse_single(revision)?;
            Ok(ObjectId::from(object.peel_to_commit()?.id()))
        })
    }

    /// The tree of a commit.
    pub fn commit(&self, id: ObjectId) -> Result<GitTree, TreeError> {
        let commit = self
            .pool
            .with(|repository| Ok(Commit::from(&repository.find_commit(id.into())?)))?;
        Ok(GitTree {
            database: self.clone(),
            root: commit.tree,
            commit: Arc::new(commit),
        })
    }

    /// The parsed directory `id`.
    fn tree(&self, id: ObjectId) -> Result<Arc<TreeObject>, TreeError> {
        if let Some(known) = locked(&self.cache.trees).get(&id) {
            return Ok(known);
        }
        let bytes = self.pool.with(|repository| {
            let odb = repository.odb()?;
            let (size, kind) = odb.read_header(id.into())?;
            if kind != git2::ObjectType::Tree || size > object::MAX_TREE_OBJECT {
                return Ok(Err(size));
            }
            Ok(Ok(odb.read(id.into())?.data().to_vec()))
        })?;
        let bytes = bytes.map_err(|size| {
            TreeError::Repository(format!(
                "object {id} with {size} bytes is not a directory that can be read"
            ))
        })?;
        let parsed = TreeObject::parse(&bytes).map_err(|reason| {
            TreeError::Repository(format!("the directory object {id} {reason}"))
        })?;
        let parsed = Arc::new(parsed);
        locked(&self.cache.trees).insert(id, Arc::clone(&parsed));
        Ok(parsed)
    }

    /// Sizes of blobs, in the order of `ids`.
    fn sizes(&self, ids: &[ObjectId]) -> Result<Vec<u64>, TreeError> {
        let mut sizes = vec![0; ids.len()];
        let mut unknown = Vec::new();
        {
            let mut facts = locked(&self.cache.facts);
            for (index, id) in ids.iter().enumerate() {
                match facts.get(id) {
                    Some(known) => sizes[index] = known.size,
                    None => unknown.push(index),
                }
            }
        }
        if unknown.is_empty() {
            return Ok(sizes);
        }
        self.pool.with(|repository| {
            let odb = repository.odb()?;
            for &index in &unknown {
                sizes[index] = odb.read_header(ids[index].into())?.0 as u64;
            }
            Ok(())
        })?;
        let mut facts = locked(&self.cache.facts);
        for index in unknown {
            facts.insert(
                ids[index],
                BlobFacts {
                    size: sizes[index],
                    digest: None,
                },
            );
        }
        Ok(sizes)
    }

    fn blob(&self, id: ObjectId, path: &TreePath) -> Result<Blob, TreeError> {
        let known = locked(&self.cache.facts).get(&id);
        let blob = self.pool.with(|repository| {
            let odb = repository.odb()?;
            let size = match known {
                Some(known) => known.size,
                None => odb.read_header(id.into())?.0 as u64,
            };
            if size > MAX_FILE {
                return Ok(Err(size));
            }
            Ok(Ok(Blob::copy_from_slice(odb.read(id.into())?.data())))
        })?;
        let blob = blob.map_err(|size| TreeError::TooLarge {
            path: path.clone(),
            size,
            limit: MAX_FILE,
        })?;
        if known.is_none() {
            locked(&self.cache.facts).insert(
                id,
                BlobFacts {
                    size: blob.len() as u64,
                    digest: None,
                },
            );
        }
        Ok(blob)
    }
}

impl GitCache {
    /// The most directory entries that are kept parsed, about 80 bytes each.
    const ENTRIES: usize = 400_000;
    /// The most objects whose size and digest are kept, about 80 bytes each.
    const FACTS: usize = 200_000;

    /// A cache that grows to about 50 MB at most.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            trees: Mutex::new(Cache::new(Self::ENTRIES)),
            facts: Mutex::new(Cache::new(Self::FACTS)),
        })
    }
}

impl GitTree {
    /// Opens the commit that `revision` names in the repository at `path`, with a cache of its own.
    pub fn open(path: &Path, revision: &str) -> Result<Self, TreeError> {
        let database = GitDatabase::open(path, GitCache::new())?;
        database.commit(database.find(revision)?)
    }

    /// The commit that this tree belongs to.
    pub fn commit(&self) -> &Commit {
        &self.commit
    }

    /// The kind and the object at `path`.
    fn find(&self, path: &TreePath) -> Result<Option<(EntryKind, ObjectId)>, TreeError> {
        let mut found = (EntryKind::Directory, self.root);
        for name in path.names() {
            if found.0 != EntryKind::Directory {
                return Ok(None);
            }
            let directory = self
                .database
                .tree(found.1)
                .map_err(|error| at(path, error))?;
            let Some(next) = directory.get(name) else {
                return Ok(None);
            };
            found = next;
        }
        Ok(Some(found))
    }

    fn directory(&self, path: &TreePath) -> Result<Option<Arc<TreeObject>>, TreeError> {
        match self.find(path)? {
            Some((EntryKind::Directory, id)) => Ok(Some(
                self.database.tree(id).map_err(|error| at(path, error))?,
            )),
            _ => Ok(None),
        }
    }
}

impl Tree for GitTree {
    fn stat(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let Some((kind, id)) = self.find(path)? else {
            return Ok(None);
        };
        let size = if kind.has_content() {
            self.database.sizes(&[id])?[0]
        } else {
            0
        };
        let name = path.name().unwrap_or_default().to_owned();
        Ok(Some(Entry {
            name,
            kind,
            size,
            id: Some(id.into()),
        }))
    }

    fn read(&self, path: &TreePath) -> Result<Option<Blob>, TreeError> {
        match self.find(path)? {
            Some((kind, id)) if kind.has_content() => Ok(Some(self.database.blob(id, path)?)),
            _ => Ok(None),
        }
    }

    fn entries(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        let Some(directory) = self.directory(path)? else {
            return Ok(None);
        };
        let mut entries = directory.entries();
        let with_content = || {
            directory
                .entries
                .iter()
                .enumerate()
                .filter(|(_, entry)| entry.kind.has_content())
        };
        let ids: Vec<ObjectId> = with_content().map(|(_, entry)| entry.id).collect();
        let sizes = self.database.sizes(&ids).map_err(|error| at(path, error))?;
        for ((index, _), size) in with_content().zip(sizes) {
            entries[index].size = size;
        }
        Ok(Some(entries))
    }

    fn id(&self) -> Option<ContentId> {
        Some(self.root.into())
    }

    fn outline(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        Ok(self.directory(path)?.map(|directory| directory.entries()))
    }

    fn digest(&self, path: &TreePath) -> Result<Option<Digest>, TreeError> {
        let Some((kind, id)) = self.find(path)? else {
            return Ok(None);
        };
        if !kind.has_content() {
            return Ok(None);
        }
        let facts = &self.database.cache.facts;
        if let Some(BlobFacts {
            digest: Some(digest),
            ..
        }) = locked(facts).get(&id)
        {
            return Ok(Some(digest));
        }
        let blob = self.database.blob(id, path)?;
        let digest = Digest::of(&blob);
        locked(facts).insert(
            id,
            BlobFacts {
                size: blob.len() as u64,
                digest: Some(digest),
            },
        );
        Ok(Some(digest))
    }
}

impl Commit {
    /// The first line of the message.
    pub fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }
}

impl From<&git2::Commit<'_>> for Commit {
    fn from(commit: &git2::Commit<'_>) -> Self {
        Self {
            id: commit.id().into(),
            tree: commit.tree_id().into(),
            message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
            author: Person::from(&commit.author()),
            committer: Person::from(&commit.committer()),
        }
    }
}

impl From<&git2::Signature<'_>> for Person {
    fn from(signature: &git2::Signature<'_>) -> Self {
        Self {
            name: String::from_utf8_lossy(signature.name_bytes()).into_owned(),
            email: String::from_utf8_lossy(signature.email_bytes()).into_owned(),
            time: signature.when().seconds(),
        }
    }
}

impl ObjectId {
    /// Takes an id that was read elsewhere.
    pub fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The 20 bytes.
    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

/// The text is not an object id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a commit id of 40 hexadecimal digits")]
pub struct ObjectIdError(String);

impl FromStr for ObjectId {
    type Err = ObjectIdError;

    fn from_str(text: &str) -> Result<Self, ObjectIdError> {
        let mut bytes = [0; 20];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| ObjectIdError(text.chars().take(100).collect()))?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<git2::Oid> for ObjectId {
    fn from(id: git2::Oid) -> Self {
        let mut bytes = [0; 20];
        bytes.copy_from_slice(&id.as_bytes()[..20]);
        Self(bytes)
    }
}

impl From<ObjectId> for git2::Oid {
    fn from(id: ObjectId) -> Self {
        Self::from_bytes(&id.0).expect("20 bytes are an object id")
    }
}

impl From<ObjectId> for ContentId {
    fn from(id: ObjectId) -> Self {
        Self::Git(id.0)
    }
}

impl Weigh for Arc<TreeObject> {
    fn weight(&self) -> usize {
        self.entries.len() + 1
    }
}

impl Weigh for BlobFacts {
    fn weight(&self) -> usize {
        1
    }
}

impl fmt::Debug for GitDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GitDatabase({:?})", self.pool.path())
    }
}

impl fmt::Debug for GitTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "GitTree({:?} {})",
            self.database.pool.path(),
            self.commit.id
        )
    }
}

/// Says where in the tree a repository error was met.
fn at(path: &TreePath, error: TreeError) -> TreeError {
    if let TreeError::Repository(reason) = error {
        return TreeError::Read {
            path: path.clone(),
            reason,
        };
    }
    error
}

/// A panic elsewhere cannot leave these maps half changed in a way that matters: each value stands for itself.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
