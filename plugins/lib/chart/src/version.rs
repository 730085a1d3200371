//! Versions and constraints as Helm reads them: the rules of Masterminds semver 3.
//!
//! They differ from Cargo's and npm's in many small ways (what `1.2`, `>11` or `!=1.x` mean, when a pre-release takes
//! part), and charts rely on them, so nothing here is left to another crate's idea of a constraint.
//!
//! ```
//! use weir_chart::version::{Constraints, Version};
//!
//! let version = Version::loose("v1.31.2-eks-1a2b")?;
//! assert!(Constraints::parse(">=1.21-0")?.check(&version));
//! assert!(!Constraints::parse(">=1.21")?.check(&version));
//! # Ok::<(), weir_chart::version::VersionError>(())
//! ```

mod constraint;
mod shape;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;

pub use constraint::{Constraints, Wording};

/// Why a text is no version or no constraint. The texts are those of the Go library.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// The text does not look like a version.
    #[error("invalid semantic version")]
    Invalid,
    /// The text is empty where a complete version is needed.
    #[error("version string empty")]
    Empty,
    /// The text is longer than [`Version::MAX_LEN`].
    #[error("version string is too long (max {} bytes)", Version::MAX_LEN)]
    TooLong,
    /// A number has something else than digits.
    #[error("invalid characters in version")]
    Characters,
    /// A number has a leading zero where that is not tolerated.
    #[error("version segment starts with 0")]
    LeadingZero,
    /// What follows `+`.
    #[error("invalid metadata string")]
    Metadata,
    /// What follows `-`.
    #[error("invalid prerelease string")]
    Prerelease,
    /// A number needs more than 64 bits.
    #[error(
        "error parsing version segment: strconv.ParseUint: parsing \"{0}\": value out of range"
    )]
    SegmentRange(String),
    /// A number needs more than 64 bits, in a complete version.
    #[error("strconv.ParseUint: parsing \"{0}\": value out of range")]
    StrictRange(String),
    /// A number is at its maximum and cannot be increased.
    #[error("{0} version increment would overflow uint64")]
    Increment(&'static str),
    /// The constraint has no meaning; the text is quoted as the wording wants it.
    #[error("improper constraint: {0}")]
    Constraint(String),
    /// The constraint is longer than [`Constraints::MAX_LEN`].
    #[error("constraint string is too long (max {} bytes)", Constraints::MAX_LEN)]
    ConstraintTooLong,
    /// The constraint has more alternatives than [`Constraints::MAX_GROUPS`].
    #[error("too many constraint groups (max {})", Constraints::MAX_GROUPS)]
    TooManyGroups,
    /// A term has the shape of a constraint, but its version is none.
    #[error("constraint parser error")]
    ConstraintVersion,
}

/// A version. Two are equal (`==`) if they are written alike; [`Version::order`] compares by precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The first number.
    pub major: u64,
    /// The second number, 0 if it was left out.
    pub minor: u64,
    /// The third number, 0 if it was left out.
    pub patch: u64,
    /// What follows `-`, or empty.
    pub pre: String,
    /// What follows `+`, or empty.
    pub metadata: String,
    /// As it was written.
    pub original: String,
}

impl Version {
    /// Bytes that a version may have.
    pub const MAX_LEN: usize = 256;

    /// Reads a complete version: three numbers without leading zeros, no `v`.
    ///
    /// # Errors
    ///
    /// When the text is something else.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        if text.is_empty() {
            return Err(VersionError::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(VersionError::TooLong);
        }
        let parts: Vec<_> = text.splitn(3, '.').collect();
        let [major, minor, rest] = parts.as_slice() else {
            return Err(VersionError::Invalid);
        };
        let (rest, metadata) = rest.split_once('+').unwrap_or((rest, ""));
        if text.contains('+') {
            check_metadata(metadata)?;
        }
        let (patch, pre) = match rest.split_once('-') {
            Some((patch, pre)) => {
                check_prerelease(pre)?;
                (patch, pre)
            }
            None => (rest, ""),
        };
        for part in [*major, *minor, patch] {
            if !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(VersionError::Characters);
            }
            if part.len() > 1 && part.starts_with('0') {
                return Err(VersionError::LeadingZero);
            }
        }
        let number = |part: &str| {
            if part.is_empty() {
                return Err(VersionError::Invalid);
            }
            part.parse()
                .map_err(|_| VersionError::StrictRange(part.to_owned()))
        };
        Ok(Self {
            major: number(major)?,
            minor: number(minor)?,
            patch: number(patch)?,
            pre: pre.to_owned(),
            metadata: metadata.to_owned(),
            original: text.to_owned(),
        })
    }

    /// Reads a version with what people leave out: a leading `v`, missing numbers and leading zeros are fine.
    ///
    /// # Errors
    ///
    /// When the text is something else.
    pub fn loose(text: &str) -> Result<Self, VersionError> {
        if text.len() > Self::MAX_LEN {
            return Err(VersionError::TooLong);
        }
        let found = shape::version(text, |byte| byte.is_ascii_digit());
        let Some((found, "")) = found else {
            return Err(VersionError::Invalid);
        };
        let number = |part: &str| {
            let digits = part.trim_start_matches('.');
            if digits.is_empty() {
                return Ok(0);
            }
            digits
                .parse()
                .map_err(|_| VersionError::SegmentRange(digits.to_owned()))
        };
        let version = Self {
            major: number(found.major)?,
            minor: number(found.minor)?,
            patch: number(found.patch)?,
            pre: found.pre.get(1..).unwrap_or_default().to_owned(),
            metadata: found.metadata.get(1..).unwrap_or_default().to_owned(),
            original: text.to_owned(),
        };
        if !version.pre.is_empty() {
            check_prerelease(&version.pre)?;
        }
        Ok(version)
    }

    /// Compares by precedence: metadata does not count, and a pre-release comes before its release.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        self.major
            .cmp(&other.major)
            .then(self.minor.cmp(&other.minor))
            .then(self.patch.cmp(&other.patch))
            .then_with(|| match (self.pre.as_str(), other.pre.as_str()) {
                ("", "") => Ordering::Equal,
                ("", _) => Ordering::Greater,
                (_, "") => Ordering::Less,
                (left, right) => order_prereleases(left, right),
            })
    }

    /// The next patch version; of a pre-release it is the release.
    ///
    /// # Errors
    ///
    /// When the number is at its maximum.
    pub fn next_patch(&self) -> Result<Self, VersionError> {
        let step = u64::from(self.pre.is_empty());
        let patch = self.patch.checked_add(step);
        let patch = patch.ok_or(VersionError::Increment("patch"))?;
        Ok(self.derive(self.major, self.minor, patch))
    }

    /// The next minor version.
    ///
    /// # Errors
    ///
    /// When the number is at its maximum.
    pub fn next_minor(&self) -> Result<Self, VersionError> {
        let minor = self.minor.checked_add(1);
        let minor = minor.ok_or(VersionError::Increment("minor"))?;
        Ok(self.derive(self.major, minor, 0))
    }

    /// The next major version.
    ///
    /// # Errors
    ///
    /// When the number is at its maximum.
    pub fn next_major(&self) -> Result<Self, VersionError> {
        let major = self.major.checked_add(1);
        let major = major.ok_or(VersionError::Increment("major"))?;
        Ok(self.derive(major, 0, 0))
    }

    /// The same version with another pre-release; an empty one removes it.
    ///
    /// # Errors
    ///
    /// When the text cannot be a pre-release.
    pub fn with_prerelease(&self, pre: &str) -> Result<Self, VersionError> {
        if !pre.is_empty() {
            check_prerelease(pre)?;
        }
        let mut next = self.clone();
        pre.clone_into(&mut next.pre);
        next.original = format!("{}{next}", self.prefix());
        Ok(next)
    }

    /// The same version with other metadata; an empty text removes it.
    ///
    /// # Errors
    ///
    /// When the text cannot be metadata.
    pub fn with_metadata(&self, metadata: &str) -> Result<Self, VersionError> {
        if !metadata.is_empty() {
            check_metadata(metadata)?;
        }
        let mut next = self.clone();
        metadata.clone_into(&mut next.metadata);
        next.original = format!("{}{next}", self.prefix());
        Ok(next)
    }

    fn derive(&self, major: u64, minor: u64, patch: u64) -> Self {
        Self {
            major,
            minor,
            patch,
            pre: String::new(),
            metadata: String::new(),
            original: format!("{}{major}.{minor}.{patch}", self.prefix()),
        }
    }

    fn prefix(&self) -> &'static str {
        if self.original.starts_with('v') {
            "v"
        } else {
            ""
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.pre.is_empty() {
            write!(f, "-{}", self.pre)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

fn check_prerelease(text: &str) -> Result<(), VersionError> {
    for part in text.split('.') {
        if part.is_empty() || !is_identifier(part) {
            return Err(VersionError::Prerelease);
        }
        let number = part.bytes().all(|byte| byte.is_ascii_digit());
        if number && part.len() > 1 && part.starts_with('0') {
            return Err(VersionError::LeadingZero);
        }
    }
    Ok(())
}

fn check_metadata(text: &str) -> Result<(), VersionError> {
    let valid = text
        .split('.')
        .all(|part| !part.is_empty() && is_identifier(part));
    valid.then_some(()).ok_or(VersionError::Metadata)
}

fn is_identifier(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Compares pre-releases part by part. An empty text stands before everything.
fn order_prereleases(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let (left, right) = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (left, right) => (left.unwrap_or(""), right.unwrap_or("")),
        };
        let order = match (left.parse::<u64>(), right.parse::<u64>()) {
            _ if left == right => Ordering::Equal,
            _ if left.is_empty() => Ordering::Less,
            _ if right.is_empty() => Ordering::Greater,
            (Ok(left), Ok(right)) if left > right => Ordering::Greater,
            (Ok(_), Ok(_)) => Ordering::Less,
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => left.cmp(right),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}
