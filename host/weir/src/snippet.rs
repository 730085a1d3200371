//! Errors and findings for the person at the terminal, with the source line underlined where there is one.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use weir_plugin::{Diagnostic, Severity};

/// Reads the text of a file that a finding points into.
pub(crate) type Reader<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Prints an error with its causes, each on its own line.
pub(crate) fn print_error(error: &anyhow::Error) {
    let mut text = format!("error: {error}");
    let mut shown = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !shown.contains(&cause) {
            text.push_str(&format!("\n  caused by: {cause}"));
        }
        shown = cause;
    }
    anstream::eprintln!("{text}");
}

/// Prints a finding.
pub(crate) fn print_finding(finding: &Diagnostic, read: Reader<'_>) {
    anstream::eprintln!("{}", finding_text(finding, read));
}

fn finding_text(finding: &Diagnostic, read: Reader<'_>) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut message = finding.message.clone();
    if let Some(object) = &finding.object {
        let namespace = if object.namespace.is_empty() {
            String::new()
        } else {
            format!("{}/", object.namespace)
        };
        message = format!("{}/{namespace}{}: {message}", object.kind, object.name);
    }
    if !finding.pointer.is_empty() {
        message = format!("{message} (at {})", finding.pointer);
    }
    let mut title = level.primary_title(message);
    if !finding.code.is_empty() {
        title = title.id(finding.code.clone());
    }
    let mut group = annotate_snippets::Group::with_title(title);
    let source = finding
        .at
        .as_ref()
        .and_then(|at| Some((at, read(&at.path)?)));
    if let Some((at, text)) = source
        && let Some(span) = span(&text, at.line, at.column)
    {
        let snippet = Snippet::source(text).path(at.path.clone()).line_start(1);
        group = group.element(snippet.annotation(AnnotationKind::Primary.span(span)));
    }
    if !finding.help.is_empty() {
        group = group.element(Level::HELP.message(finding.help.clone()));
    }
    Renderer::styled().render(&[group])
}

/// From the column to the end of the line; the whole line where the column is not known.
fn span(text: &str, line: u32, column: u32) -> Option<std::ops::Range<usize>> {
    let index = usize::try_from(line.checked_sub(1)?).ok()?;
    let start: usize = text.split_inclusive('\n').take(index).map(str::len).sum();
    let content = text.split_inclusive('\n').nth(index)?.trim_end();
    let skip = usize::try_from(column.saturating_sub(1)).ok()?;
    let skip = content.char_indices().nth(skip).map_or(0, |(at, _)| at);
    (!content.is_empty()).then_some(start + skip..start + content.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_plugin::Place;

    #[test]
    fn the_line_is_shown_and_underlined() {
        let finding = Diagnostic {
            severity: Severity::Warning,
            code: "no-limits".into(),
            message: "the container has no limits".into(),
            at: Some(Place {
                path: "a.yaml".into(),
                line: 2,
                column: 3,
            }),
            object: None,
            pointer: "/spec".into(),
            help: "set resources.limits".into(),
        };
        let text = finding_text(&finding, &|_| Some("spec:\n  image: x\n".into()));
        let plain = anstream::adapter::strip_str(&text).to_string();
        for part in [
            "warning[no-limits]",
            "the container has no limits (at /spec)",
            "a.yaml:2:3",
            "image: x",
            "^^^^^^^^",
            "set resources.limits",
        ] {
            assert!(plain.contains(part), "{part} is missing in\n{plain}");
        }
    }

    #[test]
    fn places_outside_of_the_text_are_no_panic() {
        assert_eq!(span("a\n", 9, 1), None);
        assert_eq!(span("a\n", 0, 0), None);
        assert_eq!(span("äb\n", 1, 2), Some(2..3));
        assert_eq!(span("ab\n", 1, 99), Some(0..2));
    }
}
