//! Texts that are not what they should be.

use weir_plugin::CallError;

use crate::{Watch, case, error};

const MAP: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: x}, data: {a: b}}";

#[test]
fn bodies_that_are_no_objects_are_refused() {
    let watch = Watch::start();
    for (name, text, expected) in [
        (
            "add",
            "{",
            "the object is not valid JSON: a key in quotes was expected at byte 1",
        ),
        ("add", "[]", "an object was expected, but this is a list"),
        ("add", r#"{"kind":"A"}"#, "the object has no apiVersion"),
        (
            "add",
            r#"{"a":1e999}"#,
            "the object is not valid JSON: the number 1e999 is out of range at byte 5",
        ),
        (
            "add",
            r#"{"a":1,"a":2}"#,
            "the object is not valid JSON: the key \"a\" stands twice in one object at byte 7",
        ),
        (
            "add",
            r#"{"a":"\ud800"}"#,
            "the object is not valid JSON: half of a surrogate pair stands alone at byte 6",
        ),
        (
            "deep-json",
            "",
            "the object is not valid JSON: it is nested more than 100 levels deep at byte 100",
        ),
        ("merge-all", "[]", "the patch is not a JSON object"),
        (
            "merge-all",
            r#"{"kind":1}"#,
            "kind of the object is a number, but a text was expected",
        ),
    ] {
        let call = case(name, text).objects(MAP);
        assert_eq!(
            watch.beside(name, || error(call)),
            format!("invalid: {expected}"),
            "{name} {text}"
        );
    }
}

#[test]
fn yaml_bombs_are_refused() {
    let watch = Watch::start();
    let found = watch.beside("yaml-aliases", || error(case("yaml-aliases", "")));
    assert!(
        found.starts_with("invalid: the text is not valid YAML: "),
        "{found}"
    );
    let found = watch.beside("add-yaml", || error(case("add-yaml", "a: [")));
    assert!(
        found.starts_with("invalid: the text is not valid YAML: "),
        "{found}"
    );
}

#[test]
fn a_text_that_is_not_utf8_ends_the_call() {
    let watch = Watch::start();
    let found = watch.beside("bad-text", || error(case("bad-text", "")));
    assert_eq!(
        found,
        "plugin hostile crashed in step test: invalid utf-8 sequence of 1 bytes from index 6"
    );
}

#[test]
fn configs_are_checked_before_the_guest_runs() {
    let watch = Watch::start();
    for (text, expected) in [
        (
            "{",
            "at : it is not valid JSON: EOF while parsing an object at line 1 column 1",
        ),
        ("{}", "at : \"case\" is a required property"),
        (
            r#"{"case":1}"#,
            "at /case: the value is not of type \"string\"",
        ),
        (
            &format!("{}1{}", "[".repeat(1000), "]".repeat(1000)),
            "at : it is not valid JSON: recursion limit exceeded at line 1 column 128",
        ),
    ] {
        let call = case("nothing", "").config_text(text);
        let found = watch.beside("config", || call.transform().unwrap_err());
        assert!(matches!(found, CallError::Config { .. }));
        assert_eq!(
            found.to_string(),
            format!("the config of step test is not valid {expected}")
        );
    }
    let huge = format!("{{\"case\":\"{}\"}}", "x".repeat(5 << 20));
    let found = error(case("nothing", "").config_text(huge));
    assert_eq!(
        found,
        "the config of step test is not valid at : it has 5242891 bytes, over the limit of 4194304"
    );
}

#[test]
fn a_failed_call_changes_nothing() {
    let watch = Watch::start();
    for (name, expected) in [
        ("edit-then-fail", "after all"),
        (
            "edit-then-panic",
            "plugin hostile crashed in step test: panicked at src/lib.rs:",
        ),
        (
            "use-removed",
            "plugin hostile crashed in step test: it used an object after it had removed it",
        ),
        ("finding-error", "bad news"),
    ] {
        let found = watch.beside(name, || error(case(name, "bad news").objects(MAP)));
        assert!(found.starts_with(expected), "{name}: {found}");
    }
}
