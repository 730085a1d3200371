//! Templates that mean harm, or are none: nothing panics, everything ends.

use proptest::prelude::*;
use weir_gotemplate::properties::{printf_survives, template_survives};
use weir_gotemplate::{Error, ErrorKind, Limits, MissingKey, Text};

use crate::support::{FILE, dot, set};

fn run(template: &str, limits: Limits) -> Result<Text, Error> {
    let mut set = set(MissingKey::Zero);
    set.parse(FILE, template)?;
    let values = serde_json::json!({"a": {"b": [1, "x", null, {"c": true}]}, "n": 3, "s": "text"});
    let mut nothing = ();
    let mut run = set.run(limits, &mut nothing);
    run.execute(&Text::from(FILE), dot(&values))
}

fn limits() -> Limits {
    Limits {
        output: 1 << 20,
        steps: 100_000,
        template_depth: 50,
        nesting: 300,
        ..Limits::default()
    }
}

#[track_caller]
fn ends(template: &str, message: &str) {
    let error = run(template, limits()).unwrap_err();
    assert!(error.to_string().contains(message), "{error}");
}

#[test]
fn bounds() {
    ends(
        "{{ range 1000000000000 }}{{ end }}",
        "more than 100000 steps",
    );
    ends(
        "{{ range 90000 }}aaaaaaaaaaaaaaaaaaaaaaaa{{ end }}",
        "output is larger than 1048576 bytes",
    );
    ends(
        "{{ define \"x\" }}{{ template \"x\" }}{{ end }}{{ template \"x\" }}",
        "exceeded maximum template depth (50)",
    );
    ends(
        "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}",
        "exceeded maximum template depth (50)",
    );
    ends(
        "{{ define \"x\" }}{{ tpl .s . }}{{ end }}{{ $d := dict }}{{ $_ := set $d \"s\" \"{{ tpl .s . }}\" }}{{ tpl $d.s $d }}",
        "exceeded maximum template depth",
    );
    ends(
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $d }}",
        "too large to print",
    );
    ends(
        "{{ printf \"%0999999d\" 1 }}{{ printf \"%0999999d\" 1 }}",
        "more than 100000 steps",
    );
}

#[test]
fn limits_are_told_from_other_errors() {
    let Err(Error::Exec(error)) = run("{{ range 1000000000000 }}{{ end }}", limits()) else {
        panic!()
    };
    assert!(matches!(error.kind, ErrorKind::Limit(_)));
    assert_eq!((error.location.line, error.location.column), (1, 9));
}

#[test]
fn a_list_nested_a_hundred_thousand_times_is_dropped() {
    let text = run(
        "{{ $l := list }}{{ range 30000 }}{{ $l = list $l }}{{ end }}{{ len $l }}",
        limits(),
    )
    .unwrap();
    assert_eq!(text, Text::from("1"));
}

#[test]
fn a_chain_of_errors_prints_on_a_small_stack() {
    let template = "{{ define \"x\" }}{{ include \"x\" . }}{{ end }}{{ include \"x\" . }}";
    let deep = Limits {
        template_depth: 400,
        nesting: 10_000,
        ..limits()
    };
    let error = run(template, deep).unwrap_err().to_string();
    assert_eq!(error.matches("error calling include").count(), 400);
}

/// Pieces that templates are made of, so that random texts get past the lexer.
fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        "\n",
        "if",
        "else",
        "end",
        "range",
        "with",
        "define",
        "template",
        "block",
        "break",
        "continue",
        "nil",
        "true",
        ".",
        ".a",
        ".a.b",
        ".n",
        ".s",
        "$",
        "$x",
        ":=",
        "=",
        ",",
        "|",
        "(",
        ")",
        "\"x\"",
        "`r`",
        "'c'",
        "1",
        "-2",
        "3.5",
        "1i",
        "0x1p4",
        "print",
        "printf",
        "\"%v%[2]*.3q\"",
        "len",
        "index",
        "eq",
        "lt",
        "and",
        "or",
        "not",
        "call",
        "html",
        "js",
        "urlquery",
        "list",
        "dict",
        "set",
        "include",
        "tpl",
        "\"{{ .s }}\"",
        "/*",
        "*/",
        "é",
        "\u{0}",
    ]);
    words.prop_map(str::to_owned)
}

/// Whole actions, so that most random texts run.
fn action() -> impl Strategy<Value = String> {
    let operand = prop::sample::select(vec![
        ".",
        "$",
        "nil",
        "1",
        "-1",
        "2.5",
        "true",
        "\"x\"",
        "\"%d %s %q %x\"",
        ".Values",
        ".Values.a",
        ".Values.a.b",
        ".Values.n",
        ".Values.s",
        "(index .Values.a.b 1)",
        "(list 1 nil .)",
        "(dict \"k\" .Values)",
        ".Values.zz",
        "(.Values.zz)",
        "99999999999",
    ]);
    let function = prop::sample::select(vec![
        "print", "printf", "println", "len", "index", "eq", "ne", "lt", "ge", "and", "or", "not",
        "call", "html", "js", "urlquery", "list", "dict", "quote", "default", "ternary", "upper",
        "hasKey", "include", "tpl",
    ]);
    let command =
        (function, prop::collection::vec(operand, 0..4)).prop_map(|(function, operands)| {
            operands
                .iter()
                .fold(function.to_owned(), |command, operand| {
                    command + " " + operand
                })
        });
    let pipe = prop::collection::vec(command, 1..3).prop_map(|commands| commands.join(" | "));
    let leaf = pipe.clone().prop_map(|pipe| format!("{{{{ {pipe} }}}}"));
    leaf.prop_recursive(3, 12, 3, move |inner| {
        (
            pipe.clone(),
            inner.clone(),
            inner,
            prop::sample::select(vec!["if", "with", "range", "range $i, $v :="]),
        )
            .prop_map(|(pipe, a, b, keyword)| {
                format!("{{{{ {keyword} {pipe} }}}}{a}{{{{ else }}}}{b}{{{{ end }}}}")
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn random_text_never_panics(text in ".{0,200}") {
        let _ = run(&text, limits());
    }

    #[test]
    fn random_pieces_never_panic(pieces in prop::collection::vec(piece(), 0..40)) {
        let _ = run(&pieces.concat(), limits());
        template_survives(pieces.join(" ").as_bytes());
    }

    #[test]
    fn random_actions_never_panic(actions in prop::collection::vec(action(), 1..5)) {
        let result = run(&actions.concat(), limits());
        if let Err(error) = result {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        template_survives(&bytes);
        printf_survives(&bytes);
    }

    #[test]
    fn random_formats_never_panic(format in "[%a-zA-Z0-9.*\\[\\]+# -]{0,20}") {
        let template = format!("{{{{ printf {format:?} 1 2.5 \"x\" nil . (list 1) true }}}}");
        let _ = run(&template, limits());
    }
}
