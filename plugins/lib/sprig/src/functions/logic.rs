//! Defaults, choices and types.

use weir_gotemplate::{Functions, Type, Value, deep_equal};

use super::{ANY, TEXT, fixed, kind_name, variadic};

/// Whether sprig calls a value empty: nil, zero, and what has no elements.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.underlying().is_some_and(|value| is_empty(&value)),
        other => !other.truth(),
    }
}

pub(super) fn add(functions: &mut Functions) {
    functions.add("default", variadic(&[ANY], ANY), |_, args| {
        let given = args.rest(1).first().filter(|value| !is_empty(value));
        Ok(given.map_or_else(|| args.at(0), Ok)?.clone())
    });
    functions.add("empty", fixed(&[ANY]), |_, args| {
        Ok(is_empty(args.at(0)?).into())
    });
    functions.add("coalesce", variadic(&[], ANY), |_, args| {
        Ok(args
            .iter()
            .find(|value| !is_empty(value))
            .cloned()
            .unwrap_or(Value::Nil))
    });
    functions.add("all", variadic(&[], ANY), |_, args| {
        Ok((!args.iter().any(is_empty)).into())
    });
    functions.add("any", variadic(&[], ANY), |_, args| {
        Ok((!args.iter().all(is_empty)).into())
    });
    functions.add("ternary", fixed(&[ANY, ANY, Type::Bool]), |_, args| {
        let chosen = if args.bool(2)? { 0 } else { 1 };
        args.at(chosen).cloned()
    });

    functions.add("typeOf", fixed(&[ANY]), |_, args| {
        Ok(args.at(0)?.type_name().into())
    });
    functions.add("typeIs", fixed(&[TEXT, ANY]), |_, args| {
        Ok((args.str(0)? == args.at(1)?.type_name()).into())
    });
    functions.add("typeIsLike", fixed(&[TEXT, ANY]), |_, args| {
        let (wanted, found) = (args.str(0)?, args.at(1)?.type_name());
        Ok((wanted == found || found.strip_prefix('*') == Some(&*wanted)).into())
    });
    functions.add("kindOf", fixed(&[ANY]), |_, args| {
        Ok(kind_name(args.at(0)?).into())
    });
    functions.add("kindIs", fixed(&[TEXT, ANY]), |_, args| {
        Ok((args.str(0)? == kind_name(args.at(1)?)).into())
    });
    functions.add("deepEqual", fixed(&[ANY, ANY]), |_, args| {
        Ok(deep_equal(args.at(0)?, args.at(1)?).into())
    });
}
