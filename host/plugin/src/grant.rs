//! What an operator allows a plugin. Deny by default.

use serde::{Deserialize, Serialize};

use crate::Refusal;

mod host;
mod pattern;

use host::Origin;
use pattern::Pattern;

/// The grants of one step. Empty lists grant nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Grants {
    /// Globs of paths in the step's trees; `**` for all.
    pub files: Vec<String>,
    /// `Kind.group` or `Kind`, with `/namespace` and `/namespace/name` to narrow; `*` for all.
    pub objects: Vec<String>,
    /// Named inputs; `*` for all that the recipe binds.
    pub values: Vec<String>,
    /// Schemes for `unwrap`; `*` for all.
    pub keys: Vec<String>,
    /// `https://host[:port]`, `https://*.example.com`; `*` for all.
    pub hosts: Vec<String>,
    /// Kinds whose contents are otherwise opaque: `Secret`.
    pub documents: Vec<String>,
    /// Other plugins that it may run; `*` for all.
    pub plugins: Vec<String>,
}

/// A grant that means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("spec.grants.{field} has {value:?}: {reason}")]
pub struct GrantError {
    pub field: &'static str,
    pub value: String,
    pub reason: String,
}

impl Grants {
    /// Everything, as built-in plugins have it.
    pub fn all() -> Self {
        let all = || vec!["*".to_owned()];
        Self {
            files: vec!["**".to_owned()],
            objects: all(),
            values: all(),
            keys: all(),
            hosts: all(),
            documents: vec!["Secret".to_owned()],
            plugins: all(),
        }
    }

    /// Whether each of them means something.
    pub fn check(&self) -> Result<(), GrantError> {
        let wrong = |field, value: &String, reason: &str| GrantError {
            field,
            value: value.clone(),
            reason: reason.to_owned(),
        };
        for value in &self.files {
            Pattern::parse(value).map_err(|reason| wrong("files", value, reason))?;
        }
        for value in &self.hosts {
            Origin::pattern(value).map_err(|reason| wrong("hosts", value, reason))?;
        }
        for value in &self.objects {
            if value.is_empty()
                || value.split('/').count() > 3
                || value.split('/').any(str::is_empty)
            {
                return Err(wrong(
                    "objects",
                    value,
                    "it must be KIND[.GROUP][/NAMESPACE[/NAME]] or \"*\"",
                ));
            }
        }
        for value in &self.documents {
            if value != "Secret" {
                return Err(wrong(
                    "documents",
                    value,
                    "only the contents of \"Secret\" are opaque",
                ));
            }
        }
        for (field, values) in [
            ("values", &self.values),
            ("keys", &self.keys),
            ("plugins", &self.plugins),
        ] {
            if let Some(value) = values.iter().find(|value| value.is_empty()) {
                return Err(wrong(field, value, "it must not be empty"));
            }
        }
        Ok(())
    }

    /// Whether the data of Secrets is shown.
    pub fn shows_secrets(&self) -> bool {
        self.documents.iter().any(|kind| kind == "Secret")
    }

    pub(crate) fn check_object(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<(), Refusal> {
        let granted = self
            .objects
            .iter()
            .any(|grant| object_granted(grant, api_version, kind, namespace, name));
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        let dot = if group.is_empty() { "" } else { "." };
        let at = if namespace.is_empty() {
            String::new()
        } else {
            format!("/{namespace}")
        };
        let what = if name.is_empty() {
            format!("listing {kind} objects")
        } else {
            format!("looking up {kind} {name}")
        };
        check(
            granted,
            || what,
            "objects",
            || format!("{kind}{dot}{group}{at}"),
        )
    }

    pub(crate) fn check_value(&self, name: &str) -> Result<(), Refusal> {
        check(
            has(&self.values, name),
            || format!("the input {name:?}"),
            "values",
            || name.to_owned(),
        )
    }

    pub(crate) fn check_key(&self, scheme: &str) -> Result<(), Refusal> {
        check(
            has(&self.keys, scheme),
            || format!("unwrapping keys of the scheme {scheme:?}"),
            "keys",
            || scheme.to_owned(),
        )
    }

    pub(crate) fn check_plugin(&self, name: &str) -> Result<(), Refusal> {
        check(
            has(&self.plugins, name),
            || format!("running the plugin {name:?}"),
            "plugins",
            || name.to_owned(),
        )
    }

    pub(crate) fn check_url(&self, url: &str) -> Result<(), Refusal> {
        let origin = Origin::of(url).map_err(Refusal::Invalid)?;
        let granted = self
            .hosts
            .iter()
            .any(|grant| Origin::pattern(grant).is_ok_and(|grant| grant.covers(&origin)));
        check(
            granted,
            || format!("reaching {origin}"),
            "hosts",
            || origin.to_string(),
        )
    }
}

/// The grants of files, ready to be asked often.
#[derive(Debug)]
pub(crate) struct FileGrants {
    patterns: Vec<Pattern>,
    everything: bool,
}

impl FileGrants {
    /// Patterns that are not valid grant nothing; [`Grants::check`] is where they are reported.
    pub(crate) fn new(grants: &Grants) -> Self {
        let patterns: Vec<_> = grants
            .files
            .iter()
            .filter_map(|text| Pattern::parse(text).ok())
            .collect();
        let everything = patterns.iter().any(Pattern::is_everything);
        Self {
            patterns,
            everything,
        }
    }

    /// Whether every path is granted, so that there is no need to know where a link leads.
    pub(crate) fn everything(&self) -> bool {
        self.everything
    }

    pub(crate) fn check_read(&self, path: &str) -> Result<(), Refusal> {
        let granted = self.everything || self.reads(path);
        check(
            granted,
            || format!("reading {path:?}"),
            "files",
            || suggestion(path),
        )
    }

    /// For questions whose answer is what stands at the path, not what is in it.
    pub(crate) fn check_look(&self, path: &str) -> Result<(), Refusal> {
        let granted = self.everything || self.shows(path);
        check(
            granted,
            || format!("looking at {path:?}"),
            "files",
            || suggestion(path),
        )
    }

    pub(crate) fn check_any(&self, pattern: &str) -> Result<(), Refusal> {
        check(
            !self.patterns.is_empty(),
            || format!("looking for {pattern:?}"),
            "files",
            || pattern.to_owned(),
        )
    }

    pub(crate) fn reads(&self, path: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(path))
    }

    /// Whether the path may be seen in a listing: it is granted, or something below it is.
    pub(crate) fn shows(&self, path: &str) -> bool {
        self.patterns
            .iter()
            .any(|pattern| pattern.matches(path) || pattern.leads_through(path))
    }
}

fn check(
    granted: bool,
    what: impl FnOnce() -> String,
    field: &str,
    value: impl FnOnce() -> String,
) -> Result<(), Refusal> {
    if granted {
        return Ok(());
    }
    let (what, value) = (shown(&what()), shown(&value()));
    Err(Refusal::Denied(format!(
        "{what} is not granted; grant it with spec.grants.{field}: [{value:?}]"
    )))
}

/// Keeps hostile names from filling a message.
fn shown(text: &str) -> String {
    const LIMIT: usize = 300;
    if text.chars().count() <= LIMIT {
        return text.to_owned();
    }
    let mut head: String = text.chars().take(LIMIT).collect();
    head.push('…');
    head
}

fn has(list: &[String], name: &str) -> bool {
    list.iter().any(|item| item == "*" || item == name)
}

fn suggestion(path: &str) -> String {
    match path.split_once('/') {
        Some((first, _)) => format!("{first}/**"),
        None if path.is_empty() => "**".to_owned(),
        None => path.to_owned(),
    }
}

fn object_granted(grant: &str, api_version: &str, kind: &str, namespace: &str, name: &str) -> bool {
    let mut parts = grant.split('/');
    let kinds = parts.next().unwrap_or_default();
    let kind_granted =
        kinds == "*" || crate::document::select::KindName::parse(kinds).is(api_version, kind);
    let namespace_granted = parts.next().is_none_or(|granted| granted == namespace);
    let name_granted = parts.next().is_none_or(|granted| granted == name);
    kind_granted && namespace_granted && name_granted
}

#[cfg(test)]
mod tests;
