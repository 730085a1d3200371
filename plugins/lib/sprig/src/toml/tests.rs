use weir_gotemplate::{Value, display};

use super::*;

/// What `fromToml` prints.
fn read(text: &str) -> String {
    match parse(text.as_bytes()) {
        Ok(value) => display(&value).to_string(),
        Err(error) => format!("map[Error:{error}]"),
    }
}

/// Recorded with Helm 4.2.4.
const RECORDED: &[(&str, &str)] = &[
    (
        "[[ b1\n",
        "map[Error:toml: line 2: expected '.' or ']' to end table name, but got '\\n' instead]",
    ),
    (
        "a = ",
        "map[Error:toml: line 1 (last key \"a\"): unexpected EOF; expected value]",
    ),
    (
        "a = 1\nb",
        "map[Error:toml: line 2: unexpected EOF; expected key separator '=']",
    ),
    (
        "a = 1\na = 2",
        "map[Error:toml: line 2 (last key \"a\"): Key 'a' has already been defined.]",
    ),
    (
        "[a]\n[a]",
        "map[Error:toml: line 2: Key 'a' has already been defined.]",
    ),
    (
        "[a",
        "map[Error:toml: line 1: expected '.' or ']' to end table name, but got '\\x00' instead]",
    ),
    (
        "[]",
        "map[Error:toml: line 1: unexpected end of table name (table names cannot be empty)]",
    ),
    (
        "[a]]",
        "map[Error:toml: line 1 (last key \"a\"): expected a top-level item to end with a newline, comment, or EOF, but got ']' instead]",
    ),
    ("a.b = 1\na = 2", "map[a:map[b:1]]"),
    (
        "a = [1",
        "map[Error:toml: line 1 (last key \"a\"): expected a comma (',') or array terminator (']'), but got end of file]",
    ),
    (
        "a = [1 2]",
        "map[Error:toml: line 1 (last key \"a\"): expected a comma (',') or array terminator (']'), but got '2']",
    ),
    (
        "a = {b = 1",
        "map[Error:toml: line 1 (last key \"a.b\"): expected a comma or an inline table terminator '}', but got end of file instead]",
    ),
    (
        "a = \"x",
        "map[Error:toml: line 1 (last key \"a\"): unexpected EOF; expected '\"']",
    ),
    (
        "a = \"x\ny\"",
        "map[Error:toml: line 1 (last key \"a\"): strings cannot contain newlines]",
    ),
    (
        "a = \"\\q\"",
        "map[Error:toml: line 1 (last key \"a\"): invalid escape in string '\\q']",
    ),
    (
        "a = 'x",
        "map[Error:toml: line 1 (last key \"a\"): unexpected EOF; expected \"'\"]",
    ),
    (
        "a = \"\"\"x",
        "map[Error:toml: line 1 (last key \"a\"): unexpected EOF; expected '\"\"\"']",
    ),
    (
        "a = 08",
        "map[Error:toml: line 1 (last key \"a\"): Invalid integer \"08\": cannot have leading zeroes]",
    ),
    (
        "a = 1_",
        "map[Error:toml: line 1 (last key \"a\"): Invalid integer \"1_\": underscores must be surrounded by digits]",
    ),
    (
        "a = 99999999999999999999",
        "map[Error:toml: line 1 (last key \"a\"): 99999999999999999999 is out of range for int64]",
    ),
    (
        "a = 1.",
        "map[Error:toml: line 1 (last key \"a\"): Invalid float \"1.\": '.' must be followed by one or more digits]",
    ),
    (
        "a = .5",
        "map[Error:toml: line 1 (last key \"a\"): floats must start with a digit, not '.']",
    ),
    (
        "a = tru",
        "map[Error:toml: line 1 (last key \"a\"): expected value but found \"tru\" instead]",
    ),
    (
        "a = foo",
        "map[Error:toml: line 1 (last key \"a\"): expected value but found \"foo\" instead]",
    ),
    (
        "a = 2020-13-01",
        "map[Error:toml: line 1 (last key \"a\"): invalid datetime: \"2020-13-01\"]",
    ),
    (
        "= 1",
        "map[Error:toml: line 1: unexpected '=': key name appears blank]",
    ),
    (
        ".a = 1",
        "map[Error:toml: line 1: unexpected '.': keys cannot start with a '.']",
    ),
    (
        "a = 1 b = 2",
        "map[Error:toml: line 1: expected a top-level item to end with a newline, comment, or EOF, but got 'b' instead]",
    ),
    (
        "a",
        "map[Error:toml: line 1: unexpected EOF; expected key separator '=']",
    ),
    (
        "[[a]]\n[a]",
        "map[Error:toml: line 2: Key 'a' has already been defined.]",
    ),
    (
        "[a]\n[[a]]",
        "map[Error:toml: line 2: Key 'a' was already created and cannot be used as an array.]",
    ),
    (
        "a = [1]\n[[a]]",
        "map[Error:toml: line 2: Key 'a' was already created and cannot be used as an array.]",
    ),
    (
        "[a.b]\n[a]\n[a.b]",
        "map[Error:toml: line 3 (last key \"a\"): Key 'a.b' has already been defined.]",
    ),
    (
        "a = \"\\u12\"",
        "map[Error:toml: line 1 (last key \"a\"): expected four hexadecimal digits after '\\u', but got \"\\\\u12\\\"\" instead]",
    ),
    (
        "a = 0x",
        "map[Error:toml: line 1 (last key \"a\"): not a hexadecimal number: '0x\0']",
    ),
    (
        "a = 0xg",
        "map[Error:toml: line 1 (last key \"a\"): not a hexadecimal number: '0xg']",
    ),
    (
        "a = 1e",
        "map[Error:toml: line 1 (last key \"a\"): Invalid float value: \"1e\"]",
    ),
    (
        "a = +0x1",
        "map[Error:toml: line 1 (last key \"a\"): cannot use sign with non-decimal numbers: '+0x']",
    ),
    ("a = {a.b = 1, a.c = 2}\n", "map[a:map[a:map[b:1 c:2]]]"),
    (
        "a = [,]",
        "map[Error:toml: line 1 (last key \"a\"): unexpected comma]",
    ),
    (
        "a = {,}",
        "map[Error:toml: line 1 (last key \"a\"): unexpected comma]",
    ),
    (
        "a = \"\u{1}\"",
        "map[Error:toml: line 1 (last key \"a\"): TOML files cannot contain control characters: '0x01']",
    ),
    (
        "a = inf\nb = -nan\nc= +1.5e3\nd=0b11\ne=0o17\nf=1_000",
        "map[a:+Inf b:NaN c:1500 d:3 e:15 f:1000]",
    ),
    ("\"a b\" = 1\n'c'.d = 2", "map[a b:1 c:map[d:2]]"),
    (
        "a = \"\"\"\n x\\\n   y\"\"\"\nb = '''\nz'''",
        "map[a: xy b:z]",
    ),
    ("a = \"x\" # c\n# d\r\nb = true", "map[a:x b:true]"),
    (
        "a = 1\n[a]\nb=1",
        "map[Error:toml: line 2: Key 'a' has already been defined.]",
    ),
    ("a = 10:00", "map[a:0000-01-01 10:00:00 +0000 time-local]"),
    (
        "a={b=1}\n[a]\nc=1",
        "map[Error:toml: line 2: Key 'a' has already been defined.]",
    ),
    ("a={b=1}\na.c=1", "map[a:map[b:1 c:1]]"),
    ("[a]\nb.c=1\n[a.b]\nd=1", "map[a:map[b:map[c:1 d:1]]]"),
    (
        "[a]\nb=1\n\n[c]\nd = ",
        "map[Error:toml: line 5 (last key \"c.d\"): unexpected EOF; expected value]",
    ),
    (
        "a = 1979-05-27 07:32:00Z",
        "map[a:1979-05-27 07:32:00 +0000 UTC]",
    ),
    (
        "a = 5x",
        "map[Error:toml: line 1: expected a top-level item to end with a newline, comment, or EOF, but got 'x' instead]",
    ),
    (
        "a = \n",
        "map[Error:toml: line 1 (last key \"a\"): expected value but found '\\n' instead]",
    ),
    (
        "a.b",
        "map[Error:toml: line 1: unexpected EOF; expected key separator '=']",
    ),
    (
        "a = [1,\n\n",
        "map[Error:toml: line 2 (last key \"a\"): unexpected EOF; expected value]",
    ),
    (
        "a=\"\"\"a\"\"\"\"\"\"",
        "map[Error:toml: line 1 (last key \"a\"): unexpected '\"\"\"\"\"\"']",
    ),
    ("a = {b=1,\n c=2,}", "map[a:map[b:1 c:2]]"),
    ("a=[1,2,]\nb=[ # x\n 1 ]", "map[a:[1 2] b:[1]]"),
    ("a = \"\\x41\\e\"", "map[a:A\u{1b}]"),
    ("a = [{b=1},{c=2}]", "map[a:[map[b:1] map[c:2]]]"),
    (
        "a = 1__0",
        "map[Error:toml: line 1 (last key \"a\"): Invalid integer \"1__0\": underscores must be surrounded by digits]",
    ),
    (
        "a = -",
        "map[Error:toml: line 1 (last key \"a\"): expected a digit but got '\\x00']",
    ),
    (
        "a = -a",
        "map[Error:toml: line 1 (last key \"a\"): expected a digit but got 'a']",
    ),
    (
        "a = 0_1",
        "map[Error:toml: line 1 (last key \"a\"): Invalid integer \"0_1\": cannot have leading zeroes]",
    ),
    ("[a]\n[a.b.c]\n[a.b]\nx=1", "map[a:map[b:map[c:map[] x:1]]]"),
];

#[test]
fn reads_as_recorded() {
    for (text, expected) in RECORDED {
        assert_eq!(read(text), *expected, "{text}");
    }
}

#[test]
fn writes_back_what_it_read() {
    let text = "a = 2020-01-01\nb = 10:00:00\nc = 2020-01-01T00:00:00Z\nd = 2020-01-01T00:00:00\ne = 2020-01-01T00:00:00.5+02:00\n";
    let value = parse(text.as_bytes()).unwrap();
    assert_eq!(
        String::from_utf8(write(&value, 1 << 20).unwrap()).unwrap(),
        text
    );
}

fn written(json: serde_json::Value) -> String {
    match write(&Value::from_json(&json), 1 << 20) {
        Ok(text) => String::from_utf8(text).unwrap(),
        Err(error) => error.message,
    }
}

#[test]
fn writes_as_recorded() {
    use serde_json::json;
    for (value, expected) in [
        (json!({"a": null, "b": 1}), "b = 1\n"),
        (json!([1]), "[1]"),
        (json!("x"), "\"x\""),
        (
            json!({"a": {"b": {"c": 1}}, "z": [{"k": "v"}], "l": ["x", 1.5, true], "e": [], "m": {}}),
            "e = []\nl = [\"x\", 1.5, true]\n\n[a]\n  [a.b]\n    c = 1\n\n[m]\n\n[[z]]\n  k = \"v\"\n",
        ),
        (
            json!({"a.b": 1, "a b": 2, "x-y": 3, "é": 4, "": 5}),
            "\"\" = 5\n\"a b\" = 2\n\"a.b\" = 1\nx-y = 3\n\"é\" = 4\n",
        ),
        (
            json!({"a": [null]}),
            "toml: cannot encode array with nil element",
        ),
        (json!({"a": [{"k": 1}, 2]}), "a = [{k = 1}, 2]\n"),
        (
            json!({"a": [{"k": {"z": 1}}, {}]}),
            "[[a]]\n  [a.k]\n    z = 1\n\n[[a]]\n",
        ),
        (
            json!({"t": {"x": {"y": [{"z": 1}]}}}),
            "[t]\n  [t.x]\n\n    [[t.x.y]]\n      z = 1\n",
        ),
        (json!({"x": {"a": null, "b": {}}}), "[x]\n  [x.b]\n"),
        (
            json!({"x": [{"a": 1, "b": null, "c": null}, 2]}),
            "x = [{a = 1, }, 2]\n",
        ),
        (
            json!([{"a": 1}]),
            "toml: top-level values must be Go maps or structs",
        ),
        (
            json!({"a": 1.0, "b": 1e6, "c": 1e21, "d": 0.1, "e": -0.0}),
            "a = 1.0\nb = 1e+06\nc = 1e+21\nd = 0.1\ne = -0.0\n",
        ),
    ] {
        assert_eq!(written(value.clone()), expected, "{value}");
    }
}

#[test]
fn depth_is_bounded() {
    for text in [
        "a=".to_owned() + &"[".repeat(100_000),
        "a=".to_owned() + &"{a=".repeat(100_000),
        "a.".repeat(100_000),
        format!("[{}a]", "a.".repeat(100_000)),
    ] {
        assert!(read(&text).contains("nested too deeply"));
    }
}
