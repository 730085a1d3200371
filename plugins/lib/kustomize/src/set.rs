//! The objects of a build, in order, with an index by everything that they were ever called.

mod absorb;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use crate::error::{Error, Problem, Result};
use crate::id::ObjectId;
use crate::resource::Resource;

/// An ordered set of objects with different ids.
#[derive(Debug, Default)]
pub(crate) struct ResourceSet {
    items: Vec<Resource>,
    /// Positions by the digest of an id, current or previous. Entries can be stale: whoever looks up compares the ids.
    /// `None` when ids may have changed since.
    index: Option<Index>,
    /// Whether an id was changed that was not compared with the others.
    unchecked: bool,
}

type Index = HashMap<u64, Positions, BuildHasherDefault<DefaultHasher>>;

/// Mostly there is one object for an id.
#[derive(Debug)]
enum Positions {
    One(u32),
    Many(Vec<u32>),
}

impl ResourceSet {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Resource> {
        self.items.iter()
    }

    pub(crate) fn get(&self, at: usize) -> &Resource {
        &self.items[at]
    }

    /// An object to be changed in any way but its id.
    pub(crate) fn get_mut(&mut self, at: usize) -> &mut Resource {
        &mut self.items[at]
    }

    /// The objects, to be changed in any way; ids are looked at again afterwards.
    pub(crate) fn items_mut(&mut self) -> &mut Vec<Resource> {
        self.index = None;
        self.unchecked = true;
        &mut self.items
    }

    /// The objects, to be changed in any way but their ids.
    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Resource> {
        self.items.iter_mut()
    }

    pub(crate) fn into_items(self) -> Vec<Resource> {
        self.items
    }

    /// Adds an object; its id must be new.
    pub(crate) fn append(&mut self, resource: Resource) -> Result<()> {
        if let Some(at) = self.current(resource.id()) {
            return Err(duplicate(&resource, &self.items[at]));
        }
        self.push(resource);
        Ok(())
    }

    /// Adds all objects of another set.
    pub(crate) fn append_all(&mut self, other: ResourceSet) -> Result<()> {
        if self.is_empty() {
            *self = other;
            return Ok(());
        }
        other
            .items
            .into_iter()
            .try_for_each(|resource| self.append(resource))
    }

    fn push(&mut self, resource: Resource) {
        let at = self.items.len() as u32;
        if let Some(index) = &mut self.index {
            enter(index, &resource, at);
        }
        self.items.push(resource);
    }

    /// The object whose current id is the given one.
    pub(crate) fn current(&mut self, id: &ObjectId) -> Option<usize> {
        let items = &self.items;
        let index = self.index.get_or_insert_with(|| build(items));
        index
            .get(&digest(id))?
            .iter()
            .map(|at| at as usize)
            .find(|at| items[*at].id().same(id))
    }

    /// The objects that are or were called the given id and are not deleted, in order.
    pub(crate) fn any(&mut self, id: &ObjectId) -> Vec<usize> {
        let items = &self.items;
        let index = self.index.get_or_insert_with(|| build(items));
        let Some(positions) = index.get(&digest(id)) else {
            return Vec::new();
        };
        let mut found: Vec<usize> = positions
            .iter()
            .map(|at| at as usize)
            .filter(|at| !items[*at].deleted() && items[*at].had_id(id))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Tells the index about an object that got a new id.
    pub(crate) fn renamed(&mut self, at: usize) {
        self.unchecked = true;
        if let Some(index) = &mut self.index {
            enter(index, &self.items[at], at as u32);
        }
    }

    /// Takes out what patches have deleted.
    pub(crate) fn drop_deleted(&mut self) {
        if self.items.iter().any(Resource::deleted) {
            self.index = None;
            self.items.retain(|resource| !resource.deleted());
        }
    }

    /// Fails if two objects have the same current id.
    pub(crate) fn check_unique(&mut self) -> Result<()> {
        if !self.unchecked {
            return Ok(());
        }
        let mut seen: HashMap<u64, Vec<u32>, BuildHasherDefault<DefaultHasher>> =
            HashMap::with_capacity_and_hasher(self.items.len(), BuildHasherDefault::default());
        for (at, resource) in self.items.iter().enumerate() {
            let others = seen.entry(digest(resource.id())).or_default();
            for other in others.iter() {
                let other = &self.items[*other as usize];
                if other.id().same(resource.id()) {
                    return Err(duplicate(resource, other));
                }
            }
            others.push(at as u32);
        }
        self.unchecked = false;
        Ok(())
    }
}

impl FromIterator<Resource> for ResourceSet {
    fn from_iter<T: IntoIterator<Item = Resource>>(resources: T) -> Self {
        Self {
            items: resources.into_iter().collect(),
            index: None,
            unchecked: true,
        }
    }
}

impl Positions {
    fn add(&mut self, at: u32) {
        match self {
            Positions::One(first) if *first == at => {}
            Positions::One(first) => *self = Positions::Many(vec![*first, at]),
            Positions::Many(all) if all.last() == Some(&at) => {}
            Positions::Many(all) => all.push(at),
        }
    }

    fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let all: &[u32] = match self {
            Positions::One(at) => std::slice::from_ref(at),
            Positions::Many(all) => all,
        };
        all.iter().copied()
    }
}

fn build(items: &[Resource]) -> Index {
    let mut index = Index::with_capacity_and_hasher(items.len() * 2, BuildHasherDefault::default());
    for (at, resource) in items.iter().enumerate() {
        enter(&mut index, resource, at as u32);
    }
    index
}

fn enter(index: &mut Index, resource: &Resource, at: u32) {
    let id = resource.id();
    let mut add = |key: u64| {
        index
            .entry(key)
            .and_modify(|positions| positions.add(at))
            .or_insert(Positions::One(at));
    };
    add(digest_parts(
        &id.gvk.kind,
        &id.name,
        id.effective_namespace(),
    ));
    for previous in resource.previous() {
        let namespace = if previous.namespace.is_empty() {
            crate::id::DEFAULT_NAMESPACE
        } else {
            &previous.namespace
        };
        add(digest_parts(&previous.kind, &previous.name, namespace));
    }
}

fn digest(id: &ObjectId) -> u64 {
    digest_parts(&id.gvk.kind, &id.name, id.effective_namespace())
}

fn digest_parts(kind: &str, name: &str, namespace: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (kind, name, namespace).hash(&mut hasher);
    hasher.finish()
}

fn duplicate(resource: &Resource, other: &Resource) -> Error {
    let mut error =
        Error::new(Problem::DuplicateId(resource.id().to_string())).at(resource.node.span());
    if let Some(file) = &resource.file {
        error = error.in_file(file);
    }
    match &other.file {
        Some(file) => error.help(format!(
            "the same object comes from {file}:{}; remove one, or give them different names or namespaces",
            other.node.span().line.max(1)
        )),
        None => error.help("a generator made an object of the same id"),
    }
}
