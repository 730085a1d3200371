use serde_json::json;

use super::*;
use crate::shared::{map_from, map_to};

#[track_caller]
fn check(text: &str, base: &Value, expected: &Value) {
    let values = map_from(base.as_object().unwrap());
    set(text, &values).unwrap();
    assert_eq!(Value::Object(map_to(&values)), *expected);
}

#[track_caller]
fn refused(text: &str, base: &Value) -> String {
    set(text, &map_from(base.as_object().unwrap()))
        .unwrap_err()
        .to_string()
}

#[test]
fn assignments() {
    check(
        "a=1,b=x,c.d=true,e=null",
        &json!({}),
        &json!({"a": 1, "b": "x", "c": {"d": true}, "e": null}),
    );
    check(
        "a={1,b},b={},c[0]=x,c[2]=z",
        &json!({}),
        &json!({"a": [1, "b"], "b": [""], "c": ["x", null, "z"]}),
    );
    check(r"a\.b=1,c=x\,y", &json!({}), &json!({"a.b": 1, "c": "x,y"}));
    check("a[1]=9", &json!({"a": [1, 2, 3]}), &json!({"a": [1, 9, 3]}));
    check("a[0].b=1", &json!({"a": ["x"]}), &json!({"a": [{"b": 1}]}));
    check("a=", &json!({}), &json!({"a": ""}));
    check("a=+5", &json!({}), &json!({"a": 5}));
}

#[test]
fn mistakes() {
    assert_eq!(refused("a", &json!({})), "key \"a\" has no value");
    assert_eq!(
        refused("a,b=1", &json!({})),
        "key \"a\" has no value (cannot end with ,)"
    );
    assert_eq!(
        refused("a={1,2", &json!({})),
        "list must terminate with '}'"
    );
    assert_eq!(
        refused("a[-1]=1", &json!({})),
        "negative -1 index not allowed"
    );
    assert_eq!(
        refused("a[x]=1", &json!({})),
        "error parsing index: strconv.Atoi: parsing \"x\": invalid syntax"
    );
    assert_eq!(
        refused("a.b=1", &json!({"a": null})),
        "unable to parse key: interface conversion: interface {} is nil, not map[string]interface {}"
    );
    assert_eq!(
        refused(&format!("{}=1", "a.".repeat(40)), &json!({})),
        too_nested()
    );
    assert_eq!(
        refused(&format!("a{}=1", "[0]".repeat(200)), &json!({})),
        too_nested()
    );
}

#[test]
fn files_and_literals() {
    let values = empty();
    set_file("a.b=name,c=other", &values, &mut |name| {
        Ok(format!("<{name}>"))
    })
    .unwrap();
    set_literal("d.e=x,y={z}\\", &values).unwrap();
    let expected = json!({"a": {"b": "<name>"}, "c": "<other>", "d": {"e": "x,y={z}\\"}});
    assert_eq!(Value::Object(map_to(&values)), expected);
    let missing = set_file("a=none", &values, &mut |_| {
        Err(TreeError::new("open none: no such file or directory"))
    });
    assert_eq!(
        missing.unwrap_err().to_string(),
        "open none: no such file or directory"
    );
}
