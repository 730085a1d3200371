//! What people need to mend a template: Helm's text of an error, and what Helm does not say.

use std::fmt;

use serde_json::{Map, Value};
use weir_chart::Profile;
use weir_chart::shared::{SharedMap, map_to};
use weir_gotemplate::{Error, ErrorKind, ExecError, Location, ParseError, TemplateSet};

use crate::error::HelmError;

/// Marks around the message of `fail` and `required`, by which Helm knows it again.
pub(crate) const MARK_START: &str = "HELM_ERR_START";
/// See [`MARK_START`].
pub(crate) const MARK_END: &str = "HELM_ERR_END";

/// Where a template failed, and why, beyond Helm's text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The byte in the line, from 0.
    pub column: u32,
    /// The line itself.
    pub source: Option<String>,
    /// What failed, as it stands in the template.
    pub expression: String,
    /// What had no value, and what to do about it.
    pub hints: Vec<String>,
    /// The places that led here, innermost first.
    pub stack: Vec<String>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  --> {}:{}:{}", self.file, self.line, self.column + 1)?;
        if let Some(source) = &self.source {
            let number = self.line.to_string();
            let margin = " ".repeat(number.len());
            let before: String = source
                .chars()
                .take(self.column as usize)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            write!(
                f,
                "\n {margin} |\n {number} | {source}\n {margin} | {before}^ here"
            )?;
        }
        for hint in &self.hints {
            write!(f, "\n  = {hint}")?;
        }
        for place in &self.stack {
            write!(f, "\n  = included from {place}")?;
        }
        Ok(())
    }
}

/// The values that an explanation looks into, and which chart a file belongs to.
pub(crate) struct Scene<'a> {
    /// The values of the root chart, with those of the subcharts below their names.
    pub(crate) values: &'a SharedMap,
    pub(crate) profile: Profile,
}

/// The error of a file that is no template.
pub(crate) fn parse_error(file: &str, error: &ParseError, text: &str) -> HelmError {
    let go = error.to_string();
    let pieces: Vec<&str> = go.split(": ").collect();
    let message = match pieces.as_slice() {
        [_, location, .., last] => format!("parse error at ({location}): {last}"),
        [_, last] => format!("parse error at ({last}): {last}"),
        _ => format!("parse error in ({file}): {go}"),
    };
    let before = &text.as_bytes()[..error.offset.min(text.len())];
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    HelmError::Template {
        message,
        explanation: Some(Box::new(Explanation {
            file: error.name.to_string(),
            line: error.line,
            column: u32::try_from(before.len() - line_start).unwrap_or(0),
            source: line_of(text, error.line),
            expression: String::new(),
            hints: Vec::new(),
            stack: Vec::new(),
        })),
    }
}

/// The error of a template that failed.
pub(crate) fn exec_error(error: &Error, set: &TemplateSet, scene: &Scene<'_>) -> HelmError {
    let message = helm_text(error, scene.profile);
    let explanation = match error {
        Error::Exec(error) => Some(Box::new(explain(error, set, scene))),
        Error::Parse(_) | Error::NoTemplate { .. } => None,
    };
    HelmError::Template {
        message,
        explanation,
    }
}

/// The text that Helm prints.
fn helm_text(error: &Error, profile: Profile) -> String {
    let go = error.to_string();
    let Error::Exec(exec) = error else {
        return go;
    };
    let mut tokens = go.splitn(3, ": ");
    if let (Some(_), Some(location), Some(rest)) = (tokens.next(), tokens.next(), tokens.next())
        && let Some(start) = rest.find(MARK_START)
        && let Some(end) = rest.rfind(MARK_END)
        && start + MARK_START.len() <= end
    {
        return format!(
            "execution error at ({location}): {}",
            &rest[start + MARK_START.len()..end]
        );
    }
    if profile.is_helm3() {
        return go;
    }
    restructure(exec).unwrap_or(go)
}

/// Helm 4's form: a paragraph for each template on the way. `None` if the chain ends in a message that is no template's.
fn restructure(error: &ExecError) -> Option<String> {
    let mut paragraphs: Vec<Paragraph> = Vec::new();
    let mut add = |text: &str| {
        let paragraph = Paragraph::read(text)?;
        if paragraphs.last() != Some(&paragraph) {
            paragraphs.push(paragraph);
        }
        Some(())
    };
    let mut error = error;
    loop {
        add(&error.to_string())?;
        let ErrorKind::Call { error: call, .. } = &error.kind else {
            break;
        };
        match call.source.as_deref() {
            Some(Error::Exec(inner)) if call.message.is_empty() => error = inner,
            _ => {
                add(&call.to_string())?;
                break;
            }
        }
    }
    let text: String = paragraphs.iter().map(Paragraph::show).collect();
    Some(text.trim().to_owned())
}

/// One link of the chain of errors.
#[derive(Debug, PartialEq, Eq, Default)]
struct Paragraph {
    location: String,
    executing: String,
    message: String,
}

impl Paragraph {
    fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("template: ")?;
        if rest.starts_with("no template ") {
            return Some(Self {
                message: text.to_owned(),
                ..Self::default()
            });
        }
        if let Some((location, after)) = rest.split_once(": executing ") {
            let quoted = after.strip_prefix('"')?;
            let (name, after) = quoted.split_once('"')?;
            let (expression, message) = after.strip_prefix(" at <")?.split_once(">: ")?;
            return Some(Self {
                location: location.to_owned(),
                executing: format!("executing \"{name}\" at <{expression}>:"),
                message: up_to_template(message).to_owned(),
            });
        }
        let (location, message) = rest.rsplit_once(": ")?;
        Some(Self {
            location: location.to_owned(),
            executing: String::new(),
            message: up_to_template(message).to_owned(),
        })
    }

    fn show(&self) -> String {
        let mut out = String::new();
        if !self.location.is_empty() {
            out.push_str(&format!("{}\n  ", self.location));
        }
        if !self.executing.is_empty() {
            out.push_str(&format!("{}\n    ", self.executing));
        }
        if !self.message.is_empty() {
            out.push_str(&format!("{}\n", self.message));
        }
        out
    }
}

fn up_to_template(message: &str) -> &str {
    message
        .find(" template:")
        .map_or(message, |at| &message[..at])
}

/// Places shown of the way to the error.
const MAX_STACK: usize = 20;

fn explain(error: &ExecError, set: &TemplateSet, scene: &Scene<'_>) -> Explanation {
    let mut places: Vec<String> = Vec::new();
    let mut inner = error;
    loop {
        let mut here: Vec<&Location> = inner.callers.iter().rev().collect();
        let next = inner.inner();
        if next.is_some() {
            here.push(&inner.location);
        }
        places.extend(here.into_iter().map(ToString::to_string));
        match next {
            Some(next) => inner = next,
            None => break,
        }
    }
    places.reverse();
    places.dedup();
    if places.len() > MAX_STACK {
        let left = places.len() - MAX_STACK;
        places.truncate(MAX_STACK);
        places.push(format!("{left} more places"));
    }
    let location = &inner.location;
    let file = location.file.to_string();
    let text = set.text_of(&file).map(|text| text.lossy().into_owned());
    let mut hints = Vec::new();
    match &inner.kind {
        ErrorKind::NilField { path, field, .. } => {
            nil_hints(&file, path, &field.lossy(), scene, &mut hints)
        }
        ErrorKind::MissingKey { key, .. } => hints.push(format!("there is no key {key:?}")),
        ErrorKind::Call { .. } | ErrorKind::Limit(_) | ErrorKind::Message(_) => {}
    }
    Explanation {
        line: location.line,
        column: location.column,
        source: text.and_then(|text| line_of(&text, location.line)),
        expression: inner.expression.clone(),
        hints,
        stack: places,
        file,
    }
}

fn line_of(text: &str, line: u32) -> Option<String> {
    const MAX_LINE: usize = 300;
    let line = text
        .lines()
        .nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    Some(line.chars().take(MAX_LINE).collect())
}

/// Says what was nil, where it should come from and what is there instead.
fn nil_hints(file: &str, path: &str, field: &str, scene: &Scene<'_>, hints: &mut Vec<String>) {
    hints.push(format!(
        "`{path}` has no value, so it has no field `{field}`"
    ));
    let Some(keys) = path.trim_start_matches('$').strip_prefix(".Values.") else {
        return;
    };
    let charts = subcharts_of(file);
    let values = map_to(scene.values);
    let mut at = &values;
    let mut known: Vec<&str> = Vec::new();
    for key in charts.iter().copied().chain(keys.split('.')) {
        match at.get(key) {
            Some(Value::Object(next)) => {
                at = next;
                known.push(key);
            }
            found => {
                let whole = join(&known, key);
                let what = if found.is_some() { "null" } else { "not set" };
                hints.push(format!("`{whole}` is {what} in the values of the release"));
                if let Some(near) = nearest(key, at) {
                    hints.push(format!("there is `{}`", join(&known, near)));
                }
                return;
            }
        }
    }
}

fn join(keys: &[&str], last: &str) -> String {
    keys.iter()
        .copied()
        .chain([last])
        .collect::<Vec<_>>()
        .join(".")
}

/// The subcharts, from the root, that a template's path goes through.
fn subcharts_of(file: &str) -> Vec<&str> {
    let parts: Vec<&str> = file.split('/').collect();
    let mut charts = Vec::new();
    let mut at = 1;
    while parts.get(at) == Some(&"charts") {
        charts.extend(parts.get(at + 1));
        at += 2;
    }
    charts
}

/// The key that is most like another one.
fn nearest<'a>(key: &str, map: &'a Map<String, Value>) -> Option<&'a str> {
    const MAX_KEYS: usize = 500;
    let length = key.chars().count();
    let limit = length.div_ceil(3).max(2).min(length.saturating_sub(1));
    let distances = map.keys().take(MAX_KEYS).map(|other| {
        (
            distance(&key.to_lowercase(), &other.to_lowercase()),
            other.as_str(),
        )
    });
    distances
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, other)| other)
}

/// How many characters must be changed, added or taken away.
fn distance(a: &str, b: &str) -> usize {
    const MAX_LENGTH: usize = 64;
    let b: Vec<char> = b.chars().take(MAX_LENGTH).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.chars().take(MAX_LENGTH).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let change = diagonal + usize::from(c != *other);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use weir_chart::shared::map_from;

    use super::*;

    #[test]
    fn nil_values_are_explained() {
        let values = json!({"sub": {"service": {"prot": 1}}});
        let scene = Scene {
            values: &map_from(values.as_object().unwrap()),
            profile: Profile::Helm4,
        };
        let mut hints = Vec::new();
        nil_hints(
            "t/charts/sub/templates/a.yaml",
            ".Values.service.port",
            "name",
            &scene,
            &mut hints,
        );
        assert_eq!(
            hints,
            [
                "`.Values.service.port` has no value, so it has no field `name`",
                "`sub.service.port` is not set in the values of the release",
                "there is `sub.service.prot`",
            ]
        );
    }

    #[test]
    fn paragraphs_are_read_as_helm_reads_them() {
        let read = Paragraph::read("template: t/a.yaml:1:2: executing \"t/a.yaml\" at <include \"x\" .>: error calling include: template: t/b.tpl:1:1: executing \"x\" at <.a>: m").unwrap();
        assert_eq!(read.message, "error calling include:");
        assert_eq!(
            read.show(),
            "t/a.yaml:1:2\n  executing \"t/a.yaml\" at <include \"x\" .>:\n    error calling include:\n"
        );
        assert_eq!(Paragraph::read("something else"), None);
    }
}
