use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn refused(text: &str) -> String {
    normal(text).unwrap_err().to_string()
}

#[test]
fn normal_text_is_borrowed() {
    let text = r#"{"a":[1,-2.50,1e3,"x\n\u0001ü",true,false,null],"b":{},"c":[]}"#;
    assert!(matches!(normal(text), Ok(Cow::Borrowed(same)) if same == text));
}

#[test]
fn white_space_and_needless_escapes_go() {
    let text = " { \"\\u0061\" : [ 1 , \"\\/\\u00fc\\ud83d\\ude00\\u000A\\u001F \" ] } \n";
    assert_eq!(normal(text).unwrap(), "{\"a\":[1,\"/ü😀\\n\\u001f \"]}");
}

#[test]
fn bad_texts_are_refused_with_a_place() {
    for (text, error) in [
        ("", "the text ends where a value was expected at byte 0"),
        ("{", "a key in quotes was expected at byte 1"),
        (r#"{"a"}"#, "\":\" was expected at byte 4"),
        (r#"{"a":1,}"#, "a key in quotes was expected at byte 7"),
        (r#"{"a":1 "b":2}"#, "\",\" or \"}\" was expected at byte 7"),
        ("[1,]", "a value was expected at byte 3"),
        ("[01]", "\",\" or \"]\" was expected at byte 2"),
        ("[1.]", "a digit was expected at byte 3"),
        ("[-]", "a digit was expected at byte 2"),
        ("[nul]", "a value was expected at byte 1"),
        (
            "{} {}",
            "there is more after the end of the value at byte 3",
        ),
        ("\"a", "the text ends inside a string at byte 2"),
        (
            "\"a\nb\"",
            "a control character stands in a string at byte 2",
        ),
        (r#""\x""#, "an unknown escape stands in a string at byte 1"),
        (
            r#""\u12""#,
            "\"\\u\" needs four hexadecimal digits at byte 1",
        ),
        (
            r#""\ud800x""#,
            "half of a surrogate pair stands alone at byte 1",
        ),
        (
            r#""\udc00""#,
            "half of a surrogate pair stands alone at byte 1",
        ),
        ("[1e999]", "the number 1e999 is out of range at byte 1"),
        (
            r#"{"a":1,"a":2}"#,
            "the key \"a\" stands twice in one object at byte 7",
        ),
        (
            r#"{"a":1,"\u0061":2}"#,
            "the key \"a\" stands twice in one object at byte 7",
        ),
    ] {
        assert_eq!(refused(text), error, "{text}");
    }
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(normal(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(
        refused(&nested(MAX_DEPTH + 1)),
        "it is nested more than 100 levels deep at byte 100"
    );
    assert_eq!(
        refused(&"[".repeat(1_000_000)),
        "it is nested more than 100 levels deep at byte 100"
    );
}

#[test]
fn duplicates_are_found_among_many_keys() {
    let keys = |last: &str| {
        let mut text: String = (0..1000).map(|n| format!("\"k{n}\":{n},")).collect();
        text = format!("{{{text}\"{last}\":0}}");
        text
    };
    assert!(normal(&keys("k1000")).is_ok());
    assert!(refused(&keys("k3")).starts_with("the key \"k3\" stands twice"));
    assert!(refused(&keys("k999")).starts_with("the key \"k999\" stands twice"));
}

#[test]
fn members_and_values_are_found_without_parsing() {
    let text = r#"{"a":{"x":["}",{"\"":1}]},"b\"":"v\\","c":-1}"#;
    let found: Vec<_> = members(text, 0)
        .map(|m| (&text[m.key], &text[m.value]))
        .collect();
    assert_eq!(
        found,
        [
            ("a", r#"{"x":["}",{"\"":1}]}"#),
            (r#"b\""#, r#""v\\""#),
            ("c", "-1")
        ]
    );
    assert_eq!(
        member(text, 0, r#"b\""#)
            .and_then(|range| string(text, range))
            .as_deref(),
        Some("v\\")
    );
    assert_eq!(member(text, 0, "d"), None);
    assert_eq!(members("{}", 0).count(), 0);
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        "[ -~äö\u{0}-\u{1f}\"\\\\/\u{1f600}]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-z\"\u{1}ü]{0,3}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_serde_writes_is_normal(value in json()) {
        let text = value.to_string();
        prop_assert!(matches!(normal(&text), Ok(Cow::Borrowed(_))), "{}", text);
    }

    #[test]
    fn pretty_text_means_the_same_afterwards(value in json()) {
        let text = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(normal(&text).unwrap(), value.to_string());
    }

    #[test]
    fn it_agrees_with_serde_about_what_is_json(text in r#"[\[\]{},:"\\u0dae1.\-+ ntrlsf]{0,24}"#) {
        let ours = normal(&text);
        match serde_json::from_str::<Value>(&text) {
            // Duplicate keys are where we are stricter.
            Ok(value) => prop_assert!(
                ours.as_ref().map_or_else(|e| e.what.contains("twice"), |t| serde_json::from_str::<Value>(t).unwrap() == value),
                "{text} {ours:?}"
            ),
            Err(_) => prop_assert!(ours.is_err(), "{text}"),
        }
    }

    #[test]
    fn escaping_comes_back(text in any::<String>()) {
        let inner = escaped(&text).into_owned();
        prop_assert_eq!(format!("\"{inner}\""), serde_json::to_string(&text).unwrap());
        prop_assert_eq!(unescaped(&inner), text);
    }
}
