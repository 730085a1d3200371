//! No argument makes a function panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;
use weir_chart::Profile;
use weir_gotemplate::{Args, Call, List, ListType, Map, Text, Type, Value};

use crate::support::{World, functions};

/// Functions that make keys take a second each; the rest is called with hundreds of arguments.
fn is_slow(name: &str) -> bool {
    name.starts_with("gen") || matches!(name, "bcrypt" | "htpasswd" | "derivePassword")
}

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        "[a-z0-9 .,:/_*^$()\\[\\]{}+?|-]{0,24}".prop_map(Text::from),
        prop::collection::vec(any::<u8>(), 0..16).prop_map(Text::from),
        prop::sample::select(vec![
            "",
            "1.2.3",
            ">=1.2 <3",
            "2006-01-02T15:04:05Z07:00",
            "1h30m",
            "a: [1, {b: c}]",
            "{\"a\": [1]}",
            "[a]\nb = 1",
            "YWJj",
            "http://u:p@h:1/p?q#f",
            "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
            "é\u{200b}😀",
        ])
        .prop_map(Text::from),
    ]
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![-20..40_i64, any::<i64>(), Just(i64::MIN), Just(i64::MAX)]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nil),
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(Value::Int),
        number().prop_map(Value::Int64),
        any::<f64>().prop_map(Value::Float),
        Just(Value::Float(f64::NAN)),
        text().prop_map(Value::Str),
        text().prop_map(Value::Bytes),
        Just(Value::List(List::nil(&ListType::ANY))),
        Just(Value::Map(Map::nil(&weir_gotemplate::MapType::ANY))),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..5)
                .prop_map(|entries| Value::Map(entries.into_iter().collect())),
        ]
    })
}

/// A value of a parameter's type, made of raw material.
fn fit(kind: Type, value: &Value, number: i64, text: &Text, world: &mut World) -> Value {
    match kind {
        Type::Bool => Value::Bool(number % 2 == 0),
        Type::Int => Value::Int(number),
        Type::Int32 => Value::Int32(number as i32),
        Type::Int64 => Value::Int64(number),
        Type::Uint32 => Value::Uint32(number as u32),
        Type::Float64 => Value::Float(f64::from_bits(number.cast_unsigned())),
        Type::String => Value::Str(text.clone()),
        Type::List(list) => match value {
            Value::List(value) if list.name == ListType::ANY.name => Value::List(value.clone()),
            _ => Value::List(List::new(list, Vec::new())),
        },
        Type::Map(map) => match value {
            Value::Map(value) => Value::Map(value.with_type(map)),
            _ => Value::Map(Map::of(map)),
        },
        Type::Named(_) => {
            let functions = functions(Profile::Helm4);
            let now = functions.get("now").unwrap();
            Call::detached(world, |call| now.call(call, Args::new(&[]))).unwrap()
        }
        _ => value.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_function_panics(
        values in prop::collection::vec(value(), 6),
        numbers in prop::collection::vec(number(), 6),
        texts in prop::collection::vec(text(), 6),
        more in 0..4_usize,
    ) {
        let functions = functions(Profile::Helm4);
        let names: Vec<_> = functions.names().map(ToString::to_string).collect();
        for name in names.iter().filter(|name| !is_slow(name)) {
            let function = functions.get(name).unwrap();
            let signature = function.signature;
            let rest = signature.variadic.map(|kind| std::iter::repeat_n(kind, more)).into_iter().flatten();
            let kinds = signature.params.iter().copied().chain(rest);
            let mut world = World::default();
            let args: Vec<_> = kinds
                .enumerate()
                .map(|(at, kind)| fit(kind, &values[at % 6], numbers[at % 6], &texts[at % 6], &mut world))
                .collect();
            let called = catch_unwind(AssertUnwindSafe(|| {
                Call::detached(&mut world, |call| function.call(call, Args::new(&args))).is_ok()
            }));
            prop_assert!(called.is_ok(), "{name} {args:?}");
        }
    }
}
