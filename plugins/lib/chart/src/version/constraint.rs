//! Constraints: alternatives separated by `||`, each a list of terms that must all hold.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::shape::{self, Shape};
use super::{Version, VersionError, order_prereleases};

/// A version in a constraint: numbers may be missing or wildcards.
const VERSION: &str = r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?";
/// The empty operator stands second, so that it is tried before the longer ones, as in the original.
const OPERATORS: &str = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^";
const BLANKS: [char; 5] = ['\t', '\n', '\u{c}', '\r', ' '];
const SPACE: &str = r"[\t\n\f\r ]";

/// Where the second version of a hyphen range is found among the groups of [`RANGE`].
const RANGE_END: usize = 11;

static TERM: LazyLock<Regex> = LazyLock::new(|| {
    compile(format!(
        "^{SPACE}*({OPERATORS}){SPACE}*({VERSION}){SPACE}*$"
    ))
});
static RANGE: LazyLock<Regex> = LazyLock::new(|| {
    compile(format!(
        "{SPACE}*({VERSION}){SPACE}+-{SPACE}+({VERSION}){SPACE}*"
    ))
});
static TERMS: LazyLock<Regex> =
    LazyLock::new(|| compile(format!("({OPERATORS}){SPACE}*({VERSION})")));
static GROUP: LazyLock<Regex> = LazyLock::new(|| {
    let term = format!("({OPERATORS}){SPACE}*({VERSION}){SPACE}*");
    compile(format!("^({SPACE}*{term})((?:{SPACE}+|,{SPACE}*){term})*$"))
});

fn compile(pattern: String) -> Regex {
    Regex::new(&pattern).expect("the pattern is valid")
}

/// How messages name texts: it changed between releases of the Go library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wording {
    /// As they are (3.4: Helm 3.19, 3.20, 4.0, 4.1).
    Plain,
    /// In double quotes (3.5: Helm 3.21 and 4.2).
    #[default]
    Quoted,
}

impl Wording {
    fn text(self, text: impl fmt::Display) -> String {
        match self {
            Wording::Plain => text.to_string(),
            Wording::Quoted => format!("{:?}", text.to_string()),
        }
    }
}

/// What a version must be like.
#[derive(Debug, Clone)]
pub struct Constraints {
    groups: Vec<Group>,
    wording: Wording,
}

/// Terms that must all hold.
#[derive(Debug, Clone)]
struct Group {
    terms: Vec<Term>,
    /// A term has a pre-release: then versions with one take part.
    pre: bool,
}

#[derive(Debug, Clone)]
struct Term {
    operator: Operator,
    version: Version,
    /// The version as it was written, for messages.
    written: String,
    /// How the operator was written.
    sign: String,
    precision: Precision,
}

/// How many numbers of a term's version count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Precision {
    /// All three.
    Full,
    /// The last one is missing or a wildcard.
    NoPatch,
    /// The last two are.
    NoMinor,
    /// All are: anything goes.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    TildeOrEqual,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

impl Constraints {
    /// Bytes that a constraint may have.
    pub const MAX_LEN: usize = 512;
    /// Alternatives that a constraint may have.
    pub const MAX_GROUPS: usize = 32;

    /// Reads a constraint; messages are worded as by the newest library.
    ///
    /// # Errors
    ///
    /// When the text is no constraint.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        Self::parse_worded(text, Wording::default())
    }

    /// Reads a constraint.
    ///
    /// # Errors
    ///
    /// When the text is no constraint.
    pub fn parse_worded(text: &str, wording: Wording) -> Result<Self, VersionError> {
        if text.len() > Self::MAX_LEN {
            return Err(VersionError::ConstraintTooLong);
        }
        let text = match may_hold_range(text) {
            true => Cow::Owned(rewrite_ranges(text)),
            false => Cow::Borrowed(text),
        };
        if text.split("||").count() > Self::MAX_GROUPS {
            return Err(VersionError::TooManyGroups);
        }
        let mut groups = Vec::new();
        for group in text.split("||") {
            let terms = match plain_terms(group) {
                Some(terms) => terms
                    .iter()
                    .map(|(sign, version)| Term::new(sign, version))
                    .collect::<Result<Vec<_>, _>>()?,
                None if !GROUP.is_match(group) => {
                    return Err(VersionError::Constraint(wording.text(group)));
                }
                None => TERMS
                    .find_iter(group)
                    .map(|term| Term::parse(term.as_str(), wording))
                    .collect::<Result<Vec<_>, _>>()?,
            };
            let pre = terms.iter().any(|term| !term.version.pre.is_empty());
            groups.push(Group { terms, pre });
        }
        Ok(Self { groups, wording })
    }

    /// Whether the version is what the constraint wants.
    #[must_use]
    pub fn check(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| {
            group
                .terms
                .iter()
                .all(|term| term.check(version, group.pre, self.wording).is_ok())
        })
    }

    /// As [`Constraints::check`], with the reasons of each alternative if it is not.
    ///
    /// # Errors
    ///
    /// The reasons.
    pub fn validate(&self, version: &Version) -> Result<(), Vec<String>> {
        let mut reasons = Vec::new();
        let mut told_prerelease = false;
        for group in &self.groups {
            let before = reasons.len();
            let mut holds = true;
            for term in &group.terms {
                if !group.pre && !version.pre.is_empty() {
                    holds = false;
                    if !told_prerelease {
                        told_prerelease = true;
                        reasons.push(no_prerelease(version, self.wording));
                    }
                } else if let Err(reason) = term.check(version, group.pre, self.wording) {
                    reasons.push(reason);
                }
            }
            if holds && reasons.len() == before {
                return Ok(());
            }
        }
        Err(reasons)
    }
}

impl fmt::Display for Constraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, group) in self.groups.iter().enumerate() {
            if at > 0 {
                f.write_str(" || ")?;
            }
            for (at, term) in group.terms.iter().enumerate() {
                let gap = if at > 0 { " " } else { "" };
                write!(f, "{gap}{}{}", term.sign, term.written)?;
            }
        }
        Ok(())
    }
}

impl Term {
    fn parse(text: &str, wording: Wording) -> Result<Self, VersionError> {
        let found = TERM
            .captures(text)
            .ok_or_else(|| VersionError::Constraint(wording.text(text)))?;
        let group = |at: usize| group(&found, at);
        let version = Shape {
            text: group(2),
            major: group(3),
            minor: group(4),
            patch: group(5),
            pre: group(6),
            metadata: group(9),
        };
        Self::new(group(1), &version)
    }

    fn new(sign: &str, version: &Shape<'_>) -> Result<Self, VersionError> {
        let Shape {
            text,
            major,
            minor,
            patch,
            pre,
            ..
        } = *version;
        let (full, precision) = if is_open(major) {
            (format!("0.0.0{pre}"), Precision::Nothing)
        } else if is_open(minor) {
            (format!("{major}.0.0{pre}"), Precision::NoMinor)
        } else if is_open(patch) {
            (format!("{major}{minor}.0{pre}"), Precision::NoPatch)
        } else {
            (text.to_owned(), Precision::Full)
        };
        Ok(Self {
            operator: match sign {
                "!=" => Operator::NotEqual,
                ">" => Operator::Greater,
                "<" => Operator::Less,
                ">=" | "=>" => Operator::GreaterEqual,
                "<=" | "=<" => Operator::LessEqual,
                "~" | "~>" => Operator::Tilde,
                "^" => Operator::Caret,
                _ => Operator::TildeOrEqual,
            },
            version: Version::loose(&full).map_err(|_| VersionError::ConstraintVersion)?,
            written: text.to_owned(),
            sign: sign.to_owned(),
            precision,
        })
    }

    fn check(&self, version: &Version, with_pre: bool, wording: Wording) -> Result<(), String> {
        if !version.pre.is_empty() && !with_pre {
            return Err(no_prerelease(version, wording));
        }
        let reason = match self.operator {
            Operator::TildeOrEqual if self.precision == Precision::Full => {
                let equal = version.order(&self.version) == Ordering::Equal;
                (!equal).then_some("is not equal to")
            }
            Operator::TildeOrEqual | Operator::Tilde => self.outside_tilde(version),
            Operator::NotEqual => self.is_equal(version).then_some("is equal to"),
            Operator::Greater => (!self.is_below(version)).then_some("is less than or equal to"),
            Operator::Less => {
                let less = version.order(&self.version) == Ordering::Less;
                (!less).then_some("is greater than or equal to")
            }
            Operator::GreaterEqual => {
                let less = version.order(&self.version) == Ordering::Less;
                less.then_some("is less than")
            }
            Operator::LessEqual => (!self.reaches(version)).then_some("is greater than"),
            Operator::Caret => return self.check_caret(version, wording),
        };
        match reason {
            None => Ok(()),
            Some(reason) => Err(self.because(version, reason, wording)),
        }
    }

    fn because(&self, version: &Version, reason: &str, wording: Wording) -> String {
        let (version, written) = (wording.text(version), wording.text(&self.written));
        format!("{version} {reason} {written}")
    }

    fn is_equal(&self, version: &Version) -> bool {
        let own = &self.version;
        let minor = own.minor == version.minor;
        let major = own.major == version.major;
        match self.precision {
            Precision::NoMinor => major,
            Precision::NoPatch => {
                let releases = version.pre.is_empty() && own.pre.is_empty();
                let pre = || order_prereleases(&version.pre, &own.pre) == Ordering::Equal;
                major && minor && (releases || pre())
            }
            Precision::Full | Precision::Nothing => version.order(own) == Ordering::Equal,
        }
    }

    /// `>`: with numbers missing, only what is beyond all that the version stands for.
    fn is_below(&self, version: &Version) -> bool {
        let own = &self.version;
        match (self.precision, version.major.cmp(&own.major)) {
            (Precision::Full, _) => version.order(own) == Ordering::Greater,
            (_, Ordering::Greater) => true,
            (_, Ordering::Less) | (Precision::NoMinor, Ordering::Equal) => false,
            (Precision::NoPatch, Ordering::Equal) => version.minor > own.minor,
            (Precision::Nothing, Ordering::Equal) => version.order(own) == Ordering::Greater,
        }
    }

    /// `<=`: with numbers missing, all that the version stands for.
    fn reaches(&self, version: &Version) -> bool {
        let own = &self.version;
        match (self.precision, version.major.cmp(&own.major)) {
            (Precision::Full, _) => version.order(own) != Ordering::Greater,
            (_, Ordering::Greater) => false,
            (_, Ordering::Less) | (Precision::NoMinor, Ordering::Equal) => true,
            (Precision::NoPatch | Precision::Nothing, Ordering::Equal) => {
                version.minor <= own.minor
            }
        }
    }

    fn outside_tilde(&self, version: &Version) -> Option<&'static str> {
        let own = &self.version;
        if version.order(own) == Ordering::Less {
            return Some("is less than");
        }
        let zero = (own.major, own.minor, own.patch) == (0, 0, 0);
        if zero && matches!(self.precision, Precision::Full | Precision::Nothing) {
            return None;
        }
        if version.major != own.major {
            return Some("does not have same major version as");
        }
        let minor = version.minor == own.minor || self.precision == Precision::NoMinor;
        (!minor).then_some("does not have same major and minor version as")
    }

    fn check_caret(&self, version: &Version, wording: Wording) -> Result<(), String> {
        let own = &self.version;
        let fail = |reason: &str| Err(self.because(version, reason, wording));
        if version.order(own) == Ordering::Less {
            return fail("is less than");
        }
        if own.major > 0 || self.precision == Precision::NoMinor {
            if version.major == own.major {
                return Ok(());
            }
            return fail("does not have same major version as");
        }
        if version.major > 0 {
            return fail("does not have same major version as");
        }
        if own.minor > 0 || self.precision == Precision::NoPatch {
            if version.minor == own.minor {
                return Ok(());
            }
            let reason = self.because(version, "does not have same minor version as", wording);
            return Err(format!(
                "{reason}. Expected minor versions to match when constraint major version is 0"
            ));
        }
        if version.minor > 0 {
            return fail("does not have same minor version as");
        }
        if version.patch == own.patch {
            return Ok(());
        }
        let reason = self.because(version, "does not equal", wording);
        Err(format!(
            "{reason}. Expect version and constraint to equal when major and minor versions are 0"
        ))
    }
}

fn no_prerelease(version: &Version, wording: Wording) -> String {
    let version = wording.text(version);
    format!(
        "{version} is a prerelease version and the constraint is only looking for release versions"
    )
}

fn group<'a>(found: &Captures<'a>, at: usize) -> &'a str {
    found.get(at).map_or("", |part| part.as_str())
}

fn is_open(number: &str) -> bool {
    let number = number.strip_prefix('.').unwrap_or(number);
    matches!(number, "" | "x" | "X" | "*")
}

/// The terms of an alternative in the forms that people write, as [`GROUP`] and [`TERMS`] find them; `None` leaves the text
/// to these, which also know what is wrong with it.
fn plain_terms(text: &str) -> Option<Vec<(&str, Shape<'_>)>> {
    const SIGNS: [&str; 12] = [
        "=", "", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^",
    ];
    let mut terms = Vec::new();
    let mut rest = text.trim_start_matches(BLANKS);
    loop {
        let version = rest.trim_start_matches(['=', '!', '<', '>', '~', '^']);
        let sign = &rest[..rest.len() - version.len()];
        if !SIGNS.contains(&sign) {
            return None;
        }
        let version = version.trim_start_matches(BLANKS);
        // The patterns also take a bar for a digit.
        let digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'x' | b'X' | b'*');
        let (version, behind) = shape::version(version, digit)?;
        terms.push((sign, version));
        rest = behind.trim_start_matches(BLANKS);
        if rest.is_empty() {
            return Some(terms);
        }
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start_matches(BLANKS),
            None if rest.len() == behind.len() => return None,
            None => {}
        }
    }
}

/// Whether there is a dash with blanks around it.
fn may_hold_range(text: &str) -> bool {
    text.bytes().any(|byte| byte == b'-') && text.split(BLANKS).any(|word| word == "-")
}

/// Writes `1.2 - 1.4` as `>= 1.2, <= 1.4`.
fn rewrite_ranges(text: &str) -> String {
    let mut out = text.to_owned();
    for found in RANGE.captures_iter(text) {
        let (from, to) = (group(&found, 1), group(&found, RANGE_END));
        let range = format!(">= {from}, <= {to} ");
        out = out.replacen(group(&found, 0), &range, 1);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn terms_are_those_of_the_patterns(text in "([<>=!~^]{0,2} {0,1}v?[0-9xX*|]{1,2}(\\.[0-9x]{1,2}){0,3}(-[a-z0-9.-]{1,4})?(\\+[a-z0-9.]{1,3})?[ ,\t]{0,2}){0,3}") {
            let Some(terms) = plain_terms(&text) else {
                return Ok(());
            };
            prop_assert!(GROUP.is_match(&text));
            let found: Vec<_> = TERMS
                .find_iter(&text)
                .map(|term| TERM.captures(term.as_str()).unwrap())
                .collect();
            prop_assert_eq!(terms.len(), found.len());
            for ((sign, version), found) in terms.iter().zip(&found) {
                let found = [1, 2, 3, 4, 5, 6, 9].map(|at| group(found, at));
                let Shape { text, major, minor, patch, pre, metadata } = *version;
                prop_assert_eq!([*sign, text, major, minor, patch, pre, metadata], found);
            }
        }

        #[test]
        fn ranges_are_not_overlooked(text in "[0-9. \t-]{0,12}") {
            prop_assert!(may_hold_range(&text) || rewrite_ranges(&text) == text);
        }
    }
}
