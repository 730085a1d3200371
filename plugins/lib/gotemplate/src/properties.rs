//! What holds for every input, for property tests and fuzz targets.

use crate::{
    Functions, Limits, Map, MissingKey, Signature, TemplateSet, Text, Type, Value, quote, sprintf,
};

/// Parses bytes as a template and runs it within small limits, with `include` and `tpl`. An error is fine, a panic is not. It
/// makes no difference whether it was parsed before and packed.
pub fn template_survives(bytes: &[u8]) {
    let mut functions = Functions::builtins();
    functions.add("list", Signature::variadic(&[], Type::Any), |_, args| {
        Ok(args.to_vec().into())
    });
    functions.add(
        "set",
        Signature::fixed(&[Type::ANY_MAP, Type::String, Type::Any]),
        |_, args| {
            args.map(0)?
                .insert(args.text(1)?.clone(), args.at(2)?.clone())?;
            Ok(args.at(0)?.clone())
        },
    );
    functions.add(
        "include",
        Signature::fixed(&[Type::String, Type::Any]),
        |call, args| Ok(call.execute(args.text(0)?, args.at(1)?.clone())?.into()),
    );
    functions.add(
        "tpl",
        Signature::fixed(&[Type::String, Type::Any]),
        |call, args| {
            Ok(call
                .execute_text(
                    &Text::from_static("gotpl"),
                    args.text(0)?,
                    args.at(1)?.clone(),
                )?
                .into())
        },
    );
    let name = Text::from_static("t");
    for missing_key in [MissingKey::Zero, MissingKey::Error] {
        let mut set = TemplateSet::new("gotpl", functions.clone(), missing_key);
        let text = Text::from_bytes(bytes);
        let packed = set.pack(&text);
        let outcome = match set.parse(name.clone(), text.clone()) {
            Ok(()) => run(&set, &name),
            Err(error) => Err(error.to_string()),
        };
        assert!(!outcome.as_ref().is_err_and(String::is_empty));
        if let Some(packed) = packed {
            let mut set = TemplateSet::new("gotpl", functions.clone(), missing_key);
            let again = match set.parse_packed(name.clone(), text, &packed.into()) {
                Ok(()) => run(&set, &name),
                Err(error) => Err(error.to_string()),
            };
            assert_eq!(again, outcome);
        }
    }
}

fn run(set: &TemplateSet, name: &Text) -> Result<Text, String> {
    let limits = Limits {
        output: 1 << 16,
        steps: 20_000,
        template_depth: 40,
        nesting: 200,
        cached_text: 1 << 12,
    };
    let data = data();
    let mut context = ();
    let result = set.run(limits, &mut context).execute(name, data.clone());
    // A map that contains itself would never be freed.
    if let Value::Map(map) = &data {
        map.keys().iter().for_each(|key| drop(map.remove(key)));
    }
    result.map_err(|error| error.to_string())
}

fn data() -> Value {
    let inner = Map::from_iter([(
        "b",
        Value::from(vec![Value::Int(1), Value::from("x"), Value::Nil]),
    )]);
    Map::from_iter([
        ("a", Value::from(inner)),
        ("n", Value::Float(3.0)),
        ("s", Value::from("text")),
        ("t", Value::from("{{ .s }}")),
    ])
    .into()
}

/// Prints values under a format string. The text is the same when it is printed again.
pub fn printf_survives(format: &[u8]) {
    let values = [
        Value::Int(-42),
        Value::Float(2.5),
        Value::from("é\n"),
        Value::Nil,
        Value::Bool(true),
        Value::Bytes(Text::from("hi")),
        data(),
    ];
    let text = sprintf(format, &values);
    assert_eq!(text, sprintf(format, &values));
    if let Ok(text) = text {
        assert!(quote(&text).len() >= text.len());
    }
}
