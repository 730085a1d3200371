//! What can go wrong, told to the person who wrote the files.

mod problem;

use std::fmt;

use weir_k8s_yaml::{Span, YamlError};

pub use problem::Problem;

/// The result of anything that can fail here.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a build did not work: the problem, the place, and what to do about it.
///
/// [`fmt::Display`] prints one line with the place and the problem, then a line for the hint and one for each kustomization
/// that led to the place.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    problem: Problem,
    file: String,
    line: u32,
    column: u32,
    field: String,
    object: String,
    help: String,
    trail: Vec<String>,
}

impl Error {
    pub(crate) fn new(problem: Problem) -> Self {
        Self(Box::new(Inner {
            problem,
            file: String::new(),
            line: 0,
            column: 0,
            field: String::new(),
            object: String::new(),
            help: String::new(),
            trail: Vec::new(),
        }))
    }

    pub(crate) fn yaml(error: YamlError) -> Self {
        let span = error.span().unwrap_or_default();
        let help = error.hint().unwrap_or_default().to_owned();
        Self::new(Problem::Yaml(error)).at(span).help(help)
    }

    /// Names the file, unless one is named already.
    pub(crate) fn in_file(mut self, file: &str) -> Self {
        if self.0.file.is_empty() {
            file.clone_into(&mut self.0.file);
        }
        self
    }

    /// Names the place in the file, unless one is named already.
    pub(crate) fn at(mut self, span: Span) -> Self {
        if self.0.line == 0 && span.line > 0 {
            (self.0.line, self.0.column) = (span.line, span.column);
        }
        self
    }

    /// Names the field, unless one is named already.
    pub(crate) fn in_field(mut self, field: impl Into<String>) -> Self {
        if self.0.field.is_empty() {
            self.0.field = field.into();
        }
        self
    }

    /// Names the field, whatever was named before.
    pub(crate) fn set_field(mut self, field: impl Into<String>) -> Self {
        self.0.field = field.into();
        self
    }

    /// Says that the field is in an element of the list that the caller names.
    pub(crate) fn in_element(mut self, at: usize) -> Self {
        let field = &mut self.0.field;
        *field = match field.as_str() {
            "" => format!("[{at}]"),
            inner => format!("[{at}].{inner}"),
        };
        self
    }

    /// Names the object, unless one is named already.
    pub(crate) fn in_object(mut self, object: impl fmt::Display) -> Self {
        if self.0.object.is_empty() {
            self.0.object = object.to_string();
        }
        self
    }

    /// Marks the place as one in a text that stands in another file, and forgets it.
    pub(crate) fn inline(mut self) -> Self {
        if self.0.file.is_empty() && self.0.line > 0 {
            let line = std::mem::take(&mut self.0.line);
            self.0.column = 0;
            self = self.through(format!("in line {line} of the text"));
        }
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        if self.0.help.is_empty() {
            self.0.help = help.into();
        }
        self
    }

    /// Adds one step of the way that led to the place.
    pub(crate) fn through(mut self, step: impl Into<String>) -> Self {
        if self.0.trail.len() < 64 {
            self.0.trail.push(step.into());
        }
        self
    }

    /// An error about objects that the host did not take.
    #[must_use]
    pub fn refused(reason: String) -> Self {
        Self::new(Problem::Refused(reason))
    }

    /// What is wrong, with the field and the object, but without the place.
    #[must_use]
    pub fn message(&self) -> String {
        let Inner {
            problem,
            field,
            object,
            ..
        } = &*self.0;
        let field = if field.is_empty() {
            String::new()
        } else {
            format!("{field}: ")
        };
        let object = if object.is_empty() {
            String::new()
        } else {
            format!(" (in {object})")
        };
        format!("{field}{problem}{object}")
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// The file, relative to the folder that is built; empty if the problem is in no single file.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// The line in the file, from 1; 0 if unknown.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.0.line
    }

    /// The column in the line, from 1; 0 if unknown.
    #[must_use]
    pub fn column(&self) -> u32 {
        self.0.column
    }

    /// The field of the kustomization or of the object; may be empty.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.0.field
    }

    /// The object that it is about; may be empty.
    #[must_use]
    pub fn object(&self) -> &str {
        &self.0.object
    }

    /// What to do about it; may be empty.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.0.help
    }

    /// The way from the built folder to the place, innermost first.
    #[must_use]
    pub fn trail(&self) -> &[String] {
        &self.0.trail
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            file,
            line,
            column,
            help,
            trail,
            ..
        } = &*self.0;
        if !file.is_empty() {
            write!(f, "{file}")?;
            if *line > 0 {
                write!(f, ":{line}")?;
                if *column > 0 {
                    write!(f, ":{column}")?;
                }
            }
            write!(f, ": ")?;
        }
        f.write_str(&self.message())?;
        if !help.is_empty() {
            write!(f, "\n  hint: {help}")?;
        }
        for step in trail {
            write!(f, "\n  {step}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0.problem)
    }
}

/// The candidates that look most like a name, for "did you mean".
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Vec<&'a str> {
    const CONSIDERED: usize = 20_000;
    const SHOWN: usize = 3;
    let limit = name.chars().count().div_ceil(3).clamp(1, 8);
    let mut scored: Vec<(usize, &str)> = Vec::new();
    for candidate in candidates.into_iter().take(CONSIDERED) {
        let score = distance(name, candidate);
        if score <= limit && !scored.iter().any(|(_, seen)| *seen == candidate) {
            scored.push((score, candidate));
        }
    }
    scored.sort_unstable();
    scored
        .into_iter()
        .take(SHOWN)
        .map(|(_, candidate)| candidate)
        .collect()
}

/// `a, b or c`, each in quotes; empty for no names.
pub(crate) fn did_you_mean(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => format!("did you mean {last}?"),
        Some((last, rest)) => format!("did you mean {} or {last}?", rest.join(", ")),
    }
}

/// The number of edits between two names, ignoring case; long names are cut.
fn distance(a: &str, b: &str) -> usize {
    const CUT: usize = 64;
    let fold = |text: &str| {
        text.chars()
            .take(CUT)
            .map(|c| c.to_ascii_lowercase())
            .collect::<Vec<_>>()
    };
    let (a, b) = (fold(a), fold(b));
    if a.len().abs_diff(b.len()) > 8 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["resources", "replicas", "patches", "components"];
        assert_eq!(nearest("resource", names), ["resources"]);
        assert_eq!(nearest("Replica", names), ["replicas"]);
        assert!(nearest("openapi", names).is_empty());
    }

    #[test]
    fn an_error_names_place_problem_hint_and_way() {
        let error = Error::new(Problem::OpenApiVersion("v2".to_owned()))
            .in_file("base/kustomization.yaml")
            .in_field("openapi.version")
            .help("use v1")
            .through("included by kustomization.yaml");
        let text = error.to_string();
        assert_eq!(
            text,
            "base/kustomization.yaml: openapi.version: there is no built-in OpenAPI version `v2`\n  hint: use v1\n  included by kustomization.yaml"
        );
    }
}
