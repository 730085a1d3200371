use serde_json::{Value, json};

use super::*;
use crate::local::schema::openapi::Builder;

/// A type with every way of merging.
fn things() -> (Schema, TypeId) {
    let schema = json!({"type": "object", "properties": {
        "text": {"type": "string"},
        "count": {"type": "integer"},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {"a": {"type": "string"}}},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "list": {"type": "array", "items": {"type": "integer"}},
        "keyed": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name", "protocol"],
            "items": {"type": "object", "properties": {
                "name": {"type": "string"}, "protocol": {"type": "string", "default": "TCP"}, "port": {"type": "integer"},
            }},
        },
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "either": {"x-kubernetes-int-or-string": true},
    }});
    let mut builder = Builder::default();
    let id = builder.inline(&schema, "").unwrap();
    (builder.finish().0, id)
}

fn merged(live: Value, applied: Value) -> Value {
    let (schema, id) = things();
    merge(&schema, id, Some(&live), Some(&applied)).unwrap_or(Value::Null)
}

fn owned(value: Value) -> Value {
    let (schema, id) = things();
    field_set(&schema, id, &value).to_v1()
}

fn errors(value: Value) -> String {
    let (schema, id) = things();
    check(&schema, id, &value, Duplicates::Refused)
        .unwrap_err()
        .to_string()
}

fn names(value: &Value) -> Vec<&str> {
    value["keyed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect()
}

#[test]
fn maps_are_merged_by_key_and_atomic_ones_replaced() {
    let live =
        json!({"map": {"a": "1", "b": "2"}, "whole": {"a": "1"}, "list": [1, 2], "text": "old"});
    let applied = json!({"map": {"b": "3"}, "whole": {}, "list": [3], "count": 1});
    let expected =
        json!({"map": {"a": "1", "b": "3"}, "whole": {}, "list": [3], "text": "old", "count": 1});
    assert_eq!(merged(live, applied), expected);
}

#[test]
fn items_are_merged_by_their_keys_with_defaults() {
    let live =
        json!({"keyed": [{"name": "a", "port": 1}, {"name": "a", "protocol": "UDP", "port": 2}]});
    let applied = json!({"keyed": [{"name": "a", "protocol": "TCP", "port": 3}]});
    let expected = json!({"keyed": [
        {"name": "a", "port": 3, "protocol": "TCP"}, {"name": "a", "protocol": "UDP", "port": 2},
    ]});
    assert_eq!(merged(live, applied), expected);
}

#[test]
fn the_order_of_items_is_that_of_what_is_applied() {
    let list = |names: &str| -> Value {
        json!({"keyed": names.chars().map(|name| json!({"name": name.to_string()})).collect::<Vec<_>>()})
    };
    for (live, applied, expected) in [
        ("abc", "cd", "abcd"),
        ("abc", "ca", "bca"),
        ("ab", "ba", "ba"),
        ("abcd", "xcya", "bxcdya"),
        ("", "ba", "ba"),
        ("abc", "", "abc"),
        ("bd", "abcde", "abcde"),
    ] {
        let merged = merged(list(live), list(applied));
        assert_eq!(names(&merged).concat(), expected, "{applied} onto {live}");
    }
}

#[test]
fn what_is_applied_is_owned_to_the_leaves() {
    let value = json!({
        "text": "a", "map": {"x": "1"}, "whole": {"a": "1"}, "set": ["b", "a"], "list": [1],
        "keyed": [{"name": "w", "port": 1}], "free": {"a": {"b": [1]}, "n": null}, "either": "5%",
    });
    let expected = json!({
        "f:text": {}, "f:map": {"f:x": {}}, "f:whole": {}, "f:set": {"v:\"a\"": {}, "v:\"b\"": {}}, "f:list": {},
        "f:keyed": {"k:{\"name\":\"w\",\"protocol\":\"TCP\"}": {".": {}, "f:name": {}, "f:port": {}}},
        "f:free": {"f:a": {".": {}, "f:b": {}}, "f:n": {}}, "f:either": {},
    });
    assert_eq!(owned(value), expected);
    assert_eq!(
        owned(json!({"map": {}, "set": [], "free": {}})),
        json!({"f:map": {}, "f:free": {}})
    );
}

#[test]
fn differences_are_found_item_by_item() {
    let (schema, id) = things();
    let old = json!({"text": "a", "map": {"x": "1", "y": "2"}, "keyed": [{"name": "w", "port": 1}], "list": [1], "either": 1});
    let new = json!({"map": {"x": "1", "y": "3"}, "keyed": [{"name": "w", "port": 2}, {"name": "v"}], "list": [1], "either": "1"});
    let found = compare(&schema, id, &old, &new);
    assert_eq!(found.removed.to_v1(), json!({"f:text": {}}));
    let item = "k:{\"name\":\"w\",\"protocol\":\"TCP\"}";
    assert_eq!(
        found.modified.to_v1(),
        json!({"f:either": {}, "f:keyed": {item: {"f:port": {}}}, "f:map": {"f:y": {}}})
    );
    let item = "k:{\"name\":\"v\",\"protocol\":\"TCP\"}";
    assert_eq!(
        found.added.to_v1(),
        json!({"f:keyed": {item: {".": {}, "f:name": {}}}})
    );
    assert_eq!(compare(&schema, id, &old, &old), Comparison::default());
}

#[test]
fn fields_are_removed_by_path() {
    let (schema, id) = things();
    let value = json!({"text": "a", "map": {"x": "1", "y": "2"}, "set": ["a", "b"], "keyed": [{"name": "w", "port": 1}]});
    let gone = owned(json!({"text": "", "map": {"x": ""}, "set": ["b"]}));
    let gone = Set::from_v1(gone.as_object().unwrap()).unwrap();
    let expected = json!({"map": {"y": "2"}, "set": ["a"], "keyed": [{"name": "w", "port": 1}]});
    assert_eq!(remove(&schema, id, &value, &gone), expected);
}

#[test]
fn mistakes_are_told_with_their_path_and_without_values() {
    assert_eq!(
        errors(json!({"nope": 1})),
        ".nope: field not declared in schema"
    );
    assert_eq!(
        errors(json!({"text": 31337})),
        ".text: expected a string, got a number"
    );
    assert_eq!(
        errors(json!({"count": "31337"})),
        ".count: expected an integer, got a string"
    );
    assert_eq!(
        errors(json!({"count": 1.5})),
        ".count: expected an integer, got a number with a fraction"
    );
    assert_eq!(
        errors(json!({"map": ["a"]})),
        ".map: expected a mapping, got a list"
    );
    assert_eq!(
        errors(json!({"list": {"a": 1}})),
        ".list: expected a list, got a mapping"
    );
    assert_eq!(
        errors(json!({"list": [1, "x"]})),
        ".list[1]: expected an integer, got a string"
    );
    assert_eq!(
        errors(json!({"either": {"a": {}}, "set": [{}]})),
        ".set: element 0: a set holds plain values, not mappings or lists"
    );
    assert_eq!(
        errors(json!({"set": ["a", "a"]})),
        ".set: duplicate entries for key [=\"a\"]"
    );
    assert_eq!(
        errors(json!({"keyed": [{"name": "w"}, {"name": "w", "protocol": "TCP"}]})),
        ".keyed: duplicate entries for key [name=\"w\",protocol=\"TCP\"]"
    );
    assert_eq!(
        errors(json!({"keyed": [{"name": "w", "port": "x", "y": 1}]})),
        ".keyed[name=\"w\",protocol=\"TCP\"].port: expected an integer, got a string; \
         .keyed[name=\"w\",protocol=\"TCP\"].y: field not declared in schema"
    );
    let (schema, id) = things();
    assert!(
        check(
            &schema,
            id,
            &json!({"count": 3.0, "free": {"x": [1]}, "text": null}),
            Duplicates::Refused
        )
        .is_ok()
    );
}

#[test]
fn unknown_fields_are_pruned_where_the_schema_is_closed() {
    let (schema, id) = things();
    let mut value = json!({"nope": 1, "keyed": [{"name": "w", "y": 1}], "free": {"z": {"a": 1}}, "map": {"q": "1"}});
    prune(&schema, id, &mut value);
    assert_eq!(
        value,
        json!({"keyed": [{"name": "w"}], "free": {"z": {"a": 1}}, "map": {"q": "1"}})
    );
}

#[test]
fn nulls_are_found_where_none_may_be() {
    let (schema, id) = things();
    assert_eq!(
        first_null(&schema, id, &json!({"free": {"a": null}, "either": null})),
        None
    );
    assert_eq!(
        first_null(
            &schema,
            id,
            &json!({"keyed": [{"name": "w", "port": null}]})
        )
        .unwrap(),
        ".keyed[0].port"
    );
}
