//! From a text to its parts.
//!
//! One pass from left to right without going back; a `}` always belongs to the innermost open expansion. In plain text
//! `$$` stands for one `$`; within the parts of `/` operators `$$`, `\/` and `\\` stand for their second character; nowhere
//! else is anything escaped.

use crate::error::ExpandError;
use crate::limits;

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Expansion(Expansion),
}

/// `${name operator arguments}`
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expansion {
    pub(crate) name: String,
    /// As it is written; empty for `${name}`.
    pub(crate) operator: String,
    pub(crate) arguments: Vec<Part>,
}

pub(crate) fn parse(text: &str) -> Result<Vec<Part>, ExpandError> {
    // A NUL ends the text, as it does for envsubst.
    let text = text.split('\0').next().unwrap_or(text);
    let mut scanner = Scanner {
        rest: text,
        depth: 0,
    };
    let mut parts = Vec::new();
    while !scanner.rest.is_empty() {
        let part = if scanner.opens() {
            Part::Expansion(scanner.expansion()?)
        } else {
            Part::Text(scanner.plain_text())
        };
        parts.push(part);
    }
    Ok(parts)
}

struct Scanner<'t> {
    rest: &'t str,
    depth: usize,
}

/// Which characters of an argument stand for themselves only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    None,
    OfReplacements,
}

impl<'t> Scanner<'t> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn opens(&self) -> bool {
        self.rest.starts_with("${")
    }

    /// Up to the next expansion or the end, with `$$` as `$`.
    fn plain_text(&mut self) -> String {
        let mut out = String::new();
        while !self.rest.is_empty() && !self.opens() {
            let end = match self.rest.strip_prefix('$') {
                Some(after) if after.starts_with('$') => {
                    out.push('$');
                    self.rest = &after[1..];
                    continue;
                }
                Some(after) => 1 + after.find('$').unwrap_or(after.len()),
                None => self.rest.find('$').unwrap_or(self.rest.len()),
            };
            out.push_str(&self.rest[..end]);
            self.rest = &self.rest[end..];
        }
        out
    }

    /// The characters that are accepted, told how many bytes came before; `None` if the first one is not.
    fn take(&mut self, accept: impl Fn(char, usize) -> bool) -> Option<&'t str> {
        let end = self
            .rest
            .char_indices()
            .find(|(at, c)| !accept(*c, *at))
            .map_or(self.rest.len(), |(at, _)| at);
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!taken.is_empty()).then_some(taken)
    }

    fn close(&mut self, otherwise: ExpandError) -> Result<(), ExpandError> {
        self.rest = self.rest.strip_prefix('}').ok_or(otherwise)?;
        Ok(())
    }

    /// One expansion, from its `${`.
    fn expansion(&mut self) -> Result<Expansion, ExpandError> {
        if self.depth == limits::DEPTH {
            return Err(ExpandError::TooDeep);
        }
        self.depth += 1;
        self.rest = &self.rest[2..];
        let expansion = if self.peek() == Some('#') {
            self.length()
        } else {
            self.named()
        }?;
        self.depth -= 1;
        Ok(expansion)
    }

    fn named(&mut self) -> Result<Expansion, ExpandError> {
        let name = self.take(|c, _| is_word(c)).ok_or(ExpandError::Name)?;
        let mut expansion = Expansion {
            name: name.to_owned(),
            operator: String::new(),
            arguments: Vec::new(),
        };
        match self.peek() {
            Some(':') => self.default_or_substring(&mut expansion)?,
            Some('=') => self.default(&mut expansion)?,
            Some(',' | '^') => {
                let operator = self.take(|c, at| matches!(c, ',' | '^') && at < 2);
                expansion.operator = operator.ok_or(ExpandError::Bad)?.to_owned();
                self.close(ExpandError::Bad)?;
            }
            Some('/') => self.replacement(&mut expansion)?,
            Some(mark @ ('#' | '%')) => {
                let operator = self.take(|c, at| c == mark && at < 2);
                expansion.operator = operator.ok_or(ExpandError::Bad)?.to_owned();
                expansion
                    .arguments
                    .push(self.argument(|c| c != '}', Escapes::None)?);
                self.close(ExpandError::Bad)?;
            }
            _ => self.close(ExpandError::MissingBrace)?,
        }
        Ok(expansion)
    }

    /// `${#name}`
    fn length(&mut self) -> Result<Expansion, ExpandError> {
        self.rest = &self.rest[1..];
        let name = self.take(|c, _| is_word(c)).ok_or(ExpandError::Bad)?;
        self.close(ExpandError::Bad)?;
        Ok(Expansion {
            name: name.to_owned(),
            operator: "#".to_owned(),
            arguments: Vec::new(),
        })
    }

    fn default_or_substring(&mut self, expansion: &mut Expansion) -> Result<(), ExpandError> {
        match self.rest[1..].chars().next() {
            Some('=' | '-' | '?' | '+') => self.default(expansion),
            // envsubst goes back by the width of this character instead of that of the colon, and so trips over it.
            Some(c) if !c.is_ascii() => Err(ExpandError::Bad),
            None => Err(ExpandError::Bad),
            Some(_) => self.substring(expansion),
        }
    }

    /// `${name=…}`, `${name:=…}` and the others that are the same. The default is any number of texts and expansions.
    fn default(&mut self, expansion: &mut Expansion) -> Result<(), ExpandError> {
        let length = if self.peek() == Some('=') { 1 } else { 2 };
        let (operator, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(ExpandError::Default)?;
        expansion.operator = operator.to_owned();
        self.rest = rest;
        while self.peek() != Some('}') {
            expansion
                .arguments
                .push(self.argument(|c| c != '}', Escapes::None)?);
        }
        self.close(ExpandError::Bad)
    }

    /// `${name:offset}` and `${name:offset:length}`
    fn substring(&mut self, expansion: &mut Expansion) -> Result<(), ExpandError> {
        expansion.operator = ":".to_owned();
        self.rest = &self.rest[1..];
        let offset = self.argument(|c| c != ':' && c != '}', Escapes::None)?;
        expansion.arguments.push(offset);
        if self.peek() == Some('}') {
            return self.close(ExpandError::Bad);
        }
        self.take(|c, _| c == ':').ok_or(ExpandError::Bad)?;
        let length = self.argument(|c| c != '}', Escapes::None)?;
        expansion.arguments.push(length);
        self.close(ExpandError::Bad)
    }

    /// `${name/old/new}`, with `//`, `/#` and `/%`. The old text goes up to the next slash, whatever is in between.
    fn replacement(&mut self, expansion: &mut Expansion) -> Result<(), ExpandError> {
        let operator = self.take(|c, at| match at {
            0 => c == '/',
            1 => matches!(c, '/' | '#' | '%'),
            _ => false,
        });
        expansion.operator = operator.ok_or(ExpandError::Bad)?.to_owned();
        let old = self.argument(|c| c != '/', Escapes::OfReplacements)?;
        expansion.arguments.push(old);
        self.take(|c, _| c == '/').ok_or(ExpandError::Bad)?;
        if self.peek() != Some('}') {
            let new = self.argument(|c| c != '}', Escapes::OfReplacements)?;
            expansion.arguments.push(new);
        }
        self.close(ExpandError::Bad)
    }

    /// An expansion, or a text up to the next expansion or the first character that is not accepted.
    fn argument(
        &mut self,
        accept: impl Fn(char) -> bool,
        escapes: Escapes,
    ) -> Result<Part, ExpandError> {
        if self.opens() {
            return Ok(Part::Expansion(self.expansion()?));
        }
        let mut out = String::new();
        let mut taken = false;
        while let Some(c) = self.peek().filter(|_| !self.opens()) {
            let escaped = match (escapes, c) {
                (Escapes::OfReplacements, '$') => self.rest[1..].starts_with('$'),
                (Escapes::OfReplacements, '\\') => self.rest[1..].starts_with(['/', '\\']),
                _ => false,
            };
            if escaped {
                out.push_str(&self.rest[1..2]);
                self.rest = &self.rest[2..];
            } else if accept(c) {
                out.push(c);
                self.rest = &self.rest[c.len_utf8()..];
            } else {
                break;
            }
            taken = true;
        }
        if taken {
            Ok(Part::Text(out))
        } else {
            Err(ExpandError::Parameter)
        }
    }
}

/// Letters and digits of any script, and `_`. Only names of ASCII can be set.
fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
