//! Nodes as text again, for error messages.

use super::{Body, Branch, Command, Node, NodeRef, Operand, Pipe, Source, TemplateNode};
use crate::{Text, quote};

pub(super) fn print(node: NodeRef<'_>, source: &Source) -> String {
    let mut printer = Printer {
        source,
        out: String::new(),
    };
    match node {
        NodeRef::Node(node) => printer.node(node),
        NodeRef::Template(node) => printer.template(node),
        NodeRef::Pipe(pipe) => printer.pipe(pipe),
        NodeRef::Command(command) => printer.command(command),
        NodeRef::Operand(operand) => printer.operand(operand),
    }
    printer.out
}

struct Printer<'s> {
    source: &'s Source,
    out: String,
}

impl Printer<'_> {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn body(&mut self, body: &Body) {
        let nodes = match body {
            Body::Parsed(nodes) => nodes,
            Body::Packed(packed) => packed.nodes_again().unwrap_or_default(),
        };
        for node in nodes {
            self.node(node);
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Text(start, end) => {
                let text = self.source.piece(*start, *end);
                self.push(&quote(text.as_bytes()));
            }
            Node::Literal(start, end) => {
                let text = self.source.piece(*start, *end);
                self.push("{{");
                self.push(&text);
                self.push("}}");
            }
            Node::Action(pipe) => {
                self.push("{{");
                self.pipe(pipe);
                self.push("}}");
            }
            Node::If(branch) => self.branch("if", branch),
            Node::With(branch) => self.branch("with", branch),
            Node::Range(branch) => self.branch("range", branch),
            Node::Template(node) => self.template(node),
            Node::Break(_) => self.push("{{break}}"),
            Node::Continue(_) => self.push("{{continue}}"),
        }
    }

    fn branch(&mut self, name: &str, branch: &Branch) {
        for (index, (pipe, list)) in branch.arms.iter().enumerate() {
            if index > 0 {
                self.push("{{else}}");
            }
            self.push("{{");
            self.push(name);
            self.push(" ");
            self.pipe(pipe);
            self.push("}}");
            self.body(list);
        }
        if let Some(list) = &branch.otherwise {
            self.push("{{else}}");
            self.body(list);
        }
        self.push(&"{{end}}".repeat(branch.arms.len()));
    }

    fn template(&mut self, node: &TemplateNode) {
        self.push("{{template ");
        self.push(&quote(&node.name));
        if let Some(pipe) = &node.pipe {
            self.push(" ");
            self.pipe(pipe);
        }
        self.push("}}");
    }

    fn pipe(&mut self, pipe: &Pipe) {
        for (index, variable) in pipe.declared.iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.push(&variable.name(self.source));
        }
        if !pipe.declared.is_empty() {
            self.push(if pipe.assigns { " = " } else { " := " });
        }
        for (index, command) in pipe.commands.iter().enumerate() {
            if index > 0 {
                self.push(" | ");
            }
            self.command(command);
        }
    }

    fn command(&mut self, command: &Command) {
        for (index, operand) in command.operands.iter().enumerate() {
            if index > 0 {
                self.push(" ");
            }
            match operand {
                Operand::Pipe(pipe) => self.in_parens(pipe),
                operand => self.operand(operand),
            }
        }
    }

    fn in_parens(&mut self, pipe: &Pipe) {
        self.push("(");
        self.pipe(pipe);
        self.push(")");
    }

    fn operand(&mut self, operand: &Operand) {
        match operand {
            Operand::Dot(_) => self.push("."),
            Operand::Nil(_) => self.push("nil"),
            Operand::Bool(_, truth) => self.push(if *truth { "true" } else { "false" }),
            Operand::Number(_, number) => self.push(&number.text),
            Operand::String(start, end, _) => {
                let text = self.source.piece(*start, *end);
                self.push(&text);
            }
            Operand::Field(_, names) => self.fields(names),
            Operand::Variable(variable, names) => {
                self.push(&variable.name(self.source));
                self.fields(names);
            }
            Operand::Function(_, function) => self.push(&function.name.lossy()),
            Operand::Pipe(pipe) => self.pipe(pipe),
            Operand::Chain(_, inner, names) => {
                match &**inner {
                    Operand::Pipe(pipe) => self.in_parens(pipe),
                    inner => self.operand(inner),
                }
                self.fields(names);
            }
        }
    }

    fn fields(&mut self, names: &[Text]) {
        for name in names {
            self.push(".");
            self.push(&name.lossy());
        }
    }
}
