use super::*;

fn compile(pattern: &str) -> Regexp {
    Regexp::compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

#[track_caller]
fn error(pattern: &str, expected: &str) {
    let error = Regexp::compile(pattern).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("error parsing regexp: {expected}"),
        "{pattern}"
    );
}

#[test]
fn errors_are_worded_as_in_go() {
    error("(", "missing closing ): `(`");
    error("a)b", "unexpected ): `a)b`");
    error("[", "missing closing ]: `[`");
    error("x[a", "missing closing ]: `[a`");
    error("*", "missing argument to repetition operator: `*`");
    error("a|*?", "missing argument to repetition operator: `*?`");
    error("a**", "invalid nested repetition operator: `**`");
    error("a*?+", "invalid nested repetition operator: `*?+`");
    error("a{1001}", "invalid repeat count: `{1001}`");
    error("a{3,2}", "invalid repeat count: `{3,2}`");
    error("(a{100}){100}", "invalid repeat count: `{100}`");
    error(r"(a)\1", r"invalid escape sequence: `\1`");
    error(r"\8", r"invalid escape sequence: `\8`");
    error(r"\", "trailing backslash at end of expression: ``");
    error("(?=a)", "invalid or unsupported Perl syntax: `(?=`");
    error("(?i-)a", "invalid or unsupported Perl syntax: `(?i-)`");
    error("(?P<n", "invalid named capture: `(?P<n`");
    error("(?P<x y>a)", "invalid named capture: `(?P<x y>`");
    error("[b-a]", "invalid character class range: `b-a`");
    error("[[:foo:]]", "invalid character class range: `[:foo:]`");
    error(r"\p{Nope}", r"invalid character class range: `\p{Nope}`");
    error(r"[a-\d]", r"invalid escape sequence: `\d`");
    error(r"\x{110000}", r"invalid escape sequence: `\x{110000`");
}

#[test]
fn perl_classes_are_ascii() {
    assert!(!compile(r"^\d+$").is_match("٣".as_bytes()));
    assert!(!compile(r"^\w+$").is_match("é".as_bytes()));
    assert!(!compile(r"\bé").is_match("é".as_bytes()));
    assert!(compile(r"\p{Greek}").is_match("α".as_bytes()));
    assert!(compile(r"^\PL[\pN]$").is_match(b"-1"));
    assert!(compile("(?i)k").is_match("\u{212a}".as_bytes()));
}

#[test]
fn go_syntax_that_rust_reads_otherwise() {
    assert!(compile("[a&&b]").is_match(b"&"));
    assert!(compile("[[a]").is_match(b"["));
    assert!(compile("^[]a]+$").is_match(b"]a"));
    assert!(compile("^[a-]$").is_match(b"-"));
    assert!(compile("a{,2}").is_match(b"a{,2}"));
    assert!(compile(r"^\Qa.b\E$").is_match(b"a.b"));
    assert!(compile(r"^\Qa.b*\E+$").is_match(b"a.b**"));
    assert!(compile(r"^\101\x41\x{42}\a$").is_match(b"AAB\x07"));
    assert!(compile("a(?i)*b").is_match(b"aaB"));
    assert!(compile("(?m)^b$").is_match(b"a\nb\nc"));
    assert!(!compile("^b$").is_match(b"b\n"));
    assert_eq!(compile("(?U)a+").find(b"aaa"), Some(&b"a"[..]));
    assert_eq!(compile("(?U)a+?").find(b"aaa"), Some(&b"aaa"[..]));
    assert_eq!(compile("a|ab").find(b"ab"), Some(&b"a"[..]));
    assert!(compile("^(?P<n>a)(?P<n>b)$").is_match(b"ab"));
    assert!(compile(r"^(?:a|b)*?[^\d\s]$").is_match(b"abx"));
}

#[test]
fn replaces_as_go_does() {
    let replace = |pattern: &str, text: &str, with: &str| {
        let out = compile(pattern).replace_all(text.as_bytes(), with.as_bytes(), 1 << 20);
        String::from_utf8(out.unwrap()).unwrap()
    };
    assert_eq!(replace("a(x*)b", "-ab-axxb-", "${1}W"), "-W-xxW-");
    assert_eq!(replace("a(x*)b", "-ab-axxb-", "$1W"), "---");
    assert_eq!(replace("(?P<n>a)", "aba", "<$n>"), "<a>b<a>");
    assert_eq!(replace("b", "abc", "$$"), "a$c");
    assert_eq!(replace("(a)(b)?", "ac", "[$1$2$3]"), "[a]c");
    assert_eq!(replace("x*", "abc", "-"), "-a-b-c-");
    assert_eq!(replace("x*", "é", "-"), "-é-");
    assert_eq!(replace("a", "a", "$"), "$");
    assert_eq!(replace("a", "a", "${"), "${");
    assert_eq!(replace("a", "a", "${}x"), "${}x");
    assert_eq!(replace("(a)", "a", "$1_x ${1}_x"), " a_x");
    assert_eq!(replace("(a)", "abc", "$0$0"), "aabc");
    assert_eq!(replace("(a)", "abc", "$10"), "bc");
    assert_eq!(replace("(a)", "abc", "${1}0"), "a0bc");
    assert_eq!(compile("a").replace_literal(b"aaa", b"bbbb", 8), None);
}

#[test]
fn splits_as_go_does() {
    let split = |pattern: &str, text: &'static str, limit: i64| {
        let parts = compile(pattern).split(text.as_bytes(), limit);
        parts
            .into_iter()
            .map(|part| std::str::from_utf8(part).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(split("z+", "pizza", -1), ["pi", "a"]);
    assert_eq!(split(",", "a,b,c", 2), ["a", "b,c"]);
    assert_eq!(split(",", "a", 0), [""; 0]);
    assert_eq!(split("", "abc", -1), ["a", "b", "c"]);
    assert_eq!(split(",", "a,b,", -1), ["a", "b", ""]);
    assert_eq!(split(",", "", -1), [""]);
    assert_eq!(split("", "", -1), [""; 0]);
    assert_eq!(split("x*", "axbxc", -1), ["a", "b", "c"]);
}

#[test]
fn sizes_are_bounded() {
    error(
        &"(".repeat(2000),
        &format!("expression nests too deeply: `{}`", "(".repeat(2000)),
    );
    assert!(Regexp::compile(&"(?:a{100}){10}".repeat(500)).is_err());
    assert!(Regexp::compile(&"a".repeat(100_000)).is_err());
}

#[test]
fn what_go_reads_as_literal_is_literal() {
    for (expression, text, expected) in [
        (r"^a{b}$", "a{b}", true),
        (r"^a{2}$", "aa", true),
        (r"^[a&&b]+$", "a&b", true),
        (r"^[[a]$", "[", true),
        (r"^\d$", "\u{0663}", false),
        (r"^\Qa.b\E$", "a.b", true),
        (r"^\Qa.b\E$", "axb", false),
        (r"^[[:alpha:]]+$", "abc", true),
        (r"^[^\d]$", "x", true),
        (r"^\w+\W$", "ab-", true),
        (r"^x-}$", "x-}", true),
    ] {
        assert_eq!(
            compile(expression).is_match(text.as_bytes()),
            expected,
            "{expression} on {text}"
        );
    }
}
