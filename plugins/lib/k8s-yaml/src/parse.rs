//! From text to trees.
//!
//! Everything that go-yaml accepts gives the tree that it gives there, comments and all; what it refuses is refused with its
//! words. Three things that it refuses although YAML allows them are read, because refusing a valid file helps nobody: `%YAML 1.2`, `\/` in
//! double quotes, and the pairs of `\u` that JSON writes for characters beyond 16 bits.

mod builder;
mod encoding;
mod grammar;
mod lines;
mod plain;
mod scanner;
mod syntax;
mod written;

use crate::error::{Limit, YamlError};
use crate::limits::Limits;
use crate::node::{Comments, Node};
use crate::scalar::Schema;
use crate::span::Span;

pub use encoding::decode;
pub(crate) use plain::plain;
pub(crate) use written::written;

/// How a text is parsed.
#[derive(Debug, Clone, Copy, Default)]
pub struct ParseOptions {
    /// What it may cost.
    pub limits: Limits,
    /// Whether comments are kept. They cost time and memory; without them trees have none.
    pub comments: bool,
    /// Whose error messages are given: they differ in the line that they tell, and in which of two mistakes is met first.
    pub words: Schema,
    /// Where the text begins in a larger one, for spans and error lines. [`Span::NONE`] if the text stands alone; of any
    /// other, `end` does not matter.
    pub start: Span,
}

/// One document of a text.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its content.
    pub root: Node,
    /// Comments that belong to the document and to no node in it.
    pub comments: Comments,
    /// Whether there are anchors, aliases or merge keys in it.
    pub aliases: bool,
}

impl Document {
    /// See [`Node::expand_aliases`]; free of cost for a document without anchors and merge keys.
    ///
    /// # Errors
    ///
    /// When an anchor contains itself, a merge key has a value that cannot be merged, or a limit is hit.
    pub fn expand_aliases(&mut self, limits: &Limits) -> Result<(), YamlError> {
        if self.aliases {
            self.root.expand_aliases(limits)?;
            self.aliases = false;
        }
        Ok(())
    }
}

/// Reads the first document of a text and looks at nothing behind it. A text without a document gives `None`.
///
/// # Errors
///
/// When the text up to the end of that document breaks the grammar or a limit.
pub fn parse(text: &str, options: &ParseOptions) -> Result<Option<Document>, YamlError> {
    documents(text, options).next().transpose()
}

/// Reads the documents of a text one after another.
pub fn documents<'a>(text: &'a str, options: &ParseOptions) -> Documents<'a> {
    Documents {
        source: Source::Unread(text),
        options: *options,
        count: 0,
    }
}

/// The documents of a text; nothing comes after the first error.
#[derive(Debug)]
pub struct Documents<'a> {
    source: Source<'a>,
    options: ParseOptions,
    count: usize,
}

#[derive(Debug)]
enum Source<'a> {
    Unread(&'a str),
    Open(Box<builder::Builder<'a>>),
    Done,
}

impl Iterator for Documents<'_> {
    type Item = Result<Document, YamlError>;

    fn next(&mut self) -> Option<Self::Item> {
        let result = self.read();
        if !matches!(result, Ok(Some(_))) {
            self.source = Source::Done;
        }
        result.transpose()
    }
}

impl Documents<'_> {
    fn read(&mut self) -> Result<Option<Document>, YamlError> {
        if let Source::Unread(text) = self.source {
            self.source = Source::Open(Box::new(builder::Builder::new(text, &self.options)?));
        }
        let Source::Open(builder) = &mut self.source else {
            return Ok(None);
        };
        let Some(document) = builder.document()? else {
            return Ok(None);
        };
        self.count += 1;
        if self.count > self.options.limits.documents {
            let message = format!(
                "text has more than {} documents",
                self.options.limits.documents
            );
            return Err(YamlError::limit(Limit::Documents, message).at(document.root.span()));
        }
        Ok(Some(document))
    }
}
