//! Paths inside a tree.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest path that is accepted, in bytes.
pub const MAX_PATH: usize = 4096;
/// The longest name of one entry, in bytes.
pub const MAX_NAME: usize = 255;
/// The most names in a path: so deep may code recurse that walks a tree.
pub const MAX_DEPTH: usize = 255;

/// A path relative to a tree's root: names joined by `/`, no `.`, `..`, empty or NUL parts, never absolute.
/// The empty path is the root. Values exist only in this normal form; clones share their text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TreePath(Arc<str>);

/// Why a text is not a [`TreePath`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("the path {0:?} is absolute; write it relative to the root of the tree")]
    Absolute(String),
    #[error("the path {0:?} leads out of the tree")]
    Outside(String),
    #[error("the path {0:?} has an empty, \".\" or \"..\" part; write it in its plain form")]
    NotPlain(String),
    #[error("the path {0:?} contains a NUL byte")]
    Nul(String),
    #[error("the path has {0} bytes, over the limit of {MAX_PATH}")]
    TooLong(usize),
    #[error("the name {0:?} in the path is longer than {MAX_NAME} bytes")]
    NameTooLong(String),
    #[error("the path has {0} names, over the limit of {MAX_DEPTH}")]
    TooDeep(usize),
}

impl TreePath {
    /// The root.
    pub fn root() -> Self {
        Self(Arc::default())
    }

    /// Takes a path that must already be in normal form.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        Self::check_outline(text)?;
        if text.is_empty() {
            return Ok(Self::root());
        }
        check_depth(text.split('/').count())?;
        for name in text.split('/') {
            check_name(name)?;
            if matches!(name, "" | "." | "..") {
                return Err(PathError::NotPlain(shown(text)));
            }
        }
        Ok(Self(text.into()))
    }

    /// Takes a path as people write it (`./a//b/../c/`) relative to `self` and brings it into normal form.
    /// `..` may not climb over the root.
    pub fn join(&self, text: &str) -> Result<Self, PathError> {
        Self::check_outline(text)?;
        let mut names: Vec<&str> = self.names().collect();
        for name in text.split('/') {
            check_name(name)?;
            match name {
                "" | "." => {}
                ".." => {
                    names.pop().ok_or_else(|| PathError::Outside(shown(text)))?;
                }
                _ => names.push(name),
            }
        }
        check_depth(names.len())?;
        let joined = names.join("/");
        if joined.len() > MAX_PATH {
            return Err(PathError::TooLong(joined.len()));
        }
        Ok(Self(joined.into()))
    }

    fn check_outline(text: &str) -> Result<(), PathError> {
        if text.len() > MAX_PATH {
            return Err(PathError::TooLong(text.len()));
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute(shown(text)));
        }
        if text.contains('\0') {
            return Err(PathError::Nul(shown(text)));
        }
        Ok(())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The names from the root down; none for the root.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|name| !name.is_empty())
    }

    /// The last name; `None` for the root.
    pub fn name(&self) -> Option<&str> {
        self.0.rsplit('/').next().filter(|name| !name.is_empty())
    }

    /// The directory that holds this path; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(match self.0.rsplit_once('/') {
            Some((head, _)) => Self(head.into()),
            None => Self::root(),
        })
    }

    /// Whether this path is `ancestor` or stands below it.
    pub fn starts_with(&self, ancestor: &Self) -> bool {
        ancestor.is_root()
            || self
                .0
                .strip_prefix(&*ancestor.0)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The path of the entry `name` in the directory at this path.
    pub fn child(&self, name: &str) -> Result<Self, PathError> {
        check_entry_name(name)?;
        let mut joined = String::with_capacity(self.0.len() + 1 + name.len());
        if !self.is_root() {
            joined.push_str(&self.0);
            joined.push('/');
        }
        joined.push_str(name);
        if joined.len() > MAX_PATH {
            return Err(PathError::TooLong(joined.len()));
        }
        check_depth(joined.split('/').count())?;
        Ok(Self(joined.into()))
    }

    /// This path as seen from `ancestor`, if it stands below it.
    pub fn relative_to(&self, ancestor: &Self) -> Option<Self> {
        if !self.starts_with(ancestor) {
            return None;
        }
        Some(Self(
            self.0[ancestor.0.len()..].trim_start_matches('/').into(),
        ))
    }
}

/// Whether `name` can be the name of one entry. Back ends ask before they show a name that somebody else chose.
pub(crate) fn check_entry_name(name: &str) -> Result<(), PathError> {
    check_name(name)?;
    if name.contains('\0') {
        return Err(PathError::Nul(shown(name)));
    }
    if matches!(name, "" | "." | "..") || name.contains('/') {
        return Err(PathError::NotPlain(shown(name)));
    }
    Ok(())
}

fn check_depth(names: usize) -> Result<(), PathError> {
    if names > MAX_DEPTH {
        Err(PathError::TooDeep(names))
    } else {
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), PathError> {
    if name.len() > MAX_NAME {
        return Err(PathError::NameTooLong(shown(name)));
    }
    Ok(())
}

/// Keeps hostile paths from filling a message.
pub(crate) fn shown(text: &str) -> String {
    const LIMIT: usize = 200;
    if text.chars().count() <= LIMIT {
        return text.to_owned();
    }
    let mut head: String = text.chars().take(LIMIT).collect();
    head.push('…');
    head
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

impl Borrow<str> for TreePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TreePath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::parse(&text)
    }
}

impl From<TreePath> for String {
    fn from(path: TreePath) -> Self {
        path.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::parse(text).unwrap()
    }

    #[test]
    fn parse_takes_only_the_normal_form() {
        assert!(path("").is_root());
        assert_eq!(path("a/b c/ü").as_str(), "a/b c/ü");
        for bad in ["a/", "a//b", "./a", "a/.", "a/../b", ".."] {
            assert_eq!(
                TreePath::parse(bad),
                Err(PathError::NotPlain(bad.to_owned())),
                "{bad}"
            );
        }
        assert_eq!(
            TreePath::parse("/a"),
            Err(PathError::Absolute("/a".to_owned()))
        );
        assert_eq!(
            TreePath::parse("a\0b"),
            Err(PathError::Nul("a\0b".to_owned()))
        );
    }

    #[test]
    fn join_brings_what_people_write_into_normal_form() {
        let base = path("apps/web");
        assert_eq!(base.join("./x//y/"), Ok(path("apps/web/x/y")));
        assert_eq!(base.join("../db"), Ok(path("apps/db")));
        assert_eq!(base.join(""), Ok(base.clone()));
        assert_eq!(base.join("../.."), Ok(TreePath::root()));
        assert_eq!(
            base.join("../../.."),
            Err(PathError::Outside("../../..".to_owned()))
        );
        assert_eq!(
            base.join("../../../apps"),
            Err(PathError::Outside("../../../apps".to_owned()))
        );
        assert_eq!(
            base.join("/etc"),
            Err(PathError::Absolute("/etc".to_owned()))
        );
    }

    #[test]
    fn lengths_are_bounded() {
        let name = "n".repeat(MAX_NAME);
        assert!(TreePath::parse(&name).is_ok());
        assert!(matches!(
            TreePath::parse(&format!("{name}n")),
            Err(PathError::NameTooLong(_))
        ));
        let long = vec!["a".repeat(127); MAX_PATH / 128].join("/");
        assert!(TreePath::parse(&long).is_ok());
        assert_eq!(path(&long).join("b"), Err(PathError::TooLong(MAX_PATH + 1)));
        assert_eq!(
            path(&long).child("b"),
            Err(PathError::TooLong(MAX_PATH + 1))
        );
        let deep = vec!["a"; MAX_DEPTH].join("/");
        assert!(TreePath::parse(&deep).is_ok());
        assert_eq!(
            TreePath::parse(&format!("{deep}/b")),
            Err(PathError::TooDeep(MAX_DEPTH + 1))
        );
        assert_eq!(
            path(&deep).join("b"),
            Err(PathError::TooDeep(MAX_DEPTH + 1))
        );
        assert_eq!(
            path(&deep).child("b"),
            Err(PathError::TooDeep(MAX_DEPTH + 1))
        );
    }

    #[test]
    fn messages_do_not_repeat_a_hostile_path_in_full() {
        let error = TreePath::parse(&format!("/{}", "ä".repeat(1500))).unwrap_err();
        assert!(error.to_string().chars().count() < 300);
    }

    #[test]
    fn parts_of_a_path() {
        let deep = path("a/b/c");
        assert_eq!(deep.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(deep.name(), Some("c"));
        assert_eq!(deep.parent(), Some(path("a/b")));
        assert_eq!(path("a").parent(), Some(TreePath::root()));
        assert_eq!(TreePath::root().parent(), None);
        assert_eq!(TreePath::root().name(), None);
        assert_eq!(TreePath::root().names().count(), 0);
        assert_eq!(TreePath::root().to_string(), ".");
    }

    #[test]
    fn ancestry_goes_by_whole_names() {
        assert!(path("a/b").starts_with(&path("a")));
        assert!(path("a").starts_with(&path("a")));
        assert!(path("a").starts_with(&TreePath::root()));
        assert!(!path("ab").starts_with(&path("a")));
        assert_eq!(path("a/b/c").relative_to(&path("a")), Some(path("b/c")));
        assert_eq!(path("a").relative_to(&path("a")), Some(TreePath::root()));
        assert_eq!(path("ab/c").relative_to(&path("a")), None);
        assert_eq!(
            path("a/b").relative_to(&TreePath::root()),
            Some(path("a/b"))
        );
    }

    #[test]
    fn child_takes_one_name() {
        assert_eq!(path("a").child("b"), Ok(path("a/b")));
        assert_eq!(TreePath::root().child("b"), Ok(path("b")));
        for bad in ["", ".", "..", "b/c", "b\0"] {
            assert!(path("a").child(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn serde_goes_through_the_check() {
        assert_eq!(TreePath::try_from("a/b".to_owned()), Ok(path("a/b")));
        assert!(TreePath::try_from("../b".to_owned()).is_err());
        assert_eq!(String::from(path("a/b")), "a/b");
    }
}
