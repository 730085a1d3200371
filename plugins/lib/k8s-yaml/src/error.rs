//! The one error type of this crate.
//!
//! The text of an error is the one that Go's YAML library prints for the same mistake, because that is the text people
//! know, search for and find answers to. Where it happened, and what to do about it, stand beside the text as data: the
//! caller that knows the file name and has the source can then show the line itself.

use std::fmt;

use crate::span::Span;

/// Why a text, a tree or a value could not be read, resolved, written or edited.
///
/// `Display` prints go-yaml's text, such as `yaml: line 3: mapping values are not allowed in this context`.
#[derive(Clone, PartialEq, Eq)]
pub struct YamlError {
    inner: Box<Inner>,
}

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: ErrorKind,
    message: String,
    span: Option<Span>,
    hint: Option<String>,
    /// The line that go-yaml prints, which is not always the one of the place.
    text_line: Option<u32>,
    prefix: &'static str,
}

/// What kind of mistake an error is about. Callers that only report do not need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The bytes are not text in an encoding that YAML knows, or contain characters that YAML forbids.
    Encoding,
    /// The text breaks the YAML grammar.
    Syntax,
    /// A key stands twice in one mapping.
    DuplicateKey,
    /// An alias without an anchor, an anchor that contains itself, or a merge key whose value is not a mapping.
    Reference,
    /// A tag that does not fit its value, such as `!!int abc`.
    Tag,
    /// A value that the target cannot hold: `.inf` in JSON, a mapping as a key.
    Unrepresentable,
    /// A limit was hit; see [`Limit`].
    Limit(Limit),
    /// An edit that does not fit the source text or the tree.
    Edit,
}

/// The limits that [`crate::Limits`] sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// Bytes of one text.
    Input,
    /// Nesting of collections.
    Depth,
    /// Documents in one text.
    Documents,
    /// Nodes in one document.
    Nodes,
    /// Work done on behalf of aliases.
    Aliases,
}

impl YamlError {
    /// The kind of mistake.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// The text without `yaml:` and without the line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// Where in the source, if the error belongs to a place.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.inner.span
    }

    /// The line, counted from 1.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        self.inner.span.map(|span| span.line)
    }

    /// The column in characters, counted from 1.
    #[must_use]
    pub fn column(&self) -> Option<u32> {
        self.inner.span.map(|span| span.column)
    }

    /// What the author of the file can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }

    /// An error of go-yaml's form `yaml: MESSAGE`, which names no line even if it has a place.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                span: None,
                hint: None,
                text_line: None,
                prefix: "yaml: ",
            }),
        }
    }

    /// An error of the form `json: MESSAGE`, as Go's JSON encoder reports what it cannot hold.
    pub(crate) fn json(message: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::Unrepresentable, message);
        error.inner.prefix = "json: ";
        error
    }

    /// The error for keys that stand twice, in go-yaml's form: `yaml: unmarshal errors:` and a line for each.
    pub(crate) fn duplicates(found: &[(Span, String)]) -> Option<Self> {
        let (span, first) = found.first()?;
        let mut message = first.clone();
        for (span, text) in &found[1..] {
            message.push_str(&format!("\n  line {}: {text}", span.line));
        }
        let mut error = Self::new(ErrorKind::DuplicateKey, message).at_line(*span);
        error.inner.prefix = "yaml: unmarshal errors:\n  ";
        Some(error.with_hint("remove one of the two entries"))
    }

    /// An error without go-yaml's `yaml:` in front.
    pub(crate) fn bare(kind: ErrorKind, message: impl Into<String>) -> Self {
        let mut error = Self::new(kind, message);
        error.inner.prefix = "";
        error
    }

    pub(crate) fn limit(limit: Limit, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit(limit), message)
    }

    /// Adds a place that the text does not mention.
    pub(crate) fn at(mut self, span: Span) -> Self {
        if !span.is_none() {
            self.inner.span = Some(span);
        }
        self
    }

    /// Adds a place and its line to the text: `yaml: line N: MESSAGE`.
    pub(crate) fn at_line(mut self, span: Span) -> Self {
        if !span.is_none() {
            self.inner.text_line = Some(span.line);
        }
        self.at(span)
    }

    /// Sets the line that the text mentions.
    pub(crate) fn with_text_line(mut self, line: Option<u32>) -> Self {
        self.inner.text_line = line;
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        f.write_str(inner.prefix)?;
        if let Some(line) = inner.text_line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&inner.message)
    }
}

impl fmt::Debug for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("YamlError")
            .field("kind", &self.inner.kind)
            .field("text", &self.to_string())
            .field("span", &self.inner.span)
            .field("hint", &self.inner.hint)
            .finish()
    }
}

impl std::error::Error for YamlError {}
