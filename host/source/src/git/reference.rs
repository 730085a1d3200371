//! Which commit of a repository is wanted.

use std::cmp::Ordering;
use std::fmt;

use weir_chart::version::{Constraints, Version, VersionError};
use weir_tree::ObjectId;

/// What a GitRepository's `spec.ref` says. Of several fields the first one of `commit`, `name`, `tag`, `semver`,
/// `branch` decides, as in source-controller; nothing is the branch `master`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GitReference {
    /// With `commit`: the branch that the commit must be on.
    pub branch: Option<String>,
    /// A tag by its name.
    pub tag: Option<String>,
    /// A range of versions; the latest tag in it counts.
    pub semver: Option<String>,
    /// A full name such as `refs/pull/420/head`.
    pub name: Option<String>,
    /// 40 hexadecimal digits.
    pub commit: Option<String>,
    /// If nothing else is given: what stands for a commit on the command line of `git fetch`. `HEAD`, a full name, a tag,
    /// a branch, or a commit's id.
    pub any: Option<String>,
}

/// The field that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    Commit {
        commit: &'a str,
        branch: Option<&'a str>,
    },
    Name(&'a str),
    Tag(&'a str),
    Semver(&'a str),
    Branch(&'a str),
    Any(&'a str),
}

/// The references of a server.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Name and object; `…^{}` is what the annotated tag before it points to.
    references: Vec<(String, ObjectId)>,
}

/// One reference of the listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Advertised {
    pub(super) name: String,
    /// What stands before the `@` of the revision.
    pub(super) pointer: String,
    /// The commit, past an annotated tag.
    pub(super) commit: ObjectId,
    /// What the reference points to: the commit, or an annotated tag.
    pub(super) object: ObjectId,
}

/// Why no reference was chosen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    #[error("the repository has no {0}")]
    Missing(String),
    #[error("no tag is a version in the range {range:?}, out of {tags} tags")]
    NoVersion { range: String, tags: usize },
    #[error("the version range {range:?}: {source}")]
    Range { range: String, source: VersionError },
    #[error("{0:?} is not a commit id of 40 hexadecimal digits")]
    NoCommitId(String),
    #[error("{0:?} is not the name of a reference")]
    NoName(String),
    #[error("the commit {commit} is not on the branch {branch:?}")]
    NotOnBranch { commit: ObjectId, branch: String },
    #[error("the commit {0} is not in the repository")]
    NoSuchCommit(ObjectId),
}

impl GitReference {
    /// A branch.
    pub fn branch(name: &str) -> Self {
        Self {
            branch: Some(name.to_owned()),
            ..Self::default()
        }
    }

    /// Whatever the name stands for.
    pub fn any(name: &str) -> Self {
        Self {
            any: Some(name.to_owned()),
            ..Self::default()
        }
    }

    pub(super) fn wanted(&self) -> Wanted<'_> {
        let branch = given(&self.branch);
        if let Some(commit) = given(&self.commit) {
            Wanted::Commit { commit, branch }
        } else if let Some(name) = given(&self.name) {
            Wanted::Name(name)
        } else if let Some(tag) = given(&self.tag) {
            Wanted::Tag(tag)
        } else if let Some(range) = given(&self.semver) {
            Wanted::Semver(range)
        } else if let (Some(any), None) = (given(&self.any), branch) {
            Wanted::Any(any)
        } else {
            Wanted::Branch(branch.unwrap_or("master"))
        }
    }
}

/// An empty text is as good as none.
fn given(field: &Option<String>) -> Option<&str> {
    field.as_deref().filter(|text| !text.is_empty())
}

impl Listing {
    pub(super) fn new(references: Vec<(String, ObjectId)>) -> Self {
        Self { references }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.references.is_empty()
    }

    pub(super) fn branch(&self, name: &str) -> Result<Advertised, ReferenceError> {
        self.find(&format!("refs/heads/{name}"), name, || {
            format!("branch {name:?}")
        })
    }

    pub(super) fn tag(&self, name: &str) -> Result<Advertised, ReferenceError> {
        self.find(&format!("refs/tags/{name}"), name, || {
            format!("tag {name:?}")
        })
    }

    pub(super) fn name(&self, name: &str) -> Result<Advertised, ReferenceError> {
        self.find(name, name, || format!("reference {name:?}"))
    }

    /// In the order in which Git itself looks.
    pub(super) fn any(&self, name: &str) -> Result<Advertised, ReferenceError> {
        ["", "refs/", "refs/tags/", "refs/heads/"]
            .iter()
            .map(|prefix| format!("{prefix}{name}"))
            .find(|full| self.references.iter().any(|(own, _)| own == full))
            .map_or_else(
                || Err(ReferenceError::Missing(format!("branch or tag {name:?}"))),
                |full| self.find(&full, name, || format!("reference {name:?}")),
            )
    }

    /// The tags of the latest version in the range: several if they differ in build metadata only.
    pub(super) fn latest(&self, range: &str) -> Result<Vec<Advertised>, ReferenceError> {
        let parsed = Constraints::parse(range).map_err(|source| ReferenceError::Range {
            range: range.to_owned(),
            source,
        })?;
        let mut tags = 0;
        let mut best: Vec<(Version, &str)> = Vec::new();
        for (name, _) in &self.references {
            let Some(tag) = name
                .strip_prefix("refs/tags/")
                .filter(|tag| !tag.ends_with("^{}"))
            else {
                continue;
            };
            tags += 1;
            // Flux wants all three numbers; a `v` before them is fine.
            let Ok(version) = Version::parse(tag.strip_prefix('v').unwrap_or(tag)) else {
                continue;
            };
            if !parsed.check(&version) {
                continue;
            }
            let order = best
                .first()
                .map_or(Ordering::Greater, |(best, _)| version.order(best));
            if order == Ordering::Greater {
                best.clear();
            }
            if order != Ordering::Less {
                best.push((version, tag));
            }
        }
        if best.is_empty() {
            return Err(ReferenceError::NoVersion {
                range: range.to_owned(),
                tags,
            });
        }
        best.into_iter().map(|(_, tag)| self.tag(tag)).collect()
    }

    /// A reference that points to the commit.
    pub(super) fn pointing_to(&self, commit: ObjectId) -> Option<Advertised> {
        let (name, _) = self.references.iter().find(|(_, id)| *id == commit)?;
        self.name(name.strip_suffix("^{}").unwrap_or(name))
            .ok()
            .filter(|found| found.commit == commit)
    }

    fn find(
        &self,
        name: &str,
        pointer: &str,
        what: impl FnOnce() -> String,
    ) -> Result<Advertised, ReferenceError> {
        let missing = || ReferenceError::Missing(what());
        let (_, id) = self
            .references
            .iter()
            .find(|(own, _)| own == name)
            .ok_or_else(missing)?;
        // The name becomes part of a refspec.
        if name != "HEAD" && !git2::Reference::is_valid_name(name) {
            return Err(ReferenceError::NoName(name.to_owned()));
        }
        let peeled = format!("{name}^{{}}");
        let commit = self
            .references
            .iter()
            .find(|(own, _)| *own == peeled)
            .map_or(*id, |(_, commit)| *commit);
        Ok(Advertised {
            name: name.to_owned(),
            pointer: pointer.to_owned(),
            commit,
            object: *id,
        })
    }
}

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commit {
                commit,
                branch: Some(branch),
            } => write!(f, "commit {commit} of branch {branch:?}"),
            Self::Commit {
                commit,
                branch: None,
            } => write!(f, "commit {commit}"),
            Self::Name(name) => write!(f, "reference {name:?}"),
            Self::Tag(tag) => write!(f, "tag {tag:?}"),
            Self::Semver(range) => write!(f, "the latest tag in {range:?}"),
            Self::Branch(branch) => write!(f, "branch {branch:?}"),
            Self::Any(name) => write!(f, "{name:?}"),
        }
    }
}

impl fmt::Display for GitReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.wanted().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> ObjectId {
        ObjectId::from_bytes([byte; 20])
    }

    fn listing(references: &[(&str, u8)]) -> Listing {
        Listing::new(
            references
                .iter()
                .map(|(name, byte)| ((*name).to_owned(), id(*byte)))
                .collect(),
        )
    }

    #[test]
    fn the_first_field_of_the_order_decides() {
        let field = |text: &str| Some(text.to_owned());
        let mut reference = GitReference {
            branch: field("b"),
            tag: field("t"),
            semver: field("1.x"),
            name: field("refs/n"),
            commit: field("c"),
            any: field("a"),
        };
        assert_eq!(
            reference.wanted(),
            Wanted::Commit {
                commit: "c",
                branch: Some("b")
            }
        );
        reference.commit = None;
        assert_eq!(reference.wanted(), Wanted::Name("refs/n"));
        reference.name = field("");
        assert_eq!(reference.wanted(), Wanted::Tag("t"));
        reference.tag = None;
        assert_eq!(reference.wanted(), Wanted::Semver("1.x"));
        reference.semver = None;
        assert_eq!(reference.wanted(), Wanted::Branch("b"));
        reference.branch = None;
        assert_eq!(reference.wanted(), Wanted::Any("a"));
        assert_eq!(GitReference::default().wanted(), Wanted::Branch("master"));
    }

    #[test]
    fn annotated_tags_are_peeled() {
        let listing = listing(&[
            ("refs/heads/main", 1),
            ("refs/tags/v1", 2),
            ("refs/tags/v1^{}", 1),
        ]);
        let tag = listing.tag("v1").unwrap();
        assert_eq!(
            (tag.pointer.as_str(), tag.name.as_str(), tag.commit),
            ("v1", "refs/tags/v1", id(1))
        );
        assert_eq!(listing.branch("main").unwrap().commit, id(1));
        assert_eq!(listing.pointing_to(id(1)).unwrap().name, "refs/heads/main");
        assert_eq!(listing.pointing_to(id(9)), None);
        let error = listing.tag("v2").unwrap_err().to_string();
        assert_eq!(error, "the repository has no tag \"v2\"");
    }

    #[test]
    fn any_name_is_looked_for_as_git_does() {
        let listing = listing(&[
            ("HEAD", 1),
            ("refs/heads/main", 1),
            ("refs/heads/v1", 2),
            ("refs/tags/v1", 3),
        ]);
        let found = |name: &str| listing.any(name).map(|found| found.name);
        assert_eq!(found("HEAD").unwrap(), "HEAD");
        assert_eq!(found("main").unwrap(), "refs/heads/main");
        assert_eq!(found("v1").unwrap(), "refs/tags/v1");
        assert_eq!(found("heads/v1").unwrap(), "refs/heads/v1");
        let error = found("v2").unwrap_err().to_string();
        assert_eq!(error, "the repository has no branch or tag \"v2\"");
    }

    #[test]
    fn names_that_would_be_a_refspec_are_refused() {
        let listing = listing(&[("refs/heads/*", 1), ("refs/heads/a:b", 1), ("HEAD", 1)]);
        assert!(matches!(
            listing.branch("*"),
            Err(ReferenceError::NoName(_))
        ));
        assert!(matches!(
            listing.branch("a:b"),
            Err(ReferenceError::NoName(_))
        ));
        assert_eq!(listing.name("HEAD").unwrap().commit, id(1));
    }

    #[test]
    fn the_latest_version_is_chosen() {
        let listing = listing(&[
            ("refs/heads/9.0.0", 9),
            ("refs/tags/v1.2.0", 1),
            ("refs/tags/1.10.0", 2),
            ("refs/tags/1.10.0-rc1", 3),
            ("refs/tags/2.0.0", 4),
            ("refs/tags/3", 5),
            ("refs/tags/nightly", 6),
        ]);
        let latest = |range: &str| -> Vec<String> {
            listing
                .latest(range)
                .unwrap()
                .into_iter()
                .map(|found| found.pointer)
                .collect()
        };
        assert_eq!(latest("1.x"), ["1.10.0"]);
        assert_eq!(latest("~1.2"), ["v1.2.0"]);
        assert_eq!(latest("*"), ["2.0.0"]);
        let error = listing.latest(">=3").unwrap_err().to_string();
        assert!(
            error.contains("\">=3\"") && error.contains("6 tags"),
            "{error}"
        );
        assert!(listing.latest(">>3").is_err());
    }

    #[test]
    fn versions_that_differ_in_build_metadata_are_all_given() {
        let listing = listing(&[
            ("refs/tags/1.0.0+b", 1),
            ("refs/tags/0.9.0", 2),
            ("refs/tags/1.0.0+a", 3),
        ]);
        assert_eq!(listing.latest("1.x").unwrap().len(), 2);
    }
}
