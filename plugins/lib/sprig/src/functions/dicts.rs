//! Maps. `set`, `unset` and `merge` change them in place, and all who hold them see it.

use weir_gotemplate::{
    Args, Call, FuncError, Functions, List, Map, MapType, Text, Type, Value, strval,
};

use super::{ANY, TEXT, fixed, is_empty, not_a, variadic};
use crate::limits::{DEPTH, pay_items};

const MAP: Type = Type::ANY_MAP;

pub(super) fn add(functions: &mut Functions) {
    functions.add("dict", variadic(&[], ANY), |call, args| {
        call.spend(args.len() as u64)?;
        let map = Map::new();
        for pair in args.chunks(2) {
            let value = pair
                .get(1)
                .cloned()
                .unwrap_or_else(|| Value::Str(Text::empty()));
            map.insert(strval(&pair[0])?, value)?;
        }
        Ok(map.into())
    });
    functions.add("get", fixed(&[MAP, TEXT]), |_, args| {
        Ok(args
            .map(0)?
            .get(args.text(1)?)
            .unwrap_or_else(|| Value::Str(Text::empty())))
    });
    functions.add("set", fixed(&[MAP, TEXT, ANY]), |_, args| {
        args.map(0)?
            .insert(args.text(1)?.clone(), args.at(2)?.clone())?;
        args.at(0).cloned()
    });
    functions.add("unset", fixed(&[MAP, TEXT]), |_, args| {
        args.map(0)?.remove(args.text(1)?);
        plain(args.map(0)?)
    });
    functions.add("hasKey", fixed(&[MAP, TEXT]), |_, args| {
        Ok(args.map(0)?.contains(args.text(1)?).into())
    });
    functions.add("pluck", variadic(&[TEXT], MAP), |_, args| {
        let key = args.text(0)?;
        let maps = args.rest(1).iter().filter_map(Value::as_map);
        Ok(maps
            .filter_map(|map| map.get(key))
            .collect::<Vec<_>>()
            .into())
    });
    functions.add("keys", variadic(&[], MAP), |call, args| {
        let mut keys = Vec::new();
        for map in args.iter().filter_map(Value::as_map) {
            keys.extend(map.keys());
            pay_items(call, "keys", keys.len())?;
        }
        Ok(List::of_texts(keys).into())
    });
    functions.add("values", fixed(&[MAP]), |call, args| {
        let entries = args.map(0)?.entries();
        call.spend(entries.len() as u64)?;
        Ok(entries
            .into_iter()
            .map(|(_, value)| value)
            .collect::<Vec<_>>()
            .into())
    });
    functions.add("pick", variadic(&[MAP], TEXT), |call, args| {
        let map = args.map(0)?;
        call.spend(args.len() as u64)?;
        let wanted = args.rest(1).iter().filter_map(Value::as_text);
        let found = wanted.filter_map(|key| Some((key.clone(), map.get(key)?)));
        Ok(found.collect::<Map>().into())
    });
    functions.add("omit", variadic(&[MAP], TEXT), |call, args| {
        let entries = args.map(0)?.entries();
        call.spend(entries.len() as u64)?;
        let dropped: Vec<_> = args.rest(1).iter().filter_map(Value::as_text).collect();
        let kept = entries
            .into_iter()
            .filter(|(key, _)| !dropped.contains(&key));
        Ok(kept.collect::<Map>().into())
    });
    functions.add("dig", variadic(&[], ANY), dig);
    for name in ["merge", "mustMerge"] {
        functions.add(name, variadic(&[MAP], MAP), |call, args| {
            merge_all(call, args, Winner::Target)
        });
    }
    for name in ["mergeOverwrite", "mustMergeOverwrite"] {
        functions.add(name, variadic(&[MAP], MAP), |call, args| {
            merge_all(call, args, Winner::Source)
        });
    }
    functions.add("deepCopy", fixed(&[ANY]), deep_copy);
    functions.add("mustDeepCopy", fixed(&[ANY]), deep_copy);
}

/// The same map as a `map[string]interface {}`, whatever it was handed in as.
fn plain(map: &Map) -> Result<Value, FuncError> {
    Ok(map.with_type(&MapType::ANY).into())
}

fn deep_copy(call: &mut Call<'_>, args: Args<'_>) -> Result<Value, FuncError> {
    let value = args.at(0)?;
    if value.is_nil() {
        return Err(FuncError::panic(
            "reflect: call of reflect.Value.Type on zero Value",
        ));
    }
    call.spend(1)?;
    let copy = value
        .deep_copy()
        .map_err(|error| FuncError::limit(format!("deepCopy: {error}")))?;
    Ok(copy)
}

fn dig(_: &mut Call<'_>, args: Args<'_>) -> Result<Value, FuncError> {
    let [keys @ .., default, dict] = &args[..] else {
        return Err(FuncError::panic("dig needs at least three arguments"));
    };
    if keys.is_empty() {
        return Err(FuncError::panic("dig needs at least three arguments"));
    }
    let plain_map = |value: &Value| match value {
        Value::Map(map) if map.map_type().name == MapType::ANY.name => Ok(map.clone()),
        other => Err(not_a(other, MapType::ANY.name)),
    };
    let mut map = plain_map(dict)?;
    let keys: Vec<_> = keys
        .iter()
        .map(|key| key.as_text().ok_or_else(|| not_a(key, "string")))
        .collect::<Result<_, _>>()?;
    let Some((last, before)) = keys.split_last() else {
        return Ok(default.clone());
    };
    for key in before {
        match map.get(key) {
            None => return Ok(default.clone()),
            Some(value) => map = plain_map(&value)?,
        }
    }
    Ok(map.get(last).unwrap_or_else(|| default.clone()))
}

/// Whose value stays if both have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Winner {
    Target,
    Source,
}

fn merge_all(call: &mut Call<'_>, args: Args<'_>, winner: Winner) -> Result<Value, FuncError> {
    let target = args.map(0)?;
    for source in args.rest(1).iter().filter_map(Value::as_map) {
        merge(call, target, source, winner, 0)?;
    }
    plain(target)
}

/// mergo's rules for maps of anything. What is taken over is shared, not copied.
fn merge(
    call: &mut Call<'_>,
    target: &Map,
    source: &Map,
    winner: Winner,
    depth: usize,
) -> Result<(), FuncError> {
    if depth > DEPTH {
        return Err(FuncError::limit("merge: the maps are nested too deeply"));
    }
    if target.same(source) {
        return Ok(());
    }
    let entries = source.entries();
    call.spend(entries.len() as u64)?;
    for (key, value) in entries {
        let old = target.get(&key);
        if value.is_nil() {
            if winner == Winner::Source {
                target.insert(key, Value::Nil)?;
            }
            continue;
        }
        let old_empty = old.as_ref().is_none_or(is_empty);
        match (&value, &old) {
            (Value::Map(new), Some(Value::Map(old))) if !old_empty => {
                merge(call, old, new, winner, depth + 1)?;
                continue;
            }
            // An empty map is filled rather than replaced, so that all who hold it see it.
            (Value::Map(new), Some(Value::Map(old))) if !old.is_nil() => {
                merge(call, old, new, winner, depth + 1)?;
            }
            _ => {}
        }
        if winner == Winner::Source || old_empty {
            target.insert(key, value)?;
        }
    }
    Ok(())
}
