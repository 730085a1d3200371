//! Bytes into trees again.

use std::cell::OnceCell;
use std::fmt;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use weir_packed::Reader;

use super::tag;
use crate::Text;
use crate::function::{Function, Functions};
use crate::tree::{
    Body, Branch, Command, Few, Node, Number, Operand, Pipe, Position, Source, Template,
    TemplateNode, Variable,
};

/// How deep parentheses nest; the parser allows less.
const MAX_NESTING: u32 = 1000;

/// Nodes, packed.
#[derive(Debug)]
pub(crate) struct PackedBody {
    file: Rc<PackedFile>,
    /// Where they are among the file's bytes.
    range: Range<usize>,
    /// The place in the source from which the first of theirs is counted.
    at: Position,
    nodes: OnceCell<Option<Box<[Node]>>>,
}

/// What all that is packed of one file has in common.
struct PackedFile {
    bytes: Rc<[u8]>,
    /// Where the names of the functions are that its templates call.
    names: usize,
    functions: OnceCell<Option<Vec<Rc<Function>>>>,
    /// What the source is a piece of, where it begins in it, and how long it is.
    shared: Arc<String>,
    from: u32,
    length: u32,
}

impl fmt::Debug for PackedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

/// Reads what was written of a text, but for the nodes, which wait until they are wanted. Nothing if the bytes are none, or if
/// it takes the parser to know what becomes of the text.
pub(crate) fn read(packed: &Rc<[u8]>, name: &Text, text: &Text) -> Option<Vec<Rc<Template>>> {
    let (shared, from) = text.shared()?;
    let source = Rc::new(Source {
        name: name.clone(),
        text: Text::part_of(&shared, from, from + text.len())?,
    });
    let mut bytes = Reader::new(packed);
    let heads = bytes.bytes()?;
    let names = packed.len() - bytes.rest().len();
    let file = Rc::new(PackedFile {
        bytes: Rc::clone(packed),
        names,
        functions: OnceCell::new(),
        shared,
        from: u32::try_from(from).ok()?,
        length: u32::try_from(text.len()).ok()?,
    });
    let mut heads = Unpacker {
        bytes: Reader::new(heads),
        end: names,
        file: &file,
        functions: &[],
        at: 0,
        nesting: 0,
    };
    let count = heads.bytes.count()?;
    let mut templates = Vec::with_capacity(count);
    for number in 1..=count {
        let own = heads.bytes.flag()?;
        let name = match own {
            true => name.clone(),
            false => Text::from_bytes(heads.bytes.bytes()?),
        };
        // What the text defines may have the name that its file has here.
        if own != (number == count) || (!own && name == source.name) {
            return None;
        }
        templates.push(Rc::new(Template {
            name,
            source: Rc::clone(&source),
            empty: heads.bytes.flag()?,
            root: heads.body()?,
        }));
    }
    heads.bytes.rest().is_empty().then_some(templates)
}

impl PackedBody {
    /// The nodes; nothing if they are damaged.
    pub(crate) fn nodes(&self, functions: &Functions) -> Option<&[Node]> {
        let nodes = self
            .nodes
            .get_or_init(|| self.read(self.file.functions(functions)?));
        nodes.as_deref()
    }

    /// The nodes of a body inside of one that was read.
    pub(crate) fn nodes_again(&self) -> Option<&[Node]> {
        let functions = self.file.functions.get()?.as_ref()?;
        self.nodes.get_or_init(|| self.read(functions)).as_deref()
    }

    fn read(&self, functions: &[Rc<Function>]) -> Option<Box<[Node]>> {
        let mut unpacker = Unpacker {
            bytes: Reader::new(self.file.bytes.get(self.range.clone())?),
            end: self.range.end,
            file: &self.file,
            functions,
            at: self.at,
            nesting: 0,
        };
        let nodes = unpacker.many(Unpacker::node)?;
        unpacker.bytes.rest().is_empty().then(|| nodes.into())
    }
}

impl PackedFile {
    fn functions(&self, functions: &Functions) -> Option<&[Rc<Function>]> {
        let found = self.functions.get_or_init(|| {
            let mut names = Reader::new(self.bytes.get(self.names..)?);
            names.list(|names| functions.by_bytes(names.bytes()?).cloned())
        });
        found.as_deref()
    }
}

struct Unpacker<'p> {
    bytes: Reader<'p>,
    /// Where they end among the file's bytes.
    end: usize,
    file: &'p Rc<PackedFile>,
    /// The functions that the file calls.
    functions: &'p [Rc<Function>],
    at: Position,
    nesting: u32,
}

impl Unpacker<'_> {
    /// Nodes that wait until they are wanted.
    fn body(&mut self) -> Option<Body> {
        let length = self.bytes.bytes()?.len();
        let end = self.end - self.bytes.rest().len();
        Some(Body::Packed(PackedBody {
            file: Rc::clone(self.file),
            range: end - length..end,
            at: self.at,
            nodes: OnceCell::new(),
        }))
    }

    #[inline]
    fn position(&mut self) -> Option<Position> {
        let position = i64::from(self.at).checked_add(self.bytes.signed()?)?;
        self.at = u32::try_from(position)
            .ok()
            .filter(|at| *at <= self.file.length)?;
        Some(self.at)
    }

    /// A place of this many bytes at least.
    #[inline]
    fn range(&mut self, least: u32) -> Option<(Position, Position)> {
        let (start, end) = (self.position()?, self.position()?);
        (end.checked_sub(start)? >= least).then_some((start, end))
    }

    fn text(&mut self) -> Option<Text> {
        if !self.bytes.flag()? {
            return self.bytes.bytes().map(Text::from_bytes);
        }
        let (start, end) = self.range(0)?;
        let from = self.file.from;
        let (start, end) = (from.checked_add(start)?, from.checked_add(end)?);
        Text::part_of(&self.file.shared, start as usize, end as usize)
    }

    fn texts(&mut self) -> Option<Few<Text>> {
        self.few(Self::text)
    }

    #[inline]
    fn few<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Few<T>> {
        if self.bytes.rest().first() == Some(&1) {
            self.bytes.byte()?;
            return Some(Few::One(one(self)?));
        }
        Some(Few::Many(self.many(one)?.into()))
    }

    fn many<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.bytes.count()?;
        let mut many = Vec::with_capacity(count);
        for _ in 0..count {
            many.push(one(self)?);
        }
        Some(many)
    }

    fn option<T>(&mut self, one: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        Some(match self.bytes.flag()? {
            true => Some(one(self)?),
            false => None,
        })
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return None;
        }
        let read = inner(self);
        self.nesting -= 1;
        read
    }

    fn node(&mut self) -> Option<Node> {
        Some(match self.bytes.byte()? {
            tag::TEXT => {
                let (start, end) = self.range(0)?;
                Node::Text(start, end)
            }
            tag::LITERAL => {
                // Two quotes.
                let (start, end) = self.range(2)?;
                Node::Literal(start, end)
            }
            tag::ACTION => Node::Action(Box::new(self.pipe()?)),
            tag::IF => Node::If(self.branch()?),
            tag::WITH => Node::With(self.branch()?),
            tag::RANGE => Node::Range(self.branch()?),
            tag::TEMPLATE => Node::Template(Box::new(TemplateNode {
                position: self.position()?,
                name: self.text()?,
                pipe: self.option(Self::pipe)?,
            })),
            tag::BREAK => Node::Break(self.position()?),
            tag::CONTINUE => Node::Continue(self.position()?),
            _ => return None,
        })
    }

    fn branch(&mut self) -> Option<Box<Branch>> {
        let arms = self.few(|this| Some((this.pipe()?, this.body()?)))?;
        let otherwise = self.option(Self::body)?;
        Some(Box::new(Branch { arms, otherwise }))
    }

    fn pipe(&mut self) -> Option<Pipe> {
        Some(Pipe {
            position: self.position()?,
            declared: self.few(Self::variable)?,
            assigns: self.bytes.flag()?,
            commands: self.few(Self::command)?,
        })
    }

    fn command(&mut self) -> Option<Command> {
        let position = self.position()?;
        let operands = self.few(Self::operand)?;
        (!operands.is_empty()).then_some(Command { position, operands })
    }

    fn variable(&mut self) -> Option<Variable> {
        let position = self.position()?;
        let id = u32::try_from(self.bytes.number()?).ok()?;
        let (start, end) = self.range(0)?;
        Some(Variable {
            position,
            id,
            start,
            end,
        })
    }

    fn operand(&mut self) -> Option<Operand> {
        let tag = self.bytes.byte()?;
        Some(match tag {
            tag::VARIABLE => Operand::Variable(self.variable()?, self.texts()?),
            tag::PIPE => Operand::Pipe(Box::new(self.nested(Self::pipe)?)),
            _ => {
                let position = self.position()?;
                match tag {
                    tag::DOT => Operand::Dot(position),
                    tag::NIL => Operand::Nil(position),
                    tag::FALSE => Operand::Bool(position, false),
                    tag::TRUE => Operand::Bool(position, true),
                    tag::NUMBER => {
                        Operand::Number(position, Box::new(Number::again(self.bytes.text()?)?))
                    }
                    tag::STRING => Operand::String(position, self.position()?, self.text()?),
                    tag::FIELD => Operand::Field(position, self.texts()?),
                    tag::FUNCTION => {
                        let number = usize::try_from(self.bytes.number()?).ok()?;
                        Operand::Function(position, Rc::clone(self.functions.get(number)?))
                    }
                    tag::CHAIN => {
                        let operand = self.nested(Self::operand)?;
                        Operand::Chain(position, Box::new(operand), self.texts()?)
                    }
                    _ => return None,
                }
            }
        })
    }
}

/// All nodes of a body with those inside of them, as text; nothing if some are damaged or were parsed here.
#[cfg(test)]
pub(super) fn shown(body: &Body, functions: &Functions) -> Option<String> {
    fn inner(node: &Node, functions: &Functions) -> Option<String> {
        let (Node::If(branch) | Node::With(branch) | Node::Range(branch)) = node else {
            return Some(format!("{node:?}"));
        };
        let mut all = String::new();
        for (pipe, body) in branch.arms.iter() {
            all += &format!("{pipe:?} {}", shown(body, functions)?);
        }
        match &branch.otherwise {
            Some(body) => Some(all + &shown(body, functions)?),
            None => Some(all),
        }
    }
    let nodes = match body {
        Body::Parsed(nodes) => nodes,
        Body::Packed(packed) => packed.nodes(functions)?,
    };
    let nodes = nodes.iter().map(|node| inner(node, functions));
    Some(format!("{:?}", nodes.collect::<Option<Vec<_>>>()?))
}
