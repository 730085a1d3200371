use serde_json::{Value, json};

use super::*;

fn set(v1: Value) -> Set {
    Set::from_v1(v1.as_object().unwrap()).unwrap()
}

#[test]
fn reads_and_writes_every_kind_of_element() {
    let v1 = json!({
        "f:metadata": {"f:labels": {".": {}, "f:a": {}}, "f:finalizers": {"v:\"x\\u003cy\"": {}, "v:1": {}, "v:true": {}}},
        "f:spec": {"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}, "f:l": {"i:3": {}}},
    });
    let expected = json!({
        "f:metadata": {"f:finalizers": {"v:1": {}, "v:\"x\\u003cy\"": {}, "v:true": {}}, "f:labels": {".": {}, "f:a": {}}},
        "f:spec": {"f:l": {"i:3": {}}, "f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}},
    });
    // As text, since the order counts too.
    assert_eq!(set(v1).to_v1().to_string(), expected.to_string());
}

#[test]
fn bad_fields_are_errors() {
    for (v1, expected) in [
        (
            json!({"spec": {}}),
            "\"spec\" is no path element; it starts with f:, k:, v: or i:",
        ),
        (
            json!({"k:[1]": {}}),
            "\"k:[1]\" is no path element; it starts with f:, k:, v: or i:",
        ),
        (
            json!({"v:{}": {}}),
            "\"v:{}\" is no path element; it starts with f:, k:, v: or i:",
        ),
        (
            json!({"f:a": 1}),
            "\"f:a\" has something other than a mapping below it",
        ),
    ] {
        assert_eq!(
            Set::from_v1(v1.as_object().unwrap())
                .unwrap_err()
                .to_string(),
            expected
        );
    }
    let mut deep = json!({});
    for _ in 0..600 {
        deep = json!({ "f:a": deep });
    }
    assert_eq!(
        Set::from_v1(deep.as_object().unwrap()),
        Err(FieldsError::TooDeep)
    );
}

#[test]
fn set_operations_treat_paths_and_what_is_below_them_apart() {
    let all = set(json!({"f:a": {".": {}, "f:b": {}, "f:c": {}}, "f:d": {}}));
    let some = set(json!({"f:a": {".": {}, "f:c": {}}, "f:e": {}}));
    let a = set(json!({"f:a": {}}));
    assert_eq!(
        all.union(&some),
        set(json!({"f:a": {".": {}, "f:b": {}, "f:c": {}}, "f:d": {}, "f:e": {}}))
    );
    assert_eq!(
        all.intersection(&some),
        set(json!({"f:a": {".": {}, "f:c": {}}}))
    );
    assert_eq!(
        all.difference(&some),
        set(json!({"f:a": {"f:b": {}}, "f:d": {}}))
    );
    assert_eq!(
        all.difference(&a),
        set(json!({"f:a": {"f:b": {}, "f:c": {}}, "f:d": {}}))
    );
    assert_eq!(all.without(&a), set(json!({"f:d": {}})));
    assert!(all.difference(&all).is_empty());
}

#[test]
fn paths_read_as_in_the_api_servers_messages() {
    let owned = set(
        json!({"f:spec": {"f:ports": {"k:{\"name\":\"w\",\"port\":8}": {"f:port": {}}}, "f:f": {"v:\"x\"": {}}}}),
    );
    let shown: Vec<String> = owned
        .paths()
        .iter()
        .map(|path| path.iter().map(Element::to_string).collect::<String>())
        .collect();
    assert_eq!(
        shown,
        [".spec.f[=\"x\"]", ".spec.ports[name=\"w\",port=8].port"]
    );
}
