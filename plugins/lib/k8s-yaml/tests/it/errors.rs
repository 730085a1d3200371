//! Errors say what go-yaml says, and where and what to do besides.

use weir_k8s_yaml::{ErrorKind, ParseOptions, Schema, Span, from_str, parse};

fn check(text: &str, sigs: &str, kyaml: &str, place: (u32, u32), hint: &str) {
    for (schema, expected) in [(Schema::Sigs, sigs), (Schema::Kyaml, kyaml)] {
        let error = from_str(text, schema).unwrap_err();
        assert_eq!(error.to_string(), expected, "{text:?}");
        assert_eq!(
            (error.line().unwrap(), error.column().unwrap()),
            place,
            "{text:?}"
        );
        assert!(
            error.hint().unwrap_or_default().contains(hint),
            "{text:?}: {:?}",
            error.hint()
        );
    }
}

#[test]
fn mistakes_that_people_make() {
    let text = "yaml: line 2: mapping values are not allowed in this context";
    check("x:\na: b: c\n", text, text, (2, 5), "quotes");
    let text = "yaml: line 2: found character that cannot start any token";
    check("a:\n  b: @c\n", text, text, (2, 6), "quotes");
    check("a:\n\tb: c\n", text, text, (2, 1), "spaces instead of tabs");
    let key = "did not find expected key";
    check(
        "a:\n  b: c\n d: e\n",
        &format!("yaml: line 2: {key}"),
        &format!("yaml: line 2: {key}"),
        (3, 2),
        "indentation",
    );
    check(
        "x: 1\na: 'b\n",
        "yaml: line 3: found unexpected end of stream",
        "yaml: line 2: found unexpected end of stream",
        (3, 1),
        "quote",
    );
    check(
        "x:\na: [b\nc: d\n",
        "yaml: line 2: did not find expected ',' or ']'",
        "yaml: line 1: did not find expected ',' or ']'",
        (3, 2),
        "bracket",
    );
}

#[test]
fn keys_that_stand_twice() {
    let error = from_str("a: 1\nb: 2\na: 3\nb: 4\n", Schema::Kyaml).unwrap_err();
    let expected = "yaml: unmarshal errors:\n  line 3: mapping key \"a\" already defined at line 1\n  line 4: mapping key \"b\" already defined at line 2";
    assert_eq!(error.to_string(), expected);
    assert_eq!(
        (error.kind(), error.line()),
        (ErrorKind::DuplicateKey, Some(3))
    );
}

#[test]
fn template_expressions_get_a_hint() {
    let error = from_str("a: {{ .Values.x }}\n", Schema::Sigs).unwrap_err();
    assert_eq!(
        error.to_string(),
        "yaml: invalid map key: map[interface {}]interface {}{\".Values.x\":interface {}(nil)}"
    );
    assert!(error.hint().unwrap().contains("template"));
    assert_eq!((error.line(), error.column()), (Some(1), Some(5)));
}

#[test]
fn places_are_those_of_the_larger_text() {
    let file = "first: document\n---\nb: @\n";
    let at = u32::try_from(file.find("b:").unwrap()).unwrap();
    let start = Span {
        start: at,
        end: at,
        line: 3,
        column: 1,
    };
    let options = ParseOptions {
        start,
        ..ParseOptions::default()
    };
    let error = parse(&file[at as usize..], &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "yaml: line 3: found character that cannot start any token"
    );
    assert_eq!(
        (error.line(), error.column(), error.span().unwrap().start),
        (Some(3), Some(4), at + 3)
    );
    let good = parse("a:\n  b: c\n", &options).unwrap().unwrap();
    let span = good.root.at(&["a", "b"]).unwrap().span();
    assert_eq!(
        span,
        Span {
            start: at + 8,
            end: at + 9,
            line: 4,
            column: 6
        }
    );
}

#[test]
fn numbers_in_json_are_what_yaml_makes_of_them() {
    let text = r#"{"a": 1.0, "b": -0, "c": 1e3, "d": 1e20, "e": 18446744073709551616, "f": 0.1, "g": 1e400}"#;
    let value = from_str(text, Schema::Sigs).unwrap();
    let expected =
        r#"{"a":1,"b":0,"c":1000,"d":1e+20,"e":1.8446744073709552e+19,"f":0.1,"g":"1e400"}"#;
    assert_eq!(value.to_string(), expected);
    let small = from_str(
        r#"{"a": 1.0, "b": -0, "a": 2.50, "b": [1e3]}"#,
        Schema::Sigs,
    )
    .unwrap();
    assert_eq!(small.to_string(), r#"{"a":2.5,"b":[1000]}"#);
}
