//! Whatever the text: no panic, and no more than is allowed.

use proptest::prelude::*;
use serde_json::{Value, json};
use weir_substitute::{Mode, Variables, expand, find_error, limits, substitute};

fn variables() -> Variables {
    let mut variables = Variables::default();
    for (name, value) in [
        ("a", "foo"),
        ("n", "12"),
        ("m", "-3"),
        ("e", ""),
        ("u", "Äß/é*["),
        ("star", "*a*"),
    ] {
        variables.set(name, value);
    }
    variables.set("raw", [0xff, b'a', 0xe2]);
    variables
}

const PIECES: &[&str] = &[
    "${", "}", "$", "{", "#", "%", "/", "^", ",", ":", "=", "-", "+", "?", "\\", "*", "[", "]",
    "a", "n", "m", "u", "star", "raw", "z", "1", "é", "😀", "\0", "\n", " ", "${a", "${u", "${z:=",
    "'", "\"", "- ", ": ",
];

/// Texts made of the characters that mean something.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in text(), strict: bool) {
        let mode = if strict { Mode::Strict } else { Mode::Lenient };
        let _ = expand(&text, &variables(), mode);
    }

    #[test]
    fn no_object_panics_and_errors_are_found_in_it(text in text(), key in text()) {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {key: [text]}});
        let _ = substitute(&object, &variables(), Mode::Strict);
        let _ = find_error(&object, &variables(), Mode::Strict);
    }

    #[test]
    fn what_names_nothing_stays_as_it_is(text in "[^$\u{7f}-\u{9f}\u{2028}\u{2029}]{0,80}", word in "[ -#%-~]{0,20}") {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": text, "b": word}});
        if let Ok(found) = substitute(&object, &Variables::default(), Mode::Strict) {
            prop_assert_eq!(found, object);
        }
    }
}

#[test]
fn nesting_and_output_are_bounded() {
    let deep = "${z:=".repeat(limits::DEPTH + 1);
    assert!(
        expand(&deep, &Variables::default(), Mode::Lenient)
            .unwrap_err()
            .to_string()
            .contains("nested")
    );
    let mut large = Variables::default();
    large.set("a", "x".repeat(1 << 20));
    let error = expand(&"${a}".repeat(40), &large, Mode::Lenient).unwrap_err();
    assert!(error.to_string().contains("larger than"), "{error}");
    let inserting = "${a//${e}/${a}}";
    assert!(expand(inserting, &large, Mode::Lenient).is_err());
}

#[test]
fn the_place_of_an_error_is_a_pointer_and_a_piece_of_text() {
    let object: Value = json!({
        "metadata": {"name": "${a}"},
        "data": {"run.sh": "#!/bin/sh\necho ${a} ${B[@]} x\n"},
    });
    let found = find_error(&object, &variables(), Mode::Strict);
    assert_eq!(
        found,
        Some(("/data/run.sh".to_owned(), "${B[@]}".to_owned()))
    );
    let unset = json!({"spec": {"host": "${a}.${domain}"}});
    assert_eq!(
        find_error(&unset, &variables(), Mode::Strict),
        Some(("/spec/host".to_owned(), "${domain}".to_owned()))
    );
    assert_eq!(find_error(&unset, &variables(), Mode::Lenient), None);
}
