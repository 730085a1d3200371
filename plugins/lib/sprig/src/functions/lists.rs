//! Lists. None of these functions changes a list in place.

use weir_gotemplate::{Args, Call, FuncError, Functions, List, ListType, Text, Value, deep_equal};

use super::{ANY, INT, fixed, is_empty, kind_name, nil_pointer, variadic};
use crate::limits::pay_items;
use crate::number::to_int;

type Body = fn(&mut Call<'_>, Args<'_>) -> Result<Value, FuncError>;

pub(super) fn add(functions: &mut Functions) {
    for name in ["list", "tuple"] {
        functions.add(name, variadic(&[], ANY), |_, args| Ok(args.to_vec().into()));
    }
    both(functions, "append", "mustAppend", append);
    both(functions, "push", "mustPush", append);
    both(functions, "prepend", "mustPrepend", |call, args| {
        let mut items = vec![args.at(1)?.clone()];
        items.extend(elements(call, args.at(0)?, "Cannot prepend on type")?);
        Ok(items.into())
    });
    one(functions, "first", "mustFirst", |call, args| {
        let items = elements(call, args.at(0)?, "Cannot find first on type")?;
        Ok(items.first().cloned().unwrap_or(Value::Nil))
    });
    one(functions, "last", "mustLast", |call, args| {
        let items = elements(call, args.at(0)?, "Cannot find last on type")?;
        Ok(items.last().cloned().unwrap_or(Value::Nil))
    });
    one(functions, "rest", "mustRest", |call, args| {
        let mut items = elements(call, args.at(0)?, "Cannot find rest on type")?;
        if items.is_empty() {
            return Ok(nil_list());
        }
        items.remove(0);
        Ok(items.into())
    });
    one(functions, "initial", "mustInitial", |call, args| {
        let mut items = elements(call, args.at(0)?, "Cannot find initial on type")?;
        Ok(items.pop().map_or_else(nil_list, |_| items.into()))
    });
    one(functions, "reverse", "mustReverse", |call, args| {
        let mut items = elements(call, args.at(0)?, "Cannot find reverse on type")?;
        items.reverse();
        Ok(items.into())
    });
    one(functions, "compact", "mustCompact", |call, args| {
        let mut items = elements(call, args.at(0)?, "Cannot compact on type")?;
        items.retain(|item| !is_empty(item));
        Ok(items.into())
    });
    one(functions, "uniq", "mustUniq", |call, args| {
        let mut found: Vec<Value> = Vec::new();
        for item in elements(call, args.at(0)?, "Cannot find uniq on type")? {
            if !is_among(call, &found, &item)? {
                found.push(item);
            }
        }
        Ok(found.into())
    });
    for name in ["without", "mustWithout"] {
        functions.add(name, variadic(&[ANY], ANY), |call, args| {
            let mut kept = Vec::new();
            for item in elements(call, args.at(0)?, "Cannot find without on type")? {
                if !is_among(call, args.rest(1), &item)? {
                    kept.push(item);
                }
            }
            Ok(kept.into())
        });
    }
    both(functions, "has", "mustHas", |call, args| {
        if args.at(1)?.is_nil() {
            return Ok(false.into());
        }
        let items = elements(call, args.at(1)?, "Cannot find has on type")?;
        Ok(is_among(call, &items, args.at(0)?)?.into())
    });
    for name in ["slice", "mustSlice"] {
        functions.add(name, variadic(&[ANY], ANY), slice);
    }
    functions.add("concat", variadic(&[], ANY), |call, args| {
        let mut all = Vec::new();
        for list in args.iter() {
            all.extend(match list.slice_items() {
                Some(items) => items,
                None if list.is_nil() => return Err(nil_pointer()),
                None => {
                    let kind = kind_name(list);
                    return Err(FuncError::panic(format!(
                        "Cannot concat type {kind} as list"
                    )));
                }
            });
            pay_items(call, "concat", all.len())?;
        }
        Ok(if all.is_empty() {
            nil_list()
        } else {
            all.into()
        })
    });
    for name in ["chunk", "mustChunk"] {
        functions.add(name, fixed(&[INT, ANY]), |call, args| {
            let items = elements(call, args.at(1)?, "Cannot chunk type")?;
            let size = args.int(0)?;
            let pieces = match usize::try_from(size) {
                Ok(size) if size > 0 => items
                    .chunks(size)
                    .map(|piece| piece.to_vec().into())
                    .collect(),
                // The original counts no pieces of a negative size here, and an impossible number otherwise.
                _ if size < 0
                    && (1..=size.unsigned_abs())
                        .contains(&(items.len() as u64).wrapping_sub(1)) =>
                {
                    Vec::new()
                }
                _ => {
                    return Err(FuncError::panic(
                        "runtime error: makeslice: len out of range",
                    ));
                }
            };
            Ok(List::new(&ListType::LISTS, pieces).into())
        });
    }
}

fn one(functions: &mut Functions, name: &'static str, must: &'static str, body: Body) {
    functions.add(name, fixed(&[ANY]), body);
    functions.add(must, fixed(&[ANY]), body);
}

fn both(functions: &mut Functions, name: &'static str, must: &'static str, body: Body) {
    functions.add(name, fixed(&[ANY, ANY]), body);
    functions.add(must, fixed(&[ANY, ANY]), body);
}

/// The nil list, which is not the same as an empty one.
fn nil_list() -> Value {
    List::nil(&ListType::ANY).into()
}

/// The elements of a list of whatever type.
fn elements(call: &mut Call<'_>, list: &Value, refusal: &str) -> Result<Vec<Value>, FuncError> {
    let Some(items) = list.slice_items() else {
        if list.is_nil() {
            return Err(nil_pointer());
        }
        return Err(FuncError::new(format!("{refusal} {}", kind_name(list))));
    };
    call.spend(items.len() as u64)?;
    Ok(items)
}

fn is_among(call: &mut Call<'_>, items: &[Value], wanted: &Value) -> Result<bool, FuncError> {
    call.spend(items.len() as u64)?;
    Ok(items.iter().any(|item| deep_equal(wanted, item)))
}

fn append(call: &mut Call<'_>, args: Args<'_>) -> Result<Value, FuncError> {
    let mut items = elements(call, args.at(0)?, "Cannot push on type")?;
    items.push(args.at(1)?.clone());
    Ok(items.into())
}

fn slice(call: &mut Call<'_>, args: Args<'_>) -> Result<Value, FuncError> {
    let list = args.at(0)?;
    let items = elements(call, list, "list should be type of slice or array but")?;
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let indices = args.rest(1);
    let place = |value: Option<&Value>, otherwise: usize| match value {
        Some(value) => usize::try_from(to_int(value)).ok(),
        None => Some(otherwise),
    };
    let (start, end) = (
        place(indices.first(), 0),
        place(indices.get(1), items.len()),
    );
    let part = start
        .zip(end)
        .and_then(|(start, end)| items.get(start..end));
    let part =
        part.ok_or_else(|| FuncError::panic("reflect.Value.Slice: slice index out of bounds"))?;
    Ok(match list {
        Value::Bytes(bytes) => {
            let start = start.unwrap_or(0);
            Value::Bytes(Text::from_bytes(
                &bytes.as_bytes()[start..start + part.len()],
            ))
        }
        Value::List(list) => List::new(list.list_type(), part.to_vec()).into(),
        _ => part.to_vec().into(),
    })
}
