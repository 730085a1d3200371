//! Templates that know each other: all files of a chart and of its subcharts.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::exec::Run;
use crate::function::Functions;
use crate::packed;
use crate::parse::parse;
use crate::tree::Template;
use crate::{ByName, Limits, ParseError, Text};

/// What a missing key of a map gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingKey {
    /// The zero value of the map's elements: `missingkey=zero`, as Helm sets it.
    #[default]
    Zero,
    /// An error: `missingkey=error`, which Helm sets in strict mode.
    Error,
}

/// What surrounds an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiters {
    /// In front of it; not empty.
    pub left: &'static str,
    /// Behind it; not empty.
    pub right: &'static str,
}

impl Delimiters {
    /// `{{` and `}}`.
    pub const GO: Self = Self {
        left: "{{",
        right: "}}",
    };
}

/// Parsed templates and the functions they use. Parsed once, run as often as wanted.
#[derive(Debug)]
pub struct TemplateSet {
    root: Text,
    functions: Functions,
    templates: ByName<Rc<Template>>,
    missing_key: MissingKey,
    delimiters: Delimiters,
    /// Texts that `tpl` parsed before.
    parsed: RefCell<Parsed>,
}

#[derive(Debug, Default)]
struct Parsed {
    texts: HashMap<(Text, Text), Rc<[Rc<Template>]>>,
    bytes: usize,
}

impl TemplateSet {
    /// An empty set. The name of the root appears only in messages about templates that are not there (`gotpl` for Helm).
    pub fn new(root: impl Into<Text>, functions: Functions, missing_key: MissingKey) -> Self {
        Self {
            root: root.into(),
            functions,
            templates: ByName::default(),
            missing_key,
            delimiters: Delimiters::GO,
            parsed: RefCell::default(),
        }
    }

    /// The same set for texts with other delimiters.
    #[must_use]
    pub fn with_delimiters(self, delimiters: Delimiters) -> Self {
        Self { delimiters, ..self }
    }

    /// Parses a file and adds it and what it defines. A later definition of a name replaces an earlier one, unless the later one
    /// is empty; within one file a name may be defined only once.
    ///
    /// # Errors
    /// The first syntax error; nothing is added then.
    pub fn parse(
        &mut self,
        name: impl Into<Text>,
        text: impl Into<Text>,
    ) -> Result<(), ParseError> {
        let parsed = parse(&name.into(), &text.into(), &self.functions, self.delimiters)?;
        self.add(parsed);
        Ok(())
    }

    /// What a text is parsed into, as bytes for [`Self::parse_packed`]. Nothing if it cannot be parsed or is no UTF-8.
    pub fn pack(&self, text: &Text) -> Option<Vec<u8>> {
        // A name stands for the file's that is too long to be in the text.
        let name = Text::from("\0".repeat(text.len() + 1));
        let templates = parse(&name, text, &self.functions, self.delimiters).ok()?;
        packed::write(&templates)
    }

    /// Does what [`Self::parse`] does, from what [`Self::pack`] made of the same text with the same functions, which is many
    /// times faster. Bytes that cannot be of the text are not used: it is parsed then.
    ///
    /// # Errors
    /// See [`Self::parse`].
    pub fn parse_packed(
        &mut self,
        name: impl Into<Text>,
        text: impl Into<Text>,
        packed: &Rc<[u8]>,
    ) -> Result<(), ParseError> {
        let (name, text) = (name.into(), text.into());
        match packed::read(packed, &name, &text) {
            Some(templates) => self.add(templates),
            None => self.parse(name, text)?,
        }
        Ok(())
    }

    fn add(&mut self, templates: Vec<Rc<Template>>) {
        for template in templates {
            if !(template.empty && self.templates.contains_key(&template.name)) {
                self.templates.insert(template.name.clone(), template);
            }
        }
    }

    /// True if there is a template of the name.
    pub fn contains(&self, name: &str) -> bool {
        self.templates.contains_key(name.as_bytes())
    }

    /// The names of all templates, in no order.
    pub fn names(&self) -> impl Iterator<Item = &Text> {
        self.templates.keys()
    }

    /// The name under which the text that holds a template was parsed: its file.
    pub fn file_of(&self, name: &str) -> Option<&Text> {
        self.templates
            .get(name.as_bytes())
            .map(|template| &template.source.name)
    }

    /// The text of a file, for excerpts in messages. Texts that `tpl` parsed have none.
    pub fn text_of(&self, file: &str) -> Option<&Text> {
        let file = file.as_bytes();
        let mut templates = self.templates.values();
        templates
            .find(|template| template.source.name.as_bytes() == file)
            .map(|template| &template.source.text)
    }

    /// The functions that texts are parsed with.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// Starts a run: a budget that the templates executed in it share. Functions reach `context` by
    /// [`crate::Call::context`].
    pub fn run<'s>(&'s self, limits: Limits, context: &'s mut dyn Any) -> Run<'s> {
        Run::new(self, limits, context)
    }

    pub(crate) fn root(&self) -> &Text {
        &self.root
    }

    pub(crate) fn missing_key(&self) -> MissingKey {
        self.missing_key
    }

    pub(crate) fn template(&self, name: &Text) -> Option<&Rc<Template>> {
        self.templates.get(name)
    }

    /// Parses a text that came up at run time, or finds that it was parsed before.
    pub(crate) fn parsed(
        &self,
        name: &Text,
        text: &Text,
        cached: usize,
    ) -> Result<Rc<[Rc<Template>]>, ParseError> {
        let key = (name.clone(), text.clone());
        if let Some(known) = self.parsed.borrow().texts.get(&key) {
            return Ok(Rc::clone(known));
        }
        let templates: Rc<[Rc<Template>]> =
            parse(name, text, &self.functions, self.delimiters)?.into();
        let mut parsed = self.parsed.borrow_mut();
        if text.len() <= cached {
            if parsed.bytes + text.len() > cached {
                *parsed = Parsed::default();
            }
            parsed.bytes += text.len();
            parsed.texts.insert(key, Rc::clone(&templates));
        }
        Ok(templates)
    }
}
