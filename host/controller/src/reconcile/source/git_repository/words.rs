//! What goes wrong on the way to a commit, as source-controller says it, with what weir knows beyond that behind it.

use weir_api::names::reasons;
use weir_api::source::GitRepository;
use weir_source::{ExchangeError, ReferenceError, SourceError};

use super::super::Problem;

/// A failed fetch as a condition.
pub(super) fn fetch_problem(source: &GitRepository, error: &SourceError) -> Problem {
    let message = if matches!(error, SourceError::Empty { .. }) {
        "git repository is empty; push a first commit".to_owned()
    } else if error.reason() == reasons::GIT_OPERATION_FAILED {
        let words = words(source, error);
        format!("failed to checkout and determine revision: {words}")
    } else {
        error.to_string()
    };
    Problem::of_source(error, message)
}

fn words(source: &GitRepository, error: &SourceError) -> String {
    if let SourceError::Exchange { url, cause } = error {
        let known = if matches!(cause, ExchangeError::Unauthorized { .. }) {
            "authentication required: "
        } else if matches!(cause, ExchangeError::NotFound { .. }) {
            "repository not found: "
        } else {
            ""
        };
        return format!("unable to clone '{url}': {known}{cause}");
    }
    let SourceError::Reference { url, source: cause } = error else {
        return error.to_string();
    };
    match cause {
        ReferenceError::Missing(_) => missing(source, url),
        ReferenceError::NoVersion { range, tags } => {
            format!("no match found for semver: {range}, out of {tags} tags")
        }
        ReferenceError::Range { source, .. } => format!("semver parse error: {source}"),
        ReferenceError::NotOnBranch { commit, .. } | ReferenceError::NoSuchCommit(commit) => {
            format!("unable to resolve commit object for '{commit}': object not found; {cause}")
        }
        ReferenceError::NoCommitId(_) | ReferenceError::NoName(_) => error.to_string(),
    }
}

/// A reference that the server does not have, by the field that counts.
fn missing(source: &GitRepository, url: &str) -> String {
    let reference = source.spec.reference.clone().unwrap_or_default();
    let given = |field: Option<String>| field.filter(|text| !text.is_empty());
    if let Some(name) = given(reference.name) {
        return format!("unable to resolve ref '{name}' to a specific commit");
    }
    let name = match (given(reference.tag), given(reference.branch)) {
        (Some(tag), _) => format!("refs/tags/{tag}"),
        (None, Some(branch)) => format!("refs/heads/{branch}"),
        (None, None) => "refs/heads/master".to_owned(),
    };
    format!("unable to clone '{url}': couldn't find remote ref {name:?}")
}
