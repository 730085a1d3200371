//! Messages for people.

use std::fmt;

use crate::Document;
use crate::documents::Place;
use crate::raw::report as raw;
use crate::raw::types::{Diagnostic, Severity};

/// Something to show to the person who wrote the configuration. Nothing is shown before [`Finding::report`].
#[derive(Clone, Debug)]
#[must_use = "a finding is shown by its method report"]
pub struct Finding(Diagnostic);

impl Finding {
    /// The run fails, whatever else happens. `code` is short and stable ("missing-limits"), `message` one sentence.
    pub fn error(code: &str, message: impl fmt::Display) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// Shown, and the run goes on.
    pub fn warning(code: &str, message: impl fmt::Display) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// For information.
    pub fn note(code: &str, message: impl fmt::Display) -> Self {
        Self::new(Severity::Note, code, message)
    }

    fn new(severity: Severity, code: &str, message: impl fmt::Display) -> Self {
        Self(Diagnostic {
            severity,
            code: code.to_owned(),
            message: message.to_string(),
            at: None,
            object: None,
            pointer: String::new(),
            help: String::new(),
        })
    }

    /// It is about this object, and stands where the object came from.
    pub fn about(mut self, document: &Document) -> Self {
        self.0.object = Some(document.identity());
        self.0.at = document.origin();
        self
    }

    /// It is about this field: a JSON Pointer into the object, or into the config if there is no object.
    pub fn field(mut self, pointer: impl Into<String>) -> Self {
        self.0.pointer = pointer.into();
        self
    }

    /// It is about this place in a file.
    pub fn at(mut self, place: Place) -> Self {
        self.0.at = Some(place);
        self
    }

    /// What to do about it.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.0.help = text.into();
        self
    }

    /// Shows it.
    pub fn report(self) {
        raw::diagnose(&self.0);
    }
}

/// A line for the operator, shown with debug logging.
pub fn debug(message: impl fmt::Display) {
    raw::log(raw::Level::Debug, &message.to_string());
}

/// A line for the operator.
pub fn info(message: impl fmt::Display) {
    raw::log(raw::Level::Info, &message.to_string());
}

/// A line for the operator about something odd.
pub fn warn(message: impl fmt::Display) {
    raw::log(raw::Level::Warn, &message.to_string());
}

/// A sign of life: "rendering chart podinfo". Shown if the plugin crashes or reaches a limit.
pub fn progress(what: impl fmt::Display) {
    raw::progress(&what.to_string());
}
