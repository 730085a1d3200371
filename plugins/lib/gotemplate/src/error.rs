//! What goes wrong, in Go's words and in parts. The `Display` of each type is the exact text that Go gives; the fields let a
//! caller say more.

use std::fmt;

use crate::Text;

/// Why a text is no template, or a run failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no template.
    #[error(transparent)]
    Parse(Box<ParseError>),
    /// A template failed while it ran.
    #[error(transparent)]
    Exec(Box<ExecError>),
    /// There is no template of the name.
    #[error(
        "template: no template {} associated with template {}",
        crate::quote(name),
        crate::quote(set)
    )]
    NoTemplate {
        /// The name looked up.
        name: Text,
        /// The name of the set's root (`gotpl` for Helm).
        set: Text,
    },
}

/// A syntax error. Prints as Go does: `template: NAME:LINE: MESSAGE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// Name under which the text was parsed.
    pub name: Text,
    /// Line, from 1.
    pub line: u32,
    /// Byte in the text where the parser stood.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template: {}:{}: {}", self.name, self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        Self::Parse(Box::new(error))
    }
}

/// Where a node stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// Name under which the text was parsed (the file), not the name of the `define`.
    pub file: Text,
    /// Line, from 1.
    pub line: u32,
    /// Byte in the line, from 0.
    pub column: u32,
    /// Byte in the file.
    pub offset: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A failure at run time. Prints as Go does: `template: FILE:LINE:COLUMN: executing "TEMPLATE" at <EXPRESSION>: MESSAGE`,
/// with the errors of nested includes behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecError {
    /// The node blamed.
    pub location: Location,
    /// The template being executed: the file's own or a `define`.
    pub template: Text,
    /// The blamed node printed back.
    pub expression: String,
    /// What went wrong.
    pub kind: ErrorKind,
    /// The `template` actions that led here, innermost first. (`include` and `tpl` appear as errors around this one.)
    pub callers: Vec<Location>,
}

/// What went wrong at run time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// A field of nothing: `nil pointer evaluating interface {}.port`.
    NilField {
        /// The expression that was nil, as far as it was evaluated: `.Values.service`.
        path: String,
        /// The field asked of it.
        field: Text,
        /// Type that Go prints.
        type_name: Text,
    },
    /// A key that is missing although `missingkey=error`.
    MissingKey {
        /// The key.
        key: Text,
        /// True if the map itself was missing.
        nil_data: bool,
    },
    /// A function or method failed: `error calling NAME: …`.
    Call {
        /// The function.
        function: Text,
        /// What it says.
        error: FuncError,
    },
    /// A bound of [`crate::Limits`] was passed.
    Limit(String),
    /// Anything else, in Go's words.
    Message(String),
}

impl ExecError {
    /// The error of the innermost template, where the chain of includes ends.
    pub fn innermost(&self) -> &Self {
        let mut error = self;
        while let Some(inner) = error.inner() {
            error = inner;
        }
        error
    }

    /// The error inside an `include` or `tpl` that failed.
    pub fn inner(&self) -> Option<&Self> {
        match &self.kind {
            ErrorKind::Call { error, .. } => match error.source.as_deref() {
                Some(Error::Exec(inner)) => Some(inner),
                _ => None,
            },
            ErrorKind::NilField { .. }
            | ErrorKind::MissingKey { .. }
            | ErrorKind::Limit(_)
            | ErrorKind::Message(_) => None,
        }
    }

    /// True if a bound of [`crate::Limits`] ended the run.
    pub fn passed_limit(&self) -> bool {
        match &self.innermost().kind {
            ErrorKind::Limit(_) => true,
            ErrorKind::Call { error, .. } => error.limit,
            ErrorKind::NilField { .. } | ErrorKind::MissingKey { .. } | ErrorKind::Message(_) => {
                false
            }
        }
    }

    /// The text after `at <…>: `, without the errors of nested templates.
    pub fn message(&self) -> String {
        match &self.kind {
            ErrorKind::NilField {
                field, type_name, ..
            } => format!("nil pointer evaluating {type_name}.{field}"),
            ErrorKind::MissingKey {
                key,
                nil_data: true,
            } => {
                format!("nil data; no entry for key {}", crate::quote(key))
            }
            ErrorKind::MissingKey {
                key,
                nil_data: false,
            } => {
                format!("map has no entry for key {}", crate::quote(key))
            }
            ErrorKind::Call { function, error } => {
                format!("error calling {function}: {}", error.message)
            }
            ErrorKind::Limit(message) | ErrorKind::Message(message) => message.clone(),
        }
    }
}

/// A loop, not a recursion: a chain of a thousand includes must print on a small stack.
impl fmt::Display for ExecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut error = self;
        loop {
            write!(f, "template: {}: executing ", error.location)?;
            write!(
                f,
                "{} at <{}>: {}",
                crate::quote(&error.template),
                error.expression,
                error.message()
            )?;
            let ErrorKind::Call { error: call, .. } = &error.kind else {
                return Ok(());
            };
            match call.source.as_deref() {
                None => return Ok(()),
                Some(Error::Exec(inner)) => error = inner,
                Some(other) => return write!(f, "{other}"),
            }
        }
    }
}

impl std::error::Error for ExecError {}

/// What a function of the template language answers when it cannot. Go tells returned errors from panics, and prints both
/// as `error calling NAME: MESSAGE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FuncError {
    /// What the function says. With a source this is the text in front of the source's.
    pub message: String,
    /// True if Go's function panics here.
    pub panicked: bool,
    /// The error of a template that the function ran (`include`, `tpl`), which Go wraps with `%w`.
    pub source: Option<Box<Error>>,
    /// Set if a bound of [`crate::Limits`] was passed.
    pub limit: bool,
}

impl FuncError {
    /// A returned error.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            panicked: false,
            source: None,
            limit: false,
        }
    }

    /// A panic.
    pub fn panic(message: impl Into<String>) -> Self {
        Self {
            panicked: true,
            ..Self::new(message)
        }
    }

    /// `fmt.Errorf(PREFIX + "%w", source)`.
    pub fn wrap(prefix: impl Into<String>, source: Error) -> Self {
        Self {
            source: Some(Box::new(source)),
            ..Self::new(prefix)
        }
    }

    /// A bound was passed.
    pub fn limit(message: impl Into<String>) -> Self {
        Self {
            limit: true,
            ..Self::new(message)
        }
    }
}

impl fmt::Display for FuncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.source {
            Some(source) => write!(f, "{source}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for FuncError {}

/// The error of a nested template, returned as it is.
impl From<Error> for FuncError {
    fn from(error: Error) -> Self {
        Self::wrap("", error)
    }
}
