//! Calls: Go's checks of number and types of arguments, and the builtins that are no ordinary functions.

use std::rc::Rc;

use super::{Binding, Exec, Executed};
use crate::error::{ErrorKind, FuncError};
use crate::function::{Args, Builtin, Call, Function, Signature};
use crate::tree::{NodeRef, Operand};
use crate::value::{List, Map};
use crate::{Text, Type, Value};

/// Vectors of arguments that are kept for later calls.
const SPARE_VECTORS: usize = 64;

impl<'t> Exec<'_, '_, 't> {
    pub(super) fn call_function(
        &mut self,
        dot: &Binding,
        function: &'t Rc<Function>,
        node: NodeRef<'t>,
        operands: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Value> {
        self.step()?;
        match function.builtin {
            None => {}
            Some(Builtin::And) => return self.short_circuit(dot, function, false, operands, piped),
            Some(Builtin::Or) => return self.short_circuit(dot, function, true, operands, piped),
            Some(Builtin::Call) => return self.call_value(dot, function, node, operands, piped),
        }
        let arguments = self.arguments(dot, &function.name, function.signature, operands, piped)?;
        let result = self.invoke(arguments, |call, args| function.call(call, args));
        self.answer(result, &function.name, node)
    }

    /// `and` and `or`: the first argument that decides, else the last one.
    fn short_circuit(
        &mut self,
        dot: &Binding,
        function: &Function,
        decides: bool,
        operands: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Value> {
        let arguments = operands.get(1..).unwrap_or_default();
        self.check_count(
            &function.name,
            function.signature,
            arguments.len(),
            piped.is_some(),
        )?;
        let mut value = Value::Invalid;
        for operand in arguments {
            value = self.argument(dot, Type::Raw, operand)?;
            if value.truth() == decides {
                return Ok(value);
            }
        }
        Ok(piped.unwrap_or(value))
    }

    /// `call`: no value of the template language is a function, so there is only the refusal.
    fn call_value(
        &mut self,
        dot: &Binding,
        function: &Function,
        node: NodeRef<'t>,
        operands: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Value> {
        let callee = match (operands.get(1), &piped) {
            (Some(operand), _) => self.text(operand),
            (None, Some(Value::Str(text))) => text.to_string(),
            (None, Some(value)) => format!("<{} Value>", value.type_name()),
            (None, None) => String::new(),
        };
        let arguments = self.arguments(dot, &function.name, function.signature, operands, piped)?;
        let message = match arguments.first() {
            None | Some(Value::Invalid | Value::Nil) => "call of nil".to_owned(),
            Some(value) => format!("non-function {callee} of type {}", value.type_name()),
        };
        self.answer(Err(FuncError::new(message)), &function.name, node)
    }

    fn check_count(
        &self,
        name: &Text,
        signature: Signature,
        given: usize,
        piped: bool,
    ) -> Executed<()> {
        let count = given + usize::from(piped);
        let fixed = signature.params.len();
        if signature.variadic.is_some() {
            if count < fixed {
                return self.error(format!(
                    "wrong number of args for {name}: want at least {fixed} got {given}"
                ));
            }
        } else if count != fixed {
            return self.error(format!(
                "wrong number of args for {name}: want {fixed} got {count}"
            ));
        }
        Ok(())
    }

    /// The values of the arguments. The first operand is the function itself; the piped value comes last.
    pub(super) fn arguments(
        &mut self,
        dot: &Binding,
        name: &Text,
        signature: Signature,
        operands: &'t [Operand],
        piped: Option<Value>,
    ) -> Executed<Vec<Value>> {
        let given = operands.get(1..).unwrap_or_default();
        self.check_count(name, signature, given.len(), piped.is_some())?;
        let parameter = |index: usize| {
            let fixed = signature.params.get(index).copied();
            fixed.or(signature.variadic).unwrap_or(Type::Any)
        };
        let mut arguments = self.run.spare.pop().unwrap_or_default();
        for (index, operand) in given.iter().enumerate() {
            let value = self.argument(dot, parameter(index), operand)?;
            arguments.push(value);
        }
        if let Some(piped) = piped {
            let value = self.validate(piped, parameter(given.len()))?;
            arguments.push(value);
        }
        Ok(arguments)
    }

    /// Runs a body on arguments and keeps their vector for later.
    pub(super) fn invoke(
        &mut self,
        mut arguments: Vec<Value>,
        body: impl FnOnce(&mut Call<'_>, Args<'_>) -> Result<Value, FuncError>,
    ) -> Result<Value, FuncError> {
        let result = body(&mut Call::new(self.run), Args::new(&arguments));
        if self.run.spare.len() < SPARE_VECTORS {
            arguments.clear();
            self.run.spare.push(arguments);
        }
        result
    }

    pub(super) fn answer(
        &mut self,
        result: Result<Value, FuncError>,
        name: &Text,
        node: NodeRef<'t>,
    ) -> Executed<Value> {
        result.map_err(|error| {
            self.at(node);
            self.fail(ErrorKind::Call {
                function: name.clone(),
                error,
            })
        })
    }

    /// Makes sure that a value can be given to a parameter.
    pub(super) fn validate(&self, value: Value, wanted: Type) -> Executed<Value> {
        match (&value, wanted) {
            (_, Type::Raw) => return Ok(value),
            (Value::Invalid, Type::Any) => return Ok(Value::Nil),
            (_, Type::Any)
            | (Value::Str(_), Type::String)
            | (Value::Int(_), Type::Int)
            | (Value::Bool(_), Type::Bool)
            | (Value::Float(_), Type::Float64)
            | (Value::Int64(_), Type::Int64)
            | (Value::Int32(_), Type::Int32)
            | (Value::Uint8(_), Type::Uint8)
            | (Value::Uint32(_), Type::Uint32)
            | (Value::Uint64(_), Type::Uint64)
            | (Value::Complex(..), Type::Complex128) => return Ok(value),
            (Value::Map(map), Type::Map(wanted)) if map_fits(map, wanted) => return Ok(value),
            (Value::List(list), Type::List(wanted)) if list_fits(list, wanted) => return Ok(value),
            (Value::Bytes(_), Type::List(_)) if wanted == Type::BYTES => return Ok(value),
            (Value::Object(object), Type::Named(name)) => {
                let own = object.type_name();
                if own == name || own.strip_prefix('*') == Some(name) {
                    return Ok(value);
                }
            }
            (Value::Invalid, _) if wanted.nilable() => return Ok(Value::zero(wanted)),
            (Value::Invalid, _) => {
                return self.error(format!("invalid value; expected {}", wanted.name()));
            }
            _ => {}
        }
        let got = match &value {
            Value::Nil => "interface {}",
            value => value.type_name(),
        };
        self.error(format!(
            "wrong type for value; expected {}; got {got}",
            wanted.name()
        ))
    }
}

/// A named type can be given to an unnamed one of the same structure, and to itself.
fn map_fits(map: &Map, wanted: &crate::MapType) -> bool {
    let own = map.map_type();
    std::ptr::eq(own, wanted)
        || own.name == wanted.name
        || (wanted.name.starts_with("map[") && own.elem == wanted.elem)
}

fn list_fits(list: &List, wanted: &crate::ListType) -> bool {
    let own = list.list_type();
    std::ptr::eq(own, wanted)
        || own.name == wanted.name
        || (wanted.name.starts_with("[]") && own.elem == wanted.elem)
}
