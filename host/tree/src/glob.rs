//! Patterns over paths: `*`, `?`, `[..]` inside one name, `**` over any number of names.
//!
//! `*` and `?` match any character of a name, a leading dot too. `[abc]`, `[a-z]`, `[!a]` and `[^a]` match one
//! character; `\` takes the next one as it is. `**` counts only as a whole part of the pattern and then stands for
//! zero or more names; elsewhere it is `*` twice.

mod name;

use crate::digest::child;
use crate::path::shown;
use crate::{EntryKind, Tree, TreeError, TreePath};

pub(crate) use name::{Dialect, NamePattern};

/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 4096;
/// The most `**` in one pattern: each multiplies the ways to match.
const MAX_DOUBLE_STARS: usize = 8;
/// The most names that are looked at, and so the most that are found.
const MAX_VISITED: usize = crate::tree::MAX_ENTRIES;

/// The files (and links, which are not followed) in `tree` whose path matches, sorted. Only directories that can hold
/// a match are listed.
pub fn glob(tree: &dyn Tree, pattern: &str) -> Result<Vec<TreePath>, TreeError> {
    let pattern = Pattern::parse(pattern)?;
    let mut walk = Walk {
        tree,
        pattern: &pattern,
        found: Vec::new(),
        visited: 0,
    };
    walk.directory(&TreePath::root(), &pattern.start())?;
    walk.found.sort_unstable();
    Ok(walk.found)
}

/// A pattern that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// `**`
    Any,
    /// Text without special characters: one look-up instead of a listing.
    Literal(String),
    Name(NamePattern),
}

impl Pattern {
    /// Checks a pattern. It is relative, as paths are; `./` in front and `/` twice are forgiven.
    pub fn parse(text: &str) -> Result<Self, TreeError> {
        let refuse = |reason: String| TreeError::Pattern {
            pattern: shown(text),
            reason,
        };
        if text.len() > MAX_PATTERN {
            return Err(refuse(format!(
                "it has {} bytes, over the limit of {MAX_PATTERN}",
                text.len()
            )));
        }
        if text.starts_with('/') {
            return Err(refuse(
                "it is absolute; write it relative to the root of the tree".to_owned(),
            ));
        }
        let mut parts = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => return Err(refuse("it has a part \"..\"".to_owned())),
                "**" if parts.last() == Some(&Part::Any) => {}
                "**" => parts.push(Part::Any),
                _ => parts.push(
                    match NamePattern::parse(part, Dialect::Shell).map_err(refuse)? {
                        NamePattern::Literal(text) => Part::Literal(text),
                        name @ (NamePattern::Suffix(_) | NamePattern::Any(_)) => Part::Name(name),
                    },
                ),
            }
        }
        if parts.iter().filter(|part| **part == Part::Any).count() > MAX_DOUBLE_STARS {
            return Err(refuse(format!(
                "it has more than {MAX_DOUBLE_STARS} parts \"**\""
            )));
        }
        Ok(Self { parts })
    }

    /// Whether the whole path matches.
    pub fn matches(&self, path: &TreePath) -> bool {
        let mut states = self.start();
        for name in path.names() {
            states = self.step(&states, name);
        }
        self.accepts(&states)
    }

    /// A state is the number of parts already matched; the set of all that are possible is kept, sorted.
    fn start(&self) -> Vec<usize> {
        self.closed(vec![0])
    }

    fn step(&self, states: &[usize], name: &str) -> Vec<usize> {
        let mut next = Vec::new();
        for &state in states {
            match self.parts.get(state) {
                Some(Part::Any) => next.push(state),
                Some(Part::Literal(text)) if text == name => next.push(state + 1),
                Some(Part::Name(pattern)) if pattern.matches(name) => next.push(state + 1),
                Some(Part::Literal(_) | Part::Name(_)) | None => {}
            }
        }
        self.closed(next)
    }

    /// Adds the states reached by letting `**` stand for nothing.
    fn closed(&self, mut states: Vec<usize>) -> Vec<usize> {
        let mut index = 0;
        while let Some(&state) = states.get(index) {
            if self.parts.get(state) == Some(&Part::Any) && !states.contains(&(state + 1)) {
                states.push(state + 1);
            }
            index += 1;
        }
        states.sort_unstable();
        states.dedup();
        states
    }

    fn accepts(&self, states: &[usize]) -> bool {
        states.last() == Some(&self.parts.len())
    }

    /// Whether anything further down can match.
    fn can_go_on(&self, states: &[usize]) -> bool {
        states
            .first()
            .is_some_and(|&state| state < self.parts.len())
    }

    /// The one name that can match next, if there is only one.
    fn only_name(&self, states: &[usize]) -> Option<&str> {
        let mut open = states.iter().filter_map(|&state| self.parts.get(state));
        match (open.next(), open.next()) {
            (Some(Part::Literal(text)), None) => Some(text),
            _ => None,
        }
    }
}

struct Walk<'a> {
    tree: &'a dyn Tree,
    pattern: &'a Pattern,
    found: Vec<TreePath>,
    visited: usize,
}

impl Walk<'_> {
    /// The recursion is as deep as a path may have names.
    fn directory(&mut self, path: &TreePath, states: &[usize]) -> Result<(), TreeError> {
        if let Some(name) = self.pattern.only_name(states) {
            // A name that no path can have is there in no tree.
            let Ok(below) = path.child(name) else {
                return Ok(());
            };
            return match self.tree.stat(&below)? {
                Some(entry) => self.entry(below, entry.kind, &self.pattern.step(states, name)),
                None => Ok(()),
            };
        }
        for entry in self.tree.outline(path)?.unwrap_or_default() {
            let next = self.pattern.step(states, &entry.name);
            if !next.is_empty() {
                self.entry(child(path, &entry.name)?, entry.kind, &next)?;
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        path: TreePath,
        kind: EntryKind,
        states: &[usize],
    ) -> Result<(), TreeError> {
        self.visited += 1;
        if self.visited > MAX_VISITED {
            return Err(TreeError::TooManyEntries {
                path,
                count: self.visited,
                limit: MAX_VISITED,
            });
        }
        match kind {
            EntryKind::Directory if self.pattern.can_go_on(states) => self.directory(&path, states),
            EntryKind::Directory | EntryKind::Submodule => Ok(()),
            EntryKind::File | EntryKind::Executable | EntryKind::Link => {
                if self.pattern.accepts(states) {
                    self.found.push(path);
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EmptyTree, OverlayTree};

    #[test]
    fn paths() {
        for (pattern, yes, no) in [
            (
                "a/*.yaml",
                &["a/x.yaml"][..],
                &["a/b/x.yaml", "x.yaml", "a"][..],
            ),
            ("**/x", &["x", "a/x", "a/b/x"], &["a/y", "xx"]),
            ("a/**", &["a/b", "a/b/c", "a"], &["b"]),
            (
                "a/**/b/*.y",
                &["a/b/1.y", "a/c/d/b/1.y", "a/b/b/1.y"],
                &["a/1.y", "b/1.y"],
            ),
            ("./a//b", &["a/b"], &["a"]),
            ("**/**/z", &["z", "a/z"], &["a"]),
        ] {
            let pattern = Pattern::parse(pattern).unwrap();
            for path in yes {
                assert!(
                    pattern.matches(&TreePath::parse(path).unwrap()),
                    "{pattern:?} should match {path}"
                );
            }
            for path in no {
                assert!(
                    !pattern.matches(&TreePath::parse(path).unwrap()),
                    "{pattern:?} should not match {path}"
                );
            }
        }
    }

    #[test]
    fn bad_patterns_say_why() {
        for (pattern, part) in [
            ("/a", "absolute"),
            ("a/../b", ".."),
            ("[a", "no ]"),
            ("a\\", "ends in"),
            ("[z-a]", "z-a"),
            (&"**/a/".repeat(9), "more than 8"),
            (&"x".repeat(5000), "5000 bytes"),
        ] {
            let error = Pattern::parse(pattern).unwrap_err().to_string();
            assert!(error.contains(part), "{pattern}: {error}");
        }
    }

    #[test]
    fn a_tree_is_searched_in_order() {
        let mut overlay = OverlayTree::on(EmptyTree::shared());
        for path in [
            "apps/web/k.yaml",
            "apps/web.yaml",
            "apps/db/k.yaml",
            "infra/k.yaml",
            "k.yaml",
            "apps/db/x/k.yaml",
        ] {
            overlay.file(&TreePath::parse(path).unwrap(), "x").unwrap();
        }
        overlay
            .link(&TreePath::parse("apps/link").unwrap(), "web")
            .unwrap();
        let tree = overlay.finish().unwrap();
        let check = |pattern: &str, expected: &[&str]| {
            let found = glob(&tree, pattern).unwrap();
            assert_eq!(
                found.iter().map(TreePath::as_str).collect::<Vec<_>>(),
                expected,
                "{pattern}"
            );
        };
        check("apps/*/k.yaml", &["apps/db/k.yaml", "apps/web/k.yaml"]);
        check(
            "**/k.yaml",
            &[
                "apps/db/k.yaml",
                "apps/db/x/k.yaml",
                "apps/web/k.yaml",
                "infra/k.yaml",
                "k.yaml",
            ],
        );
        check(
            "apps/**",
            &[
                "apps/db/k.yaml",
                "apps/db/x/k.yaml",
                "apps/link",
                "apps/web.yaml",
                "apps/web/k.yaml",
            ],
        );
        check("apps/web/k.yaml", &["apps/web/k.yaml"]);
        check("apps/web", &[]);
        check("none/*", &[]);
        check("", &[]);
    }
}
