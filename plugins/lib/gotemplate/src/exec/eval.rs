//! Pipelines, commands and operands.

use super::{Binding, Exec, Executed};
use crate::tree::{Command, NodeRef, Number, Operand, Pipe, Variable};
use crate::{Type, Value};

impl<'t> Exec<'_, '_, 't> {
    /// The value of a pipeline; declares or assigns its variables.
    pub(super) fn pipeline(&mut self, dot: &Binding, pipe: &'t Pipe) -> Executed<Value> {
        self.at(NodeRef::Pipe(pipe));
        let mut piped = None;
        for command in pipe.commands.iter() {
            // A nil interface is taken out of its box: nothing is left.
            piped = Some(match self.command(dot, command, piped)? {
                Value::Nil => Value::Invalid,
                value => value,
            });
        }
        let value = piped.unwrap_or_default();
        for variable in pipe.declared.iter() {
            if pipe.assigns {
                self.assign(variable, Binding::concrete(value.clone()))?;
            } else {
                self.declare(variable.id, value.clone());
            }
        }
        Ok(value)
    }

    pub(super) fn assign(&mut self, variable: &Variable, binding: Binding) -> Executed<()> {
        let own = &mut self.run.variables[self.base..];
        match own.iter_mut().rev().find(|slot| slot.id == variable.id) {
            Some(slot) => {
                slot.binding = binding;
                Ok(())
            }
            None => self.undefined(variable),
        }
    }

    #[cold]
    fn undefined<T>(&self, variable: &Variable) -> Executed<T> {
        let name = variable.name(&self.template.source);
        self.error(format!("undefined variable: {name}"))
    }

    fn variable(&self, variable: &Variable) -> Executed<&Binding> {
        let own = &self.run.variables[self.base..];
        match own.iter().rev().find(|slot| slot.id == variable.id) {
            Some(slot) => Ok(&slot.binding),
            None => self.undefined(variable),
        }
    }

    fn command(
        &mut self,
        dot: &Binding,
        command: &'t Command,
        piped: Option<Value>,
    ) -> Executed<Value> {
        let operands = &command.operands[..];
        let Some(first) = operands.first() else {
            return Ok(Value::Invalid);
        };
        match first {
            Operand::Field(_, names) => {
                self.at(NodeRef::Operand(first));
                self.fields(
                    dot,
                    &dot.value,
                    dot.interface,
                    first,
                    names,
                    operands,
                    piped,
                )
            }
            Operand::Variable(variable, names) => {
                self.variable_operand(dot, first, variable, names, operands, piped)
            }
            Operand::Chain(_, inner, names) => {
                self.chain(dot, first, inner, names, operands, piped)
            }
            Operand::Function(_, function) => {
                self.at(NodeRef::Operand(first));
                self.call_function(dot, function, NodeRef::Command(command), operands, piped)
            }
            Operand::Pipe(pipe) => {
                self.no_arguments(operands, &piped)?;
                self.enter()?;
                let value = self.pipeline(dot, pipe)?;
                self.leave();
                Ok(value)
            }
            Operand::Dot(_)
            | Operand::Nil(_)
            | Operand::Bool(..)
            | Operand::Number(..)
            | Operand::String(..) => {
                self.at(NodeRef::Operand(first));
                self.no_arguments(operands, &piped)?;
                match first {
                    Operand::Dot(_) => Ok(dot.value.clone()),
                    Operand::Nil(_) => self.error("nil is not a command"),
                    literal => self.literal(literal),
                }
            }
        }
    }

    /// Arguments behind what is no function are an error.
    fn no_arguments(&self, operands: &'t [Operand], piped: &Option<Value>) -> Executed<()> {
        if operands.len() <= 1 && piped.is_none() {
            return Ok(());
        }
        let first = operands
            .first()
            .map(|operand| self.text(operand))
            .unwrap_or_default();
        self.error(format!("can't give argument to non-function {first}"))
    }

    pub(super) fn text(&self, operand: &'t Operand) -> String {
        NodeRef::Operand(operand).print(&self.template.source)
    }

    fn variable_operand(
        &mut self,
        dot: &Binding,
        operand: &'t Operand,
        variable: &'t Variable,
        names: &'t [crate::Text],
        operands: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Value> {
        self.at(NodeRef::Operand(operand));
        let binding = self.variable(variable)?;
        if names.is_empty() {
            let value = binding.value.clone();
            self.no_arguments(operands, &piped)?;
            return Ok(value);
        }
        let Binding { value, interface } = binding.clone();
        self.fields(dot, &value, interface, operand, names, operands, piped)
    }

    fn chain(
        &mut self,
        dot: &Binding,
        operand: &'t Operand,
        inner: &'t Operand,
        names: &'t [crate::Text],
        operands: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Value> {
        self.at(NodeRef::Operand(operand));
        // The blame stays with what was visited inside of the parentheses.
        let receiver = self.argument(dot, Type::Raw, inner)?;
        self.fields(dot, &receiver, false, operand, names, operands, piped)
    }

    /// An argument, checked against the type of its parameter.
    pub(super) fn argument(
        &mut self,
        dot: &Binding,
        wanted: Type,
        operand: &'t Operand,
    ) -> Executed<Value> {
        self.at(NodeRef::Operand(operand));
        let alone = std::slice::from_ref(operand);
        let value = match operand {
            Operand::Dot(_) => dot.value.clone(),
            Operand::Nil(_) if wanted.nilable() => return Ok(Value::zero(wanted)),
            Operand::Nil(_) => {
                return self.error(format!("cannot assign nil to {}", wanted.name()));
            }
            Operand::Field(_, names) => {
                self.fields(dot, &dot.value, dot.interface, operand, names, alone, None)?
            }
            Operand::Variable(variable, names) => {
                self.variable_operand(dot, operand, variable, names, alone, None)?
            }
            Operand::Pipe(pipe) => {
                self.enter()?;
                let value = self.pipeline(dot, pipe)?;
                self.leave();
                value
            }
            Operand::Function(_, function) => {
                self.call_function(dot, function, NodeRef::Operand(operand), alone, None)?
            }
            Operand::Chain(_, inner, names) => {
                self.chain(dot, operand, inner, names, alone, None)?
            }
            Operand::Bool(..) | Operand::Number(..) | Operand::String(..) => {
                return self.literal_for(wanted, operand);
            }
        };
        self.validate(value, wanted)
    }

    /// A literal for a parameter of a type.
    fn literal_for(&mut self, wanted: Type, operand: &'t Operand) -> Executed<Value> {
        let number = match operand {
            Operand::Number(_, number) => Some(&**number),
            _ => None,
        };
        let int = number.and_then(|number| number.int);
        let uint = number.and_then(|number| number.uint);
        let found = match wanted {
            Type::Any | Type::Raw => return self.literal(operand),
            Type::String => match operand {
                Operand::String(.., text) => Some(Value::Str(text.clone())),
                _ => None,
            },
            Type::Bool => match operand {
                Operand::Bool(_, truth) => Some(Value::Bool(*truth)),
                _ => None,
            },
            // Numbers that do not fit are cut, as reflect's SetInt cuts them.
            #[expect(clippy::cast_possible_truncation, reason = "reflect cuts")]
            Type::Int32 => int.map(|int| Value::Int32(int as i32)),
            Type::Int => int.map(Value::Int),
            Type::Int64 => int.map(Value::Int64),
            #[expect(clippy::cast_possible_truncation, reason = "reflect cuts")]
            Type::Uint8 => uint.map(|uint| Value::Uint8(uint as u8)),
            #[expect(clippy::cast_possible_truncation, reason = "reflect cuts")]
            Type::Uint32 => uint.map(|uint| Value::Uint32(uint as u32)),
            Type::Uint64 => uint.map(Value::Uint64),
            Type::Float64 => number.and_then(|number| number.float).map(Value::Float),
            Type::Complex128 => number
                .and_then(|number| number.complex)
                .map(|(re, im)| Value::Complex(re, im)),
            Type::List(_) | Type::Map(_) | Type::Named(_) => {
                let text = self.text(operand);
                return self.error(format!(
                    "can't handle {text} for arg of type {}",
                    wanted.name()
                ));
            }
        };
        match found {
            Some(value) => Ok(value),
            None => {
                let kind = match wanted {
                    Type::String => "string",
                    Type::Bool => "bool",
                    Type::Uint8 | Type::Uint32 | Type::Uint64 => "unsigned integer",
                    Type::Float64 => "float",
                    Type::Complex128 => "complex",
                    _ => "integer",
                };
                let text = self.text(operand);
                self.error(format!("expected {kind}; found {text}"))
            }
        }
    }

    /// A literal where any type will do.
    fn literal(&mut self, operand: &'t Operand) -> Executed<Value> {
        match operand {
            Operand::Bool(_, truth) => Ok(Value::Bool(*truth)),
            Operand::String(.., text) => Ok(Value::Str(text.clone())),
            Operand::Number(_, number) => self.ideal(number),
            _ => Ok(Value::Invalid),
        }
    }

    /// The value of a number whose type nobody asked for.
    fn ideal(&mut self, number: &Number) -> Executed<Value> {
        if let Some((re, im)) = number.complex {
            return Ok(Value::Complex(re, im));
        }
        if let Some(float) = number.float.filter(|_| number.reads_as_float()) {
            return Ok(Value::Float(float));
        }
        match number.int {
            Some(int) => Ok(Value::Int(int)),
            None => self.error(format!("{} overflows int", number.text)),
        }
    }
}
