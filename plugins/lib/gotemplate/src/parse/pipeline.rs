//! Pipelines, commands, operands and the variables that pipelines declare.

use std::rc::Rc;

use super::lexer::{Kind, Token};
use super::{Number, Parsed, Parser};
use crate::tree::{Command, Few, Operand, Pipe, Variable};
use crate::{Text, quote};

impl Parser<'_> {
    pub(super) fn pipeline(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        if end == Kind::RightDelim
            && let Some(pipe) = self.short_pipeline(context == "range")
        {
            self.expect(end, context)?;
            return Ok(pipe);
        }
        let first = self.peek_solid();
        let mut pipe = Pipe {
            position: first.start,
            declared: Few::default(),
            assigns: false,
            commands: Few::default(),
        };
        if first.kind == Kind::Variable {
            self.declarations(&mut pipe, context)?;
        }
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
                    self.command(token)?;
                }
                _ => return self.unexpected(token, context),
            }
        }
        pipe.commands = Few::take(&mut self.commands, first);
        if pipe.commands.is_empty() {
            return self.fail(format!("missing value for {context}"));
        }
        let literal = pipe.commands.iter().skip(1).position(Command::is_literal);
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

    pub(super) fn declare(&mut self, token: Token) {
        let variable = self.variable(token);
        self.scope.variables.push(variable.id);
        self.declared.push(variable);
    }

    pub(super) fn variable(&mut self, token: Token) -> Variable {
        let id = self.id(token);
        Variable {
            position: token.start,
            id,
            start: token.start,
            end: token.end,
        }
    }

    /// Adds a function or value and its arguments, the first token of which was read.
    fn command(&mut self, mut token: Token) -> Parsed<()> {
        let position = token.start;
        let first = self.operands.len();
        loop {
            let after = self.operand(token)?;
            match after.kind {
                Kind::Space => {
                    token = self.next_solid();
                    continue;
                }
                Kind::RightDelim | Kind::RightParen => self.back(),
                Kind::Pipe => {}
                _ => return self.unexpected(after, "operand"),
            }
            break;
        }
        if self.operands.len() == first {
            return self.fail("empty command");
        }
        let operands = Few::take(&mut self.operands, first);
        self.commands.push(Command { position, operands });
        Ok(())
    }

    /// Adds the operand that a token begins, with the fields taken of it, and gives the token behind it; the same token if no
    /// operand begins with it.
    fn operand(&mut self, token: Token) -> Parsed<Token> {
        let Some(term) = self.term(token)? else {
            return Ok(token);
        };
        let first = self.next();
        if first.kind != Kind::Field {
            self.operands.push(match term {
                Operand::Field(position, _) => {
                    Operand::Field(position, Few::take(&mut self.names, 0))
                }
                term => term,
            });
            return Ok(first);
        }
        let mut after = first;
        while after.kind == Kind::Field {
            let name = self.field_name(after);
            self.names.push(name);
            after = self.next();
        }
        let names = Few::take(&mut self.names, 0);
        let position = first.start;
        self.operands.push(match term {
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
        });
        Ok(after)
    }

    fn field_name(&self, token: Token) -> Text {
        self.text_of(token.start + 1, token.end)
    }

    fn term(&mut self, token: Token) -> Parsed<Option<Operand>> {
        let position = token.start;
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
                let end = token.end;
                Operand::String(position, end, self.unquoted(token)?)
            }
            _ => return Ok(None),
        }))
    }
}
