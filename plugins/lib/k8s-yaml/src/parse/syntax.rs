//! Syntax errors in go-yaml's words, with the line that it would tell and what to do about it.

use super::scanner::{Mark, Problem};
use crate::error::{ErrorKind, YamlError};
use crate::scalar::Schema;
use crate::span::Span;

/// `words` says whose habits to follow: go-yaml v2 tells the line of the problem, v3 that of its context; both count from
/// zero unless the scanner noticed, and tell no line zero.
pub(super) fn explain(problem: &Problem, words: Schema, start: Span, text: &str) -> YamlError {
    let place = place(problem.at, start);
    let line_of = |mark: Mark, scanner: bool| {
        let line = mark.line + start.line - 1;
        (line > 0).then(|| line + u32::from(scanner))
    };
    let at = line_of(problem.at, problem.scanner);
    let line = match words {
        Schema::Sigs => at.or_else(|| line_of(problem.context?, false)),
        Schema::Kyaml => problem
            .context
            .and_then(|mark| line_of(mark, problem.scanner))
            .or(at),
    };
    let error = YamlError::new(ErrorKind::Syntax, problem.text)
        .at(place)
        .with_text_line(line);
    match hint(problem, text) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// A place in the text that starts at `start` in a file.
pub(super) fn place(mark: Mark, start: Span) -> Span {
    let before = if mark.line == 0 { start.column - 1 } else { 0 };
    let offset = start.start + mark.offset;
    Span {
        start: offset,
        end: offset,
        line: start.line + mark.line,
        column: before + mark.column + 1,
    }
}

fn hint(problem: &Problem, text: &str) -> Option<String> {
    let character = text
        .get(problem.at.offset as usize..)
        .and_then(|rest| rest.chars().next());
    let begun = problem
        .context
        .filter(|context| context.line != problem.at.line);
    let begun = begun
        .map(|context| format!(" (it begins on line {})", context.line + 1))
        .unwrap_or_default();
    Some(match (problem.text, character) {
        ("found character that cannot start any token", Some('\t')) => {
            "indent with spaces instead of tabs".into()
        }
        ("found character that cannot start any token", Some(character)) => {
            format!("put quotes around a text that starts with {character:?}")
        }
        ("mapping values are not allowed in this context", _) => {
            "put quotes around a text that contains \": \", or check the indentation of this line"
                .into()
        }
        ("could not find expected ':'", _) => {
            format!(
                "a line of a mapping is \"key: value\"{begun}; check the indentation, and quotes left open above"
            )
        }
        ("did not find expected key", _) => {
            format!("check the indentation: this line does not fit the mapping{begun}")
        }
        ("did not find expected '-' indicator", _) => {
            format!("check the indentation: this line does not fit the list{begun}")
        }
        ("block sequence entries are not allowed in this context", _) => {
            "start the list on a line of its own".into()
        }
        ("did not find expected ',' or ']'", _) => {
            format!("a list in brackets is not closed{begun}")
        }
        ("did not find expected ',' or '}'", _) => {
            format!(
                "a mapping in braces is not closed{begun}; put quotes around a template expression"
            )
        }
        ("found unexpected end of stream", _) => format!("a quote is not closed{begun}"),
        ("found unknown escape character", _) => {
            "use single quotes if backslashes are meant literally".into()
        }
        ("found a tab character that violates indentation", _)
        | ("found a tab character where an indentation space is expected", _) => {
            "indent with spaces instead of tabs".into()
        }
        _ => return None,
    })
}
