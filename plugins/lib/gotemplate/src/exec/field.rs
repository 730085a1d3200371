//! Fields: keys of maps, fields of objects, methods.

use super::{Binding, Exec, Executed};
use crate::error::ErrorKind;
use crate::function::Method;
use crate::set::MissingKey;
use crate::tree::{NodeRef, Operand};
use crate::{Text, Type, Value};

impl<'t> Exec<'_, '_, 't> {
    /// `.A.B.C` of a receiver. Only the last name gets the arguments.
    #[expect(clippy::too_many_arguments, reason = "the parts of one command")]
    pub(super) fn fields(
        &mut self,
        dot: &Binding,
        receiver: &Value,
        mut interface: bool,
        operand: &'t Operand,
        names: &'t [Text],
        operands: &'t [Operand],
        mut piped: Option<Value>,
    ) -> Executed<Value> {
        let mut current = None;
        let last = names.len().saturating_sub(1);
        for (index, name) in names.iter().enumerate() {
            let receiver = current.as_ref().unwrap_or(receiver);
            let (operands, piped) = if index == last {
                (operands, piped.take())
            } else {
                (&[][..], None)
            };
            let place = Place {
                operand,
                names,
                index,
                interface,
            };
            // The common case needs no more than this.
            let value = match receiver {
                Value::Map(map)
                    if map.map_type().methods.is_empty()
                        && operands.len() <= 1
                        && piped.is_none() =>
                {
                    match map.get(name) {
                        Some(value) => value,
                        None => self.missing(name, map.map_type().elem)?,
                    }
                }
                receiver => self.field(dot, receiver, name, place, operands, piped)?,
            };
            interface = elements_are_interfaces(receiver);
            current = Some(value);
        }
        Ok(current.unwrap_or_default())
    }

    fn field(
        &mut self,
        dot: &Binding,
        receiver: &Value,
        name: &'t Text,
        place: Place<'t>,
        operands: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Value> {
        let methods = match receiver {
            Value::Invalid => {
                if self.run.set.missing_key() == MissingKey::Error {
                    return Err(self.fail(ErrorKind::MissingKey {
                        key: name.clone(),
                        nil_data: true,
                    }));
                }
                return Ok(Value::Invalid);
            }
            Value::Nil => return Err(self.nil_field(name, place)),
            Value::Map(map) => map.map_type().methods,
            Value::List(list) => list.list_type().methods,
            Value::Object(object) => object.methods(),
            _ => &[],
        };
        if let Some(method) = find(methods, name) {
            return self.call_method(dot, receiver, method, name, place.operand, operands, piped);
        }
        let has_arguments = operands.len() > 1 || piped.is_some();
        match receiver {
            Value::Map(_) if has_arguments => {
                self.error(format!("{name} is not a method but has arguments"))
            }
            Value::Map(map) => match map.get(name) {
                Some(value) => Ok(value),
                None => self.missing(name, map.map_type().elem),
            },
            Value::Object(object) => match object.field(&name.lossy()) {
                Some(_) if has_arguments => self.error(format!(
                    "{name} has arguments but cannot be invoked as function"
                )),
                Some(value) => Ok(value),
                None => self.no_field(receiver, name, place),
            },
            receiver => self.no_field(receiver, name, place),
        }
    }

    /// The value of a key that is not there.
    fn missing(&self, name: &Text, elem: Type) -> Executed<Value> {
        match self.run.set.missing_key() {
            MissingKey::Zero => Ok(Value::zero(elem)),
            MissingKey::Error => Err(self.fail(ErrorKind::MissingKey {
                key: name.clone(),
                nil_data: false,
            })),
        }
    }

    #[cold]
    fn no_field(&self, receiver: &Value, name: &Text, place: Place<'t>) -> Executed<Value> {
        let type_name = if place.interface {
            "interface {}"
        } else {
            receiver.type_name()
        };
        self.error(format!("can't evaluate field {name} in type {type_name}"))
    }

    #[cold]
    fn nil_field(&self, name: &Text, place: Place<'t>) -> super::Failure {
        let mut path = match place.operand {
            Operand::Variable(variable, _) => variable.name(&self.template.source).into_owned(),
            Operand::Chain(_, inner, _) => match &**inner {
                Operand::Pipe(_) => format!("({})", self.text(inner)),
                inner => self.text(inner),
            },
            _ => String::new(),
        };
        for name in &place.names[..place.index] {
            path.push('.');
            path.push_str(&name.lossy());
        }
        if path.is_empty() {
            path.push('.');
        }
        self.fail(ErrorKind::NilField {
            path,
            field: name.clone(),
            type_name: Text::from_static("interface {}"),
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one command")]
    fn call_method(
        &mut self,
        dot: &Binding,
        receiver: &Value,
        method: &'static Method,
        name: &'t Text,
        operand: &'t Operand,
        operands: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Value> {
        let arguments = self.arguments(dot, name, method.signature, operands, piped)?;
        let result = self.invoke(arguments, |call, args| (method.body)(call, receiver, args));
        self.answer(result, name, NodeRef::Operand(operand))
    }
}

/// Which of the names of an operand is being evaluated.
#[derive(Clone, Copy)]
struct Place<'t> {
    operand: &'t Operand,
    names: &'t [Text],
    index: usize,
    /// True if the static type of the receiver is an interface.
    interface: bool,
}

fn find(methods: &'static [Method], name: &Text) -> Option<&'static Method> {
    methods.iter().find(|method| *name == method.name)
}

fn elements_are_interfaces(container: &Value) -> bool {
    match container {
        Value::Map(map) => matches!(map.map_type().elem, Type::Any),
        Value::Invalid | Value::Nil => true,
        _ => false,
    }
}
