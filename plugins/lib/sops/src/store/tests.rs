use proptest::prelude::*;

use super::*;
use crate::format::Format;

const ALL: [Format; 5] = [
    Format::Yaml,
    Format::Json,
    Format::Dotenv,
    Format::Ini,
    Format::Binary,
];

fn read(format: Format, text: &str) -> Vec<Branch> {
    match format {
        Format::Yaml => yaml::load(text.as_bytes()).unwrap(),
        Format::Json | Format::Binary => vec![json::load(text.as_bytes()).unwrap()],
        Format::Dotenv => vec![dotenv::load(text.as_bytes()).unwrap()],
        Format::Ini => vec![ini::load(text.as_bytes()).unwrap()],
    }
}

/// Reads a text and writes it in a format.
fn convert(from: Format, text: &str, to: Format) -> String {
    String::from_utf8(emit(&read(from, text), to).unwrap()).unwrap()
}

fn check(format: Format, text: &str, expected: &str) {
    assert_eq!(convert(format, text, format), expected, "{format} {text:?}");
}

fn refused(format: Format, text: &str, expected: &str) {
    let error = load(text.as_bytes(), format).unwrap_err().to_string();
    assert!(
        error.contains(expected),
        "{error:?} does not contain {expected:?}"
    );
}

#[test]
fn yaml_is_written_as_go_yaml_does() {
    let same = |text: &str| check(Format::Yaml, text, text);
    same("a: 1\nb:\n    - x\n    - - y1\n      - z\n    - k: v\nc: {}\nd: []\n");
    same("# head\na: 1 # inline\n# foot\n");
    same("a: |\n    x\n    y\nb: |-\n    x\n    y\n");
    same("\"yes\": \"on\"\nt: \"12:30:45\"\nm: \"1\"\nq: '''a'\n");
    check(
        Format::Yaml,
        "a: &x {q: 1}\nb: *x\n",
        "a:\n    q: 1\nb:\n    q: 1\n",
    );
    check(
        Format::Yaml,
        "a: 1.50\nb: 1e100\nc: 2020-01-01\nd: ~\n",
        "a: 1.5\nb: 1e+100\nc: 2020-01-01T00:00:00Z\nd: null\n",
    );
    check(
        Format::Yaml,
        "a: !!binary aGk=\nb: !custom x\n",
        "a: hi\nb: x\n",
    );
}

#[test]
fn documents_are_kept_apart() {
    check(
        Format::Yaml,
        "a: 1\n---\n# only comment\n---\nb: 2\n",
        "a: 1\n---\n# only comment\n{}\n---\nb: 2\n",
    );
}

#[test]
fn yaml_that_sops_refuses() {
    refused(
        Format::Yaml,
        "- a\n",
        "line 1: cannot unmarshal !!seq into map[string]interface {}",
    );
    refused(Format::Yaml, "hunter2\n", "cannot unmarshal a scalar");
    refused(
        Format::Yaml,
        "a: 1\n---\n- b\n",
        "YAML documents that are sequences are not supported",
    );
    refused(
        Format::Yaml,
        "a: 1\n---\nhunter2\n",
        "YAML documents that are values are not supported",
    );
    refused(
        Format::Yaml,
        "a:\n  b: 1\n  c: 2\n  b: 3\n",
        "line 4: mapping key \"b\" already defined at line 2",
    );
    refused(Format::Yaml, "a: *x\n", "unknown anchor 'x' referenced");
    refused(Format::Yaml, "a: &x [*x]\n", "nested too deeply");
    refused(Format::Yaml, "", "sops metadata not found");
    refused(Format::Yaml, "a: 1\n", "sops metadata not found");
}

#[test]
fn aliases_cannot_fill_the_memory() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let previous = format!("*a{}, ", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{previous}]\n"));
    }
    refused(Format::Yaml, &text, "excessive aliasing");
}

#[test]
fn json_is_written_as_go_does() {
    check(
        Format::Json,
        r#" {"b": 1.0, "a": [null, {}, [], "<é"], "b": 9223372036854775808} behind"#,
        "{\n\t\"b\": 1,\n\t\"a\": [\n\t\tnull,\n\t\t{},\n\t\t[],\n\t\t\"\\u003cé\"\n\t],\n\t\"b\": 9223372036854776000\n}\n",
    );
    refused(Format::Json, "[1]", "not arrays or other types");
    refused(Format::Json, "\"hunter2\"", "not other JSON types");
    refused(Format::Json, "{\"a\": hunter2}", "expected value at line 1");
    refused(Format::Json, "", "there is no JSON object");
    refused(Format::Json, &"{\"a\":".repeat(1000), "recursion limit");
}

#[test]
fn dotenv_is_taken_literally() {
    let same = |text: &str| check(Format::Dotenv, text, text);
    same("# c\nA=1\nB=\"q\"\nC=a=b\n  D= x \nexport E=\nF=l1\\nl2\nG=x\r\n");
    refused(Format::Dotenv, "A=1\nhunter2\n", "line 2 has no \"=\"");
    assert_eq!(
        convert(
            Format::Yaml,
            "a: 1.0\nb: 1e100\nc: true\nd: null\ne: 2020-01-01\n",
            Format::Dotenv
        ),
        "a=1.0\nb=1E+100\nc=true\nd=<nil>\ne=2020-01-01T00:00:00Z\n"
    );
    let nested = emit(&read(Format::Yaml, "a: [1]\n"), Format::Dotenv);
    assert_eq!(
        nested.unwrap_err().to_string(),
        "cannot use complex value in dotenv file; offending key a"
    );
}

#[test]
fn ini_is_read_and_written_as_go_ini_does() {
    let check = |text: &str, expected: &str| check(Format::Ini, text, expected);
    check(
        "a=1\n[s]\n# c\nkey: v ; tail\nlong = w\n",
        "a = 1\n\n[s]\n; c\n; tail\nkey  = v\nlong = w\n",
    );
    check(
        "[s]\na = \"x\"\nb = 'y'\nc = `p#q`\nd = a#b\n",
        "[s]\na = x\nb = y\nc = `p#q`\n; b\nd = a\n",
    );
    check("[s]\na = \"\"\"x\ny\"\"\"\n", "[s]\na = \"\"\"x\ny\"\"\"\n");
    check("[s]\na = x \\\n  y\nb = 1\na = 2\n", "[s]\na = 2\nb = 1\n");
    check("[s]\n`a=b` = 1\n- = x\n", "[s]\n`a=b` = 1\n#1    = x\n");
    check("[s]\na=1\n[s]\na=2\n", "[s]\na = 1\n\n[s]\na = 2\n");
    for (text, expected) in [
        ("[s]\nhunter2\n", "line 2: key-value delimiter not found"),
        ("[s\n", "line 1: unclosed section"),
        ("[]\n", "empty section name"),
        ("= hunter2\n", "empty key name"),
        ("a = `hunter2\n", "missing closing quote"),
        ("\"a = hunter2\n", "missing closing key quote"),
    ] {
        refused(Format::Ini, text, expected);
    }
    let flat = emit(&read(Format::Yaml, "a: 1\n"), Format::Ini);
    assert!(
        flat.unwrap_err()
            .to_string()
            .ends_with("Section values should always be TreeBranches")
    );
}

#[test]
fn binary_has_one_text() {
    let emit = |text: &str| {
        emit(&read(Format::Yaml, text), Format::Binary).map_err(|error| error.to_string())
    };
    assert_eq!(emit("data: x\n").unwrap(), b"x");
    let failed = |text: &str| emit(text).unwrap_err();
    assert_eq!(
        failed("a: x\n"),
        "error emitting binary store: no binary data found in tree"
    );
    assert_eq!(
        failed("data: 1\n"),
        "error emitting binary store: 'data' key in tree does not have a string value"
    );
    assert_eq!(
        failed("a: 1\n---\nb: 1\n"),
        "error emitting binary store: there must be exactly one tree branch"
    );
}

#[test]
fn objects_come_back_as_they_are_read_from_json() {
    let object =
        serde_json::json!({"a": 1, "b": [1.5, null, {"c": true}], "d": 1.0, "e": u64::MAX});
    let back = to_object(&from_object(&object).unwrap());
    assert_eq!(
        back,
        serde_json::json!({"a": 1, "b": [1.5, null, {"c": true}], "d": 1, "e": 18_446_744_073_709_551_615.0_f64})
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in ALL {
            let _ = load(&bytes, format);
        }
    }

    #[test]
    fn any_text_of_the_formats_signs_is_read_or_refused(text in "[-a:=#;\\[\\]{}\"'`,&*!<|>\\\\ \n\t0-9]{0,80}") {
        for format in ALL {
            let _ = load(text.as_bytes(), format);
            let with_metadata = format!("{text}\nsops:\n  lastmodified: x\n");
            let _ = load(with_metadata.as_bytes(), format);
        }
        if let Ok(branch) = ini::load(text.as_bytes()) {
            let _ = ini::emit(&[branch]);
        }
        if let Ok(branches) = yaml::load(text.as_bytes()) {
            let _ = emit(&branches, Format::Yaml);
        }
    }

    #[test]
    fn no_error_shows_a_value(text in "[-a:=#;\\[\\]{}\"'`,&*!<|>\\\\ \n\t0-9]{0,40}", before in any::<bool>()) {
        let text = if before { format!("hunter2{text}") } else { format!("{text}hunter2") };
        for format in ALL {
            if let Err(error) = load(text.as_bytes(), format) {
                let shown = error.to_string();
                // Names of keys and anchors are no secrets.
                let named = matches!(error, LoadError::YamlAnchor(_) | LoadError::YamlDuplicate { .. } | LoadError::Yaml(_));
                prop_assert!(named || !shown.contains("hunter2"), "{}", shown);
            }
        }
    }
}
