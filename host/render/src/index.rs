//! Which units a change touches, answered from what their traces asked, without rendering or hashing anything again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use weir_tree::{Change, Pattern, TreePath};

use crate::recipe::{InputRef, SourceId, UnitId};

/// Something that a render looked at: a change of it can change the bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dependency {
    /// A file, a listing, or that nothing is there.
    Path {
        source: SourceId,
        path: TreePath,
    },
    /// The set of files that match.
    Glob {
        source: SourceId,
        pattern: String,
    },
    /// The revision itself or its time, or something that only the whole tree decides.
    Revision(SourceId),
    Input(InputRef),
    /// Objects of the cluster.
    Lookup {
        api_version: String,
        kind: String,
        namespace: String,
    },
    /// What the cluster serves.
    Apis,
}

/// The dependencies of all units, by what they depend on.
#[derive(Debug, Default)]
pub struct Index {
    units: HashMap<UnitId, BTreeSet<Dependency>>,
    sources: HashMap<SourceId, OfSource>,
    others: BTreeMap<Dependency, BTreeSet<UnitId>>,
}

#[derive(Debug, Default)]
struct OfSource {
    paths: HashMap<TreePath, BTreeSet<UnitId>>,
    globs: BTreeMap<String, OfPattern>,
    always: BTreeSet<UnitId>,
}

#[derive(Debug, Default)]
struct OfPattern {
    /// `None` if it is not a pattern: then nothing was found by it, and nothing will be.
    pattern: Option<Pattern>,
    units: BTreeSet<UnitId>,
}

impl Index {
    /// Puts what a unit's newest render asked in place of what was known of it.
    pub fn set(&mut self, unit: &UnitId, dependencies: BTreeSet<Dependency>) {
        if self.units.get(unit) == Some(&dependencies) {
            return;
        }
        self.remove(unit);
        for dependency in &dependencies {
            self.slot(dependency).insert(unit.clone());
        }
        self.units.insert(unit.clone(), dependencies);
    }

    pub fn remove(&mut self, unit: &UnitId) {
        for dependency in self.units.remove(unit).unwrap_or_default() {
            self.slot(&dependency).remove(unit);
        }
    }

    pub fn contains(&self, unit: &UnitId) -> bool {
        self.units.contains_key(unit)
    }

    /// The units that a change of a source's tree touches.
    pub fn touched_by_tree(&self, source: &SourceId, changes: &[Change]) -> BTreeSet<UnitId> {
        let Some(of_source) = self.sources.get(source) else {
            return BTreeSet::new();
        };
        let mut touched = of_source.always.clone();
        for change in changes {
            touched.extend(
                of_source
                    .paths
                    .get(&change.path)
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
        }
        for of_pattern in of_source.globs.values() {
            let Some(pattern) = &of_pattern.pattern else {
                continue;
            };
            if changes.iter().any(|change| pattern.matches(&change.path)) {
                touched.extend(of_pattern.units.iter().cloned());
            }
        }
        touched
    }

    /// The units that a change of something else touches.
    pub fn touched_by(&self, dependency: &Dependency) -> BTreeSet<UnitId> {
        self.others.get(dependency).cloned().unwrap_or_default()
    }

    fn slot(&mut self, dependency: &Dependency) -> &mut BTreeSet<UnitId> {
        match dependency {
            Dependency::Path { source, path } => self
                .sources
                .entry(source.clone())
                .or_default()
                .paths
                .entry(path.clone())
                .or_default(),
            Dependency::Glob { source, pattern } => {
                let globs = &mut self.sources.entry(source.clone()).or_default().globs;
                let parsed = || OfPattern {
                    pattern: Pattern::parse(pattern).ok(),
                    units: BTreeSet::new(),
                };
                &mut globs.entry(pattern.clone()).or_insert_with(parsed).units
            }
            Dependency::Revision(source) => {
                &mut self.sources.entry(source.clone()).or_default().always
            }
            Dependency::Input(_) | Dependency::Lookup { .. } | Dependency::Apis => {
                self.others.entry(dependency.clone()).or_default()
            }
        }
    }
}
