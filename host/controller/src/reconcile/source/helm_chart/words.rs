//! What goes wrong with charts, as source-controller says it, with what weir knows beyond that behind it.

use weir_api::names::{conditions, reasons};
use weir_source::IndexError;
use weir_source::chart::PackageError;

use super::super::Problem;
use crate::reconcile::Next;

/// `^([-a-z0-9]+/?\.?)+$`, with the `./` and `../` that Flux lets through as well.
fn is_reference(chart: &str) -> bool {
    let path = chart.trim_start_matches("./");
    !path.is_empty()
        && path.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-/._".contains(&byte)
        })
}

pub(super) fn no_artifact(name: &str, kind: &str) -> Problem {
    Problem::fetch(
        reasons::NO_SOURCE_ARTIFACT,
        format!("no artifact available for {kind} source '{name}'"),
    )
}

/// What source-controller says first when no version fits, and when a chart is not to be had.
pub(super) const NO_VERSION: &str = "failed to get chart version for remote reference";
pub(super) const NO_CHART: &str = "failed to download chart for remote reference";

/// As source-controller says it, with what weir knows beyond that behind it.
pub(super) fn of_index(error: &IndexError) -> String {
    match error {
        IndexError::NoChart { .. } => format!("no chart name found: {error}"),
        IndexError::NoVersion { name, range, .. } => {
            format!("no '{name}' chart with version matching '{range}' found: {error}")
        }
        IndexError::Range { source, .. } => source.to_string(),
        IndexError::Malformed(_) | IndexError::NoUrl { .. } => error.to_string(),
    }
}

pub(super) fn no_values(error: &PackageError, of_source: bool) -> Problem {
    let PackageError::NoValues { path } = error else {
        return stalled_build("ValuesFilesError", &error.to_string());
    };
    let words = if of_source {
        let place = weir_source::chart::folder(path)
            .map_or_else(|_| path.clone(), |place| format!("/{}", place.as_str()));
        format!("no values file found at path '{place}' (reference '{path}')")
    } else {
        format!("failed to merge chart values: no values file found at path '{path}'")
    };
    stalled_build("ValuesFilesError", &words)
}

pub(super) fn check_reference(chart: &str) -> Result<(), Problem> {
    if is_reference(chart) {
        return Ok(());
    }
    Err(invalid(&format!(
        "invalid chart name '{chart}': a valid name must be lower case letters and numbers and MAY be separated with dashes (-), slashes (/) or periods (.)"
    )))
}

/// Flux tells a refused login by these words. Unlike there, addresses do not count: a port or a version may have the same digits.
pub(super) fn pull(what: &str) -> Problem {
    let lower = what.to_lowercase();
    let words = lower
        .split_whitespace()
        .filter(|word| !word.contains("://"));
    let lower = words.collect::<Vec<_>>().join(" ");
    let status = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|word| word == "401");
    let login = [
        "unauthorized",
        "authentication required",
        "asks for a login",
        "tls",
        "unknown certificate authority",
    ];
    if status || login.iter().any(|word| lower.contains(word)) {
        // flux: the reason AuthenticationFailed is lost on the way to the condition.
        return Problem::fetch(
            reasons::UNKNOWN,
            format!(
                "unknown build error: failed to authenticate with the Helm repository: chart pull error: {what}"
            ),
        );
    }
    Problem::fetch(
        reasons::CHART_PULL_ERROR,
        format!("chart pull error: {what}"),
    )
}

pub(super) fn invalid(what: &str) -> Problem {
    Problem::stalled(
        reasons::INVALID_CHART_REFERENCE,
        format!("invalid chart reference: {what}"),
    )
}

pub(super) fn failed_build(reason: &'static str, what: &str) -> Problem {
    let words = match reason {
        "DependencyBuildError" => "dependency build error",
        "ValuesFilesError" => "values files merge error",
        _ => "chart package error",
    };
    Problem {
        condition: conditions::BUILD_FAILED,
        ..Problem::fetch(reason, format!("{words}: {what}"))
    }
}

pub(super) fn stalled_build(reason: &'static str, what: &str) -> Problem {
    Problem {
        next: Next::Change,
        ..failed_build(reason, what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_names_and_paths() {
        for good in ["web", "./charts/web", "a/b-c.d"] {
            assert!(is_reference(good), "{good}");
        }
        for bad in ["", "Web", "a b", "web:1"] {
            assert!(!is_reference(bad), "{bad}");
        }
    }

    #[test]
    fn a_refused_login_has_a_reason_of_its_own() {
        assert_eq!(pull("status 401").reason, reasons::UNKNOWN);
        assert_eq!(pull("a TLS alert").reason, reasons::UNKNOWN);
        for other in [
            "http://127.0.0.1:40123/a-1.401.0.tgz : 404",
            "'https://tls.example.org/a' gave 404",
            "127.0.0.1:4401 is not there",
        ] {
            assert_eq!(pull(other).reason, reasons::CHART_PULL_ERROR, "{other}");
        }
        assert_eq!(pull("status 500").reason, reasons::CHART_PULL_ERROR);
    }
}
