//! The functions that every template has.

mod compare;
mod escape;
mod index;

use crate::error::FuncError;
use crate::function::{Args, Builtin, Call, Functions, Signature};
use crate::{Type, Value, sprint, sprintf, sprintln};

const RAW: Type = Type::Raw;
const ANY: Type = Type::Any;

impl Functions {
    /// The functions of text/template itself.
    pub fn builtins() -> Self {
        let mut functions = Self::empty();
        let logic = Signature::variadic(&[RAW], RAW);
        functions.insert(
            "and",
            logic,
            Some(Builtin::And),
            Box::new(decided_elsewhere),
        );
        functions.insert("or", logic, Some(Builtin::Or), Box::new(decided_elsewhere));
        functions.insert(
            "call",
            logic,
            Some(Builtin::Call),
            Box::new(decided_elsewhere),
        );
        functions.add("not", Signature::fixed(&[RAW]), |_, args| {
            Ok(Value::Bool(!args.at(0)?.truth()))
        });
        functions.add("len", Signature::fixed(&[RAW]), |_, args| {
            index::length(args.at(0)?)
        });
        functions.add("index", Signature::variadic(&[RAW], RAW), |_, args| {
            index::index(args.at(0)?, args.rest(1))
        });
        functions.add("slice", Signature::variadic(&[RAW], RAW), |_, args| {
            index::slice(args.at(0)?, args.rest(1))
        });
        functions.add("print", Signature::variadic(&[], ANY), |call, args| {
            let text = sprint(&args)?;
            spend(call, text.len())?;
            Ok(text.into())
        });
        functions.add("println", Signature::variadic(&[], ANY), |call, args| {
            let text = sprintln(&args)?;
            spend(call, text.len())?;
            Ok(text.into())
        });
        functions.add(
            "printf",
            Signature::variadic(&[Type::String], ANY),
            |call, args| {
                let text = sprintf(args.text(0)?, args.rest(1))?;
                spend(call, text.len())?;
                Ok(text.into())
            },
        );
        functions.add("html", Signature::variadic(&[], ANY), |_, args| {
            escape::html(&args)
        });
        functions.add("js", Signature::variadic(&[], ANY), |_, args| {
            escape::js(&args)
        });
        functions.add("urlquery", Signature::variadic(&[], ANY), |_, args| {
            escape::urlquery(&args)
        });
        functions.add("eq", Signature::variadic(&[RAW], RAW), |_, args| {
            compare::eq(args.at(0)?, args.rest(1)).map(Value::Bool)
        });
        let two = Signature::fixed(&[RAW, RAW]);
        functions.add("ne", two, |_, args| {
            Ok(Value::Bool(!compare::eq(args.at(0)?, args.rest(1))?))
        });
        functions.add("lt", two, |_, args| {
            compare::lt(args.at(0)?, args.at(1)?).map(Value::Bool)
        });
        functions.add("le", two, |_, args| {
            compare::le(args.at(0)?, args.at(1)?).map(Value::Bool)
        });
        functions.add("gt", two, |_, args| {
            Ok(Value::Bool(!compare::le(args.at(0)?, args.at(1)?)?))
        });
        functions.add("ge", two, |_, args| {
            Ok(Value::Bool(!compare::lt(args.at(0)?, args.at(1)?)?))
        });
        functions
    }
}

/// The evaluator handles these before a body is reached.
fn decided_elsewhere(_: &mut Call<'_>, _: Args<'_>) -> Result<Value, FuncError> {
    Err(FuncError::new("not callable on its own"))
}

/// Printing costs a step for every few bytes.
fn spend(call: &mut Call<'_>, bytes: usize) -> Result<(), FuncError> {
    call.spend(bytes as u64 / 16)
}
