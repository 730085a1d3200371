//! Trees into bytes.

use std::rc::Rc;

use weir_packed::Writer;

use super::tag;
use crate::Text;
use crate::by_name::ByName;
use crate::tree::{
    Body, Branch, Command, Node, Operand, Pipe, Position, Source, Template, TemplateNode, Variable,
};

/// Writes what a text was parsed into, its own template last. Nothing if the text is no UTF-8.
pub(crate) fn write(templates: &[Rc<Template>]) -> Option<Vec<u8>> {
    let source = &templates.last()?.source;
    source.text.as_str()?;
    let mut functions = ByName::default();
    let mut heads = Writer::default();
    heads.count(templates.len());
    for template in templates {
        let own = template.name == source.name;
        heads.flag(own);
        if !own {
            heads.bytes(template.name.as_bytes());
        }
        heads.flag(template.empty);
        Packer {
            out: &mut heads,
            source,
            functions: &mut functions,
            at: 0,
        }
        .body(&template.root);
    }
    let mut names: Vec<(usize, Text)> = functions
        .into_iter()
        .map(|(name, number)| (number, name))
        .collect();
    names.sort();
    let mut packed = Writer::default();
    packed.bytes(&heads.finish());
    packed.count(names.len());
    for (_, name) in names {
        packed.bytes(name.as_bytes());
    }
    Some(packed.finish())
}

struct Packer<'t> {
    out: &'t mut Writer,
    source: &'t Source,
    /// Numbers of the functions that the text calls.
    functions: &'t mut ByName<usize>,
    /// The place that was last written: the next one is seldom far.
    at: Position,
}

impl Packer<'_> {
    fn position(&mut self, position: Position) {
        self.out.signed(i64::from(position) - i64::from(self.at));
        self.at = position;
    }

    /// A text: a place in the source if it is a piece of it, else its bytes.
    fn text(&mut self, text: &Text) {
        match text.part_in(&self.source.text) {
            Some((start, end)) => {
                self.out.flag(true);
                self.position(start);
                self.position(end);
            }
            None => {
                self.out.flag(false);
                self.out.bytes(text.as_bytes());
            }
        }
    }

    fn texts(&mut self, texts: &[Text]) {
        self.out.count(texts.len());
        texts.iter().for_each(|text| self.text(text));
    }

    /// Nodes, and in front of them their length: most of them nobody will read. What is behind them does not depend on them.
    fn body(&mut self, body: &Body) {
        let mut out = Writer::default();
        if let Body::Parsed(nodes) = body {
            let mut inner = Packer {
                out: &mut out,
                source: self.source,
                functions: self.functions,
                at: self.at,
            };
            inner.out.count(nodes.len());
            nodes.iter().for_each(|node| inner.node(node));
        }
        self.out.bytes(&out.finish());
    }

    fn node(&mut self, node: &Node) {
        let mut range = |tag: u8, start: Position, end: Position| {
            self.out.byte(tag);
            self.position(start);
            self.position(end);
        };
        match node {
            Node::Text(start, end) => range(tag::TEXT, *start, *end),
            Node::Literal(start, end) => range(tag::LITERAL, *start, *end),
            Node::Action(pipe) => {
                self.out.byte(tag::ACTION);
                self.pipe(pipe);
            }
            Node::If(branch) => self.branch(tag::IF, branch),
            Node::With(branch) => self.branch(tag::WITH, branch),
            Node::Range(branch) => self.branch(tag::RANGE, branch),
            Node::Template(node) => self.template(node),
            Node::Break(position) => {
                self.out.byte(tag::BREAK);
                self.position(*position);
            }
            Node::Continue(position) => {
                self.out.byte(tag::CONTINUE);
                self.position(*position);
            }
        }
    }

    fn branch(&mut self, tag: u8, branch: &Branch) {
        self.out.byte(tag);
        self.out.count(branch.arms.len());
        for (pipe, body) in branch.arms.iter() {
            self.pipe(pipe);
            self.body(body);
        }
        self.out.flag(branch.otherwise.is_some());
        if let Some(body) = &branch.otherwise {
            self.body(body);
        }
    }

    fn template(&mut self, node: &TemplateNode) {
        self.out.byte(tag::TEMPLATE);
        self.position(node.position);
        self.text(&node.name);
        self.out.flag(node.pipe.is_some());
        if let Some(pipe) = &node.pipe {
            self.pipe(pipe);
        }
    }

    fn pipe(&mut self, pipe: &Pipe) {
        self.position(pipe.position);
        self.out.count(pipe.declared.len());
        for variable in pipe.declared.iter() {
            self.variable(variable);
        }
        self.out.flag(pipe.assigns);
        self.out.count(pipe.commands.len());
        for command in pipe.commands.iter() {
            self.command(command);
        }
    }

    fn command(&mut self, command: &Command) {
        self.position(command.position);
        self.out.count(command.operands.len());
        for operand in command.operands.iter() {
            self.operand(operand);
        }
    }

    fn variable(&mut self, variable: &Variable) {
        self.position(variable.position);
        self.out.number(u64::from(variable.id));
        self.position(variable.start);
        self.position(variable.end);
    }

    fn operand(&mut self, operand: &Operand) {
        let mut tagged = |tag: u8, position: Position| {
            self.out.byte(tag);
            self.position(position);
        };
        match operand {
            Operand::Dot(position) => tagged(tag::DOT, *position),
            Operand::Nil(position) => tagged(tag::NIL, *position),
            Operand::Bool(position, false) => tagged(tag::FALSE, *position),
            Operand::Bool(position, true) => tagged(tag::TRUE, *position),
            Operand::Number(position, number) => {
                tagged(tag::NUMBER, *position);
                self.out.text(&number.text);
            }
            Operand::String(position, end, text) => {
                tagged(tag::STRING, *position);
                self.position(*end);
                self.text(text);
            }
            Operand::Field(position, names) => {
                tagged(tag::FIELD, *position);
                self.texts(names);
            }
            Operand::Variable(variable, names) => {
                self.out.byte(tag::VARIABLE);
                self.variable(variable);
                self.texts(names);
            }
            Operand::Function(position, function) => {
                tagged(tag::FUNCTION, *position);
                let next = self.functions.len();
                let number = *self.functions.entry(function.name.clone()).or_insert(next);
                self.out.count(number);
            }
            Operand::Pipe(pipe) => {
                self.out.byte(tag::PIPE);
                self.pipe(pipe);
            }
            Operand::Chain(position, operand, names) => {
                tagged(tag::CHAIN, *position);
                self.operand(operand);
                self.texts(names);
            }
        }
    }
}
