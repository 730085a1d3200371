//! The parsed form of a template: nodes with the positions that error messages need, and with functions already found.

mod few;
mod print;

use std::borrow::Cow;
use std::rc::Rc;

use crate::Text;
use crate::function::Function;
use crate::packed::PackedBody;
pub(crate) use crate::parse::Number;
pub(crate) use few::Few;

/// A text that was parsed, and the name under which it was.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) name: Text,
    pub(crate) text: Text,
}

impl Source {
    /// A piece of the text, for messages.
    pub(crate) fn piece(&self, start: Position, end: Position) -> Cow<'_, str> {
        let bytes = self.text.as_bytes().get(start as usize..end as usize);
        String::from_utf8_lossy(bytes.unwrap_or_default())
    }
}

/// One template: a file's own text or a `define` inside of it.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) name: Text,
    pub(crate) source: Rc<Source>,
    pub(crate) root: Body,
    /// True if there is nothing but blanks and comments: such a template does not replace another.
    pub(crate) empty: bool,
}

/// Nodes one after the other.
#[derive(Debug)]
pub(crate) enum Body {
    Parsed(Box<[Node]>),
    /// Packed until somebody comes this way.
    Packed(PackedBody),
}

/// A byte in the source.
pub(crate) type Position = u32;

/// A piece of a template's text. Small, for there are many: what is large is elsewhere.
#[derive(Debug)]
pub(crate) enum Node {
    /// Literal text: a range of the source.
    Text(Position, Position),
    /// An action that is nothing but a string which says what it looks like: the literal's place in the source, quotes included.
    Literal(Position, Position),
    Action(Box<Pipe>),
    If(Box<Branch>),
    With(Box<Branch>),
    Range(Box<Branch>),
    Template(Box<TemplateNode>),
    Break(Position),
    Continue(Position),
}

/// `if`, `with` or `range`, with the `else if` or `else with` that follow.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) arms: Few<(Pipe, Body)>,
    pub(crate) otherwise: Option<Body>,
}

/// `{{ template "name" pipeline }}`.
#[derive(Debug)]
pub(crate) struct TemplateNode {
    pub(crate) position: Position,
    pub(crate) name: Text,
    pub(crate) pipe: Option<Pipe>,
}

/// Commands whose results flow into each other, and the variables that take the last one.
#[derive(Debug)]
pub(crate) struct Pipe {
    pub(crate) position: Position,
    pub(crate) declared: Few<Variable>,
    /// True for `=`, false for `:=`.
    pub(crate) assigns: bool,
    pub(crate) commands: Few<Command>,
}

/// A function or value and its arguments.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) position: Position,
    /// Never empty.
    pub(crate) operands: Few<Operand>,
}

impl Command {
    /// Whether it begins with a value that nothing can be handed to.
    pub(crate) fn is_literal(&self) -> bool {
        matches!(
            self.operands.first(),
            Some(
                Operand::Bool(..)
                    | Operand::Dot(_)
                    | Operand::Nil(_)
                    | Operand::Number(..)
                    | Operand::String(..)
            )
        )
    }
}

/// A variable: its number within the text, which stands for its name.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) position: Position,
    pub(crate) id: u32,
    /// Where its name stands in the source, with the dollar sign.
    pub(crate) start: Position,
    pub(crate) end: Position,
}

impl Variable {
    pub(crate) fn name<'s>(&self, source: &'s Source) -> Cow<'s, str> {
        source.piece(self.start, self.end)
    }
}

#[derive(Debug)]
pub(crate) enum Operand {
    Dot(Position),
    Nil(Position),
    Bool(Position, bool),
    Number(Position, Box<Number>),
    /// The literal's place in the source and its value.
    String(Position, Position, Text),
    /// `.A.B`.
    Field(Position, Few<Text>),
    /// `$x.A.B`.
    Variable(Variable, Few<Text>),
    Function(Position, Rc<Function>),
    Pipe(Box<Pipe>),
    /// `(pipeline).A.B`.
    Chain(Position, Box<Operand>, Few<Text>),
}

impl Operand {
    pub(crate) fn position(&self) -> Position {
        match self {
            Self::Dot(position)
            | Self::Nil(position)
            | Self::Bool(position, _)
            | Self::Number(position, _)
            | Self::String(position, ..)
            | Self::Field(position, _)
            | Self::Function(position, _)
            | Self::Chain(position, ..) => *position,
            Self::Variable(variable, _) => variable.position,
            Self::Pipe(pipe) => pipe.position,
        }
    }
}

/// The node that an error is blamed on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NodeRef<'t> {
    Node(&'t Node),
    Template(&'t TemplateNode),
    Pipe(&'t Pipe),
    Command(&'t Command),
    Operand(&'t Operand),
}

impl NodeRef<'_> {
    pub(crate) fn position(self) -> Position {
        match self {
            Self::Node(node) => match node {
                Node::Text(position, _)
                | Node::Literal(position, _)
                | Node::Break(position)
                | Node::Continue(position) => *position,
                Node::Action(pipe) => pipe.position,
                Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
                    branch.arms.first().map_or(0, |(pipe, _)| pipe.position)
                }
                Node::Template(node) => node.position,
            },
            Self::Template(node) => node.position,
            Self::Pipe(pipe) => pipe.position,
            Self::Command(command) => command.position,
            Self::Operand(operand) => operand.position(),
        }
    }

    /// The node as text, the way Go prints it back.
    pub(crate) fn print(self, source: &Source) -> String {
        print::print(self, source)
    }
}
