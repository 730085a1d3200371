//! Whatever a template asks for, one call ends soon, with a message that says why.

use crate::support::{failure, render};

#[test]
fn large_results_are_refused() {
    for (text, expected) in [
        (
            "{{ repeat 1000000000 \"x\" }}",
            "error calling repeat: repeat: the result would be longer than 32 MiB",
        ),
        (
            "{{ repeat 9223372036854775807 \"xx\" }}",
            "error calling repeat: repeat: the result would be longer than 32 MiB",
        ),
        (
            "{{ indent 1000000000 \"x\" }}",
            "error calling indent: indent: the result would be longer than 32 MiB",
        ),
        (
            "{{ nindent 1000 (repeat 1000000 \"\\n\") }}",
            "error calling nindent: indent: the result would be longer than 32 MiB",
        ),
        (
            "{{ until 1000000000 }}",
            "error calling until: until: the result would have more than 2000000 elements",
        ),
        (
            "{{ untilStep 0 9223372036854775807 1 }}",
            "error calling untilStep: untilStep: the result would have more than 2000000 elements",
        ),
        (
            "{{ seq 1 1000000000 }}",
            "error calling seq: seq: the result would have more than 2000000 elements",
        ),
        (
            "{{ randAlphaNum 1000000000 }}",
            "error calling randAlphaNum: randAlphaNum: more than 1048576 characters asked for",
        ),
        (
            "{{ randBytes 1000000000 }}",
            "error calling randBytes: randBytes: more than 1048576 bytes asked for",
        ),
        (
            "{{ replace \"\" (repeat 1000 \"y\") (repeat 1000000 \"x\") }}",
            "error calling replace: replace: the result would be longer than 32 MiB",
        ),
        (
            "{{ regexReplaceAll \"x\" (repeat 1000000 \"x\") (repeat 1000 \"y\") }}",
            "error calling regexReplaceAll: regexReplaceAll: the result would be longer than 32 MiB",
        ),
        (
            "{{ wrapWith 1 (repeat 1000 \"y\") (repeat 100000 \"x\") }}",
            "error calling wrapWith: wrapWith: the result would be longer than 32 MiB",
        ),
    ] {
        assert_eq!(failure(text), expected, "{text}");
    }
}

#[test]
fn expressions_are_bounded() {
    assert!(
        failure("{{ mustRegexMatch \"((a{100}){10}){2}\" \"a\" }}")
            .contains("invalid repeat count")
    );
    assert!(
        failure("{{ mustRegexMatch (repeat 30000 \"\\\\pL\") \"a\" }}")
            .contains("expression too large")
    );
    // Nothing backtracks.
    assert_eq!(
        render("{{ regexMatch \"(a*)*b\" (repeat 100000 \"a\") }}"),
        "false"
    );
}

#[test]
fn values_that_contain_themselves_end() {
    let cycle = "{{ $m := dict }}{{ $_ := set $m \"m\" $m }}";
    for call in [
        "deepCopy $m",
        "toYaml $m",
        "toJson $m",
        "toToml $m",
        "toYamlPretty $m",
        "mustToRawJson $m",
    ] {
        assert!(
            failure(&format!("{cycle}{{{{ {call} }}}}")).contains("nest"),
            "{call}"
        );
    }
    assert_eq!(render(&format!("{cycle}{{{{ len (merge $m $m) }}}}")), "1");
    let two =
        "{{ $a := dict }}{{ $_ := set $a \"m\" $a }}{{ $b := dict }}{{ $_ := set $b \"m\" $b }}";
    assert!(failure(&format!("{two}{{{{ merge $a $b }}}}")).contains("nest"));
}

#[test]
fn deep_values_end() {
    let deep = "{{ $v := list }}{{ range until 3000 }}{{ $v = list $v }}{{ end }}";
    for call in ["toYaml $v", "toJson $v", "toToml $v", "deepCopy $v"] {
        assert!(
            failure(&format!("{deep}{{{{ {call} }}}}")).contains("nest"),
            "{call}"
        );
    }
    for call in ["fromJson", "fromYaml", "fromJsonArray", "fromYamlArray"] {
        let text = render(&format!("{{{{ {call} (repeat 100000 \"[\") }}}}"));
        assert!(text.len() < 1000, "{call}: {text}");
    }
}
