//! Flux's ignore rules: `.sourceignore` files and `spec.ignore`, as source-controller applies them when it packs an
//! artifact.
//!
//! The syntax is that of `.gitignore`, the meaning is not Git's: every file is matched by its whole path, so that a
//! pattern can bring back a file of an ignored directory; a pattern that matches a directory matches all below it; `**`
//! counts only as a whole part of a pattern. Patterns of `.sourceignore` files hold for the directory of the file and
//! below; `spec.ignore` comes last; the last pattern that matches decides. One pattern anywhere switches off all
//! built-in ones except those for Git's own files. A pattern with a malformed `[` matches nothing.

use sha2::{Digest as _, Sha256};

use crate::digest::{child, view_id};
use crate::glob::{Dialect, NamePattern};
use crate::{Blob, ContentId, Digest, Entry, EntryKind, Tree, TreeError, TreePath};

/// The name of the files with rules.
pub const IGNORE_FILE: &str = ".sourceignore";
/// The largest file with rules, in bytes.
const MAX_RULE_FILE: u64 = 1 << 20;
/// The most patterns of a tree: each file is held against each.
const MAX_PATTERNS: usize = 10_000;

const VCS: &[&str] = &[".git/", ".gitignore", ".gitmodules", ".gitattributes"];
const WITHOUT_USER_PATTERNS: &[&str] = &[
    "*.jpg",
    "*.jpeg",
    "*.gif",
    "*.png",
    "*.wmv",
    "*.flv",
    "*.tar.gz",
    "*.zip",
    ".github/",
    ".circleci/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    "**/.goreleaser.yml",
    "**/.sops.yaml",
    "**/.flux.yaml",
];

/// All rules of one tree.
#[derive(Clone, Debug)]
pub struct IgnoreRules {
    patterns: Vec<IgnorePattern>,
    digest: Digest,
}

/// A view of a tree that shows only what its rules let through.
#[derive(Clone, Debug)]
pub struct IgnoredTree<T> {
    base: T,
    rules: IgnoreRules,
}

#[derive(Clone, Debug)]
struct IgnorePattern {
    /// The directory of the file that holds the pattern.
    domain: Vec<String>,
    /// `!`: brings back what an earlier pattern took.
    include: bool,
    directories_only: bool,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    /// Without `/`: any name of the path.
    Name(NamePattern),
    /// With `/`: from the domain down.
    Path(Vec<Part>),
    /// Malformed.
    Nothing,
}

#[derive(Clone, Debug)]
enum Part {
    /// An empty part, from a `/` in front or two in a row.
    Empty,
    /// `**`
    Any,
    Name(NamePattern),
}

/// Sees `base` through `rules`.
pub fn ignored<T: Tree>(base: T, rules: IgnoreRules) -> IgnoredTree<T> {
    IgnoredTree { base, rules }
}

impl IgnoreRules {
    /// Collects the rules of all `.sourceignore` files in `tree`, and those of `spec.ignore`. All directories are
    /// visited, for one pattern anywhere counts everywhere.
    pub fn load(tree: &dyn Tree, spec_ignore: Option<&str>) -> Result<Self, TreeError> {
        let mut texts = Vec::new();
        collect(tree, &TreePath::root(), &mut texts)?;
        if let Some(text) = spec_ignore {
            texts.push((TreePath::root(), text.to_owned()));
        }
        Self::from_texts(&texts)
    }

    /// Takes texts with the directories that they hold for, in rising priority.
    pub fn from_texts(texts: &[(TreePath, String)]) -> Result<Self, TreeError> {
        Self::of(texts, true)
    }

    /// The same without any built-in pattern, as for buckets.
    pub fn only(texts: &[(TreePath, String)]) -> Result<Self, TreeError> {
        Self::of(texts, false)
    }

    fn of(texts: &[(TreePath, String)], built_in: bool) -> Result<Self, TreeError> {
        let root = TreePath::root();
        let mut user = Vec::new();
        for (domain, text) in texts {
            user.extend(lines(text).map(|line| (domain, line)));
            if user.len() > MAX_PATTERNS {
                let reason = format!("the tree has more than {MAX_PATTERNS} ignore patterns");
                return Err(TreeError::Read {
                    path: domain.clone(),
                    reason,
                });
            }
        }
        let lists: &[&[&str]] = match (built_in, user.is_empty()) {
            (false, _) => &[],
            (true, false) => &[VCS],
            (true, true) => &[VCS, WITHOUT_USER_PATTERNS],
        };
        let built_in = lists.iter().copied().flatten();
        let mut all: Vec<(&TreePath, &str)> = built_in.map(|pattern| (&root, *pattern)).collect();
        all.extend(user);
        let mut hasher = Sha256::new();
        for (domain, line) in &all {
            hasher.update(domain.as_str());
            hasher.update(b"\n");
            hasher.update(line);
            hasher.update(b"\n");
        }
        let patterns = all
            .into_iter()
            .map(|(domain, line)| IgnorePattern::parse(domain, line))
            .collect();
        Ok(Self {
            patterns,
            digest: Digest::from_bytes(hasher.finalize().into()),
        })
    }

    /// Whether the rules take away the file or directory at `path` itself. Files below an ignored directory are asked
    /// for by themselves.
    pub fn ignores(&self, path: &TreePath, directory: bool) -> bool {
        let names: Vec<&str> = path.names().collect();
        self.ignores_names(&names, directory)
    }

    fn ignores_names(&self, names: &[&str], directory: bool) -> bool {
        let decides = self
            .patterns
            .iter()
            .rev()
            .find(|pattern| pattern.matches(names, directory));
        decides.is_some_and(|pattern| !pattern.include)
    }

    /// Whether a pattern with `!` may match below the directory.
    fn may_bring_back_below(&self, names: &[&str]) -> bool {
        self.patterns
            .iter()
            .any(|pattern| pattern.include && pattern.may_match_below(names))
    }
}

/// The rule files of a directory and all below it, in the order in which Flux reads them.
fn collect(
    tree: &dyn Tree,
    path: &TreePath,
    texts: &mut Vec<(TreePath, String)>,
) -> Result<(), TreeError> {
    let entries = tree.outline(path)?.unwrap_or_default();
    if let Ok(index) = entries.binary_search_by(|entry| entry.name.as_str().cmp(IGNORE_FILE))
        && matches!(entries[index].kind, EntryKind::File | EntryKind::Executable)
    {
        let file = child(path, IGNORE_FILE)?;
        let size = tree.stat(&file)?.map_or(0, |entry| entry.size);
        if size > MAX_RULE_FILE {
            return Err(TreeError::TooLarge {
                path: file,
                size,
                limit: MAX_RULE_FILE,
            });
        }
        let bytes = tree.read(&file)?.unwrap_or_default();
        texts.push((path.clone(), String::from_utf8_lossy(&bytes).into_owned()));
    }
    for entry in entries {
        if entry.kind == EntryKind::Directory && entry.name != ".git" {
            collect(tree, &child(path, &entry.name)?, texts)?;
        }
    }
    Ok(())
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
}

impl IgnorePattern {
    fn parse(domain: &TreePath, line: &str) -> Self {
        let (include, text) = match line.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let text = if text.ends_with("\\ ") {
            text
        } else {
            text.trim_end_matches(' ')
        };
        let (directories_only, text) = match text.strip_suffix('/') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let domain = domain.names().map(str::to_owned).collect();
        Self {
            domain,
            include,
            directories_only,
            matcher: Matcher::parse(text),
        }
    }

    fn matches(&self, names: &[&str], directory: bool) -> bool {
        let inside = names.len() > self.domain.len()
            && self.domain.iter().zip(names).all(|(own, name)| own == name);
        if !inside {
            return false;
        }
        let names = &names[self.domain.len()..];
        match &self.matcher {
            Matcher::Nothing => false,
            Matcher::Name(pattern) => {
                // A match of the last name counts for files only if the pattern is not for directories.
                let last = names.len() - 1;
                let first = names.iter().position(|name| pattern.matches(name));
                first.is_some_and(|index| index < last || directory || !self.directories_only)
            }
            Matcher::Path(parts) => match match_parts(parts, names) {
                Some(rest) => rest > 0 || directory || !self.directories_only,
                None => false,
            },
        }
    }

    /// Errs on the side of yes.
    fn may_match_below(&self, names: &[&str]) -> bool {
        if !self.domain.iter().zip(names).all(|(own, name)| own == name) {
            return false;
        }
        let names = names.get(self.domain.len()..).unwrap_or_default();
        match &self.matcher {
            Matcher::Nothing => false,
            Matcher::Name(_) => true,
            Matcher::Path(parts) => {
                let mut parts = parts.iter().filter(|part| !matches!(part, Part::Empty));
                for name in names {
                    match parts.next() {
                        Some(Part::Name(pattern)) if !pattern.matches(name) => return false,
                        Some(Part::Name(_)) => {}
                        Some(Part::Any | Part::Empty) | None => return true,
                    }
                }
                true
            }
        }
    }
}

impl Matcher {
    fn parse(text: &str) -> Self {
        let name = |text: &str| NamePattern::parse(text, Dialect::Go);
        if !text.contains('/') {
            return name(text).map_or(Self::Nothing, Self::Name);
        }
        let part = |text: &str| match text {
            "" => Ok(Part::Empty),
            "**" => Ok(Part::Any),
            _ if text.contains("**") => Err("** is no whole part".to_owned()),
            _ => name(text).map(Part::Name),
        };
        text.split('/')
            .map(part)
            .collect::<Result<_, _>>()
            .map_or(Self::Nothing, Self::Path)
    }
}

/// How many names are left once all parts matched from the front; `None` if they do not.
fn match_parts(parts: &[Part], names: &[&str]) -> Option<usize> {
    let mut rest = names;
    let mut anywhere = false;
    let mut matched = false;
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Empty => anywhere = false,
            Part::Any if index + 1 == parts.len() => break,
            Part::Any => anywhere = true,
            Part::Name(pattern) => {
                let at = rest
                    .iter()
                    .position(|name| pattern.matches(name))
                    .filter(|&at| anywhere || at == 0);
                rest = &rest[at? + 1..];
                anywhere = false;
                matched = true;
            }
        }
    }
    matched.then_some(rest.len())
}

impl<T: Tree> IgnoredTree<T> {
    /// The entry at `directory/entry.name` as it is seen here, or `None` if it is not. `names` are the directory's.
    fn shown<'a>(
        &self,
        directory: &TreePath,
        names: &mut Vec<&'a str>,
        entry: &'a Entry,
    ) -> Result<Option<Entry>, TreeError> {
        names.push(&entry.name);
        let shown = if entry.kind == EntryKind::Directory {
            let path = child(directory, &entry.name)?;
            let visible = !self.rules.ignores_names(names, true)
                || (self.rules.may_bring_back_below(names) && self.holds_something(&path)?);
            let id = entry.id.map(|id| self.seen_id(&path, id));
            visible.then(|| Entry {
                id,
                ..entry.clone()
            })
        } else {
            (!self.rules.ignores_names(names, false)).then(|| entry.clone())
        };
        names.pop();
        Ok(shown)
    }

    /// Whether an ignored directory has a file below it that is not: then it is there after all.
    fn holds_something(&self, path: &TreePath) -> Result<bool, TreeError> {
        for entry in self.base.outline(path)?.unwrap_or_default() {
            let below = child(path, &entry.name)?;
            let names: Vec<&str> = below.names().collect();
            let found = match entry.kind {
                EntryKind::Directory => {
                    self.rules.may_bring_back_below(&names) && self.holds_something(&below)?
                }
                EntryKind::File
                | EntryKind::Executable
                | EntryKind::Link
                | EntryKind::Submodule => !self.rules.ignores_names(&names, false),
            };
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The same directory of the base looks different with other rules, and at another place.
    fn seen_id(&self, path: &TreePath, id: ContentId) -> ContentId {
        view_id(
            &[
                b"ignore",
                self.rules.digest.as_bytes(),
                path.as_str().as_bytes(),
            ],
            id,
        )
    }

    fn listing(
        &self,
        path: &TreePath,
        entries: Option<Vec<Entry>>,
    ) -> Result<Option<Vec<Entry>>, TreeError> {
        let Some(entries) = entries else {
            return Ok(None);
        };
        let mut names: Vec<&str> = path.names().collect();
        let mut seen = Vec::with_capacity(entries.len());
        for entry in &entries {
            seen.extend(self.shown(path, &mut names, entry)?);
        }
        // A directory is listed if it is seen; an empty listing needs a closer look.
        if seen.is_empty() && self.stat(path)?.is_none() {
            return Ok(None);
        }
        Ok(Some(seen))
    }
}

impl<T: Tree> Tree for IgnoredTree<T> {
    fn stat(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let Some(entry) = self.base.stat(path)? else {
            return Ok(None);
        };
        match path.parent() {
            Some(parent) => self.shown(&parent, &mut parent.names().collect(), &entry),
            None => Ok(Some(Entry::root(self.id()))),
        }
    }

    fn read(&self, path: &TreePath) -> Result<Option<Blob>, TreeError> {
        if self.rules.ignores(path, false) {
            Ok(None)
        } else {
            self.base.read(path)
        }
    }

    fn entries(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        self.listing(path, self.base.entries(path)?)
    }

    fn id(&self) -> Option<ContentId> {
        self.base.id().map(|id| self.seen_id(&TreePath::root(), id))
    }

    fn outline(&self, path: &TreePath) -> Result<Option<Vec<Entry>>, TreeError> {
        self.listing(path, self.base.outline(path)?)
    }

    fn digest(&self, path: &TreePath) -> Result<Option<Digest>, TreeError> {
        if self.rules.ignores(path, false) {
            Ok(None)
        } else {
            self.base.digest(path)
        }
    }
}

#[cfg(test)]
mod tests;
