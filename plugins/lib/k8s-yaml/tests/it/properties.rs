//! What holds for any input.

use proptest::prelude::*;
use serde_json::{Map, Value};
use weir_k8s_yaml::properties::{
    json_is_yaml, parser_survives, tree_round_trips, value_round_trips,
};
use weir_k8s_yaml::to_go_json;

const PIECES: &[&str] = &[
    "a",
    "b: ",
    ": ",
    "- ",
    "? ",
    "\n",
    "\n  ",
    "\n    ",
    "\t",
    " ",
    "#",
    " # c",
    "'",
    "\"",
    "|",
    ">",
    "|-\n",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&x ",
    "*x",
    "!t ",
    "!!int ",
    "<<: ",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "1",
    "yes",
    "~",
    "\\",
    "\\u00e9",
    "é",
    "\u{85}",
    "\u{2028}",
    "\r\n",
    "\u{feff}",
    "0x1F",
    "2001-01-01",
    ".inf",
];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

fn string() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~\\n\\t]{0,40}",
        prop::collection::vec(prop::sample::select(PIECES), 0..6)
            .prop_map(|pieces| pieces.concat()),
        "[a-z ]{60,200}",
        any::<String>(),
    ]
    // These go through JSON on their way to YAML in Go, and do not come back as they were.
    .prop_map(|text| {
        text.replace(
            |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}'),
            "",
        )
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // Whole floats come back as integers.
        (-1e9..1e9).prop_map(|float: f64| Value::from(float.trunc() + 0.25)),
        string().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((string(), inner), 0..6)
                .prop_map(|entries| Value::from(Map::from_iter(entries))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        parser_survives(&bytes);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in text()) {
        parser_survives(text.as_bytes());
    }

    #[test]
    fn values_come_back_as_they_were(value in value()) {
        value_round_trips(&value);
    }

    #[test]
    fn json_is_read_as_yaml_reads_it(value in value()) {
        json_is_yaml(&value.to_string());
        json_is_yaml(&format!("{value:#}"));
        json_is_yaml(&to_go_json(&value).unwrap());
    }

    #[test]
    fn trees_come_back_as_they_were(value in value()) {
        tree_round_trips(&value);
    }
}
