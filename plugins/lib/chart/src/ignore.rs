//! `.helmignore`.

use crate::pattern::{BadPattern, literal_start, matches};

/// The rules of one `.helmignore`, with Helm's own rule behind them.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    pattern: String,
    /// How long the part of the pattern is that a name must begin with.
    literal: usize,
    /// Where the part of the pattern begins that a name must end with.
    ending: usize,
    /// Whether the pattern is matched against the path, and not the name alone.
    whole_path: bool,
    negated: bool,
    folders_only: bool,
}

/// Why a rule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreError {
    /// `**` has no meaning here.
    #[error("double-star (**) syntax is not supported")]
    DoubleStar,
    /// The pattern is malformed.
    #[error("{0}")]
    Pattern(#[from] BadPattern),
}

impl IgnoreRules {
    /// The file's name.
    pub const FILE: &'static str = ".helmignore";

    /// Reads the text of a `.helmignore`.
    ///
    /// # Errors
    ///
    /// When a rule uses `**` or is malformed.
    pub fn parse(text: &str) -> Result<Self, IgnoreError> {
        let mut rules = Self::default();
        for line in text.trim_start_matches('\u{feff}').lines() {
            rules.add(line)?;
        }
        rules.add("templates/.?*")?;
        Ok(rules)
    }

    fn add(&mut self, line: &str) -> Result<(), IgnoreError> {
        let rule = line.trim();
        if rule.is_empty() || rule.starts_with('#') {
            return Ok(());
        }
        if rule.contains("**") {
            return Err(IgnoreError::DoubleStar);
        }
        matches(rule, "abc")?;
        let (negated, rule) = match rule.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, rule),
        };
        let (folders_only, rule) = match rule.strip_suffix('/') {
            Some(rest) => (true, rest),
            None => (false, rule),
        };
        let (whole_path, pattern) = match rule.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (rule.contains('/'), rule),
        };
        self.rules.push(Rule {
            pattern: pattern.to_owned(),
            literal: literal_start(pattern).len(),
            ending: pattern
                .rfind(['*', '?', '[', ']', '\\'])
                .map_or(0, |at| at + 1),
            whole_path,
            negated,
            folders_only,
        });
        Ok(())
    }

    /// Whether a file or folder is left out. The path is relative to the chart.
    #[must_use]
    pub fn ignores(&self, path: &str, folder: bool) -> bool {
        if matches!(path, "" | "." | "./") {
            return false;
        }
        let name = path.rsplit('/').next().unwrap_or(path);
        for rule in &self.rules {
            let subject = if rule.whole_path { path } else { name };
            if rule.folders_only && !folder {
                // A negated rule for folders leaves out every file: strange, and Helm's way.
                if rule.negated {
                    return true;
                }
                continue;
            }
            let (subject_bytes, pattern) = (subject.as_bytes(), rule.pattern.as_bytes());
            let possible = subject_bytes.starts_with(&pattern[..rule.literal])
                && subject_bytes.ends_with(&pattern[rule.ending..]);
            let hit = possible && matches(&rule.pattern, subject).unwrap_or(false);
            if hit != rule.negated {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rules: &str, path: &str, folder: bool, expected: bool) {
        assert_eq!(
            IgnoreRules::parse(rules).unwrap().ignores(path, folder),
            expected,
            "{rules} {path}"
        );
    }

    #[test]
    fn rules_match_as_helm_does() {
        check("helm.txt", "helm.txt", false, true);
        check("helm.*", "cargo/helm.txt", false, true);
        check("/helm.txt", "cargo/helm.txt", false, false);
        check("cargo/*.txt", "cargo/a.txt", false, true);
        check("cargo/", "cargo", true, true);
        check("cargo/", "cargo", false, false);
        check("!helm.txt", "tiller.txt", false, true);
        check("!helm.txt", "helm.txt", false, false);
        check("!*.txt", "cargo", true, true);
        check("# comment\n\n  a.txt  ", "a.txt", false, true);
        check("", "templates/.hidden", false, true);
        check("", "templates/shown", false, false);
    }

    #[test]
    fn bad_rules_are_refused() {
        assert_eq!(
            IgnoreRules::parse("a/**").unwrap_err(),
            IgnoreError::DoubleStar
        );
        assert!(IgnoreRules::parse("a[").is_err());
    }
}
