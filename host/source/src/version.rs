//! Versions and ranges as Masterminds/semver v3 has them, which Flux, Helm and kustomize use.
//!
//! A range is groups joined by `||`; a group is terms joined by blanks or commas, all of which must hold. A version
//! with a pre-release part is only ever admitted by a group in which some term has one too. A term may leave parts
//! out or write `x`, `X` or `*` for them.

use std::cmp::Ordering;
use std::fmt;

/// A full version. Its order leaves build metadata out, so that two different versions can be equal in it.
#[derive(Clone, Debug)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    /// Without the `-`; empty: none.
    pre: String,
    /// Without the `+`; empty: none.
    build: String,
}

/// A set of versions, as people write it.
#[derive(Clone, Debug)]
pub struct VersionRange {
    groups: Vec<Vec<Term>>,
}

/// The text is no version or no range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    #[error("{0:?} is not a version of the form 1.2.3")]
    Version(String),
    #[error("{0:?} is not a version range such as \"1.2.x\" or \">=1.0.0 <2.0.0\"")]
    Range(String),
}

#[derive(Clone, Debug)]
struct Term {
    operator: Operator,
    version: Version,
    /// Which parts were left out.
    open: Open,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Tilde,
    Caret,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    None,
    Patch,
    Minor,
    All,
}

/// The longest text that is looked at.
const MAX_LENGTH: usize = 1024;

impl Version {
    /// Takes `1.2.3` with optional `-pre` and `+build` and nothing less; a `v` in front is fine. So are the tags chosen
    /// that can be a release.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let bad = || VersionError::Version(text.chars().take(100).collect());
        let (core, pre, build) = split(text.strip_prefix('v').unwrap_or(text)).ok_or_else(bad)?;
        let mut parts = core.split('.').map(number);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Some(major)), Some(Some(minor)), Some(Some(patch)), None) => Ok(Self {
                major,
                minor,
                patch,
                pre: pre.to_owned(),
                build: build.to_owned(),
            }),
            _ => Err(bad()),
        }
    }
}

impl VersionRange {
    /// Checks a range.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let bad = || VersionError::Range(text.chars().take(100).collect());
        if text.len() > MAX_LENGTH {
            return Err(bad());
        }
        let groups = text
            .split("||")
            .map(|group| parse_group(group).ok_or_else(bad));
        Ok(Self {
            groups: groups.collect::<Result<_, _>>()?,
        })
    }

    /// Whether the range admits `version`.
    pub fn admits(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| {
            let pre =
                version.pre.is_empty() || group.iter().any(|term| !term.version.pre.is_empty());
            pre && group.iter().all(|term| term.admits(version))
        })
    }
}

/// Core, pre-release and build parts.
fn split(text: &str) -> Option<(&str, &str, &str)> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let (rest, build) = match text.split_once('+') {
        Some((rest, build)) if identifiers(build) => (rest, build),
        Some(_) => return None,
        None => (text, ""),
    };
    match rest.split_once('-') {
        Some((core, pre)) if identifiers(pre) => Some((core, pre, build)),
        Some(_) => None,
        None => Some((rest, "", build)),
    }
}

fn identifiers(text: &str) -> bool {
    let identifier = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.split('.').all(identifier)
}

/// Without leading zeros.
fn number(text: &str) -> Option<u64> {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

fn parse_group(text: &str) -> Option<Vec<Term>> {
    let mut terms = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (term, after) = parse_term(rest)?;
        let separated = after.is_empty() || after.starts_with([' ', '\t', ',']);
        if !separated {
            return None;
        }
        let after = after.trim_start();
        // `1.0 - 2.0` is `>=1.0 <=2.0`.
        if let Some(upper) = after.strip_prefix("- ") {
            let (mut upper, after) = parse_term(upper.trim_start())?;
            if term.operator != Operator::Equal || upper.operator != Operator::Equal {
                return None;
            }
            upper.operator = Operator::LessOrEqual;
            terms.push(Term {
                operator: Operator::GreaterOrEqual,
                ..term
            });
            terms.push(upper);
            rest = next_term(after)?;
            continue;
        }
        terms.push(term);
        rest = next_term(after)?;
    }
    if terms.is_empty() { None } else { Some(terms) }
}

/// What follows a separator; `None` after a comma with nothing behind it.
fn next_term(rest: &str) -> Option<&str> {
    let rest = rest.trim_start();
    match rest.strip_prefix(',') {
        Some(rest) => Some(rest.trim_start()).filter(|rest| !rest.is_empty()),
        None => Some(rest),
    }
}

fn parse_term(text: &str) -> Option<(Term, &str)> {
    let end = text
        .find(|char| !"=!<>~^".contains(char))
        .unwrap_or(text.len());
    let operator = match &text[..end] {
        "" | "=" => Operator::Equal,
        "!=" => Operator::NotEqual,
        ">" => Operator::Greater,
        ">=" | "=>" => Operator::GreaterOrEqual,
        "<" => Operator::Less,
        "<=" | "=<" => Operator::LessOrEqual,
        "~" | "~>" => Operator::Tilde,
        "^" => Operator::Caret,
        _ => return None,
    };
    let rest = text[end..].trim_start();
    let end = rest.find([' ', '\t', ',']).unwrap_or(rest.len());
    let (version, open) = parse_pattern(&rest[..end])?;
    Some((
        Term {
            operator,
            version,
            open,
        },
        &rest[end..],
    ))
}

/// A version of which parts may be left out.
fn parse_pattern(text: &str) -> Option<(Version, Open)> {
    let (core, pre, build) = split(text.strip_prefix('v').unwrap_or(text))?;
    let any = |part: &str| matches!(part, "x" | "X" | "*");
    let parts: Vec<&str> = core.split('.').collect();
    if parts.len() > 3 {
        return None;
    }
    let mut numbers = [0; 3];
    let mut open = if parts.len() == 3 {
        Open::None
    } else {
        [Open::Minor, Open::Patch][parts.len() - 1]
    };
    for (index, part) in parts.iter().enumerate() {
        if any(part) {
            let here = [Open::All, Open::Minor, Open::Patch][index];
            // The part furthest in front decides, whatever follows.
            numbers[index..].fill(0);
            open = here;
            if parts[index + 1..]
                .iter()
                .any(|part| !any(part) && part.parse::<u64>().is_err())
            {
                return None;
            }
            break;
        }
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        numbers[index] = if digits {
            part.parse().ok()?
        } else {
            return None;
        };
    }
    let [major, minor, patch] = numbers;
    Some((
        Version {
            major,
            minor,
            patch,
            pre: pre.to_owned(),
            build: build.to_owned(),
        },
        open,
    ))
}

impl Term {
    fn admits(&self, version: &Version) -> bool {
        let own = &self.version;
        let order = version.precedence(own);
        let (same_major, same_minor) = (version.major == own.major, version.minor == own.minor);
        match self.operator {
            Operator::Equal if self.open == Open::None => order == Ordering::Equal,
            Operator::Equal | Operator::Tilde => {
                let zero = (own.major, own.minor, own.patch) == (0, 0, 0);
                let any = zero && matches!(self.open, Open::None | Open::All);
                order != Ordering::Less
                    && (any || same_major && (same_minor || self.open == Open::Minor))
            }
            Operator::NotEqual => match self.open {
                Open::None => order != Ordering::Equal,
                Open::Patch => !same_major || !same_minor || version.pre != own.pre,
                Open::Minor => !same_major,
                Open::All => {
                    version.pre != own.pre && !own.pre.is_empty() || order != Ordering::Equal
                }
            },
            Operator::Greater => match self.open {
                Open::None | Open::All => order == Ordering::Greater,
                Open::Patch => version.major > own.major || same_major && version.minor > own.minor,
                Open::Minor => version.major > own.major,
            },
            Operator::GreaterOrEqual => order != Ordering::Less,
            Operator::Less => order == Ordering::Less,
            Operator::LessOrEqual => match self.open {
                Open::None => order != Ordering::Greater,
                Open::Minor => version.major <= own.major,
                Open::Patch | Open::All => {
                    version.major < own.major || same_major && version.minor <= own.minor
                }
            },
            Operator::Caret => {
                order != Ordering::Less
                    && same_major
                    && (own.major > 0
                        || self.open == Open::Minor
                        || same_minor
                            && (own.minor > 0
                                || self.open == Open::Patch
                                || version.patch == own.patch))
            }
        }
    }
}

impl Version {
    /// Which of two is the later one; build metadata does not count.
    pub fn precedence(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| compare_pre(&self.pre, &other.pre))
    }
}

fn compare_pre(a: &str, b: &str) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut ours, mut theirs) = (a.split('.'), b.split('.'));
    loop {
        let (a, b) = match (ours.next(), theirs.next()) {
            (Some(a), Some(b)) => (a, b),
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
        };
        let order = match (a.parse::<u64>(), b.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => a.cmp(b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.pre.is_empty() {
            write!(f, "-{}", self.pre)?;
        }
        if !self.build.is_empty() {
            write!(f, "+{}", self.build)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(range: &str, yes: &[&str], no: &[&str]) {
        let parsed = VersionRange::parse(range).unwrap();
        for version in yes {
            assert!(
                parsed.admits(&Version::parse(version).unwrap()),
                "{range} should admit {version}"
            );
        }
        for version in no {
            assert!(
                !parsed.admits(&Version::parse(version).unwrap()),
                "{range} should not admit {version}"
            );
        }
    }

    #[test]
    fn exact_and_open_versions() {
        check(
            "1.2.3",
            &["1.2.3", "v1.2.3", "1.2.3+b"],
            &["1.2.4", "1.2.3-rc1"],
        );
        check("=v1.2", &["1.2.0", "1.2.9"], &["1.3.0", "1.2.3-rc1"]);
        check("1", &["1.0.0", "1.9.9"], &["2.0.0", "0.9.0"]);
        check("1.x.7", &["1.0.0", "1.9.9"], &["2.0.0"]);
        check("*", &["0.0.1", "9.9.9"], &["1.0.0-rc1"]);
        check("*-0", &["0.0.1", "1.0.0-rc1"], &[]);
        check("!=1.2.3", &["1.2.4"], &["1.2.3"]);
        check("!=1.2", &["1.3.0", "2.2.0"], &["1.2.9"]);
        check("!=1", &["2.0.0"], &["1.5.0"]);
    }

    #[test]
    fn comparisons() {
        check(">11", &["12.0.0"], &["11.1.0", "11.0.0"]);
        check(">11.1", &["11.2.0", "12.0.0"], &["11.1.5"]);
        check(">11.1.0", &["11.1.1"], &["11.1.0"]);
        check(">= 1.2", &["1.2.0", "3.0.0"], &["1.1.9"]);
        check("=>1", &["1.0.0"], &["0.9.9"]);
        check("<2", &["1.9.9"], &["2.0.0"]);
        check("<=11", &["11.9.9", "10.0.0"], &["12.0.0"]);
        check("<=11.1", &["11.1.9"], &["11.2.0"]);
        check("=<11.1.1", &["11.1.1"], &["11.1.2"]);
    }

    #[test]
    fn tilde_and_caret() {
        check("~1.2.3", &["1.2.3", "1.2.9"], &["1.2.2", "1.3.0"]);
        check("~>1.2", &["1.2.0"], &["1.3.0"]);
        check("~1", &["1.9.0"], &["2.0.0"]);
        check("~0.0.0", &["5.0.0"], &[]);
        check("^1.2.3", &["1.2.3", "1.9.0"], &["1.2.2", "2.0.0"]);
        check("^0.2.3", &["0.2.3", "0.2.9"], &["0.3.0", "0.2.2"]);
        check("^0.0.3", &["0.0.3"], &["0.0.4"]);
        check("^0.0", &["0.0.9"], &["0.1.0"]);
        check("^0", &["0.9.9"], &["1.0.0"]);
    }

    #[test]
    fn groups_and_hyphens() {
        check(">=1.0.0 <2.0.0", &["1.5.0"], &["2.0.0", "0.9.0"]);
        check(">=1.0.0, <2.0.0 || >=3", &["1.5.0", "3.1.0"], &["2.5.0"]);
        check("1.2 - 1.4.5", &["1.2.0", "1.4.5"], &["1.4.6", "1.1.9"]);
        check("1.2 - 1.4", &["1.4.9"], &["1.5.0"]);
    }

    #[test]
    fn pre_releases_need_to_be_named() {
        check(">=1.0.0", &[], &["1.1.0-rc1"]);
        check(">=1.0.0-0", &["1.1.0-rc1", "1.0.0-alpha"], &["0.9.0"]);
        check(
            ">=1.0.0-rc.2 <2.0.0",
            &["1.0.0-rc.10", "1.5.0-a"],
            &["1.0.0-rc.1"],
        );
        check(">=1.0.0 || >=2.0.0-0", &["2.1.0-rc1"], &["1.1.0-rc1"]);
    }

    #[test]
    fn pre_releases_are_ordered() {
        let ordered = [
            "1.0.0-1",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-a",
            "1.0.0-a.1",
            "1.0.0-b",
            "1.0.0",
        ];
        for pair in ordered.windows(2) {
            let [a, b] = [pair[0], pair[1]].map(|text| Version::parse(text).unwrap());
            assert_eq!(a.precedence(&b), Ordering::Less, "{a} < {b}");
        }
        let [a, b] = ["1.0.0+a", "1.0.0+b"].map(|text| Version::parse(text).unwrap());
        assert_eq!(a.precedence(&b), Ordering::Equal);
        assert_eq!(a.to_string(), "1.0.0+a");
    }

    #[test]
    fn what_is_neither_is_refused() {
        for bad in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1.2.x",
            "a.b.c",
            "1.2.3-",
            "1.2.3+",
            "vv1.2.3",
            "1.2.3-a..b",
        ] {
            assert!(Version::parse(bad).is_err(), "{bad}");
        }
        for bad in [
            "",
            " ",
            ">>1",
            "1.2.3.4",
            ">=1.0<2",
            "1.0 ||",
            "a",
            "1,",
            ">= ",
            "^",
            "1.-",
            "~1 - 2",
            &"1 ".repeat(1000),
        ] {
            assert!(VersionRange::parse(bad).is_err(), "{bad}");
        }
    }
}
