//! From rendered files to manifests and hooks.

mod head;
mod order;
mod split;

use weir_chart::Profile;

use crate::engine::RenderedFile;
use crate::error::HelmError;

pub(crate) use head::Head;
pub use order::{install_order, uninstall_order};
pub(crate) use split::split;

/// One document that the release consists of.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The template that it came from: `chart/templates/x.yaml`.
    pub path: String,
    /// The line of the template that its text begins with; 0 if it is not known.
    pub line: u32,
    /// Its text.
    pub text: String,
    /// `kind`, empty if there is none.
    pub kind: String,
    /// `apiVersion`, empty if there is none.
    pub api_version: String,
    /// What it says as JSON; `null` if it is only comments.
    pub json: String,
}

/// One document that is run at an event of the release.
#[derive(Debug, Clone, PartialEq)]
pub struct Hook {
    /// The object's name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The template that it came from.
    pub path: String,
    /// The line of the template that its text begins with; 0 if it is not known.
    pub line: u32,
    /// Its text.
    pub text: String,
    /// When it runs: `pre-install`, `test` and so on.
    pub events: Vec<String>,
    /// Lighter ones run first.
    pub weight: i64,
    /// When it is deleted.
    pub delete_policies: Vec<String>,
    /// When its logs are shown.
    pub log_policies: Vec<String>,
    /// What it says as JSON.
    pub json: String,
}

const HOOK: &str = "helm.sh/hook";
const HOOK_WEIGHT: &str = "helm.sh/hook-weight";
const HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
const HOOK_LOG_POLICY: &str = "helm.sh/hook-output-log-policy";

const EVENTS: &[&str] = &[
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
];

/// Splits rendered files into manifests and hooks, both in the order in which Helm has them.
pub(crate) fn sort(
    files: &[RenderedFile],
    profile: Profile,
) -> Result<(Vec<Manifest>, Vec<Hook>), HelmError> {
    let mut sorted: Vec<&RenderedFile> = files.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let (mut manifests, mut hooks) = (Vec::new(), Vec::new());
    for RenderedFile { path, text, origin } in sorted {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.starts_with('_') || text.trim().is_empty() {
            continue;
        }
        for document in split(text, profile) {
            // A document is a part of the text.
            let at = document.as_ptr().addr() - text.as_ptr().addr();
            let place = (path.as_str(), origin.line(at));
            sort_document(place, document, profile, &mut manifests, &mut hooks)?;
        }
    }
    let order = install_order(profile);
    manifests.sort_by(|a, b| order::rank(order, &a.kind).cmp(&order::rank(order, &b.kind)));
    hooks.sort_by(|a, b| order::rank(order, &a.kind).cmp(&order::rank(order, &b.kind)));
    Ok((manifests, hooks))
}

fn sort_document(
    (path, line): (&str, u32),
    text: &str,
    profile: Profile,
    manifests: &mut Vec<Manifest>,
    hooks: &mut Vec<Hook>,
) -> Result<(), HelmError> {
    let failed = |message| HelmError::Manifest {
        path: path.to_owned(),
        message,
    };
    let read = |text: &str| {
        weir_k8s_yaml::read_json(text, Head::PATH, |json, data| {
            (Head::read(&data, profile), json)
        })
        .map_err(|error| failed(format!("error converting YAML to JSON: {error}")))
    };
    let (head, mut json) = read(text)?;
    let head = head.map_err(failed)?;
    if ends_in_block(text) {
        json = read(&format!("{text}\n"))?.1;
    }
    let Some(events) = head.annotation(HOOK) else {
        manifests.push(Manifest {
            path: path.to_owned(),
            line,
            text: text.to_owned(),
            kind: head.kind,
            api_version: head.api_version,
            json,
        });
        return Ok(());
    };
    let Some(events) = words(events)
        .into_iter()
        .map(event)
        .collect::<Option<Vec<_>>>()
    else {
        // One event that nobody knows makes the whole document go away.
        return Ok(());
    };
    let policies = |annotation| head.annotation(annotation).map(words).unwrap_or_default();
    hooks.push(Hook {
        name: head.name.clone(),
        path: path.to_owned(),
        line,
        text: text.to_owned(),
        events,
        weight: head
            .annotation(HOOK_WEIGHT)
            .and_then(|weight| weight.parse().ok())
            .unwrap_or(0),
        delete_policies: policies(HOOK_DELETE_POLICY),
        log_policies: policies(HOOK_LOG_POLICY),
        kind: head.kind.clone(),
        json,
    });
    Ok(())
}

/// Whether the last value may be a block text: one begins above, and all behind it is indented further. In the manifest of a
/// release each document ends with a newline, which belongs to such a text.
fn ends_in_block(text: &str) -> bool {
    if text.ends_with('\n') || memchr::memchr2(b'|', b'>', text.as_bytes()).is_none() {
        return false;
    }
    let header = |word: &str| word.len() <= 3 && word.starts_with(['|', '>']);
    let mut least = usize::MAX;
    for line in text.lines().rev() {
        let content = line.trim_start_matches(' ');
        let indent = line.len() - content.len();
        if content.is_empty() || indent >= least {
            continue;
        }
        if content.split_ascii_whitespace().any(header) {
            return true;
        }
        if indent == 0 {
            return false;
        }
        least = indent;
    }
    false
}

fn words(text: &str) -> Vec<String> {
    text.split(',')
        .map(|word| word.trim().to_lowercase())
        .collect()
}

fn event(name: String) -> Option<String> {
    if name == "test-success" {
        return Some("test".to_owned());
    }
    EVENTS.contains(&name.as_str()).then_some(name)
}

impl Hook {
    /// Whether it is run by `helm test`.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.events.iter().any(|event| event == "test")
    }
}

#[cfg(test)]
mod tests {
    use super::ends_in_block;

    #[test]
    fn blocks_at_the_end_are_seen() {
        for text in [
            "a: |\n  b",
            "a:\n- |\n  b",
            "a:\n- b: >-\n    c\n\n      d\n    e",
            "a: !!str |2+ # c\n   b\n  d: e",
            "a: |",
        ] {
            assert!(ends_in_block(text), "{text:?}");
        }
        for text in [
            "a: |\n  b\n",
            "a: |\n  b\nc: d",
            "a:\n  b: |\n    c\n  d:\n    e",
            "",
        ] {
            assert!(!ends_in_block(text), "{text:?}");
        }
    }
}
