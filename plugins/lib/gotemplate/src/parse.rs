//! Tokens into trees. Recursive descent with three tokens of look-ahead; the messages and the lines they name are Go's.

mod lexer;
mod number;
mod string;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use memchr::memchr;

use lexer::{Kind, Lexer, Token};
pub(crate) use number::Number;

use crate::error::ParseError;
use crate::function::Functions;
use crate::tree::{
    Branch, Command, Few, Node, Operand, Pipe, Position, Source, Template, TemplateNode, Variable,
};
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
        tokens: [Token {
            kind: Kind::Eof,
            start: 0,
            end: 0,
        }; 3],
        pending: 0,
        scope: Scope::default(),
        // Number 0 is the variable that every template has.
        ids: BTreeMap::from([(&b"$"[..], 0)]),
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
    tokens: [Token; 3],
    /// How many of `tokens` were read ahead.
    pending: usize,
    scope: Scope,
    /// Numbers of variable names.
    ids: BTreeMap<&'p [u8], u32>,
    // What belongs to lists that are not yet finished, so that each is made with exactly the memory that it needs.
    nodes: Vec<Node>,
    arms: Vec<(Pipe, Box<[Node]>)>,
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

/// Positions fit, as texts longer than a position can count were refused.
fn position(token: Token) -> Position {
    Position::try_from(token.start).unwrap_or(Position::MAX)
}

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

    fn next_solid(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != Kind::Space {
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
            offset: token.start,
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
    fn text_of(&self, start: usize, end: usize) -> Text {
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
            root,
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
                    return Ok((self.nodes.drain(first..).collect(), stop));
                }
            }
        }
        self.fail("unexpected EOF")
    }

    fn item(&mut self) -> Parsed<Item> {
        let token = self.next_solid();
        match token.kind {
            Kind::Text => {
                let end = Position::try_from(token.end).unwrap_or(Position::MAX);
                Ok(Item::Node(Node::Text(position(token), end)))
            }
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
            Kind::String | Kind::RawString if self.is_alone(token) => Node::Literal(
                position(token),
                Position::try_from(token.end).unwrap_or(Position::MAX),
            ),
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

    fn jump(&mut self, keyword: Token, text: &str) -> Parsed<Node> {
        let token = self.next_solid();
        if token.kind != Kind::RightDelim {
            return self.unexpected(token, text);
        }
        if self.scope.ranges == 0 {
            return self.fail(format!("{text} outside {{{{range}}}}"));
        }
        Ok(if keyword.kind == Kind::Break {
            Node::Break(position(keyword))
        } else {
            Node::Continue(position(keyword))
        })
    }

    /// `if`, `with` or `range`, the keyword already read. A chain of `else if` is one branch with many arms.
    fn control(&mut self, control: Control, context: &str) -> Parsed<Branch> {
        let variables = self.scope.variables.len();
        let first = self.arms.len();
        let mut otherwise = None;
        loop {
            let pipe = self.pipeline(context, Kind::RightDelim)?;
            let ranges = u32::from(control == Control::Range);
            self.scope.ranges += ranges;
            let (list, stop) = self.list()?;
            self.scope.ranges -= ranges;
            self.arms.push((pipe, list));
            if stop == Stop::End {
                break;
            }
            let chained = match control {
                Control::If => self.peek().kind == Kind::If,
                Control::With => self.peek().kind == Kind::With,
                Control::Range => false,
            };
            if chained {
                self.next();
                continue;
            }
            let (list, stop) = self.list()?;
            if stop != Stop::End {
                return self.fail(format!("expected end; found {}", stop.text()));
            }
            otherwise = Some(list);
            break;
        }
        self.scope.variables.truncate(variables);
        Ok(Branch {
            arms: Few::take(&mut self.arms, first),
            otherwise,
        })
    }

    /// `block`: a definition and its use.
    fn block(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "block clause";
        let token = self.next_solid();
        let name = self.template_name(token, CONTEXT)?;
        let pipe = self.pipeline(CONTEXT, Kind::RightDelim)?;
        let outer = std::mem::take(&mut self.scope);
        let start = self.tokens[0];
        let (root, stop) = self.list()?;
        if stop != Stop::End {
            // Go blames the line on which the block's own clause ended.
            self.tokens[0] = start;
            return self.fail(format!("unexpected {} in {CONTEXT}", stop.text()));
        }
        self.scope = outer;
        self.add(name.clone(), root)?;
        Ok(Node::Template(Box::new(TemplateNode {
            position: position(token),
            name,
            pipe: Some(pipe),
        })))
    }

    fn template(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "template clause";
        let token = self.next_solid();
        let name = self.template_name(token, CONTEXT)?;
        let mut pipe = None;
        if self.next_solid().kind != Kind::RightDelim {
            self.back();
            pipe = Some(self.pipeline(CONTEXT, Kind::RightDelim)?);
        }
        Ok(Node::Template(Box::new(TemplateNode {
            position: position(token),
            name,
            pipe,
        })))
    }

    fn template_name(&self, token: Token, context: &str) -> Parsed<Text> {
        if !matches!(token.kind, Kind::String | Kind::RawString) {
            return self.unexpected(token, context);
        }
        self.unquoted(token)
    }

    fn unquoted(&self, token: Token) -> Parsed<Text> {
        let value = self.value(token);
        if is_plain(value) {
            return Ok(self.text_of(token.start + 1, token.end - 1));
        }
        match string::unquote(value) {
            Some(bytes) => Ok(Text::from(bytes)),
            None => self.fail("invalid syntax"),
        }
    }

    fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let first = self.peek_solid();
        let mut pipe = Pipe {
            position: position(first),
            declared: Few::default(),
            assigns: false,
            commands: Few::default(),
        };
        self.declarations(&mut pipe, context)?;
        let first = self.commands.len();
        loop {
            let token = self.next_solid();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::CharConstant
                | Kind::Complex
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Nil
                | Kind::RawString
                | Kind::String
                | Kind::Variable
                | Kind::LeftParen => {
                    self.back();
                    let command = self.command()?;
                    self.commands.push(command);
                }
                _ => return self.unexpected(token, context),
            }
        }
        pipe.commands = Few::take(&mut self.commands, first);
        if pipe.commands.is_empty() {
            return self.fail(format!("missing value for {context}"));
        }
        let literal = pipe.commands.iter().skip(1).position(|command| {
            matches!(
                command.operands.first(),
                Some(
                    Operand::Bool(..)
                        | Operand::Dot(_)
                        | Operand::Nil(_)
                        | Operand::Number(..)
                        | Operand::String(..)
                )
            )
        });
        match literal {
            Some(stage) => self.fail(format!(
                "non executable command in pipeline stage {}",
                stage + 2
            )),
            None => Ok(pipe),
        }
    }

    /// The variables in front of `:=` or `=`, if there are any.
    fn declarations(&mut self, pipe: &mut Pipe, context: &str) -> Parsed<()> {
        let result = self.declared(pipe, context);
        pipe.declared = Few::take(&mut self.declared, 0);
        result
    }

    fn declared(&mut self, pipe: &mut Pipe, context: &str) -> Parsed<()> {
        loop {
            let variable = self.peek_solid();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            self.next();
            let after = self.peek();
            let next = self.peek_solid();
            match next.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.assigns = next.kind == Kind::Assign;
                    self.next_solid();
                    self.declare(variable);
                    return Ok(());
                }
                Kind::Char if self.value(next) == b"," => {
                    self.next_solid();
                    self.declare(variable);
                    if context != "range" || self.declared.len() >= 2 {
                        return self.fail(format!("too many declarations in {context}"));
                    }
                    if !matches!(
                        self.peek_solid().kind,
                        Kind::Variable | Kind::RightDelim | Kind::RightParen
                    ) {
                        return self.fail("range can only initialize variables");
                    }
                }
                _ => {
                    self.tokens[1] = if after.kind == Kind::Space {
                        after
                    } else {
                        variable
                    };
                    self.tokens[2] = variable;
                    self.pending = if after.kind == Kind::Space { 3 } else { 2 };
                    return Ok(());
                }
            }
        }
    }

    fn declare(&mut self, token: Token) {
        let variable = self.variable(token);
        self.scope.variables.push(variable.id);
        self.declared.push(variable);
    }

    fn variable(&mut self, token: Token) -> Variable {
        let id = self.id(token);
        Variable {
            position: position(token),
            id,
            start: position(token),
            end: Position::try_from(token.end).unwrap_or(Position::MAX),
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        let position = position(self.peek_solid());
        let first = self.operands.len();
        loop {
            self.peek_solid();
            if let Some(operand) = self.operand()? {
                self.operands.push(operand);
            }
            let token = self.next();
            match token.kind {
                Kind::Space => continue,
                Kind::RightDelim | Kind::RightParen => self.back(),
                Kind::Pipe => {}
                _ => return self.unexpected(token, "operand"),
            }
            break;
        }
        if self.operands.len() == first {
            return self.fail("empty command");
        }
        Ok(Command {
            position,
            operands: Few::take(&mut self.operands, first),
        })
    }

    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(term) = self.term()? else {
            return Ok(None);
        };
        let first = self.peek();
        if first.kind != Kind::Field {
            return Ok(Some(match term {
                Operand::Field(position, _) => {
                    Operand::Field(position, Few::take(&mut self.names, 0))
                }
                term => term,
            }));
        }
        while self.peek().kind == Kind::Field {
            let token = self.next();
            let name = self.field_name(token);
            self.names.push(name);
        }
        let names = Few::take(&mut self.names, 0);
        let position = position(first);
        Ok(Some(match term {
            Operand::Field(..) => Operand::Field(position, names),
            Operand::Variable(variable, _) => Operand::Variable(
                Variable {
                    position,
                    ..variable
                },
                names,
            ),
            Operand::Bool(..)
            | Operand::String(..)
            | Operand::Number(..)
            | Operand::Nil(_)
            | Operand::Dot(_) => {
                let term = crate::tree::NodeRef::Operand(&term).print(self.source);
                return self.fail(format!("unexpected . after term {}", quote(term)));
            }
            term => Operand::Chain(position, Box::new(term), names),
        }))
    }

    fn field_name(&self, token: Token) -> Text {
        self.text_of(token.start + 1, token.end)
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let token = self.next_solid();
        let position = position(token);
        Ok(Some(match token.kind {
            Kind::Identifier => {
                let name = self.value(token);
                match self.functions.by_bytes(name) {
                    Some(function) => Operand::Function(position, Rc::clone(function)),
                    None => return self.fail(format!("function {} not defined", quote(name))),
                }
            }
            Kind::Dot => Operand::Dot(position),
            Kind::Nil => Operand::Nil(position),
            Kind::Variable => {
                let variable = self.variable(token);
                if variable.id != 0 && !self.scope.variables.contains(&variable.id) {
                    return self.fail(format!("undefined variable {}", quote(self.value(token))));
                }
                Operand::Variable(variable, Few::default())
            }
            // Its names wait for those that follow: see [`Self::operand`].
            Kind::Field => {
                let name = self.field_name(token);
                self.names.push(name);
                Operand::Field(position, Few::default())
            }
            Kind::Bool => Operand::Bool(position, self.value(token) == b"true"),
            Kind::CharConstant | Kind::Complex | Kind::Number => {
                let text = String::from_utf8_lossy(self.value(token));
                let number = match token.kind {
                    Kind::CharConstant => Number::character(&text),
                    Kind::Complex => Number::complex(&text),
                    _ => Number::plain(&text),
                };
                match number {
                    Ok(number) => Operand::Number(position, Box::new(number)),
                    Err(message) => return self.fail(message),
                }
            }
            Kind::LeftParen => {
                self.enter()?;
                let pipe = self.pipeline("parenthesized pipeline", Kind::RightParen)?;
                self.nesting -= 1;
                Operand::Pipe(Box::new(pipe))
            }
            Kind::String | Kind::RawString => {
                let end = Position::try_from(token.end).unwrap_or(Position::MAX);
                Operand::String(position, end, self.unquoted(token)?)
            }
            _ => {
                self.back();
                return Ok(None);
            }
        }))
    }
}
