//! Which values of a file are encrypted.

use regex::Regex;

/// The rule of a file. An expression that is invalid never matches, and is absent.
#[derive(Clone, Debug)]
pub(crate) enum Rule {
    UnencryptedSuffix(String),
    EncryptedSuffix(String),
    UnencryptedRegex(Option<Regex>),
    EncryptedRegex(Option<Regex>),
    UnencryptedComment(Option<Regex>),
    EncryptedComment(Option<Regex>),
}

/// The comments before a value and before each map and list that it stands in; one list for each of these.
pub(crate) type Comments = Vec<Vec<String>>;

impl Rule {
    /// Whether the value at a path of map keys is encrypted. A comment does not count for itself.
    pub(crate) fn selects(&self, path: &[String], comments: &Comments, is_comment: bool) -> bool {
        let any_ends = |suffix: &str| path.iter().any(|name| name.ends_with(suffix));
        let any_matches = |regex: &Option<Regex>| {
            let regex = regex.as_ref();
            regex.is_some_and(|regex| path.iter().any(|name| regex.is_match(name)))
        };
        match self {
            Self::UnencryptedSuffix(suffix) => !any_ends(suffix),
            Self::EncryptedSuffix(suffix) => any_ends(suffix),
            Self::UnencryptedRegex(regex) => !any_matches(regex),
            Self::EncryptedRegex(regex) => any_matches(regex),
            Self::UnencryptedComment(regex) => !any_comment(regex, comments, false),
            Self::EncryptedComment(regex) => any_comment(regex, comments, is_comment),
        }
    }
}

fn any_comment(regex: &Option<Regex>, comments: &Comments, without_last: bool) -> bool {
    let Some(regex) = regex else {
        return false;
    };
    let innermost = comments.len().saturating_sub(1);
    comments.iter().enumerate().any(|(level, list)| {
        let skipped = usize::from(without_last && level == innermost);
        let counted = list.len().saturating_sub(skipped);
        list[..counted].iter().any(|text| regex.is_match(text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::go_regex::compile;

    fn check(rule: &Rule, path: &[&str], expected: bool) {
        let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(
            rule.selects(&path, &Comments::new(), false),
            expected,
            "{path:?}"
        );
    }

    #[test]
    fn suffixes_count_for_everything_below() {
        let encrypted = Rule::EncryptedSuffix("_enc".to_owned());
        check(&encrypted, &["a_enc", "b"], true);
        check(&encrypted, &["a", "b"], false);
        let unencrypted = Rule::UnencryptedSuffix("_plain".to_owned());
        check(&unencrypted, &["a_plain", "b"], false);
        check(&unencrypted, &["a", "b"], true);
    }

    #[test]
    fn expressions_are_searched_in_each_name() {
        let encrypted = Rule::EncryptedRegex(compile("^(data|stringData)$"));
        check(&encrypted, &["data", "a"], true);
        check(&encrypted, &["metadata", "a"], false);
        check(
            &Rule::EncryptedRegex(compile("data")),
            &["metadata", "a"],
            true,
        );
        check(&Rule::UnencryptedRegex(compile("^kind$")), &["kind"], false);
        check(&Rule::UnencryptedRegex(compile("(")), &["kind"], true);
        check(&Rule::EncryptedRegex(compile("(")), &["kind"], false);
    }

    #[test]
    fn comments_count_for_what_follows_and_not_for_themselves() {
        let rule = Rule::EncryptedComment(compile("^ enc$"));
        let comments = |lists: &[&[&str]]| -> Comments {
            let own = |list: &&[&str]| list.iter().map(|text| (*text).to_owned()).collect();
            lists.iter().map(own).collect()
        };
        assert!(rule.selects(&[], &comments(&[&[" enc"], &[]]), false));
        assert!(!rule.selects(&[], &comments(&[&[" enc"]]), true));
        assert!(rule.selects(&[], &comments(&[&[" enc", " second"]]), true));
        assert!(rule.selects(&[], &comments(&[&[" enc"], &[" second"]]), true));
        let plain = Rule::UnencryptedComment(compile("^ plain$"));
        assert!(!plain.selects(&[], &comments(&[&[" plain"]]), true));
        assert!(plain.selects(&[], &comments(&[&[]]), false));
    }
}
