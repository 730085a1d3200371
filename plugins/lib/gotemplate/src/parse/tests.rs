use super::*;

#[track_caller]
fn error(text: &str, expected: &str) {
    let error = parse(
        &Text::from("t"),
        &Text::from(text),
        &Functions::builtins(),
        Delimiters::GO,
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("template: t:{expected}"),
        "{text}"
    );
}

#[test]
fn syntax_errors_read_as_in_go() {
    for (text, expected) in [
        ("{{", "1: unclosed action"),
        ("a\n{{ if\n.x", "3: unclosed action started at t:2"),
        ("{{ /* x */ }}", "1: unexpected \"/\" in command"),
        ("{{/* x", "1: unclosed comment"),
        ("{{/* x */ y}}", "1: comment ends before closing delimiter"),
        ("{{ .a-b }}", "1: bad character U+002D '-'"),
        ("{{ \"a }}", "1: unterminated quoted string"),
        ("{{ `a }}", "1: unterminated raw quoted string"),
        ("{{ (1 }}", "1: unclosed left paren"),
        ("{{ 1) }}", "1: unexpected right paren"),
        ("{{ 1x }}", "1: bad number syntax: \"1x\""),
        ("{{ nope }}", "1: function \"nope\" not defined"),
        ("{{ $x }}", "1: undefined variable \"$x\""),
        ("{{ }}", "1: missing value for command"),
        ("{{ if }}{{ end }}", "1: missing value for if"),
        (
            "{{ 1 | 2 }}",
            "1: non executable command in pipeline stage 2",
        ),
        ("{{ \"x\".y }}", "1: unexpected . after term \"\\\"x\\\"\""),
        ("{{ else }}", "1: unexpected {{else}}"),
        ("{{ end }}", "1: unexpected {{end}}"),
        ("{{ if 1 }}", "1: unexpected EOF"),
        (
            "{{ if 1 }}{{ else }}{{ else }}{{ end }}",
            "1: expected end; found {{else}}",
        ),
        (
            "{{ if 1 }}{{ else with 1 }}{{ end }}",
            "1: unexpected <with> in input",
        ),
        ("{{ break }}", "1: {{break}} outside {{range}}"),
        (
            "{{ if 1 }}{{ define \"x\" }}{{ end }}{{ end }}",
            "1: unexpected <define> in command",
        ),
        (
            "{{ define x }}{{ end }}",
            "1: unexpected \"x\" in define clause",
        ),
        (
            "{{ define \"d\" }}1{{ end }}{{ define \"d\" }}2{{ end }}",
            "1: template: multiple definition of template \"d\"",
        ),
        ("{{ $x, $y := 1 }}", "1: too many declarations in command"),
        (
            "{{ range $x, 1 }}{{ end }}",
            "1: range can only initialize variables",
        ),
        ("{{ template x }}", "1: unexpected \"x\" in template clause"),
        ("{{ ! }}", "1: unexpected \"!\" in command"),
        (
            "{{ print \"abcdefghijkl\"\"x\" }}",
            "1: unexpected \"\\\"x\\\"\" in operand",
        ),
    ] {
        error(text, expected);
    }
}

#[test]
fn nesting_has_a_bound() {
    let text = format!("{{{{ {}1{} }}}}", "(".repeat(500), ")".repeat(500));
    error(&text, "1: max expression depth exceeded");
}

#[test]
fn other_delimiters() {
    let delimiters = Delimiters {
        left: "<<",
        right: ">>",
    };
    let functions = Functions::builtins();
    let parse = |text: &str| parse(&Text::from("t"), &Text::from(text), &functions, delimiters);
    assert!(parse("{{ nothing }} << .a >> <<- /* c */ ->> <<\"x\">>").is_ok());
    assert_eq!(
        parse("<< 1 }}").unwrap_err().message,
        "unexpected \"}\" in operand"
    );
    assert_eq!(
        parse("<< (1 ->>").unwrap_err().message,
        "unclosed left paren"
    );
}
