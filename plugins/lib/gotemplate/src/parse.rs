//! Tokens into trees. Recursive descent with three tokens of look-ahead; the messages and the lines they name are Go's.
//! Plain pipelines are read without tokens: see [`short`].

mod control;
mod lexer;
mod number;
mod pipeline;
mod short;
mod string;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use memchr::memchr;

use lexer::{Kind, Lexer, Token};
pub(crate) use number::Number;

use crate::by_name::Build;
use crate::error::ParseError;
use crate::function::Functions;
use crate::tree::{Body, Command, Node, Operand, Pipe, Position, Source, Template, Variable};
use crate::{Delimiters, Text, quote};

/// Blocks and parentheses inside of each other.
const MAX_NESTING: u32 = 200;

/// Parses a text. Gives its own template and those that it defines, each name once.
pub(crate) fn parse(
    name: &Text,
    text: &Text,
    functions: &Functions,
    delimiters: Delimiters,
) -> Result<Vec<Rc<Template>>, ParseError> {
    parse_by(name, text, functions, delimiters, Way::Short)
}

/// How pipelines are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The short way where it will do.
    Short,
    /// Tests compare the two.
    #[cfg(test)]
    Long,
}

fn parse_by(
    name: &Text,
    text: &Text,
    functions: &Functions,
    delimiters: Delimiters,
    way: Way,
) -> Result<Vec<Rc<Template>>, ParseError> {
    // Names and literals are pieces of the text, not copies.
    let shared = text.shared();
    let piece = shared
        .as_ref()
        .and_then(|(shared, from)| Text::part_of(shared, *from, *from + text.len()));
    let source = Rc::new(Source {
        name: name.clone(),
        text: piece.unwrap_or_else(|| text.clone()),
    });
    let bytes = source.text.as_bytes();
    let too_large = || ParseError {
        name: name.clone(),
        line: 1,
        offset: 0,
        message: "text is too large".to_owned(),
    };
    Position::try_from(bytes.len()).map_err(|_| too_large())?;
    let keyword = |name| functions.get(name).is_none();
    let mut parser = Parser {
        lexer: Lexer::new(bytes, delimiters, keyword("break"), keyword("continue")),
        shared,
        source: &source,
        functions,
        short: way == Way::Short && delimiters == Delimiters::GO,
        tokens: [Token {
            kind: Kind::Eof,
            start: 0,
            end: 0,
        }; 3],
        pending: 0,
        scope: Scope::default(),
        // Number 0 is the variable that every template has.
        ids: HashMap::from_iter([(&b"$"[..], 0)]),
        nodes: Vec::new(),
        arms: Vec::new(),
        declared: Vec::new(),
        commands: Vec::new(),
        operands: Vec::new(),
        names: Vec::new(),
        nesting: 0,
        templates: Vec::new(),
    };
    parser.file().map_err(|error| *error)?;
    Ok(parser.templates)
}

struct Parser<'p> {
    lexer: Lexer<'p>,
    source: &'p Rc<Source>,
    /// What the text is a piece of, and where it begins in it; nothing if it is no UTF-8.
    shared: Option<(Arc<String>, usize)>,
    functions: &'p Functions,
    /// Whether the short way is taken, which knows no other delimiters than Go's.
    short: bool,
    tokens: [Token; 3],
    /// How many of `tokens` were read ahead.
    pending: usize,
    scope: Scope,
    /// Numbers of variable names.
    ids: HashMap<&'p [u8], u32, Build>,
    // What belongs to lists that are not yet finished, so that each is made with exactly the memory that it needs.
    nodes: Vec<Node>,
    arms: Vec<(Pipe, Body)>,
    declared: Vec<Variable>,
    commands: Vec<Command>,
    operands: Vec<Operand>,
    names: Vec<Text>,
    nesting: u32,
    templates: Vec<Rc<Template>>,
}

/// What belongs to the body of one template.
#[derive(Default)]
struct Scope {
    /// Numbers of the variables in sight, besides `$`.
    variables: Vec<u32>,
    ranges: u32,
    /// What the action began with.
    action: Option<Token>,
}

/// What ends a list of nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    End,
    Else,
}

impl Stop {
    fn text(self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

/// A node, or the keyword that ends the list.
enum Item {
    Node(Node),
    Stop(Stop),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Control {
    If,
    With,
    Range,
}

/// Errors are boxed, so that what is found is cheap to hand on.
type Parsed<T> = Result<T, Box<ParseError>>;

/// Whether a literal says what it looks like, as most do.
fn is_plain(literal: &[u8]) -> bool {
    match literal {
        [b'"', inner @ .., b'"'] => memchr(b'\\', inner).is_none(),
        [b'`', inner @ .., b'`'] => memchr(b'\r', inner).is_none(),
        _ => false,
    }
}

impl<'p> Parser<'p> {
    fn next(&mut self) -> Token {
        if self.pending > 0 {
            self.pending -= 1;
        } else {
            self.tokens[0] = self.lexer.next();
        }
        self.tokens[self.pending]
    }

    fn back(&mut self) {
        self.pending += 1;
    }

    fn peek(&mut self) -> Token {
        if self.pending == 0 {
            self.pending = 1;
            self.tokens[0] = self.lexer.next();
        }
        self.tokens[self.pending - 1]
    }

    /// What comes next besides blanks.
    fn next_solid(&mut self) -> Token {
        while self.pending > 0 {
            self.pending -= 1;
            let token = self.tokens[self.pending];
            if token.kind != Kind::Space {
                return token;
            }
        }
        loop {
            let token = self.lexer.next();
            if token.kind != Kind::Space {
                self.tokens[0] = token;
                return token;
            }
        }
    }

    fn peek_solid(&mut self) -> Token {
        let token = self.next_solid();
        self.back();
        token
    }

    fn value(&self, token: Token) -> &'p [u8] {
        self.lexer.value(token)
    }

    #[cold]
    fn fail<T>(&self, message: impl Into<String>) -> Parsed<T> {
        let token = self.tokens[0];
        Err(Box::new(ParseError {
            name: self.source.name.clone(),
            line: self.lexer.line(token),
            offset: token.start as usize,
            message: message.into(),
        }))
    }

    #[cold]
    fn unexpected<T>(&self, token: Token, context: &str) -> Parsed<T> {
        let text = self.lexer.describe(token);
        if token.kind != Kind::Error {
            return self.fail(format!("unexpected {text} in {context}"));
        }
        let Some(action) = self.scope.action else {
            return self.fail(text);
        };
        let started = self.lexer.line(action);
        if started == self.lexer.line(token) {
            return self.fail(text);
        }
        let action = if text.ends_with(" action") {
            ""
        } else {
            " in action"
        };
        self.fail(format!(
            "{text}{action} started at {}:{started}",
            self.source.name
        ))
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Token> {
        let token = self.next_solid();
        if token.kind == kind {
            Ok(token)
        } else {
            self.unexpected(token, context)
        }
    }

    fn id(&mut self, token: Token) -> u32 {
        let name = self.value(token);
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        self.ids.insert(name, id);
        id
    }

    /// A piece of the text.
    fn text_of(&self, start: Position, end: Position) -> Text {
        let (start, end) = (start as usize, end as usize);
        let piece = self
            .shared
            .as_ref()
            .and_then(|(shared, from)| Text::part_of(shared, from + start, from + end));
        piece.unwrap_or_else(|| Text::from_bytes(&self.source.text.as_bytes()[start..end]))
    }

    /// Enters a block or parenthesis.
    fn enter(&mut self) -> Parsed<()> {
        if self.nesting >= MAX_NESTING {
            return self.fail("max expression depth exceeded");
        }
        self.nesting += 1;
        Ok(())
    }

    /// The whole text.
    fn file(&mut self) -> Parsed<()> {
        let mut root = Vec::new();
        while self.peek().kind != Kind::Eof {
            if self.peek().kind == Kind::LeftDelim {
                let delimiter = self.next();
                if self.next_solid().kind == Kind::Define {
                    self.definition()?;
                    continue;
                }
                self.tokens[1] = delimiter;
                self.pending = 2;
            }
            match self.item()? {
                Item::Node(node) => root.push(node),
                Item::Stop(stop) => return self.fail(format!("unexpected {}", stop.text())),
            }
        }
        self.add(self.source.name.clone(), root.into())
    }

    /// `{{ define "name" }} … {{ end }}`, the keyword already read.
    fn definition(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let outer = std::mem::take(&mut self.scope);
        let token = self.next_solid();
        let name = self.template_name(token, CONTEXT)?;
        self.expect(Kind::RightDelim, CONTEXT)?;
        let (root, stop) = self.list()?;
        if stop != Stop::End {
            return self.fail(format!("unexpected {} in {CONTEXT}", stop.text()));
        }
        self.scope = outer;
        self.add(name, root)
    }

    /// Adds a template. One text may define a name twice only if one of the two is empty.
    fn add(&mut self, name: Text, root: Box<[Node]>) -> Parsed<()> {
        let text = self.source.text.as_bytes();
        let empty = root.iter().all(|node| match node {
            Node::Text(start, end) => {
                text[*start as usize..*end as usize]
                    .utf8_chunks()
                    .all(|chunk| {
                        chunk.invalid().is_empty() && chunk.valid().chars().all(char::is_whitespace)
                    })
            }
            _ => false,
        });
        let known = self
            .templates
            .iter()
            .position(|template| template.name == name);
        let template = Rc::new(Template {
            name,
            source: Rc::clone(self.source),
            root: Body::Parsed(root),
            empty,
        });
        match known {
            None => self.templates.push(template),
            Some(index) if self.templates[index].empty => self.templates[index] = template,
            Some(_) if empty => {}
            Some(_) => {
                return self.fail(format!(
                    "template: multiple definition of template {}",
                    quote(&template.name)
                ));
            }
        }
        Ok(())
    }

    /// Nodes up to `end` or `else`.
    fn list(&mut self) -> Parsed<(Box<[Node]>, Stop)> {
        self.enter()?;
        let first = self.nodes.len();
        while self.peek_solid().kind != Kind::Eof {
            match self.item()? {
                Item::Node(node) => self.nodes.push(node),
                Item::Stop(stop) => {
                    self.nesting -= 1;
                    return Ok((self.nodes.split_off(first).into(), stop));
                }
            }
        }
        self.fail("unexpected EOF")
    }

    fn item(&mut self) -> Parsed<Item> {
        let token = self.next_solid();
        match token.kind {
            Kind::Text => Ok(Item::Node(Node::Text(token.start, token.end))),
            Kind::LeftDelim => {
                self.scope.action = Some(token);
                let item = self.action()?;
                self.scope.action = None;
                Ok(item)
            }
            _ => self.unexpected(token, "input"),
        }
    }

    fn action(&mut self) -> Parsed<Item> {
        let token = self.next_solid();
        let node = match token.kind {
            Kind::Block => self.block()?,
            Kind::Break => self.jump(token, "{{break}}")?,
            Kind::Continue => self.jump(token, "{{continue}}")?,
            Kind::Else => {
                let next = self.peek_solid();
                if !matches!(next.kind, Kind::If | Kind::With) {
                    self.expect(Kind::RightDelim, "else")?;
                }
                return Ok(Item::Stop(Stop::Else));
            }
            Kind::End => {
                self.expect(Kind::RightDelim, "end")?;
                return Ok(Item::Stop(Stop::End));
            }
            Kind::If => Node::If(Box::new(self.control(Control::If, "if")?)),
            Kind::With => Node::With(Box::new(self.control(Control::With, "with")?)),
            Kind::Range => Node::Range(Box::new(self.control(Control::Range, "range")?)),
            Kind::Template => self.template()?,
            Kind::String | Kind::RawString if self.is_alone(token) => {
                Node::Literal(token.start, token.end)
            }
            _ => {
                self.back();
                Node::Action(Box::new(self.pipeline("command", Kind::RightDelim)?))
            }
        };
        Ok(Item::Node(node))
    }

    /// Whether a literal says what it looks like and is all that its action consists of; the end of the action is read then.
    fn is_alone(&mut self, literal: Token) -> bool {
        // The literal itself may have been read ahead only if nothing is behind it.
        if self.pending > 0 || !is_plain(self.value(literal)) {
            return false;
        }
        let after = self.next();
        if after.kind == Kind::RightDelim {
            return true;
        }
        if after.kind != Kind::Space {
            self.tokens[1] = literal;
            // What comes next is the literal after one more step back.
            self.pending = 1;
            return false;
        }
        if self.next().kind == Kind::RightDelim {
            return true;
        }
        self.tokens[1] = after;
        self.tokens[2] = literal;
        self.pending = 2;
        false
    }
}
